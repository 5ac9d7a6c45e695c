"""The SQLite file: its tables, and the way forward from every older form of them.

One file holds all databases, so that one fsync serves many phones and an edit may span databases. Bodies
lie apart from trees: the feed and the winner are read from `doc` alone, and a body is written once.
"""

import sqlite3
from collections.abc import Sequence

from sync.store.interface import StoreError

APPLICATION_ID = 0x43414D4B  # "CAMK"

_FIRST = """
CREATE TABLE database (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL DEFAULT 0,
    live INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    revs_limit INTEGER NOT NULL DEFAULT 1000,
    security BLOB NOT NULL DEFAULT x'7b7d'
);

-- `rev`, `deleted` and `body` are the winner's; `others` are the other leaves as JSON, where there are any.
CREATE TABLE doc (
    key INTEGER PRIMARY KEY,
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rev TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    body INTEGER NOT NULL,
    others TEXT,
    tree BLOB NOT NULL
);
CREATE UNIQUE INDEX doc_by_id ON doc (db, id, deleted);
CREATE UNIQUE INDEX doc_by_seq ON doc (db, seq);

-- `files` is JSON: name -> [content type, digest, length, revpos, key of the blob].
CREATE TABLE body (
    key INTEGER PRIMARY KEY,
    json BLOB NOT NULL,
    files TEXT
);

CREATE TABLE blob (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
);
CREATE TABLE hold (
    body INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    PRIMARY KEY (body, blob)
) WITHOUT ROWID;
CREATE INDEX hold_by_blob ON hold (blob);

CREATE TABLE local (
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    n INTEGER NOT NULL,
    json BLOB NOT NULL,
    PRIMARY KEY (db, id)
) WITHOUT ROWID;
"""

_LIVES = """
-- The lives of a database: each process begins one with its first write, after the sequence `seq`. A copy of
-- the file that is put back knows nothing of the lives that began after it was taken.
CREATE TABLE life (
    db INTEGER NOT NULL,
    n INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (db, n)
) WITHOUT ROWID;
CREATE UNIQUE INDEX life_by_name ON life (db, name);
"""

_PAST = """
-- How far databases were that were dropped: one that is made again under the name goes on from there, so that
-- a sequence that somebody has kept is never that of another document.
CREATE TABLE past (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
"""

MIGRATIONS: Sequence[str] = (_FIRST, _LIVES, _PAST)
"""Each takes the file from the version that is its index to the next. Add at the end; change none."""


def prepare(conn: sqlite3.Connection) -> None:
    """Bring a file, new or old, to the newest form, each step in one transaction.

    Raises StoreError where a newer Camket wrote it, or another program did.
    """
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    (application,) = conn.execute("PRAGMA application_id").fetchone()
    (tables,) = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise StoreError("This SQLite file is not a Camket document store.")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"A newer Camket wrote this store (form {version}, this one knows {len(MIGRATIONS)})."
        )
    if not tables:
        conn.execute("PRAGMA auto_vacuum = INCREMENTAL")
    conn.execute("PRAGMA journal_mode = WAL")
    for number in range(version, len(MIGRATIONS)):
        conn.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]} "
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
        )
