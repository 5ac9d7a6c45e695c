"""What people do with their phones, and what becomes of those."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.sim.fleet import Told
from tests.sim.proxy import Fault
from tests.sim.scene import Broken, Handset, Scene, deaths
from tests.sim.season import Step


@dataclass(slots=True)
class Phones(Scene):
    """A method for each step of a phone."""

    async def _join(self, step: Step) -> None:
        phone = self.phones[step.phone]
        if phone.joined:
            return
        phone.life += 1
        code = self.invite(phone)
        seed = self.season.seed * 1000 + phone.number * 10 + phone.life
        told = await self.tell(phone, "join", code=code, seed=seed)
        if told.error:
            raise Broken([f"phone {phone.number} could not join: {told.error}"])
        phone.device, phone.revoked = told.result["device"], False
        phone.credential = self.office.devices()[phone.device]
        await self.sync(phone)

    async def _act(self, step: Step, do: str, **more: Any) -> Told | None:
        """Open a form on a household, and do something with it."""
        phone, args = self.phones[step.phone], step.args
        ulid = self.ulid(args)
        if not phone.joined or ulid is None:
            return None
        opened = await self.tell(phone, "open", form="now", hamlet=args["hamlet"], household=ulid)
        if opened.error:
            return None
        return await self.tell(phone, do, form="now", **more, **deaths(args))

    async def _visit(self, step: Step) -> None:
        await self._act(step, "visit", result=step.args["result"])

    async def _sign(self, step: Step) -> None:
        args = step.args
        signing = {"signer": args["signer"], "role": "head", "assisted": False, "readAloud": True}
        drawn = {"strokes": args["strokes"]} if "strokes" in args else {}
        await self._act(step, "sign", signing={**signing, "method": args["method"], **drawn})

    async def _edit(self, step: Step) -> None:
        await self._act(step, "edit", change=step.args["change"])

    async def _newer(self, step: Step) -> None:
        await self._act(step, "newer", name=step.args["name"])

    async def _void(self, step: Step) -> None:
        await self._act(step, "void")

    async def _open(self, step: Step) -> None:
        phone, ulid = self.phones[step.phone], self.ulid(step.args)
        if phone.joined and ulid:
            hamlet, form = step.args["hamlet"], step.args["form"]
            told = await self.tell(phone, "open", form=form, hamlet=hamlet, household=ulid)
            if not told.error:
                self.opened[form] = phone.life

    async def _save(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined and self.opened.pop(args["form"], None) == phone.life:
            more = {"change": args["change"]} if args["what"] == "edit" else {"result": "met"}
            await self.tell(phone, args["what"], form=args["form"], **more, **deaths(args))

    async def _add(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined:
            told = await self.tell(phone, "add", hamlet=args["hamlet"], name=args["name"], **deaths(args))
            if told.result:
                self.added[args["household"]] = (args["hamlet"], told.result)

    async def _meeting(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if phone.joined:
            ulids = [self.ulid({"hamlet": args["hamlet"], "household": key}) for key in args["households"]]
            signed = [{"id": ulid, "signer": f"{args['signer']} {n}"} for n, ulid in enumerate(ulids)]
            await self.tell(phone, "meeting", hamlet=args["hamlet"], households=signed, **deaths(args))

    async def _sync(self, step: Step) -> None:
        faults = [Fault("unknown")] * 60 if step.args.get("plain") else list(step.args["faults"])
        await self.sync(
            self.phones[step.phone], faults, weak=step.args.get("weak", False), **deaths(step.args)
        )

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
            await self.tell(phone, "take", text=_carried(text, step.args["how"]), **deaths(step.args))

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
