"""Carries a season out: real phones, a real server, a bad link between them. Decides nothing.

What must hold is asked of `tests.sim.oracle` at each quiet point. A step that has nothing to do (its phone is
gone, its household was never made) does nothing, so that any part of a season can be run. There is one method
for each step, all in one file: they are read side by side, and share the same few objects.
"""

import asyncio
import re
import shutil
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.commune import households
from tests.sim import commands, oracle, pair, servers
from tests.sim.fleet import Fleet, Told
from tests.sim.founding import START
from tests.sim.observe import Kept, Seen, behind, observe, sequences
from tests.sim.office import Office
from tests.sim.proxy import Fault, Proxy
from tests.sim.season import MINUTE, Season, Step
from tests.sim.servers import Clock, Process

ROUNDS = 14
"""Syncs of everybody after which everything must be at rest."""
PATIENCE = 30.0
"""Seconds for the rows to hear of what happened."""


TOGETHER = frozenset({"backup", "restore", "erase", "revoke", "lose", "merge", "move", "quiet"})
"""What is not done while there are two servers: one alone would decide it."""


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
    life: int = 0
    revoked: bool = False

    @property
    def joined(self) -> bool:
        """Whether it has an account."""
        return bool(self.device)


@dataclass(slots=True)
class Runner:
    """One season under way in `place`. Make it with the commune already copied there (`data`)."""

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
    before_quiet: Any = None
    """Called before the invariants are asked; only the tests of the invariants set it."""

    @property
    def data(self) -> Path:
        """Where the server keeps its data."""
        return self.place / "data"

    async def run(self) -> None:
        """The whole season, and a quiet end. Raises `Broken`."""
        self.phones = [Handset(number, who) for number, who in enumerate(self.season.phones)]
        self.proxy.kill = self.kill_server
        try:
            await self.fleet.tell(0, "clear", 0)
            await self.start_server()
            for step in self.season.steps:
                await self.step(step)
            await self.quiet()
            await self._check_own()
            self._check_log()
        finally:
            self.office.close()
            for server in (self.server, self.other):
                if server:
                    server.kill()

    async def step(self, step: Step) -> None:
        """One step, after the time that passes before it."""
        self.tally[step.do] += 1
        self.true += step.ms
        self._set_clock()
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

    async def _join(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined:
            return
        phone.life += 1
        code = self.office.invite(phone.volunteer)
        seed = self.season.seed * 1000 + phone.number * 10 + phone.life
        told = await self.tell(phone, "join", code=code, seed=seed)
        if told.error:
            raise Broken([f"phone {phone.number} could not join: {told.error}"])
        phone.device, phone.revoked = told.result["device"], False
        await self.sync(phone)

    async def _act(self, step: Step, do: str, **more: Any) -> Told | None:
        """Open a form on a household, and do something with it."""
        phone, args = self.phones[step.phone], step.args
        ulid = self._ulid(args)
        if not phone.joined or ulid is None:
            return None
        opened = await self.tell(phone, "open", form="now", hamlet=args["hamlet"], household=ulid)
        if opened.error:
            return None
        return await self.tell(phone, do, form="now", **more, **_deaths(args))

    async def _visit(self, step: Step) -> None:
        await self._act(step, "visit", result=step.args["result"])

    async def _sign(self, step: Step) -> None:
        args = step.args
        signing = {"signer": args["signer"], "role": "head", "assisted": False, "readAloud": True}
        drawn = {"strokes": args["strokes"]} if "strokes" in args else {}
        await self._act(step, "sign", signing={**signing, "method": args["method"], **drawn})

    async def _edit(self, step: Step) -> None:
        await self._act(step, "edit", change=step.args["change"])

    async def _void(self, step: Step) -> None:
        await self._act(step, "void")

    async def _open(self, step: Step) -> None:
        phone, ulid = self.phones[step.phone], self._ulid(step.args)
        if phone.joined and ulid:
            hamlet, form = step.args["hamlet"], step.args["form"]
            told = await self.tell(phone, "open", form=form, hamlet=hamlet, household=ulid)
            if not told.error:
                self.opened[form] = phone.life

    async def _save(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined and self.opened.pop(args["form"], None) == phone.life:
            more = {"change": args["change"]} if args["what"] == "edit" else {"result": "met"}
            await self.tell(phone, args["what"], form=args["form"], **more, **_deaths(args))

    async def _add(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined:
            told = await self.tell(phone, "add", hamlet=args["hamlet"], name=args["name"], **_deaths(args))
            if told.result:
                self.added[args["household"]] = (args["hamlet"], told.result)

    async def _meeting(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined:
            ulids = [self._ulid({"hamlet": args["hamlet"], "household": key}) for key in args["households"]]
            signed = [{"id": ulid, "signer": f"{args['signer']} {n}"} for n, ulid in enumerate(ulids)]
            await self.tell(phone, "meeting", hamlet=args["hamlet"], households=signed, **_deaths(args))

    async def _sync(self, step: Step) -> None:
        faults = [Fault("unknown")] * 60 if step.args.get("plain") else list(step.args["faults"])
        await self.sync(self.phones[step.phone], faults, **_deaths(step.args))

    async def _together(self, step: Step) -> None:
        phones = [
            (self.phones[number], faults)
            for number, faults in zip(step.args["phones"], step.args["faults"], strict=True)
        ]
        await asyncio.gather(*(self.sync(phone, faults) for phone, faults in phones))

    async def sync(
        self, phone: Handset, faults: Iterable[Fault] = (), do: str = "sync", **deaths: Any
    ) -> Any:
        """One sync over a link with these faults; the state that came of it, None where there is none."""
        if not phone.joined:
            return None
        self.proxy.faults[phone.number] = deque(faults)
        told = await self.tell(phone, do, **deaths)
        self.proxy.faults[phone.number].clear()
        if phone.revoked and (await self.tell(phone, "look")).result["lifecycle"] == "new":
            phone.device = ""  # it has handed in, and forgotten everything
            self.said.lost(phone.number)
            self.tally["phones wiped"] += 1
        return told.result

    async def _hand_in(self, step: Step) -> None:
        await self.sync(self.phones[step.phone], step.args["faults"], "handIn")

    async def _kill_app(self, step: Step) -> None:
        await self.tell(self.phones[step.phone], "kill")

    async def _bundle(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined:
            told = await self.tell(phone, "bundle")
            self.bundles[step.args["bundle"]] = told.result or ""
            if step.args["said"] and told.result:
                await self.tell(phone, "handedOver", text=told.result)

    async def _carry(self, step: Step) -> None:
        phone, text = self.phones[step.phone], self.bundles.get(step.args["bundle"])
        if phone.joined and text:
            await self.tell(phone, "carry", text=_carried(text, step.args["how"]))

    async def _take(self, step: Step) -> None:
        phone, text = self.phones[step.phone], self.bundles.get(step.args["bundle"])
        if phone.joined and text:
            await self.tell(phone, "take", text=_carried(text, step.args["how"]), **_deaths(step.args))

    async def _receipts(self, step: Step) -> None:
        phone, to = self.phones[step.phone], self.phones[step.args["to"]]
        if phone.joined and to.joined:
            told = await self.tell(phone, "receipts")
            if told.result:
                await self.tell(to, "take", text=told.result)

    async def _phone_clock(self, step: Step) -> None:
        self.phones[step.phone].wrong = step.args["wrong"]

    async def _lose(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined and not phone.revoked:
            await self._forget(phone)
            await self._join(step)

    async def _forget(self, phone: Handset) -> None:
        await self.tell(phone, "lose")
        self.said.lost(phone.number)
        phone.device = ""

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

    async def _kill_server(self, _: Step) -> None:
        await self.kill_server()

    async def _stop_server(self, _: Step) -> None:
        server, self.server = self.server, None
        self.proxy.target = 0
        assert server
        await asyncio.to_thread(server.stop)

    async def _backup(self, _: Step) -> None:
        await servers.run(commands.back_up, self.data, self.place / "backups", self.clock.path)

    async def _restore(self, _: Step) -> None:
        if not (self.place / "backups").exists():
            return
        await self.kill_server()
        self.office.close()
        await servers.run(commands.restore, self.data, self.place / "backups", self.clock.path)
        await self.start_server()
        seen = observe(self.data)
        known = self.office.devices()
        for phone in self.phones:
            if (
                phone.joined and phone.device not in known
            ):  # it joined since: the server has never heard of it
                await self._forget(phone)
                self.tally["phones unknown to a backup"] += 1
        views = {
            phone.number: await self._bodies(phone)
            for phone in self.phones
            if phone.joined and not phone.revoked
        }
        self.said.restored(seen, views)

    async def _bodies(self, phone: Handset) -> list[Mapping[str, Any]]:
        look = (await self.tell(phone, "look")).result
        held = [body for part in look["databases"].values() for _, body in part["docs"].values()]
        own = [
            self.said.wrote[db, doc_id, rev]
            for db, doc_id, rev, *_ in look["own"]
            if (db, doc_id, rev) in self.said.wrote
        ]
        return [*held, *own]

    async def _confirm(self, _: Step) -> None:
        for device in self.office.send_only():
            await self.office.confirm(device)

    async def _server_clock(self, step: Step) -> None:
        self.server_wrong = step.args["wrong"]
        self._set_clock()

    async def _replay(self, _: Step) -> None:
        self.tally["late copies"] += await self.proxy.replay()

    async def _part(self, step: Step) -> None:
        if self.other is None:
            pair.copy(self.data, self.place / "other")
            self.other = await servers.serve(self.place / "other", self.clock.path)
            self.proxy.elsewhere.update(dict.fromkeys(step.args["phones"], self.other.port))

    async def _meet(self, _: Step) -> None:
        if self.other is None:
            return
        self.server_wrong = 0
        self._set_clock()
        self.proxy.elsewhere.clear()
        other, self.other = self.other, None
        await asyncio.to_thread(other.stop)
        await self._stop_server(_)
        there = self.place / "other"
        held = await pair.exchange(self.data, there, self._settle)
        ended = observe(there)
        self.history += ended.archive
        self.buried |= ended.erased
        found = ["two servers exchange and do not come to rest"] if held is None else oracle.same(*held)
        shutil.rmtree(there)
        if found:
            raise Broken(found)
        await self.start_server()

    async def _settle(self, data: Path) -> None:
        """Run the product over these data until its rows have heard of everything."""
        server = await servers.serve(data, self.clock.path)
        try:
            await self.rest(data)
        finally:
            await asyncio.to_thread(server.stop)

    # --- the office ---

    async def _revoke(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if (
            not phone.joined
            or phone.revoked
            or sum(one.joined and not one.revoked for one in self.phones) < 3
        ):
            return
        if await self.office.revoke(phone.device):
            phone.revoked = True
            seen = observe(self.data)
            self.said.revoked[phone.device] = frozenset((kept.db, kept.id, kept.rev) for kept in seen.archive)
            if self.season.phones.count(phone.volunteer) > 1:
                self.said.shared.add(phone.device)
            self.said.lost(phone.number)

    async def _review(self, step: Step) -> None:
        ulid = self._ulid(step.args)
        if ulid:
            prefix = "household" if step.args["kind"] == "household" else "pledge:antq-2026"
            hamlet = self.office.hamlet_of(ulid)
            done = await self.office.review(hamlet, f"{prefix}:{ulid}", step.args["decision"])
            self.tally["reviewed"] += done

    async def _correct(self, step: Step) -> None:
        await self._at_office("correct", step, step.args["name"])

    async def _withdraw(self, step: Step) -> None:
        await self._at_office("withdraw", step)

    async def _bring_back(self, step: Step) -> None:
        await self._at_office("bring_back", step)

    async def _merge(self, step: Step) -> None:
        keep = self._ulid({**step.args, "household": step.args["keep"]})
        if keep:
            await self._at_office("merge", step, keep)

    async def _move(self, step: Step) -> None:
        args = step.args
        ulids = [self._ulid({**args, "household": key}) for key in args["households"]]
        there = [ulid for ulid in ulids if ulid and self.office.hamlet_of(ulid) == args["hamlet"]]
        if len(there) == len(ulids):
            done = await self.office.move(args["hamlet"], args["into"], there)
            self.tally["done: households moved" if there else "done: hamlets merged"] += done

    async def _erase(self, step: Step) -> None:
        ulid = self._ulid(step.args)
        if ulid is None:
            return
        before = observe(self.data)
        if await self._at_office("erase", step):
            after = observe(self.data)
            gone = after.erased - before.erased
            self.tokens |= _tokens(before, gone) - _tokens(after, after.docs.keys() - after.erased)

    async def _at_office(self, what: str, step: Step, *more: str) -> bool:
        ulid = self._ulid(step.args)
        hamlet = self.office.hamlet_of(ulid) if ulid else ""
        done = bool(hamlet) and await getattr(self.office, what)(hamlet, ulid, *more)
        self.tally[f"done: {what}"] += done
        return done

    async def _release(self, _: Step) -> None:
        await self._decide("release", {"recovered", "revoked", "clock", "newer"})

    async def _discard(self, _: Step) -> None:
        await self._decide("discard", {"revoked", "clock"})

    async def _decide(self, what: str, why: Collection[str]) -> None:
        found = [one for one in self.office.waiting() if one.why in why]
        if what == "discard":
            self.said.discarded |= {(one.db, one.id, one.rev) for one in found}
        await self.office.decide([one.number for one in found], what)
        self.tally["records released" if what == "release" else "records discarded"] += len(found)

    # --- rest ---

    async def _quiet(self, _: Step) -> None:
        await self.quiet()

    async def quiet(self) -> None:
        """Let everybody sync until nothing moves, and see what holds. Raises `Broken`."""
        await self._meet(Step("meet"))
        self.proxy.faults.clear()
        self.server_wrong = 0
        self._set_clock()
        for _ in range(ROUNDS):
            self.true += MINUTE
            self._set_clock()
            await self._confirm(Step("confirm"))
            before = sequences(self.data)
            states = [await self.sync(phone) for phone in self.phones]
            await self.rest()
            waiting = self.office.waiting()
            if waiting:
                await self.office.decide([one.number for one in waiting], "release")
                self.tally["records released"] += len(waiting)
                await self.rest()
            calm = all(state is None or _is_calm(state) for state in states)
            if calm and not waiting and before == sequences(self.data):
                break
        else:
            problems = [
                f"phone {n}: {state}" for n, state in enumerate(states) if state and not _is_calm(state)
            ]
            raise Broken([f"no rest after {ROUNDS} rounds", *problems, *(f"{one} waits" for one in waiting)])
        if self.before_quiet:
            await self.before_quiet(self)
        seen = observe(self.data)
        whole = seen._replace(archive=(*seen.archive, *self.history), erased=seen.erased | self.buried)
        # What a second server kept is gone with it.
        erased = oracle.stays_erased(seen, self.tokens, self._files())
        problems = [*await self._problems(whole), *self.said.shut_out(seen), *erased]
        if problems:
            raise Broken(problems)

    def _files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.data.glob("*.sqlite*")} if self.tokens else {}

    async def _problems(self, seen: Seen) -> list[str]:
        found = [
            *self.said.kept(seen),
            *self.said.unrefused(),
            *oracle.settled(seen),
            *oracle.merged(seen),
            *oracle.counted(seen),
        ]
        for phone in self.phones:
            if phone.joined and not phone.revoked:
                look = (await self.tell(phone, "look")).result
                held = ["commune", *(f"hamlet-{hamlet}" for hamlet in self.office.hamlets(phone.volunteer))]
                found += oracle.agrees(phone.number, look, seen, held)
        return found

    async def rest(self, data: Path | None = None) -> None:
        """Wait until the rows have heard of everything."""
        data = data or self.data
        until = asyncio.get_running_loop().time() + PATIENCE
        while behind(data):
            if asyncio.get_running_loop().time() > until:
                raise Broken([f"the rows are behind after {PATIENCE} s"])
            await asyncio.sleep(0.003)  # another process tells it by its file alone

    async def _check_own(self) -> None:
        """What `camket check` says of the data, as a killed server leaves them."""
        await self.kill_server()
        found = await servers.run(commands.check, self.data, self.clock.path)
        if self.history:  # what came by the bare engine came behind the product's back, and it says so
            found = [text for text in found if "archive" not in text]
        if found:
            raise Broken([f"camket check: {text}" for text in found])

    def _check_log(self) -> None:
        """The server meets nothing that it did not foresee."""
        log = (self.place / servers.LOG).read_text("utf-8")
        found = [line for line in log.splitlines() if "unexpected" in line or "Traceback" in line]
        if found:
            raise Broken([f"the server's log: {log[log.index(found[0]) :][:3000]}"])

    # --- small things ---

    def _set_clock(self) -> None:
        self.clock.ms = self.true + self.server_wrong

    def _ulid(self, args: Mapping[str, Any]) -> str | None:
        key = args["household"]
        if key.isdecimal():
            return list(households(args["hamlet"]))[int(key)]
        hamlet, ulid = self.added.get(key, ("", None))
        return ulid if hamlet == args["hamlet"] else None


def _deaths(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in ("moment", "full") if name in args}


def _is_calm(state: Mapping[str, Any]) -> bool:
    return state["problem"] is None and not state["waiting"] and not state["held"]


def _carried(text: str, how: str) -> str:
    first, *records = text.splitlines()
    match how:
        case "half":
            records = records[: len(records) // 2]
        case "twice":
            records = [*records, *records]
        case "reversed":
            records = records[::-1]
        case "torn":
            return text[: len(text) * 2 // 3]
    return "\n".join([first, *records, ""])


_TOKEN = re.compile(r"S\d+X")


def _tokens(seen: Seen, keys: Collection[tuple[str, str]]) -> set[str]:
    """The names that only these documents say."""
    return {
        token
        for kept in seen.archive
        if (kept.db, kept.id) in keys
        for token in _TOKEN.findall(str(kept.body))
    }
