"""Which households of a hamlet are to move, and what that comes to: for page and command, which ask first."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from server import hamlets, moving, names
from server.rows import registers, tables
from server.rows.engine import table

_households, _units = table(tables.HouseholdRow), table(registers.UnitRow)
_quarantine, _devices, _held = table(tables.Quarantine), table(tables.Device), table(tables.UserHamlet)
_inspections, _moved = table(registers.InspectionRow), table(tables.MovedRow)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a move would take along: documents by type, pictures, waiting records, people and their phones."""

    documents: Counter[str]
    pictures: int
    waiting: int
    people: int
    phones: int


@dataclass(frozen=True, slots=True)
class One:
    """A household or unit that may be chosen; `walk` is its place on the walk, None for a unit."""

    id: str
    name: str
    lane: str
    walk: int | None


def choosable(connection: Connection, hamlet: str) -> list[One]:
    """The households of a hamlet in the order of the walk, then its units by name."""
    db = f"hamlet-{hamlet}"
    walked = select(_households).where(_households.c.db == db, _households.c.status != "merged_into")
    found = connection.execute(walked.order_by(_households.c.walk, _households.c.id))
    units = connection.execute(select(_units).where(_units.c.db == db).order_by(_units.c.sort_key))
    return [
        *(One(row.id, row.name, row.lane, row.walk) for row in found),
        *(One(row.id, row.name, row.lane, None) for row in units),
    ]


def choose(
    among: Collection[One], ticked: Collection[str] = (), order: tuple[int, int] | None = None, lane: str = ""
) -> list[str]:
    """Those that were ticked, that lie from one place on the walk to another, or in a lane."""
    wanted = names.fold(lane)
    return [
        one.id
        for one in among
        if one.id in ticked
        or (order is not None and one.walk is not None and order[0] <= one.walk <= order[1])
        or (wanted and names.fold(one.lane) == wanted)
    ]


def preview(connection: Connection, source: str, subjects: Collection[str] | None = None) -> Preview:
    """What moving these (None: the whole hamlet) comes to."""
    db = f"hamlet-{source}"
    ids = None if subjects is None else hamlets.all_of(connection, source, subjects).ids
    documents: Counter[str] = Counter()
    for kind, rows in hamlets.ROWS.items():
        found = connection.execute(select(rows.c.id).where(rows.c.db == db)).scalars()
        documents[kind] = sum(ids is None or doc_id in ids for doc_id in found)
    shown = connection.execute(
        select(_inspections.c.id, _inspections.c.photos).where(_inspections.c.db == db)
    )
    pictures = sum(_pictures(row.photos) for row in shown if ids is None or row.id in ids)
    waits = select(_quarantine.c.doc_id).where(
        _quarantine.c.db.in_((db, f"media-{source}")), _quarantine.c.state == "waiting"
    )
    waiting = sum(
        ids is None or not ids.isdisjoint((doc_id, *moving.anchors(doc_id)))
        for doc_id in connection.execute(waits).scalars()
    )
    return Preview(documents, pictures, waiting, *_people(connection, _held.c.hamlet == source))


def _pictures(photos: Collection[dict[str, str]]) -> int:
    removed = {one["removes"] for one in photos if "removes" in one}
    return sum("removes" not in one and one["id"] not in removed for one in photos)


def _people(connection: Connection, theirs: ColumnElement[bool]) -> tuple[int, int]:
    """How many people hold a hamlet, and how many phones in use they have."""
    held = connection.execute(select(_held.c.user).where(theirs)).scalars().all()
    live = (_devices.c.user.in_(held), _devices.c.revoked_at.is_(None), _devices.c.replaced_at.is_(None))
    return len(held), connection.execute(select(func.count()).select_from(_devices).where(*live)).scalar_one()
