"""Three servers and several phones work on one document in every order that Hypothesis can think of.

The oracle is simple: whatever happened, the document is the join of every body that any server ever took in,
less what a deletion had seen. So nothing is lost, no stale value comes back, and the order does not matter.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync import resolve, revtree
from sync.canonical import encode
from sync.merge import CLEARED, Body, Rules, join, questions, write
from sync.resolve import Derived, Policy, Settled, Write
from sync.rev import Rev, derive
from sync.revtree import Tree, graft
from sync.stamps import ALL, Stamp, advance, receive

RULES: Rules = {"name": "latest", "place": "latest", "acts": "set", "state": "ask"}
POLICY: Policy = {("thing", 1): RULES}
Path = tuple[Rev, ...]
DELETED = b"{}"


@dataclass
class Server:
    """What one server holds of the document; `bodies` are kept for good, as the archive keeps them."""

    tree: Tree = field(default_factory=dict)
    bodies: dict[Rev, bytes] = field(default_factory=dict)

    def take(self, revision: Derived) -> None:
        self.tree, _ = graft(self.tree, revision.path, revision.deleted)
        self.bodies.setdefault(revision.path[0], revision.body)

    def receive(self, revision: Derived) -> None:
        """What intake does with an upload: the rule for what came in line, then the graft."""
        self.take(revision)
        parent = self.bodies.get(revision.path[1]) if len(revision.path) > 1 else None
        if parent is not None and (child := resolve.inline(revision, orjson.loads(parent), POLICY)):
            self.take(child)

    def read(self) -> dict[Rev, Body | None]:
        return {leaf: orjson.loads(self.bodies[leaf]) for leaf in revtree.leaves(self.tree)}

    def settle(self) -> None:
        plan = resolve.plan(self.tree, self.read(), POLICY)
        if isinstance(plan, Write):
            for revision in plan.revisions:
                self.take(revision)
        assert len(revtree.live(self.tree)) <= 1, "a live conflict is left after a merge"
        again = resolve.plan(self.tree, self.read(), POLICY) if self.tree else Settled(())
        assert isinstance(again, Settled), "settling twice is not a no-op"

    def leaves(self) -> list[Derived]:
        return [
            Derived(revtree.ancestry(self.tree, leaf), self.bodies[leaf], self.tree[leaf].deleted)
            for leaf in revtree.leaves(self.tree)
        ]

    def winner(self) -> tuple[Path, dict[str, Any]] | None:
        live = revtree.live(self.tree)
        return (revtree.ancestry(self.tree, live[0]), orjson.loads(self.bodies[live[0]])) if live else None


@dataclass
class Phone:
    """One phone: what it shows, what it has not handed in, a form that stands open, its clock."""

    device: str
    skew: int
    view: tuple[Path, dict[str, Any]] | None = None
    unsent: list[Derived] = field(default_factory=list)
    form: tuple[Path, dict[str, Any]] | None = None
    last: Stamp | None = None

    def stamp(self, body: dict[str, Any], now: int) -> str:
        seen = [Stamp.parse(text) for text in body.get("stamps", {}).values()]
        for one in seen:
            self.last = receive(self.last, one, now + self.skew)
        self.last = advance(self.last, now + self.skew, self.device)
        return str(self.last)


PHONES, SERVERS = st.integers(0, 3), st.integers(0, 2)
CHANGES = st.sampled_from(["rename", "move", "clear place", "act", "void", "state", "clear state"])


class Season(RuleBasedStateMachine):
    """Walks, syncs, merges and mishaps."""

    def __init__(self) -> None:
        super().__init__()
        self.servers = [Server() for _ in range(3)]
        self.phones = [Phone(f"phone{index}", skew) for index, skew in enumerate((0, 900, -1300, 40))]
        self.minted = 0
        self.now = 1_764_547_200_000

    @initialize(known=st.booleans(), whats=st.lists(CHANGES, min_size=3, max_size=6))
    def begin(self, known: bool, whats: list[str]) -> None:
        """A document that everybody has, or one that the phones have yet to make each for itself."""
        if known:
            for what in whats:
                self.save(self.phones[0], self.phones[0].view, what)
            for server in self.servers:
                for revision in self.phones[0].unsent:
                    server.receive(revision)
            for phone in self.phones:
                phone.view = self.servers[0].winner()
            self.phones[0].unsent.clear()

    # --- on the phones ---------------------------------------------------------------------------------

    def change(self, what: str) -> dict[str, Any]:
        self.minted += 1
        value = f"{what} {self.minted}"
        match what:
            case "rename":
                return {"name": value}
            case "move":
                return {"place": {"lane": value}}
            case "clear place":
                return {"place": CLEARED}
            case "act":
                return {"acts": [{"id": f"act{self.minted:04d}"}]}
            case "void":
                return {"acts": [{"id": f"act{self.minted:04d}", "target": f"act{self.minted - 1:04d}"}]}
            case "clear state":
                return {"state": CLEARED}
        return {"state": value}

    def save(self, phone: Phone, base: tuple[Path, dict[str, Any]] | None, what: str) -> None:
        self.now += 300
        path, body = base or ((), {"type": "thing", "v": 1})
        said = write(body, self.change(what), phone.stamp(body, self.now), "user1", RULES)
        self.minted += 1
        rev = Rev(path[0].generation + 1 if path else 1, f"{self.minted * 7919 % 9973:032x}")
        phone.unsent.append(Derived((rev, *path), encode(said), False))
        phone.view = ((rev, *path), said)

    @rule(phone=PHONES, whats=st.lists(CHANGES, min_size=1, max_size=3))
    def edit(self, phone: int, whats: list[str]) -> None:
        for what in whats:
            self.save(self.phones[phone], self.phones[phone].view, what)

    @rule(phone=PHONES)
    def open_a_form(self, phone: int) -> None:
        self.phones[phone].form = self.phones[phone].view

    @rule(phone=PHONES, what=CHANGES)
    def save_the_form_that_stood_open(self, phone: int, what: str) -> None:
        self.save(self.phones[phone], self.phones[phone].form or self.phones[phone].view, what)

    # --- on the way ------------------------------------------------------------------------------------

    @rule(phone=PHONES, server=SERVERS, cut=st.integers(1, 6), answered=st.booleans(), merged=st.booleans())
    def sync(self, phone: int, server: int, cut: int, answered: bool, merged: bool) -> None:
        """Hand in everything, with as much history as the phone has; the answer may be lost on the way."""
        here, there = self.phones[phone], self.servers[server]
        for revision in here.unsent:
            there.receive(revision._replace(path=revision.path[:cut]))
        if merged:
            there.settle()
        if answered:
            here.unsent.clear()
            here.view = there.winner()

    @rule(phone=PHONES, server=SERVERS)
    def hand_in_with_an_old_app(self, phone: int, server: int) -> None:
        """An app that knows only the name writes a whole document over the server's winner."""
        here, there = self.phones[phone], self.servers[server]
        if (base := there.winner()) is None:
            return
        path, body = base
        self.now += 300
        self.minted += 1
        stamp = here.stamp(body, self.now)
        said = {"type": "thing", "v": 1, "by": "user1", "stamps": {ALL: stamp}, "name": f"old {stamp}"}
        rev = Rev(path[0].generation + 1, f"{self.minted * 7919 % 9973:032x}")
        there.receive(Derived((rev, *path), encode(said), False))
        there.settle()

    # --- on the servers --------------------------------------------------------------------------------

    @rule(source=SERVERS, to=SERVERS, cut=st.integers(1, 8), merged=st.booleans())
    def replicate(self, source: int, to: int, cut: int, merged: bool) -> None:
        for revision in self.servers[source].leaves():
            self.servers[to].take(revision._replace(path=revision.path[:cut]))
        if merged:
            self.servers[to].settle()

    @rule(server=SERVERS)
    def settle(self, server: int) -> None:
        self.servers[server].settle()

    @rule(server=SERVERS, limit=st.integers(1, 5))
    def stem(self, server: int, limit: int) -> None:
        self.servers[server].tree = revtree.stem(self.servers[server].tree, limit)

    @rule(server=SERVERS)
    def settle_a_question(self, server: int) -> None:
        there = self.servers[server]
        there.settle()
        base = there.winner()
        if base is None or not questions(base[1]):
            return
        self.now += 300
        office = Phone(f"office{server}", 0)
        path, body = base
        value = questions(body)["state"][-1].value
        said = write(body, {"state": value}, office.stamp(body, self.now), "staff1", RULES)
        assert not questions(said)
        self.minted += 1
        rev = Rev(path[0].generation + 1, f"{self.minted * 7919 % 9973:032x}")
        there.receive(Derived((rev, *path), encode(said), False))

    @rule(server=SERVERS)
    def delete(self, server: int) -> None:
        there = self.servers[server]
        for revision in resolve.deletion(there.tree, there.read(), POLICY) if there.tree else ():
            there.take(revision)
        assert not revtree.live(there.tree)

    # --- what must hold --------------------------------------------------------------------------------

    @invariant()
    def every_leaf_can_be_read(self) -> None:
        for server in self.servers:
            assert set(revtree.leaves(server.tree)) <= server.bodies.keys()

    def teardown(self) -> None:
        """Everybody hands in, the servers exchange until quiet: then they agree, and the oracle with them."""
        for phone in self.phones:
            for revision in phone.unsent:
                self.servers[0].receive(revision)
        for _ in range(20):
            before = [server.tree for server in self.servers]
            for target in self.servers:
                for source in self.servers:
                    for revision in source.leaves():
                        target.take(revision)
                target.settle()
            if [server.tree for server in self.servers] == before:
                break
        else:
            raise AssertionError("the servers do not come to rest")
        self.agree()
        self.nothing_is_lost()

    def agree(self) -> None:
        first = self.servers[0]
        for server in self.servers[1:]:
            assert server.tree == first.tree
            assert all(server.bodies[leaf] == first.bodies[leaf] for leaf in revtree.leaves(first.tree))

    def nothing_is_lost(self) -> None:
        everything = {rev: body for server in self.servers for rev, body in server.bodies.items()}
        said = {rev: orjson.loads(body) for rev, body in everything.items() if b"stamps" in body}
        if not said:
            return
        winner = self.servers[0].winner()
        deletions = {rev for rev, body in everything.items() if body == DELETED}
        whole = encode(join(said.values(), RULES))
        if not deletions:
            assert winner is not None
            assert encode(join([winner[1]], RULES)) == whole
            return
        deleted = [body for rev, body in said.items() if derive(rev, True, DELETED) in deletions]
        for body in said.values():
            if not any(covers(seen, body) for seen in deleted):
                note(f"an edit that no deletion had seen: {body}")
                assert winner is not None
                assert covers(winner[1], body)


def covers(greater: Body, less: Body) -> bool:
    return encode(join([greater, less], RULES)) == encode(join([greater], RULES))


TestSeason = Season.TestCase
TestSeason.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
