"""A season under way: its phones, its server, the link between them, and what was said so far."""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.replicate import replicate
from tests.commune import households
from tests.sim import commands, oracle, servers
from tests.sim.fleet import Fleet, Told
from tests.sim.founding import START
from tests.sim.observe import Kept, behind
from tests.sim.office import Office
from tests.sim.pair import Replicate
from tests.sim.proxy import Fault, Proxy
from tests.sim.season import Season
from tests.sim.servers import Clock, Process


class Broken(AssertionError):
    """Something does not hold; `problems` says what."""

    def __init__(self, problems: Collection[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Handset:
    """What the runner knows of a phone: how wrong its clock is (ms), its device id, whether it is in use."""

    number: int
    volunteer: int
    wrong: int = 0
    device: str = ""
    credential: str = ""
    """Of the credential that it has, the digest by which the server knew it when it joined."""
    life: int = 0
    revoked: bool = False
    strange: bool = False
    """Whether it joined, be it again, after the backup that the server was restored from: that does not know
    it, or not by this credential."""

    @property
    def joined(self) -> bool:
        """Whether it has an account."""
        return bool(self.device)


@dataclass(slots=True)
class Scene:
    """One season in `place`. Make it with the commune already copied there (`data`)."""

    season: Season
    place: Path
    fleet: Fleet
    proxy: Proxy
    office: Office
    clock: Clock
    true: int = START
    server_wrong: int = 0
    server: Process | None = None
    phones: list[Handset] = field(default_factory=list)
    said: oracle.Oracle = field(default_factory=oracle.Oracle)
    added: dict[str, tuple[str, str]] = field(default_factory=dict)
    bundles: dict[str, str] = field(default_factory=dict)
    founded: list[str] = field(default_factory=list)
    """Hamlets that the season has founded, by their ids; empty where one was not."""
    keepsake: tuple[frozenset[str], frozenset[str]] | None = None
    """Of the copy of the data that somebody made by hand: what was erased by then, and who revoked."""
    opened: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    tally: Counter[str] = field(default_factory=Counter)
    other: Process | None = None
    """A second server, while there are two."""
    history: tuple[Kept, ...] = ()
    """What servers that are no more have archived."""
    buried: frozenset[tuple[str, str]] = frozenset()
    """What they have erased: strokes that came with the pledge of an erased household, which alone told whose
    they are. Servers exchange documents, and no ledgers."""
    patience: float = 30.0
    """Seconds for the rows to hear of what happened."""
    before_quiet: Any = None
    """Called before the invariants are asked; only the tests of the invariants set it, and the next."""
    replicate: Replicate = replicate
    """How two servers exchange."""

    @property
    def data(self) -> Path:
        """Where the server keeps its data."""
        return self.place / "data"

    # --- phones ---

    async def tell(self, phone: Handset, do: str, **more: Any) -> Told:
        """Give a phone an order, and remember what it wrote and heard. Raises `Broken`."""
        told = await self.fleet.tell(phone.number, do, self.true + phone.wrong, **more)
        self.said.note(phone.number, told.wrote, told.heard)
        if told.error and told.error.startswith("broken"):
            raise Broken([f"phone {phone.number}, {do}: {told.error}"])
        if told.error in {"storage_full", "not_saved"} and told.wrote:
            raise Broken([f"phone {phone.number} said that nothing was saved, and kept {told.wrote}"])
        if told.error == "killed":
            self.tally["app killed midway"] += 1
        if told.error == "storage_full":
            self.tally["storage full"] += 1
        return told

    async def sync(self, phone: Handset, faults: Iterable[Fault] = (), do: str = "sync", **more: Any) -> Any:
        """One sync over a link with these faults; the state that came of it, None where there is none."""
        if not phone.joined:
            return None
        self.proxy.faults[phone.number] = deque(faults)
        told = await self.tell(phone, do, **more)
        self.proxy.faults[phone.number].clear()
        if phone.revoked and (await self.tell(phone, "look")).result["lifecycle"] == "new":
            phone.device = ""  # it has handed in, and forgotten everything
            self.said.lost(phone.number)
            self.tally["phones wiped"] += 1
        return told.result

    async def forget(self, phone: Handset) -> None:
        """It loses all that it stored."""
        await self.tell(phone, "lose")
        self.said.lost(phone.number)
        phone.device, phone.strange = "", False

    def invite(self, phone: Handset) -> str:
        """A code for it; it speaks to the server that gave it, also while there are two."""
        self.proxy.elsewhere.pop(phone.number, None)
        return self.office.invite(phone.volunteer)

    async def rejoin(self, phone: Handset, **deaths: Any) -> None:
        """A phone that the server does not know any more goes on by a new invitation, as who it was. Where
        the office asks too late, it must begin anew. Raises `Broken`."""
        if self.said.unsaid:
            return
        if phone.device in self.office.devices():
            await self.sync(phone)  # it hears that its credential is no good, as whenever it is opened
        elif not self.office.recovers():
            await self.forget(phone)
            self.tally["phones unknown for too long"] += 1
            return
        code = self.invite(phone)
        told = await self.tell(phone, "join", code=code, **deaths)
        if told.error in {"killed", "storage_full", "not_saved"}:
            await self.tell(phone, "kill")  # they begin again
            return
        if told.error or told.result["device"] != phone.device:
            raise Broken([f"phone {phone.number} could not join again as who it was: {told}"])
        phone.strange, phone.credential = False, self.office.devices()[phone.device]
        self.tally["phones rejoined"] += 1

    def ulid(self, args: Mapping[str, Any]) -> str | None:
        """The household that a step speaks of, None where it was never made."""
        key = args["household"]
        if key.isdecimal():
            return list(households(args["hamlet"]))[int(key)]
        hamlet, ulid = self.added.get(key, ("", None))
        return ulid if hamlet == args["hamlet"] else None

    # --- the server ---

    async def start_server(self) -> None:
        """Start it over the data."""
        self.server = await servers.serve(self.data, self.clock.path)
        self.proxy.target = self.office.port = self.server.port

    async def kill_server(self) -> None:
        """kill -9."""
        server, self.server = self.server, None
        self.proxy.target = 0
        if server:
            await asyncio.to_thread(server.kill)

    async def stop_server(self) -> None:
        """Ask it to end, and wait until it has."""
        server, self.server = self.server, None
        self.proxy.target = 0
        assert server
        await asyncio.to_thread(server.stop)

    async def say_by_hand(self) -> None:
        """`camket restore --by-hand`, for which the server is stopped."""
        if self.server:
            await self.stop_server()
        self.office.close()
        await servers.run(commands.by_hand, self.data, self.clock.path)
        self.said.unsaid = False
        self.tally["put back by hand, and said"] += 1

    def set_clock(self) -> None:
        """Let the server see what time it is."""
        self.clock.ms = self.true + self.server_wrong

    async def confirm(self) -> None:
        """The admin makes full phones again of those that only hand in."""
        for device in self.office.send_only():
            await self.office.confirm(device)

    async def rest(self, data: Path | None = None) -> None:
        """Wait until the rows have heard of everything."""
        data = data or self.data
        until = asyncio.get_running_loop().time() + self.patience
        while behind(data):
            if asyncio.get_running_loop().time() > until:
                raise Broken([f"the rows are behind after {self.patience} s"])
            await asyncio.sleep(0.003)  # another process tells it by its file alone

    async def settle(self, data: Path) -> None:
        """Run the product over these data until its rows have heard of everything."""
        server = await servers.serve(data, self.clock.path)
        try:
            await self.rest(data)
        finally:
            await asyncio.to_thread(server.kill)


def deaths(args: Mapping[str, Any]) -> dict[str, Any]:
    """When in a step the app dies, or the phone has no room: what the fleet is told of it."""
    return {name: args[name] for name in ("moment", "full") if name in args}
