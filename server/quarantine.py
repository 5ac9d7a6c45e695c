"""Revisions that may not enter by themselves: kept whole, off the feed, until a person decides.

What is here was valid as far as this program can tell; it came from a revoked phone, from one whose clock was
wrong, from one that this server does not know (it joined after the backup that was restored), was recovered
from somebody else's phone, is of a version that this program does not know, of a hamlet that was its author's
once, says otherwise what is held under the same stamp, or gives a household another status that staff have
merged. The outcome `quarantined` names the revision, and the phone does not send it again. What is beyond the
bound of its sender is not here, and the phone does (`beyond`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any, Literal, NamedTuple
from zlib import crc32

import orjson
from sqlalchemy import Connection, Row, func, select, update

from server.clock import FIRST_DAY, milliseconds
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new
from sync.alike import digested, same
from sync.merge import Body
from sync.rev import Rev, derive
from sync.stamps import ALL, SKEW, device_of
from sync.store.interface import Edit

_quarantine = table(tables.Quarantine)

Why = Literal[
    "revoked", "clock", "recovered", "newer", "moved", "unassigned", "merged", "stranger", "altered"
]
State = Literal["waiting", "released", "discarded"]

MOST = 2_000
"""Entries of one sender that wait at a time. A meeting that 200 households sign at in one day makes some 600
records, and a phone whose clock was wrong for weeks fewer than twice as many."""

MOST_BYTES = 16 * 1024 * 1024
"""Of those entries together, their bodies and paths; 2,000 pledges with their strokes are half of it."""


class Held(NamedTuple):
    """A revision to hold: where it was meant for, whose it is and why it may not enter by itself."""

    db: str
    edit: Edit
    why: Why
    user: str
    device: str | None
    skew_ms: int | None = None
    sent_as: Rev | None = None
    """The revision's own name, where by that there is something else here already."""
    sender: str | None = None
    """Who handed it in, as far as that is proven; where it is not said, the device."""


class Decided(NamedTuple):
    """What became of a held revision so far."""

    why: Why
    state: State
    device: str | None = None
    """Who brought it."""
    body: bytes = b""

    def of_other(self, device: str | None) -> bool:
        """Whether somebody else brought this."""
        return device != self.device


class Entry(NamedTuple):
    """A revision that waits here, under its number."""

    number: int
    db: str
    edit: Edit
    why: Why
    user: str | None
    device: str | None
    skew_ms: int | None
    received_at: str

    @property
    def offset_ms(self) -> int:
        """How far its clock is to be moved (milliseconds): as far as it was measured to be wrong. What
        somebody else wrote was not told by the clock of the phone that brought it."""
        skew = self.skew_ms or 0
        return skew if abs(skew) > SKEW and self.is_own else 0

    @property
    def is_own(self) -> bool:
        """Whether the phone that brought it wrote it."""
        return device_of(orjson.loads(self.edit.body)["stamps"][ALL]) == self.device


def hold(connection: Connection, held: Iterable[Held], at: str) -> None:
    """Hold these; one that is held already, or was decided about, stays as it is."""
    rows = [
        {
            "db": one.db,
            "doc_id": one.edit.id,
            "rev": str(one.edit.rev),
            "path": [str(rev) for rev in one.edit.path],
            "body": one.edit.body,
            "deleted": one.edit.deleted,
            "why": one.why,
            "skew_ms": one.skew_ms,
            "user": one.user,
            "device": one.device,
            "sender": _sender(one),
            "size": _size(one),
            "received_at": at,
            "state": "waiting",
        }
        for one in held
    ]
    insert_new(connection, _quarantine, rows)
    for row in rows:
        if row["why"] != "stranger":  # by now it is known whose it is
            here = [_quarantine.c[name] == row[name] for name in ("db", "doc_id", "rev", "device")]
            waits = (_quarantine.c.state == "waiting", _quarantine.c.why == "stranger")
            known = {name: row[name] for name in ("why", "sender")}
            connection.execute(update(_quarantine).where(*here, *waits).values(**known))


def freed(connection: Connection, held: Held) -> Held:
    """What is to be held, by a name of its own where something else is held by its: nobody may know that name
    before. What is held already in these words stays by the name that it has."""
    here = (_quarantine.c.db == held.db, _quarantine.c.doc_id == held.edit.id)
    columns = select(_quarantine.c.rev, _quarantine.c.body).where(*here)
    by_name = connection.execute(columns.where(_quarantine.c.rev == str(held.edit.rev))).one_or_none()
    if by_name is None or same(by_name.body, held.edit.body):
        return held
    own = (_quarantine.c.device == held.device, _quarantine.c.body == held.edit.body)
    found = connection.execute(columns.where(*own).order_by(_quarantine.c.number).limit(1)).one_or_none()
    rev = Rev.parse(found.rev) if found else Rev(held.edit.rev.generation, token_hex(16))
    return held._replace(edit=held.edit._replace(path=(rev, *held.edit.path[1:])))


