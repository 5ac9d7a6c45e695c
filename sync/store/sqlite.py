"""The embedded store: one SQLite file for all databases.

One thread writes, in transactions that carry everything that is queued (`sync.store.writer`); a few threads
read, each from its own snapshot, and never wait for the writer (WAL). Waiting for a change costs a future.
Without a path the store lives in memory: the same code, with reads on the writer's connection.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from sync.rev import Rev
from sync.revtree import Tree
from sync.store import files, housekeeping, reading, schema, writing
from sync.store.interface import (
    AttachmentMissing,
    Changes,
    Choice,
    Conflict,
    Current,
    DatabaseMissing,
    Document,
    Edit,
    Info,
    Listing,
    Page,
    Seq,
    Span,
    StoreError,
    Write,
)
from sync.store.writer import Writer

T = TypeVar("T")

READERS = 3
LOOK_EVERY = 1.0
"""Seconds between looks for what other processes wrote, while anybody waits for changes."""

TRIES, PAUSE = 600, 0.1
"""How often, and with how many seconds between, forgetting waits for readers (a backup is one)."""
BUSY = 10_000
"""Milliseconds that a connection waits for another process."""


class SqliteStore:
    """Documents in SQLite. Open with `SqliteStore.open`; implements `sync.store.interface.Store`."""

    def __init__(self, path: Path | None, writer_conn: sqlite3.Connection, history: int = 0) -> None:
        self._path = path
        self._history = history
        self._writer = Writer(writer_conn, asyncio.get_running_loop(), self._announce)
        self._conn = writer_conn
        self._readers = ThreadPoolExecutor(READERS, "store-reader") if path else None
        self._reader = threading.local()
        self._reader_conns: list[sqlite3.Connection] = []
        self._seqs: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._beyond = reading.Beyond()
        self._version = 0
        self._announced = 0
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path | None, *, history: int = 0) -> Self:
        """Open or make the file, bringing an older one up to date. Raises StoreError where it cannot be.

        `history`: how many generations before each live leaf keep their bodies when compacted. An application
        that joins what comes with its parent (`sync.resolve.inline`) wants one; CouchDB keeps none.
        """
        conn = await asyncio.to_thread(_open_for_writing, path)
        store = cls(path, conn, history)
        await store._clear()  # a drop that was cut short
        await store._look()
        return store

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        if self._watch:
            self._watch.cancel()
        await self._writer.close()
        if self._readers:
            await asyncio.to_thread(self._readers.shutdown)
        for conn in self._reader_conns:
            conn.close()
        self._conn.close()

    # --- databases -------------------------------------------------------------------------------------

    async def names(self) -> list[str]:
        return list(await self._read(reading.seqs))

    async def create(self, db: str) -> None:
        await self._writer.transact(lambda tx: housekeeping.create(tx, db))

    async def drop(self, db: str) -> None:
        await self._writer.transact(lambda tx: housekeeping.drop(tx, db))
        await self._clear()

    async def _clear(self) -> None:
        while await self._read(housekeeping.is_unclear):
            await self._writer.transact(housekeeping.clear_some)

    async def info(self, db: str) -> Info:
        return await self._read(lambda conn: reading.info(conn, db))

    # --- documents -------------------------------------------------------------------------------------

    async def trees(self, db: str, ids: Collection[str]) -> Mapping[str, Tree]:
        return await self._read(lambda conn: reading.trees(conn, db, ids))

    async def bodies(self, db: str, revs: Collection[tuple[str, Rev]]) -> Mapping[tuple[str, Rev], bytes]:
        return await self._read(lambda conn: reading.bodies(conn, db, revs))

    async def current(self, db: str, ids: Collection[str]) -> Mapping[str, Current]:
        return await self._read(lambda conn: reading.current(conn, db, ids))

    async def read(self, db: str, ids: Collection[str], choose: Choice) -> Mapping[str, Document]:
        return await self._read(lambda conn: reading.read(conn, db, ids, choose))

    async def listing(self, db: str, span: Span) -> Listing:
        return await self._read(lambda conn: reading.listing(conn, db, span))

    async def graft(self, db: str, edits: Sequence[Edit]) -> Sequence[bool]:
        return await self._writer.transact(lambda tx: writing.graft(tx, db, edits))

    async def graft_all(self, edits: Mapping[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]:
        return await self._writer.transact(
            lambda tx: {db: writing.graft(tx, db, of_db) for db, of_db in edits.items()}
        )

    async def write(self, db: str, writes: Sequence[Write]) -> Sequence[Rev | Conflict]:
        return await self._writer.transact(lambda tx: writing.write(tx, db, writes))

    # --- the feed --------------------------------------------------------------------------------------

    async def changes(self, db: str, page: Page) -> Changes:
        return await self._read(lambda conn: reading.changes(conn, db, page, self._beyond))

    async def newest(self, db: str, ids: Collection[str] | None, instance: int) -> Sequence[int]:
        return await self._read(lambda conn: reading.newest(conn, db, ids, instance))

    async def gave(self, db: str, seq: Seq, life: str) -> bool:
        return await self._read(lambda conn: reading.gave(conn, db, seq, life))

    async def wait(self, db: str, since: Seq) -> None:
        """Return at the first change after `since`. Raises DatabaseMissing, also when it gets dropped."""
        if db not in self._seqs:
            await self._look()
        now = self._seqs.get(db)
        if now is None:
            raise DatabaseMissing(db)
        if isinstance(since, int) and since < now:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(db, set())
        waiting.add(future)
        if self._path and (self._watch is None or self._watch.done()):
            self._watch = asyncio.create_task(self._look_now_and_then())
        try:
            await future
        finally:
            waiting.discard(future)

    async def _look_now_and_then(self) -> None:
        while any(self._waiting.values()):
            await asyncio.sleep(LOOK_EVERY)
            await self._look()

    async def _look(self) -> None:
        """Take in what other processes have written to the file: of that nobody is told."""
        announced = self._announced
        version, seqs = await self._writer.between(_version_and_seqs)
        if version != self._version and announced == self._announced:  # else it may be old: at the next look
            self._version = version
            self._announce(seqs, self._seqs.keys() - seqs.keys())

    def _announce(self, changed: Mapping[str, int], dropped: Collection[str]) -> None:
        self._announced += bool(changed or dropped)
        for db in dropped:
            self._seqs.pop(db, None)
            for future in self._waiting.pop(db, ()):
                if not future.done():
                    future.set_exception(DatabaseMissing(db))
        for db, seq in changed.items():
            if self._seqs.get(db) != seq:
                self._seqs[db] = seq
                for future in self._waiting.pop(db, ()):
                    if not future.done():
                        future.set_result(None)

    # --- local documents -------------------------------------------------------------------------------

    async def local(self, db: str, local_id: str) -> tuple[int, bytes] | None:
        return await self._read(lambda conn: reading.local(conn, db, local_id))

    async def put_local(self, db: str, local_id: str, body: bytes | None, seen: int | None = None) -> int:
        return await self._writer.transact(lambda tx: writing.put_local(tx, db, local_id, body, seen))

    async def locals(self, db: str) -> Sequence[tuple[str, int, bytes]]:
        return await self._read(lambda conn: reading.locals_(conn, db))

    # --- attachments -----------------------------------------------------------------------------------

    async def attachment(self, key: int, start: int = 0, end: int | None = None) -> bytes:
        """Bytes of an attachment. Raises AttachmentMissing."""
        data = await self._read(lambda conn: files.read_bytes(conn, key, start, end))
        if data is None:
            raise AttachmentMissing(str(key))
        return data

    # --- housekeeping ----------------------------------------------------------------------------------

    async def security(self, db: str) -> bytes:
        def read(conn: sqlite3.Connection) -> bytes:
            key = reading.database(conn, db).key
            body: bytes = conn.execute("SELECT security FROM database WHERE key = ?", (key,)).fetchone()[0]
            return body

        return await self._read(read)

    async def set_security(self, db: str, body: bytes) -> None:
        await self._writer.transact(
            lambda tx: tx.conn.execute(
                "UPDATE database SET security = ? WHERE key = ?", (body, tx.database(db).key)
            )
        )

    async def set_revs_limit(self, db: str, limit: int) -> None:
        await self._writer.transact(lambda tx: tx.update(replace(tx.database(db), revs_limit=limit)))

    async def purge(self, db: str, leaves: Mapping[str, Collection[Rev]]) -> Mapping[str, Sequence[Rev]]:
        purged = await self._writer.transact(lambda tx: housekeeping.purge(tx, db, leaves))
        await self._empty_log()
        return purged

    async def forget_bodies(self, db: str, ids: Collection[str]) -> None:
        await self._writer.transact(lambda tx: housekeeping.forget_bodies(tx, db, ids))
        await self._empty_log()

    async def compact(self, db: str) -> None:
        start: int | None = 0
        while start is not None:
            some = partial(housekeeping.compact_some, name=db, start=start, history=self._history)
            start = await self._writer.transact(some)
        await self._writer.between(lambda conn: conn.execute("PRAGMA incremental_vacuum").fetchall())
        await self._empty_log()

    async def check(self) -> Sequence[str]:
        return await self._read(housekeeping.check)

    async def backup(self, path: Path) -> None:
        """Copy the store to a new file while it is in use. Raises StoreError where the file exists."""
        if await asyncio.to_thread(path.exists):
            raise StoreError(f"{path} exists already.")

        def copy(conn: sqlite3.Connection) -> None:
            target = sqlite3.connect(path)
            try:
                conn.backup(target)
            finally:
                target.close()

        await self._read(copy, snapshot=False)

    async def _empty_log(self) -> None:
        """Old pages live on in the write-ahead log until it is emptied; forgetting means there as well.

        A snapshot that is being read keeps it: others write meanwhile, and it is tried again. What a reader
        holds for longer than a minute goes with the next emptying.
        """
        for _ in range(TRIES):
            if await self._writer.between(_empty_log):
                return
            await asyncio.sleep(PAUSE)

    # --- reading ---------------------------------------------------------------------------------------

    async def _read(self, query: Callable[[sqlite3.Connection], T], *, snapshot: bool = True) -> T:
        """Run a query on a reader's connection, all of it as of one moment."""
        if self._readers is None:
            return await self._writer.between(query)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query, snapshot)

    def _query(self, query: Callable[[sqlite3.Connection], T], snapshot: bool) -> T:
        conn: sqlite3.Connection | None = getattr(self._reader, "conn", None)
        if conn is None:
            assert self._path is not None
            conn = self._reader.conn = _connect(self._path)
            conn.execute("PRAGMA query_only = ON")
            conn.execute("PRAGMA cache_size = -4000")
            self._reader_conns.append(conn)
        try:
            if not snapshot:
                return query(conn)
            conn.execute("BEGIN")
            try:
                return query(conn)
            finally:
                conn.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"The store cannot read: {error}") from error


def _version_and_seqs(conn: sqlite3.Connection) -> tuple[int, dict[str, int]]:
    """A number that other processes' commits change (one's own do not), and how far each database is."""
    (version,) = conn.execute("PRAGMA data_version").fetchone()
    return version, reading.seqs(conn)


def _empty_log(conn: sqlite3.Connection) -> bool:
    """Whether the log is empty now. It hardly waits: the writer's thread is everybody's."""
    conn.execute("PRAGMA busy_timeout = 20")
    try:
        (busy, _, _) = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        conn.execute(f"PRAGMA busy_timeout = {BUSY}")
    return not busy


def _open_for_writing(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    conn = _connect(path)
    try:
        schema.prepare(conn)
        # FULL: a commit is on disk before it is answered. The log may grow to 32 MB between checkpoints,
        # which makes them few; what is deleted is overwritten.
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA wal_autocheckpoint = 8000")
        conn.execute("PRAGMA secure_delete = ON")
        conn.execute("PRAGMA cache_size = -24000")
    except sqlite3.DatabaseError as error:
        conn.close()
        raise StoreError(f"{path} cannot be opened as a document store: {error}") from error
    except StoreError:
        conn.close()
        raise
    return conn


def _connect(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=BUSY / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
