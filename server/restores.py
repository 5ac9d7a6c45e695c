"""Whether this server was restored from a backup: only then has it lost something that phones give back.

What a phone says of that itself proves nothing: whoever is let in could open doors with it that are for a
server in need.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from server import audit
from server.clock import instant
from server.rows import tables
from server.rows.engine import table

_audit, _meta = table(tables.Audit), table(tables.Meta)

RECOVERY = timedelta(days=7)
"""How long a phone may take to give back what the server has lost, and say that it was known before."""


_ENDED = "recovery_ended"
"""In `meta`: the life of the store for which an admin has said that all phones have come back."""


def epoch(connection: Connection) -> str:
    """Which life of the store this is (`server.backup`); the first has no name."""
    return connection.execute(select(_meta.c.value).where(_meta.c.key == "epoch")).scalar() or ""


def ever(connection: Connection) -> bool:
    """Whether this server was ever restored."""
    return epoch(connection) != ""


def lately(connection: Connection, now: datetime) -> bool:
    """Whether this server was restored within the time in which phones come back, and some may still."""
    at = last(connection)
    return at is not None and at > instant(now - RECOVERY) and awaits(connection)


def last(connection: Connection) -> str | None:
    """When this server was restored the last time."""
    restored = select(_audit.c.at).where(_audit.c.action == "backup.restored")
    return connection.execute(restored.order_by(_audit.c.number.desc()).limit(1)).scalar()


def awaits(connection: Connection) -> bool:
    """Whether this server was restored, and phones that it does not know may be such as it knew before."""
    ended = connection.execute(select(_meta.c.value).where(_meta.c.key == _ENDED)).scalar()
    return ever(connection) and ended != epoch(connection)


def end(connection: Connection, by: str, now: datetime) -> bool:
    """An admin says that all phones have come back: whoever is not known from now on is a stranger. Another
    restore begins anew. False where nothing is awaited."""
    if not awaits(connection):
        return False
    connection.execute(delete(_meta).where(_meta.c.key == _ENDED))
    connection.execute(insert(_meta).values(key=_ENDED, value=epoch(connection)))
    audit.append(connection, by, "restore.ended", epoch(connection), now)
    return True
