"""Phones that were out while their hamlet or a household moved."""

import asyncio
import json

import pytest

from server import hamlets
from server.admission import caller_of
from server.auth import users
from server.checking import problems
from server.moving import departures
from server.parts import Parts
from server.release import Ready, Warden
from server.rows import tables
from server.words import words
from sync import canonical, revtree
from sync.hooks import Action, Stored
from sync.rev import Rev
from sync.store.interface import Edit
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
    by_staff,
    grant,
    household,
    inspection,
    pledge,
    signature,
    visit,
)
from tests.server.harness import edit, later, restored
from tests.server.moves.ground import (
    ADMIN,
    PLEDGE,
    SIGNED,
    STROKES,
    A,
    B,
    C,
    X,
    furnish,
    lan,
    living,
    rows_of,
    send,
    where,
)

mai = grant(MAI, hamlets=("bankhu",))


async def test_a_late_phone_of_a_merged_hamlet_is_carried_over_and_told(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
    new = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE"), "1-new")
    answers = await commune.intake.admit(caller_of(lan, words("vi")), A, [late, new])
    told = [(one.name, one.reason) for one in answers if isinstance(one, Stored)]
    assert told == [("received", "Xã đã nhận phiếu bác gửi, và đã chuyển sang thôn Bản Khu.")] * 2
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


async def test_who_knows_an_id_writes_nothing_there_by_way_of_what_moved_there(
    commune: Parts,
) -> None:
    await furnish(commune)
    await send(commune, mai, B, edit(inspection(THIRD, by=MAI), "1-b"))
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [f"unit:{THIRD}"])
    named = later(inspection(THIRD, by=MAI), LAN, NOW + 1, subject=f"unit:{THIRD}")
    assert await send(commune, lan, A, edit(named, "2-e", "1-b")) == ["quarantined"]
    (body,) = (await living(commune, named["_id"])).values()
    assert body["by"] == MAI
    # what was here goes on, and what is new enters
    mine = inspection(SECOND, at=NOW + 2, subject=f"unit:{THIRD}", findings="Tốt")
    new = inspection(FIRST, subject=f"unit:{THIRD}")
    assert await send(commune, lan, A, edit(mine, "2-i", "1-i"), edit(new, "1-n")) == ["received"] * 2
    assert await where(commune, [mine["_id"], new["_id"]]) == {mine["_id"]: [B], new["_id"]: [B]}


async def test_who_knows_an_id_gives_no_household_a_second_home(commune: Parts) -> None:
    await furnish(commune)
    planted = edit(household(by=MAI, order=3), "1-x"), edit(pledge(visit(THIRD, by=MAI), by=MAI), "1-y")
    assert await send(commune, mai, B, *planted) == ["quarantined"] * 2
    assert await where(commune, [X, PLEDGE]) == {X: [A], PLEDGE: [A]}
    # let in, it enters where the household lives
    warden = Warden(commune.store, commune.rows, commune.intake, commune.clock)
    (ready,) = await warden.release(QUAN, [rows_of(commune, tables.Quarantine, doc_id=X)[0]["number"]])
    assert isinstance(ready, Ready)
    assert await where(commune, [X]) == {X: [A]}
    # who walks both hamlets is carried over
    both = grant(MAI, hamlets=("nasam", "bankhu"))
    assert await send(commune, both, B, edit(household(by=MAI, at=NOW + 5, order=4), "1-z")) == ["received"]
    assert await where(commune, [X]) == {X: [A]}
    # and what is new everywhere enters where it is sent
    fresh = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE", MAI), "1-new")
    assert await send(commune, mai, B, fresh) == ["received"]
    assert await where(commune, [fresh.id]) == {fresh.id: [B]}


