"""Phones in the wrong hands: what somebody sends who has a phone's credentials, and more than its app."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from sync import canonical, revtree
from sync.rev import Rev, derive
from tests.commune import CAMPAIGN, HAMLETS
from tests.server.http.served import Phone, Served
from tests.sim.founding import volunteer
from tests.sim.invariants import Name
from tests.sim.observe import Body, Doc, documents
from tests.sim.office import FORGED
from tests.sim.scene import Handset, Scene
from tests.sim.season import Step

BRANCHES = 60
"""Of one flood."""
ENDS: tuple[Body, ...] = ({"absorbed": True}, {}, *({"moved_to": f"hamlet-{one}"} for one in HAMLETS))
"""What tombstones say."""
Draft = dict[str, Any]


@dataclass(slots=True)
class Hostile(Scene):
    """A method for each step of a phone in the wrong hands."""

    async def _attack(self, step: Step) -> None:
        phone, kind, ulid = self.phones[step.phone], step.args["kind"], self.ulid(step.args)
        told = (await self.tell(phone, "credentials")).result if phone.joined and not phone.strange else None
        hamlet = self.office.hamlet_of(ulid) if ulid else ""
        victim = next((one for one in self.phones if one.device and one.volunteer != phone.volunteer), None)
        if not told or not hamlet or victim is None or self.server is None:
            return
        db, doc_id = f"hamlet-{hamlet}", f"household:{ulid}"
        lost = self._lost(db, volunteer(phone.volunteer)) if kind == "renamed" else None
        kind, doc_id = ("taken", lost[1]) if lost else (kind, doc_id)
        held = documents(self.data / "documents.sqlite").get((db, doc_id))
        if held is None or held.body is None:
            return
        made = list(
            forgeries(kind, doc_id, held, held.body, phone, victim, self.clock.ms, len(step.args["mark"]))
            if lost is None
            else [taken(Rev.parse(lost[2]), doc_id, held.body, phone, self.clock.ms)]
        )
        named = f"{FORGED} {step.args['mark']}"
        docs = [json.loads(json.dumps(one, ensure_ascii=False).replace(FORGED, named)) for one in made]
        if not docs:
            return
        status = await (self._sealed if kind == "sealed" else self._sent)(told, db, docs)
        assert status < 500, f"an attack ({kind}): {status}"
        self.tally[f"attack: {kind}{', revoked' if phone.revoked else ''}"] += 1

    def _lost(self, db: str, own: str) -> Name | None:
        """The name of a household's revision that a restore has lost, and that another than `own` wrote."""
        lost = (one for one in sorted(self.said.holders) if one[0] == db and one[1].startswith("household:"))
        return next((name for name in lost if self.said.wrote[name]["by"] != own), None)

    async def _sent(self, told: Mapping[str, Any], db: str, docs: list[Draft]) -> int:
        asked = {"clock": self.clock.ms, "dbs": {db: {"docs": docs}}}
        headers = {"Authorization": f"Bearer {told['full']}"}
        address = f"http://127.0.0.1:{self.office.port}/db/_exchange"
        return (await self.office.http.post(address, json=asked, headers=headers)).status_code

    async def _sealed(self, told: Mapping[str, Any], db: str, docs: list[Draft]) -> int:
        phone = Phone(cast(Served, None), {"send": told["send"], "seal_key": told["seal"]})
        inside = [{"send": told["send"], "clock": self.clock.ms, "db": db, "doc": doc} for doc in docs]
        records = [phone.seal_bytes(gzip.compress(json.dumps(one).encode())) for one in inside]
        headers = phone.bearer() | {"Content-Type": "text/plain"}
        address = f"http://127.0.0.1:{self.office.port}/sealed"
        answer = await self.office.http.post(address, content=phone.bundle(*records), headers=headers)
        return answer.status_code


def forgeries(
    kind: str, doc_id: str, held: Doc, body: Body, phone: Handset, victim: Handset, now: int, salt: int
) -> Iterable[Draft]:
    """The documents of one attack. Pure.

    author   another's name under another's stamp, on top of what stands
    stamp    the own name under another's stamp
    renamed  other words under the name of the revision that stands, which another wrote; and nothing new, in
             the own name, upon the names of what is to end that revision
    act      a signature that another took
    sealed   as `author`, in a sealed record
    flood    many branches that say nothing new, in the own name
    """
    own, other = volunteer(phone.volunteer), volunteer(victim.volunteer)
    mine, theirs = (f"{now:013d}-0000-{device}" for device in (phone.device, victim.device))
    path = list(revtree.ancestry(held.tree, held.live[0]))
    random = Random(f"{kind} {doc_id} {now} {salt}")
    top = path[0].generation

    def child(more: Mapping[str, Any], *, root: bool = False) -> Draft:
        ids = [random.randbytes(16).hex(), *(() if root else (rev.digest for rev in path))]
        return {**body, **more, **named_as(doc_id, 1 if root else top + 1, ids)}

    forged = {"name": FORGED}
    match kind:
        case "stamp":
            yield child(forged | {"by": own, "stamps": {"*": theirs}})
        case "renamed":
            if body["by"] != own:  # who wrote it may say otherwise
                yield {**body, **forged, **named_as(doc_id, top, [rev.digest for rev in path])}
            for end in ENDS:
                name = derive(path[0], True, canonical.encode(end)).digest
                ids = [random.randbytes(16).hex(), name, random.randbytes(16).hex()]
                yield {**body, "by": own, "stamps": {"*": mine}, **named_as(doc_id, top + 2, ids)}
        case "act":
            pledge, digest = f"pledge:{CAMPAIGN}:{doc_id.partition(':')[2]}", random.randbytes(16).hex()
            act = {"id": f"01J8ZQ4T6N3VXK2M5R{random.randrange(10**8):08d}", "by": other, "at": AT, **SIGNED}
            said = {"type": "pledge", "v": 1, "by": own, "stamps": {"*": mine}, "acts": [act]}
            yield said | named_as(pledge, 1, [digest])
        case "flood":
            for number in range(BRANCHES):
                yield child({"by": own, "stamps": {"*": mine}}, root=number % 2 == 0)
        case _:
            yield child(forged | {"by": other, "stamps": {"*": theirs}})


def taken(rev: Rev, doc_id: str, body: Body, phone: Handset, now: int) -> Draft:
    """What stands, as this person's word, by the name of a revision that was lost: its author's goes under
    unless that phone is asked what it has by the name. Pure."""
    mine = {"by": volunteer(phone.volunteer), "stamps": {"*": f"{now:013d}-0000-{phone.device}"}}
    return {**body, **mine, **named_as(doc_id, rev.generation, [rev.digest])}


def named_as(doc_id: str, start: int, ids: list[str]) -> Draft:
    """How a document names itself on the wire: its revision, and those that it builds on."""
    return {"_id": doc_id, "_rev": f"{start}-{ids[0]}", "_revisions": {"start": start, "ids": ids}}


AT = "2026-03-02T05:00:00Z"
SIGNED = {
    "kind": "signed",
    "signer": FORGED,
    "role": "head",
    "method": "paper_signed",
    "assisted": False,
    "clauses": 1,
    "notice": 1,
    "read_aloud": True,
}
"""What a signature says that nobody gave."""
