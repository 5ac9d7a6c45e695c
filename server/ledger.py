"""Ids that must stay erased or revoked, whatever comes back from a phone or a backup."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks

_ledger = table(tables.Ledger)


def erased(connection: Connection, db: str, ids: Collection[str]) -> set[str]:
    """Those of these documents that were erased."""
    found: set[str] = set()
    for some in chunks(sorted(ids)):
        here = (_ledger.c.kind == "erased", _ledger.c.db == db, _ledger.c.id.in_(some))
        found.update(connection.execute(select(_ledger.c.id).where(*here)).scalars())
    return found
