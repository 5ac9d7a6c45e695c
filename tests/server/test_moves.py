"""Hamlets that merge and split, households that move: told over the whole server, without HTTP.

All in one file: every story begins with the same furnished commune.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select
from sqlmodel import SQLModel

from server import backup, erasing, hamlets, ledger, past
from server.admission import caller_of
from server.app import opened
from server.auth import users
from server.auth.grant import Grant, Role
from server.blobs import Name
from server.checking import problems
from server.clock import instant
from server.moving import NoMove
from server.parts import Parts
from server.quarantine import Held, hold
from server.release import Ready, Warden
from server.rows import registers, tables
from server.rows.engine import readers, table, writing
from server.scribe import Change
from server.settings import Settings
from server.words import HERE, words
from sync import revtree
from sync.hooks import Action, Refused, Stored
from sync.rev import Rev
from sync.store.interface import Edit, StoreFull
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    OTHER,
    QUAN,
    SECOND,
    THIRD,
    THU,
    grant,
    household,
    inspection,
    outreach,
    photo,
    pledge,
    review,
    signature,
    signed,
    unit,
    visit,
)
from tests.server.harness import edit

A, B, C = "hamlet-nasam", "hamlet-bankhu", "hamlet-pomo"
NAMES = {"nasam": "Nà Sầm", "bankhu": "Bản Khu", "pomo": "Pò Mỏ"}
X, PLEDGE = f"household:{HOUSEHOLD}", f"pledge:antq-2026:{HOUSEHOLD}"
STROKES = signature()["_id"]
SIGNED = signed(method="touch", signature=STROKES.partition(":")[2])
ADMIN = caller_of(Grant(QUAN, "Quân", Role.ADMIN, frozenset(NAMES)), words("vi"))
lan, mai = grant(LAN), grant(MAI, hamlets=["bankhu"])


DAY = 86_400_000


class Hands:
    """A clock that the test moves."""

    ms = NOW

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.ms / 1000, UTC)


@pytest.fixture
async def commune(tmp_path: Path) -> AsyncIterator[Parts]:
    """A commune of three hamlets: Lan walks the first, Mai the second."""
    clock = Hands()
    async with opened(Settings(data=tmp_path), clock) as parts:
        with parts.rows.begin() as rows:
            for who, held in ((LAN, ["nasam"]), (MAI, ["bankhu"])):
                users.add(rows, who, Role.VOLUNTEER, by=QUAN, now=parts.clock(), hamlets=held, person=who)
        fields = [
            {"name": name, "kind": "thôn", "order": n, "state": "active"}
            for n, name in enumerate(NAMES.values())
        ]
        made = [Change(f"hamlet:{hid}", said) for hid, said in zip(NAMES, fields, strict=True)]
        await parts.scribe.write(ADMIN, {"commune": made})
        yield parts


async def send(parts: Parts, who: Grant, db: str, *edits: Edit) -> list[str]:
    """What the engine does with a batch; the name of each outcome."""
    answers = await parts.intake.admit(caller_of(who, words("vi")), db, edits)
    entering = [answer for answer in answers if isinstance(answer, Edit)]
    await parts.store.graft(db, entering)
    await parts.intake.observe(db, {one.id for one in entering})
    return [one.name if isinstance(one, Refused | Stored) else "received" for one in answers]


async def living(parts: Parts, doc_id: str) -> dict[str, dict[str, Any]]:
    """Where a document lives, and what it says there."""
    found = {}
    for db in await parts.store.names():
        held = (await parts.store.read(db, [doc_id], lambda _id, tree: revtree.live(tree))).get(doc_id)
        if held and held.bodies:
            (body,) = held.bodies.values()
            found[db] = orjson.loads(body.json)
    return found


def rows_of(parts: Parts, model: type[SQLModel], **where: Any) -> list[dict[str, Any]]:
    source = table(model)
    asked = select(source).where(*(source.c[name] == value for name, value in where.items()))
    with readers(parts.rows).begin() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


async def furnish(parts: Parts) -> None:
    """A household with a pledge, strokes and a review; a neighbour; a school with an inspection; a drive."""
    await send(parts, lan, A, edit(household(), "1-h"), edit(household(OTHER), "1-n"))
    await send(parts, lan, A, edit(pledge(visit(), SIGNED), "1-p"), edit(signature(), "1-s"))
    await send(parts, lan, A, edit(unit(THIRD), "1-u"), edit(outreach(), "1-o"))
    checked = inspection(SECOND, subject=f"unit:{THIRD}", photos=[{"id": SHOWN, "item": "picture"}])
    assert await send(parts, lan, A, edit(checked, "1-i")) == ["received"]
    assert await send(parts, lan, "media-nasam", edit(photo(inspection=SECOND) | {"_id": PHOTO}, "1-f")) == [
        "received"
    ]
    await parts.follower.catch_up()
    judged = review(PLEDGE, "d" * 64, THU) | {"stamps": {"*": f"{NOW}-0000-office{THU}"}}
    assert await send(parts, grant(THU, Role.REVIEWER), A, edit(judged, "1-r")) == ["received"]
    await parts.follower.catch_up()


SHOWN = sha256(b"bytes").hexdigest()
INSPECTION, PHOTO = f"inspection:{SECOND}", f"photo:{SHOWN}"
OTHERS = {f"household:{OTHER}", f"unit:{THIRD}", f"outreach:{FIRST}", INSPECTION}
ALL = {X, PLEDGE, STROKES, f"review:{PLEDGE}"} | OTHERS


async def where(parts: Parts, ids: Collection[str] = ALL) -> dict[str, list[str]]:
    return {doc_id: list(await living(parts, doc_id)) for doc_id in ids}


# ---- A merge --------------------------------------------------------------------------------------------


async def test_a_merge_takes_everything_along_with_the_people_and_says_so(commune: Parts) -> None:
    await furnish(commune)
    picture = Name("nasam", SHOWN)
    for path in (f"media/nasam/{picture.sha256}", f"media/nasam/{picture.sha256}.thumb"):
        (commune.settings.data / path).parent.mkdir(parents=True, exist_ok=True)
        (commune.settings.data / path).write_bytes(b"bytes")
    done = await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    once = ("pledge", "signature", "review", "unit", "outreach", "inspection", "photo")
    assert done.documents == {"household": 2} | dict.fromkeys(once, 1)
    assert done.people == {LAN}
    assert await where(commune) == {one: [B] for one in ALL}
    assert await where(commune, [PHOTO]) == {PHOTO: ["media-bankhu"]}
    assert commune.blobs.whole(Name("bankhu", picture.sha256)) == b"bytes"
    assert commune.blobs.thumb(Name("bankhu", picture.sha256)) == b"bytes"
    assert not commune.blobs.has(picture)
    with readers(commune.rows).begin() as connection:
        assert users.hamlets_of(connection, LAN) == {"bankhu"}
    assert {row["db"] for row in rows_of(commune, tables.PledgeRow)} == {B}
    assert await problems(commune) == []


async def test_the_history_of_what_moved_is_in_both_places(commune: Parts) -> None:
    await furnish(commune)
    before = rows_of(commune, tables.Archive, db=A, id=PLEDGE)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    old = rows_of(commune, tables.Archive, db=A, id=PLEDGE)
    assert [row["source"] for row in old] == ["sent", "moved"]
    assert old[:1] == before
    assert orjson.loads(old[1]["body"]) == {"moved_to": B}
    assert [row | {"db": A} for row in rows_of(commune, tables.Archive, db=B, id=PLEDGE)] == old


async def test_where_a_household_was_on_a_day_can_be_told_for_good(commune: Parts) -> None:
    await furnish(commune)
    clock = commune.clock
    assert isinstance(clock, Hands)
    for source, into in (("nasam", "pomo"), ("pomo", "nasam"), ("nasam", "bankhu"), ("bankhu", "pomo")):
        clock.ms += DAY
        await hamlets.move(commune, ADMIN, source, into, [X])
    first = datetime.fromtimestamp(NOW / 1000, HERE).date()
    with readers(commune.rows).begin() as connection:
        days = [past.households(connection, "antq-2026", first + timedelta(days=n)) for n in range(5)]
        found = [Counter(one.db for one in day) for day in days]
    assert found == [{A: 2}, {A: 1, C: 1}, {A: 2}, {A: 1, B: 1}, {A: 1, C: 1}]


def walk(parts: Parts, db: str) -> list[str]:
    rows = rows_of(parts, tables.HouseholdRow, db=db)
    return [row["name"] for row in sorted(rows, key=lambda row: (row["walk"], row["id"]))]


async def test_the_households_of_a_merged_hamlet_come_behind_on_the_walk_in_their_order(
    commune: Parts,
) -> None:
    for who, db, names in ((lan, A, ["a1", "a2", "a3"]), (mai, B, ["b1", "b2"])):
        for n, name in enumerate(names, start=1):
            one = household(f"01J8ZQ4T6N3VXK2M5R7W9Y0{name.upper()}0", who.user, name=name, order=n * 10)
            assert await send(commune, who, db, edit(one, f"1-{name}")) == ["received"]
    await commune.follower.catch_up()
    before = {row["id"]: row for row in rows_of(commune, tables.HouseholdRow, db=B)}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert walk(commune, B) == ["b1", "b2", "a1", "a2", "a3"]
    once = {row["id"]: row["rev"] for row in rows_of(commune, tables.HouseholdRow, db=B)}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert {row["id"]: row["rev"] for row in rows_of(commune, tables.HouseholdRow, db=B)} == once
    with readers(commune.rows).begin() as rows:
        back = hamlets.came(rows, "bankhu", "nasam")
    await hamlets.move(commune, ADMIN, "bankhu", "nasam", back)
    assert walk(commune, A) == ["a1", "a2", "a3"]
    assert {row["id"]: row for row in rows_of(commune, tables.HouseholdRow, db=B)} == before


async def test_a_late_new_household_of_a_merged_hamlet_stands_where_its_number_says(commune: Parts) -> None:
    """It has the old hamlet's number, which another one may have here: they stand side by side, by id."""
    for who, db, names in ((lan, A, ["a1", "a2"]), (mai, B, ["b1", "b2"])):
        for n, name in enumerate(names, start=1):
            one = household(f"01J8ZQ4T6N3VXK2M5R7W9Y0{name.upper()}0", who.user, name=name, order=n * 10)
            assert await send(commune, who, db, edit(one, f"1-{name}")) == ["received"]
    await commune.follower.catch_up()
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    late = household("01J8ZQ4T6N3VXK2M5R7W9Y0Z90", name="new", order=20)
    assert await send(commune, lan, A, edit(late, "1-d")) == ["received"]
    assert walk(commune, B) == ["b1", "b2", "new", "a1", "a2"]


