"""Households that may be one: each pair is offered as one merge, or told apart for good."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server import duplicates
from server.admission import caller_of
from server.carrying import Act, Carrier
from server.clock import milliseconds
from server.duplicates import Household, Pair
from server.office import parting
from server.office.desk import Desk
from server.office.households import place_of
from server.office.places import Hamlet, hamlets
from server.rows import tables
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.ulids import ulids
from server.words import local_day

HERE = "/office/duplicates"
SHOWN = 50

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)
_apart = table(tables.Apart)

ENDED = frozenset({"merged_into", "entered_in_error"})
"""Households of these statuses are nobody's second entry any more."""


@dataclass(frozen=True, slots=True)
class One:
    """One household of a pair."""

    ulid: str
    href: str
    name: str
    place: str
    walk: int
    status: str
    signed: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """A pair as the page shows it."""

    hamlet: Hamlet
    why: tuple[str, str]
    both: tuple[One, One]


@dataclass(frozen=True, slots=True)
class Merged:
    """A household that became another one, as the page lists it."""

    hamlet: Hamlet
    ulid: str
    name: str
    place: str
    kept_name: str
    since: str


async def show(desk: Desk) -> Response:
    """The likeliest pairs of all hamlets, and what was merged."""
    held = desk.signed_in.grant.hamlets
    found = await desk.read(lambda rows: offered(rows, hamlets(rows, held)))
    return await desk.render(
        "duplicates.html",
        "duplicates",
        found=found[:SHOWN],
        count=desk.words.number(len(found)),
        merged=await desk.read(lambda rows: merged(rows, hamlets(rows, held))),
    )


async def settle(desk: Desk) -> Response:
    """Merge a pair, keeping the chosen one, note that the two are two, or part what was merged."""
    place = await _hamlet(desk)
    if desk.text("do") == "part":
        return await _part(desk, place, desk.text("one", 26))
    one, other = desk.text("one", 26), desk.text("other", 26)
    there = await desk.read(lambda rows: _there(rows, place.db, {one, other}))
    if one == other or there.keys() != {one, other} or any(row.status in ENDED for row in there.values()):
        return desk.to(HERE, "office.flash.pair_gone", kind="warn")
    if desk.text("do") == "apart":
        await parting.note_apart(desk, place.db, "household.told_apart", *sorted((one, other)))
        return desk.to(HERE, "office.flash.told_apart")
    kept = desk.text("keep", 26)
    if desk.text("do") != "merge" or kept not in there:
        raise HTTPException(400)
    return await _merge(desk, place, kept, other if kept == one else one)


async def _merge(desk: Desk, place: Hamlet, kept: str, gone: str) -> Response:
    """The one household becomes an alias of the other; its pledges follow (`server.carrying`)."""
    status = {"is": "merged_into", "since": local_day(desk.now).isoformat(), "into": kept}
    parts, caller = desk.parts, caller_of(desk.signed_in.grant, desk.words)
    carrier = Carrier(parts.store, parts.rows, parts.clock)
    anew = await carrier.undone(place.db, gone, kept)  # they were one before, and were parted
    made = [_again(desk, pledge, acts) for pledge, acts in anew.items()]
    try:
        changes = [Change(f"household:{gone}", {"status": status}), *made]
        await parts.scribe.write(caller, {place.db: changes})
    except NotTaken as error:
        return desk.to(HERE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted("household.merged", f"{place.db}/household:{gone} household:{kept}")
    return desk.to(HERE, "office.flash.merged")


async def _part(desk: Desk, place: Hamlet, gone: str) -> Response:
    try:
        done = await parting.part(desk, place.db, gone)
    except NotTaken as error:
        return desk.to(HERE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    if not done:
        return desk.to(HERE, "office.flash.pair_gone", kind="warn")
    return desk.to(HERE, "office.flash.parted")


def _again(desk: Desk, pledge: str, acts: Collection[Act]) -> Change:
    made = ulids(milliseconds(desk.now), secrets.token_bytes)
    return Change(pledge, {"acts": [{**act, "id": next(made), "by": desk.user} for act in acts]})


def merged(rows: Connection, known: Mapping[str, Hamlet]) -> list[Merged]:
    """The households that were merged, the latest first."""
    kept = _households.alias()
    asked = (
        select(_households, kept.c.name.label("kept_name"))
        .select_from(
            _households.join(kept, (kept.c.db == _households.c.db) & (kept.c.ulid == _households.c.into))
        )
        .where(_households.c.db.in_([place.db for place in known.values()]))
        .where(_households.c.status == "merged_into")
        .order_by(_households.c.stamp.desc())
    )
    places = {place.db: place for place in known.values()}
    return [
        Merged(
            places[row.db],
            row.ulid,
            row.name,
            place_of(row.house, row.lane),
            row.kept_name,
            row.since,
        )
        for row in rows.execute(asked.limit(SHOWN))
    ]


async def _hamlet(desk: Desk) -> Hamlet:
    held = desk.signed_in.grant.hamlets
    found = (await desk.read(lambda rows: hamlets(rows, held))).get(desk.text("hamlet", 20))
    if found is None:
        raise HTTPException(404)
    return found


def _there(rows: Connection, db: str, ulids: set[str]) -> Mapping[str, Row[Any]]:
    asked = select(_households).where(_households.c.db == db, _households.c.ulid.in_(ulids))
    return {row.ulid: row for row in rows.execute(asked)}


def offered(rows: Connection, known: Mapping[str, Hamlet]) -> list[Offered]:
    """The pairs of these hamlets, the likeliest first."""
    found: list[tuple[int, Offered]] = []
    for place in known.values():
        asked = select(_households).where(_households.c.db == place.db, _households.c.status.not_in(ENDED))
        there = {row.ulid: row for row in rows.execute(asked)}
        apart = rows.execute(select(_apart.c.one, _apart.c.other).where(_apart.c.db == place.db))
        told = {frozenset({row.one, row.other}) for row in apart}
        compared = [Household(r.ulid, r.name, r.house, r.lane, r.walk) for r in there.values()]
        signed = _signed(rows, place.db)
        for pair in duplicates.pairs(compared, told):
            found.append((pair.score, _offered(pair, place, there, signed)))
    return [one for _, one in sorted(found, key=lambda scored: -scored[0])]


def _signed(rows: Connection, db: str) -> set[str]:
    asked = select(_pledges.c.subject).where(_pledges.c.db == db, _pledges.c.signed)
    return set(rows.execute(asked).scalars())


def _offered(pair: Pair, place: Hamlet, there: Mapping[str, Row[Any]], signed: set[str]) -> Offered:
    """Kept by default is the one that has signed, else the one that was entered first."""
    first = min((pair.one.id, pair.other.id), key=lambda ulid: (ulid not in signed, ulid))
    one, other = (_one(there[ulid], place, signed, first) for ulid in (pair.one.id, pair.other.id))
    return Offered(place, (pair.likeness.name.lower(), str(pair.place)), (one, other))


def _one(row: Row[Any], place: Hamlet, signed: set[str], kept: str) -> One:
    return One(
        ulid=row.ulid,
        href=f"/office/households/{place.id}/{row.ulid}",
        name=row.name,
        place=place_of(row.house, row.lane),
        walk=row.walk,
        status=row.status,
        signed=row.ulid in signed,
        kept=row.ulid == kept,
    )
