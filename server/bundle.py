"""Bundles: what travels by hand to the drop box (`server.sealed`), and the receipts back. Pure.

A bundle is a text: `camket-bundle 1 <key id>`, then one record a line in base64url. A record is sealed
(`server.sealing`); version 1 holds one document: gzip of `{"send": credential, "clock": ms when saved,
"db": name, "doc": document with _id, _rev, _revisions}`.

Version 2 holds several documents under one seal, which makes them small enough for a few QR codes: gzip of
`{"send": …, "docs": [{"clock": …, "db": …, "doc": …}, …]}`, and the head of the record says how many. Each of
them has its own receipt, whose `sha256` is `name_of` the document and whose `of` is the record it lay in. So
whoever sealed it need not remember what went into which seal: a document that was sealed twice has one name,
and an outcome still names exactly one revision.

A receipt travels back the same way, so it proves itself: it is keyed by the send-only credential that lay
in the record, which the phone and this server know and a courier does not. (A signature would have needed
one more key that every phone must learn, and four times the bytes of a QR code; it lost.)
"""

import hmac
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from server import sealing
from server.body import BUNDLE
from server.keys import KeyPair
from server.problems import BadRequest, TooLarge
from sync import exchange
from sync.errors import PeerError
from sync.exchange import Outcome
from sync.store.interface import Edit

LINES = 10_000
"""Of one bundle: opening a line takes a fifth of a millisecond."""

DOCUMENTS = 100
"""Of one record: a phone puts twenty under one seal."""

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
    """A document that lay in a sealed record: the sender's clock (ms) when it was saved, and its database."""

    clock: int
    db: str
    document: Edit | Outcome


@dataclass(slots=True)
class Receipt:
    """What became of one document; `send` is the sender's credential.

    `sha256` is of the record's bytes; of a document among several, its name, and then `of` is the record's.
    `known`: the server had this document before.
    """

    line: int
    sha256: str
    of: str | None = None
    outcome: str = "forbidden"
    reason: str | None = None
    send: str | None = None
    known: bool = False

    def tell(self) -> dict[str, Any]:
        """As it travels; with its proof, unless nobody knows who sent the record."""
        said = {"line": self.line, "sha256": self.sha256, "is": self.outcome}
        said |= {"of": self.of} if self.of else {}
        said |= {"reason": self.reason} if self.reason else {}
        if self.send is None:
            return said
        return said | {"proof": proof(self.send, self.sha256, self.outcome, self.reason or "")}


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


def open_record(record: bytes, pair: KeyPair) -> tuple[str, list[Opened | Spoiled]]:
    """The sender's credential and what lay in a record. Raises `Spoiled` where nothing of it can be read."""
    several = record[:1] == bytes([sealing.SEVERAL.version])
    purpose = sealing.SEVERAL if several else sealing.RECORD
    try:
        packed = sealing.unseal(record, pair.private, pair.id, purpose)
        inside = orjson.loads(_unpacked(packed))
    except sealing.NotOpened as error:
        raise Spoiled("sealed.not_opened") from error
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise Spoiled("sealed.malformed") from error
    match inside:
        case {"send": str(send)} if not several:
            return send, [_document(inside)]
        case {"send": str(send), "docs": [_, *_] as docs} if len(docs) == record[1]:
            if len(docs) > DOCUMENTS:
                raise Spoiled("sealed.too_large", "too_large")
            return send, [_one_of(doc) for doc in docs]
        case _:
            raise Spoiled("sealed.malformed")


def _document(told: object) -> Opened:
    match told:
        case {"clock": int(clock), "db": str(db), "doc": dict(doc)} if 0 <= clock < _NEVER:
            try:
                return Opened(clock, db, exchange.document(doc, "doc"))
            except PeerError as error:
                raise Spoiled("sealed.malformed") from error
        case _:
            raise Spoiled("sealed.malformed")


def _one_of(told: object) -> Opened | Spoiled:
    """One among several: it spoils no other."""
    try:
        return _document(told)
    except Spoiled as spoiled:
        return spoiled


def name_of(db: str, doc_id: str, rev: str) -> str:
    """What a receipt calls a document that lay among others (`pwa/src/data/several.ts`).

    It tells a courier nothing: revisions are 128 random bits.
    """
    return sha256(f"camket document 1\n{db}\n{doc_id}\n{rev}".encode()).hexdigest()


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


def decoded(line: str) -> bytes:
    """The record of a line. Raises `Spoiled`."""
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


def _one_line(reason: str) -> bool:
    return reason == reason.strip() and len(reason.splitlines()) < 2
