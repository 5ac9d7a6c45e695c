"""What stood at the end of a day that is past: which households, in which hamlets, and what they had pledged.

What has HAPPENED since does not count: visits and signings, withdrawals, moves, hamlets that merged or split.
What was CORRECTED since does: a voided act was a mistake from its first day, a household that was entered
twice or in error was none, and a status holds from the day that it names, whenever somebody wrote it down.
So the figures of a period are the same after two hamlets have become one, by the hamlets that there were.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Table, select

import schemas
from server import archive
from server.auth.grant import COMMUNE
from server.clock import instant
from server.projection import outcome
from server.rows import registers, tables
from server.rows.engine import table
from server.rows.statements import chunks
from server.words import HERE
from sync.stamps import ALL, order, stamp_of

_households, _pledges, _acts = table(tables.HouseholdRow), table(tables.PledgeRow), table(tables.ActRow)
_archive, _units = table(tables.Archive), table(registers.UnitRow)

_KINDS = {_households: "household", _units: "unit"}

NEVER = ("merged_into", "entered_in_error")
"""Households and units of these statuses were mistakes: there was another one, or none."""


class Standing(NamedTuple):
    """One household or unit on that day, with what its pledge had come to (`server.projection.outcome`)."""

    db: str
    status: str
    signed: bool
    on_paper: bool
    visited: bool

    def has_signed(self, *, touch_counts: bool) -> bool:
        """Whether it counts as signed, where a touch signature does or does not."""
        return self.signed if touch_counts else self.on_paper


class Hamlet(NamedTuple):
    """A hamlet as its document said on that day."""

    id: str
    kind: str
    name: str
    order: int
    active: bool


def end_of(day: date) -> str:
    """The instant at which a day is over, by the clock on the wall here."""
    return instant(datetime.combine(day + timedelta(days=1), time(), HERE))


def households(rows: Connection, campaign: str, day: date) -> Iterator[Standing]:
    """The households that there were at the end of a day."""
    return (standing for _, standing in _subjects(rows, _households, campaign, day))


def units(rows: Connection, campaign: str, day: date) -> Iterator[tuple[str, Standing]]:
    """The units in scope that there were at the end of a day, each with its kind."""
    return ((row.kind, standing) for row, standing in _subjects(rows, _units, campaign, day) if row.in_scope)


def hamlets(rows: Connection, day: date) -> list[Hamlet]:
    """The hamlets that the commune knew at the end of a day, in the order of its lists."""
    asked = select(_archive.c.id, _archive.c.body).where(
        _archive.c.db == COMMUNE,
        _archive.c.id.like("hamlet:%"),
        _archive.c.deleted.is_(False),
        _archive.c.entered_at < end_of(day),
    )
    latest: dict[str, dict[str, Any]] = {}
    for row in rows.execute(asked):
        body = orjson.loads(row.body)
        kept = latest.get(row.id)
        if not schemas.newer(body) and (kept is None or body["stamps"][ALL] > kept["stamps"][ALL]):
            latest[row.id] = body
    found = (
        Hamlet(doc_id.partition(":")[2], one["kind"], one["name"], one["order"], one["state"] == "active")
        for doc_id, one in latest.items()
    )
    return sorted(found, key=lambda one: (one.order, one.id))


def _subjects(rows: Connection, subjects: Table, campaign: str, day: date) -> Iterator[tuple[Any, Standing]]:
    """Households or units, each as its row says today and as it stood."""
    end, last = end_of(day), day.isoformat()
    places, outcomes = _places(rows, subjects, end), _outcomes(rows, campaign, end)
    statuses = _statuses(rows, subjects, last)
    joined = subjects.outerjoin(
        _pledges,
        (_pledges.c.db == subjects.c.db)
        & (_pledges.c.subject == subjects.c.ulid)
        & (_pledges.c.campaign == campaign),
    )
    pledged = [_pledges.c[name] for name in ("signed", "on_paper", "visited")]
    asked = select(*subjects.c, *pledged, _pledges.c.id.label("pledge")).select_from(joined)
    for row in rows.execute(asked.where(subjects.c.status.not_in(NEVER))):
        status = row.status if row.since <= last else statuses.get(row.id)
        if status is not None and status not in NEVER:
            said = outcomes.get((row.db, row.pledge)) or row._mapping
            pledge = (bool(said[name]) for name in ("signed", "on_paper", "visited"))
            yield row, Standing(places.get(row.id, row.db), status, *pledge)


def _places(rows: Connection, subjects: Table, end: str) -> dict[str, str]:
    """The database in which each household or unit was that has moved since."""
    places: dict[str, str] = {}
    since = set[str]()
    for one in archive.departures(rows, _KINDS[subjects]):
        if one.at < end:
            places[one.id] = one.target
        else:
            places.setdefault(one.id, one.source)
            since.add(one.id)
    return {doc_id: db for doc_id, db in places.items() if doc_id in since}


def _statuses(rows: Connection, subjects: Table, last: str) -> dict[str, str]:
    """What each household or unit was whose status is of a later day: the latest word on the day `last`."""
    said: dict[str, tuple[str, str]] = {}
    asked = select(subjects.c.db, subjects.c.id).where(subjects.c.since > last)
    for db, ids in _by_db(rows.execute(asked)):
        for doc_id, raw in archive.all_bodies(rows, db, ids):
            body = orjson.loads(raw)
            if not schemas.newer(body) and body["status"]["since"] <= last:
                stamp = stamp_of(body["stamps"], "status", True) or ""
                said[doc_id] = max(said.get(doc_id, ("", "")), (order(stamp), body["status"]["is"]))
    return {doc_id: status for doc_id, (_, status) in said.items()}


def _outcomes(rows: Connection, campaign: str, end: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What the pledges had come to, to which acts were added since."""
    acts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    later = (_pledges.c.campaign == campaign, _pledges.c.last_at >= end)
    for db, ids in _by_db(rows.execute(select(_pledges.c.db, _pledges.c.id).where(*later))):
        acts |= {(db, doc_id): [] for doc_id in ids}
        asked = select(_acts).where(_acts.c.db == db, _acts.c.doc_id.in_(ids))
        for act in rows.execute(asked).mappings():
            if act["at"] < end or act["kind"] == "voided":
                acts[db, act["doc_id"]].append(dict(act))
    return {key: outcome(said) for key, said in acts.items()}


def _by_db(found: Iterable[Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """Documents by database, as many at a time as one statement takes."""
    ids: dict[str, list[str]] = {}
    for db, doc_id in found:
        ids.setdefault(db, []).append(doc_id)
    return ((db, some) for db, of in ids.items() for some in chunks(of))