@pytest.mark.parametrize("by", ["staff", "its author"])
async def test_a_phone_that_gives_back_what_waits_elsewhere_is_told_where_its_household_lives(
    commune: Parts, by: str
) -> None:
    """It has seen the household move, and this server was restored to before that."""
    await furnish(commune)
    restored(commune.rows)
    both = grant(LAN, hamlets=("nasam", "bankhu"))
    of_staff = by_staff(household(order=7), QUAN, at=NOW + 2)
    given = edit(of_staff, "3-m", "2-lost", "1-h")
    fresh = pledge(visit("01J8ZQ5A0000000000000000A7", by=MAI), by=MAI)
    theirs = edit(fresh | {"_id": f"pledge:antq-2027:{HOUSEHOLD}"}, "2-p", "1-p")
    assert await send(commune, both, B, given, theirs) == ["quarantined", "quarantined"]
    await commune.follower.catch_up()
    assert {row["db"] for row in rows_of(commune, tables.Quarantine)} == {A}, "they wait together"
    held = (await commune.store.read(B, [X], lambda _id, tree: revtree.leaves(tree)))[X]
    assert (revtree.live(held.tree), departures(held)) == ([], [A])
    assert given.rev not in held.tree, "nobody has let it in"
    waiting = [row["number"] for row in rows_of(commune, tables.Quarantine)]
    if by == "its author":
        assert await send(commune, grant(MAI, hamlets=("nasam",)), A, theirs) == ["received"]
        waiting = waiting[:1]
    warden = Warden(commune.store, commune.rows, commune.intake, commune.clock)
    assert all(isinstance(one, Ready) for one in await warden.release(QUAN, waiting))
    await commune.follower.catch_up()
    gone = (await commune.store.read(B, [theirs.id], lambda _id, tree: revtree.leaves(tree)))[theirs.id]
    assert (revtree.live(gone.tree), departures(gone)) == ([], [A]), "its pledge, too, lived nowhere yet"
    assert {db: said["order"] for db, said in (await living(commune, X)).items()} == {A: 7}
    (answer,) = await commune.intake.outcomes(caller_of(both, words("vi")), B, [(X, given.rev)])
    assert isinstance(answer, Stored)
    assert await problems(commune) == []


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


async def test_strokes_that_slipped_in_with_their_pledge_are_moved_on_with_it(commune: Parts) -> None:
    await send(commune, lan, A, edit(household(), "1-h"))
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await commune.store.graft(A, [edit(pledge(SIGNED), "1-p"), edit(signature(), "1-s")])
    await commune.follower.catch_up([A])
    assert await where(commune, [PLEDGE, STROKES]) == {PLEDGE: [B], STROKES: [B]}


async def test_chains_of_merges_end_at_the_last_hamlet(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    await hamlets.merge(commune, ADMIN, "bankhu", "pomo")
    late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
    new = edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE"), "1-new")
    assert await send(commune, lan, A, late, new) == ["received", "received"]
    assert await where(commune, [PLEDGE, new.id]) == {PLEDGE: [C], new.id: [C]}
    assert await problems(commune) == []


async def test_of_two_hamlets_merged_into_one_another_the_later_merge_stands(commune: Parts) -> None:
    """The server was restored to before the first one; a phone has given it back after the second."""
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "bankhu", "nasam")
    doc_id = "hamlet:nasam"
    held = (await commune.store.read("commune", [doc_id], lambda _id, tree: revtree.leaves(tree)))[doc_id]
    winner = revtree.winner(held.tree)
    first = {"state": "merged", "merged": {"into": "bankhu", "since": "2026-01-01"}}
    body = canonical.encode({**json.loads(held.bodies[winner].json), **first})
    path = (Rev(winner.generation + 1, "f" * 32), *revtree.ancestry(held.tree, winner))
    await commune.store.graft("commune", [Edit(doc_id, path, body)])
    async with asyncio.timeout(20):  # they went to and fro for ever
        await commune.follower.catch_up()
    assert await where(commune, [PLEDGE]) == {PLEDGE: [A]}
    states = {row["hamlet"]: row["state"] for row in rows_of(commune, tables.HamletRow)}
    assert states == {"nasam": "active", "bankhu": "merged", "pomo": "active"}
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
        ("unassigned", A),
        ("moved", A),
    }, "where it was sent: that may stand again before it enters"
    asked = [(X, Rev.parse("1-h"))]
    (answer,) = await commune.intake.outcomes(caller_of(moved_on, words("vi")), A, asked)
    assert answer is not None
    assert answer.name == "quarantined"
    warden = Warden(commune.store, commune.rows, commune.intake, commune.clock)
    numbers = [row["number"] for row in rows_of(commune, tables.Quarantine)]
    assert all(isinstance(one, Ready) for one in await warden.release(QUAN, numbers))
    assert await where(commune, [X, f"household:{THIRD}"]) == {X: [B], f"household:{THIRD}": [B]}
