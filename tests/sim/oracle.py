"""What must hold of a season, from what was said to whom. Pure: told by the runner, asked at quiet points.

It knows documents only as the design describes them (acts are a set, all else is a register by stamps), in a
few lines of its own and not by the product's: two programs that agree are worth more than one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.rev import Rev
from tests.sim.observe import Body, Kept, Key, Seen

Name = tuple[str, str, str]
"""A database, a document's id, a revision."""

ENVELOPE = frozenset({"type", "v", "by", "stamps", "asks"})
COUNTS = frozenset({"resident", "seasonal_away"})


class Claim(NamedTuple):
    """A revision of which a phone was told that it is on the server's disk, and what that said."""

    name: Name
    phone: int
    body: Body

    @property
    def acts(self) -> frozenset[str]:
        """The acts in it."""
        return frozenset(act["id"] for act in self.body.get("acts", ()))

    @property
    def fields(self) -> dict[str, Any]:
        """The registers in it."""
        return {name: value for name, value in self.body.items() if name not in {*ENVELOPE, "acts"}}


@dataclass(slots=True)
class Oracle:
    """What was said so far."""

    wrote: dict[Name, Body] = field(default_factory=dict)
    claims: dict[Name, Claim] = field(default_factory=dict)
    refused: dict[Name, str] = field(default_factory=dict)
    """Revisions that were refused for good, and as what."""
    holders: dict[Name, set[int]] = field(default_factory=dict)
    """Claims that a restored backup does not know: the phones that can give them back."""
    within: dict[Name, set[str]] = field(default_factory=dict)
    """The documents in which those have them: a merge that the backup does not know had carried some over."""
    revoked: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By device, ids and revisions that were archived when it was shut out: a move copies them elsewhere."""
    shared: set[str] = field(default_factory=set)
    """Devices whose owner has another phone, which may give back what they wrote."""
    discarded: set[Name] = field(default_factory=set)
    given_up: int = 0

    def note(self, phone: int, wrote: Iterable[Mapping[str, Any]], heard: Iterable[Sequence[str]]) -> None:
        """A phone wrote this, and heard that."""
        for one in wrote:
            self.wrote.setdefault((one["db"], one["id"], one["rev"]), one["body"])
        for db, doc_id, rev, status, reason in heard:
            name = (db, doc_id, rev)
            if status in {"received", "absorbed"} and name in self.wrote:
                self.claims.setdefault(name, Claim(name, phone, self.wrote[name]))
            if status in {"forbidden", "too_large"}:
                self.refused[name] = f"{status} ({reason})"

    def restored(self, seen: Seen, phones: Mapping[int, Sequence[tuple[str, Body]]]) -> None:
        """An older state is back; `phones` are the documents that each phone holds. What nobody holds any
        more that the backup does not know is lost by right: a backup is as old as it is."""
        known = _index(seen)
        for name, claim in list(self.claims.items()):
            if _kept(claim, known, seen):
                self.holders.pop(name, None)
                continue
            holding = [
                (phone, doc_id)
                for phone, held in phones.items()
                for doc_id, body in held
                if _says(body, claim)
            ]
            if holding:
                self.holders[name] = {phone for phone, _ in holding}
                self.within[name] = {doc_id for _, doc_id in holding}
            else:
                self._give_up(name)

    def lost(self, phone: int) -> None:
        """A phone lost all that it stored."""
        for name, holding in list(self.holders.items()):
            holding.discard(phone)
            if not holding:
                self._give_up(name)

    def _give_up(self, name: Name) -> None:
        del self.claims[name]
        self.holders.pop(name, None)
        self.given_up += 1

    # --- what must hold ---

    def kept(self, seen: Seen) -> list[str]:
        """Every acknowledged value is in the winning document or in its history."""
        known = _index(seen)
        gone = erased_subjects(seen)
        erased = {doc_id for _, doc_id in seen.erased}  # wherever it had moved to
        found = []
        for claim in self.claims.values():
            db, doc_id, rev = claim.name
            within = self.within.get(claim.name, {doc_id})
            if any(all(one in erased or _ulid(one) in gone for one in ids) for ids in ({doc_id}, within)):
                continue
            if _kept(claim, known, seen):
                self.holders.pop(claim.name, None)
                self.within.pop(claim.name, None)
            else:
                found.append(f"phone {claim.phone} was told that {db} {doc_id} {rev} is received: it is gone")
        return found

    def unrefused(self) -> list[str]:
        """Nothing that an honest phone wrote is refused."""
        return [
            f"{db} {doc_id} {rev} was refused: {status}"
            for (db, doc_id, rev), status in self.refused.items()
            if (db, doc_id, rev) not in self.discarded
        ]

    def shut_out(self, seen: Seen) -> list[str]:
        """Nothing of a revoked phone entered by itself, and it stays revoked."""
        back = {one for one in self.revoked if one in seen.admitted or one not in seen.ledger}
        found = [f"device {one} is not revoked any more" for one in sorted(back)]
        for kept in seen.archive:
            device = str(kept.body.get("stamps", {}).get("*", "")).rpartition("-")[2]
            before = self.revoked.get(device)
            if before is None or kept.source != "sent" or device in self.shared:
                continue
            if (kept.id, kept.rev) not in before:
                found.append(f"{kept.db} {kept.id} {kept.rev} of the revoked {device} entered")
        return found


# --- what the documents must say, given the archive ---------------------------------------------------------


def settled(seen: Seen) -> list[str]:
    """No live conflict is left."""
    return [
        f"{db} {doc_id} has {len(doc.live)} live leaves"
        for (db, doc_id), doc in seen.docs.items()
        if len(doc.live) > 1
    ]


def merged(seen: Seen) -> list[str]:
    """Each document says what all that was accepted of it says together."""
    found = []
    expected = _expected(seen)
    for key, doc in seen.docs.items():
        if key not in expected or doc.body is None or _is_pledge(key[1]):
            continue
        said = {name: value for name, value in doc.body.items() if name not in ENVELOPE}
        if said != expected[key]:
            found.append(f"{key[0]} {key[1]} says {said}, and not {expected[key]}")
    for subjects, acts in _acts_expected(seen).items():
        there = {
            act["id"]: act
            for (_, doc_id), doc in seen.docs.items()
            if _is_pledge(doc_id) and _ulid(doc_id) in subjects and doc.body
            for act in doc.body["acts"]
        }
        of = f"pledge of {', '.join(sorted(subjects))}"
        if there.keys() != acts.keys():
            few, many = sorted(acts.keys() - there.keys()), sorted(there.keys() - acts.keys())
            found.append(f"{of}: lacks {few}, has {many} too many")
        found += [
            f"{of}: nobody said {act}" for act in there.values() if act not in acts.get(act["id"], [act])
        ]
    return found


def counted(seen: Seen) -> list[str]:
    """The office's figures are those of the documents, as the oracle reads them."""
    expected = _expected(seen)
    figures: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (db, doc_id), doc in seen.docs.items():
        if not doc_id.startswith("household:") or not doc.live or (db, doc_id) not in expected:
            continue
        if expected[db, doc_id]["status"]["is"] in COUNTS:
            signed = any(
                _signed(pledge.body["acts"])
                for (place, other), pledge in seen.docs.items()
                if place == db and _is_pledge(other) and _ulid(other) == _ulid(doc_id) and pledge.body
            )
            figures[db.removeprefix("hamlet-")][0] += 1
            figures[db.removeprefix("hamlet-")][1] += signed
    return [
        f"{hamlet}: the office counts {told}, and it is {tuple(figures[hamlet])}"
        for hamlet, told in seen.counts.items()
        if told != tuple(figures[hamlet])
    ]


