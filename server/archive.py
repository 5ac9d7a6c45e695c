"""Every body that was accepted, by (database, id, revision): the history that compaction does not touch.

A body is archived before it is grafted. After a crash between the two, the archive holds a revision that was
never acknowledged; the phone sends it again, and nothing is written twice.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, func, or_, select, tuple_

from server.moving import MARK
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new
from sync import alike, canonical
from sync.rev import Rev
from sync.stamps import ALL, END
from sync.store.interface import Edit

_archive, _moved = table(tables.Archive), table(tables.MovedRow)
_departs = (_archive.c.source == "moved") & _archive.c.deleted

Source = Literal["sent", "derived", "merged", "released", "moved"]


class Entry(NamedTuple):
    """A revision to keep: one of an edit's path, with its body, and how it came about."""

    db: str
    id: str
    rev: Rev
    parent: Rev | None
    body: bytes
    deleted: bool
    source: Source

    @classmethod
    def of(cls, db: str, edit: Edit, source: Source) -> "Entry":
        """The revision that an edit adds."""
        parent = edit.path[1] if len(edit.path) > 1 else None
        return cls(db, edit.id, edit.rev, parent, edit.body, edit.deleted, source)


class Taken(Exception):
    """Something else is kept by a name by which the server was to keep what somebody has sent."""


def keep(
    connection: Connection, entries: Iterable[Entry], at: str, by: str | None, *, whole: bool = False
) -> str | None:
    """Keep these bodies; one that is kept already stays as it is. `by` is the caller who brought them.

    Answers the greatest stamp among them. Raises `Taken` where `whole` and something else stays than what is
    given: then nothing may be acknowledged.
    """
    given = list(entries)
    rows = [_row(entry, at, by) for entry in given]
    if insert_new(connection, _archive, rows) < len(rows) and whole:
        for db in {one.db for one in given}:
            said = {(one.id, one.rev): one.body for one in reversed(given) if one.db == db}
            kept = bodies(connection, db, said)
            if other := [named for named, body in said.items() if not alike.same(kept.get(named), body)]:
                raise Taken(f"{db}: {other[0][0]} {other[0][1]}")
    return max((row["stamp"] for row in rows if row["stamp"]), default=None)


def bodies(
    connection: Connection, db: str, revs: Collection[tuple[str, Rev]]
) -> Mapping[tuple[str, Rev], bytes]:
    """Those of these revisions' bodies that are kept."""
    found: dict[tuple[str, Rev], bytes] = {}
    # by both names: of a document's hundreds of revisions few are asked for
    columns = select(_archive.c.id, _archive.c.rev, _archive.c.body).where(_archive.c.db == db)
    named = tuple_(_archive.c.id, _archive.c.rev)
    for some in chunks([(doc_id, str(rev)) for doc_id, rev in sorted(set(revs))]):
        for row in connection.execute(columns.where(named.in_(some))):
            found[row.id, Rev.parse(row.rev)] = row.body
    return found


def revisions(connection: Connection, db: str, ids: Collection[str]) -> set[tuple[str, Rev]]:
    """Every revision that was accepted of these documents."""
    found: set[tuple[str, Rev]] = set()
    for some in chunks(sorted(ids)):
        here = (_archive.c.db == db, _archive.c.id.in_(some))
        for row in connection.execute(select(_archive.c.id, _archive.c.rev).where(*here)):
            found.add((row.id, Rev.parse(row.rev)))
    return found


def named(connection: Connection, db: str, doc_id: str, generation: int, body: bytes) -> Rev | None:
    """By which revision of that generation these words are kept already."""
    here = (_archive.c.db == db, _archive.c.id == doc_id, _archive.c.generation == generation)
    asked = select(_archive.c.rev).where(*here, _archive.c.body == body).order_by(_archive.c.rev).limit(1)
    found = connection.execute(asked).scalar()
    return Rev.parse(found) if found else None


def accepted(
    connection: Connection, dbs: Collection[str], revs: Collection[tuple[str, Rev]]
) -> set[tuple[str, Rev]]:
    """Those of these revisions that were accepted into any of these databases."""
    wanted = set(revs)
    found: set[tuple[str, Rev]] = set()
    for ids in chunks(sorted({doc_id for doc_id, _ in wanted})):
        here = (_archive.c.db.in_(dbs), _archive.c.id.in_(ids))
        for row in connection.execute(select(_archive.c.id, _archive.c.rev).where(*here)):
            found.add((row.id, Rev.parse(row.rev)))
    return found & wanted


def writers(connection: Connection, device: str) -> set[str]:
    """Who wrote what carries the stamps of this device."""
    here = (_archive.c.stamp.like(f"%-{device}"), _archive.c.by.is_not(None))
    return {*connection.execute(select(_archive.c.by).where(*here).distinct()).scalars()}


