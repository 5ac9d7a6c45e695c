"""Where a document is that was sent to a place it has left, and who may still send it there.

Every way in asks here before anything is written: what phones send and carry, what the office writes, what
is released. Where a document is follows from its trees alone (`server.moving.residence`): whatever entered
another place than it was sent to has left a tombstone there, so that no merge need be remembered, and each
may be undone. The rows say which documents and hamlets went where, cheaply and a moment late; what they point
at is then looked up in the store. What they miss in that moment enters the old place, and is moved on by the
follower (`server.mover`).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, NamedTuple

from anyio import to_thread
from sqlalchemy import Connection, Engine, func, select

from server import moving
from server.admission import holds
from server.auth import devices
from server.auth.grant import COMMUNE, Grant
from server.rows import registers, tables
from server.rows.engine import readers, table
from server.rows.statements import chunks
from server.rules import well_named
from server.settle import ends
from sync import revtree
from sync.store.interface import DatabaseMissing, DocStore, Document

_DATABASE = re.compile(r"(hamlet|media)-[a-z0-9]{2,20}")
_moved, _acts, _audit = table(tables.MovedRow), table(tables.ActRow), table(tables.Audit)
_archive = table(tables.Archive)
_inspections, _devices = table(registers.InspectionRow), table(tables.Device)
_households, _units = table(tables.HouseholdRow), table(registers.UnitRow)


RESIDENT = ("household:", "unit:", "pledge:")
"""What has a home: a household, a unit, and what those have pledged."""
STROKES_AND_PICTURES = ("signature:", "photo:")
"""Named by what they are: nobody else's can be written over (`server.rules`)."""


class Standing(Enum):
    """What a person may send to a hamlet's databases."""

    HOLDS = "holds"
    """It is among theirs, or was merged into one that is."""
    LATE = "late"
    """It was theirs once, or may have been until a restore that their phone has seen: what they wrote then is
    kept for a person to decide."""
    NONE = "none"


class _Hints(NamedTuple):
    """What the rows say of a batch: documents and anchors that have left, and where others are by now."""

    merged: str | None
    gone: frozenset[str]
    elsewhere: Mapping[str, str]


