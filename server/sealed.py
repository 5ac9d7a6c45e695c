"""`POST /sealed`: the drop box for records that only this server can open.

Each record of a bundle (`server.bundle`) names its own sender by a send-only credential inside, so whoever
carries it needs no trust: the credential of the request only says that some phone of this commune is calling.
Opened, what lay in it goes the way of every document (`server.intake`) as its sender, several under one seal
each by itself; of a revoked phone, or with a wrong clock, it is held for a person. So is one of a phone that
this server does not know: it may have been restored to before that phone joined, and what was written on it
is nowhere else. Everything may be repeated, in any order: each document gets its receipt, and a bad one stops
no other.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import orjson
from anyio import to_thread
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server import archive, keys, restores, sealing
from server.admission import caller_of
from server.auth import devices, users
from server.auth.errors import PersonUnknown
from server.auth.grant import Grant, Role
from server.body import BUNDLE, read
from server.bundle import LINES, Opened, Receipt, Spoiled, decoded, name_of, open_record, read_bundle
from server.clock import milliseconds
from server.keys import KeyPair, KeyUnknown
from server.parts import Parts, parts_of
from server.problems import BadRequest, note
from server.rows.engine import readers
from server.whereabouts import Standing
from server.words import Words, words_of
from sync import exchange
from sync.exchange import Outcome, Status
from sync.hooks import Refused, Stored
from sync.revtree import Tree
from sync.stamps import SKEW
from sync.store.interface import Edit, StoreFull


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose credential lay in a record, and when (ms) that phone joined. `stranger`: nobody's here, or of a
    phone of which no admin has confirmed yet that it is the one that it says."""

    grant: Grant
    joined: int
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A document that is ready to enter. `skew`: how wrong its clock was, 0 where it may have been right.
    `stranger`: nothing here can tell that it is from whom it says."""

    receipt: Receipt
    grant: Grant
    skew: int
    db: str
    edit: Edit
    stranger: bool = False


async def post_sealed(request: Request) -> Response:
    """Take a bundle from any phone that was ever known here, revoked ones included: those are told so, since
    of another the full credential may be unknown here (a backup from before it joined again was put back)."""
    parts = parts_of(request)
    carrier = await parts.bearer.hear(request)
    key_id, lines = read_bundle(await read(request, BUNDLE))
    inbox = Inbox(parts, words_of(request), carrier.device or carrier.user)
    receipts = await inbox.take(key_id, lines)
    later = {"later": inbox.later} if inbox.later else {}
    revoked = {} if carrier.live else {"revoked": True, **await to_thread.run_sync(_restored, parts)}
    return JSONResponse({"receipts": [receipt.tell() for receipt in receipts], **later, **revoked})


def _restored(parts: Parts) -> dict[str, str]:
    """Which life this server is in, where it may have lost what phones had brought: a revoked one is asked
    for nothing any more, and gives that back before it forgets it."""
    with readers(parts.rows).begin() as rows:
        return {"restored": restores.epoch(rows)} if restores.awaits(rows) else {}


ROUTES = [Route("/sealed", post_sealed, methods=["POST"])]


# ---- deciding ---------------------------------------------------------------------------------------------


def skew_of(clock: int, joined: int, now: int) -> int:
    """How wrong a sender's clock plainly was, as milliseconds from it to the server's; else 0.

    A record may have been on its way for months, so its clock is only judged where it cannot have been
    right: before the phone had joined, or ahead of the server's.
    """
    if clock > now + SKEW:
        return now - clock
    return joined - clock if clock < joined - SKEW else 0


def batches(records: Iterable[Record]) -> list[list[Record]]:
    """Records that may enter together: of one sender, for one database, no document twice.

    Two records of one document are in the order of their lines, in two batches: the later one is judged by
    what the earlier one said.
    """
    found: list[list[Record]] = []
    newest: dict[tuple[Grant, str, int, bool], list[Record]] = {}
    for record in records:
        key = (record.grant, record.db, record.skew, record.stranger)
        batch = newest.get(key)
        if batch is None or any(record.edit.id == other.edit.id for other in batch):
            batch = newest[key] = []
            found.append(batch)
        batch.append(record)
    return found


# ---- entering ---------------------------------------------------------------------------------------------


class Inbox:
    """Takes one bundle in, from a carrier: the phone that is asking, or the member of staff."""

    def __init__(self, parts: Parts, words: Words, carrier: str) -> None:
        self._parts = parts
        self._words = words
        self._carrier = carrier
        self.later: str | None = None
        """Why some were not taken now, where there are such: they have no receipt, and come again."""
        self._receipts: list[Receipt] = []
        self._senders: dict[str, Sender | None] = {}

    async def take(self, key_id: str, lines: Sequence[str]) -> list[Receipt]:
        """Open every line and let what is in it enter; a receipt for each document, in order.

        Raises `BadRequest` for a key that this server never had, `StoreFull`.
        """
        now = self._parts.clock()
        sane = await self._parts.intake.clock_is_sane(milliseconds(now))
        records = await to_thread.run_sync(self._open, key_id, lines, now if sane else None)
        there = set(await self._parts.store.names())
        placed = [record for record in records if await self._has_place(record, there)]
        await to_thread.run_sync(self._note_known, placed, there)
        for batch in batches(placed):
            await self._enter_apart(batch)
        await to_thread.run_sync(self._note_senders, now)
        return self._receipts

    def _open(self, key_id: str, lines: Sequence[str], now: datetime | None) -> list[Record]:
        with readers(self._parts.rows).begin() as rows:
            try:
                pair = keys.opening(rows, self._parts.vault, "seal", key_id)
            except KeyUnknown as error:
                raise BadRequest("problem.foreign_bundle") from error
            opened = (self._open_line(rows, pair, n, line, now) for n, line in enumerate(lines, 1))
            return [record for records in opened for record in records]

    def _open_line(
        self, rows: Connection, pair: KeyPair, n: int, line: str, now: datetime | None
    ) -> list[Record]:
        """The documents of one line, each with its receipt; where there is none, the line's says so."""
        whole = Receipt(n, sha256(line.encode()).hexdigest())
        try:
            sealed = decoded(line)
            whole.sha256 = sha256(sealed).hexdigest()
            send, documents = open_record(sealed, pair)
            if len(self._receipts) + len(documents) > LINES:
                raise Spoiled("sealed.too_large", "too_large")
            sender = self._sender(rows, send)
            if sender is None and not is_strange(rows, send):
                raise Spoiled("sealed.sender_unknown")
        except Spoiled as spoiled:
            whole.outcome, whole.reason = spoiled.outcome, self._words.say(spoiled.key)
            self._receipts.append(whole)
            return []
        whole.send = send
        several = sealed[0] == sealing.SEVERAL.version
        found = (
            self._place(replace(whole), one, sender or _claimed(rows, send, one), now, several=several)
            for one in documents
        )
        return [record for record in found if record]

    def _place(
        self,
        receipt: Receipt,
        opened: Opened | Spoiled,
        sender: Sender,
        now: datetime | None,
        *,
        several: bool,
    ) -> Record | None:
        """A document with its receipt; where it is none, the receipt alone says so."""
        self._receipts.append(receipt)
        if isinstance(opened, Spoiled):
            receipt.outcome, receipt.reason = opened.outcome, self._words.say(opened.key)
            return None
        document = opened.document
        if several:
            receipt.of = receipt.sha256
            receipt.sha256 = name_of(opened.db, document.id, str(document.rev))
        if isinstance(document, Outcome):
            receipt.outcome, receipt.reason = document.status, document.reason
            return None
        skew = skew_of(opened.clock, sender.joined, milliseconds(now)) if now else 0
        return Record(receipt, sender.grant, skew, opened.db, document, sender.stranger)

    def _sender(self, rows: Connection, send: str) -> Sender | None:
        """Whose credential this is; None where it is nobody's here."""
        if send not in self._senders:
            grant = devices.grant_of(rows, send) if send.startswith("s.") else None
            self._senders[send] = _known(rows, grant) if grant else None
        return self._senders[send]

    async def _has_place(self, record: Record, there: set[str]) -> bool:
        """Whether its database is here. One that this server may have lost comes back, and the record comes
        again: it has no receipt. But what a revoked phone hands in waits for a person in any case, and that
        phone for nothing."""
        if record.db in there:
            return True
        standing = await self._parts.intake.where.standing(record.grant, record.db)
        if standing is Standing.NONE:
            record.receipt.reason = self._words.say("rule.wrong_hamlet")
        elif not record.grant.live:
            return True
        else:
            self._receipts.remove(record.receipt)
            self.later = self._words.say("rule.hamlet_lost")
        return False

    def _note_known(self, records: Sequence[Record], there: set[str]) -> None:
        """Mark what was accepted before this bundle, wherever it has moved since, or stands in it twice."""
        revs = {(record.edit.id, record.edit.rev) for record in records}
        with readers(self._parts.rows).begin() as rows:
            seen = archive.accepted(rows, there, revs)
        for record in records:
            record.receipt.known = (record.edit.id, record.edit.rev) in seen
            seen.add((record.edit.id, record.edit.rev))

    async def _enter_apart(self, batch: Sequence[Record]) -> None:
        """Let one batch in; where that fails and nobody knows why, each record by itself. One that it fails
        on has no receipt, so that it comes again, and costs the others nothing."""
        try:
            await self._enter(batch)
        except StoreFull:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it holds, the others go on
            if len(batch) > 1:
                for record in batch:
                    await self._enter_apart([record])
                return
            note(error)
            self._receipts.remove(batch[0].receipt)

    async def _enter(self, batch: Sequence[Record]) -> None:
        """Let one batch in, and write its receipts once everything is on disk."""
        parts, db = self._parts, batch[0].db
        first = batch[0]
        caller = caller_of(
            first.grant, self._words, first.skew, stranger=first.stranger, carrier=self._carrier
        )
        answers = await parts.intake.admit(caller, db, [record.edit for record in batch])
        entering = [answer for answer in answers if isinstance(answer, Edit)]
        trees: Mapping[str, Tree] = {}
        if entering:
            await parts.store.graft(db, entering)
            await parts.intake.observe(db, {edit.id for edit in entering})
            trees = await parts.store.trees(db, {edit.id for edit in entering})
        for record, answer in zip(batch, answers, strict=True):
            receipt, edit = record.receipt, record.edit
            if isinstance(answer, Refused) and answer.name == Status.LATER.value:
                self._receipts.remove(receipt)
                self.later = answer.reason
            elif isinstance(answer, Refused | Stored):
                receipt.outcome, receipt.reason = answer.name, answer.reason
                # released from quarantine as another revision, some time ago
                receipt.known |= isinstance(answer, Refused) and answer.name == Status.ABSORBED.value
            else:
                receipt.outcome = exchange.outcome_of(edit.id, edit.rev, trees[edit.id]).status

    def _note_senders(self, now: datetime) -> None:
        live = {found.grant.device for found in self._senders.values() if found and found.grant.live}
        with readers(self._parts.rows).begin() as rows:
            # one that goes on as who it was hands in what it had sealed before, be it opened since or not
            opened = {device: not devices.goes_on(rows, device) for device in live}
            fresh = [one for one, full in opened.items() if devices.unheard(rows, one, now, full=full)]
        if fresh:
            with self._parts.rows.begin() as rows:
                for device in fresh:
                    devices.heard(rows, device, now, full=opened[device])