def beyond(connection: Connection, held: Sequence[Held]) -> tuple[Collection[tuple[str, Rev]], int]:
    """Those of one sender's records for which there is no room, and how many of that sender's wait.

    Nobody fills the disk or the staff's list: what finds no room is not kept, and comes again. In the
    transaction that holds the others; of two requests at once the second one sees what the first one adds.
    """
    if not held:
        return (), 0
    sender = _sender(held[0])
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(select(func.pg_advisory_xact_lock(crc32(sender.encode()))))
    here = (_quarantine.c.sender == sender, _quarantine.c.state == "waiting")
    counted = select(func.count(), func.coalesce(func.sum(_quarantine.c.size), 0)).where(*here)
    count, size = connection.execute(counted).one()
    if count + len(held) <= MOST and size + sum(map(_size, held)) <= MOST_BYTES:
        return (), count
    kept, left = _kept(connection, {one.edit.id for one in held}), set[tuple[str, Rev]]()
    for one in held:
        if (one.db, one.edit.id, str(one.edit.rev)) in kept:
            continue
        if count < MOST and size + _size(one) <= MOST_BYTES:
            count, size = count + 1, size + _size(one)
        else:
            left.add((one.edit.id, one.edit.rev))
    return left, count


def _kept(connection: Connection, ids: Collection[str]) -> set[tuple[str, str, str]]:
    """What is held of these documents already, be it decided or not."""
    names = select(_quarantine.c.db, _quarantine.c.doc_id, _quarantine.c.rev)
    some = (names.where(_quarantine.c.doc_id.in_(part)) for part in chunks(sorted(ids)))
    return {(row.db, row.doc_id, row.rev) for asked in some for row in connection.execute(asked)}


def _sender(one: Held) -> str:
    return one.sender or one.device or one.user


def _size(one: Held) -> int:
    return len(one.edit.body) + sum(len(rev.digest) + 12 for rev in one.edit.path)


def decided(
    connection: Connection, db: str, revs: Collection[tuple[str, Rev]]
) -> Mapping[tuple[str, Rev], Decided]:
    """What became of those of these revisions that are, or were, held."""
    wanted = set(revs)
    found: dict[tuple[str, Rev], Decided] = {}
    for ids in chunks(sorted({doc_id for doc_id, _ in wanted})):
        for row in connection.execute(
            select(_quarantine).where(_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids))
        ):
            key = (row.doc_id, Rev.parse(row.rev))
            if key in wanted:
                found[key] = Decided(row.why, row.state, row.device, row.body)
    return found


def apart(
    connection: Connection, db: str, says: Mapping[tuple[str, Rev], str], device: str | None
) -> Mapping[tuple[str, Rev], Decided]:
    """What this phone sent by names of which there was something else, and did not enter: it is held by
    another name, and found by what it says (`says`, digests)."""
    held: dict[tuple[str, int, str | None], Decided] = {}
    for ids in chunks(sorted({doc_id for doc_id, _ in says})):
        here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids), _quarantine.c.device == device)
        for row in connection.execute(select(_quarantine).where(*here, _quarantine.c.state != "released")):
            key = (row.doc_id, Rev.parse(row.rev).generation, digested(row.body))
            held[key] = Decided(row.why, row.state, row.device, row.body)
    found = {(doc_id, rev): held.get((doc_id, rev.generation, said)) for (doc_id, rev), said in says.items()}
    return {named: one for named, one in found.items() if one}


def apart_as(rev: Rev, body: bytes) -> Rev:
    """By what name a body is held that was sent by one of which there is something else."""
    return Rev(rev.generation, derive(rev, False, body).digest)


def entered(
    connection: Connection,
    db: str,
    sent: Mapping[tuple[str, Rev], bytes],
    by: str,
    covers: Callable[[Body, Body], bool],
) -> None:
    """These entered after all, sent by their authors: what was recovered of them waits no more. What says
    something else by the same name is another's, unless that was given back as this author's, and nobody
    else's work is in it that has not come (`covers`)."""
    for ids in chunks(sorted({doc_id for doc_id, _ in sent})):
        here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids), _quarantine.c.state == "waiting")
        for row in connection.execute(select(_quarantine).where(*here)).all():
            body = sent.get((row.doc_id, Rev.parse(row.rev)))
            if body is None:
                continue
            held = orjson.loads(row.body)
            theirs = row.why == "recovered" and held.get("by") == by and covers(orjson.loads(body), held)
            if theirs or same(body, row.body):
                gone = update(_quarantine).where(_quarantine.c.number == row.number)
                connection.execute(gone.values(state="released"))


