"""A model of documents and trees against the engine over HTTP: edits, replicas, restarts, in any order."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from sync import revtree
from sync.rev import Rev
from sync.revtree import Node
from tests.engine.running import engine

JSON = {"Accept": "application/json"}
IDS = ["x", "y", "a/b"]
DIGESTS = [letter * 32 for letter in "abcdef"]


class Engine(RuleBasedStateMachine):
    """The model keeps trees with the core's own functions; the engine must tell the same of every one."""

    revisions = Bundle("revisions")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.trees: dict[str, dict[Rev, Node]] = {}
        self.bodies: dict[tuple[str, Rev], int] = {}
        self.seqs: list[int] = [0]
        self.locals: dict[str, int] = {}
        self.stack = AsyncExitStack()
        self.client: httpx.AsyncClient

    def teardown(self) -> None:
        self.loop.run_until_complete(self.stack.aclose())
        self.loop.close()
        self.directory.cleanup()

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return self.loop.run_until_complete(
            self.client.request(method, path, json=body, params=query, headers=JSON)
        )

    @initialize()
    def open(self) -> None:
        running = engine(Path(self.directory.name) / "documents.sqlite")
        self.client = self.loop.run_until_complete(self.stack.enter_async_context(running))
        self.ask("PUT", "/db")

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.stack.aclose())
        self.open()

    def grow(self, doc_id: str, path: list[Rev], deleted: bool, n: int) -> None:
        before = self.trees.get(doc_id, {})
        tree, _ = revtree.graft(before, path, deleted)
        if path[0] not in before:
            self.bodies[doc_id, path[0]] = n
        self.trees[doc_id] = dict(tree)

    @rule(
        target=revisions,
        doc_id=st.sampled_from(IDS),
        digests=st.lists(st.sampled_from(DIGESTS), min_size=1, max_size=5),
        start=st.integers(0, 3),
        deleted=st.booleans(),
        n=st.integers(0, 9),
    )
    def replicate(self, doc_id: str, digests: list[str], start: int, deleted: bool, n: int) -> Any:
        top = len(digests) + start
        path = [Rev(top - back, digest) for back, digest in enumerate(digests)]
        doc = {"_id": doc_id, "_revisions": {"start": top, "ids": digests}, "_deleted": deleted, "n": n}
        answer = self.ask("POST", "/db/_bulk_docs", {"docs": [doc], "new_edits": False})
        assert (answer.status_code, answer.json()) == (201, [])
        self.grow(doc_id, path, deleted, n)
        return doc_id, path[0]

    @rule(target=revisions, known=revisions, n=st.integers(0, 9), deleted=st.booleans())
    def edit(self, known: tuple[str, Rev], n: int, deleted: bool) -> Any:
        doc_id, rev = known
        answer = self.ask(
            "POST",
            "/db/_bulk_docs",
            {"docs": [{"_id": doc_id, "_rev": str(rev), "_deleted": deleted, "n": n}]},
        )
        (row,) = answer.json()
        if rev in revtree.leaves(self.trees[doc_id]):
            made = Rev.parse(row["rev"])
            assert made.generation == rev.generation + 1
            self.grow(doc_id, [made, rev], deleted, n)
            return doc_id, made
        assert row["error"] == "conflict"
        return multiple()

    @rule(doc_id=st.sampled_from(IDS), n=st.integers(0, 9))
    def write_without_revision(self, doc_id: str, n: int) -> None:
        (row,) = self.ask("POST", "/db/_bulk_docs", {"docs": [{"_id": doc_id, "n": n}]}).json()
        tree = self.trees.get(doc_id, {})
        if not tree:
            self.grow(doc_id, [Rev.parse(row["rev"])], False, n)
        elif tree[revtree.winner(tree)].deleted:
            self.grow(doc_id, [Rev.parse(row["rev"]), revtree.winner(tree)], False, n)
        else:
            assert row["error"] == "conflict"

    @rule(name=st.sampled_from(["p", "q"]), n=st.integers(0, 9))
    def checkpoint(self, name: str, n: int) -> None:
        assert self.ask("PUT", f"/db/_local/{name}", {"n": n}).status_code == 201
        self.locals[name] = n

    @rule()
    def compact(self) -> None:
        assert self.ask("POST", "/db/_compact", {}).status_code == 202
        for doc_id, tree in self.trees.items():
            for rev in set(tree) - set(revtree.leaves(tree)):
                self.bodies.pop((doc_id, rev), None)

    @invariant()
    def every_leaf_is_told_with_its_ancestry(self) -> None:
        for doc_id, tree in self.trees.items():
            path = f"/db/{doc_id.replace('/', '%2F')}"
            rows = self.ask("GET", path, open_revs="all", revs="true").json()
            told = {}
            for leaf in [row["ok"] for row in rows if "ok" in row]:
                ids = tuple(leaf["_revisions"]["ids"])
                told[Rev.parse(leaf["_rev"])] = (leaf.get("_deleted", False), ids, leaf.get("n"))
            assert told == {
                leaf: (
                    tree[leaf].deleted,
                    tuple(rev.digest for rev in revtree.ancestry(tree, leaf)),
                    self.bodies.get((doc_id, leaf)),
                )
                for leaf in revtree.leaves(tree)
                if (doc_id, leaf) in self.bodies
            }

    @invariant()
    def the_feed_has_each_document_once_in_order(self) -> None:
        page = self.ask("GET", "/db/_changes", style="all_docs").json()
        assert sorted(row["id"] for row in page["results"]) == sorted(self.trees)
        seqs = [row["seq"] for row in page["results"]]
        assert seqs == sorted(set(seqs))
        for row in page["results"]:
            leaves = revtree.leaves(self.trees[row["id"]])
            assert [change["rev"] for change in row["changes"]] == [str(leaf) for leaf in leaves]
            assert row.get("deleted", False) == self.trees[row["id"]][leaves[0]].deleted

    @invariant()
    def counts_and_checkpoints_are_right(self) -> None:
        info = self.ask("GET", "/db").json()
        alive = [not tree[revtree.winner(tree)].deleted for tree in self.trees.values()]
        assert (info["doc_count"], info["doc_del_count"]) == (sum(alive), len(alive) - sum(alive))
        assert info["update_seq"] >= self.seqs[-1]
        self.seqs.append(info["update_seq"])
        for name, n in self.locals.items():
            assert self.ask("GET", f"/db/_local/{name}").json()["n"] == n


TestEngine = Engine.TestCase
TestEngine.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
