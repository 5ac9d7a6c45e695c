"""One lane of seasons, one after the other: a fleet, a proxy and a commune to copy, made once."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.sim import servers
from tests.sim.fleet import Fleet, fleet
from tests.sim.founding import START, found
from tests.sim.office import Office
from tests.sim.proxy import Proxy, proxy
from tests.sim.runner import Runner
from tests.sim.scene import Broken
from tests.sim.season import Season
from tests.sim.servers import Clock


class Result(NamedTuple):
    """How a season went: what did not hold (nothing, as a rule), what happened how often, seconds."""

    seed: int
    problems: tuple[str, ...]
    tally: dict[str, int]
    seconds: float


Prepare = Callable[[Runner], None]


@dataclass(slots=True)
class Lane:
    """Where seasons run."""

    place: Path
    fleet: Fleet
    proxy: Proxy
    http: httpx.AsyncClient
    _count: int = 0

    async def run(self, season: Season, prepare: Prepare = lambda _: None) -> Result:
        """Run one season to its end."""
        self._count += 1
        place = self.place / f"season-{self._count}"
        place.mkdir()
        shutil.copytree(self.place / "commune", place / "data")
        clock = Clock(place / "clock")
        clock.ms = START
        self.proxy.forget()
        begun = time.monotonic()
        runner = Runner(
            season, place, self.fleet, self.proxy, Office(place / "data", clock, self.http), clock
        )
        prepare(runner)
        problems: tuple[str, ...] = ()
        try:
            await runner.run()
        except Broken as broken:
            problems = broken.problems
        except (AssertionError, httpx.HTTPError, RuntimeError) as error:  # it hangs, or does not even answer
            problems = (f"{type(error).__name__}: {error}",)
        finally:
            shutil.rmtree(place)
        return Result(season.seed, problems, dict(runner.tally), time.monotonic() - begun)


@asynccontextmanager
async def lane() -> AsyncIterator[Lane]:
    """A lane, with its processes; ended when it is left."""

    async def nobody() -> None:
        raise AssertionError("no season runs")

    # What a killed process has written is the system's, not the disk's: memory serves as well, and quicker.
    within = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="camket-sim-", dir=within, ignore_cleanup_errors=True) as name:
        place = Path(name)
        await servers.run(found, place / "commune", place / "clock")
        async with proxy(nobody) as link, fleet(link.port) as phones, httpx.AsyncClient(timeout=60) as http:
            yield Lane(place, phones, link, http)
