"""What keeps the file small, honest and able to forget."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import orjson

from sync import revtree
from sync.rev import Rev
from sync.revtree import Node
from sync.store.interface import DatabaseExists
from sync.store.packed import EMPTY_BODY, body_keys, unpack
from sync.store.reading import GONE, database
from sync.store.writer import Transaction, grown
from sync.store.writing import Entry, drop_bodies, entries, refresh, save, stem, winner_of

AT_ONCE = 500
"""Documents that one transaction of a compaction or a drop looks at: writers wait no longer than that."""


def drop(tx: Transaction, name: str) -> None:
    """Take a database away at once; `clear_some` forgets what it held. Raises DatabaseMissing."""
    db = tx.database(name)
    tx.conn.execute("UPDATE database SET name = ? WHERE key = ?", (f"{GONE}{db.key}", db.key))
    if db.seq:
        tx.conn.execute("INSERT INTO past (name, seq) VALUES (?, ?)", (name, db.seq))
    del tx.databases[name]
    tx.dropped.add(name)


def create(tx: Transaction, name: str) -> None:
    """Make a database, whose sequences go on from those of one that had its name. Raises DatabaseExists."""
    if tx.conn.execute("SELECT 1 FROM database WHERE name = ?", (name,)).fetchone():
        raise DatabaseExists(name)
    tx.conn.execute("INSERT INTO database (name) VALUES (?)", (name,))
    tx.dropped.discard(name)
    db = tx.database(name)  # its life begins before all that the other has given: it gave none of it
    past = tx.conn.execute("SELECT seq FROM past WHERE name = ?", (name,)).fetchone()
    if past is not None:
        tx.conn.execute("DELETE FROM past WHERE name = ?", (name,))
        tx.update(grown(db, past[0], 0, 0))


_GONE = "SELECT key FROM database WHERE name GLOB ? LIMIT 1"


def is_unclear(conn: sqlite3.Connection) -> bool:
    """Whether anything is left of dropped databases."""
    return conn.execute(_GONE, (f"{GONE}*",)).fetchone() is not None


def clear_some(tx: Transaction) -> None:
    """Forget the next documents of a dropped database, and with the last the database."""
    found = tx.conn.execute(_GONE, (f"{GONE}*",)).fetchone()
    if found is None:
        return
    rows = tx.conn.execute("SELECT key, tree FROM doc WHERE db = ? LIMIT ?", (*found, AT_ONCE)).fetchall()
    for _, tree in rows:
        drop_bodies(tx.conn, body_keys(tree))
    tx.conn.executemany("DELETE FROM doc WHERE key = ?", [(key,) for key, _ in rows])
    if len(rows) < AT_ONCE:
        tx.conn.execute("DELETE FROM local WHERE db = ?", found)
        tx.conn.execute("DELETE FROM life WHERE db = ?", found)
        tx.conn.execute("DELETE FROM database WHERE key = ?", found)


def purge(tx: Transaction, name: str, leaves: Mapping[str, Collection[Rev]]) -> dict[str, list[Rev]]:
    """Forget leaves, and of their branches what hangs on nothing else."""
    db = tx.database(name)
    purged: dict[str, list[Rev]] = {}
    for doc_id, entry in entries(tx.conn, db, leaves).items():
        tree = dict(entry.tree)
        purged[doc_id] = [rev for rev in leaves[doc_id] if _cut(tree, rev)]
        if not purged[doc_id]:
            continue
        drop_bodies(tx.conn, [entry.held.pop(rev) for rev in list(entry.held) if rev not in tree])
        entry.tree = tree
        if tree:
            save(tx, tx.database(name), [entry])
        else:
            tx.conn.execute("DELETE FROM doc WHERE key = ?", (entry.key,))
            tx.update(grown(tx.database(name), 1, -int(bool(entry.alive)), -int(not entry.alive)))
    return purged


def _cut(tree: dict[Rev, Node], leaf: Rev) -> bool:
    """Take a leaf out, and its ancestors up to the next fork; False where it is no leaf of the tree."""
    parents = {node.parent for node in tree.values()}
    if leaf not in tree or leaf in parents:
        return False
    rev: Rev | None = leaf
    while rev is not None and not any(node.parent == rev for node in tree.values()):
        node = tree.pop(rev)
        rev = node.parent if node.parent in tree else None
    return True


def forget_bodies(tx: Transaction, name: str, ids: Collection[str]) -> None:
    """Overwrite all that documents say; that they were there, and how they were edited, stays.

    A leaf that deletes is left with an empty body: without one a peer could not be given it.
    """
    for entry in entries(tx.conn, tx.database(name), ids).values():
        if entry.key is not None:
            drop_bodies(tx.conn, entry.held.values())
            entry.held = {rev: key for rev, key in entry.held.items() if key == EMPTY_BODY}
            ends = (rev for rev in revtree.leaves(entry.tree) if entry.tree[rev].deleted)
            entry.held |= dict.fromkeys(ends, EMPTY_BODY)
            refresh(tx, entry)


def compact_some(tx: Transaction, name: str, start: int, history: int) -> int | None:
    """Compact the next documents by key; answers where to go on, or None at the end.

    Bodies stay of leaves, and of `history` generations before each leaf that does not delete.
    """
    db = tx.database(name)
    rows = tx.conn.execute(
        "SELECT key, id, deleted, tree FROM doc WHERE key >= ? AND db = ? ORDER BY key LIMIT ?",
        (start, db.key, AT_ONCE),
    ).fetchall()
    for key, doc_id, deleted, blob in rows:
        tree, held = unpack(blob)
        entry = Entry(doc_id, key, not deleted, tree, held)
        young = {rev for leaf in revtree.live(tree) for rev in revtree.ancestry(tree, leaf)[: history + 1]}
        parents = {node.parent for node in tree.values()}
        old = [rev for rev in held if rev in parents and rev not in young]
        drop_bodies(tx.conn, [entry.held.pop(rev) for rev in old])
        if len(tree) > db.revs_limit:
            stem(tx, entry, db.revs_limit)
        if old or len(entry.tree) != len(tree):
            refresh(tx, entry)
    return rows[-1][0] + 1 if len(rows) == AT_ONCE else None


def check(conn: sqlite3.Connection) -> list[str]:
    """Everything that two parts of the file say differently."""
    problems = [text for (text,) in conn.execute("PRAGMA integrity_check") if text != "ok"]
    referred: Counter[int] = Counter()
    for (name,) in conn.execute("SELECT name FROM database ORDER BY name").fetchall():
        problems += (f"{name}: {problem}" for problem in _check_database(conn, name, referred))
    stored = {key for (key,) in conn.execute("SELECT key FROM body")}
    problems += (f"body {key} is missing" for key in sorted(referred.keys() - stored))
    problems += (f"body {key} belongs to nothing" for key in sorted(stored - referred.keys()))
    problems += (f"body {key} belongs to {n} revisions" for key, n in referred.items() if n > 1)
    problems += _check_files(conn)
    return problems


def _check_database(conn: sqlite3.Connection, name: str, referred: Counter[int]) -> Iterator[str]:
    db = database(conn, name)
    alive: Counter[bool] = Counter()
    ids: set[str] = set()
    sql = "SELECT id, seq, rev, deleted, body, others, tree FROM doc WHERE db = ?"
    for doc_id, seq, rev, deleted, body, others, blob in conn.execute(sql, (db.key,)):
        if doc_id in ids:
            yield f"document {doc_id!r} is there twice"
        ids.add(doc_id)
        tree, held = unpack(blob)
        referred.update(key for key in held.values() if key > EMPTY_BODY)
        winner = winner_of(tree, held)
        if (str(winner.rev), winner.deleted, winner.body, winner.others) != (
            rev,
            bool(deleted),
            body,
            others,
        ):
            yield f"document {doc_id!r}: the winner's columns and the tree disagree"
        if not 0 < seq <= db.seq:
            yield f"document {doc_id!r}: sequence {seq} lies beyond {db.seq}"
        alive[not deleted] += 1
    if (alive[True], alive[False]) != (db.live, db.dead):
        yield f"counts {db.live} and {db.dead} deleted, has {alive[True]} and {alive[False]}"


def _check_files(conn: sqlite3.Connection) -> Iterator[str]:
    held = set(conn.execute("SELECT body, blob FROM hold"))
    in_use = {blob for _, blob in held}
    named = {
        (key, row[4])
        for key, files in conn.execute("SELECT key, files FROM body WHERE files IS NOT NULL")
        for row in orjson.loads(files).values()
    }
    if held != named:
        yield f"attachments: {len(held - named)} held but not named, {len(named - held)} named but not held"
    for key, sha, data in conn.execute("SELECT key, sha256, bytes FROM blob"):
        if hashlib.sha256(data).digest() != sha:
            yield f"attachment {key}: its bytes changed"
        if key not in in_use:
            yield f"attachment {key} belongs to nothing"