async def test_a_merge_that_was_cut_after_it_was_declared_is_finished_by_the_follower(commune: Parts) -> None:
    await furnish(commune)
    said = {"state": "merged", "merged": {"into": "bankhu", "since": "2026-11-22"}}
    await commune.scribe.write(ADMIN, {"commune": [Change("hamlet:nasam", said)]})
    await commune.follower.catch_up()
    assert await where(commune) == {one: [B] for one in ALL}
    with readers(commune.rows).begin() as connection:
        assert users.hamlets_of(connection, LAN) == {"bankhu"}
    assert await problems(commune) == []


async def test_a_merge_may_be_done_again_and_changes_nothing(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    before = {db: (await commune.store.info(db)).update_seq for db in await commune.store.names()}
    assert not (await hamlets.merge(commune, ADMIN, "nasam", "bankhu")).documents
    assert {db: (await commune.store.info(db)).update_seq for db in await commune.store.names()} == before


async def test_a_move_that_a_full_disk_stops_midway_ends_nothing(
    commune: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(commune)
    graft_all, times = commune.store.graft_all, count()

    async def filling(edits: Mapping[str, Sequence[Edit]]) -> None:
        if next(times):
            raise StoreFull
        await graft_all(edits)

    with monkeypatch.context() as patch, suppress(StoreFull):
        patch.setattr(commune.store, "graft_all", filling)
        await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert len(await living(commune, X)) == 1
    assert len(await living(commune, PLEDGE)) == 1


# ---- Late phones ----------------------------------------------------------------------------------------


async def test_a_late_phone_of_a_merged_hamlet_is_carried_over_and_told(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
    new = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE"), "1-new")
    answers = await commune.intake.admit(caller_of(lan, words("vi")), A, [late, new])
    told = [(one.name, one.reason) for one in answers if isinstance(one, Stored)]
    assert told == [("received", "Đã nhận, và đã chuyển sang thôn Bản Khu.")] * 2
    assert list(await living(commune, new.id)) == [B]
    (body,) = (await living(commune, PLEDGE)).values()
    assert {act["id"] for act in body["acts"]} == {FIRST, SECOND, THIRD}


async def test_what_a_phone_asks_about_is_answered_from_where_it_went(commune: Parts) -> None:
    await furnish(commune)
    new = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE"), "1-new")
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    await send(commune, lan, A, new)
    (answer,) = await commune.intake.outcomes(caller_of(lan, words("vi")), A, [(new.id, new.rev)])
    assert isinstance(answer, Stored)
    assert answer.name == "received"


async def test_a_new_pledge_of_a_household_that_moved_goes_after_it_with_its_strokes(commune: Parts) -> None:
    await send(commune, lan, A, edit(household(), "1-h"))
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert await send(commune, lan, A, edit(pledge(SIGNED), "1-p")) == ["received"]
    assert await send(commune, lan, A, edit(signature(), "1-s")) == ["received"]
    assert await where(commune, [PLEDGE, STROKES]) == {PLEDGE: [B], STROKES: [B]}


async def test_what_slipped_in_while_it_moved_is_moved_on(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
    another = edit(pledge(visit(THIRD)) | {"_id": f"pledge:khac-2026:{HOUSEHOLD}"}, "1-q")
    await commune.store.graft(A, [late, another])  # admitted a moment before
    await commune.follower.catch_up([A])
    assert await where(commune, [late.id, another.id]) == {late.id: [B], another.id: [B]}
    (body,) = (await living(commune, PLEDGE)).values()
    assert THIRD in {act["id"] for act in body["acts"]}


async def test_chains_of_merges_end_at_the_last_hamlet(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    await hamlets.merge(commune, ADMIN, "bankhu", "pomo")
    late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
    new = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE"), "1-new")
    assert await send(commune, lan, A, late, new) == ["received", "received"]
    assert await where(commune, [PLEDGE, new.id]) == {PLEDGE: [C], new.id: [C]}
    assert await problems(commune) == []


async def test_somebody_who_lost_a_hamlet_hands_in_and_the_office_decides(commune: Parts) -> None:
    with commune.rows.begin() as rows:
        users.give_hamlets(rows, LAN, ["pomo"], by=QUAN, now=commune.clock())
    moved_on = grant(LAN, hamlets=["pomo"])
    await commune.intake.authorise(caller_of(moved_on, words("vi")), Action.WRITE, A)
    assert await commune.intake.hears(caller_of(moved_on, words("vi")), [A, B]) == {A}
    assert await send(commune, moved_on, A, edit(household(), "1-h")) == ["quarantined"]
    (entry,) = rows_of(commune, tables.Quarantine)
    assert (entry["why"], entry["db"]) == ("unassigned", A)
    assert await send(commune, moved_on, B, edit(household(OTHER), "1-n")) == ["forbidden"]
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert await send(commune, moved_on, A, edit(household(THIRD), "1-m")) == ["quarantined"]
    assert {(row["why"], row["db"]) for row in rows_of(commune, tables.Quarantine)} == {
        ("unassigned", B),
        ("moved", B),
    }
    asked = [(X, Rev.parse("1-h"))]
    (answer,) = await commune.intake.outcomes(caller_of(moved_on, words("vi")), A, asked)
    assert answer is not None
    assert answer.name == "quarantined"
    warden = Warden(commune.store, commune.rows, commune.intake, commune.clock)
    numbers = [row["number"] for row in rows_of(commune, tables.Quarantine)]
    assert all(isinstance(one, Ready) for one in await warden.release(QUAN, numbers))
    assert await where(commune, [X, f"household:{THIRD}"]) == {X: [B], f"household:{THIRD}": [B]}


# ---- Households -----------------------------------------------------------------------------------------


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
    assert await send(commune, mai, B, edit(pledge(own, by=MAI), "1-p")) == ["received"]
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


# ---- What must not come back, what must not be forgotten ---------------------------------------------------


async def test_what_was_erased_stays_erased_when_its_hamlet_moves(commune: Parts) -> None:
    await furnish(commune)
    await erasing.Eraser(commune.store, commune.rows, commune.clock).erase(QUAN, A, HOUSEHOLD)
    await commune.follower.catch_up()
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert await send(commune, lan, A, edit(household(), "2-late", "1-h")) == ["erased"]
    assert await send(commune, mai, B, edit(household(by=MAI), "1-again")) == ["erased"]
    with readers(commune.rows).begin() as connection:
        assert ledger.erased(connection, B, [X, PLEDGE]) == {X, PLEDGE}
    assert rows_of(commune, tables.Archive, db=B, id=PLEDGE) == []


async def test_a_household_that_moved_is_erased_in_both_places(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await erasing.Eraser(commune.store, commune.rows, commune.clock).erase(QUAN, B, HOUSEHOLD)
    await commune.follower.catch_up()
    assert rows_of(commune, tables.Archive, id=X) == rows_of(commune, tables.Archive, id=PLEDGE) == []
    assert await send(commune, lan, A, edit(household(), "2-late", "1-h")) == ["erased"]
    assert await problems(commune) == []


async def test_what_waits_goes_with_its_household(commune: Parts) -> None:
    await furnish(commune)
    waiting = [edit(pledge(visit(THIRD)), "2-w", "1-p"), edit(household(OTHER), "2-stay", "1-n")]
    with writing(commune.rows) as connection:
        hold(
            connection,
            [Held(A, one, "revoked", LAN, "phonelan01") for one in waiting],
            "2026-03-01T02:03:04Z",
        )
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    found = {row["doc_id"]: row["db"] for row in rows_of(commune, tables.Quarantine)}
    assert found == {PLEDGE: B, f"household:{OTHER}": A}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert {row["db"] for row in rows_of(commune, tables.Quarantine)} == {B}


async def test_check_finds_what_lives_in_two_hamlets_and_what_is_in_none(commune: Parts) -> None:
    await furnish(commune)
    await commune.store.graft(B, [edit(household(), "1-h")])
    gone = edit({"_id": PLEDGE, "moved_to": C}, "2-t", "1-p", deleted=True)
    await commune.store.graft(A, [gone])
    found = await problems(commune)
    assert f"{X} lives in {B} and in {A}" in found
    assert f"{PLEDGE} was moved to {C} and is not there" in found


async def test_a_restore_brings_back_the_commune_as_it_was_and_the_move_can_be_done_again(
    commune: Parts, tmp_path: Path
) -> None:
    await furnish(commune)
    data, kept = commune.settings.data, tmp_path / "kept"
    before = backup.make(data, None, kept, None, commune.clock())
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    after = backup.make(data, None, kept, None, commune.clock() + timedelta(hours=1))
    for file, place in ((before, A), (after, B)):
        copy = tmp_path / file.stem
        backup.restore(file, copy, None, None, commune.clock())
        async with opened(Settings(data=copy), commune.clock) as restored:
            await restored.follower.catch_up()
            assert await where(restored) == {one: [place] for one in ALL}
            late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
            assert await send(restored, lan, A, late) == ["received"]
            assert list(await living(restored, PLEDGE)) == [place]
            await hamlets.merge(restored, ADMIN, "nasam", "bankhu")
            assert await where(restored) == {one: [B] for one in ALL}
            assert await problems(restored) == []


async def test_a_phone_that_lived_through_a_restore_hands_in_what_it_may_have_held(commune: Parts) -> None:
    def note(table_of: type[SQLModel], **row: Any) -> None:
        with commune.rows.begin() as rows:
            rows.execute(insert(table(table_of)).values(**row))

    async def heard(device: str) -> bool:
        who = caller_of(replace(lan, device=device), words("vi"))
        return await commune.intake.hears(who, [B]) == {B}

    phone = {"name": "", "credential": "c", "send": "s", "user": LAN}
    note(tables.Device, id=lan.device, created_at=instant(commune.clock()), **phone)
    held = edit(household(), "1-h")
    assert await send(commune, lan, B, held) == ["forbidden"]
    assert not await heard(lan.device or "")
    with commune.rows.begin() as rows:
        backup.begin_anew(rows, [], QUAN, commune.clock() + timedelta(hours=1))
    assert await send(commune, lan, B, held) == ["quarantined"]
    assert await heard(lan.device or "")
    late = instant(commune.clock() + timedelta(hours=2))
    note(tables.Device, id="lan2", created_at=late, **phone | {"credential": "d", "send": "t"})
    assert not await heard("lan2")


@pytest.mark.parametrize("forged", [False, True])
async def test_what_phones_give_back_of_a_move_that_a_restored_server_forgot_is_where_the_backup_has_it(
    commune: Parts, tmp_path: Path, forged: bool
) -> None:
    await furnish(commune)
    before = backup.make(commune.settings.data, None, tmp_path / "kept", None, commune.clock())
    backup.restore(before, tmp_path / "copy", None, None, commune.clock() + timedelta(hours=1))
    async with opened(
        Settings(data=tmp_path / "copy"), lambda: commune.clock() + timedelta(hours=2)
    ) as parts:
        held = household() | {"by": MAI} if forged else household()
        new = pledge(visit(), SIGNED, visit(THIRD))
        await parts.store.graft(B, [edit(held, "1-x" if forged else "1-h"), edit(new, "2-q", "1-p")])
        await parts.follower.catch_up()
        places = [B, A] if forged else [A]
        assert sorted(await living(parts, X)) == sorted(places)
        assert (f"{X} lives in {B} and in {A}" in await problems(parts)) is forged
        if not forged:
            assert [len(one["acts"]) for one in (await living(parts, PLEDGE)).values()] == [3]


async def test_a_full_disk_moves_nothing_and_the_next_try_moves_all(
    commune: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(commune)

    async def full(edits: object) -> None:
        raise StoreFull

    with monkeypatch.context() as broken:
        broken.setattr(commune.store, "graft_all", full)
        with pytest.raises(StoreFull):
            await commune.mover.move("nasam", "bankhu")
    assert await where(commune) == {one: [A] for one in ALL}
    await commune.mover.move("nasam", "bankhu")
    assert await where(commune) == {one: [B] for one in ALL}
    assert await problems(commune) == []


async def test_models_and_bulletins_of_a_merged_hamlet_are_the_other_ones(commune: Parts) -> None:
    told = {"title": "Phát động", "text": "Sáng thứ bảy.", "hamlets": ["nasam", "pomo"]}
    days = {"from": "2026-03-01", "until": "2026-03-08"}
    await commune.scribe.write(ADMIN, {"commune": [Change(f"bulletin:{OTHER}", told | days)]})
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    (body,) = (await living(commune, f"bulletin:{OTHER}")).values()
    assert body["hamlets"] == ["bankhu", "pomo"]


async def test_a_form_that_was_open_in_the_old_place_is_saved_in_the_new_one(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await commune.scribe.write(ADMIN, {A: [Change(X, {"name": "Hoàng Thị Mới"})]})
    assert {db: body["name"] for db, body in (await living(commune, X)).items()} == {B: "Hoàng Thị Mới"}


async def test_the_rows_of_a_move_can_be_built_again(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    models = (tables.MovedRow, tables.HouseholdRow, tables.PledgeRow, registers.ReviewRow)
    before = [sorted(map(str, rows_of(commune, model))) for model in models]
    await commune.follower.rebuild()
    assert [sorted(map(str, rows_of(commune, model))) for model in models] == before
