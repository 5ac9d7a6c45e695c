"""What a snapshot of the file tells: trees, bodies, feeds, lists."""

import sqlite3
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from sync.rev import Rev
from sync.revtree import Tree, ancestry
from sync.store.files import read_files
from sync.store.interface import (
    Body,
    Change,
    Changes,
    Choice,
    Current,
    DatabaseMissing,
    Document,
    Info,
    Leaf,
    Listing,
    Page,
    Seq,
    Span,
)
from sync.store.packed import EMPTY_BODY, NO_BODY, is_single, unpack
from sync.store.rows import select_in
from sync.store.writer import DatabaseRow

EMPTY = Body(b"{}")


GONE = "_gone-"
"""How the name of a dropped database begins until all of it is forgotten: none that can be asked for does."""


def seqs(conn: sqlite3.Connection) -> dict[str, int]:
    """How far each database is, by name."""
    sql = "SELECT name, seq FROM database WHERE NOT name GLOB ? ORDER BY name"
    return dict(conn.execute(sql, (f"{GONE}*",)).fetchall())


def database(conn: sqlite3.Connection, name: str, instance: int | None = None) -> DatabaseRow:
    """Raises DatabaseMissing, also where it is not that instance any more."""
    row = conn.execute(
        "SELECT key, name, seq, live, dead, revs_limit FROM database WHERE name = ?", (name,)
    ).fetchone()
    if row is None or instance not in {None, row[0]}:
        raise DatabaseMissing(name)
    return DatabaseRow(*row)


def info(conn: sqlite3.Connection, name: str) -> Info:
    """What `GET /db` tells."""
    row = database(conn, name)
    (size,) = conn.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    return Info(row.name, row.seq, row.live, row.dead, row.revs_limit, size, row.key)


def trees(conn: sqlite3.Connection, name: str, ids: Collection[str]) -> dict[str, Tree]:
    """The trees of those documents that exist."""
    db = database(conn, name)
    rows = select_in(conn, "SELECT id, tree FROM doc WHERE db = ? AND id IN", (db.key,), ids)
    return {doc_id: unpack(blob)[0] for doc_id, blob in rows}


def read(conn: sqlite3.Connection, name: str, ids: Collection[str], choose: Choice) -> dict[str, Document]:
    """Trees and chosen bodies."""
    db = database(conn, name)
    found: dict[str, tuple[int, Tree, dict[Rev, int]]] = {}
    for doc_id, seq, blob in select_in(
        conn, "SELECT id, seq, tree FROM doc WHERE db = ? AND id IN", (db.key,), ids
    ):
        tree, held = unpack(blob)
        wanted = {rev: held[rev] for rev in choose(doc_id, tree) if rev in held}
        found[doc_id] = (seq, tree, wanted)
    bodies = _bodies(conn, [key for _, _, wanted in found.values() for key in wanted.values()])
    return {
        doc_id: Document(tree, {rev: bodies[key] for rev, key in wanted.items()}, seq)
        for doc_id, (seq, tree, wanted) in found.items()
    }


def bodies(
    conn: sqlite3.Connection, name: str, revs: Collection[tuple[str, Rev]]
) -> Mapping[tuple[str, Rev], bytes]:
    """The bodies that are held."""
    asked: dict[str, list[Rev]] = {}
    for doc_id, rev in revs:
        asked.setdefault(doc_id, []).append(rev)
    found = read(conn, name, asked, lambda doc_id, _: asked[doc_id])
    return {(doc_id, rev): body.json for doc_id, doc in found.items() for rev, body in doc.bodies.items()}


_CURRENT = (
    "SELECT doc.id, doc.rev, doc.deleted, doc.tree, doc.body, body.json, body.files "
    "FROM doc LEFT JOIN body ON body.key = doc.body WHERE doc.db = ? AND doc.id IN"
)


def current(conn: sqlite3.Connection, name: str, ids: Collection[str]) -> dict[str, Current]:
    """The winners whose bodies are held, in one statement: this is what a pull costs."""
    db = database(conn, name)
    found: dict[str, Current] = {}
    for doc_id, rev, deleted, tree, key, json, files in select_in(conn, _CURRENT, (db.key,), ids):
        if json is not None:
            body = Body(json, read_files(files)) if files else Body(json)
        elif key == EMPTY_BODY:
            body = EMPTY
        else:
            continue
        found[doc_id] = Current(doc_id, rev, bool(deleted), body, _line(tree, rev))
    return found


def _line(blob: bytes, rev: str) -> Sequence[str]:
    """The digests from this revision up."""
    if is_single(blob):
        return (rev.partition("-")[2],)
    return [ancestor.digest for ancestor in ancestry(unpack(blob)[0], Rev.parse(rev))]


