"""A household that was merged: what was written to it, and still is, goes to the one that was kept."""

from collections.abc import Sequence

import orjson
import pytest

from server import quarantine
from server.admission import caller_of
from server.aside import beside
from server.auth.grant import Role
from server.carrying import GivenBack, given_back
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import writing
from server.scribe import Change
from server.words import words
from sync import revtree
from sync.rev import Rev
from sync.store.interface import Edit
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    OTHER,
    SECOND,
    THIRD,
    THU,
    by_staff,
    grant,
    household,
    pledge,
    signed,
    taken_back,
    visit,
)
from tests.server.harness import Product, edit, later

DB = "hamlet-nasam"
KEPT, GONE = f"pledge:antq-2026:{HOUSEHOLD}", f"pledge:antq-2026:{OTHER}"
lan, mai = grant(LAN), grant(MAI)


async def merge(camket: Product, gone: str = OTHER, kept: str = HOUSEHOLD) -> None:
    status = {"is": "merged_into", "since": "2026-03-01", "into": kept}
    caller = caller_of(grant(THU, Role.REVIEWER), words("vi"))
    await camket.scribe.write(caller, {DB: [Change(f"household:{gone}", {"status": status})]})


async def two_households(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"), edit(pledge(visit()), "1-b"))
    theirs = pledge(signed(by=MAI), by=MAI, ulid=OTHER)
    await camket.send(mai, DB, edit(household(OTHER, MAI), "1-c"), edit(theirs, "1-d"))
    await camket.follower.catch_up()


async def test_merging_moves_acts_and_visits_to_the_household_that_is_kept(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    _, body = await camket.shown(DB, KEPT)
    assert [(act["id"], act["by"]) for act in body["acts"]] == [(FIRST, LAN), (SECOND, MAI)]
    assert await camket.live(DB, GONE) == []
    (row,) = camket.all(tables.PledgeRow)
    assert (row["id"], row["signed"], row["visited"]) == (KEPT, True, True)
    (alias,) = camket.all(tables.HouseholdRow, ulid=OTHER)
    assert (alias["status"], alias["into"]) == ("merged_into", HOUSEHOLD)


async def test_the_old_place_says_where_it_went(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    found = (await camket.store.read(DB, [GONE], lambda _id, tree: revtree.leaves(tree)))[GONE]
    assert [orjson.loads(body.json) for body in found.bodies.values()] == [{"moved_to": KEPT}]
    assert {row["why"] for row in camket.all(tables.AttentionRow)} == set()


async def test_a_phone_that_still_writes_to_the_old_id_is_carried_over(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    late = pledge(signed(by=MAI), visit(THIRD, by=MAI), by=MAI, ulid=OTHER, at=NOW + 1000)
    assert await camket.send(mai, DB, edit(late, "2-e", "1-d")) == ["received"]
    await camket.follower.catch_up()
    _, body = await camket.shown(DB, KEPT)
    assert [act["id"] for act in body["acts"]] == [FIRST, SECOND, THIRD]
    assert await camket.live(DB, GONE) == []


async def test_nothing_is_carried_onto_a_pledge_that_has_left_the_hamlet(camket: Product) -> None:
    await two_households(camket)
    left = edit({"_id": KEPT, "moved_to": "hamlet-bankhu"}, "2-f", "1-b", deleted=True)
    await camket.store.graft(DB, [left])
    await merge(camket)
    assert await camket.live(DB, KEPT) == []
    assert await camket.live(DB, GONE) == [Rev(1, "d")]  # it goes after that one first


async def test_nobody_puts_an_act_of_theirs_in_the_place_of_anothers_by_the_old_id(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    forged = pledge(visit(SECOND, at="2026-03-01T02:03:05Z"), ulid=OTHER)
    assert await camket.send(lan, DB, edit(forged, "1-f")) == ["forbidden"]
    _, body = await camket.shown(DB, KEPT)
    assert [(act["id"], act["by"], act["kind"]) for act in body["acts"]] == [
        (FIRST, LAN, "visit"),
        (SECOND, MAI, "signed"),
    ]


async def test_of_two_acts_by_one_id_in_two_pledges_both_stand_in_the_one_that_is_kept(
    camket: Product,
) -> None:
    """The rows know a moment late who has recorded an act: until then its id may be taken elsewhere."""
    await camket.send(lan, DB, edit(household(), "1-a"))
    theirs = pledge(signed(by=MAI), by=MAI, ulid=OTHER)
    await camket.send(mai, DB, edit(household(OTHER, MAI), "1-c"), edit(theirs, "1-d"))
    fake = visit(SECOND, at="2026-03-01T02:03:05Z")
    assert await camket.send(lan, DB, edit(pledge(fake), "1-b")) == ["received"]
    await camket.follower.catch_up()
    await merge(camket)
    undone = [*theirs["acts"], taken_back("voided", SECOND, THIRD, by=MAI)]
    for number, acts in enumerate((theirs["acts"], undone, undone), start=2):
        late = pledge(*acts, by=MAI, ulid=OTHER, at=NOW + number)
        path = [f"{one}-e{one}" for one in range(number, 1, -1)]
        assert await camket.send(mai, DB, edit(late, *path, "1-d")) == ["received"]
        await camket.follower.catch_up()
        _, body = await camket.shown(DB, KEPT)
        hers = [act for act in body["acts"] if act["by"] == MAI]
        assert fake in body["acts"], "nobody is robbed of it either"
        assert [{**act, "id": SECOND} for act in hers if act["kind"] == "signed"] == theirs["acts"]
        aims = [act["target"] for act in hers if "target" in act]
        assert aims == [act["id"] for act in hers if act["kind"] == "signed"][: number - 2]
        assert len(body["acts"]) == 2 + len(aims)


def test_what_was_carried_over_by_another_id_comes_back_by_its_own() -> None:
    own, fake = pledge(signed(by=MAI), by=MAI, ulid=OTHER), pledge(visit(SECOND))
    carried = beside(own, [fake])
    kept = {**fake, "acts": [*fake["acts"], *carried["acts"]]}
    (name,) = [act["id"] for act in carried["acts"]]
    back = given_back([own], kept)
    assert back == GivenBack(own | {"acts": own["acts"]}, (name,))
    void = taken_back("voided", name, THIRD, by=THU)
    back = given_back([own], {**kept, "acts": [*kept["acts"], void]})
    assert back
    assert back.came_over == ()
    assert back.body["acts"] == [*own["acts"], {**void, "target": SECOND}]


async def test_a_late_status_does_not_part_what_staff_have_merged(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    away = {"is": "seasonal_away", "since": "2026-02-01"}
    late = later(household(OTHER, MAI), MAI, NOW + 60_000, status=away)
    assert await camket.send(mai, DB, edit(late, "2-z", "1-c")) == ["quarantined"]
    renamed = later(household(OTHER, MAI), MAI, NOW + 60_000, name="Lý Mỷ")
    assert await camket.send(mai, DB, edit(renamed, "2-y", "1-c")) == ["received"]
    (alias,) = camket.all(tables.HouseholdRow, ulid=OTHER)
    assert (alias["status"], alias["into"]) == ("merged_into", HOUSEHOLD)


async def test_a_pledge_that_only_the_old_id_has_begins_at_the_kept_one(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    await camket.send(mai, DB, edit(household(OTHER, MAI), "1-c"))
    await merge(camket)
    await camket.send(mai, DB, edit(pledge(signed(by=MAI), by=MAI, ulid=OTHER), "1-d"))
    await camket.follower.catch_up()
    rev, body = await camket.shown(DB, KEPT)
    assert rev.generation == 1
    assert [act["id"] for act in body["acts"]] == [SECOND]


async def test_an_alias_of_an_alias_leads_to_the_end(camket: Product) -> None:
    third = "01J8ZQ4T6N3VXK2M5R7W9Y0ABE"
    await two_households(camket)
    await camket.send(lan, DB, edit(household(third), "1-f"))
    await merge(camket, OTHER, third)
    await merge(camket, third, HOUSEHOLD)
    late = pledge(visit(THIRD, by=MAI), by=MAI, ulid=OTHER)
    await camket.send(mai, DB, edit(late, "1-e"))
    await camket.follower.catch_up()
    _, body = await camket.shown(DB, KEPT)
    assert [act["id"] for act in body["acts"]] == [FIRST, SECOND, THIRD]


async def test_carrying_over_again_writes_nothing(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    before = await camket.store.trees(DB, [KEPT, GONE])
    await camket.follower.rebuild()
    assert await camket.store.trees(DB, [KEPT, GONE]) == before


async def test_what_the_old_id_said_stays_in_the_history(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    await camket.store.compact(DB)
    assert [row["rev"] for row in camket.all(tables.Archive, id=GONE)] == ["1-d"]
    assert [row["source"] for row in camket.all(tables.Archive, id=KEPT)].count("merged") == 1


async def test_merged_into_each_other_is_no_endless_round(camket: Product) -> None:
    await two_households(camket)
    await merge(camket)
    await merge(camket, HOUSEHOLD, OTHER)
    await camket.follower.catch_up()
    _, body = await camket.shown(DB, KEPT)
    assert [act["id"] for act in body["acts"]] == [FIRST, SECOND]


async def test_of_what_is_given_back_a_parting_is_known_before_its_acts_come(
    camket: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merge comes first and its parting last; in between comes the signature that went over and back."""
    one, other = household(), household(OTHER, MAI)
    await camket.send(lan, DB, edit(one, "1-a"))
    await camket.send(mai, DB, edit(other, "1-c"))
    sign, seen = signed(by=MAI), visit()
    void = taken_back("voided", SECOND, by=THU)
    into = {"is": "merged_into", "since": "2026-03-01", "into": one["_id"].partition(":")[2]}
    held = [
        edit(by_staff(pledge(seen, sign), THU), "2-b", "1-b"),
        edit(by_staff(other | {"status": into}, THU, at=NOW + 1), "2-c", "1-c"),
        edit(pledge(sign, by=MAI, ulid=OTHER), "3-d", "2-d", "1-d"),
        edit(by_staff(pledge(seen, sign, void), THU, at=NOW + 2), "3-b", "2-b", "1-b"),
        edit(by_staff(other, THU, at=NOW + 3), "3-c", "2-c", "1-c"),
    ]
    with writing(camket.rows) as rows:
        quarantine.hold(
            rows,
            [quarantine.Held(DB, one, "recovered", MAI, mai.device) for one in held],
            "2026-03-01T02:03:04Z",
        )
    enter = camket.intake.enter

    async def entered(place: str, edits: Sequence[Edit], sent_to: str) -> None:
        await enter(place, edits, sent_to)
        await camket.follower.catch_up()

    monkeypatch.setattr(camket.intake, "enter", entered)
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    done = await warden.release(THU, [row["number"] for row in camket.all(tables.Quarantine)])
    assert all(isinstance(one, Ready) for one in done), done
    _, body = await camket.shown(DB, other["_id"])
    assert body["status"]["is"] == "resident"
    assert len(await camket.live(DB, held[2].id)) == 1
    _, body = await camket.shown(DB, held[2].id)
    assert body["acts"] == [sign]
