"""Names of tombstones, put elsewhere in the tree by somebody who has pulled what they are to end.

A name has one parent, so the server's own tombstone was never grafted: what it was to end lived for ever.
"""

import logging
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

import pytest

from server import hamlets, moving
from server.auth import users
from server.burying import bury
from server.checking import problems
from server.erasing import Eraser
from server.release import Ready, Warden
from server.scribe import Change
from server.settle import ends
from sync import canonical, revtree
from sync.rev import Rev, derive
from sync.store.interface import Edit
from tests.server.documents import OTHER
from tests.server.http.served import DB, HAMLET, HOUSEHOLD, Phone, Served
from tests.server.http.test_moves import ADMIN, NEW
from tests.server.http.test_taken_names import at

ABSORBED, ERASED = {"absorbed": True}, dict[str, Any]()
HOME, KEPT = f"household:{HOUSEHOLD}", f"pledge:antq-2026:{HOUSEHOLD}"


async def two(camket: Served) -> tuple[Phone, Phone]:
    fields = {"name": "Bản Khu", "kind": "thôn", "order": 2, "state": "active"}
    await camket.parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", fields)]})
    phones = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    for phone in phones:
        with camket.parts.rows.begin() as rows:
            users.give_hamlets(rows, phone.user, [HAMLET, "bankhu"], by="x", now=camket.parts.clock())
    return phones


async def take(phone: Phone, leaf: dict[str, Any], *tombstones: dict[str, Any]) -> None:
    """He says something of his own upon each of these tombstones of a leaf, and each stands upon nothing."""
    rev = Rev.parse(leaf["_rev"])
    docs = []
    for said in tombstones:
        name = derive(rev, True, canonical.encode(said))
        line = Rev(name.generation + 1, token_hex(16)), name, Rev(rev.generation, token_hex(16))
        docs.append(at({**phone.visit(), "_id": leaf["_id"]}, *line))
    for part in await phone.ask({"docs": docs}):
        assert all(one[2] in {"received", "absorbed"} for one in part.get("outcomes", ()))


async def living(camket: Served, doc_id: str) -> list[str]:
    trees = {db: await camket.parts.store.trees(db, [doc_id]) for db in (DB, NEW)}
    return [db for db, found in trees.items() for _ in revtree.live(found.get(doc_id, {}))]


async def row(phone: Phone, doc_id: str) -> dict[str, Any]:
    rows = {row["id"]: row for part in await phone.ask({}) for row in part.get("rows", ())}
    return dict(rows[doc_id])


def acts(row: dict[str, Any]) -> set[str]:
    return {act["id"] for act in row["doc"]["acts"]}


async def move_in(camket: Served) -> None:
    fields = {"name": "Hoàng Thị Mỹ", "order": 11, "status": {"is": "resident", "since": "2026-01-01"}}
    await camket.parts.scribe.write(ADMIN, {DB: [Change(f"household:{OTHER}", fields)]})


async def merge_away(camket: Served) -> None:
    """The household goes into the first one, and its pledges with it: nothing lives in them any more."""
    merged = {"status": {"is": "merged_into", "since": "2026-02-01", "into": HOUSEHOLD}}
    await camket.parts.scribe.write(ADMIN, {DB: [Change(f"household:{OTHER}", merged)]})
    await camket.parts.follower.catch_up()


@pytest.mark.parametrize("how", ["merge", "move"])
async def test_what_moves_leaves_its_hamlet_though_the_names_of_its_tombstones_are_taken(
    camket: Served, how: str
) -> None:
    hers, other = await two(camket)
    visit = hers.visit()
    await hers.ask({"docs": [visit]})
    await take(other, visit, ABSORBED, {"moved_to": NEW})
    if how == "merge":
        await hamlets.merge(camket.parts, ADMIN, HAMLET, "bankhu")
    else:
        await hamlets.move(camket.parts, ADMIN, HAMLET, "bankhu", [HOME])
    assert await living(camket, visit["_id"]) == [NEW]
    assert await problems(camket.parts) == []


async def test_a_pledge_goes_to_the_household_that_was_kept_though_its_tombstones_name_is_taken(
    camket: Served,
) -> None:
    hers, other = await two(camket)
    await move_in(camket)
    visit = hers.visit(OTHER)
    await hers.ask({"docs": [visit]})
    await take(other, visit, ABSORBED, {"moved_to": KEPT})
    await merge_away(camket)
    assert await living(camket, visit["_id"]) == []
    assert {act["id"] for act in visit["acts"]} < acts(await row(hers, KEPT))
    assert await problems(camket.parts) == []