def _bodies(conn: sqlite3.Connection, keys: Iterable[int]) -> dict[int, Body]:
    wanted = set(keys)
    wanted -= {NO_BODY, EMPTY_BODY}
    rows = select_in(conn, "SELECT key, json, files FROM body WHERE key IN", (), wanted)
    found = {key: Body(json, read_files(files)) if files else Body(json) for key, json, files in rows}
    found[EMPTY_BODY] = EMPTY
    return found


def after(since: Seq, db: DatabaseRow) -> int:
    """A `since` as a number; one that was never given (a restored backup) reads from the start."""
    if isinstance(since, str):
        since = int(since) if since.isascii() and since.isdigit() and len(since) < 19 else 0
    return since if 0 <= since <= db.seq else 0


_ROW = "SELECT seq, id, rev, deleted, body, others FROM doc WHERE db = ?"


class Beyond:
    """How many documents lie beyond a position (below it where it is negative), as the page before it knew.

    Counting them again for every page of a long pull would make the pull quadratic.
    """

    _MOST = 256

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], int] = {}

    def recall(self, db: DatabaseRow, position: int) -> int | None:
        """None where it is not known, or the database has changed since."""
        return self._known.pop((db.key, db.seq, position), None)

    def keep(self, db: DatabaseRow, position: int, pending: int) -> None:
        """Remember it for the page that goes on from there; the oldest are forgotten."""
        self._known[db.key, db.seq, position] = pending
        for oldest in list(self._known)[: -self._MOST]:
            self._known.pop(oldest, None)


def changes(conn: sqlite3.Connection, name: str, page: Page, beyond: Beyond) -> Changes:
    """A page of the feed."""
    db = database(conn, name, page.instance)
    if page.keys is not None:
        return _of_keys(conn, db, page, page.keys)
    since = after(page.since, db)
    if page.ids is not None:
        found = set(select_in(conn, f"{_ROW} AND id IN", (db.key,), page.ids))
        rows = sorted((row for row in found if _lies_beyond(row[0], since, page)), reverse=page.descending)
        return _page(conn, db, _fitting(conn, rows[: page.limit], page), page, len(rows))
    ahead, order = _order(page, since)
    sql = f"{_ROW} AND seq {ahead} ? ORDER BY seq {order} LIMIT ?"
    limit = -1 if page.limit is None else page.limit
    rows = list(conn.execute(sql, (db.key, since, limit)))
    total = len(rows) if page.limit is None else _count(conn, db, page, rows, beyond)
    answer = _page(conn, db, _fitting(conn, rows, page), page, total)
    if answer.pending:
        last = int(answer.last_seq)
        beyond.keep(db, -last if page.descending else last, answer.pending)
    return answer


def _order(page: Page, since: int) -> tuple[str, str]:
    """How sequences that are still to come compare to `since`, and the order of the page."""
    return ("<" if since else ">", "DESC") if page.descending else (">", "ASC")


def _lies_beyond(seq: int, since: int, page: Page) -> bool:
    return seq < since if page.descending and since else seq > since


def _count(conn: sqlite3.Connection, db: DatabaseRow, page: Page, rows: Sequence[Any], beyond: Beyond) -> int:
    """How many documents there are beyond `since`, this page among them."""
    since = after(page.since, db)
    if since == 0:
        return db.live + db.dead
    if not page.descending and rows and rows[-1][0] == db.seq:
        return len(rows)
    known = beyond.recall(db, -since if page.descending else since)
    if known is None:
        ahead, _ = _order(page, since)
        sql = f"SELECT count(*) FROM doc WHERE db = ? AND seq {ahead} ?"  # noqa: S608 - our own words
        known = int(conn.execute(sql, (db.key, since)).fetchone()[0])
    return known


def _page(conn: sqlite3.Connection, db: DatabaseRow, rows: Sequence[Any], page: Page, total: int) -> Changes:
    pending = total - len(rows)
    last = rows[-1][0] if rows and (pending or page.descending) else db.seq
    if pending and not rows:
        last = after(page.since, db)
    return Changes(_changes(conn, rows, with_bodies=page.bodies), last, pending, _life(conn, db), db.key)


def newest(conn: sqlite3.Connection, name: str, ids: Collection[str] | None, instance: int) -> Sequence[int]:
    """The keys of all documents, or of some, the last changed first: eight bytes for each."""
    db = database(conn, name, instance)
    if ids is not None:
        some = select_in(conn, "SELECT seq, key FROM doc WHERE db = ? AND id IN", (db.key,), ids)
        return array("q", [key for _, key in sorted(set(some), reverse=True)])
    rows = conn.execute("SELECT key FROM doc WHERE db = ? ORDER BY seq DESC", (db.key,))
    return array("q", (key for (key,) in rows))


