"""Ids that must stay erased or revoked, whatever comes back from a phone or a backup.

They are in the rows, and before those are committed in a file beside the data (`server.outlasting`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from server import outlasting
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new

_ledger = table(tables.Ledger)
_devices, _users = table(tables.Device), table(tables.User)

USERS = "users"
"""In place of a database, for people who were revoked."""

LATE = "late"
"""Kind of what a person drew for a household that was erased before it came (`server.strokes`); in place of
a database the person."""


def erased(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these documents that were erased, or that speak of something erased: a pledge that nobody here
    had heard of when its household was erased may still be on some phone.

    In whatever hamlet: the ledger says where it was then. After a restore to before a move, phones give back
    what they have where they have it."""
    spoken = {doc_id: speaks_of(doc_id) for doc_id in ids}
    found: set[str] = set()
    for some in chunks(sorted({one for named in spoken.values() for one in named})):
        here = (_ledger.c.kind == "erased", _ledger.c.id.in_(some))
        found.update(connection.execute(select(_ledger.c.id).where(*here)).scalars())
    return {doc_id for doc_id, named in spoken.items() if found & named}


def speaks_of(doc_id: str) -> set[str]:
    """The document, what it reviews, and the household whose pledge it is: as far as ids tell.

    >>> sorted(speaks_of("review:pledge:antq-2026:01J"))
    ['household:01J', 'pledge:antq-2026:01J', 'review:pledge:antq-2026:01J']
    """
    subject = doc_id.removeprefix("review:")
    household = {f"household:{subject.rpartition(':')[2]}"} if subject.startswith("pledge:") else set()
    return {doc_id, subject} | household


def note_erased(connection: Connection, db: str, ids: Iterable[str], at: str, by: str) -> None:
    """These are erased from now on."""
    rows = [{"kind": "erased", "db": db, "id": doc_id, "at": at, "by": by} for doc_id in sorted(set(ids))]
    _note(connection, rows)


def note_late(connection: Connection, ids: Iterable[str], at: str, user: str) -> None:
    """These are refused when this person sends them."""
    rows = [{"kind": LATE, "db": user, "id": doc_id, "at": at, "by": user} for doc_id in ids]
    insert_new(connection, _ledger, rows)


def note_revoked(connection: Connection, named: Iterable[tuple[str, str]], at: str, by: str) -> None:
    """These were revoked: phones (with an empty place), people (`USERS`)."""
    rows = [{"kind": "revoked", "db": place, "id": one, "at": at, "by": by} for place, one in named]
    _note(connection, rows)


def revoked(connection: Connection, device: str) -> bool:
    """Whether this phone was revoked, even if nothing else is known of it."""
    here = (_ledger.c.kind == "revoked", _ledger.c.db == "", _ledger.c.id == device)
    return connection.execute(select(_ledger.c.id).where(*here)).first() is not None


def let_return(connection: Connection, user: str, at: str, by: str) -> None:
    """A person was let in again; the phones stay revoked."""
    returned = {"kind": outlasting.RETURNED, "db": USERS, "id": user, "at": at, "by": by}
    outlasting.add(_file(connection), [returned])
    here = (_ledger.c.kind == "revoked", _ledger.c.db == USERS, _ledger.c.id == user)
    connection.execute(delete(_ledger).where(*here))


def keep_beside(connection: Connection) -> None:
    """See that the file beside the data says all that the rows do: an earlier program wrote none. Raises
    `StoreFull`, and `LedgerUnread` where the file is damaged."""
    file = _file(connection)
    kept = {(one["kind"], one["db"], one["id"]) for one in outlasting.read(file)}
    said = [one for one in entries(connection) if one["kind"] != LATE]
    outlasting.add(file, [one for one in said if (one["kind"], one["db"], one["id"]) not in kept])


def entries(connection: Connection) -> list[dict[str, Any]]:
    """The whole ledger: ids, times, who."""
    return [dict(row) for row in connection.execute(select(_ledger)).mappings()]


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add what another copy of the ledger says, and shut out whom it names."""
    insert_new(connection, _ledger, [dict(row) for row in rows])
    for row in connection.execute(select(_ledger).where(_ledger.c.kind == "revoked")).all():
        source, column = (_users, "disabled_at") if row.db == USERS else (_devices, "revoked_at")
        live = (source.c.id == row.id, source.c[column].is_(None))
        connection.execute(update(source).where(*live).values({column: row.at}))


def _note(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Into the file first: what is told to be gone stays gone, whatever becomes of the rows."""
    outlasting.add(_file(connection), rows)
    insert_new(connection, _ledger, rows)


def _file(connection: Connection) -> Path:
    return Path(connection.get_execution_options()["beside"]) / outlasting.NAME
