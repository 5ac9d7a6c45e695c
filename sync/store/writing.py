"""What a transaction does to documents: graft what peers send, write what is edited."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from sync import revtree
from sync.rev import Rev
from sync.revtree import Grafted, Growing, Tree
from sync.store.files import FileRow, copy_holds, hold_files
from sync.store.interface import Conflict, Edit, Files, Write
from sync.store.mint import mint
from sync.store.packed import EMPTY_BODY, NO_BODY, pack, unpack
from sync.store.rows import select_in
from sync.store.writer import DatabaseRow, Transaction, grown

EMPTY = b"{}"


@dataclass(slots=True)
class Entry:
    """A document while a transaction works on it; `alive` is None where it did not exist before."""

    id: str
    key: int | None = None
    alive: bool | None = None
    tree: Tree = field(default_factory=dict)
    held: dict[Rev, int] = field(default_factory=dict)
    changed: bool = False
    growing: Growing = field(init=False)
    """The tree as it grows; `settle` takes it for the document's."""


def entries(conn: sqlite3.Connection, db: DatabaseRow, ids: Collection[str]) -> dict[str, Entry]:
    """The documents as they are, with an empty entry for each that is not there."""
    found = {doc_id: Entry(doc_id) for doc_id in ids}
    rows = select_in(conn, "SELECT key, id, deleted, tree FROM doc WHERE db = ? AND id IN", (db.key,), found)
    for key, doc_id, deleted, blob in rows:
        tree, held = unpack(blob)
        found[doc_id] = Entry(doc_id, key, not deleted, tree, held)
    return found


def growing(conn: sqlite3.Connection, db: DatabaseRow, ids: Collection[str]) -> dict[str, Entry]:
    """The same, ready to grow."""
    work = entries(conn, db, ids)
    for entry in work.values():
        entry.growing = Growing(entry.tree)
    return work


def graft(tx: Transaction, name: str, edits: Sequence[Edit]) -> list[bool]:
    """Add revisions with their ancestry. Raises DatabaseMissing, AttachmentMissing."""
    db = tx.database(name)
    work = growing(tx.conn, db, [edit.id for edit in edits])
    pile = Pile(tx)
    answer: list[bool] = []
    for edit in edits:
        entry = work[edit.id]
        known = edit.rev in entry.growing.tree
        grafted = entry.growing.graft(edit.path, edit.deleted)
        if not known:
            entry.held[edit.rev] = pile.add(entry.held.values(), edit.rev.generation, edit.body, edit.files)
        grew = grafted is not Grafted.KNOWN  # joining two stems adds no node, but takes a leaf away
        entry.changed |= grew
        answer.append(grew)
    pile.store()
    settle(tx, db, work.values())
    return [grew and work[edit.id].changed for edit, grew in zip(edits, answer, strict=True)]


def write(tx: Transaction, name: str, writes: Sequence[Write]) -> list[Rev | Conflict]:
    """Interactive writes, in order. Raises DatabaseMissing, AttachmentMissing."""
    db = tx.database(name)
    work = growing(tx.conn, db, [write.id for write in writes])
    pile = Pile(tx)
    answer: list[Rev | Conflict] = []
    for write in writes:
        entry = work[write.id]
        parent, fits = entry.growing.follows(write.parent)
        if not fits or (write.path and parent != write.parent):
            answer.append(Conflict(write.id))
            continue
        added = write.path or (mint(parent, write.deleted, write.body, write.files),)
        rev = added[0]
        path = added if parent is None else (*added, parent)
        entry.growing.graft(path, write.deleted)
        of_parent = [entry.held[parent]] if parent in entry.held else []
        entry.held[rev] = pile.add(of_parent, rev.generation, write.body, write.files)
        entry.changed = True
        answer.append(rev)
    pile.store()
    settle(tx, db, work.values())
    return answer


def settle(tx: Transaction, db: DatabaseRow, work: Collection[Entry]) -> None:
    """Write back the documents that changed: more history than the limit takes is no change."""
    for entry in work:
        if entry.changed:
            before, entry.tree = entry.tree, entry.growing.tree
            if len(entry.tree) > db.revs_limit:
                stem(tx, entry, db.revs_limit)
                entry.changed = entry.tree != before
    save(tx, db, [entry for entry in work if entry.changed])