def _of_keys(conn: sqlite3.Connection, db: DatabaseRow, page: Page, keys: Sequence[int]) -> Changes:
    sql = "SELECT key, seq, id, rev, deleted, body, others FROM doc WHERE db = ? AND key IN"
    found = {key: row for key, *row in select_in(conn, sql, (db.key,), keys)}
    there = [key for key in keys if key in found]  # what was purged meanwhile is not
    rows = _fitting(conn, [found[key] for key in there], page)
    pending = 0 if len(rows) == len(there) else len(keys) - list(keys).index(there[len(rows)])
    last = rows[-1][0] if rows else db.seq
    return Changes(_changes(conn, rows, with_bodies=page.bodies), last, pending, _life(conn, db), db.key)


def _fitting(conn: sqlite3.Connection, rows: Sequence[Any], asked: Page | Span) -> Sequence[Any]:
    """As many rows as have bodies within the room that there is; at least one."""
    if asked.room is None or not asked.bodies:
        return rows
    sql = "SELECT key, length(json) + coalesce(length(files), 0) FROM body WHERE key IN"
    lengths = dict(select_in(conn, sql, (), {row[4] for row in rows}))
    left = asked.room
    for place, row in enumerate(rows):
        left -= lengths.get(row[4], 0)
        if left < 0 and place:
            return rows[:place]
    return rows


def _life(conn: sqlite3.Connection, db: DatabaseRow) -> str:
    row = conn.execute("SELECT name FROM life WHERE db = ? ORDER BY n DESC LIMIT 1", (db.key,)).fetchone()
    return str(row[0]) if row else ""


def gave(conn: sqlite3.Connection, name: str, seq: Seq, life: str) -> bool:
    """Whether a sequence that was read in a life of this database is of the past that it has now.

    Its life must be known, and the sequence lie where the next life began or before. A file from before
    there were lives has had one without a name.
    """
    db = database(conn, name)
    n = 0
    if life:
        row = conn.execute("SELECT n FROM life WHERE db = ? AND name = ?", (db.key, life)).fetchone()
        if row is None:
            return False
        n = row[0]
    row = conn.execute(
        "SELECT seq FROM life WHERE db = ? AND n > ? ORDER BY n LIMIT 1", (db.key, n)
    ).fetchone()
    return isinstance(seq, int) and 0 <= seq <= (row[0] if row else db.seq)


def _changes(conn: sqlite3.Connection, rows: Sequence[Any], *, with_bodies: bool) -> tuple[Change, ...]:
    held = _bodies(conn, (row[4] for row in rows)) if with_bodies else {}
    return tuple(
        [
            Change(seq, doc_id, _leaves(rev, deleted, others), held.get(body))
            for seq, doc_id, rev, deleted, body, others in rows
        ]
    )


def _leaves(rev: str, deleted: int, others: str | None) -> tuple[Leaf, ...]:
    winner = Leaf(Rev.parse(rev), bool(deleted))
    if others is None:
        return (winner,)
    return (winner, *(Leaf(Rev.parse(text), gone) for text, gone in orjson.loads(others)))


def listing(conn: sqlite3.Connection, name: str, span: Span) -> Listing:
    """Documents in the order of their ids, deleted ones left out."""
    db = database(conn, name, span.instance)
    beyond, within, order = ("<", ">", "DESC") if span.descending else (">", "<", "ASC")
    bounds = [
        (beyond, span.after) if span.after is not None else (f"{beyond}=", span.start),
        (f"{within}{'=' if span.inclusive_end else ''}", span.end),
    ]
    named = [(how, doc_id) for how, doc_id in bounds if doc_id is not None]
    where = "".join(f" AND id {how} ?" for how, _ in named)
    rows = list(
        conn.execute(
            "SELECT seq, id, rev, deleted, body, others FROM doc "  # noqa: S608 - our own words
            f"WHERE db = ? AND deleted = 0{where} ORDER BY id {order} LIMIT ? OFFSET ?",
            (db.key, *(doc_id for _, doc_id in named), -1 if span.limit is None else span.limit, span.skip),
        )
    )
    before = 0
    if span.start is not None and span.after is None:
        sql = f"SELECT count(*) FROM doc WHERE db = ? AND deleted = 0 AND id {within} ?"  # noqa: S608 - likewise
        (before,) = conn.execute(sql, (db.key, span.start)).fetchone()
    offset = min(before + span.skip, db.live)
    fitting = _fitting(conn, rows, span)
    more = len(fitting) < len(rows) or len(rows) == span.limit
    return Listing(_changes(conn, fitting, with_bodies=span.bodies), db.live, offset, db.seq, more, db.key)


def local(conn: sqlite3.Connection, name: str, local_id: str) -> tuple[int, bytes] | None:
    """A `_local` document."""
    row: tuple[int, bytes] | None = conn.execute(
        "SELECT n, json FROM local WHERE db = ? AND id = ?", (database(conn, name).key, local_id)
    ).fetchone()
    return row


def locals_(conn: sqlite3.Connection, name: str) -> list[tuple[str, int, bytes]]:
    """Every `_local` document."""
    key = database(conn, name).key
    return list(conn.execute("SELECT id, n, json FROM local WHERE db = ? ORDER BY id", (key,)))