async def test_what_comes_back_lives_again_though_the_name_of_what_ends_its_departure_is_taken(
    camket: Served,
) -> None:
    hers, other = await two(camket)
    visit = hers.visit()
    await hers.ask({"docs": [visit]})
    await hamlets.move(camket.parts, ADMIN, HAMLET, "bankhu", [HOME])
    left = derive(Rev.parse(visit["_rev"]), True, canonical.encode({"moved_to": NEW}))
    await take(other, {**visit, "_rev": str(left)}, ABSORBED)
    await hamlets.move(camket.parts, ADMIN, "bankhu", HAMLET, [HOME])
    assert await living(camket, visit["_id"]) == [DB]
    here = (await camket.parts.store.read(DB, [visit["_id"]], ends))[visit["_id"]]
    assert moving.departures(here) == []
    assert {act["id"] for act in visit["acts"]} < acts(await row(hers, visit["_id"]))
    assert await problems(camket.parts) == []


async def test_what_was_erased_is_gone_though_the_names_of_its_tombstones_are_taken(camket: Served) -> None:
    hers, other = await two(camket)
    visit = hers.visit()
    await hers.ask({"docs": [visit]})
    await take(other, visit, ABSORBED, ERASED)
    await Eraser(camket.parts.store, camket.parts.rows, camket.parts.clock).erase("office01", DB, HOUSEHOLD)
    assert await living(camket, visit["_id"]) == []
    for phone in (hers, other):
        assert (await row(phone, visit["_id"]))["deleted"]
    assert await problems(camket.parts) == []


async def test_a_winner_whose_words_are_gone_goes_out_as_deleted(camket: Served) -> None:
    """What came between the tombstones of an erasing and its forgetting is buried by the follower, later."""
    hers, _ = await two(camket)
    visit = hers.visit()
    await hers.ask({"docs": [visit]})
    assert acts(await row(hers, visit["_id"])) == {act["id"] for act in visit["acts"]}
    await camket.parts.store.forget_bodies(DB, [visit["_id"]])
    found = await row(hers, visit["_id"])
    assert found["deleted"]
    assert "doc" not in found
    answer = await camket.http.get(f"/db/{DB}/_changes?include_docs=true", headers=hers.bearer("credential"))
    (change,) = [one for one in answer.json()["results"] if one["id"] == visit["_id"]]
    assert change["deleted"]
    assert change["doc"] == {"_id": visit["_id"], "_rev": visit["_rev"], "_deleted": True}


async def test_a_pass_that_writes_nothing_ends_and_names_what_stays(
    camket: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hers, _ = await two(camket)
    store, visit = camket.parts.store, hers.visit()
    await hers.ask({"docs": [visit]})
    await camket.parts.follower.catch_up()

    async def nothing(edits: Mapping[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]:
        return {db: [False for _ in some] for db, some in edits.items()}

    async def no(_db: str, edits: Sequence[Edit]) -> Sequence[bool]:
        return [False for _ in edits]

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(store, "graft_all", nothing)
        patch.setattr(store, "graft", no)
        await hamlets.merge(camket.parts, ADMIN, HAMLET, "bankhu")
        assert await camket.parts.mover.carry(DB) == set()
        await bury(store, DB, [visit["_id"]])
    assert caplog.text.count(visit["_id"]) >= 2


@pytest.mark.parametrize("way", ["given back", "released"])
async def test_lost_words_go_on_with_their_pledge_though_all_that_was_written_upon_their_name_has_gone_on(
    camket: Served, way: str
) -> None:
    hers, other = await two(camket)
    await move_in(camket)
    visit = hers.visit(OTHER)
    lost = Rev.parse(visit["_rev"])
    camket.restored()
    await other.ask({"docs": [at(other.visit(OTHER), Rev(lost.generation + 1, token_hex(16)), lost)]})
    if way == "released":
        with camket.parts.rows.begin() as rows:
            users.give_hamlets(rows, hers.user, ["bankhu"], by="x", now=camket.parts.clock())
        await hers.ask({"docs": [visit]})
    await merge_away(camket)
    if way == "released":
        parts = camket.parts
        warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
        assert [type(one) for one in await warden.release("office01", [1])] == [Ready]
    else:
        await hers.ask({"docs": [visit]})
    await camket.parts.follower.catch_up()
    assert await living(camket, visit["_id"]) == []
    assert {act["id"] for act in visit["acts"]} < acts(await row(other, KEPT))
    assert await problems(camket.parts) == []
