"""What befalls the server, and what its console does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.sim import commands, pair, quiet, servers
from tests.sim.observe import observe
from tests.sim.scene import Handset, Scene, deaths
from tests.sim.season import Step


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
        unknown = step.args.get("unknown", "rejoin")
        if not (self.place / "backups").exists():
            return
        await self.kill_server()
        self.office.close()
        before = {name for _, name in observe(self.data).pictures}
        await servers.run(commands.restore, self.data, self.place / "backups", self.clock.path)
        await self.start_server()
        seen = observe(self.data)
        known = self.office.devices()
        for phone in self.phones:
            if phone.joined and phone.device not in known:  # it joined since
                phone.strange = True
                self.tally["phones unknown to a backup"] += 1
                if phone.revoked or unknown == "wipe":
                    await self.forget(phone)
        self.said.unpictured |= before - {name for _, name in seen.pictures}
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
