"""Carries a season out: real phones, a real server, a bad link between them. Decides nothing.

What must hold is asked at each quiet point (`tests.sim.quiet`). A step that has nothing to do (its phone is
gone, its household was never made) does nothing, so that any part of a season can be run.
"""

from dataclasses import dataclass

from tests.sim import quiet
from tests.sim.scene import Broken, Handset
from tests.sim.season import Step
from tests.sim.steps_hostile import Hostile
from tests.sim.steps_inspections import Inspections
from tests.sim.steps_office import Desk
from tests.sim.steps_phones import Phones
from tests.sim.steps_server import Servers

TOGETHER = frozenset({
    "backup", "restore", "keep", "put_back", "by_hand", "erase", "erase_photo", "revoke", "lose", "merge",
    "unmerge", "move", "split", "reunite", "newer", "quiet",
})  # fmt: skip
"""What is not done while there are two servers: one alone would decide it."""


@dataclass(slots=True)
class Runner(Phones, Inspections, Hostile, Servers, Desk):
    """Takes the steps, one after the other."""

    async def run(self) -> None:
        """The whole season, and a quiet end. Raises `Broken`."""
        self.phones = [Handset(number, who) for number, who in enumerate(self.season.phones)]
        self.proxy.kill = self.kill_server
        try:
            await self.fleet.tell(0, "clear", 0)
            await self.start_server()
            for step in self.season.steps:
                await self.step(step)
            await quiet.quiet(self)
            await quiet.check_own(self)
            quiet.check_log(self)
        finally:
            self.office.close()
            for server in (self.server, self.other):
                if server:
                    server.kill()

    async def step(self, step: Step) -> None:
        """One step, after the time that passes before it."""
        self.tally[step.do] += 1
        self.true += step.ms
        self.set_clock()
        before = len(self.proxy.met)
        if self.other and step.do in TOGETHER:
            return
        await getattr(self, f"_{step.do}")(step)
        self.proxy.faults.clear()
        for _, kind in self.proxy.met[before:]:
            self.tally[f"fault {kind}"] += 1
        if self.server is None:
            await self.start_server()
        elif not self.server.alive:
            raise Broken([f"the server died over {step.do}"])

    async def _quiet(self, _: Step) -> None:
        await quiet.quiet(self)