def waiting(connection: Connection, numbers: Sequence[int]) -> list[Entry]:
    """Those of these entries that still wait, the oldest first."""
    found: list[Entry] = []
    for some in chunks(numbers):
        asked = select(_quarantine).where(_quarantine.c.number.in_(some), _quarantine.c.state == "waiting")
        found += (_entry(row) for row in connection.execute(asked.order_by(_quarantine.c.number)))
    return found


def waiting_of(connection: Connection, db: str, ids: Collection[str], user: str) -> list[Entry]:
    """What this person has brought of these documents that still waits."""
    found: list[Entry] = []
    for some in chunks(sorted(ids)):
        here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(some), _quarantine.c.user == user)
        asked = select(_quarantine).where(*here, _quarantine.c.state == "waiting")
        found += (_entry(row) for row in connection.execute(asked.order_by(_quarantine.c.number)))
    return found


def came(entry: Entry, now_ms: int) -> int | None:
    """When an entry came (milliseconds), so that it becomes the same whenever it is released; now, where it
    came by a clock of this server that was plainly wrong. None where nothing is known of the clock of who
    wrote it."""
    if entry.skew_ms is None or not entry.is_own:
        return None
    at = datetime.fromisoformat(entry.received_at)
    return min(milliseconds(at), now_ms) if at >= FIRST_DAY else now_ms


def measured(connection: Connection, entry: Entry) -> None:
    """Keep how wrong the clock of an entry was, where it could not be said when it came."""
    here = (_quarantine.c.number == entry.number, _quarantine.c.skew_ms.is_(None))
    connection.execute(update(_quarantine).where(*here).values(skew_ms=entry.skew_ms))


def handed_in(connection: Connection, db: str, doc_id: str, device: str | None = None) -> bytes | None:
    """What a phone, this one or any, has handed in of a document that waits here or was let in."""
    here = (_quarantine.c.db == db, _quarantine.c.doc_id == doc_id, _quarantine.c.state != "discarded")
    asked = select(_quarantine.c.body).where(*here)
    if device is not None:
        asked = asked.where(_quarantine.c.device == device)
    return connection.execute(asked.order_by(_quarantine.c.number.desc()).limit(1)).scalar()


def decide(connection: Connection, entry: Entry, became: Rev | None, by: str, at: str) -> None:
    """Close an entry that waits; `became` is the revision that it entered as, None where it was discarded."""
    state: State = "released" if became else "discarded"
    values = {"state": state, "released_as": became and str(became), "decided_by": by, "decided_at": at}
    here = (_quarantine.c.number == entry.number, _quarantine.c.state == "waiting")
    connection.execute(update(_quarantine).where(*here).values(**values))


def released(connection: Connection, db: str, doc_id: str) -> dict[Rev, tuple[Rev, Body]]:
    """What was released, corrected, of one document: as which revision, and what it had said before."""
    here = (_quarantine.c.db == db, _quarantine.c.doc_id == doc_id, _quarantine.c.state == "released")
    rows = connection.execute(select(_quarantine).where(*here, _quarantine.c.released_as.is_not(None)))
    found = [(Rev.parse(row.rev), Rev.parse(row.released_as), row.body) for row in rows]
    # one that a later revision has superseded did not enter itself
    return {
        rev: (became, orjson.loads(body))
        for rev, became, body in found
        if became != rev and became.generation == rev.generation
    }


def bringers(connection: Connection, db: str, ids: Collection[str]) -> dict[tuple[str, str], str]:
    """Who brought what was released of these documents, by id and the revision that it entered as."""
    here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids), _quarantine.c.released_as.is_not(None))
    rows = connection.execute(select(_quarantine).where(*here, _quarantine.c.state == "released"))
    return {(row.doc_id, row.released_as): row.user for row in rows if row.user}


def _entry(row: Row[Any]) -> Entry:
    path = tuple(Rev.parse(rev) for rev in row.path)
    edit = Edit(row.doc_id, path, row.body, row.deleted)
    return Entry(row.number, row.db, edit, row.why, row.user, row.device, row.skew_ms, row.received_at)
