"""What the console does in a season: `camket backup`, `restore`, `check`, each in a process of its own."""

import asyncio
import shutil
from pathlib import Path

from server import backup
from server.app import opened
from server.checking import problems
from server.settings import Settings
from tests.sim.servers import Clock


def back_up(data: Path, into: Path, clock: Path) -> None:
    """Make a backup."""
    backup.make(data, None, into, None, Clock(clock)())


def restore(data: Path, source: Path, clock: Path) -> None:
    """Put a backup in the place of the data, and build the rows anew."""
    backup.restore(source, data, None, None, Clock(clock)())
    _follow(data, clock)
    for aside in data.glob("before-*"):
        shutil.rmtree(aside)


def by_hand(data: Path, clock: Path) -> None:
    """Say that the data were put back by other means, and build the rows anew."""
    backup.begin_by_hand(data, None, Clock(clock)())
    _follow(data, clock)


def _follow(data: Path, clock: Path) -> None:
    async def follow() -> None:
        async with opened(Settings(data=data), Clock(clock)) as parts:
            await parts.follower.rebuild()

    asyncio.run(follow())


def check(data: Path, clock: Path) -> list[str]:
    """What is wrong with the data."""

    async def check() -> list[str]:
        async with opened(Settings(data=data), Clock(clock)) as parts:
            return await problems(parts)

    return asyncio.run(check())
