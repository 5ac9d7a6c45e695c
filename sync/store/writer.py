"""The one thread that writes: everything that is queued goes into one transaction, and one fsync.

A job is a function of the transaction. It runs inside a savepoint: what one job gets wrong undoes that job
alone. Nobody is answered before the commit, and after it all are answered at once.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sync.store.interface import DatabaseMissing, StoreError, StoreFull

T = TypeVar("T")

MOST_AT_ONCE = 512
"""Jobs in one transaction: bounds how long the first of them waits."""

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}


@dataclass(frozen=True, slots=True)
class DatabaseRow:
    """A row of `database`, as the transaction has it."""

    key: int
    name: str
    seq: int
    live: int
    dead: int
    revs_limit: int


_BEGIN = """
INSERT INTO life (db, n, seq, name)
SELECT ?, coalesce(max(n), 0) + 1, ?, lower(hex(randomblob(4))) FROM life WHERE db = ?
"""


@dataclass(slots=True)
class Transaction:
    """What a job may touch: the connection, and the databases' counters, written back once at the end."""

    conn: sqlite3.Connection
    next_body: int
    begun: Collection[int] = frozenset()
    """Databases, by key, in which this process has begun its life (`sync.position`)."""
    databases: dict[str, DatabaseRow] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def database(self, name: str) -> DatabaseRow:
        """Raises DatabaseMissing."""
        row = self.databases.get(name)
        if row is None:
            found = self.conn.execute(
                "SELECT key, name, seq, live, dead, revs_limit FROM database WHERE name = ?", (name,)
            ).fetchone()
            if found is None:
                raise DatabaseMissing(name)
            row = self.databases[name] = DatabaseRow(*found)
            if row.key not in self.begun:
                self.conn.execute(_BEGIN, (row.key, row.seq, row.key))
        return row

    def update(self, row: DatabaseRow) -> None:
        """Keep counters that changed."""
        self.databases[row.name] = row

    def body_key(self) -> int:
        """A key for a new body."""
        key = self.next_body
        self.next_body += 1
        return key

    def flush(self) -> None:
        """Write the counters back."""
        self.conn.executemany(
            "UPDATE database SET seq = ?, live = ?, dead = ?, revs_limit = ? WHERE key = ?",
            [(row.seq, row.live, row.dead, row.revs_limit, row.key) for row in self.databases.values()],
        )


@dataclass(slots=True)
class _Job:
    run: Callable[[Any], Any]
    transactional: bool
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


Announce = Callable[[Mapping[str, int], "set[str]"], None]
"""Told, on the event loop, the sequences of databases that changed, and the names of those that are gone."""


class Writer:
    """The thread, its queue, and its connection."""

    def __init__(self, conn: sqlite3.Connection, loop: asyncio.AbstractEventLoop, announce: Announce) -> None:
        self._conn = conn
        self._loop = loop
        self._announce = announce
        self._begun: set[int] = set()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def transact(self, job: Callable[[Transaction], T]) -> T:
        """Run a job in the next transaction; returns when it is on disk."""
        result: T = await self._submit(job, transactional=True)
        return result

    async def between(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job on the writer's connection outside of any transaction."""
        result: T = await self._submit(job, transactional=False)
        return result

    def _submit(self, run: Callable[[Any], Any], *, transactional: bool) -> "asyncio.Future[Any]":
        if self._closed:
            raise StoreError("The store is closed.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Job(run, transactional, future))
        return future

    async def close(self) -> None:
        """Finish what is queued, then end the thread."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    # --- on the thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, last = self._gather(job)
            changed: Mapping[str, int] = {}
            dropped: set[str] = set()
            writes = [job for job in batch if job.transactional]
            if writes:
                changed, dropped = self._commit(writes)
            for job in batch:
                if not job.transactional:
                    self._attempt(job, self._conn)
                    if isinstance(job.error, sqlite3.Error):
                        job.error = _as_store_error(job.error)
            self._loop.call_soon_threadsafe(self._deliver, batch, changed, dropped)
            if last:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < MOST_AT_ONCE:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _commit(self, jobs: list[_Job]) -> tuple[Mapping[str, int], set[str]]:
        """Run the jobs in one transaction; where it cannot be committed all fail, and nothing is written.

        Savepoints copy every page that a job touches, so they are taken only where a job has failed already:
        then all that was done is undone, and done again with what is wrong left out.
        """
        try:
            tx = self._transact(jobs, careful=False) or self._transact(jobs, careful=True)
        except sqlite3.Error as error:
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            for job in jobs:
                job.error = _as_store_error(error)
            return {}, set()
        assert tx is not None
        return {row.name: row.seq for row in tx.databases.values()}, tx.dropped

    def _transact(self, jobs: list[_Job], *, careful: bool) -> Transaction | None:
        """What one transaction did, on disk; None where a job failed without a savepoint: nothing is done."""
        conn = self._conn
        conn.execute("BEGIN IMMEDIATE")
        (last,) = conn.execute("SELECT max(key) FROM body").fetchone()
        tx = Transaction(conn, max(last or 0, 1) + 1, self._begun)
        for job in jobs:
            if careful:
                self._within_savepoint(job, tx)
            else:
                self._attempt(job, tx)
                if job.error is not None:
                    self._undo(jobs)
                    return None
        tx.flush()
        conn.execute("COMMIT")
        self._begun.update(row.key for row in tx.databases.values())
        return tx

    def _undo(self, jobs: list[_Job]) -> None:
        if self._conn.in_transaction:
            self._conn.execute("ROLLBACK")
        for job in jobs:
            job.result = job.error = None

    def _within_savepoint(self, job: _Job, tx: Transaction) -> None:
        counters, dropped = dict(tx.databases), set(tx.dropped)
        tx.conn.execute("SAVEPOINT job")
        self._attempt(job, tx)
        if job.error is not None:
            if isinstance(job.error, sqlite3.Error):
                if not tx.conn.in_transaction or job.error.sqlite_errorcode in _FULL:
                    raise job.error
                job.error = _as_store_error(job.error)
            tx.conn.execute("ROLLBACK TO job")
            tx.databases, tx.dropped = counters, dropped
        tx.conn.execute("RELEASE job")

    @staticmethod
    def _attempt(job: _Job, argument: object) -> None:
        try:
            job.result = job.run(argument)
        except Exception as error:  # noqa: BLE001 - it is raised again where the job was submitted
            job.error = error

    # --- on the event loop -----------------------------------------------------------------------------

    def _deliver(self, batch: list[_Job], changed: Mapping[str, int], dropped: set[str]) -> None:
        for job in batch:
            if job.future.done():  # whoever waited has gone
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
        self._announce(changed, dropped)


def _as_store_error(error: sqlite3.Error) -> StoreError:
    if getattr(error, "sqlite_errorcode", None) in _FULL:
        return StoreFull("The disk is full: nothing was stored.")
    return StoreError(f"The store cannot write: {error}")


def grown(row: DatabaseRow, seqs: int, live: int, dead: int) -> DatabaseRow:
    """The row with so many sequences more, and with documents that came to life or died."""
    return replace(row, seq=row.seq + seqs, live=row.live + live, dead=row.dead + dead)