def stays_erased(seen: Seen, tokens: Collection[str], files: Mapping[str, bytes]) -> list[str]:
    """Nothing that was erased is back: no body, no new document about it, no trace in the files."""
    gone = erased_subjects(seen)
    signatures = {doc_id for _, doc_id in seen.erased if doc_id.startswith("signature:")}
    found = [
        f"{key[0]} {key[1]} was erased and lives"
        for key, doc in seen.docs.items()
        if doc.live and (key in seen.erased or _ulid(key[1]) in gone or key[1] in signatures)
    ]
    found += [
        f"{kept.db} {kept.id} {kept.rev} was erased and is in the archive"
        for kept in seen.archive
        if not kept.deleted and ((kept.db, kept.id) in seen.erased or _ulid(kept.id) in gone)
    ]
    found += [
        f"{one.db} {one.id} {one.rev} was erased and is in quarantine ({one.state})"
        for one in seen.quarantine
        if (one.db, one.id) in seen.erased or _ulid(one.id) in gone
    ]
    return found + [
        f"{token!r} was erased and stands in {name}"
        for token in tokens
        for name, content in files.items()
        if token.encode() in content
    ]


def erased_subjects(seen: Seen) -> frozenset[str]:
    """The ULIDs of households that were erased."""
    return frozenset(_ulid(doc_id) for _, doc_id in seen.erased if doc_id.startswith("household:"))


