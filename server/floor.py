"""What this server's clock cannot be behind of: the latest time that it has ever accepted.

A clock behind that has lost its battery, and judges nobody. But while it was wrong, or stood in the future,
it may have accepted times that have not come: then it would be called wrong for years, and one such record is
enough. So an admin may say that it is right. What had been accepted from beyond that moment is a lie from
then on, and does not count, nor does what lies between two such lies; everything else does.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from server import archive, audit
from server.clock import FIRST_DAY, instant, milliseconds
from server.rows import tables
from server.rows.engine import table
from sync.stamps import LATEST, SKEW, Stamp

_meta = table(tables.Meta)
_KEY = "clock"


class Told(NamedTuple):
    """What an admin has said: when the clock was right (milliseconds); the first and last stamp that lie."""

    at: int
    first: str
    last: str


def latest(connection: Connection) -> int:
    """The latest time that counts, in milliseconds; 0 where there is none."""
    told = _told(connection)
    stamp = archive.latest_stamp(connection, (told.first, told.last) if told else None)
    return max(told.at if told else 0, Stamp.parse(stamp).ms if stamp else 0)


def is_sane(now: int, latest: int) -> bool:
    """Whether a clock that says `now` can judge others' (milliseconds). Pure."""
    return milliseconds(FIRST_DAY) <= now <= LATEST and now + SKEW >= latest


def confirm(connection: Connection, by: str, now: datetime) -> bool:
    """An admin says that the clock is right; False where it cannot be, or nothing speaks against it."""
    at = milliseconds(now)
    if not is_sane(at, 0) or is_sane(at, latest(connection)):
        return False
    first = archive.earliest_stamp(connection, f"{at + SKEW:013d}-g")
    last = archive.latest_stamp(connection)
    before = _told(connection)
    told = Told(at, first or "", last or "")
    if before:
        told = Told(at, min(before.first, told.first or before.first), max(before.last, told.last))
    connection.execute(delete(_meta).where(_meta.c.key == _KEY))
    connection.execute(insert(_meta).values(key=_KEY, value=f"{told.at} {told.first} {told.last}"))
    audit.append(connection, by, "clock.confirmed", instant(now), now)
    return True


def _told(connection: Connection) -> Told | None:
    value = connection.execute(select(_meta.c.value).where(_meta.c.key == _KEY)).scalar()
    if value is None:
        return None
    at, first, last = value.split(" ")
    return Told(int(at), first, last)
