"""Records that could not enter by themselves: to look at, to let in with the clock set right, to discard."""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, func, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

import schemas
from server import correcting, ledger, restores
from server.auth.grant import Grant, Role
from server.office import acts, parting, records, said
from server.office.desk import Desk
from server.office.history import ENVELOPE
from server.office.places import Hamlet, hamlet_of, hamlets, merged
from server.office.restoring import restored
from server.office.said import Known
from server.office.saving import known_of
from server.office.sieve import reasons, senders, sieve_of
from server.quarantine import Why
from server.release import Blocked, Planned, Ready, Warden
from server.rows import tables
from server.rows.engine import table
from server.scribe import NotTaken
from server.words import Words
from sync import revtree
from sync.store.interface import DatabaseMissing

PAGE = 50
KINDS = ("hamlet", "media")
HERE = "/office/quarantine"
DAYS = 3660
"""A clock that is wrong by more than ten years is set right by other means."""

_quarantine, _users, _households = table(tables.Quarantine), table(tables.User), table(tables.HouseholdRow)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A revision in quarantine, in words."""

    number: int
    record: str
    href: str
    hamlet_name: str
    why: str
    who: str
    received_at: str
    author: str = ""
    """Who has written it, by its own word alone; empty where that is who sent it."""
    untold: bool = False
    """A phone that was revoked, and has wiped itself, hears nothing of it any more."""
    closes: bool = False
    """Recorded anew it waits no more; of a household that was merged, what is recorded anew waits too."""


async def show(desk: Desk) -> Response:
    """What waits, the oldest first."""
    grant, sieve = desk.signed_in.grant, sieve_of(lambda name: desk.request.query_params.get(name, ""))

    def work(rows: Connection) -> tuple[int, int, list[Waiting], int, dict[str, Any]]:
        known = _known(rows, grant)
        every = _asked(known, grant)
        asked = sieve.of(every)
        count = rows.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        page = asked.order_by(_quarantine.c.number).limit(PAGE).offset((number - 1) * PAGE)
        found = [_waiting(rows, row, known, desk.words) for row in rows.execute(page).all()]
        last = rows.execute(asked.with_only_columns(func.max(_quarantine.c.number))).scalar()
        choices = {"senders": senders(rows, every, desk.words), "reasons": reasons(rows, every, desk.words)}
        said = {"last": last, "restored": restored(rows, grant.role)}
        return count, number, found, len(_at_once(rows, grant, "recovered")), {**choices, **said}

    count, number, found, recovered, shown = await desk.read(work)
    return await desk.render(
        "quarantine.html",
        "quarantine",
        found=found,
        count=desk.words.number(count),
        recovered=recovered,
        sieve=sieve,
        pages=desk.pages(number, count, PAGE, HERE, **sieve.query),
        **shown,
    )


async def decide(desk: Desk) -> Response:
    """Release or discard the chosen ones, release all that phones gave back after a restore, or discard
    all of one sender's that the page spoke of."""
    grant = desk.signed_in.grant
    sieve, every = sieve_of(desk.text), desk.text("every")
    chosen = {int(text) for text in desk.texts("number") if _is_number(text)}

    def work(rows: Connection) -> list[int]:
        if every == "sender":
            asked = sieve.of(_asked(_known(rows, grant), grant)).with_only_columns(_quarantine.c.number)
            is_meant = sieve.sender and sieve.last is not None and desk.text("do") == "discard"
            return list(rows.execute(asked).scalars()) if is_meant and desk.text("sure") else []
        if every:
            return _at_once(rows, grant, every) if every in get_args(Why) else []
        return [number for number in _numbers(rows, grant, None) if number in chosen]

    return await _decided(desk, await desk.read(work), None)


async def show_one(desk: Desk) -> Response:
    """One record: what it says now, and what it will say with its clock moved by `?minutes=`."""
    row, known = await _open(desk)
    minutes = _minutes(desk.request.query_params.get("minutes", ""))
    offset = await _offset(desk, row, minutes)
    planned = await _warden(desk).preview(row.number, offset)
    if planned is None:
        raise HTTPException(404)
    stands = await _standing(desk, row)

    goes = planned.db.partition("-")[2] if isinstance(planned, Ready) and planned.db != row.db else ""

    def work(rows: Connection) -> tuple[Waiting, list[str], list[str], dict[str, Hamlet], str]:
        fields, people = known_of(rows, desk.words), records.people(rows)
        says = _says(row.doc_id, json.loads(row.body), fields, people)
        now = _says(row.doc_id, stands, fields, people) if stands else []
        places = hamlets(rows, desk.signed_in.grant.hamlets)
        return _waiting(rows, row, known, desk.words), says, now, places, _name(rows, goes)

    shown, says, now, places, goes_to = await desk.read(work)
    return await desk.render(
        "quarantined.html",
        "quarantine",
        one=shown,
        minutes=offset // 60_000,
        says=[(line, line not in now) for line in says],
        now=[(line, line not in says) for line in now],
        times=_times(planned),
        obstacle=planned.obstacle if isinstance(planned, Blocked) else "",
        parting=isinstance(planned, Ready) and planned.parts,
        goes_to=goes_to,
        places=[("", "…"), *((one.id, one.name) for one in places.values())],
    )


