"""Whose strokes are they? A signature is named by its hash alone, and whoever may read a pledge knows that.

So naming strokes gives nobody a right over them. What another household's pledge names, in whatever hamlet,
is that one's as well and is never erased with this one. Where a pledge comes late, after its household was
erased, it is all that tells whose its strokes are: but it is believed of what its own sender has drawn, of
nothing else. And strokes that no pledge names, long after they came, are nobody's: they are collected.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, func, select

from server import ledger
from server.bounds import ACTS
from server.clock import instant
from server.content import broken
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks
from sync.store.interface import Edit

_acts, _ledger = table(tables.ActRow), table(tables.Ledger)
_archive, _quarantine = table(tables.Archive), table(tables.Quarantine)

KEPT = timedelta(days=400)
"""How long strokes wait for the pledge that names them: longer than a campaign. Phones send pledges first."""

LATE = 1_000
"""Strokes of one person that are refused when they come, since their household was erased before."""

_HASH = re.compile(r"[0-9a-f]{64}")


class Drawn(NamedTuple):
    """An act of a pledge that names strokes (sha256 hex), and who recorded it."""

    act: str
    by: str
    strokes: str


def doc_id(strokes: str) -> str:
    """The document of these strokes."""
    return f"signature:{strokes}"


def drawn(pledge: bytes) -> Iterator[Drawn]:
    """The acts of a pledge that name strokes; whatever a later program, or anybody, has written there."""
    body = orjson.loads(pledge)
    acts = body.get("acts") if isinstance(body, dict) else None
    for act in acts if isinstance(acts, list) else ():
        named = act.get("signature") if isinstance(act, dict) else None
        if isinstance(named, str) and _HASH.fullmatch(named):
            yield Drawn(str(act.get("id", "")), str(act.get("by", "")), named)


def of_others(
    connection: Connection,
    wanted: Collection[str],
    subjects: Collection[str] = (),
    acts: Collection[str] = (),
) -> set[str]:
    """Those of these strokes that a pledge of any other household or unit names, wherever it is: in the rows,
    in the history, or waiting. `subjects` are the ULIDs of this one, `acts` the ids of its acts.

    An act of this one's that does not stand in the other's pledge is what is left of a merge that was undone.
    """
    wanted = set(wanted)
    if not wanted:
        return set()
    found: set[str] = set()
    undone: set[tuple[str, str]] = set()
    for some in chunks(sorted(wanted)):
        columns = (_acts.c.doc_id, _acts.c.id, _acts.c.signature, _acts.c.standing)
        for row in connection.execute(select(*columns).where(_acts.c.signature.in_(some))):
            if _subject(row.doc_id) in subjects:
                continue
            if row.id in acts and not row.standing:
                undone.add((row.doc_id, row.id))
            else:
                found.add(row.signature)
    if found == wanted:
        return found
    for pledge, body in _pledges(connection):
        if _subject(pledge) not in subjects:
            found |= {one.strokes for one in drawn(body) if (pledge, one.act) not in undone} & wanted
    return found


def unnamed(connection: Connection, now: datetime) -> dict[str, set[str]]:
    """The documents of strokes that came long ago and that no pledge names, by database."""
    last = func.max(_archive.c.entered_at)
    asked = select(_archive.c.db, _archive.c.id).where(_archive.c.id.like("signature:%"))
    old = asked.group_by(_archive.c.db, _archive.c.id).having(last < instant(now - KEPT))
    found = [(row.db, row.id) for row in connection.execute(old)]
    kept = of_others(connection, {_strokes(one) for _, one in found})
    return {
        db: {one for place, one in found if place == db and _strokes(one) not in kept}
        for db in {db for db, _ in found}
    }


# ---- pledges that come after their household was erased -------------------------------------------------


def go_with(connection: Connection, db: str, user: str, refused: Iterable[Edit], at: str) -> set[str]:
    """The documents of strokes that go with these pledges, which this person has sent and which were refused
    since their household was erased: those here that nobody else has sent and no other pledge names. Those
    that are not here are noted: they are refused when this person sends them."""
    named = sorted({one.strokes for edit in refused for one in _own(edit, user)})[:LATE]
    sent = _senders(connection, db, [doc_id(one) for one in named])
    _note_late(connection, user, [one for one in named if doc_id(one) not in sent], at)
    own = {one for one in named if sent.get(doc_id(one)) == {user}}
    return {doc_id(one) for one in own - of_others(connection, own)}


def late(connection: Connection, user: str, ids: Collection[str]) -> set[str]:
    """Those of these documents that are strokes of this person's for a household that was erased before."""
    strokes = sorted(one for one in ids if one.startswith("signature:"))
    found: set[str] = set()
    for some in chunks(strokes):
        here = (_ledger.c.kind == ledger.LATE, _ledger.c.db == user, _ledger.c.id.in_(some))
        found |= {*connection.execute(select(_ledger.c.id).where(*here)).scalars()}
    return found - {doc_id(one) for one in of_others(connection, {_strokes(one) for one in found})}


def _own(edit: Edit, user: str) -> list[Drawn]:
    """What a well-formed pledge of a sane length says of strokes in its sender's own acts."""
    body = orjson.loads(edit.body)
    acts = body.get("acts") if edit.id.startswith("pledge:") and isinstance(body, dict) else None
    if not isinstance(acts, list) or len(acts) > ACTS or broken({"_id": edit.id, **body}):
        return []
    return [one for one in drawn(edit.body) if one.by == user] if body["by"] == user else []


def _senders(connection: Connection, db: str, ids: Sequence[str]) -> dict[str, set[str | None]]:
    """Who has sent those of these documents that are kept or wait here."""
    found: dict[str, set[str | None]] = {}
    for some in chunks(ids):
        for name, by in ((_archive.c.id, _archive.c.entered_by), (_quarantine.c.doc_id, _quarantine.c.user)):
            asked = select(name.label("id"), by.label("by")).where(name.table.c.db == db, name.in_(some))
            for row in connection.execute(asked):
                found.setdefault(row.id, set()).add(row.by)
    return found


def _note_late(connection: Connection, user: str, strokes: Collection[str], at: str) -> None:
    here = (_ledger.c.kind == ledger.LATE, _ledger.c.db == user)
    noted = connection.execute(select(func.count()).select_from(_ledger).where(*here)).scalar_one()
    ledger.note_late(connection, [doc_id(one) for one in strokes][: max(0, LATE - noted)], at, user)


def _pledges(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Everything that any pledge says or has said, or would say: its id and a body."""
    kept = select(_archive.c.id, _archive.c.body).where(_archive.c.id.like("pledge:%"))
    waits = select(_quarantine.c.doc_id, _quarantine.c.body).where(_quarantine.c.doc_id.like("pledge:%"))
    for asked in (kept, waits.where(_quarantine.c.state != "discarded")):
        for rows in connection.execute(asked.execution_options(yield_per=1000)).partitions():
            yield from ((pledge, body) for pledge, body in rows)


def _subject(pledge: str) -> str:
    return pledge.rpartition(":")[2]


def _strokes(named: str) -> str:
    return named.removeprefix("signature:")
