"""The revision tree: what a graft does, told as a table, and what must hold of every history."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import choice, revtree
from sync.rev import Rev, derive
from sync.revtree import Grafted, Node, Tree, graft

Path = tuple[Rev, ...]


def path(text: str) -> Path:
    """`3-c 2-b 1-a`, newest first."""
    return tuple(map(Rev.parse, text.split()))


def tree(*paths: str) -> Tree:
    """The tree of some paths; one that begins with `x` deletes."""
    grown: Tree = {}
    for text in paths:
        grown, _ = graft(grown, path(text.removeprefix("x ")), text.startswith("x "))
    return grown


def texts(revs: list[Rev]) -> str:
    return " ".join(map(str, revs))


TABLE = [
    # the tree, the path that comes, what it does, the leaves after it (the winner first)
    ([], "1-a", Grafted.NEW_LEAF, "1-a"),
    ([], "3-c 2-b", Grafted.NEW_LEAF, "3-c"),
    (["1-a"], "2-b 1-a", Grafted.NEW_LEAF, "2-b"),
    (["1-a"], "5-e 4-d 3-c 2-b 1-a", Grafted.NEW_LEAF, "5-e"),
    (["2-b 1-a"], "2-c 1-a", Grafted.NEW_BRANCH, "2-c 2-b"),
    (["3-c 2-b 1-a"], "2-d 1-a", Grafted.NEW_BRANCH, "3-c 2-d"),
    (["1-a"], "1-b", Grafted.NEW_BRANCH, "1-b 1-a"),
    (["3-c 2-b 1-a"], "2-b 1-a", Grafted.KNOWN, "3-c"),
    (["3-c 2-b 1-a"], "3-c", Grafted.KNOWN, "3-c"),
    (["3-c"], "3-c 2-b 1-a", Grafted.INNER, "3-c"),
    (["3-c"], "2-b 1-a", Grafted.NEW_BRANCH, "3-c 2-b"),
    (["3-c", "2-b 1-a"], "3-c 2-b", Grafted.INNER, "3-c"),  # two stems turn out to be one line
    (["9-a", "10-b"], "2-z", Grafted.NEW_BRANCH, "10-b 9-a 2-z"),  # generations are numbers
    (["3-c 2-b"], "4-d 3-c 2-x 1-y", Grafted.NEW_LEAF, "4-d"),  # a lie about an ancestor adds nothing to it
]


@pytest.mark.parametrize(("before", "sent", "does", "after"), TABLE)
def test_what_a_graft_does(before: list[str], sent: str, does: Grafted, after: str) -> None:
    start = tree(*before)
    kept = dict(start)
    grown, outcome = graft(start, path(sent))
    assert (outcome, texts(revtree.leaves(grown))) == (does, after)
    assert start == kept, "a graft must not change the tree that it was given"


@pytest.mark.parametrize("sent", ["", "3-c 1-a", "2-b 3-c", "2-b 1-a 0-z"])
def test_a_path_that_is_none_is_refused(sent: str) -> None:
    bad = tuple(Rev(int(text.split("-")[0]), text.split("-")[1]) for text in sent.split())
    with pytest.raises(ValueError, match=r"path|generations"):
        graft({}, bad)


def test_a_live_leaf_wins_over_a_deleted_one_however_long() -> None:
    assert texts(revtree.leaves(tree("x 4-d 3-c 2-b 1-a", "2-x 1-a"))) == "2-x 4-d"


def test_nobody_deletes_by_sending_a_known_leaf_again() -> None:
    before = tree("2-b 1-a")
    assert graft(before, path("2-b 1-a"), deleted=True) == (before, Grafted.KNOWN)


def test_an_ancestor_that_arrives_later_keeps_what_it_said_of_itself() -> None:
    assert tree("3-c 2-b 1-a", "x 2-b 1-a") == tree("x 2-b 1-a", "3-c 2-b 1-a")


def test_what_is_missing_and_from_what_it_may_descend() -> None:
    grown = tree("3-c 2-b 1-a", "2-x 1-a")
    assert texts(revtree.missing(grown, path("4-d 3-c 9-z"))) == "4-d 9-z"
    assert texts(revtree.possible_ancestors(grown, path("3-z"))) == "2-x"
    assert texts(revtree.possible_ancestors(grown, path("4-z"))) == "3-c 2-x"
    assert revtree.possible_ancestors(grown, ()) == []


def test_stemming_counts_from_every_leaf() -> None:
    grown = tree("5-e 4-d 3-c 2-b 1-a", "3-x 2-b 1-a")
    assert dict(revtree.stem(grown, 2)) == tree("5-e 4-d", "3-x 2-b")
    assert revtree.stem(grown, 5) is grown
    with pytest.raises(ValueError, match="leaves"):
        revtree.stem(grown, 0)


def test_a_derived_revision_is_32_hex_digits_and_says_all_that_it_stands_for() -> None:
    parent = Rev(3, "c")
    derived = {derive(parent, deleted, body) for deleted in (True, False) for body in (b"{}", b'{"a":1}')}
    derived |= {derive(Rev(3, "d"), False, b"{}")}
    assert len(derived) == 5
    assert all(rev.generation == 4 and len(rev.digest) == 32 and int(rev.digest, 16) >= 0 for rev in derived)


@pytest.mark.parametrize("text", ["", "1", "-a", "0-a", "x-a", "-1-a", "²-a", "1" * 20 + "-a"])
def test_what_is_no_revision_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a revision"):
        Rev.parse(text)


# --- histories ----------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Path, bool]]:
    """What peers may send of one document: revisions of one true tree, with paths cut at any length."""
    true: dict[Rev, Path] = {}
    for index in range(draw(st.integers(1, 14))):
        above = draw(st.sampled_from([(), *true.values()]))
        rev = Rev(above[0].generation + 1 if above else 1, f"{draw(st.integers(0, 3))}{index}")
        true[rev] = (rev, *above)
    deleted = {rev: draw(st.booleans()) for rev in true}
    told = draw(st.lists(st.sampled_from(list(true.values())), min_size=1, max_size=20))
    return [(whole[: draw(st.integers(1, len(whole)))], deleted[whole[0]]) for whole in told]


def grown(sent: list[tuple[Path, bool]]) -> Tree:
    result: Tree = {}
    for one, deleted in sent:
        result, _ = graft(result, one, deleted)
    return result


@given(histories(), st.randoms(use_true_random=False))
def test_grafting_commutes_and_repeats(sent: list[tuple[Path, bool]], chance: random.Random) -> None:
    other = [*sent, *chance.choices(sent, k=3)]
    chance.shuffle(other)
    assert grown(other) == grown(sent)


@given(histories())
def test_grafting_loses_nothing_and_says_what_it_did(sent: list[tuple[Path, bool]]) -> None:
    result: Tree = {}
    for one, deleted in sent:
        before = result
        result, outcome = graft(before, one, deleted)
        assert set(before) | set(one) == set(result)
        assert (outcome is Grafted.KNOWN) == (result == before)
        new = set(revtree.leaves(result)) - set(revtree.leaves(before))
        assert bool(new) == (outcome in {Grafted.NEW_LEAF, Grafted.NEW_BRANCH})
        assert revtree.ancestry(result, one[0])[: len(one)] == one
    parents = {node.parent for node in result.values()}
    assert set(revtree.leaves(result)) == {rev for rev in result if rev not in parents}
    assert all(parent is None or parent in result for parent in parents)


@given(histories())
def test_there_is_one_winner_and_it_lives_where_any_leaf_does(sent: list[tuple[Path, bool]]) -> None:
    result = grown(sent)
    best = revtree.winner(result)
    assert result[best].deleted == (not revtree.live(result))
    assert all(
        (not result[leaf].deleted, leaf) <= (not result[best].deleted, best)
        for leaf in revtree.leaves(result)
    )


@given(histories(), st.integers(1, 4))
def test_stemming_keeps_leaves_and_makes_no_conflict(sent: list[tuple[Path, bool]], limit: int) -> None:
    whole = grown(sent)
    stemmed = revtree.stem(whole, limit)
    assert revtree.leaves(stemmed) == revtree.leaves(whole)
    assert all(len(revtree.ancestry(stemmed, leaf)) >= min(limit, len(revtree.ancestry(whole, leaf)))
               for leaf in revtree.leaves(whole))  # fmt: skip
    assert revtree.stem(stemmed, limit) == stemmed
    for rev in stemmed:
        # sent again, or gone on from, with the history that its sender has: as if nothing were forgotten
        again = revtree.ancestry(whole, rev)
        assert revtree.leaves(graft(stemmed, again)[0]) == revtree.leaves(graft(whole, again)[0])
        further = (Rev(rev.generation + 1, "further"), *again)
        assert revtree.leaves(graft(stemmed, further)[0]) == revtree.leaves(graft(whole, further)[0])


def test_a_node_is_what_the_store_packs() -> None:
    assert tree("2-b 1-a")[Rev(2, "b")] == Node(Rev(1, "a"), False)


@given(histories(), st.integers(1, 4))
def test_what_every_leaf_forgot_comes_back_as_a_leaf_until_a_longer_memory_speaks(
    sent: list[tuple[Path, bool]], limit: int
) -> None:
    whole = grown(sent)
    again = revtree.stem(whole, limit)
    for rev in whole:
        again, _ = graft(again, revtree.ancestry(whole, rev), whole[rev].deleted)
        assert rev in again  # nobody can tell it from an edit beside the line: to drop it might lose one
    assert set(revtree.leaves(whole)) <= set(revtree.leaves(again))
    for leaf in revtree.leaves(whole):
        again, _ = graft(again, revtree.ancestry(whole, leaf), whole[leaf].deleted)
    assert revtree.leaves(again) == revtree.leaves(whole)


def test_the_leaves_that_revisions_lead_to_come_in_the_order_of_the_question_and_once() -> None:
    grown = tree("4-d 3-c 2-b 1-a", "x 5-z 4-y 3-x 2-b", "3-w 2-b", "2-q 1-a", "2-o 1-o")
    for asked, expected in [
        ("2-b", "4-d 3-w 5-z"),
        ("4-y 1-a", "5-z 4-d 3-w 2-q"),
        ("3-w 2-q 9-none 1-o 1-o", "3-w 2-q 9-none 2-o"),
    ]:
        assert texts(choice.latest(grown, path(asked))) == expected
        each = choice.Ends(grown)
        found = dict.fromkeys(leaf for rev in path(asked) for leaf in each.of(rev))
        assert texts(list(found)) == expected
