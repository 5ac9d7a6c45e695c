"""What befalls the server, and what its console does."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.sim import commands, invariants, pair, quiet, servers
from tests.sim.observe import observe
from tests.sim.scene import Handset, Scene, deaths
from tests.sim.season import Step

KEPT = "kept"
"""Where the copy of the data lies that somebody made by hand."""


@dataclass(slots=True)
class Servers(Scene):
    """A method for each step of the server."""

    async def _kill_server(self, _: Step) -> None:
        await self.kill_server()

    async def _stop_server(self, _: Step) -> None:
        await self.stop_server()

    async def _backup(self, _: Step) -> None:
        await servers.run(commands.back_up, self.data, self.place / "backups", self.clock.path)

    async def _restore(self, step: Step) -> None:
        if not (self.place / "backups").exists():
            return
        before = await self._go_down()
        await servers.run(commands.restore, self.data, self.place / "backups", self.clock.path)
        self.said.unsaid = False
        await self._come_up(before, step.args.get("unknown", "rejoin"))

    async def _keep(self, _: Step) -> None:
        await self.stop_server()
        self.office.close()
        shutil.rmtree(self.place / KEPT, ignore_errors=True)
        shutil.copytree(self.data, self.place / KEPT)
        self.keepsake = (frozenset(self.tokens), frozenset(self.said.revoked))

    async def _put_back(self, step: Step) -> None:
        """The ledger lies among the files: nobody knows what was erased or revoked since."""
        if self.keepsake is None:
            return
        before = await self._go_down()
        shutil.rmtree(self.data)
        shutil.copytree(self.place / KEPT, self.data)
        tokens, revoked = self.keepsake
        self.tokens = set(tokens)
        self.said.revoked = {one: ids for one, ids in self.said.revoked.items() if one in revoked}
        for phone in self.phones:
            phone.revoked = phone.revoked and phone.device in revoked
        self.said.unsaid = True
        if not step.args["unsaid"]:
            await self.say_by_hand()
        await self._come_up(before, step.args["unknown"])

    async def _by_hand(self, _: Step) -> None:
        if self.said.unsaid:
            await self.say_by_hand()

    async def _go_down(self) -> frozenset[str]:
        """The photographs that are here or were erased here, before the data go."""
        await self.kill_server()
        self.office.close()
        return invariants.photographs(observe(self.data))

    async def _come_up(self, before: frozenset[str], unknown: str) -> None:
        """An older state is back. What becomes of phones that it does not know: they rejoin, wait, or begin
        anew; those that are revoked go."""
        await self.start_server()
        seen = observe(self.data)
        known = self.office.devices()
        for phone in self.phones:
            phone.strange = phone.joined and known.get(phone.device) != phone.credential
            if phone.strange:
                self.tally["phones unknown to a backup"] += 1
                if phone.revoked or unknown == "wipe":
                    await self.forget(phone)
        self.said.unpictured |= before - invariants.photographs(seen)
        views = {
            phone.number: await self._bodies(phone)
            for phone in self.phones
            if phone.joined and not phone.revoked
        }
        self.said.restored(seen, views)
        for phone in self.phones if unknown == "rejoin" else ():
            if phone.strange:
                await self.rejoin(phone)

    async def _rejoin(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.strange:
            await self.rejoin(phone, **deaths(step.args))

    async def _bodies(self, phone: Handset) -> list[tuple[str, Mapping[str, Any]]]:
        look = (await self.tell(phone, "look")).result
        held = [(one, body) for part in look["databases"].values() for one, (_, body) in part["docs"].items()]
        own = [
            (doc_id, self.said.wrote[db, doc_id, rev])
            for db, doc_id, rev, *_ in look["own"]
            if (db, doc_id, rev) in self.said.wrote
        ]
        return [*held, *own]

    async def _confirm(self, _: Step) -> None:
        await self.confirm()

    async def _server_clock(self, step: Step) -> None:
        self.server_wrong = step.args["wrong"]
        self.set_clock()

    async def _replay(self, _: Step) -> None:
        self.tally["late copies"] += await self.proxy.replay()

    async def _part(self, step: Step) -> None:
        if self.other is None:
            pair.copy(self.data, self.place / "other")
            self.other = await servers.serve(self.place / "other", self.clock.path)
            self.proxy.elsewhere.update(dict.fromkeys(step.args["phones"], self.other.port))

    async def _meet(self, _: Step) -> None:
        await quiet.meet(self)
