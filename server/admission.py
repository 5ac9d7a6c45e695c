"""What becomes of each edit of a batch: pure, from the caller, the clock and what is held already."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

import orjson

import schemas
from server import archive, bounds, moving, quarantine
from server.aside import as_taken, is_robbed
from server.auth.grant import COMMUNE, Grant
from server.rules import (
    OTHERS_WORK,
    Asked,
    as_held,
    checklist_id,
    parts_merged,
    photos_as_held,
    refusal,
    well_named,
)
from server.settle import POLICY, read_body
from server.superseding import adds
from server.words import Words
from sync import alike, canonical, merge, resolve, revtree
from sync.exchange import MAX_DOCUMENT, Status
from sync.hooks import Answer, Caller, Refused
from sync.merge import Body
from sync.resolve import Derived
from sync.rev import Rev
from sync.revtree import Tree
from sync.stamps import SKEW
from sync.store.interface import Document, Edit

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class Asking:
    """What is remembered of a caller: the grant, the language, how wrong a sealed record's clock was, and
    whether nothing here can tell that the record is from whom it says; then `carrier` is who handed it in."""

    grant: Grant
    words: Words
    skew_ms: int = 0
    stranger: bool = False
    carrier: str | None = None

    @property
    def sender(self) -> str:
        """Who is known to have sent this: the phone or person, or whoever handed in what a stranger wrote."""
        return (self.stranger and self.carrier) or self.grant.device or self.grant.user


def caller_of(
    grant: Grant, words: Words, skew_ms: int = 0, *, stranger: bool = False, carrier: str | None = None
) -> Caller:
    """Somebody whom the credential, the session or a sealed record has made known."""
    return Caller(grant.device or grant.user, Asking(grant, words, skew_ms, stranger, carrier))


def asking_of(caller: Caller) -> Asking:
    """What `caller_of` has put in."""
    assert isinstance(caller.grant, Asking)
    return caller.grant


def office_device(user: str) -> str:
    """The device in the stamps of what a member of staff writes at a browser."""
    return f"office{user}"[:16]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here about the documents of one batch, read at once."""

    documents: Mapping[str, Document]
    archived: Mapping[tuple[str, Rev], bytes]
    decided: Mapping[tuple[str, Rev], quarantine.Decided]
    erased: Collection[str]
    devices: Collection[str]
    recovering: bool = False
    """Whether this phone was asked to give back what the server has lost."""
    checklists: Mapping[str, Body] = field(default_factory=dict)
    """Those that the batch's inspections name and `commune` holds, by id."""
    restored: bool = False
    """Whether this server was once restored from a backup."""
    authors: Mapping[str, str] = field(default_factory=dict)
    """Who recorded the acts that the batch names, by the act's id: those that are held of any pledge."""
    entering: Mapping[str, Sequence[Body]] = field(default_factory=dict)
    """What was accepted of bounded documents, by id, since they were read: other requests are at work."""
    photographers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Who took the photographs of those inspections that have very many, by the inspection's id."""
    read: dict[tuple[str, Rev], Body | None] = field(default_factory=dict)
    """Bodies as they were found, None for invalid: a batch may bring hundreds of branches of a document."""

    def said(self, edit: Edit) -> bytes | None:
        """What the revision itself says here; None where it is not here with its body.

        A tree also names what only a descendant told of: a restored server, and one that gets a later bundle
        first, has not seen what that said. And the archive has what came while the tree was read."""
        return self._words(edit.id, edit.rev)

    def lost(self, edit: Edit) -> bool:
        """Whether an edit may be, or stand on, other people's work that this server has had and lost, or has
        only heard of.

        After a restore a phone's own records come before it is asked for what else it has, and by `/sealed`
        it is never asked. Others may have named it without its words: a peer, which brings those of leaves
        alone, or a phone whose own record stands on it.
        """
        tree = self.tree(edit.id)
        bare = takewhile(lambda rev: self._words(edit.id, rev) is None, edit.path)
        gone = any(rev not in tree and (edit.id, rev) not in self.archived for rev in edit.path[1:])
        return self.recovering or any(rev in tree for rev in bare) or (self.restored and gone)

    def told(self, edit: Edit) -> tuple[Body | None, list[Body]]:
        """What may have told the writer something: the nearest ancestor that is held, and every live leaf.

        Not the parent alone: a phone sends the last of several edits made without a signal, and what was in
        its form when the first of them opened stands in the ancestor before those.
        """
        found = (self._body(edit.id, rev) for rev in edit.path[1:])
        nearest = next((body for body in found if body is not None), None)
        return nearest, [body for body in (nearest, *self.live(edit.id)) if body is not None]

    def by_name(self, edit: Edit) -> Body | None:
        """What is here by the name of a revision, where this program can read it."""
        body = self._body(edit.id, edit.rev)
        return None if body is None or schemas.newer(body) else body

    def live(self, doc_id: str) -> list[Body]:
        """What the live leaves of a document say."""
        bodies = (self._body(doc_id, rev) for rev in revtree.live(self.tree(doc_id)))
        return [body for body in bodies if body is not None]

    def tree(self, doc_id: str) -> Tree:
        """The tree of a document, empty where there is none."""
        document = self.documents.get(doc_id)
        return document.tree if document else {}

    def _words(self, doc_id: str, rev: Rev) -> bytes | None:
        document = self.documents.get(doc_id)
        held = document.bodies.get(rev) if document else None
        return held.json if held else self.archived.get((doc_id, rev))

    def _body(self, doc_id: str, rev: Rev) -> Body | None:
        if (doc_id, rev) not in self.read:
            raw = self._words(doc_id, rev)
            self.read[doc_id, rev] = read_body(doc_id, raw) if raw is not None else None
        return self.read[doc_id, rev]


