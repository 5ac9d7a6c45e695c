"""The right to be forgotten: all that is held about one household, given out or erased; photographs, too.

Erasing enters the ids in the ledger first, so that nothing of it can enter again; takes the bodies from
archive, quarantine and rows in the same transaction; and then ends every leaf in the store with an empty
tombstone and overwrites the bodies there. What was on its way in meanwhile is found by the follower, which
buries whatever the ledger names: so it is after a restore, too. Ids are kept, names are not.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Connection, Engine, delete, or_, select

from server import audit, ledger, strokes
from server.burying import bury
from server.carrying import aliases, became
from server.clock import Clock, instant
from server.projection import PROJECTED
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from sync.store.interface import DatabaseMissing, Store

_archive, _quarantine = table(tables.Archive), table(tables.Quarantine)
_acts, _pledges = table(tables.ActRow), table(tables.PledgeRow)
_ledger, _audit = table(tables.Ledger), table(tables.Audit)

DEADLINES = {"answer": 2, "access": 10, "correct": 10, "withdraw": 15, "erase": 20}
"""Days from a person's request: to answer (working days), to show or correct, to restrict, to delete (Law
91/2025/QH15, decree 356/2025)."""

Held = Mapping[str, Collection[str]]
"""Ids of documents, by database."""


class Eraser:
    """Answers for what one server holds about households."""

    def __init__(self, store: Store, rows: Engine, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock

    async def erase(self, by: str, db: str, ulid: str) -> Held:
        """Erase a household and all that is said of it, for good; what that was. Raises `StoreFull`."""
        subject = f"{db}/household:{ulid}"
        return await self._erase(by, "household.erased", subject, lambda rows: about(rows, db, ulid))

    async def erase_photo(self, by: str, hamlet: str, sha256: str) -> Held:
        """Erase a photograph for good, which showed what it should not. Its file goes when the follower
        comes to it (`server.follower`), after a restore too. Raises `StoreFull`."""
        db, doc_id = f"media-{hamlet}", f"photo:{sha256}"

        def named(rows: Connection) -> Held:
            return {place: {doc_id} for place in {db, *_places(rows, {doc_id})}}

        return await self._erase(by, "photo.erased", f"{db}/{doc_id}", named)

    async def collect(self) -> int:
        """Forget the strokes that came long ago and that no pledge names; how many. Raises `StoreFull`."""
        held = await to_thread.run_sync(self._unnamed)
        await self._end(held)
        await to_thread.run_sync(self._forget_unnamed, held)
        return sum(len(ids) for ids in held.values())

    async def _erase(self, by: str, action: str, subject: str, named: Callable[[Connection], Held]) -> Held:
        held = await to_thread.run_sync(self._forget, by, action, subject, named)
        await self._end(held)
        return held

    async def _end(self, held: Held) -> None:
        for place, ids in held.items():
            try:
                await bury(self._store, place, ids)
                await self._store.forget_bodies(place, ids)
            except DatabaseMissing:
                continue
        if held:
            await to_thread.run_sync(self._rewrite)

    def _forget(self, by: str, action: str, subject: str, named: Callable[[Connection], Held]) -> Held:
        now = self._clock()
        with writing(self._rows) as connection:
            held = named(connection)
            for place, ids in held.items():
                ledger.note_erased(connection, place, ids, instant(now), by)
                forget(connection, place, ids)
            audit.append(connection, by, action, subject, now)
        return held

    def _unnamed(self) -> Held:
        with readers(self._rows).begin() as connection:
            return strokes.unnamed(connection, self._clock())

    def _forget_unnamed(self, held: Held) -> None:
        """Last, for that is how they are found; and not in the ledger: should a pledge name them after all,
        they may be sent again."""
        with writing(self._rows) as connection:
            for place, ids in held.items():
                forget(connection, place, ids)

    def _rewrite(self) -> None:
        """What was deleted lies in SQLite's write-ahead log still; and what was moved from one page to
        another, as pages filled and emptied, where it lay, which `secure_delete` does not write over. A file
        made anew has neither, in half a second for 70 MB. (Emptying the log alone lost: it left a name in
        one of 1,700 seasons.)
        """
        if self._rows.dialect.name == "sqlite":
            raw = self._rows.raw_connection()  # outside of any transaction
            try:
                raw.cursor().execute("VACUUM")
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()


def forget(connection: Connection, db: str, ids: Iterable[str]) -> None:
    """Remove what the rows hold of these documents' contents; the ledger and the audit log hold ids only."""
    for some in chunks(sorted(ids)):
        for source, column in ((_archive, "id"), (_quarantine, "doc_id"), *PROJECTED.items()):
            connection.execute(delete(source).where(source.c.db == db, source.c[column].in_(some)))


def forget_ledgered(connection: Connection) -> None:
    """Remove whatever was erased, or speaks of it: a backup has brought it back."""
    named = select(_ledger.c.id).where(_ledger.c.kind == "erased")
    there = {*connection.execute(select(_archive.c.db).union(select(_quarantine.c.db))).scalars()}
    for db in sorted(there):
        kept = select(_archive.c.id).where(_archive.c.db == db)
        waits = select(_quarantine.c.doc_id).where(_quarantine.c.db == db)
        gone = ledger.erased(connection, connection.execute(kept.union(waits)).scalars().all())
        forget(connection, db, gone | {*connection.execute(named).scalars()})