class Whereabouts:
    """Answers from one server's rows and store."""

    def __init__(self, store: DocStore, rows: Engine) -> None:
        self._store = store
        self._rows = rows

    async def standing(self, grant: Grant, db: str) -> Standing:
        """What a person may send to this database."""
        if holds(grant, db):
            return Standing.HOLDS
        return await to_thread.run_sync(self._standing, grant, db)

    async def places(self, db: str, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Those of these documents that belong into another database by now, each with that one.

        `bodies` say what there is to know of them, by id; they may be empty.
        """
        kind, _, hamlet = db.partition("-")
        if kind not in {"hamlet", "media"} or not bodies:
            return {}
        hints = await to_thread.run_sync(self._hints, kind, hamlet, bodies)
        if f"hamlet-{hamlet}" not in await self._store.names():
            hints = hints._replace(elsewhere=await self._anywhere(kind, bodies))
        suspects = [doc_id for doc_id, body in bodies.items() if _concerns(hints, kind, doc_id, body)]
        if not suspects:
            return {}
        held = await self._read(db, suspects)
        found: dict[str, str] = {}
        for doc_id in suspects:
            document = held.get(doc_id)
            if document is None or not revtree.live(document.tree):
                place = await self._place(db, doc_id, bodies[doc_id], hints)
                if place is not None and place != db:
                    found[doc_id] = place
        for doc_id in bodies.keys() - found.keys():  # strokes that came together with their pledge
            if doc_id.startswith("signature:"):
                with_pledge = [place for of, place in found.items() if _names(bodies[of], doc_id)]
                if with_pledge:
                    found[doc_id] = with_pledge[0]
        return found

    async def homes(self, db: str, ids: Collection[str]) -> dict[str, str]:
        """Those of these households, units and pledges that are new here, and live in another hamlet or are
        of one that does, each with that place. Nobody has two homes, whoever knows an id."""
        named = {one: one.rpartition(":")[2] for one in ids if one.startswith(RESIDENT)}
        if not db.startswith("hamlet-") or not named:
            return {}
        elsewhere = await to_thread.run_sync(self._lives, db, {*named.values()})
        suspects = {one: ulid for one, ulid in named.items() if ulid in elsewhere}
        if not suspects:
            return {}
        subjects = {ulid: [f"household:{ulid}", f"unit:{ulid}"] for ulid in suspects.values()}
        every = {*suspects, *(one for both in subjects.values() for one in both)}
        here = {one for one, document in (await self._read(db, every)).items() if revtree.live(document.tree)}
        found: dict[str, str] = {}
        for one, ulid in suspects.items():
            if one not in here and here.isdisjoint(subjects[ulid]):
                there = await self._read(elsewhere[ulid], subjects[ulid])
                if any(revtree.live(document.tree) for document in there.values()):
                    found[one] = elsewhere[ulid]
        return found

    def _lives(self, db: str, ulids: Collection[str]) -> dict[str, str]:
        """Where the rows have these households and units, if not here."""
        found: dict[str, set[str]] = {}
        with readers(self._rows).begin() as connection:
            for rows in (_households, _units):
                for some in chunks(sorted(ulids)):
                    asked = select(rows.c.ulid, rows.c.db).where(rows.c.ulid.in_(some))
                    for row in connection.execute(asked):
                        found.setdefault(row.ulid, set()).add(row.db)
        return {ulid: min(dbs) for ulid, dbs in found.items() if db not in dbs}

    async def authorised(self, db: str, place: str, ids: Collection[str]) -> set[str]:
        """Those of these, which belong to another place by now, that whoever may write here may write there:
        what is not there yet, and what was here, or its household or unit was. By what it says of itself, as
        an inspection does of its subject, nobody gets what others have written there."""
        of = {one: {one, *moving.anchors(one)} for one in ids}
        there = await self._read(place, of)
        here = await self._read(db, {name for names in of.values() for name in names})
        new = {one for one in of if one not in there or one.startswith(STROKES_AND_PICTURES)}
        return new | {one for one in of if not of[one].isdisjoint(here)}

    async def home(self, db: str, doc_id: str) -> str | None:
        """The database where a document is that has left this one; None where it has not left, or is here
        again."""
        held: dict[str, Document] = {}
        ahead = [db]
        while ahead:
            here = ahead.pop(0)
            document = (await self._read(here, [doc_id])).get(doc_id)
            if document is not None:
                held[here] = document
                ahead += [place for place in moving.departures(document) if place not in {*held, *ahead}]
        home = moving.residence(held, {}, None)
        return home if home != db else None

    async def _anywhere(self, kind: str, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Where documents are that were sent to a hamlet which is not here, for it was founded after the
        backup: where they, or what they are about, had been before."""
        about = {doc_id: (doc_id, *moving.anchors(doc_id, body)) for doc_id, body in bodies.items()}
        wanted = {one for names in about.values() for one in names if well_named(one)}
        known = await to_thread.run_sync(self._archived, wanted)
        homes = {one: await self.home(db, one) or db for one, db in known.items()}
        found = {doc_id: [homes[one] for one in names if one in homes] for doc_id, names in about.items()}
        return {doc_id: f"{kind}-{dbs[0].partition('-')[2]}" for doc_id, dbs in found.items() if dbs}

    async def _place(self, db: str, doc_id: str, body: Mapping[str, Any], hints: _Hints) -> str | None:
        kind = db.partition("-")[0]
        place = None
        for one in (doc_id, *moving.anchors(doc_id, body)):
            if one in hints.gone or kind == "media":
                place = place or await self.home(db, one)
        place = place or hints.elsewhere.get(doc_id) or hints.merged
        if place is None:
            return None
        hamlet = await to_thread.run_sync(self._end, place.partition("-")[2])
        return f"{kind}-{hamlet}"

    async def _read(self, db: str, ids: Collection[str]) -> Mapping[str, Document]:
        with suppress(DatabaseMissing):
            return await self._store.read(db, ids, ends)
        return {}

    # ---- in threads -------------------------------------------------------------------------------------

    def _standing(self, grant: Grant, db: str) -> Standing:
        hamlet = db.partition("-")[2]
        if not _DATABASE.fullmatch(db) or not (grant.role.walks or grant.role.staff):
            return Standing.NONE
        with readers(self._rows).begin() as connection:
            if end_of(merges(connection), hamlet) in grant.hamlets:
                return Standing.HOLDS
            given = (_audit.c.action == "user.hamlets", _audit.c.subject.like(f"{grant.user} %"))
            told = connection.execute(select(_audit.c.subject).where(*given)).scalars()
            once = any(hamlet in subject.split(" ")[1:] for subject in told)
            late = once or _was_here_before_a_restore(connection, grant.device)
            return Standing.LATE if late else Standing.NONE

    def _archived(self, ids: Collection[str]) -> dict[str, str]:
        """Hamlets' databases that have had these documents, one for each."""
        found: dict[str, str] = {}
        with readers(self._rows).begin() as connection:
            for some in chunks(sorted(ids)):
                asked = select(_archive.c.id, _archive.c.db).where(_archive.c.id.in_(some)).distinct()
                rows = connection.execute(asked.where(_archive.c.db.like("hamlet-%")).order_by(_archive.c.db))
                found |= {row.id: row.db for row in rows}
        return found

    def _end(self, hamlet: str) -> str:
        with readers(self._rows).begin() as connection:
            return end_of(merges(connection), hamlet)

    def _hints(self, kind: str, hamlet: str, bodies: Mapping[str, Mapping[str, Any]]) -> _Hints:
        here = f"hamlet-{hamlet}"
        with readers(self._rows).begin() as connection:
            into = merges(connection).get(hamlet)
            merged = f"{kind}-{into}" if into else None
            ever = select(_moved.c.id).where(_moved.c.db == here).limit(1)
            if connection.execute(ever).first() is None:
                return _Hints(merged, frozenset(), {})  # as on most days
            named = {
                one for doc_id, body in bodies.items() for one in (doc_id, *moving.anchors(doc_id, body))
            }
            gone = left(connection, here, {one for one in named if well_named(one)})  # a body names anything
            return _Hints(merged, frozenset(gone), _elsewhere(connection, kind, hamlet, bodies))


def _was_here_before_a_restore(connection: Connection, device: str | None) -> bool:
    """Whether a phone may have held more than this server remembers; its own records come before it is asked
    for what was lost. Which came first the log says by its order: the clock may have been wrong meanwhile."""
    number = _audit.c.number
    restored = connection.execute(
        select(func.max(number)).where(_audit.c.action == "backup.restored")
    ).scalar()
    if device is None or restored is None:
        return False
    known = (_audit.c.action == "device.enrolled", _audit.c.subject == device, number < restored)
    asked = select(_devices.c.recovering_at).where(_devices.c.id == device)
    return (
        connection.execute(select(number).where(*known).limit(1)).first() is not None
        or connection.execute(asked).scalar() is not None
        or devices.was_claimed(connection, device)
    )


def merges(connection: Connection) -> dict[str, str]:
    """Hamlets that were merged, each with the one that it was merged into, which may be merged itself.

    Never in a ring: a server that was restored to before a merge, and was told another one since, may get the
    first one back from a phone. The oldest merge of a ring is none any more.
    """
    return _merges(connection)[0]


def overruled(connection: Connection) -> dict[str, list[str]]:
    """Hamlets of which a later merge says that they stand, each with the others of its ring."""
    return _merges(connection)[1]


def _merges(connection: Connection) -> tuple[dict[str, str], dict[str, list[str]]]:
    rows = connection.execute(select(_moved.c.id, _moved.c.target).where(_moved.c.db == COMMUNE))
    into = {row.id.removeprefix("hamlet:"): row.target.removeprefix("hamlet-") for row in rows}
    stand: dict[str, list[str]] = {}
    while ring := _ring(into):
        oldest = _oldest(connection, ring)
        stand[oldest] = [one for one in ring if one != oldest]
        del into[oldest]
    return into, stand


def _ring(into: Mapping[str, str]) -> list[str]:
    """Hamlets that go one into the other and the last into the first, where there are such."""
    for start in sorted(into):
        path = [start]
        while (further := into.get(path[-1])) is not None:
            if further in path:
                return path[path.index(further) :]
            path.append(further)
    return []


def _oldest(connection: Connection, hamlets: Sequence[str]) -> str:
    """Of merged hamlets the one whose document was written first."""
    shown = _moved.join(
        _archive,
        (_archive.c.db == _moved.c.db) & (_archive.c.id == _moved.c.id) & (_archive.c.rev == _moved.c.rev),
    )
    here = (_moved.c.db == COMMUNE, _moved.c.id.in_([f"hamlet:{one}" for one in hamlets]))
    asked = select(_moved.c.id, _archive.c.stamp).select_from(shown).where(*here)
    stamps = {row.id.removeprefix("hamlet:"): row.stamp or "" for row in connection.execute(asked)}
    return min(hamlets, key=lambda one: (stamps.get(one, ""), one))


def end_of(merged: Mapping[str, str], hamlet: str) -> str:
    """The hamlet that this one has become part of in the end; itself where it stands."""
    seen = {hamlet}
    while (into := merged.get(hamlet)) is not None and into not in seen:
        seen.add(into)
        hamlet = into
    return hamlet


def left(connection: Connection, db: str, ids: Collection[str]) -> dict[str, str]:
    """Those of these documents that have left a database, each with where it went first."""
    found: dict[str, str] = {}
    for some in chunks(sorted(ids)):
        asked = select(_moved.c.id, _moved.c.target).where(_moved.c.db == db, _moved.c.id.in_(some))
        found |= {row.id: row.target for row in connection.execute(asked)}
    return found


def _elsewhere(
    connection: Connection, kind: str, hamlet: str, bodies: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Strokes and pictures follow the pledge or the inspection that names them, where that went elsewhere.

    An inspection that was never here may have gone after what it is about; one of another hamlet has not, and
    whoever knows its id must not put a picture there.
    """
    here = f"hamlet-{hamlet}"
    strokes = {doc_id.partition(":")[2]: doc_id for doc_id in bodies if doc_id.startswith("signature:")}
    shown = {
        f"inspection:{body.get('inspection')}": doc_id
        for doc_id, body in bodies.items()
        if doc_id.startswith("photo:")
    }
    shown = {name: doc_id for name, doc_id in shown.items() if well_named(name)}
    found: dict[str, set[str]] = {}
    for column, named, about in (
        (_acts.c.signature, strokes, _acts.c.doc_id),
        (_inspections.c.id, shown, _inspections.c.subject),
    ):
        for some in chunks(sorted(named)):
            asked = select(column.label("name"), column.table.c.db, about.label("about"))
            rows = connection.execute(asked.where(column.in_(some))).all()
            anchors = {row: {row.name, row.about, *moving.anchors(row.about)} for row in rows}
            went = left(connection, here, {one for row in rows for one in anchors[row]})
            for row in rows:
                if row.db == here or went.keys() & anchors[row]:
                    found.setdefault(named[row.name], set()).add(row.db)
    return {
        doc_id: f"{kind}-{min(dbs).partition('-')[2]}" for doc_id, dbs in found.items() if here not in dbs
    }


def _names(body: Mapping[str, Any], doc_id: str) -> bool:
    """Whether a pledge names these strokes."""
    acts = body.get("acts", ())
    strokes = doc_id.removeprefix("signature:")
    return isinstance(acts, list) and any(
        isinstance(act, dict) and act.get("signature") == strokes for act in acts
    )


def _concerns(hints: _Hints, kind: str, doc_id: str, body: Mapping[str, Any]) -> bool:
    if hints.merged or doc_id in hints.elsewhere or kind == "media":
        return True
    return not hints.gone.isdisjoint((doc_id, *moving.anchors(doc_id, body)))
