"""Carries a season out: real phones, a real server, a bad link between them. Decides nothing.

What must hold is asked at each quiet point (`tests.sim.quiet`). A step that has nothing to do (its phone is
gone, its household was never made) does nothing, so that any part of a season can be run. There is one method
for each step, all in one file: they are read side by side, and share the same few objects.
"""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tests.commune import households
from tests.sim import commands, pair, quiet, servers
from tests.sim.fleet import Told
from tests.sim.observe import Seen, observe
from tests.sim.proxy import Fault
from tests.sim.scene import Broken, Handset, Scene
from tests.sim.season import Step

TOGETHER = frozenset({"backup", "restore", "erase", "revoke", "lose", "merge", "move", "quiet"})
"""What is not done while there are two servers: one alone would decide it."""


@dataclass(slots=True)
class Runner(Scene):
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

    # --- phones ---

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

    async def _hand_in(self, step: Step) -> None:
        await self.sync(self.phones[step.phone], step.args["faults"], "handIn")

    async def _kill_app(self, step: Step) -> None:
        await self.tell(self.phones[step.phone], "kill")

    async def _bundle(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined:
            text, given = await self._given(phone, codes=step.args.get("codes", False))
            self.bundles[step.args["bundle"]] = text
            if step.args["said"] and text:
                await self.tell(phone, "handedOver", text=given)

    async def _given(self, phone: Handset, *, codes: bool) -> tuple[str, str]:
        """What a courier has of a phone, by file or by codes, and the records that the phone put into it."""
        if not codes:
            told = await self.tell(phone, "bundle")
            return (told.result or "",) * 2
        told = await self.tell(phone, "codes")
        return (told.result["text"], told.result["given"]) if told.result else ("", "")

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
            told = await self.tell(phone, "receiptCodes" if step.args.get("codes") else "receipts")
            if told.result:
                await self.tell(to, "take", text=told.result)

    async def _phone_clock(self, step: Step) -> None:
        self.phones[step.phone].wrong = step.args["wrong"]

    async def _lose(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined and not phone.revoked:
            await self.forget(phone)
            await self._join(step)

    # --- the server ---

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
            await self.rejoin(phone, **_deaths(step.args))

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
            self.said.revoked[phone.device] = frozenset((kept.id, kept.rev) for kept in seen.archive)
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

    async def _quiet(self, _: Step) -> None:
        await quiet.quiet(self)

    # --- small things ---

    def _ulid(self, args: Mapping[str, Any]) -> str | None:
        key = args["household"]
        if key.isdecimal():
            return list(households(args["hamlet"]))[int(key)]
        hamlet, ulid = self.added.get(key, ("", None))
        return ulid if hamlet == args["hamlet"] else None


def _deaths(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in ("moment", "full") if name in args}


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