class Pile:
    """Bodies that wait to be stored, all in one statement."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._bodies: list[tuple[int, bytes, str | None]] = []
        self._files: dict[int, Mapping[str, FileRow]] = {}

    def add(self, held: Collection[int], generation: int, body: bytes, files: Files) -> int:
        """The key that the body will have; stubs are of attachments of the bodies `held`.

        Raises AttachmentMissing where a stub is of nothing.
        """
        if body == EMPTY and not files:
            return EMPTY_BODY
        key = self._tx.body_key()
        text = None
        if files:
            rows = hold_files(self._tx.conn, held, generation, files, self._files)
            self._files[key] = rows
            text = orjson.dumps(rows).decode()
        self._bodies.append((key, body, text))
        return key

    def store(self) -> None:
        """Write what was added."""
        conn = self._tx.conn
        conn.executemany("INSERT INTO body (key, json, files) VALUES (?, ?, ?)", self._bodies)
        copy_holds(conn, self._files)


def stem(tx: Transaction, entry: Entry, limit: int) -> None:
    """Forget generations beyond the limit, bodies included."""
    entry.tree = revtree.stem(entry.tree, limit)
    drop_bodies(tx.conn, [entry.held.pop(rev) for rev in list(entry.held) if rev not in entry.tree])


def drop_bodies(conn: sqlite3.Connection, keys: Collection[int]) -> None:
    """Overwrite bodies, and attachments that nothing else holds."""
    rows = [(key,) for key in keys if key > EMPTY_BODY]
    conn.executemany("DELETE FROM body WHERE key = ?", rows)
    blobs = [blob for row in rows for (blob,) in conn.execute("SELECT blob FROM hold WHERE body = ?", row)]
    if blobs:
        conn.executemany("DELETE FROM hold WHERE body = ?", rows)
        conn.executemany(
            "DELETE FROM blob WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM hold WHERE blob = ?1)",
            [(blob,) for blob in blobs],
        )


@dataclass(frozen=True, slots=True)
class Winner:
    """The columns of `doc` that follow from its tree."""

    rev: Rev
    deleted: bool
    body: int
    others: str | None


def winner_of(tree: Tree, held: Mapping[Rev, int]) -> Winner:
    """What `doc` says of a tree, so that the feed needs not unpack it."""
    leaves = revtree.leaves(tree)
    rev = leaves[0]
    others = None
    if len(leaves) > 1:
        others = orjson.dumps([[str(leaf), tree[leaf].deleted] for leaf in leaves[1:]]).decode()
    return Winner(rev, tree[rev].deleted, held.get(rev, NO_BODY), others)


def save(tx: Transaction, db: DatabaseRow, changed: Sequence[Entry]) -> None:
    """Write documents back, each at a sequence of its own."""
    fresh: list[tuple[object, ...]] = []
    grew: list[tuple[object, ...]] = []
    live = dead = 0
    for seq, entry in enumerate(changed, db.seq + 1):
        winner = winner_of(entry.tree, entry.held)
        alive = not winner.deleted
        live += alive - (entry.alive is True)
        dead += (not alive) - (entry.alive is False)
        columns = (seq, str(winner.rev), winner.deleted, winner.body, winner.others)
        blob = pack(entry.tree, entry.held)
        if entry.key is None:
            fresh.append((db.key, entry.id, *columns, blob))
        else:
            grew.append((*columns, blob, entry.key))
    tx.conn.executemany(
        "INSERT INTO doc (db, id, seq, rev, deleted, body, others, tree) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        fresh,
    )
    tx.conn.executemany(
        "UPDATE doc SET seq = ?, rev = ?, deleted = ?, body = ?, others = ?, tree = ? WHERE key = ?", grew
    )
    tx.update(grown(db, len(changed), live, dead))


def refresh(tx: Transaction, entry: Entry) -> None:
    """Write a document back in place, where its bodies or its depth changed but no revision came."""
    winner = winner_of(entry.tree, entry.held)
    tx.conn.execute(
        "UPDATE doc SET body = ?, tree = ? WHERE key = ?",
        (winner.body, pack(entry.tree, entry.held), entry.key),
    )


def put_local(tx: Transaction, name: str, local_id: str, body: bytes | None, seen: int | None) -> int:
    """Write or remove a `_local` document; its number follows the one that the writer has seen."""
    key = tx.database(name).key
    if body is None:
        tx.conn.execute("DELETE FROM local WHERE db = ? AND id = ?", (key, local_id))
        return 0
    if seen is None:
        row = tx.conn.execute("SELECT n FROM local WHERE db = ? AND id = ?", (key, local_id)).fetchone()
        seen = row[0] if row else 0
    tx.conn.execute(
        "INSERT OR REPLACE INTO local (db, id, n, json) VALUES (?, ?, ?, ?)", (key, local_id, seen + 1, body)
    )
    return seen + 1
