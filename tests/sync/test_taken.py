"""A document is settled though somebody has put the names of what is derived from its leaves elsewhere in its
tree: on two servers alike, and without the loss of a word."""

from itertools import islice

import pytest

from sync import resolve, revtree
from sync.canonical import encode
from sync.resolve import ABSORBED, Settled, Write
from sync.rev import Rev, derived, is_derived
from sync.revtree import graft
from tests.sync.test_resolve import Doc, body, two_phones

ENDS = (encode(ABSORBED), b"{}", encode({"moved_to": "hamlet-b"}))


def taken(doc: Doc, leaf: Rev, said: bytes, times: int) -> None:
    """Somebody has pulled a leaf, and what will be derived from it stands upon lines of his own."""
    for number, name in zip(range(times), derived(leaf, True, said), strict=False):
        line = [Rev(name.generation + 1, f"n{number}"), name, Rev(leaf.generation, f"z{number}"), Rev(1, "a")]
        doc.put(" ".join(map(str, line)), body(9, "dev3", name="Khác", acts=[{"id": f"N{number}"}]))


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("said", ENDS)
def test_a_leaf_ends_though_somebody_has_taken_the_names_of_its_tombstones(said: bytes, times: int) -> None:
    doc = two_phones()
    leaf = Rev(2, "c")
    taken(doc, leaf, said, times)
    for _ in range(2):  # on two servers alike
        end = resolve.child(doc.tree, leaf, said, deleted=True)
        tree, _ = graft(doc.tree, end.path, end.deleted)
        assert leaf not in revtree.live(tree)
        assert end.path[0] in islice(derived(leaf, True, said), times + 1)
        assert is_derived(end.path[0], leaf, True, said)
    assert (leaf in resolve.absorbed(tree)) is (said == ENDS[0])


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_conflict_settles_though_the_names_of_its_tombstones_are_taken(times: int) -> None:
    doc = two_phones()
    for leaf in (Rev(2, "b"), Rev(2, "c")):
        taken(doc, leaf, ENDS[0], times)
    doc.settle()
    assert doc.plan() == Settled(())
    (winner,) = revtree.live(doc.tree)
    last = doc.bodies[winner]
    assert last is not None
    assert {act["id"] for act in last["acts"]} >= {"B", "C", "N0"}
    assert {Rev(2, "b"), Rev(2, "c")} <= {*resolve.absorbed(doc.tree)}


@pytest.mark.parametrize("stemmed", [False, True])
@pytest.mark.parametrize("kept", ["ended", "of another kind"])
def test_no_words_are_lost_where_the_name_of_a_merge_is_taken(kept: str, stemmed: bool) -> None:
    """Whoever takes it has a taller leaf, into which all is merged, unless that has ended or cannot be."""
    doc = two_phones()
    plan = two_phones().settle()
    merged = plan.revisions[0]
    line = (
        [Rev(4, "n"), merged.path[0]] if stemmed else [Rev(4, "n"), merged.path[0], Rev(2, "z"), Rev(1, "a")]
    )
    if kept == "ended":
        doc.put(" ".join(map(str, line)), {}, deleted=True)
    else:
        doc.put(" ".join(map(str, line)), body(9, v=2, name="Khác"))
    doc.settle()
    said = [held for rev in revtree.live(doc.tree) if (held := doc.bodies[rev]) and held["v"] == 1]
    assert [{act["id"] for act in held["acts"]} for held in said] == [{"B", "C"}]
    assert not isinstance(doc.plan(), Write)


def test_a_leaf_that_comes_again_takes_its_own_tombstone_back() -> None:
    doc = two_phones()
    doc.settle()
    doc.tree = revtree.stem(doc.tree, 1)
    before = {*doc.tree}
    doc.put("2-b 1-a", body(2, name="Ông Bốn", acts=[{"id": "B"}]))
    doc.settle()
    assert {*doc.tree} == before | {Rev(2, "b"), Rev(1, "a")}