def about(connection: Connection, db: str, ulid: str) -> dict[str, set[str]]:
    """What says anything of a household: itself, those merged into it, pledges, strokes, reviews.

    By database: a household that moved has left its past where it was; what was never let in may wait, or
    have been sent away, in any.
    """
    ulid = aliases(connection, db, [ulid]).get(ulid, ulid)
    ulids = became(connection, db, ulid)
    named = {f"household:{one}" for one in ulids}
    places = {db, *_places(connection, named, ulids)}
    held = {place: named | _of(connection, place, ulids) for place in places}
    return {
        place: ids | {f"review:{one}" for one in ids if not _is_stroke(one)} for place, ids in held.items()
    }


def _places(connection: Connection, ids: Collection[str], pledged: Collection[str] = ()) -> set[str]:
    """The databases in which these documents, or pledges of those, have ever been or waited."""
    found: set[str] = set()
    for source, column in ((_archive, "id"), (_quarantine, "doc_id")):
        like = (source.c[column].like(f"pledge:%:{ulid}") for ulid in pledged)
        there = or_(source.c[column].in_(ids), *like)
        found.update(connection.execute(select(source.c.db).where(there).distinct()).scalars())
    return found


def _of(connection: Connection, db: str, ulids: Collection[str]) -> set[str]:
    """Pledges of these households, and the strokes that they alone name. Of what a peer has replicated into
    the store, and is in no archive, the rows tell."""
    subjects = select(_pledges.c.id).where(_pledges.c.db == db, _pledges.c.subject.in_(ulids))
    found = set(connection.execute(subjects).scalars())
    shown = select(_acts.c.id, _acts.c.signature).where(_acts.c.db == db, _acts.c.doc_id.in_(sorted(found)))
    drawn = {(row.id, row.signature) for row in connection.execute(shown) if row.signature}
    for source, column in ((_archive, "id"), (_quarantine, "doc_id")):
        like = or_(*(source.c[column].like(f"pledge:%:{ulid}") for ulid in ulids))
        asked = select(source.c[column].label("id"), source.c.body).where(source.c.db == db, like)
        for row in connection.execute(asked):
            found.add(row.id)
            drawn |= {(one.act, one.strokes) for one in strokes.drawn(row.body)}
    named = {one for _, one in drawn}
    others = strokes.of_others(connection, named, ulids, {act for act, _ in drawn})
    return found | {strokes.doc_id(one) for one in named - others}


def _is_stroke(doc_id: str) -> bool:
    return doc_id.startswith("signature:")


def export(connection: Connection, held: Held, now: datetime) -> dict[str, Any]:
    """Everything that is held, as it is held, for the person it is about."""
    return {
        "made_at": instant(now),
        "deadlines_days": DEADLINES,
        "revisions": [dict(row) for db, ids in held.items() for row in _rows(connection, db, ids)],
        "waiting": [dict(row) for db, ids in held.items() for row in _waiting(connection, db, ids)],
        "audit": _seen(connection, held),
    }


def _rows(connection: Connection, db: str, ids: Collection[str]) -> list[dict[str, Any]]:
    names = ("db", "id", "rev", "parent", "deleted", "by", "entered_at", "entered_by", "source", "body")
    asked = select(*(_archive.c[name] for name in names)).where(_archive.c.db == db, _archive.c.id.in_(ids))
    return [_readable(dict(row)) for row in connection.execute(asked.order_by(_archive.c.id)).mappings()]


def _waiting(connection: Connection, db: str, ids: Collection[str]) -> list[dict[str, Any]]:
    names = ("db", "doc_id", "rev", "why", "user", "received_at", "state", "body")
    asked = select(*(_quarantine.c[name] for name in names))
    here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids))
    return [_readable(dict(row)) for row in connection.execute(asked.where(*here)).mappings()]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": orjson.loads(row["body"])}


def _seen(connection: Connection, held: Held) -> list[dict[str, Any]]:
    """Who looked at it or changed it, by id."""
    names = [f"{db}/{doc_id}" for db, ids in held.items() for doc_id in ids]
    columns = ("at", "actor", "action", "subject")
    asked = select(*(_audit.c[name] for name in columns)).where(_audit.c.subject.in_(names))
    return [dict(row) for row in connection.execute(asked.order_by(_audit.c.number)).mappings()]


def counted(connection: Connection, held: Held) -> dict[str, int]:
    """How many documents of each kind are held, how many revisions, and how many records that wait."""
    revisions = [row for db, ids in held.items() for row in _rows(connection, db, ids)]
    ids = sorted({row["id"] for row in revisions})
    counts = Counter(doc_id.partition(":")[0] for doc_id in ids)
    waiting = sum(len(_waiting(connection, db, ids)) for db, ids in held.items())
    return {**counts, "revisions": len(revisions), "waiting": waiting}
