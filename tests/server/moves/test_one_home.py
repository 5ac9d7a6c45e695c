"""What came to live in two hamlets, by whatever way, lives in one again, and says all that either said."""

from collections.abc import Mapping, Sequence

import pytest

from server import hamlets
from server.checking import problems
from server.moving import departures, trace
from server.parts import Parts
from sync import revtree
from sync.store.interface import Edit
from tests.server.documents import LAN, NOW, OTHER, THIRD, grant, household, pledge, visit
from tests.server.harness import edit
from tests.server.moves.ground import ADMIN, PLEDGE, SIGNED, A, B, C, X, furnish, lan, living, send, where

MOVES = {B: "bankhu", C: "pomo"}


async def edits(parts: Parts, db: str, ids: Sequence[str]) -> list[Edit]:
    """Every revision of documents that is held with its body, as another server would send it."""
    found = (await parts.store.read(db, ids, lambda _id, tree: tree)).items()
    return [
        Edit(name, revtree.ancestry(one.tree, rev), one.bodies[rev].json, one.tree[rev].deleted)
        for name, one in found
        for rev in sorted(one.bodies)
    ]


async def test_what_a_peer_has_brought_to_another_hamlet_is_where_it_was_first(commune: Parts) -> None:
    await furnish(commune)
    await commune.store.graft(
        B, [edit(household(), "1-h"), edit(pledge(visit(), SIGNED, visit(THIRD)), "2-q", "1-p")]
    )
    await commune.follower.catch_up()
    assert await where(commune, [X, PLEDGE]) == {X: [A], PLEDGE: [A]}
    assert len((await living(commune, PLEDGE))[A]["acts"]) == 3
    assert await problems(commune) == []


@pytest.mark.parametrize("mine", [B, C])
async def test_what_two_servers_have_moved_to_two_hamlets_is_in_one_whichever_hears_of_it(
    commune: Parts, mine: str
) -> None:
    await furnish(commune)
    (theirs,) = MOVES.keys() - {mine}
    before = await edits(commune, A, [X, PLEDGE])
    await hamlets.move(commune, ADMIN, "nasam", MOVES[mine], [X])
    await commune.store.graft_all({theirs: before, A: [trace(one, theirs) for one in before]})
    await commune.follower.catch_up()
    places = await where(commune, [X, PLEDGE])
    held = (await commune.store.read(A, [X], lambda _id, tree: revtree.leaves(tree)))[X]
    assert places == {X: [departures(held)[0]], PLEDGE: [departures(held)[0]]}
    assert await problems(commune) == []


async def test_a_move_that_was_cut_after_its_copies_is_finished(commune: Parts) -> None:
    """A cluster writes one database after the other."""
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "pomo", [X])
    graft_all = commune.store.graft_all

    async def cut(edits: dict[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]:
        return await graft_all({B: edits[B]})

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(commune.store, "graft_all", cut)
        await commune.mover.move("pomo", "bankhu", [X, PLEDGE])
    assert await where(commune, [X]) == {X: [B, C]}
    await commune.follower.catch_up()
    assert await where(commune, [X, PLEDGE]) == {X: [B], PLEDGE: [B]}
    assert await problems(commune) == []


async def test_what_lived_on_elsewhere_while_it_was_ended_here_comes_back_with_all_that_it_says(
    commune: Parts,
) -> None:
    """One server moves it there and back; the other, after an edit, there alone."""
    await furnish(commune)
    kept = await edits(commune, A, [X])
    late = edit(household(name="Hoàng Văn Mới", at=NOW + 60_000), "2-late", "1-h")
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await hamlets.move(commune, ADMIN, "bankhu", "nasam", [X])
    gone = edit({"_id": X, "moved_to": B}, "3-t", "2-late", "1-h", deleted=True)
    await commune.store.graft_all({B: [*kept, late], A: [late, gone]})
    await commune.follower.catch_up()
    ((_, said),) = (await living(commune, X)).items()
    assert said["name"] == "Hoàng Văn Mới"
    assert await problems(commune) == []


async def test_a_household_moved_while_its_hamlet_is_merged_and_parted_over_and_over_is_in_one_place(
    commune: Parts,
) -> None:
    """With a phone that is weeks late and has been everywhere."""
    await furnish(commune)
    both = grant(LAN, hamlets=["bankhu", "nasam", "pomo"])
    told = (["received"], ["absorbed"])
    names, moved = iter(f"{n}-x" for n in range(2, 99)), "1-h"
    for turn in range(2):
        await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
        new = household(f"01J8ZQ4T6N3VXK2M5R7W9Y0AC{turn}")
        assert await send(commune, both, A, edit(new, "1-n")) == ["received"]
        await hamlets.move(commune, ADMIN, "bankhu", "pomo", [X])
        late = edit(household(order=20 + turn, at=NOW + 1000 + turn), next(names), moved)
        assert await send(commune, both, A, late) in told
        await hamlets.move(commune, ADMIN, "bankhu", "nasam", [f"household:{OTHER}", new["_id"]])
        moved = str(late.rev)
        late = edit(pledge(visit(f"01J8ZQ5A00000000000000000{turn}")), f"1-l{turn}")
        assert await send(commune, lan, A, late) in told
        assert await where(commune, [X, PLEDGE, new["_id"]]) == {X: [C], PLEDGE: [C], new["_id"]: [A]}
        await hamlets.move(commune, ADMIN, "pomo", "nasam", [X])
        assert await where(commune, [X, PLEDGE]) == {X: [A], PLEDGE: [A]}
        assert await problems(commune) == []
    assert len((await living(commune, PLEDGE))[A]["acts"]) == 4
