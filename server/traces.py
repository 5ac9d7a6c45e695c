"""What is left of a document where it was sent to and never was: a tombstone that says where it is.

Without it a phone that is in both goes on showing there what it had, and a hamlet that stands again takes it
for something new (`server.moving`).
"""

from collections.abc import Collection, Sequence
from contextlib import suppress

import orjson
from anyio import to_thread
from sqlalchemy import Engine, select

from server import archive, moving
from server.clock import Clock, instant
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from sync import revtree
from sync.store.interface import DatabaseMissing, DocStore, Edit

_moved = table(tables.MovedRow)


class Traces:
    """Leaves them in one server's store, and in its archive first."""

    def __init__(self, store: DocStore, rows: Engine, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock

    async def leave_beside(self, place: str, edits: Sequence[Edit]) -> Collection[str]:
        """Write what is to be left elsewhere of these, which are about to enter where copies of them waited;
        the databases that this touched."""
        traces = await self.beside(place, edits) if edits else {}
        if traces:
            await self._store.graft_all(traces)
        return traces.keys()

    async def beside(self, place: str, edits: Sequence[Edit]) -> dict[str, list[Edit]]:
        """What to write elsewhere for these edits, which waited and enter where they waited: a tombstone
        wherever their household has left one. Where else somebody has sent them, nobody knows any more."""
        left = await to_thread.run_sync(self._left, place, edits)
        found = {db: await self.of(db, place, some) for db, some in left.items()}
        return {db: traces for db, traces in found.items() if traces}

    async def of(self, sent_to: str, place: str, edits: Sequence[Edit]) -> list[Edit]:
        """What to write where these edits were sent to, which enter another place: a tombstone for each
        document that never was there. They are archived already."""
        there = place != sent_to and sent_to in await self._store.names()
        new = {edit.id: edit for edit in edits} if there else {}
        known = await self._store.trees(sent_to, new) if new else {}
        traces = [moving.trace(edit, place) for edit in new.values() if edit.id not in known]
        if traces:
            await to_thread.run_sync(self._archive, sent_to, traces)
        return traces

    async def point(self, sent_to: str, place: str, waiting: Collection[str]) -> bool:
        """Say where these documents live, of which something waits with them and was sent elsewhere; whether
        that wrote anything. By what they are and not by what waits: that has not been let in."""
        living: list[Edit] = []
        with suppress(DatabaseMissing):
            for doc_id, tree in (await self._store.trees(place, waiting) if waiting else {}).items():
                living += [Edit(doc_id, revtree.ancestry(tree, leaf), b"") for leaf in revtree.live(tree)[:1]]
        traces = await self.of(sent_to, place, living)
        if traces:
            await self._store.graft(sent_to, traces)
        return bool(traces)

    def _left(self, place: str, edits: Sequence[Edit]) -> dict[str, list[Edit]]:
        """The databases that the households, or units, of these edits have left for this one."""
        of: dict[str, list[Edit]] = {}
        for edit in edits:
            for anchor in moving.anchors(edit.id, orjson.loads(edit.body)):
                of.setdefault(anchor, []).append(edit)
        left: dict[str, list[Edit]] = {}
        with readers(self._rows).begin() as connection:
            for some in chunks(sorted(of)):
                asked = select(_moved.c.db, _moved.c.id).where(
                    _moved.c.target == place, _moved.c.id.in_(some)
                )
                for row in connection.execute(asked):
                    left.setdefault(row.db, []).extend(of[row.id])
        return left

    def _archive(self, db: str, traces: Sequence[Edit]) -> None:
        with writing(self._rows) as connection:
            entries = [archive.Entry.of(db, one, "moved") for one in traces]
            archive.keep(connection, entries, instant(self._clock()), None)
