"""One hostile volunteer among honest ones: whatever bytes he sends, what others recorded stands.

Made-up histories from a seed. She writes what an app writes. He has credentials of his own for the same
hamlet, and sends older words again, or words with holes in them, by any name (a fresh one, one that is in the
tree, one that the server would derive, one of his own), upon any path, by any way in. He may say later what
he means himself; in these histories he says nothing later of what she says, so that hers must stand after
each step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
import pytest

from sync import canonical, revtree
from sync.rev import Rev, derive
from sync.revtree import Tree
from tests.server.documents import OTHER
from tests.server.http.served import DB, HOUSEHOLD, Phone, Served
from tests.server.http.test_taken_names import at, outcome

Body = dict[str, Any]

PLEDGE = f"pledge:antq-2026:{HOUSEHOLD}"
PLACE = f"household:{HOUSEHOLD}"
INSPECTION = "inspection:01J8ZQ4T6N3VXK2M5R7W9Y0NSP"
LATER = 200_000
"""Milliseconds by which he runs ahead, within what a phone's clock may be wrong."""


@dataclass(slots=True)
class History:
    """What she has recorded, and what he has sent."""

    camket: Served
    hers: Phone
    his: Phone
    random: Random
    acts: list[Body] = field(default_factory=list)
    name: str | None = None
    photos: list[Body] = field(default_factory=list)
    sent: dict[str, list[tuple[Rev, Body]]] = field(default_factory=dict)
    time: int = 0

    async def step(self) -> None:
        """She records something, or he sends something."""
        doc_id = self.random.choice([PLEDGE, PLEDGE, PLACE, INSPECTION])
        tree, said = await self.held(doc_id)
        if not tree or self.random.random() < 0.4:
            await self.record(doc_id, tree, said)
        else:
            docs = [self.forged(doc_id, tree, said) for _ in range(self.random.choice([1, 1, 2, 3]))]
            await self.push(docs)

    async def held(self, doc_id: str) -> tuple[Tree, list[Body]]:
        """The tree of a document, and what its revisions say, the winner first."""
        found = await self.camket.parts.store.read(DB, [doc_id], lambda _, tree: tree)
        if doc_id not in found:
            return {}, []
        tree, bodies = found[doc_id].tree, found[doc_id].bodies
        first = revtree.winner(tree)
        said = (orjson.loads(bodies[rev].json) for rev in (first, *(tree.keys() - {first})) if rev in bodies)
        return tree, [body for body in said if "stamps" in body]

    async def record(self, doc_id: str, tree: Tree, said: list[Body]) -> None:
        """She writes upon the winner, and is told that it was received."""
        now, top = self.stamp(self.hers), revtree.winner(tree) if tree else None
        if doc_id == PLEDGE:
            visit = self.hers.visit()
            self.acts += visit["acts"]
            body = (said[0] if said else visit) | {"acts": union(said, "acts", visit["acts"])}
            changed = {"acts"}
        elif doc_id == PLACE:
            self.name = f"Lý Văn {self.time}"
            body, changed = said[0] | {"name": self.name}, {"name"}
        else:
            photo = {"id": f"{self.random.getrandbits(256):064x}", "item": "picture"}
            self.photos.append(photo)
            body = (said[0] if said else INSPECTED) | {"photos": union(said, "photos", [photo])}
            changed = {"photos"} if said else {*INSPECTED, "photos"}
        path = (self.fresh(top.generation + 1 if top else 1), *(revtree.ancestry(tree, top) if top else ()))
        doc = at({"_id": doc_id, **written(body, self.hers, now, changed)}, *path)
        (became,) = outcome(await self.hers.ask({"docs": [doc]}))
        assert became in {"received", "absorbed"}

    def forged(self, doc_id: str, tree: Tree, said: list[Body]) -> Body:
        """Something that was said once, with holes in it, by any name and upon any path."""
        chance, before = self.random, self.sent.setdefault(doc_id, [])
        body = dict(chance.choice([*said, *(body for _, body in before)]))
        now = self.stamp(self.his, chance.choice([0, 0, LATER]))
        changed = "order" if doc_id == PLACE else "acts" if doc_id == PLEDGE else "photos"
        if doc_id == PLACE:
            body["order"] = chance.randrange(1, 90)
        else:
            own = {"id": f"{chance.getrandbits(256):064x}", "item": chance.choice(["picture", "roof"])}
            (visit,) = self.his.visit()["acts"]
            kept = [one for one in body[changed] if chance.random() < 0.6]
            kept += [visit if doc_id == PLEDGE else own] if chance.random() < 0.6 or not kept else []
            hers = self.acts if doc_id == PLEDGE else self.photos
            if hers and chance.random() < 0.2:
                kept.append((visit if doc_id == PLEDGE else own) | {"id": chance.choice(hers)["id"]})
            body[changed] = union([], changed, kept)
        body = written(body, self.his, now, {changed})
        rev = self.named(tree, body, [rev for rev, _ in before])
        before.append((rev, body))
        return at({"_id": doc_id, **body}, *self.path(tree, rev))

    def named(self, tree: Tree, body: Body, own: list[Rev]) -> Rev:
        """A name: a fresh one, one that is there, one that he used, or one that the server would derive."""
        there = sorted(tree)
        rev = self.random.choice(there)
        ends = (b'{"absorbed":true}', b"{}", canonical.encode(body))
        derived = derive(rev, self.random.random() < 0.5, self.random.choice(ends))
        fresh = self.fresh(max(1, rev.generation + self.random.choice([0, 1, 1, 2])))
        return self.random.choice([fresh, fresh, rev, derived, *([self.random.choice(own)] if own else [])])

    def path(self, tree: Tree, rev: Rev) -> Iterator[Rev]:
        """The name, and ancestors of which some are there and some are made up."""
        yield rev
        for generation in range(rev.generation - 1, 0, -1):
            there = sorted(one for one in tree if one.generation == generation)
            parent = self.random.choice(there) if there and self.random.random() < 0.75 else None
            if parent and self.random.random() < 0.6:
                yield from revtree.ancestry(tree, parent)
                return
            yield parent or self.fresh(generation)
            if self.random.random() < 0.1:
                return

    async def push(self, docs: list[Body]) -> None:
        """By one of the three ways in. Raises AssertionError for an answer that is none."""
        way = self.random.choice(["exchange", "exchange", "plain", "sealed"])
        if way == "exchange":
            await self.his.ask({"docs": docs})
        elif way == "sealed":
            await self.his.hand_in(*map(self.his.seal, docs))
        else:
            asked, bearer = {"docs": docs, "new_edits": False}, self.his.bearer("credential")
            answer = await self.camket.http.post(f"/db/{DB}/_bulk_docs", json=asked, headers=bearer)
            assert answer.status_code in {201, 400}, answer.text

    async def missing(self) -> list[str]:
        """What of hers does not stand, and what is not settled."""
        found = []
        for doc_id in (PLEDGE, PLACE, INSPECTION):
            tree, said = await self.held(doc_id)
            if not tree:
                continue
            if len(revtree.live(tree)) != 1:
                found.append(f"{doc_id} has {len(revtree.live(tree))} live leaves")
            body = said[0]
            found += [
                f"no act {one['id']}" for one in self.acts if doc_id == PLEDGE and one not in body["acts"]
            ]
            if doc_id == PLACE and self.name and body["name"] != self.name:
                found.append(f"{self.name} is {body['name']}")
            if doc_id == INSPECTION:
                found += [f"no photo {one}" for one in self.photos if one not in body["photos"]]
        return found

    def stamp(self, phone: Phone, ahead: int = 0) -> str:
        self.time += 1
        return f"{phone.now() + self.time + ahead:013d}-0000-{phone.device}"

    def fresh(self, generation: int) -> Rev:
        return Rev(generation, f"{self.random.getrandbits(128):032x}")


