"""The whole server behind a real socket, and a phone written in Python that speaks to it."""

import gzip
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from server.admission import caller_of
from server.app import build
from server.auth import invitations, users
from server.auth.grant import Grant, Role
from server.auth.users import Person
from server.clock import Clock, milliseconds, system
from server.parts import Parts
from server.scribe import Change
from server.sealing import b64url, from_b64url
from server.settings import Settings
from server.words import words
from tests.prompt import listening
from tests.server.harness import restored

HAMLET = "nasam"
DB = f"hamlet-{HAMLET}"
HOUSEHOLD = "01J8ZQ4T6N3VXK2M5R7W9Y0ABC"


class Hands:
    """The machine's clock, moved by hand."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return system() + self.by


@dataclass
class Served:
    """A running server, and what a test may do behind its back."""

    http: httpx.AsyncClient
    parts: Parts
    volunteer: Person

    def invite(self, person: Person | None = None) -> str:
        with self.parts.rows.begin() as rows:
            who = (person or self.volunteer).id
            return invitations.invite(rows, who, by="console", now=self.parts.clock()).code

    def restored(self) -> None:
        """As if a backup had been put back just now."""
        restored(self.parts.rows, self.parts.clock())

    def person(self, name: str, role: Role = Role.VOLUNTEER, hamlets: Sequence[str] = (HAMLET,)) -> Person:
        with self.parts.rows.begin() as rows:
            now = self.parts.clock()
            return users.add(rows, name, role, by="console", now=now, hamlets=hamlets)

    async def phone(self, person: Person | None = None) -> "Phone":
        asked = {"code": self.invite(person), "device_name": "Samsung A10"}
        answer = await self.http.post("/join", json=asked)
        assert answer.status_code == 200, answer.text
        return Phone(self, answer.json())


@asynccontextmanager
async def served(data: Path, clock: Clock = system, **settings: Any) -> AsyncIterator[Served]:
    """A server over `data` on a free port, with one hamlet, one household and one volunteer."""
    app = await build(replace(Settings(data=data), **settings), clock)
    parts: Parts = app.state.parts
    volunteer = await _furnish(parts)
    config = uvicorn.Config(app, log_level="critical", access_log=False, proxy_headers=False, lifespan="on")
    async with listening(config) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Served(http, parts, volunteer)


async def _furnish(parts: Parts) -> Person:
    staff = caller_of(Grant("office01", "Office", Role.ADMIN, frozenset({HAMLET})), words("vi"))
    hamlet = {"name": "Nà Sầm", "kind": "thôn", "order": 1, "state": "active"}
    household = {"name": "Hoàng Thị Mỷ", "order": 10, "status": {"is": "resident", "since": "2026-01-01"}}
    await parts.scribe.write(
        staff,
        {
            "commune": [Change(f"hamlet:{HAMLET}", hamlet)],
            DB: [Change(f"household:{HOUSEHOLD}", household)],
        },
    )
    with parts.rows.begin() as rows:
        name, now = "Nông Thị Bích", parts.clock()
        return users.add(rows, name, Role.VOLUNTEER, by="console", now=now, hamlets=[HAMLET])


@dataclass
class Phone:
    """What a phone keeps, and what it can do with it. `skew`: how far its clock is ahead."""

    served: Served
    joined: dict[str, Any]
    skew: timedelta = field(default_factory=timedelta)

    @property
    def device(self) -> str:
        return str(self.joined["device"])

    @property
    def user(self) -> str:
        return str(self.joined["user"]["id"])

    def now(self) -> int:
        return milliseconds(self.served.parts.clock() + self.skew)

    def visit(self, ulid: str = HOUSEHOLD, **fields: Any) -> dict[str, Any]:
        """A pledge document with one visit, as this phone's user made it just now."""
        at = (self.served.parts.clock() + self.skew).strftime("%Y-%m-%dT%H:%M:%SZ")
        act = {"id": _ulid(), "at": at, "by": self.user, "kind": "visit", "result": "met"}
        digest = os.urandom(16).hex()
        return {
            "_id": f"pledge:antq-2026:{ulid}",
            "_rev": f"1-{digest}",
            "_revisions": {"start": 1, "ids": [digest]},
            "type": "pledge",
            "v": 1,
            "by": self.user,
            "stamps": {"*": f"{self.now():013d}-0000-{self.device}"},
            "acts": [act],
        } | fields

    async def exchange(self, *docs: dict[str, Any], db: str = DB) -> list[dict[str, Any]]:
        """One sync; the parts of the answer."""
        return await self.ask({"docs": docs} if docs else {}, db=db)

    async def ask(self, part: dict[str, Any], db: str = DB) -> list[dict[str, Any]]:
        """One sync in which `part` is said of a database; the parts of the answer."""
        answer = await self._ask(part, db)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    async def ask_exchange(self, *docs: dict[str, Any], db: str = DB) -> httpx.Response:
        return await self._ask({"docs": docs} if docs else {}, db)

    async def _ask(self, part: dict[str, Any], db: str) -> httpx.Response:
        asked = {"clock": self.now(), "dbs": {"commune": {}, db: part}}
        body = gzip.compress(json.dumps(asked).encode())
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return await self.served.http.post(
            "/db/_exchange", content=body, headers=headers | self.bearer("credential")
        )

    def bearer(self, kind: str = "send") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.joined[kind]}"}

    def seal(self, doc: dict[str, Any], db: str = DB, **inside: Any) -> bytes:
        """A sealed record, made of primitives here and not by the server's own code."""
        told = {"send": self.joined["send"], "clock": self.now(), "db": db, "doc": doc} | inside
        return self.seal_bytes(gzip.compress(json.dumps(told).encode()))

    def entry(self, doc: dict[str, Any], db: str = DB, **inside: Any) -> dict[str, Any]:
        """A document as it lies among others under one seal."""
        return {"clock": self.now(), "db": db, "doc": doc} | inside

    def seal_several(self, *entries: Any, says: int | None = None, **inside: Any) -> bytes:
        """Several documents under one seal; `says`: how many the head says that there are."""
        told = {"send": self.joined["send"], "docs": entries} | inside
        head = bytes([2, len(entries) % 256 if says is None else says])
        return self.seal_bytes(gzip.compress(json.dumps(told).encode()), info=b"camket sealed 2", head=head)

    def seal_bytes(
        self,
        plain: bytes,
        key_name: str = "seal_key",
        info: bytes = b"camket sealed 1",
        head: bytes = b"\x01",
    ) -> bytes:
        told = self.joined[key_name]
        receiver = load_der_public_key(from_b64url(told["spki"]))
        assert isinstance(receiver, EllipticCurvePublicKey)
        ephemeral = generate_private_key(SECP256R1())
        sender, to = (_raw(key) for key in (ephemeral.public_key(), receiver))
        key = HKDF(SHA256(), 32, sender + to, info).derive(ephemeral.exchange(ECDH(), receiver))
        iv = os.urandom(12)
        return head + sender + iv + AESGCM(key).encrypt(iv, plain, head + told["id"].encode())

    async def hand_in(self, *records: bytes) -> list[dict[str, Any]]:
        """Carry records to the drop box, own or another phone's; the receipts."""
        answer = await self.ask_sealed(self.bundle(*records))
        assert answer.status_code == 200, answer.text
        receipts: list[dict[str, Any]] = answer.json()["receipts"]
        for record, receipt in zip(records, receipts, strict=True):
            assert receipt["sha256"] == sha256(record).hexdigest()
        return receipts

    def bundle(self, *records: bytes) -> bytes:
        first = f"camket-bundle 1 {self.joined['seal_key']['id']}"
        return "\n".join([first, *map(b64url, records), ""]).encode()

    async def ask_sealed(self, body: bytes, **headers: str) -> httpx.Response:
        return await self.served.http.post("/sealed", content=body, headers=headers | self.bearer())


def _raw(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _ulid() -> str:
    return "01" + "".join(f"{byte:02d}"[-2:] for byte in os.urandom(12))