def is_strange(rows: Connection, send: str) -> bool:
    """Whether this is the credential of a phone of which nothing is known here, neither good nor bad: this
    server was restored to before that joined. Another phone may have said since that it was that one."""
    named = devices.SEND_ONLY.fullmatch(send)
    if named is None or not restores.awaits(rows):
        return False
    return not devices.is_known(rows, named[1]) or devices.was_claimed(rows, named[1])


def _known(rows: Connection, grant: Grant) -> Sender:
    return Sender(grant, _joined(rows, grant), stranger=devices.claim_of(rows, grant.device) is not None)


def _claimed(rows: Connection, send: str, opened: Opened | Spoiled) -> Sender:
    """Who a document says that it is from, where its phone is not known here.

    Whoever can seal to this server can say so. What comes of it is only what a person at the office lets in.
    """
    document = None if isinstance(opened, Spoiled) else opened.document
    body = orjson.loads(document.body) if isinstance(document, Edit) else {}
    user, role = str(body.get("by", "")), Role.VOLUNTEER
    with suppress(PersonUnknown):
        known = users.find(rows, user).role
        role = known if known.walks else role
    hamlet = "" if isinstance(opened, Spoiled) else opened.db.partition("-")[2]
    reach = frozenset({hamlet} if hamlet else ())
    return Sender(Grant(user, "", role, reach, send.split(".")[1]), 0, stranger=True)


def _joined(rows: Connection, grant: Grant) -> int:
    return milliseconds(datetime.fromisoformat(devices.find(rows, grant.device or "").created_at))
