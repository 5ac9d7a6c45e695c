"""What settles a document: each plan as a story, and that carrying it out twice writes nothing."""

from collections.abc import Sequence
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import resolve, revtree
from sync.canonical import encode
from sync.merge import Body, join, questions, write
from sync.resolve import ABSORBED, Derived, Keep, Kept, Policy, Settled, Why, Write
from sync.rev import Rev, derive
from sync.revtree import Tree, graft

POLICY: Policy = {
    ("thing", 1): {"name": "latest", "acts": "set", "state": "ask"},
    ("thing", 2): {"name": "latest"},
}


def body(ms: int, device: str = "dev1", v: int = 1, **fields: Any) -> dict[str, Any]:
    return {"type": "thing", "v": v, "by": "lan01", "stamps": {"*": f"{ms:013d}-0000-{device}"}, **fields}


class Doc:
    """A document as one server holds it."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        self.bodies: dict[Rev, Body | None] = {}

    def put(self, path: str, said: Body | None, deleted: bool = False) -> Rev:
        revs = tuple(map(Rev.parse, path.split()))
        self.tree, _ = graft(self.tree, revs, deleted)
        self.bodies[revs[0]] = said
        return revs[0]

    def plan(self) -> resolve.Plan:
        return resolve.plan(self.tree, self.bodies, POLICY)

    def carry_out(self, revisions: Sequence[Derived]) -> None:
        for path, said, deleted in revisions:
            self.tree, _ = graft(self.tree, path, deleted)
            self.bodies[path[0]] = orjson.loads(said)

    def settle(self) -> Write:
        plan = self.plan()
        assert isinstance(plan, Write)
        self.carry_out(plan.revisions)
        return plan


def two_phones() -> Doc:
    doc = Doc()
    doc.put("1-a", body(1, name="Ông Bốn", acts=[]))
    doc.put("2-b 1-a", body(2, name="Ông Bốn", acts=[{"id": "B"}]))
    doc.put("2-c 1-a", body(3, "dev2", name="Ông Năm", acts=[{"id": "C"}]))
    return doc


def test_one_live_leaf_is_settled() -> None:
    doc = Doc()
    doc.put("1-a", body(1))
    assert doc.plan() == Settled(())


def test_two_phones_become_one_child_of_the_greater_and_a_tombstone_on_the_other() -> None:
    doc = two_phones()
    plan = doc.settle()
    joined, tombstone = plan.revisions
    both = body(3, "dev2", name="Ông Năm", acts=[{"id": "B"}, {"id": "C"}])
    assert joined == Derived(
        (derive(Rev(2, "c"), False, encode(both)), Rev(2, "c"), Rev(1, "a")), encode(both), False
    )
    gone = encode(ABSORBED)
    assert tombstone == Derived((derive(Rev(2, "b"), True, gone), Rev(2, "b"), Rev(1, "a")), gone, True)
    assert revtree.live(doc.tree) == [joined.path[0]]
    assert resolve.absorbed(doc.tree) == [Rev(2, "b")]


def test_settling_twice_is_a_no_op() -> None:
    doc = two_phones()
    before = doc.plan()
    doc.settle()
    assert doc.plan() == Settled(())
    tree = doc.tree
    assert isinstance(before, Write)
    doc.carry_out(before.revisions)  # as after a crash in between, or on another server
    assert doc.tree == tree


def test_a_crash_between_the_join_and_its_tombstones_is_mended_to_the_same_tree() -> None:
    whole, cut = two_phones(), two_phones()
    revisions = whole.settle().revisions
    for some in (revisions[:1], revisions[1:]):
        cut = two_phones()
        cut.carry_out(some)
        if isinstance(plan := cut.plan(), Write):
            cut.carry_out(plan.revisions)
        assert len(revtree.live(cut.tree)) == 1
    cut.carry_out(revisions)
    whole.carry_out(revisions)
    assert whole.tree == cut.tree


def test_where_the_winner_says_it_all_only_tombstones_are_written() -> None:
    doc = Doc()
    doc.put("2-c 1-a", body(3, name="Ông Năm", acts=[{"id": "B"}, {"id": "C"}]))
    doc.put("1-b", body(1, name="Ông Bốn", acts=[{"id": "B"}]))
    plan = doc.settle()
    assert [(revision.path[1], revision.deleted) for revision in plan.revisions] == [(Rev(1, "b"), True)]


def test_the_same_leaves_give_the_same_revisions_whatever_lies_behind_them() -> None:
    stemmed = Doc()
    stemmed.put("2-c", body(3, "dev2", name="Ông Năm", acts=[{"id": "C"}]))
    stemmed.put("2-b", body(2, name="Ông Bốn", acts=[{"id": "B"}]))
    heads = [[revision.path[0] for revision in doc.settle().revisions] for doc in (two_phones(), stemmed)]
    assert heads[0] == heads[1]


def test_a_longer_deleted_branch_does_not_keep_the_join_from_being_found() -> None:
    doc = two_phones()
    doc.put("9-z 8-y 7-x", {}, deleted=True)
    plan = doc.settle()
    assert plan.revisions[0].path[1] == Rev(2, "c")
    assert revtree.winner(doc.tree) == plan.revisions[0].path[0]
    assert plan.outlived == (Rev(9, "z"),)


def test_a_phone_that_goes_on_from_a_branch_merged_away_is_merged_from_there() -> None:
    doc = two_phones()
    doc.settle()
    doc.put("3-d 2-b 1-a", body(5, name="Bà Sáu", acts=[{"id": "B"}, {"id": "D"}]))
    doc.settle()
    (winner,) = revtree.live(doc.tree)
    said = doc.bodies[winner]
    assert said is not None
    assert said["name"] == "Bà Sáu"
    assert [act["id"] for act in said["acts"]] == ["B", "C", "D"]
    assert resolve.absorbed(
        doc.tree
    )  # and the first branch's tombstone is told no more of 2-b, but of its end


# --- hostile histories --------------------------------------------------------------------------------------


def test_hundreds_of_branches_on_one_document_settle_in_one_plan() -> None:
    doc = Doc()
    for index in range(300):
        said = body(
            index + 1, f"dev{index:04d}", name=f"n{index}", acts=[{"id": f"{index:03d}"}], state=f"s{index}"
        )
        doc.put(f"2-{index:032x} 1-a", said)
    plan = doc.settle()
    assert len(plan.revisions) == 300
    (winner,) = revtree.live(doc.tree)
    merged = doc.bodies[winner]
    assert merged is not None
    assert (len(merged["acts"]), merged["name"], len(questions(merged)["state"])) == (300, "n299", 300)
    assert doc.plan() == Settled(())
    assert len(resolve.absorbed(doc.tree)) == 299


def test_a_branch_merged_away_and_edited_on_for_weeks_is_merged_from_there_each_time() -> None:
    doc = two_phones()
    doc.settle()
    path, acts = "2-b 1-a", [{"id": "B"}]
    for week in range(60):
        path, acts = f"{week + 3}-{week:032x} {path}", [*acts, {"id": f"w{week:02d}"}]
        doc.put(path, body(10 + week, name=f"week {week}", acts=acts))
        doc.settle()
        (winner,) = revtree.live(doc.tree)
        merged = doc.bodies[winner]
        assert merged is not None
        assert (merged["name"], len(merged["acts"])) == (f"week {week}", week + 3)


def test_a_question_settled_and_reopened_many_times_holds_only_what_nobody_has_seen() -> None:
    rules = POLICY["thing", 1]
    new = {"type": "thing", "v": 1}
    late = write(new, {"state": "start"}, f"{1:013d}-0000-dev0", "lan01", rules)
    answer = write(new, {"state": "settled 0"}, f"{2:013d}-0000-office", "staff1", rules)
    for turn in range(1, 100):
        # a phone goes on from what it had before the last settling, and the office settles again
        late = write(late, {"state": f"late {turn}"}, f"{10 * turn:013d}-0000-dev1", "lan01", rules)
        asked = join([answer, late], rules)
        assert {value.value for value in questions(asked)["state"]} == {answer["state"], f"late {turn}"}
        answer = write(
            asked, {"state": f"settled {turn}"}, f"{10 * turn + 5:013d}-0000-office", "staff1", rules
        )
        assert join([answer, late, asked], rules) == answer
    assert len(answer["asks"]["state"]["seen"]) == 3


# --- what is not merged -------------------------------------------------------------------------------------


def test_another_version_is_kept_beside_and_said() -> None:
    doc = Doc()
    doc.put("1-a", body(1))
    doc.put("1-b", body(2, v=2))
    assert doc.plan() == Keep((Kept(Rev(1, "a"), Why.OTHER),), ())


def test_an_unknown_version_is_kept_while_the_known_ones_are_merged() -> None:
    doc = two_phones()
    newer = doc.put("1-n", body(9, v=7, name="?"))
    plan = doc.settle()
    assert plan.kept == (Kept(newer, Why.UNKNOWN),)
    assert len(revtree.live(doc.tree)) == 2
    assert doc.plan() == Keep((Kept(newer, Why.UNKNOWN),), ())


def test_an_unknown_version_that_wins_keeps_every_other_leaf() -> None:
    doc = two_phones()
    doc.put("5-n 4-n", body(9, v=7))
    plan = doc.settle()
    assert plan.kept == (Kept(Rev(2, "c"), Why.OTHER),)
    assert isinstance(doc.plan(), Keep)


@pytest.mark.parametrize(
    "bad", [None, {}, {"type": "thing", "v": 1}, body(1, acts=[1]), body(1, name=1.5), body(1) | {"v": True}]
)
def test_a_leaf_that_cannot_be_read_is_kept_and_said(bad: Any) -> None:
    doc = two_phones()
    rev = doc.put("1-x", bad)
    assert doc.settle().kept == (Kept(rev, Why.INVALID),)


# --- deletions ----------------------------------------------------------------------------------------------


def test_an_edit_beats_a_deletion_and_staff_are_told() -> None:
    doc = Doc()
    doc.put("1-a", body(1))
    doc.put("2-d 1-a", {}, deleted=True)
    doc.put("2-b 1-a", body(2))
    assert doc.plan() == Settled((Rev(2, "d"),))


@pytest.mark.parametrize("mark", ["absorbed", "erased", "moved_to"])
def test_tombstones_that_end_a_branch_for_another_reason_are_no_deletions(mark: str) -> None:
    doc = Doc()
    doc.put("2-d 1-a", {mark: True}, deleted=True)
    doc.put("2-b 1-a", body(2))
    assert doc.plan() == Settled(())


def test_deleting_settles_first_and_then_ends_every_leaf() -> None:
    doc = two_phones()
    newer = doc.put("1-n", body(9, v=7))
    revisions = resolve.deletion(doc.tree, doc.bodies, POLICY)
    doc.carry_out(revisions)
    assert revtree.live(doc.tree) == []
    assert [revision.body for revision in revisions[-2:]] == [b"{}", b"{}"]
    assert {revision.path[1] for revision in revisions[-2:]} == {revisions[0].path[0], newer}
    assert resolve.deletion(doc.tree, doc.bodies, POLICY) == ()
    assert doc.plan() == Settled(())


def test_an_edit_after_a_deletion_brings_back_its_own_branch_alone() -> None:
    doc = two_phones()
    doc.carry_out(resolve.deletion(doc.tree, doc.bodies, POLICY))
    doc.put("3-d 2-b 1-a", body(5, name="Bà Sáu", acts=[{"id": "B"}]))
    plan = doc.plan()
    assert isinstance(plan, Settled)
    assert len(plan.outlived) == 1


# --- in line ------------------------------------------------------------------------------------------------


def sent(said: Body, deleted: bool = False) -> Derived:
    return Derived((Rev(2, "b"), Rev(1, "a")), encode(said), deleted)


def test_an_old_app_that_left_fields_out_undoes_nothing() -> None:
    parent = body(1, name="Ông Bốn", acts=[{"id": "A"}], hue=3)
    derived = resolve.inline(sent(body(2, name="Ông Năm", acts=[])), parent, POLICY)
    assert derived is not None
    assert derived.path == (derive(Rev(2, "b"), False, derived.body), Rev(2, "b"), Rev(1, "a"))
    stamps = {"*": "0000000000002-0000-dev1", "hue": "0000000000001-0000-dev1"}
    assert orjson.loads(derived.body) == body(2, name="Ông Năm", acts=[{"id": "A"}], hue=3) | {
        "stamps": stamps
    }


def test_a_form_opened_before_a_sync_brings_no_stale_value_back() -> None:
    parent = body(5, name="Bà Sáu")
    stale = body(6, name="Ông Bốn", acts=[]) | {
        "stamps": {"*": "0000000000006-0000-dev2", "name": "0000000000001-0000-dev1"}
    }
    derived = resolve.inline(sent(stale), parent, POLICY)
    assert derived is not None
    assert orjson.loads(derived.body)["name"] == "Bà Sáu"


@pytest.mark.parametrize(
    ("said", "parent"),
    [
        (sent(body(2, name="b")), body(1, name="a")),  # a write like any other
        (sent(body(2), deleted=True), body(1, name="a")),
        (sent(body(2, v=2)), body(1, name="a")),
        (sent(body(2, v=7)), body(1, v=7, name="a")),
        (sent(body(2)), {}),
    ],
)
def test_what_needs_no_child(said: Derived, parent: Body) -> None:
    assert resolve.inline(said, parent, POLICY) is None


# --- any mix of them ----------------------------------------------------------------------------------------

LEAVES = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "7", "broken", "deleted"]),
        st.integers(1, 6),  # when
        st.sampled_from(["dev1", "dev2", "dev3"]),
        st.integers(1, 3),  # how deep
        st.fixed_dictionaries({}, optional={"name": st.sampled_from("AB"), "state": st.sampled_from("XY")}),
    ),
    min_size=1,
    max_size=8,
)


@given(LEAVES, st.randoms(use_true_random=False))
def test_any_mix_of_versions_broken_and_deleted_leaves_settles_alike_whatever_came_first(
    leaves: list[tuple[str, int, str, int, dict[str, str]]], order: Random
) -> None:
    docs = [Doc(), Doc()]
    for number, doc in enumerate(docs):
        places = list(enumerate(leaves))
        if number:
            order.shuffle(places)
        for place, (kind, ms, device, depth, fields) in places:
            path = " ".join(f"{deep}-{place:x}" for deep in range(depth, 0, -1))
            said = body(ms, device, v=int(kind) if kind.isdecimal() else 1, **fields)
            doc.put(path, None if kind == "broken" else {} if kind == "deleted" else said, kind == "deleted")
        for _ in range(3):
            if isinstance(plan := doc.plan(), Write):
                doc.carry_out(plan.revisions)
        assert not isinstance(plan, Write), "settling comes to an end"
        live = revtree.live(doc.tree)
        told = set(live[:1]) | {one.rev for one in (plan.kept if isinstance(plan, Keep) else ())}
        assert told == set(live), "every leaf that stays is the winner, or is said"
        kinds = [kind for kind, *_ in leaves]
        alone = sum(kind in {"7", "broken"} for kind in kinds)
        assert len(live) == alone + len({"1", "2"} & set(kinds)), "known ones are merged, the others kept"
    assert docs[0].tree == docs[1].tree
    assert {rev: docs[0].bodies[rev] for rev in revtree.leaves(docs[0].tree)} == {
        rev: docs[1].bodies[rev] for rev in revtree.leaves(docs[1].tree)
    }
