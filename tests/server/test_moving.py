"""What a move writes: in any order of moves, late edits and merges nothing is lost, and servers agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import moving
from server.settle import plan as settle
from sync import canonical, revtree
from sync.resolve import Write
from sync.rev import Rev, derive
from sync.revtree import Tree
from sync.store.interface import Body, Document, Edit
from tests.server.documents import HOUSEHOLD, NOW, pledge, visit

A, B, C = "hamlet-a", "hamlet-b", "hamlet-c"
PLEDGE = f"pledge:antq-2026:{HOUSEHOLD}"
ULIDS = [f"01J8ZQ5A0000000000000000{n:02d}" for n in range(40)]


@dataclass
class World:
    """One document in several databases of a server, as a store keeps it."""

    places: dict[str, Document] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    """Every act that was ever accepted."""

    def at(self, db: str) -> Document:
        return self.places.get(db, Document({}, {}))

    def graft(self, db: str, edits: Sequence[Edit]) -> None:
        for edit in edits:
            here = self.at(db)
            known = edit.rev in here.tree
            tree, _ = revtree.graft(here.tree, edit.path, edit.deleted)
            new = not known or (edit.rev not in here.bodies and revtree.is_leaf(tree, edit.rev))
            bodies = {**here.bodies, edit.rev: Body(edit.body)} if new else here.bodies
            self.places[db] = Document(tree, bodies)

    def move(self, source: str, target: str) -> None:
        if source not in self.places or (source == target and not moving.strays(self.at(source))):
            return
        planned = moving.plan(PLEDGE, self.at(source), self.places.get(target), target)
        assert planned is not None
        self.graft(target, planned.copies)
        if source != target:
            self.graft(source, planned.tombstones)

    def settle(self, db: str) -> None:
        planned = settle(PLEDGE, self.at(db))
        if isinstance(planned, Write):
            self.graft(db, [Edit(PLEDGE, one.path, one.body, one.deleted) for one in planned.revisions])

    def quiet(self) -> None:
        """What the follower does, until nothing is left to do."""
        for _ in range(10):
            before = dict(self.places)
            for db in sorted(self.places):
                self.settle(db)
                if revtree.live(self.at(db).tree):
                    self.move(db, moving.residence(self.places, {}, None) or db)
            if before == self.places:
                return
        raise AssertionError("it never comes to rest")

    def home(self, db: str) -> str:
        """Where the document is, beginning at a place that it may have left."""
        seen = {db}
        ahead = moving.departures(self.at(db))
        while ahead:
            here = ahead.pop(0)
            if here in seen:
                continue
            seen.add(here)
            if revtree.live(self.at(here).tree) and not moving.strays(self.at(here)):
                return here
            ahead += moving.departures(self.at(here))
        raise AssertionError("it is nowhere")

    def living(self) -> list[str]:
        return [db for db in sorted(self.places) if revtree.live(self.at(db).tree)]

    def acts(self, db: str) -> set[str]:
        document = self.at(db)
        (leaf,) = revtree.live(document.tree)
        return {act["id"] for act in orjson.loads(document.bodies[leaf].json)["acts"]}


def body(*acts: str, at: int = NOW) -> bytes:
    doc = pledge(*(visit(act) for act in acts), at=at)
    return canonical.encode({name: value for name, value in doc.items() if name != "_id"})


def write(parent: Rev | None, tree: Tree, name: str, said: bytes) -> Edit:
    path = revtree.ancestry(tree, parent) if parent else ()
    return Edit(PLEDGE, (Rev(len(path) + 1, name), *path), said)


def first() -> World:
    world = World()
    world.graft(A, [write(None, {}, "a", body(ULIDS[0]))])
    return world


def test_the_tree_arrives_with_the_same_revisions_and_the_old_place_says_where_it_went() -> None:
    world = first()
    world.graft(A, [Edit(PLEDGE, (Rev(2, "b"), Rev(1, "a")), body(*ULIDS[:2]))])
    world.graft(A, [Edit(PLEDGE, (Rev(2, "c"), Rev(1, "a")), b'{"v":99}')])  # a conflict nobody can merge
    world.graft(A, [Edit(PLEDGE, (Rev(2, "d"), Rev(1, "a")), b"{}", deleted=True)])
    before = world.at(A)
    world.move(A, B)
    assert world.at(B) == before
    ends = {
        rev: world.at(A).bodies[rev].json for rev in revtree.leaves(world.at(A).tree) if rev.generation == 3
    }
    said = b'{"moved_to":"hamlet-b"}'
    assert ends == {derive(Rev(2, leaf), True, said): said for leaf in "bc"}


def test_moving_twice_writes_nothing_new() -> None:
    world = first()
    world.move(A, B)
    before = dict(world.places)
    world.move(A, B)
    assert world.places == before


def test_a_move_that_was_cut_between_copy_and_tombstone_is_finished_by_doing_it_again() -> None:
    whole, cut = first(), first()
    whole.move(A, B)
    planned = moving.plan(PLEDGE, cut.at(A), None, B)
    assert planned
    cut.graft(B, planned.copies)  # and then the power went
    cut.move(A, B)
    assert cut.places == whole.places


@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited there"])
def test_a_household_that_returns_lives_and_its_old_tombstone_ends_nothing(edited: bool) -> None:
    world = first()
    for turn in range(4):
        source, target = (A, B) if turn % 2 == 0 else (B, A)
        world.move(source, target)
        assert world.living() == [target]
        assert not moving.strays(world.at(target))
        assert world.home(source) == target
        if edited:
            tree = world.at(target).tree
            said = body(*ULIDS[: turn + 2])
            world.graft(target, [write(revtree.winner(tree), tree, f"e{turn}", said)])
    assert world.acts(A) == set(ULIDS[: 5 if edited else 1])


def test_a_late_edit_in_the_old_place_is_moved_on_through_all_later_moves() -> None:
    world = first()
    late = write(Rev(1, "a"), world.at(A).tree, "late", body(ULIDS[0], ULIDS[7]))
    world.move(A, B)
    world.move(B, C)
    world.graft(A, [late])
    assert moving.strays(world.at(A))
    world.quiet()
    assert world.living() == [C]
    assert world.acts(C) == {ULIDS[0], ULIDS[7]}


def test_what_cannot_be_copied_stays_where_it_is() -> None:
    document = Document(first().at(A).tree, {})
    assert moving.plan(PLEDGE, document, None, B) is None


def test_a_pledge_that_was_carried_over_to_another_household_has_not_left_the_hamlet() -> None:
    world = first()
    said = canonical.encode({"moved_to": PLEDGE})
    world.graft(A, [Edit(PLEDGE, (Rev(2, "t"), Rev(1, "a")), said, deleted=True)])
    assert moving.departures(world.at(A)) == []
    world.move(A, B)
    assert world.at(B) == world.at(A)


# ---- Any order ------------------------------------------------------------------------------------------

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["edit", "late", "a-b", "b-a", "b-c", "c-a", "settle", "quiet"]), st.integers(0, 9)
    ),
    max_size=14,
)


@given(steps)
def test_in_any_order_of_moves_late_edits_and_merges_no_value_is_lost(done: list[Step]) -> None:
    world, sent = first(), {ULIDS[0]}
    for number, (what, pick) in enumerate(done, start=1):
        _step(world, what, pick, number, sent)
    world.quiet()
    (home,) = world.living()
    assert world.acts(home) == sent
    for db in world.places:
        assert world.at(db).tree == {} or db == home or world.home(db) == home


@given(steps, steps)
def test_two_servers_that_exchange_until_quiet_hold_the_same_tree(
    mine: list[Step], after: list[Step]
) -> None:
    """One moves and hears the late edits later; the other hears everything at once."""
    one, sent = first(), {ULIDS[0]}
    for number, (what, pick) in enumerate([*mine, *after], start=1):
        _step(one, what, pick, number, sent)
    other = World()
    for db, document in one.places.items():
        for rev in sorted(document.bodies, key=lambda rev: (rev.digest, rev.generation)):
            edit = Edit(
                PLEDGE,
                revtree.ancestry(document.tree, rev),
                document.bodies[rev].json,
                document.tree[rev].deleted,
            )
            other.graft(db, [edit])
    one.quiet()
    other.quiet()
    assert _trees(one) == _trees(other)


@given(steps, steps, steps)
def test_two_servers_that_moved_it_apart_agree_on_one_place_once_they_exchange(
    before: list[Step], mine: list[Step], theirs: list[Step]
) -> None:
    start, sent = first(), {ULIDS[0]}
    for number, (what, pick) in enumerate(before[:5], start=1):
        _step(start, what, pick, number, sent)
    one, other = World(dict(start.places)), World(dict(start.places))
    for world, done, base in ((one, mine[:6], 10), (other, theirs[:6], 20)):
        for number, (what, pick) in enumerate(done, start=base):
            _step(world, what, pick, number, sent)
    for _ in range(4):
        for source, target in ((one, other), (other, one)):
            for db, document in source.places.items():
                target.graft(db, list(_edits(document)))
        one.quiet()
        other.quiet()
    assert _trees(one) == _trees(other)
    (home,) = one.living()
    assert one.acts(home) == sent


def _edits(document: Document) -> Iterator[Edit]:
    for rev in sorted(document.bodies):
        path, node = revtree.ancestry(document.tree, rev), document.tree[rev]
        yield Edit(PLEDGE, path, document.bodies[rev].json, node.deleted)


def _trees(world: World) -> Mapping[str, Mapping[Rev, Rev | None]]:
    return {db: {rev: node.parent for rev, node in doc.tree.items()} for db, doc in world.places.items()}


def _step(world: World, what: str, pick: int, number: int, sent: set[str]) -> None:
    act = ULIDS[number]
    match what:
        case "edit" | "late":
            # a phone writes on top of whatever revision it holds, in a place where it knew the document
            db = sorted(world.places)[pick % len(world.places)]
            document = world.at(db)
            known = [rev for rev in sorted(document.bodies) if not document.tree[rev].deleted]
            parent = known[-1] if what == "edit" else known[pick % len(known)]
            held = [one["id"] for one in orjson.loads(document.bodies[parent].json)["acts"]]
            said = body(*sorted({*held, act}), at=NOW + number)
            world.graft(db, [write(parent, document.tree, f"{number:02d}", said)])
            sent.add(act)
        case "settle":
            for db in sorted(world.places):
                world.settle(db)
        case "quiet":
            world.quiet()
        case _:
            source, target = (f"hamlet-{one}" for one in what.split("-"))
            if source in world.living() and not moving.strays(world.at(source)):
                world.move(source, target)
