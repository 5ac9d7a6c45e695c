"""Chosen households and units go elsewhere, and come back."""

import pytest

from server import hamlets
from server.auth import users
from server.checking import problems
from server.moving import NoMove
from server.parts import Parts
from server.rows import tables
from server.rows.engine import readers
from server.scribe import Change
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    LAN,
    MAI,
    OTHER,
    SECOND,
    THIRD,
    grant,
    household,
    inspection,
    photo,
    pledge,
    visit,
)
from tests.server.harness import edit
from tests.server.moves.ground import (
    ADMIN,
    ALL,
    INSPECTION,
    OTHERS,
    PHOTO,
    PLEDGE,
    SIGNED,
    STROKES,
    A,
    B,
    X,
    furnish,
    lan,
    living,
    mai,
    rows_of,
    send,
    where,
)


async def test_a_household_takes_along_what_is_its_own_and_nothing_else(commune: Parts) -> None:
    await furnish(commune)
    done = await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert done.documents == {"household": 1, "pledge": 1, "signature": 1, "review": 1}
    assert await where(commune) == {one: [A] if one in OTHERS else [B] for one in ALL}
    with readers(commune.rows).begin() as connection:
        assert users.hamlets_of(connection, LAN) == {"nasam", "bankhu"}
    assert await problems(commune) == []


async def test_a_school_takes_along_its_inspections_and_their_pictures(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [f"unit:{THIRD}"])
    assert await where(commune, [INSPECTION]) == {INSPECTION: [B]}
    assert await where(commune, [PHOTO]) == {PHOTO: ["media-bankhu"]}


async def test_strokes_that_two_households_share_are_in_both_places(commune: Parts) -> None:
    await furnish(commune)
    await send(commune, lan, A, edit(pledge(SIGNED | {"id": THIRD}, ulid=OTHER), "1-q"))
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert await where(commune, [STROKES]) == {STROKES: [B, A]}
    assert await problems(commune) == []


async def test_what_somebody_put_under_its_name_in_the_new_place_takes_nothing_from_it(
    commune: Parts,
) -> None:
    await furnish(commune)
    own = visit("01J8ZQ5A0000000000000000A9", MAI)
    await commune.store.graft(B, [edit(pledge(own, by=MAI), "1-p")])  # by another server
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    ((place, said),) = (await living(commune, PLEDGE)).items()
    assert place == B
    assert {act["id"] for act in said["acts"]} == {FIRST, SECOND, own["id"]}
    assert await problems(commune) == []


async def test_a_picture_follows_no_inspection_that_has_not_left_its_hamlet(commune: Parts) -> None:
    await furnish(commune)
    assert await send(commune, mai, B, edit(inspection(THIRD, MAI), "1-j")) == ["received"]
    await commune.follower.catch_up()
    await hamlets.move(commune, ADMIN, "nasam", "pomo", [X], people=False)
    shown = photo(inspection=THIRD)
    await send(commune, lan, "media-nasam", edit(shown, "1-z"))
    assert list(await living(commune, shown["_id"])) == ["media-nasam"]


async def test_nobody_waits_where_a_pledge_will_come_with_an_act_of_its_id(commune: Parts) -> None:
    await furnish(commune)
    forged = pledge(visit(SIGNED["id"], MAI, at="2026-03-01T02:03:05Z"), by=MAI)
    assert await send(commune, mai, B, edit(forged, "1-f")) == ["forbidden"]


async def test_the_alias_of_a_household_goes_with_it_and_still_leads_there(commune: Parts) -> None:
    await furnish(commune)
    status = {"is": "merged_into", "since": "2026-03-01", "into": HOUSEHOLD}
    await commune.scribe.write(ADMIN, {A: [Change(f"household:{OTHER}", {"status": status})]})
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert await where(commune, [f"household:{OTHER}"]) == {f"household:{OTHER}": [B]}
    late = edit(pledge(visit(THIRD), ulid=OTHER), "1-q")
    assert await send(commune, lan, A, late) == ["absorbed"] or await living(commune, late.id) == {}
    (body,) = (await living(commune, PLEDGE)).values()
    assert THIRD in {act["id"] for act in body["acts"]}


async def test_moving_back_undoes_a_merge(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    edited = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-there", "1-p")
    await send(commune, grant(LAN, hamlets=["bankhu"]), B, edited)
    await commune.follower.catch_up()
    with readers(commune.rows).begin() as connection:
        back = hamlets.came(connection, "bankhu", "nasam")
    done = await hamlets.move(commune, ADMIN, "bankhu", "nasam", back)
    assert done.documents["household"] == 2
    assert await where(commune) == {one: [A] for one in ALL}
    (body,) = (await living(commune, PLEDGE)).values()
    assert THIRD in {act["id"] for act in body["acts"]}
    assert rows_of(commune, tables.HamletRow, hamlet="nasam")[0]["state"] == "active"
    assert await send(commune, lan, A, edit(household(THIRD), "1-new")) == ["received"]
    assert await where(commune, [f"household:{THIRD}"]) == {f"household:{THIRD}": [A]}
    assert await problems(commune) == []


@pytest.mark.parametrize(("source", "into"), [("nasam", "nasam"), ("nasam", "nowhere"), ("nowhere", "nasam")])
async def test_a_hamlet_merges_into_another_one_that_stands(commune: Parts, source: str, into: str) -> None:
    with pytest.raises(NoMove):
        await hamlets.merge(commune, ADMIN, source, into)
