"""What a server holds when nothing moves, read from its files behind its back."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine

from server.office import coverage
from server.office.places import current, hamlets
from sync import revtree
from sync.rev import Rev
from sync.revtree import Tree
from sync.store import reading

Body = Mapping[str, Any]
Key = tuple[str, str]
"""A database and a document's id."""


class Doc(NamedTuple):
    """A document in the store: its whole tree, its live leaves (the winner first), the winner's body."""

    tree: Tree
    live: tuple[Rev, ...]
    body: Body | None


class Kept(NamedTuple):
    """One body of the archive."""

    db: str
    id: str
    rev: str
    body: Body
    deleted: bool
    source: str


class Waiting(NamedTuple):
    """One entry of the quarantine."""

    number: int
    db: str
    id: str
    rev: str
    why: str
    state: str
    body: Body


class Seen(NamedTuple):
    """Everything."""

    docs: Mapping[Key, Doc]
    archive: tuple[Kept, ...]
    quarantine: tuple[Waiting, ...]
    erased: frozenset[Key]
    admitted: frozenset[str]
    """Devices that the rows do not shut out."""
    ledger: frozenset[str]
    """Devices that the ledger names as revoked, of which a restored backup may have no row."""
    asking: frozenset[Key]
    """Documents of which the office says that answers wait to be chosen from."""
    pictures: frozenset[tuple[str, str]]
    """Hamlet and name of the photographs that are whole."""
    spoiled: frozenset[str]
    """Names of those whose bytes are others."""
    counts: Mapping[str, tuple[int, int]]
    """By hamlet: households that count, and how many of those have signed, as the office says."""


def observe(data: Path) -> Seen:
    """Read it all."""
    with closing(_open(data / "rows.sqlite")) as rows:
        archive = tuple(
            Kept(db, doc_id, rev, json.loads(body), bool(deleted), source)
            for db, doc_id, rev, body, deleted, source in rows.execute(
                "SELECT db, id, rev, body, deleted, source FROM archive"
            )
        )
        quarantine = tuple(
            Waiting(number, db, doc_id, rev, why, state, json.loads(body))
            for number, db, doc_id, rev, why, state, body in rows.execute(
                "SELECT number, db, doc_id, rev, why, state, body FROM quarantine"
            )
        )
        ledger = list(rows.execute("SELECT kind, db, id FROM ledger"))
        asking = frozenset(rows.execute("SELECT db, id FROM attention_row WHERE why = 'asks'"))
        asked = "SELECT id FROM device WHERE revoked_at IS NULL"
        admitted = [device for (device,) in rows.execute(asked)]
    files = {
        (path.parent.name, path.name): sha256(path.read_bytes()).hexdigest()
        for path in (data / "media").glob("*/*")
        if path.is_file() and not path.suffix
    }
    return Seen(
        documents(data / "documents.sqlite"),
        archive,
        quarantine,
        frozenset((db, doc_id) for kind, db, doc_id in ledger if kind == "erased"),
        frozenset(admitted),
        frozenset(one for kind, db, one in ledger if kind == "revoked" and not db),
        asking,
        frozenset(files),
        frozenset(name for (_, name), digest in files.items() if digest != name),
        _counts(data),
    )


def documents(path: Path) -> dict[Key, Doc]:
    """The store alone."""
    found: dict[Key, Doc] = {}
    with closing(_open(path)) as conn:
        for (name,) in conn.execute("SELECT name FROM database").fetchall():
            ids = [
                doc_id
                for (doc_id,) in conn.execute(
                    "SELECT id FROM doc WHERE db = (SELECT key FROM database WHERE name = ?)", (name,)
                )
            ]
            held = reading.read(conn, name, ids, lambda _id, tree: revtree.live(tree))
            for doc_id, document in held.items():
                live = tuple(revtree.live(document.tree))
                body = document.bodies[live[0]].json if live and live[0] in document.bodies else None
                found[name, doc_id] = Doc(document.tree, live, None if body is None else json.loads(body))
    return found


def behind(data: Path) -> bool:
    """Whether the rows have still to hear of something."""
    with closing(_open(data / "rows.sqlite")) as rows:
        read = dict(rows.execute("SELECT db, seq FROM cursor WHERE follower = 'rows'").fetchall())
    with closing(_open(data / "documents.sqlite")) as conn:
        names = conn.execute("SELECT name, seq FROM database").fetchall()
    return any(
        int(read.get(name, 0)) != seq
        for name, seq in names
        if name == "commune" or name.startswith("hamlet-")
    )


def sequences(data: Path) -> dict[str, int]:
    """How far each database has come."""
    with closing(_open(data / "documents.sqlite")) as conn:
        return dict(conn.execute("SELECT name, seq FROM database").fetchall())


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def _counts(data: Path) -> dict[str, tuple[int, int]]:
    engine = create_engine(f"sqlite:///file:{data / 'rows.sqlite'}?mode=ro&uri=true")
    try:
        with engine.connect() as rows:
            campaign = current(rows)
            assert campaign is not None
            found = coverage.count(rows, campaign, hamlets(rows))
            return {one.hamlet: (one.counted, one.signed) for one in found}
    finally:
        engine.dispose()
