"""Whether this server was restored from a backup: only then has it lost something that phones give back.

What a phone says of that itself proves nothing: whoever is let in could open doors with it that are for a
server in need.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from server.clock import instant
from server.rows import tables
from server.rows.engine import table

_audit, _meta = table(tables.Audit), table(tables.Meta)

RECOVERY = timedelta(days=7)
"""How long a phone may take to give back what the server has lost, and say that it was known before."""


def epoch(connection: Connection) -> str:
    """Which life of the store this is (`server.backup`); the first has no name."""
    return connection.execute(select(_meta.c.value).where(_meta.c.key == "epoch")).scalar() or ""


def ever(connection: Connection) -> bool:
    """Whether this server was ever restored."""
    return epoch(connection) != ""


def lately(connection: Connection, now: datetime) -> bool:
    """Whether this server was restored within the time in which phones come back."""
    restored = select(_audit.c.at).where(_audit.c.action == "backup.restored")
    last = connection.execute(restored.order_by(_audit.c.number.desc()).limit(1)).scalar()
    return last is not None and last > instant(now - RECOVERY)