class Departure(NamedTuple):
    """A document went from one database to another, at an instant; `by` is who moved it, None the server."""

    id: str
    rev: Rev
    source: str
    target: str
    at: str
    by: str | None


def ids_like(connection: Connection, db: str, pattern: str) -> list[str]:
    """The documents of a database that were ever written whose ids are like this (SQL's `%`)."""
    named = select(_archive.c.id).where(_archive.c.db == db, _archive.c.id.like(pattern)).distinct()
    return sorted(connection.execute(named).scalars())


def copy(connection: Connection, source: str, target: str, ids: Collection[str]) -> None:
    """Keep what is kept of these documents in the one database in the other as well.

    Of departures only the one to there: so whatever else a database says has left it, has left that one.
    """
    arrival = canonical.encode({MARK: target})
    for some in chunks(sorted(ids)):
        held = select(_archive).where(_archive.c.db == source, _archive.c.id.in_(some))
        held = held.where(or_(~_departs, _archive.c.body == arrival))
        insert_new(
            connection, _archive, [{**row, "db": target} for row in connection.execute(held).mappings()]
        )


def departures(connection: Connection, of: str | Collection[str]) -> list[Departure]:
    """When all documents of a type, or those of these ids, went from where to where, the earliest first."""
    named = _moved.c.id.like(f"{of}:%") if isinstance(of, str) else _moved.c.id.in_(of)
    # it has left where it is not any more, or came back to where it went last
    places = _archive.join(
        _moved, (_archive.c.id == _moved.c.id) & _archive.c.db.in_((_moved.c.db, _moved.c.target))
    )
    asked = select(_archive).select_from(places).where(named, _departs).distinct()
    found = [
        Departure(row.id, Rev.parse(row.rev), row.db, target, row.entered_at, row.entered_by)
        for row in connection.execute(asked)
        if (target := orjson.loads(row.body).get(MARK)) not in (None, row.db)
    ]
    return sorted(found, key=lambda one: (one.at, one.rev.generation, one.source))


class Leaving(NamedTuple):
    """A tombstone that a document was to have in a database, and where it was to go."""

    db: str
    rev: Rev
    target: str


def leaving(connection: Connection, doc_id: str, dbs: Collection[str]) -> list[Leaving]:
    """What was ever to leave these databases: it is archived before the store moves it, and stays archived
    where it went (`copy`)."""
    asked = select(_archive.c.db, _archive.c.rev, _archive.c.body).where(_archive.c.id == doc_id, _departs)
    rows = connection.execute(asked.where(_archive.c.db.in_(dbs)))
    told = ((row, orjson.loads(row.body).get(MARK)) for row in rows)
    return [
        Leaving(row.db, Rev.parse(row.rev), target) for row, target in told if target not in {None, row.db}
    ]


def first_place(connection: Connection, doc_id: str, dbs: Collection[str]) -> str | None:
    """In which of these databases a document has been for the longest."""
    here = (_archive.c.id == doc_id, _archive.c.db.in_(dbs))
    asked = select(_archive.c.db).where(*here).order_by(_archive.c.entered_at, _archive.c.db)
    return connection.execute(asked.limit(1)).scalar()


def all_bodies(connection: Connection, db: str, ids: Collection[str]) -> list[tuple[str, bytes]]:
    """Every body that is kept of these documents and does not delete, each with its document's id."""
    here = (_archive.c.db == db, _archive.c.id.in_(ids), _archive.c.deleted.is_(False))
    return [
        (row.id, row.body) for row in connection.execute(select(_archive.c.id, _archive.c.body).where(*here))
    ]


def latest_stamp(connection: Connection, but: tuple[str, str] | None = None) -> str | None:
    """The greatest stamp that was ever accepted, leaving those out that lie from the one to the other."""
    newest = select(func.max(_archive.c.stamp)).where(_archive.c.stamp < END)
    if but is None:
        return connection.execute(newest).scalar()
    below, above = (newest.where(one) for one in (_archive.c.stamp < but[0], _archive.c.stamp > but[1]))
    return connection.execute(above).scalar() or connection.execute(below).scalar()


def earliest_stamp(connection: Connection, after: str) -> str | None:
    """The least stamp that was accepted of those that come after this text."""
    return connection.execute(select(func.min(_archive.c.stamp)).where(_archive.c.stamp > after)).scalar()


def _row(entry: Entry, at: str, by: str | None) -> dict[str, Any]:
    body = orjson.loads(entry.body)
    stamps = body.get("stamps")
    return {
        "db": entry.db,
        "id": entry.id,
        "rev": str(entry.rev),
        "generation": entry.rev.generation,
        "parent": str(entry.parent) if entry.parent else None,
        "body": entry.body,
        "deleted": entry.deleted,
        "by": body.get("by"),
        "stamp": stamps.get(ALL) if isinstance(stamps, dict) else None,
        "entered_at": at,
        "entered_by": by,
        "source": entry.source,
    }