async def decide_one(desk: Desk) -> Response:
    """Release one record as the page showed it, or discard it."""
    row, _ = await _open(desk)
    into = desk.text("into") or None
    if into and into not in await desk.read(lambda rows: hamlets(rows, desk.signed_in.grant.hamlets)):
        raise HTTPException(400)
    return await _decided(desk, [row.number], await _offset(desk, row, _minutes(desk.text("minutes"))), into)


async def _decided(
    desk: Desk, numbers: Collection[int], offset: int | None, into: str | None = None
) -> Response:
    here = sieve_of(desk.text).href(HERE)
    if not numbers:
        return desk.to(here, "office.flash.nothing_chosen", kind="warn")
    if desk.text("do") == "discard":
        count = await _warden(desk).discard(desk.user, numbers)
        return desk.to(here, "office.flash.discarded", count=count)
    instead = desk.text("do") == "instead" and len(numbers) == 1
    if desk.text("do") != "release" and not instead:
        raise HTTPException(400)
    try:
        plans = await _let_in(desk, numbers, offset, instead=instead, into=into)
    except NotTaken as error:
        return desk.to(here, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    entered = [one for one in plans if isinstance(one, Ready)]
    blocked = len(plans) - len(entered)
    elsewhere = {one.db.partition("-")[2] for one in entered} - {into} if into else set[str]()
    if elsewhere:
        name = await desk.read(lambda rows: _name(rows, *elsewhere))
        return desk.to(here, "office.flash.released_elsewhere", kind="warn", hamlet=name)
    if blocked:
        values = {"count": len(entered), "blocked": blocked}
        return desk.to(here, "office.flash.released_some", kind="warn", **values)
    return desk.to(here, "office.flash.released", count=len(entered))


async def _let_in(
    desk: Desk, numbers: Collection[int], offset: int | None, *, instead: bool, into: str | None
) -> list[Planned]:
    """Let these in round by round, and part before each what it parts: a merge and its parting may wait side
    by side, and what the one has carried over only the other one, done by then, gives back.

    Raises `NotTaken`, `StoreFull`."""
    warden, done = _warden(desk), list[Planned]()
    for some in await warden.rounds(numbers):
        for one in await warden.partings(some, offset):
            await parting.part(desk, one.db, one.edit.id.partition(":")[2], one.body["status"])
        plans = await warden.release(desk.user, some, offset, instead=instead, into=into)
        entered = [one for one in plans if isinstance(one, Ready)]
        await desk.parts.follower.catch_up({db for one in entered for db in (one.entry.db, one.db)})
        done += plans
    return done


def _name(rows: Connection, hamlet: str) -> str:
    found = hamlet_of(rows, hamlet)
    return found.name if found else hamlet


def _warden(desk: Desk) -> Warden:
    parts = desk.parts
    return Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)


async def _open(desk: Desk) -> tuple[Row[Any], dict[str, Hamlet]]:
    """The entry that the address names; 404 where none such waits, or not for this person."""
    text, grant = desk.path("number"), desk.signed_in.grant

    def work(rows: Connection) -> tuple[Row[Any] | None, dict[str, Hamlet]]:
        known = _known(rows, grant)
        asked = _asked(known, grant).where(_quarantine.c.number == int(text))
        return rows.execute(asked).one_or_none(), known

    if not _is_number(text):
        raise HTTPException(404)
    row, known = await desk.read(work)
    if row is None:
        raise HTTPException(404)
    return row, known


def _known(rows: Connection, grant: Grant) -> dict[str, Hamlet]:
    """Somebody's hamlets, and those that were merged away: what was sent to these may wait there still."""
    return merged(rows) | hamlets(rows, grant.hamlets)


def _asked(known: Mapping[str, Hamlet], grant: Grant) -> Select[Any]:
    """What waits for this person: of their hamlets, pictures too; for an admin all that there is."""
    waiting = select(_quarantine).where(_quarantine.c.state == "waiting")
    if grant.role is Role.ADMIN:
        return waiting
    return waiting.where(_quarantine.c.db.in_([f"{kind}-{hamlet}" for hamlet in known for kind in KINDS]))


def _numbers(rows: Connection, grant: Grant, why: str | None) -> list[int]:
    asked = (
        _asked(_known(rows, grant), grant)
        .with_only_columns(_quarantine.c.number)
        .order_by(_quarantine.c.number)
    )
    return list(rows.execute(asked.where(_quarantine.c.why == why) if why else asked).scalars())


