"""`POST /sealed`: the drop box for records that only this server can open.

A bundle is a text: `camket-bundle 1 <key id>`, then one record a line in base64url. Each record names its own
sender by a send-only credential inside, so whoever carries it needs no trust: the credential of the request
only says that some phone of this commune is calling. Opened, a record goes the way of every document
(`server.intake`) as its sender; of a revoked phone, or with a wrong clock, it is held for a person.
Everything may be repeated, in any order: each line gets its receipt, and a bad one stops no other.

A receipt travels back the same way, so it proves itself: it is keyed by the send-only credential that lay
in the record, which the phone and this server know and a courier does not. (A signature would have needed
one more key that every phone must learn, and four times the bytes of a QR code; it lost.)
"""

import hmac
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server import archive, keys, sealing
from server.admission import caller_of
from server.auth import devices
from server.auth.grant import Grant
from server.body import BUNDLE, read
from server.clock import milliseconds
from server.keys import KeyPair, KeyUnknown
from server.parts import Parts, parts_of
from server.problems import BadRequest, TooLarge
from server.rows.engine import readers
from server.words import Words, words_of
from sync import exchange
from sync.errors import PeerError
from sync.exchange import Outcome, Status
from sync.hooks import Refused, Stored
from sync.stamps import SKEW
from sync.store.interface import Edit

LINES = 10_000
"""Of one bundle: opening a line takes a fifth of a millisecond."""

RECEIPTS = "camket-receipts 1"
"""First line of a file of receipts."""

PROOF = 16
"""Bytes of a receipt's proof: forging one takes 2^128 tries."""

_NEVER = 10**13
"""Milliseconds that no clock shows: stamps have thirteen digits."""
_FIRST = re.compile(r"camket-bundle 1 ([a-z0-9]{1,32})")
_UNPACKED = exchange.MAX_DOCUMENT + 4096