def agrees(number: int, phone: Mapping[str, Any], seen: Seen, held: Collection[str]) -> list[str]:
    """A phone shows what the server holds, knows nothing that the server does not, and has nothing left."""
    found = []
    for db in held:
        there = {
            doc_id: (str(doc.live[0]), doc.body)
            for (place, doc_id), doc in seen.docs.items()
            if place == db and doc.live and not doc_id.startswith("signature:")
        }
        here = {
            doc_id: (rev, body)
            for doc_id, (rev, body) in phone["databases"].get(db, {}).get("docs", {}).items()
        }
        for doc_id in sorted(there.keys() | here.keys()):
            if there.get(doc_id) != here.get(doc_id):
                ours, theirs = here.get(doc_id, ("nothing",))[0], there.get(doc_id, ("nothing",))[0]
                found.append(f"phone {number} has {ours} of {db} {doc_id}, the server {theirs}")
    for db, doc_id, rev, state, _ in phone["own"]:
        if state != "refused":
            found.append(f"phone {number} still has {db} {doc_id} {rev}: {state}")
    for db, doc_id, rev, _ in phone["heads"]:
        doc = seen.docs.get((db, doc_id))
        if (doc is None or Rev.parse(rev) not in doc.tree) and (db, doc_id) not in seen.erased:
            found.append(
                f"phone {number} holds {db} {doc_id} {rev} for received; the server does not know it"
            )
    found += [
        f"phone {number} still has {db} {doc_id} {rev}, which was erased"
        for db, doc_id, rev, *_ in [*phone["heads"], *phone["own"], *phone["outbox"]]
        if (db, doc_id) in seen.erased and (db, doc_id, rev) not in _dead_heads(phone)
    ]
    return found


def same(one: Mapping[Key, Any], other: Mapping[Key, Any]) -> list[str]:
    """Two servers hold the same trees."""
    return [
        f"{key[0]} {key[1]}: the servers hold different trees"
        for key in sorted(one.keys() | other.keys())
        if (one[key].tree if key in one else None) != (other[key].tree if key in other else None)
    ]


# --- the parts of it -------------------------------------------------------------------------------------


def _dead_heads(phone: Mapping[str, Any]) -> set[Name]:
    return {(db, doc_id, rev) for db, doc_id, rev, live in phone["heads"] if not live}


def _index(seen: Seen) -> Mapping[str, list[Kept]]:
    """The archive by id, whatever the database: hamlets merge."""
    found: dict[str, list[Kept]] = defaultdict(list)
    for kept in seen.archive:
        found[kept.id].append(kept)
    return found


def _kept(claim: Claim, known: Mapping[str, Sequence[Kept]], seen: Seen) -> bool:
    _, doc_id, rev = claim.name
    if any(kept.rev == rev and kept.body == claim.body for kept in known.get(doc_id, ())):
        return True
    bodies = [kept.body for one in {doc_id, *_aliases(doc_id, seen)} for kept in known.get(one, ())]
    acts = {act["id"] for body in bodies for act in body.get("acts", ())}
    return claim.acts <= acts and all(
        any(body.get(name) == value for body in bodies) for name, value in claim.fields.items()
    )