def _at_once(rows: Connection, grant: Grant, why: str) -> list[int]:
    """What may be let in without a look at each: no review, which is what staff say; and where this server
    was never restored, nothing: somebody has named what it never had."""
    if not restores.ever(rows):
        return []
    spoken = select(_quarantine.c.number).where(_quarantine.c.doc_id.like("review:%"))
    alone = set(rows.execute(spoken).scalars())
    return [number for number in _numbers(rows, grant, why) if number not in alone]


async def _standing(desk: Desk, row: Row[Any]) -> dict[str, Any] | None:
    """What the record's document says now; None where there is none, or its place is gone."""
    places = await desk.parts.intake.where.places(row.db, {row.doc_id: json.loads(row.body)})
    db = places.get(row.doc_id, row.db)
    with suppress(DatabaseMissing):
        found = await desk.parts.store.read(db, [row.doc_id], lambda _id, tree: revtree.live(tree)[:1])
        bodies = [held.json for one in found.values() for held in one.bodies.values()]
        return json.loads(bodies[0]) if bodies else None
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _minutes(text: str) -> int | None:
    """Whole minutes, forwards or (with a minus) back; None where nothing sensible is said."""
    sign, digits = (-1, text[1:]) if text[:1] in {"-", "\u2212"} else (1, text)
    if not _is_number(digits) or int(digits) > DAYS * 24 * 60:
        return None
    return sign * int(digits)


async def _offset(desk: Desk, row: Row[Any], minutes: int | None) -> int:
    if minutes is None:
        minutes = await _warden(desk).offset(row.number) // 60_000
    return minutes * 60_000


def _times(planned: Planned) -> list[tuple[str, str]]:
    """Each time of the record now, and as it will be; empty where it cannot enter."""
    if isinstance(planned, Blocked):
        return []
    before, after = (correcting.times(one) for one in (json.loads(planned.entry.edit.body), planned.body))
    return list(dict.fromkeys(zip(before, after, strict=True)))


def _says(doc_id: str, body: Mapping[str, Any], known: Known, people: Mapping[str, str]) -> list[str]:
    """What a record says, in words; of what a later program wrote, what can be read here."""
    kind, words = doc_id.partition(":")[0], known.words

    def who(user: str | None) -> str:
        return people.get(user or "") or words.say("office.somebody")

    fields = sorted(body.keys() - ENVELOPE - {"acts", "strokes"})
    told = (
        []
        if schemas.newer(body)
        else [acts.short(act, who, words, body["acts"]) for act in body.get("acts", ())]
    )
    return told + [
        f"{one.label}: {one.text}" for field in fields for one in said.lines(kind, field, body[field], known)
    ]


def _waiting(rows: Connection, row: Row[Any], known: dict[str, Hamlet], words: Words) -> Waiting:
    hamlet = row.db.partition("-")[2]
    kind, _, rest = row.doc_id.partition(":")
    ulid = rest.rpartition(":")[2]
    asked = select(_households.c.name, _households.c.db).where(_households.c.ulid == ulid)
    asked = asked.where(_households.c.db.in_([row.db, *(one.db for one in known.values())]))
    household = rows.execute(asked.order_by(_households.c.db != row.db).limit(1)).one_or_none()
    somebody = words.say("office.somebody")
    lost = words.say("office.quarantine.lost" if hamlet else "office.choose.commune", id=hamlet)
    body = json.loads(row.body)
    by = str(body.get("by") or row.user or "")
    people: dict[str, str] = {
        one.id: one.name
        for one in rows.execute(
            select(_users.c.id, _users.c.name).where(_users.c.id.in_([by, row.user or ""]))
        )
    }
    told = words.say("office.quarantine.by_its_word", name=people.get(by, somebody))
    unknown = row.why == "stranger"
    because = "stranger_revoked" if unknown and ledger.revoked(rows, row.device or "") else row.why
    untold = because in {"revoked", "stranger_revoked"}
    label = words.say(f"office.kind.{kind}" if words.knows(f"office.kind.{kind}") else "office.kind.other")
    # A household that has not come in yet is known by its own word alone, whatever that is.
    name = household.name if household else str(body.get("name", ""))[:80] if kind == "household" else ""
    return Waiting(
        number=row.number,
        record=f"{label}: {name}" if name else label,
        href=f"/office/households/{household.db.partition('-')[2]}/{ulid}" if household else "",
        hamlet_name=known[hamlet].name if hamlet in known else lost,
        why=words.say(f"office.quarantine.because.{because}"),
        who=told if unknown else people.get(row.user or "", somebody),
        received_at=row.received_at,
        author=told if by != row.user and not unknown else "",
        untold=untold,
        closes=not untold and row.why != "merged",
    )
