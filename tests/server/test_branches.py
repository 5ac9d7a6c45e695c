"""Hundreds of branches on one document, through the way in: all enters, one leaf lives, nothing is lost."""

from itertools import chain
from random import Random

import orjson

from server.office.history import Kept, tell
from server.rows import tables
from sync import revtree
from sync.store.interface import Edit
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    QUAN,
    THIRD,
    THU,
    Doc,
    grant,
    household,
    pledge,
    visit,
)
from tests.server.harness import Product, edit, later

DB = "hamlet-nasam"
BRANCHES = 300
VOLUNTEERS = (LAN, MAI, QUAN, THU)
lan, mai = grant(LAN), grant(MAI)


def act(number: int) -> str:
    return f"{THIRD[:-4]}{number:04d}"


def of(user: str, first: Doc) -> list[list[Edit]]:
    """A volunteer's share of the branches, in batches: nobody may write them all (`server.bounds`)."""
    numbers = range(1 + VOLUNTEERS.index(user), BRANCHES + 1, len(VOLUNTEERS))
    branches = [
        edit(
            pledge(*first["acts"], visit(act(number), by=user), by=user, at=NOW + number),
            *(f"2-{number:032x}", "1-a"),
        )
        for number in numbers
    ]
    Random(7).shuffle(branches)
    return [branches[start : start + 30] for start in range(0, len(branches), 30)]


async def test_three_hundred_branches_of_one_pledge_come_to_one_with_every_act(camket: Product) -> None:
    first = pledge(visit(act(0)))
    await camket.send(lan, DB, edit(first, "1-a"))
    for user in VOLUNTEERS:
        for batch in of(user, first):
            assert set(await camket.send(grant(user), DB, *batch)) == {"received"}
    (winner,) = await camket.live(DB, first["_id"])
    _, body = await camket.shown(DB, first["_id"])
    assert {one["id"] for one in body["acts"]} == set(map(act, range(BRANCHES + 1)))
    tree = (await camket.store.trees(DB, [first["_id"]]))[first["_id"]]
    # one tombstone for each branch that was absorbed, and one join for each batch: no more than that
    assert len(tree) <= 2 * (BRANCHES + 12) + 1
    assert winner in tree
    again = [
        one for user in VOLUNTEERS for one in await camket.send(grant(user), DB, *chain(*of(user, first)))
    ]
    assert (set(again), (await camket.store.trees(DB, [first["_id"]]))[first["_id"]]) == ({"received"}, tree)


async def test_of_a_hundred_names_one_stands_and_the_history_holds_the_others(camket: Product) -> None:
    base = household()
    await camket.send(lan, DB, edit(base, "1-a"))
    names = [f"Tên {number}" for number in range(100)]
    edits = [
        edit(later(base, (LAN, MAI)[place % 2], NOW + 10 * (place + 1), name=name), f"2-{place:032x}", "1-a")
        for place, name in enumerate(names)
    ]
    await camket.send(lan, DB, *edits[::2])
    await camket.send(mai, DB, *edits[1::2])
    doc_id = f"household:{HOUSEHOLD}"
    rev, body = await camket.shown(DB, doc_id)
    assert body["name"] == names[-1]
    entries = tell(doc_id, kept(camket, doc_id), str(rev))
    lost = {change.after for entry in entries for change in entry.changes if change.lost}
    assert lost == set(names[:-1])


async def test_a_branch_absorbed_long_ago_is_edited_on_for_weeks_over_a_stemmed_tree(camket: Product) -> None:
    base = household()
    await camket.send(lan, DB, edit(base, "1-a"))
    theirs = later(base, MAI, NOW + 5, order=7)
    await camket.send(mai, DB, edit(theirs, "2-b", "1-a"))
    path, mine = ["2-c", "1-a"], later(base, LAN, NOW + 1, name="Tuần 0")
    await camket.send(lan, DB, edit(mine, *path))
    await camket.store.set_revs_limit(DB, 3)
    for week in range(1, 21):
        mine = later(mine, LAN, NOW + 1000 * week, name=f"Tuần {week}")
        path = [f"{week + 2}-{week:032x}", *path]
        assert await camket.send(lan, DB, edit(mine, *path[:4])) == ["received"]
        _, body = await camket.shown(DB, mine["_id"])
        assert (body["name"], body["order"]) == (f"Tuần {week}", 7), "her order never comes undone"
        assert len(await camket.live(DB, mine["_id"])) == 1
    tree = (await camket.store.trees(DB, [mine["_id"]]))[mine["_id"]]
    assert len(revtree.leaves(tree)) <= 23


def kept(camket: Product, doc_id: str) -> list[Kept]:
    return [
        Kept(
            row["rev"],
            row["parent"],
            orjson.loads(row["body"]),
            row["deleted"],
            row["by"],
            row["stamp"],
            row["entered_at"],
            row["source"],
        )
        for row in camket.all(tables.Archive, id=doc_id)
    ]
