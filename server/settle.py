"""Settle what collided: carry out the plans of `sync.resolve`, in one batch for many documents.

Plans mint nothing, so it does no harm that the request which brought a conflict and the follower which finds
it later both settle it, or that two servers do.
"""

from collections.abc import Collection, Mapping

import orjson
from anyio import to_thread
from sqlalchemy import Engine

import schemas
from server import archive
from server.clock import Clock, instant
from server.content import broken
from server.rows.engine import writing
from sync import resolve, revtree
from sync.merge import Body
from sync.resolve import Policy
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import DocStore, Document, Edit

POLICY: Policy = {(name, schemas.version(name)): schemas.rules(name) for name in sorted(schemas.types())}
"""The merge rules of every type and version that this program knows."""


def ends(_doc_id: str, tree: Tree) -> Collection[Rev]:
    """Which bodies it takes to plan: those of all leaves."""
    return revtree.leaves(tree)


def read_bodies(doc_id: str, document: Document) -> dict[Rev, Body | None]:
    """The bodies of a document by revision, None for a live one that breaks the rules of its own content."""
    return {
        rev: read_body(doc_id, body.json, document.tree[rev].deleted) for rev, body in document.bodies.items()
    }


def read_body(doc_id: str, body: bytes, deleted: bool = False) -> Body | None:
    """One body, None where it breaks the rules of its own content. What deletes may say anything."""
    doc: Body = orjson.loads(body)
    return doc if deleted or broken({"_id": doc_id, **doc}) is None else None


def plan(doc_id: str, document: Document) -> resolve.Plan:
    """How to settle one document, of which the bodies of all leaves were read."""
    bodies = read_bodies(doc_id, document)
    live = dict.fromkeys(revtree.live(document.tree))  # a body that got lost cannot be merged either
    return resolve.plan(document.tree, {**live, **bodies}, POLICY)


class Settler:
    """Settles documents of one store; what it writes is archived first."""

    def __init__(self, store: DocStore, rows: Engine, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock

    async def settle(self, db: str, ids: Collection[str]) -> int:
        """Merge what collided among these documents; how many revisions it took.

        Raises `DatabaseMissing`, `StoreFull`.
        """
        documents = await self._store.read(db, ids, ends)
        collided = {doc_id: one for doc_id, one in documents.items() if len(revtree.live(one.tree)) > 1}
        edits = await to_thread.run_sync(_edits, collided) if collided else []
        if edits:
            merged = [archive.Entry.of(db, edit, "merged") for edit in edits if not edit.deleted]
            await to_thread.run_sync(self._archive, merged)
            await self._store.graft(db, edits)
        return len(edits)

    def _archive(self, entries: list[archive.Entry]) -> None:
        with writing(self._rows) as connection:
            archive.keep(connection, entries, instant(self._clock()), None)


def _edits(collided: Mapping[str, Document]) -> list[Edit]:
    """What to graft, of all these documents."""
    plans = {doc_id: plan(doc_id, document) for doc_id, document in collided.items()}
    return [
        Edit(doc_id, revision.path, revision.body, revision.deleted)
        for doc_id, planned in plans.items()
        if isinstance(planned, resolve.Write)
        for revision in planned.revisions
    ]
