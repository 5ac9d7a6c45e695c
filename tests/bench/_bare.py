"""What SQLite itself takes for the rows of a push, with nothing of the engine around it.

Ids of documents come at random, and a B-tree that is large gets another page dirty for nearly each of them:
read, changed, written to the log, copied to the file. That part of a push's cost grows with the database
whatever is built upon it, so it is measured beside the engine: the same tables and settings, the same
statements in the same batches, from two connections as in the engine (one looks up, one writes).
"""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from sync.store.sqlite import SqliteStore

AT_ONCE = 100
_IDS = ",".join("?" * AT_ONCE)


class BareSqlite:
    """A file like the engine's, to be filled by hand."""

    def __init__(self, path: Path) -> None:
        self._writer, self._reader = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
        for setting in ("synchronous = FULL", "wal_autocheckpoint = 8000", "secure_delete = ON"):
            self._writer.execute(f"PRAGMA {setting}")
        self._writer.execute("PRAGMA cache_size = -24000")
        self._reader.execute("PRAGMA cache_size = -4000")
        self._count = 0

    @classmethod
    async def at(cls, path: Path) -> "BareSqlite":
        """A new file with the engine's tables."""
        store = await SqliteStore.open(path)
        await store.create("bare")
        await store.close()
        return cls(path)

    def grow(self, size: int) -> float:
        """Fill up to so many documents; seconds of processor time for each of the last ten thousand."""
        costs = [self._add() for _ in range((size - self._count) // AT_ONCE)][-10_000 // AT_ONCE :]
        return sum(costs) / len(costs) / AT_ONCE

    def _add(self) -> float:
        """Add a batch; seconds of processor time."""
        numbers = range(self._count + 1, self._count + 1 + AT_ONCE)
        self._count += AT_ONCE
        ids = [secrets.token_hex(8) for _ in numbers]
        body = b'{"n":1,"text":"%b"}' % (b"x" * 520)
        bodies = [(number + 1, body, None) for number in numbers]
        docs = list(_docs(numbers, ids))
        lookup = f"SELECT id, tree FROM doc WHERE db = 1 AND id IN ({_IDS})"
        start = time.process_time()
        self._reader.execute(lookup, ids).fetchall()
        self._writer.execute("BEGIN IMMEDIATE")
        self._writer.execute(lookup, ids).fetchall()
        self._writer.executemany("INSERT INTO body (key, json, files) VALUES (?, ?, ?)", bodies)
        self._writer.executemany(
            "INSERT INTO doc (db, id, seq, rev, deleted, body, others, tree) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            docs,
        )
        self._writer.execute("UPDATE database SET seq = ?, live = ? WHERE key = 1", (self._count,) * 2)
        self._writer.execute("COMMIT")
        return time.process_time() - start

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()


def _docs(numbers: range, ids: list[str]) -> Iterator[tuple[object, ...]]:
    for number, doc_id in zip(numbers, ids, strict=True):
        digest = secrets.token_bytes(16)
        yield 1, doc_id, number, f"1-{digest.hex()}", 0, number + 1, None, bytes(17) + digest