class Spoiled(Exception):
    """A line that gives no document. `outcome` is its receipt's word, `key` that of the sentence."""

    def __init__(self, key: str, outcome: str = "forbidden") -> None:
        super().__init__(key)
        self.key = key
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """What lay in a sealed record: the sender's credential and clock (ms), the database, the document."""

    send: str
    clock: int
    db: str
    document: Edit | Outcome


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is ready to enter. `skew`: how wrong its clock was, 0 where it may have been right."""

    line: int
    grant: Grant
    skew: int
    db: str
    edit: Edit


@dataclass(slots=True)
class Receipt:
    """What became of one line; `sha256` is of the record's bytes, `send` is the sender's credential.

    `known`: the server had this record before.
    """

    line: int
    sha256: str
    outcome: str = "forbidden"
    reason: str | None = None
    send: str | None = None
    known: bool = False

    def tell(self) -> dict[str, Any]:
        """As it travels; with its proof, unless nobody knows who sent the record."""
        said = {"line": self.line, "sha256": self.sha256, "is": self.outcome}
        said |= {"reason": self.reason} if self.reason else {}
        if self.send is None:
            return said
        return said | {"proof": proof(self.send, self.sha256, self.outcome, self.reason or "")}


async def post_sealed(request: Request) -> Response:
    """Take a bundle from any phone that was ever known here, revoked ones included."""
    parts = parts_of(request)
    await parts.bearer.hear(request)
    key_id, lines = read_bundle(await read(request, BUNDLE))
    receipts = await Inbox(parts, words_of(request)).take(key_id, lines)
    return JSONResponse({"receipts": [receipt.tell() for receipt in receipts]})


ROUTES = [Route("/sealed", post_sealed, methods=["POST"])]


# ---- the text ---------------------------------------------------------------------------------------------


def read_bundle(body: bytes) -> tuple[str, list[str]]:
    """The key id and the records of a bundle, as text. Raises `BadRequest`, `TooLarge`.

    An editor may have put a byte order mark before it; a byte that a bad stick changed costs its line only.
    """
    first, *lines = body.removeprefix(BOM_UTF8).decode("ascii", "replace").splitlines() or [""]
    named = _FIRST.fullmatch(first.strip())
    if named is None:
        raise BadRequest("problem.bad_bundle")
    if len(lines) > LINES:
        raise TooLarge(BUNDLE)
    while lines and not lines[-1].strip():
        lines.pop()
    return named[1], [line.strip() for line in lines]


def open_record(record: bytes, pair: KeyPair) -> Opened:
    """Open one record. Raises `Spoiled`."""
    try:
        packed = sealing.unseal(record, pair.private, pair.id, sealing.RECORD)
        inside = orjson.loads(_unpacked(packed))
    except sealing.NotOpened as error:
        raise Spoiled("sealed.not_opened") from error
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise Spoiled("sealed.malformed") from error
    match inside:
        case {"send": str(send), "clock": int(clock), "db": str(db), "doc": dict(doc)} if 0 <= clock < _NEVER:
            try:
                return Opened(send, clock, db, exchange.document(doc, "doc"))
            except PeerError as error:
                raise Spoiled("sealed.malformed") from error
        case _:
            raise Spoiled("sealed.malformed")


def proof(send: str, digest: str, outcome: str, reason: str) -> str:
    """What makes a receipt one that only this server can have written (`pwa/src/data/receipts.ts`)."""
    said = f"camket receipt 1\n{digest}\n{outcome}\n{reason}"
    return sealing.b64url(hmac.digest(send.encode(), said.encode(), "sha256")[:PROOF])


def receipts_text(told: Iterable[Mapping[str, Any]]) -> str:
    """Receipts (`Receipt.tell`) that prove themselves, as a file for the phones that sealed the records.

    The format is `pwa/src/data/receipts.ts`'; a line takes no reason with line ends, and none to be trimmed.
    """
    lines = {
        one["sha256"]: " ".join([one["sha256"], one["is"], one["proof"], reason]).rstrip()
        for one in told
        if "proof" in one and _one_line(reason := one.get("reason", ""))
    }
    return "\n".join([RECEIPTS, *lines.values(), ""])


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
    newest: dict[tuple[Grant, str, int], list[Record]] = {}
    for record in records:
        key = (record.grant, record.db, record.skew)
        batch = newest.get(key)
        if batch is None or any(record.edit.id == other.edit.id for other in batch):
            batch = newest[key] = []
            found.append(batch)
        batch.append(record)
    return found


# ---- entering ---------------------------------------------------------------------------------------------


class Inbox:
    """Takes one bundle in."""

    def __init__(self, parts: Parts, words: Words) -> None:
        self._parts = parts
        self._words = words
        self._receipts: list[Receipt] = []
        self._senders: dict[str, tuple[Grant, int] | None] = {}

    async def take(self, key_id: str, lines: Sequence[str]) -> list[Receipt]:
        """Open every line and let what is in it enter; a receipt for each, in order.

        Raises `BadRequest` for a key that this server never had, `StoreFull`.
        """
        now = self._parts.clock()
        sane = await self._parts.intake.clock_is_sane(milliseconds(now))
        records = await to_thread.run_sync(self._open, key_id, lines, now if sane else None)
        there = set(await self._parts.store.names())
        placed = [record for record in records if self._has_place(record, there)]
        await to_thread.run_sync(self._note_known, placed, there)
        for batch in batches(placed):
            await self._enter(batch)
        await to_thread.run_sync(self._note_senders, now)
        return self._receipts

    def _open(self, key_id: str, lines: Sequence[str], now: datetime | None) -> list[Record]:
        with readers(self._parts.rows).begin() as rows:
            try:
                pair = keys.opening(rows, self._parts.vault, "seal", key_id)
            except KeyUnknown as error:
                raise BadRequest("problem.foreign_bundle") from error
            opened = (self._open_line(rows, pair, line, now) for line in lines)
            return [record for record in opened if record]

    def _open_line(self, rows: Connection, pair: KeyPair, line: str, now: datetime | None) -> Record | None:
        """The record of one line; where there is none, the line's receipt says so."""
        receipt = Receipt(len(self._receipts) + 1, sha256(line.encode()).hexdigest())
        self._receipts.append(receipt)
        try:
            sealed = _decoded(line)
            receipt.sha256 = sha256(sealed).hexdigest()
            opened = open_record(sealed, pair)
            grant, joined = self._sender(rows, opened.send)
            receipt.send = opened.send
        except Spoiled as error:
            receipt.outcome, receipt.reason = error.outcome, self._words.say(error.key)
            return None
        if isinstance(opened.document, Outcome):
            receipt.outcome, receipt.reason = opened.document.status, opened.document.reason
            return None
        skew = skew_of(opened.clock, joined, milliseconds(now)) if now else 0
        return Record(receipt.line, grant, skew, opened.db, opened.document)

    def _sender(self, rows: Connection, send: str) -> tuple[Grant, int]:
        """Whose credential this is, and when that phone joined (ms). Raises `Spoiled`."""
        if send not in self._senders:
            grant = devices.grant_of(rows, send) if send.startswith("s.") else None
            self._senders[send] = (grant, _joined(rows, grant)) if grant else None
        found = self._senders[send]
        if found is None:
            raise Spoiled("sealed.sender_unknown")
        return found

    def _has_place(self, record: Record, there: set[str]) -> bool:
        if record.db in there:
            return True
        self._receipts[record.line - 1].reason = self._words.say("rule.wrong_hamlet")
        return False

    def _note_known(self, records: Sequence[Record], there: set[str]) -> None:
        """Mark what was accepted before this bundle, wherever it has moved since, or stands in it twice."""
        revs = {(record.edit.id, record.edit.rev) for record in records}
        with readers(self._parts.rows).begin() as rows:
            seen = archive.accepted(rows, there, revs)
        for record in records:
            self._receipts[record.line - 1].known = (record.edit.id, record.edit.rev) in seen
            seen.add((record.edit.id, record.edit.rev))

    async def _enter(self, batch: Sequence[Record]) -> None:
        """Let one batch in, and write its receipts once everything is on disk."""
        parts, db = self._parts, batch[0].db
        caller = caller_of(batch[0].grant, self._words, batch[0].skew)
        answers = await parts.intake.admit(caller, db, [record.edit for record in batch])
        entering = [answer for answer in answers if isinstance(answer, Edit)]
        await parts.store.graft(db, entering)
        await parts.intake.observe(db, {edit.id for edit in entering})
        trees = await parts.store.trees(db, {edit.id for edit in entering})
        for record, answer in zip(batch, answers, strict=True):
            receipt, edit = self._receipts[record.line - 1], record.edit
            if isinstance(answer, Refused | Stored):
                receipt.outcome, receipt.reason = answer.name, answer.reason
                # released from quarantine as another revision, some time ago
                receipt.known |= isinstance(answer, Refused) and answer.name == Status.ABSORBED.value
            else:
                receipt.outcome = exchange.outcome_of(edit.id, edit.rev, trees[edit.id]).status

    def _note_senders(self, now: datetime) -> None:
        live = [found[0].device for found in self._senders.values() if found and found[0].live]
        with readers(self._parts.rows).begin() as rows:
            fresh = [device for device in live if devices.unheard(rows, device, now)]
        if fresh:
            with self._parts.rows.begin() as rows:
                for device in fresh:
                    devices.heard(rows, device, now)


def _joined(rows: Connection, grant: Grant) -> int:
    return milliseconds(datetime.fromisoformat(devices.find(rows, grant.device or "").created_at))


def _one_line(reason: str) -> bool:
    return reason == reason.strip() and len(reason.splitlines()) < 2


def _decoded(line: str) -> bytes:
    try:
        return sealing.from_b64url(line)
    except sealing.NotOpened as error:
        raise Spoiled("sealed.not_opened") from error


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    plain = unpacker.decompress(packed, _UNPACKED)
    if unpacker.unconsumed_tail:
        raise Spoiled("sealed.too_large", "too_large")
    if not unpacker.eof:
        raise Spoiled("sealed.malformed")
    return plain
