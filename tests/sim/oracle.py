"""What must hold of a season, from what was said to whom. Pure: told by the runner, asked at quiet points."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.sim.invariants import ENVELOPE, SETS, Name, erased_subjects, groups, is_pledge, ulid_of
from tests.sim.observe import Body, Kept, Seen


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
        return {name: value for name, value in self.body.items() if name not in {*ENVELOPE, *SETS}}


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
    unpictured: set[str] = field(default_factory=set)
    """Photographs that are lost with the server's disk, for phones keep small ones of them alone: those that
    came after the backup which was restored; and those that were erased, where files put back by hand do not
    know of it."""
    unsaid: bool = False
    """Whether files were put back by hand, and nobody has told the server: it believes no phone that gives
    it back what another wrote."""
    given_up: int = 0

    def note(self, phone: int, wrote: Iterable[Mapping[str, Any]], heard: Iterable[Sequence[str]]) -> None:
        """A phone wrote this, and heard that."""
        for one in wrote:
            self.wrote.setdefault((one["db"], one["id"], one["rev"]), one["body"])
        for db, doc_id, rev, status, reason in heard:
            name = (db, doc_id, rev)
            if status in {"received", "absorbed"} and name in self.wrote:
                self.claims.setdefault(name, Claim(name, phone, self.wrote[name]))
            if status in {"forbidden", "too_large"} and not self.unsaid:
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

    def is_newer(self, db: str, doc_id: str, rev: str) -> bool:
        """Whether a phone wrote this for a later program than the server."""
        return bool(self.wrote.get((db, doc_id, rev), {}).get("v", 1) > 1)

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
            if any(all(one in erased or ulid_of(one) in gone for one in ids) for ids in ({doc_id}, within)):
                continue
            if _kept(claim, known, seen):
                self.holders.pop(claim.name, None)
                self.within.pop(claim.name, None)
            else:
                found.append(f"phone {claim.phone} was told that {db} {doc_id} {rev} is received: it is gone")
        return found

    def unread(self, phone: int, look: Mapping[str, Any], seen: Seen) -> list[str]:
        """What a phone wrote for a later program waits at the server, word for word, once it was said to."""
        waiting = {(one.id, one.rev): one.body for one in seen.quarantine if one.state != "discarded"}
        return [
            f"phone {phone} holds {doc_id} {rev} of a later version for held; the server has it not"
            for db, doc_id, rev, state, _ in look["own"]
            if state == "held" and waiting.get((doc_id, rev)) != self.wrote.get((db, doc_id, rev))
        ]

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
    if not is_pledge(doc_id):
        return set()
    campaign = doc_id.split(":")[1]
    return {f"pledge:{campaign}:{ulid}" for ulid in _group(seen, ulid_of(doc_id))}


def _group(seen: Seen, ulid: str) -> set[str]:
    """All households that were ever merged with this one, one way or another."""
    return next((group for group in groups(seen) if ulid in group), {ulid})
