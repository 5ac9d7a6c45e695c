"""Who saw, changed or exported what: append-only, ids only, each row's hash over the row before.

A row taken out, altered or slipped in breaks every hash after it. Cutting off the end is not seen from
within: for that, note the last hash elsewhere (`last`), as backups do.
"""

import json
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select

from server.clock import instant
from server.rows import tables
from server.rows.engine import table

_audit = table(tables.Audit)

START = "0" * 64
CONSOLE = "console"
"""The actor of what is done at the command line: whoever has the machine."""

_LOCK = 0x61756469  # of the chain's end, on PostgreSQL, where writers do not wait for one another


class ChainBroken(Exception):
    """The log was changed from outside. `number` is the first row that does not fit."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def append(connection: Connection, actor: str, action: str, subject: str, now: datetime) -> None:
    """Add a row, in the transaction of what it tells about.

    `actor` and `subject` are ids (a user's, a device's, a document's), never names; `action` is a dotted
    word, `device.revoked`.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    number, previous = last(connection)
    row = {"number": number + 1, "at": instant(now), "actor": actor, "action": action, "subject": subject}
    connection.execute(insert(_audit).values(**row, previous=previous, hash=_hash(previous, row)))


def last(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest row; `(0, "00…")` before the first."""
    found = connection.execute(
        select(_audit.c.number, _audit.c.hash).order_by(_audit.c.number.desc()).limit(1)
    ).one_or_none()
    return (found.number, found.hash) if found else (0, START)


def verify(connection: Connection) -> int:
    """How many rows there are, all in order. Raises `ChainBroken`."""
    number, previous = 0, START
    for found in connection.execute(select(_audit).order_by(_audit.c.number)).mappings():
        number += 1
        row = {name: found[name] for name in ("number", "at", "actor", "action", "subject")}
        if (
            found["number"] != number
            or found["previous"] != previous
            or found["hash"] != _hash(previous, row)
        ):
            raise ChainBroken(number)
        previous = found["hash"]
    return number


def _hash(previous: str, row: dict[str, object]) -> str:
    text = json.dumps([previous, *(row[name] for name in sorted(row))], separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
