"""The commune of every season, made once and copied: `tests.commune`'s hamlets, and thirty volunteers."""

import asyncio
from pathlib import Path

from server.admission import caller_of
from server.app import opened
from server.audit import CONSOLE
from server.auth import users
from server.auth.grant import Grant, Role
from server.clock import milliseconds
from server.settings import Settings
from server.words import words
from tests.commune import HAMLETS, documents
from tests.sim.season import walks
from tests.sim.servers import Clock

ADMIN = "admin0001"
VOLUNTEERS = 30
START = 1_772_427_600_000
"""Monday 2 March 2026, noon in Hanoi."""


def volunteer(number: int) -> str:
    """The user id of a volunteer."""
    return f"volunteer{number:02d}"


def found(data: Path, clock: Path) -> None:
    """Make it."""
    data.mkdir(parents=True)
    shared = Clock(clock)
    shared.ms = START
    asyncio.run(_found(data, shared))


async def _found(data: Path, clock: Clock) -> None:
    async with opened(Settings(data=data), clock) as parts:
        now = clock()
        assert milliseconds(now) == START
        with parts.rows.begin() as rows:
            users.add(rows, "Nông Thị Hạnh", Role.ADMIN, by=CONSOLE, now=now, login="admin", person=ADMIN)
            for number in range(VOLUNTEERS):
                users.add(
                    rows,
                    f"Người {number}",
                    Role.VOLUNTEER,
                    by=CONSOLE,
                    now=now,
                    hamlets=walks(number),
                    person=volunteer(number),
                )
        grant = Grant(ADMIN, "Nông Thị Hạnh", Role.ADMIN, frozenset(HAMLETS))
        await parts.scribe.write(caller_of(grant, words("vi")), documents())
