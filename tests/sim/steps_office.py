"""What the office does."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from tests.sim.observe import Seen, observe
from tests.sim.scene import Scene
from tests.sim.season import Step


@dataclass(slots=True)
class Desk(Scene):
    """A method for each step of the office."""

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
        ulid = self.ulid(step.args)
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
        keep = self.ulid({**step.args, "household": step.args["keep"]})
        if keep:
            await self._at_office("merge", step, keep)

    async def _move(self, step: Step) -> None:
        args = step.args
        ulids = [self.ulid({**args, "household": key}) for key in args["households"]]
        there = [ulid for ulid in ulids if ulid and self.office.hamlet_of(ulid) == args["hamlet"]]
        if len(there) == len(ulids):
            done = await self.office.move(args["hamlet"], args["into"], there)
            self.tally["done: households moved" if there else "done: hamlets merged"] += done

    async def _unmerge(self, step: Step) -> None:
        await self._at_office("unmerge", step)

    async def _split(self, step: Step) -> None:
        args = step.args
        ulids = [self.ulid({**args, "household": key}) for key in args["households"]]
        there = [ulid for ulid in ulids if ulid and self.office.hamlet_of(ulid) == args["hamlet"]]
        name, people = args["name"], args["people"]
        made = await self.office.split(args["hamlet"], name, there, people=people) if there else ""
        self.founded.append(made)
        self.tally["done: hamlets founded"] += bool(made)

    async def _reunite(self, step: Step) -> None:
        founded = self.founded[step.args["number"]] if step.args["number"] < len(self.founded) else ""
        if founded:
            done = await self.office.move(founded, step.args["into"], [])
            self.tally["done: founded hamlets merged"] += done

    async def _erase(self, step: Step) -> None:
        ulid = self.ulid(step.args)
        if ulid is None:
            return
        before = observe(self.data)
        if await self._at_office("erase", step):
            after = observe(self.data)
            gone = after.erased - before.erased
            self.tokens |= _tokens(before, gone) - _tokens(after, after.docs.keys() - after.erased)

    async def _at_office(self, what: str, step: Step, *more: str) -> bool:
        ulid = self.ulid(step.args)
        hamlet = self.office.hamlet_of(ulid) if ulid else ""
        done = bool(hamlet) and await getattr(self.office, what)(hamlet, ulid, *more)
        self.tally[f"done: {what}"] += done
        return done

    async def _release(self, _: Step) -> None:
        await self._decide("release", {"recovered", "revoked", "clock", "newer"})

    async def _discard(self, _: Step) -> None:
        await self._decide("discard", {"revoked", "clock"})

    async def _decide(self, what: str, why: Collection[str]) -> None:
        found = [one for one in self.office.waiting() if one.why in why and not one.newer and not one.forged]
        if what == "discard":
            self.said.discarded |= {(one.db, one.id, one.rev) for one in found}
        await self.office.decide([one.number for one in found], what)
        self.tally["records released" if what == "release" else "records discarded"] += len(found)


_TOKEN = re.compile(r"S\d+X")


def _tokens(seen: Seen, keys: Collection[tuple[str, str]]) -> set[str]:
    """The names that only these documents say."""
    return {
        token
        for kept in seen.archive
        if (kept.db, kept.id) in keys
        for token in _TOKEN.findall(str(kept.body))
    }