def _says(body: Body, claim: Claim) -> bool:
    """Whether a body that a phone holds would bring a claim back."""
    if body.get("type") != claim.body.get("type"):
        return False
    if claim.acts:
        return claim.acts <= {act["id"] for act in body.get("acts", ())}
    return all(body.get(name) == value for name, value in claim.fields.items())


def _aliases(doc_id: str, seen: Seen) -> set[str]:
    """Where the acts of a pledge may have gone."""
    if not _is_pledge(doc_id):
        return set()
    campaign = doc_id.split(":")[1]
    return {f"pledge:{campaign}:{ulid}" for ulid in _group(seen, _ulid(doc_id))}


def _group(seen: Seen, ulid: str) -> set[str]:
    """All households that were ever merged with this one, one way or another."""
    return next((group for group in _groups(seen) if ulid in group), {ulid})


def _groups(seen: Seen) -> list[set[str]]:
    groups: list[set[str]] = []
    for kept in seen.archive:
        into = kept.body.get("status", {}).get("into") if kept.id.startswith("household:") else None
        if into:
            joined = {_ulid(kept.id), into}
            for group in [group for group in groups if group & joined]:
                groups.remove(group)
                joined |= group
            groups.append(joined)
    return groups


def _expected(seen: Seen) -> dict[Key, dict[str, Any]]:
    """What the archived bodies of each document say together, the envelope left out."""
    return {key: joined(bodies) for key, bodies in _accepted(seen).items()}


def _accepted(seen: Seen) -> Mapping[Key, list[Body]]:
    """What came from somebody and is in a tree: a body that was archived as the server died may not be."""
    bodies: dict[Key, list[Body]] = defaultdict(list)
    for kept in seen.archive:
        doc = seen.docs.get((kept.db, kept.id))
        if doc and not kept.deleted and kept.source != "merged" and Rev.parse(kept.rev) in doc.tree:
            bodies[kept.db, kept.id].append(kept.body)
    return bodies


def _acts_expected(seen: Seen) -> dict[frozenset[str], dict[str, list[Any]]]:
    """The acts that were accepted of each group of merged households, in whatever hamlet, by their ids."""
    groups = {ulid: frozenset(group) for group in _groups(seen) for ulid in group}
    gone = erased_subjects(seen)
    found: dict[frozenset[str], dict[str, list[Any]]] = defaultdict(dict)
    for (_, doc_id), bodies in _accepted(seen).items():
        if _is_pledge(doc_id) and _ulid(doc_id) not in gone:
            group = groups.get(_ulid(doc_id), frozenset({_ulid(doc_id)}))
            for act in (act for body in bodies for act in body["acts"]):
                found[group].setdefault(act["id"], []).append(act)
    return found


def joined(bodies: Iterable[Body]) -> dict[str, Any]:
    """Registers by the greatest stamp, acts as a set."""
    best: dict[str, tuple[str, Any]] = {}
    acts: dict[str, Any] = {}
    for body in bodies:
        stamps = body["stamps"]
        for act in body.get("acts", ()):
            acts[act["id"]] = act
        for name in {*body, *stamps} - ENVELOPE - {"acts", "*"}:
            stamp = stamps.get(name) or stamps["*"]
            if name not in best or stamp > best[name][0]:
                best[name] = (stamp, body.get(name))
    said = {name: value for name, (_, value) in best.items() if value is not None}
    return said | ({"acts": [acts[one] for one in sorted(acts)]} if acts else {})


def _signed(acts: Iterable[Mapping[str, Any]]) -> bool:
    acts = list(acts)
    back = {act["target"] for act in acts if "target" in act}
    return any(act["kind"] == "signed" and act["id"] not in back for act in acts)


def _is_pledge(doc_id: str) -> bool:
    return doc_id.startswith("pledge:")


def _ulid(doc_id: str) -> str:
    return doc_id.rpartition(":")[2]