class Admitted(NamedTuple):
    """An edit that enters, with what to archive of it; its path may begin with a derived child."""

    edit: Edit
    entries: tuple[archive.Entry, ...]


Verdict = Admitted | quarantine.Held | Refused


class Judge:
    """Judges one batch. `now` is the server's clock in milliseconds, None where it is not sane; `late` why
    the caller may not write here any more and is heard all the same."""

    def __init__(
        self, asking: Asking, db: str, known: Known, now: int | None, late: quarantine.Why | None = None
    ) -> None:
        self._asking = asking
        self._late = late
        self._db = db
        self._known = known
        wrong = abs(asking.skew_ms) > SKEW
        self._hold = late
        if wrong or not asking.grant.live:
            self._hold = "clock" if asking.grant.live else "revoked"
        if asking.stranger:
            self._hold = "stranger"
        # what is held in any case is not sent back for its time: a revoked phone hears of no clock any more
        held = self._hold in {"clock", "revoked", "stranger"}
        self._skew = asking.skew_ms if now is not None or asking.skew_ms else None
        self._asked = Asked(
            asking.grant, db, known.devices, now, known.checklists, authors=known.authors, held=held
        )
        self._before: dict[str, Body] = {}
        """What the batch has said so far of documents that are bounded, since nothing of it is held yet."""

    def verdict(self, edit: Edit) -> Verdict:
        """What becomes of one edit."""
        ancestor, told = self._known.told(edit)
        found = self._settled(edit) or self._forbidden(edit) or self._broken(edit, told)
        found = found or self._beyond(edit, told)
        if found:
            return found
        if self._hold:
            return self._held(edit, self._hold)
        if schemas.newer(orjson.loads(edit.body)):
            return self._held(edit, "newer")  # nothing here can judge what it says, so nobody is shown it yet
        if parts_merged(orjson.loads(edit.body), told, self._asking.grant.role):
            return self._held(edit, "merged")
        if edit.rev in self._known.tree(edit.id) or self._known.said(edit) is not None:
            return self._named(edit, ancestor, told)
        return self._enter(edit, ancestor, told)

    def _settled(self, edit: Edit) -> Verdict | None:
        """What was said of this revision before, or of its document for good."""
        if edit.id in self._known.erased:
            return refused(edit.id, edit.rev, "erased", self._asking.words.say("rule.erased"))
        said = self._known.said(edit)
        if said is not None:
            # Sent again because the answer was lost; or somebody else gave something else back by its name.
            return Admitted(edit, ()) if alike.same(said, edit.body) else None
        before = self._known.decided.get((edit.id, edit.rev))
        if before is None or not alike.same(before.body, edit.body):
            return None  # by its name alone nothing is decided, whoever has brought that
        if before.state == "waiting" and before.why in {"recovered", "stranger"}:
            return None  # what another phone gave back, or nobody knew whose it was, its author may send
        return decision(edit.id, edit.rev, before, self._asking.words)

    def _forbidden(self, edit: Edit) -> Refused | None:
        words, reason = self._asking.words, None
        if len(edit.body) > MAX_DOCUMENT:
            said = words.say("rule.too_large", kib=MAX_DOCUMENT // 1024)
            return refused(edit.id, edit.rev, "too_large", said)
        if not holds(self._asking.grant, self._db) and self._late is None:
            reason = words.say("rule.wrong_hamlet")
        elif edit.deleted:
            reason = words.say("rule.no_deleting")
        elif edit.files:
            reason = words.say("rule.schema.additionalProperties", place="_attachments")
        return refused(edit.id, edit.rev, "forbidden", reason) if reason else None

    def _broken(self, edit: Edit, known: list[Body]) -> Verdict | None:
        doc: Body = {"_id": edit.id, **orjson.loads(edit.body)}
        found = refusal(doc, known, self._asked)
        if found and found.key in {"act_altered", "void_own_only"}:  # so it is in its form
            doc = self._as_held(edit, doc, known)
            found = refusal(doc, known, self._asked)
        renamed = self._known.said(edit) is not None
        if found and found.key == "stamp_altered":
            return None if renamed else self._held(edit, "altered")
        # Nobody takes the id of an act that was never lost: phones learn it from the server.
        key = found.key if found and self._known.restored else ""
        robbed = key == "void_own_only" and is_robbed(doc, known, self._known.authors)
        if key == "act_altered" or robbed:
            return self._held(edit, self._hold or "altered")  # it may be what was lost, and is never refused
        if found and found.key in OTHERS_WORK and (self._asking.stranger or self._known.lost(edit)):
            return self._held(edit, "stranger" if self._asking.stranger else "recovered")
        if found and found.name == "clock" and self._known.recovering:
            return self._held(edit, "clock")  # this server took it once: no phone moves that any more
        return found and refused(edit.id, edit.rev, found.name, found.say(self._asking.words))

    def _beyond(self, edit: Edit, known: list[Body]) -> Refused | None:
        """What would close the document to others, by how far it goes or by how much it adds."""
        doc, before = orjson.loads(edit.body), self._before.get(edit.id)
        found = bounds.too_far(edit.path, self._known.tree(edit.id))
        held = [*known, *self._known.entering.get(edit.id, ()), *([before] if before else ())]
        if not found and (joined := bounds.held_with(doc, held)):
            staff, taken = self._asking.grant.role.staff, self._known.photographers.get(edit.id)
            found = bounds.overfull(doc, joined, held, self._known.devices, staff=staff, taken=taken)
            if not found:
                self._before[edit.id] = joined
        return found and refused(edit.id, edit.rev, found.name, found.say(self._asking.words))

    def _as_held(self, edit: Edit, doc: Body, known: list[Body]) -> Body:
        """A phone's clock was set right between two copies of a record, and one of them came by hand: where
        one descends from the other, the times that came first stand. Acts by whose ids there is something
        else, and which staff have let in by others, are those; and photographs stay where they were shown."""
        tree, doc = self._known.tree(edit.id), as_taken(photos_as_held(doc, known), known)
        return as_held(doc, known) if any(rev in tree for rev in edit.path) else doc

    def _bytes_as_held(self, edit: Edit, raw: bytes, known: list[Body]) -> bytes:
        body = orjson.loads(raw)
        return raw if (held := self._as_held(edit, body, known)) == body else canonical.encode(held)

    def _held(self, edit: Edit, why: quarantine.Why) -> quarantine.Held:
        grant = self._asking.grant
        kept, waits = edit, self._known.decided.get((edit.id, edit.rev))
        if self._known.said(edit) is not None or (waits and not alike.same(waits.body, edit.body)):
            # What is here by its name says something else: both are kept.
            kept = edit._replace(path=(quarantine.apart_as(edit.rev, edit.body), *edit.path[1:]))
        sender = self._asking.sender
        return quarantine.Held(self._db, kept, why, grant.user, grant.device, self._skew, edit.rev, sender)

    def _named(self, edit: Edit, ancestor: Body | None, told: list[Body]) -> Admitted:
        """A revision of which the name is here: for its history alone, unless what was written upon it does
        not know what it says. Where something else is here by that name its author stands beside that, or,
        if it was let in as that author's by others' word, upon it: then that is what it is to leave as it
        is, but for what was put in its author's mouth."""
        body = orjson.loads(edit.body)
        if self._known.said(edit) is not None:
            said = self._known.by_name(edit)
            if said and said["by"] == body["by"]:
                child = moving.upon(edit.id, edit.path, edit.body)
                return self._enter(child, merge.retold(said, body, schemas.rules(body["type"])), told)
            beside = edit._replace(path=(quarantine.apart_as(edit.rev, edit.body), *edit.path[1:]))
            return self._enter(beside, ancestor, told)
        sent = archive.Entry.of(self._db, edit, "sent")
        live = [one for one in self._known.live(edit.id) if not schemas.newer(one)]
        if live and not adds(body, live, ancestor):
            return Admitted(edit, (sent,))
        child = moving.upon(edit.id, edit.path, self._bytes_as_held(edit, edit.body, told))
        return Admitted(child, (sent, archive.Entry.of(self._db, child, "derived")))

    def _enter(self, edit: Edit, ancestor: Body | None, told: list[Body]) -> Admitted:
        sent = archive.Entry.of(self._db, edit, "sent")
        derived = resolve.inline(Derived(edit.path, edit.body, False), ancestor, POLICY) if ancestor else None
        child = Edit(edit.id, derived.path, derived.body) if derived else edit
        if (raw := self._bytes_as_held(edit, child.body, told)) != child.body:
            child = moving.upon(edit.id, edit.path, raw)
        if child is edit:
            return Admitted(edit, (sent,))
        return Admitted(child, (sent, archive.Entry.of(self._db, child, "derived")))


def checklists_named(edits: Iterable[Edit]) -> set[str]:
    """The ids of the checklists by which the inspections of a batch were made, well-formed ones."""
    bodies = (orjson.loads(edit.body) for edit in edits if edit.id.startswith("inspection:"))
    answers = [body.get("answers") for body in bodies if isinstance(body, dict)]
    named = {
        checklist_id(one)
        for one in answers
        if isinstance(one, dict) and {"checklist", "version"} <= one.keys()
    }
    return {name for name in named if well_named(name)}


def acts_named(edits: Iterable[Edit]) -> set[str]:
    """The ids of the acts in a batch, well-formed ones."""
    bodies = (orjson.loads(edit.body) for edit in edits if edit.id.startswith("pledge:"))
    lists = (body.get("acts") for body in bodies if isinstance(body, dict))
    acts = (act for one in lists if isinstance(one, list) for act in one if isinstance(act, dict))
    return {name for act in acts if isinstance(name := act.get("id"), str) and _ULID.fullmatch(name)}


def holds(grant: Grant, db: str) -> bool:
    """Whether a database is among the caller's; staff work in every hamlet, and in one that they add."""
    kind, _, hamlet = db.partition("-")
    if grant.role.staff:
        return db == COMMUNE or (kind in {"hamlet", "media"} and bool(hamlet))
    return db == COMMUNE or (kind in {"hamlet", "media"} and hamlet in grant.hamlets)


def refused(doc_id: str, rev: Rev, name: str, reason: str) -> Refused:
    """The outcome of a revision that did not enter."""
    return Refused(doc_id, str(rev), name, reason)


def decision(doc_id: str, rev: Rev, decided: quarantine.Decided, words: Words) -> Refused:
    """The outcome of a revision that a person has decided about, or has still to."""
    match decided.state:
        case "waiting":
            return refused(doc_id, rev, "quarantined", words.say(f"rule.quarantined.{decided.why}"))
        case "released":
            return refused(doc_id, rev, "absorbed", "")  # it entered as another revision, corrected
        case "discarded":
            return refused(doc_id, rev, "forbidden", words.say("rule.quarantined.discarded"))


def answer(verdict: Verdict, words: Words) -> Answer:
    """What the engine is told of a verdict."""
    match verdict:
        case Admitted(edit):
            return edit
        case quarantine.Held(edit=edit, why=why, sent_as=sent_as):
            return refused(edit.id, sent_as or edit.rev, "quarantined", words.say(f"rule.quarantined.{why}"))
        case Refused():
            return verdict


def no_room(held: quarantine.Held, waiting: int, words: Words) -> Refused:
    """What is said of a record that its sender is to keep while so many others wait here."""
    said = words.say("rule.quarantined.no_room", count=words.number(waiting))
    return refused(held.edit.id, held.sent_as or held.edit.rev, Status.LATER.value, said)
