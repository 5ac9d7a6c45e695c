"""Ids that must stay erased or revoked, whatever comes back from a phone or a backup."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new

_ledger = table(tables.Ledger)
_devices, _users = table(tables.Device), table(tables.User)

USERS = "users"
"""In place of a database, for people who were revoked."""


def erased(connection: Connection, db: str, ids: Collection[str]) -> set[str]:
    """Those of these documents that were erased."""
    found: set[str] = set()
    for some in chunks(sorted(ids)):
        here = (_ledger.c.kind == "erased", _ledger.c.db == db, _ledger.c.id.in_(some))
        found.update(connection.execute(select(_ledger.c.id).where(*here)).scalars())
    return found


def note_revoked(connection: Connection, named: Iterable[tuple[str, str]], at: str, by: str) -> None:
    """These were revoked: phones (with an empty place), people (`USERS`)."""
    rows = [{"kind": "revoked", "db": place, "id": one, "at": at, "by": by} for place, one in named]
    insert_new(connection, _ledger, rows)


def let_return(connection: Connection, user: str) -> None:
    """A person was let in again; the phones stay revoked."""
    here = (_ledger.c.kind == "revoked", _ledger.c.db == USERS, _ledger.c.id == user)
    connection.execute(delete(_ledger).where(*here))


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
