"""Revisions that may not enter by themselves: kept whole, off the feed, until a person decides.

What is here was valid; it came from a revoked phone, from one whose clock was wrong, or was recovered from
somebody else's phone. The outcome `quarantined` names the revision, and the phone does not send it again.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from sqlalchemy import Connection, select, update

from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new
from sync.rev import Rev
from sync.store.interface import Edit

_quarantine = table(tables.Quarantine)

Why = Literal["revoked", "clock", "recovered"]
State = Literal["waiting", "released", "discarded"]


class Held(NamedTuple):
    """A revision to hold: where it was meant for, whose it is and why it may not enter by itself."""

    db: str
    edit: Edit
    why: Why
    user: str
    device: str | None
    skew_ms: int | None = None


class Decided(NamedTuple):
    """What became of a held revision so far."""

    why: Why
    state: State


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
            "received_at": at,
            "state": "waiting",
        }
        for one in held
    ]
    insert_new(connection, _quarantine, rows)


def decided(
    connection: Connection, db: str, revs: Collection[tuple[str, Rev]]
) -> Mapping[tuple[str, Rev], Decided]:
    """What became of those of these revisions that are, or were, held."""
    wanted = set(revs)
    found: dict[tuple[str, Rev], Decided] = {}
    columns = (_quarantine.c.doc_id, _quarantine.c.rev, _quarantine.c.why, _quarantine.c.state)
    for ids in chunks(sorted({doc_id for doc_id, _ in wanted})):
        for row in connection.execute(
            select(*columns).where(_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids))
        ):
            key = (row.doc_id, Rev.parse(row.rev))
            if key in wanted:
                found[key] = Decided(row.why, row.state)
    return found


def entered(connection: Connection, db: str, revs: Collection[tuple[str, Rev]]) -> None:
    """These entered after all, sent by their authors: what was recovered of them waits no more."""
    wanted = {(doc_id, str(rev)) for doc_id, rev in revs}
    for ids in chunks(sorted({doc_id for doc_id, _ in wanted})):
        here = (_quarantine.c.db == db, _quarantine.c.doc_id.in_(ids), _quarantine.c.state == "waiting")
        rows = connection.execute(
            select(_quarantine.c.number, _quarantine.c.doc_id, _quarantine.c.rev).where(*here)
        )
        numbers = [row.number for row in rows if (row.doc_id, row.rev) in wanted]
        if numbers:
            gone = update(_quarantine).where(_quarantine.c.number.in_(numbers))
            connection.execute(gone.values(state="released"))