INSPECTED: Body = {
    "type": "inspection",
    "v": 1,
    "subject": f"model:{OTHER}",
    "date": "2026-03-01",
    "answers": {"checklist": "ban-thu", "version": 1, "values": {"bell": True}},
}


def union(said: list[Body], name: str, more: list[Body]) -> list[Body]:
    """The elements of what stands, and more, sorted by their ids."""
    found = {one["id"]: one for one in (*(said[0][name] if said else ()), *more)}
    return [found[one] for one in sorted(found)]


def written(body: Mapping[str, Any], phone: Phone, now: str, changed: set[str]) -> Body:
    """The body as this person's, with these fields by a stamp of now and the others by theirs."""
    body = {name: it for name, it in body.items() if name[0] != "_"}
    old = body.get("stamps", {"*": now})
    fields = body.keys() - {"type", "v", "by", "stamps"}
    stamps = {name: now if name in changed else old.get(name, old["*"]) for name in fields}
    told = {name: stamp for name, stamp in stamps.items() if stamp != now}
    return {**body, "by": phone.user, "stamps": {"*": now, **told}}


@pytest.mark.parametrize("seed", range(12))
async def test_what_honest_people_recorded_stands_whatever_a_hostile_one_sends(
    camket: Served, seed: int
) -> None:
    his = camket.person("Hứa Văn Dỏng")
    history = History(camket, await camket.phone(), await camket.phone(his), Random(seed))
    for _ in range(history.random.randrange(6, 22)):
        await history.step()
        assert await history.missing() == []
