"""The follower: reads the changes feed, settles what it finds in conflict, and keeps the rows up to date.

The feed is the only queue. What it made of a page of the feed and the position after it are one commit:
`UPDATE cursor … WHERE seq = :read` comes first in it, and where that changes nothing, another follower was
quicker and all is rolled back. So followers may run twice without harm, and one that was killed goes on
where it was.
"""

import asyncio
import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

import orjson
from anyio import to_thread
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update

from server import archive, ledger, leftovers
from server.auth.grant import COMMUNE
from server.blobs import Blobs, pictures_of
from server.burying import bury
from server.carrying import Carrier
from server.mover import Mover
from server.projection import PROJECTED, Projected, Row, overwritten, project
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks, insert_new
from server.rules import well_named
from server.settle import Settler, ends
from sync.rev import Rev
from sync.store.interface import DatabaseExists, DatabaseMissing, Document, Page, Seq, Store

_cursor, _moved = table(tables.Cursor), table(tables.MovedRow)
_log = logging.getLogger(__name__)

_HAMLET = re.compile(r"hamlet:([a-z0-9]{2,20})")

PAGE = 500
"""Documents projected in one commit."""


class Follower:
    """Follows every database of documents of one store into the rows."""

    def __init__(
        self,
        store: Store,
        rows: Engine,
        settler: Settler,
        carrier: Carrier,
        blobs: Blobs,
        *,
        mover: Mover,
        poll: float = 5.0,
    ) -> None:
        """`poll`: seconds after which it looks by itself; what this process changed, it is told by `wake`."""
        self._store = store
        self._rows = rows
        self._settler = settler
        self._carrier = carrier
        self._blobs = blobs
        self._mover = mover
        self._poll = poll
        self._woken: set[str] = set()
        self._news = asyncio.Event()
        self._one = asyncio.Lock()

    def wake(self, db: str) -> None:
        """A database has changed."""
        self._woken.add(db)
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled. A failure is logged, and tried again after a while: nothing is skipped."""
        every: Collection[str] | None = None
        while True:
            try:
                await self.catch_up(every)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next records must not wait for it
                _log.error("the rows are behind (%s): trying again", type(error).__name__)
                await asyncio.sleep(self._poll)
                every = None
                continue
            try:
                async with asyncio.timeout(self._poll):
                    await self._news.wait()
                self._news.clear()
                every, self._woken = self._woken, set()
            except TimeoutError:
                every = None

    async def catch_up(self, dbs: Collection[str] | None = None) -> int:
        """Read the feeds of these databases (None: of all) to their end; how many changes were projected."""
        async with self._one:
            names = [name for name in await self._store.names() if _is_followed(name)]
            read = await to_thread.run_sync(self._positions)
            ahead = [name for name in names if dbs is None or name in dbs]
            count = 0
            while ahead:
                name = ahead.pop(0)
                projected, read[name], touched = await self._follow(name, read.get(name, 0))
                count += projected
                ahead += sorted(touched & {*names} - {*ahead})
            return count

    async def rebuild(self) -> int:
        """Throw the read model away and project everything again; how many changes that were."""
        async with self._one:
            await to_thread.run_sync(self._forget)
        return await self.catch_up()

    async def _follow(self, db: str, since: Seq) -> tuple[int, Seq, set[str]]:
        """Project a feed, and what had to be written because of it; and what other databases that touched."""
        count, touched = 0, set[str]()
        with suppress(DatabaseMissing):
            count, since = await self._project(db, since)
            # what these write is read at once
            while (went := await self._mover.carry(db)) or await self._carrier.carry(db):
                touched |= went - {db}
                more, since = await self._project(db, since)
                count += more
        return count, since, touched

    async def _project(self, db: str, since: Seq) -> tuple[int, Seq]:
        """Project a feed to its end: how many changes, and where that is."""
        count = 0
        while (page := await self._store.changes(db, Page(since=since, limit=PAGE))).rows:
            ids = [row.id for row in page.rows if well_named(row.id)]
            if any(len(row.leaves) > 1 for row in page.rows):
                await self._settler.settle(db, ids)
            await self._bury(db, ids)
            documents = await self._read(db, ids)
            if db == COMMUNE:
                await self._make_places(documents)
            if await to_thread.run_sync(self._commit, db, documents, since, page.last_seq):
                count += len(page.rows)
                since = page.last_seq
            else:
                since = (await to_thread.run_sync(self._positions)).get(db, 0)
        return count, since

    async def _make_places(self, documents: Collection[str]) -> None:
        """Make the databases of hamlets. One that was founded after a backup which was restored comes back
        from a phone, and what was recorded there comes after it."""
        found = (_HAMLET.fullmatch(doc_id) for doc_id in documents)
        wanted = {f"{kind}-{one[1]}" for one in found if one for kind in ("hamlet", "media")}
        for db in sorted(wanted - {*await self._store.names()} if wanted else ()):
            with suppress(DatabaseExists):  # another process was first
                await self._store.create(db)

    async def _bury(self, db: str, ids: Collection[str]) -> None:
        """What was erased may have been on its way in, or come back with a backup: it is erased again."""
        gone = await to_thread.run_sync(self._erased, ids)
        if gone:
            await bury(self._store, db, gone)
            await self._store.forget_bodies(db, gone)  # a move may have brought them under its tombstone
        await to_thread.run_sync(self._blobs.remove, pictures_of(db, gone))

    async def _read(self, db: str, ids: Collection[str]) -> Mapping[str, Document]:
        """Documents with the bodies of their leaves, and all older ones that are held of those which a later
        program has written over."""
        documents = await self._store.read(db, ids, ends)
        later = [doc_id for doc_id, document in documents.items() if overwritten(doc_id, document)]
        if not later:
            return documents
        return {**documents, **await self._store.read(db, later, lambda _id, tree: tree)}

    # ---- in threads -------------------------------------------------------------------------------------

    def _erased(self, ids: Collection[str]) -> set[str]:
        with readers(self._rows).begin() as connection:
            return ledger.erased(connection, ids)

    def _positions(self) -> dict[str, Seq]:
        with readers(self._rows).begin() as connection:
            asked = select(_cursor.c.db, _cursor.c.seq).where(_cursor.c.follower == "rows")
            return {row.db: orjson.loads(row.seq) for row in connection.execute(asked)}

    def _commit(self, db: str, documents: Mapping[str, Document], since: Seq, after: Seq) -> bool:
        with readers(self._rows).begin() as connection:
            earlier = _earlier(connection, db, documents)
        rows = [
            row
            for doc_id, document in documents.items()
            for row in project(db, doc_id, document, earlier.get(doc_id))
        ]
        with writing(self._rows) as connection:
            if not _advance(connection, db, since, after):
                connection.rollback()
                return False
            _replace(connection, db, list(documents), rows)
            went = {one.row["id"]: one.row["target"] for one in rows if one.table is _moved}
            if went and db != COMMUNE:
                leftovers.carry_waiting(connection, db, went)
        return True

    def _forget(self) -> None:
        with self._rows.begin() as connection:
            for projected in (*PROJECTED, _cursor):
                connection.execute(delete(projected))


def _is_followed(db: str) -> bool:
    return db == COMMUNE or db.startswith(("hamlet-", "media-"))


def _earlier(
    connection: Connection, db: str, documents: Mapping[str, Document]
) -> dict[str, dict[Rev, bytes]]:
    """Of documents that a later program has written over, the archived bodies beneath."""
    wanted = {
        (doc_id, rev) for doc_id, document in documents.items() for rev in overwritten(doc_id, document)
    }
    found: dict[str, dict[Rev, bytes]] = {}
    for (doc_id, rev), raw in archive.bodies(connection, db, wanted).items():
        found.setdefault(doc_id, {})[rev] = raw
    return found


def _advance(connection: Connection, db: str, since: Seq, after: Seq) -> bool:
    """Move the cursor; False where it does not stand where it was read."""
    start = {"follower": "rows", "db": db, "seq": _text(0)}
    insert_new(connection, _cursor, [start])
    here = (_cursor.c.follower == "rows", _cursor.c.db == db, _cursor.c.seq == _text(since))
    return connection.execute(update(_cursor).where(*here).values(seq=_text(after))).rowcount == 1


def _text(seq: Seq) -> str:
    return orjson.dumps(seq).decode()


def _replace(connection: Connection, db: str, ids: Sequence[str], rows: Iterable[Projected]) -> None:
    by_table: dict[Table, list[Row]] = {projected: [] for projected in PROJECTED}
    for one in rows:
        by_table[one.table].append(one.row)
    for projected, new in by_table.items():
        named = projected.c[PROJECTED[projected]]
        for some in chunks(ids):
            connection.execute(delete(projected).where(projected.c.db == db, named.in_(some)))
        if new:
            connection.execute(insert(projected), new)
