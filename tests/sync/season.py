"""Parts for the tests of the exchange: a small application over a real store, and a phone's side of it."""

import gzip
import json
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from sync import resolve, revtree
from sync.canonical import encode
from sync.errors import Unauthorized
from sync.hooks import UNSAID, Action, Caller, Refused, Terms
from sync.http.exchange import route
from sync.resolve import Policy
from sync.rev import Rev, derive
from sync.store.interface import Edit
from sync.store.sqlite import SqliteStore

NOW = 1_764_547_200_000
POLICY: Policy = {
    ("pledge", 1): {"acts": "set"},
    ("household", 1): {"name": "latest", "place": "latest"},
    ("model", 1): {"state": "ask", "name": "latest"},
}
HEADERS = {"Authorization": "Bearer phone1", "Content-Type": "application/json"}


@dataclass
class Commune:
    """The smallest application that settles: whoever has a credential holds `held`."""

    store: SqliteStore
    held: list[str] = field(default_factory=lambda: ["hamlet-a", "commune"])
    now: int = NOW
    trusted: bool = True
    decided: dict[tuple[str, str], str] = field(default_factory=dict)
    """Outcomes that the application gives, by (id, revision)."""
    archived: dict[tuple[str, Rev], bytes] = field(default_factory=dict)
    """Revisions that it has kept elsewhere, with their bodies."""

    async def identify(self, connection: HTTPConnection) -> Caller:
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not secret:
            raise Unauthorized
        return Caller(secret)

    async def authorise(self, caller: Caller, action: Action, db: str | None) -> None: ...

    def shows(self, caller: Caller, db: str, doc_id: str) -> bool:
        return not doc_id.startswith("signature:")

    async def admit(self, caller: Caller, db: str, edits: Sequence[Edit]) -> Sequence[Edit | Refused]:
        return [self._decision(edit.id, edit.rev) or edit for edit in edits]

    async def outcomes(
        self,
        caller: Caller,
        db: str,
        asked: Sequence[tuple[str, Rev]],
        says: Mapping[tuple[str, Rev], str] = UNSAID,
    ) -> Sequence[Refused | None]:
        return [self._decision(doc_id, rev) for doc_id, rev in asked]

    async def withheld(
        self, caller: Caller, db: str, says: Mapping[tuple[str, Rev], str]
    ) -> Mapping[tuple[str, Rev], Refused]:
        return {named: no for named in says if (no := self._decision(*named))}

    async def accepted(
        self, caller: Caller, db: str, named: Collection[tuple[str, Rev]]
    ) -> Mapping[tuple[str, Rev], bytes]:
        return {one: self.archived[one] for one in named if one in self.archived}

    async def hears(self, caller: Caller, dbs: Collection[str]) -> Collection[str]:
        return ()

    def _decision(self, doc_id: str, rev: Rev) -> Refused | None:
        name = self.decided.get((doc_id, str(rev)))
        return None if name is None else Refused(doc_id, str(rev), name, f"why {name}")

    async def observe(self, db: str, doc_ids: Collection[str]) -> None:
        for doc_id in doc_ids:
            await settle(self.store, db, doc_id)

    async def terms(self, caller: Caller) -> Terms:
        user = {"id": "lan01", "name": "Lan", "role": "volunteer"}
        return Terms(self.held, user, self.now, self.trusted)


async def settle(store: SqliteStore, db: str, doc_id: str) -> resolve.Plan:
    """Plan a document and carry it out."""
    found = await store.read(db, (doc_id,), lambda _, tree: revtree.live(tree))
    tree = found[doc_id].tree
    bodies = {rev: orjson.loads(body.json) for rev, body in found[doc_id].bodies.items()}
    plan = resolve.plan(tree, bodies, POLICY)
    if isinstance(plan, resolve.Write):
        await store.graft(db, [Edit(doc_id, *revision) for revision in plan.revisions])
    return plan


@asynccontextmanager
async def commune(copy: Path | None = None) -> AsyncIterator[tuple[Commune, httpx.AsyncClient]]:
    """An application over a new store, or over the copy of one, and a client that speaks to its exchange."""
    with tempfile.TemporaryDirectory() as place:
        store = await SqliteStore.open((copy or Path(place)) / "documents.sqlite")
        for name in () if copy else ("hamlet-a", "commune"):
            await store.create(name)
        application = Commune(store)
        app = Starlette(routes=[route(store, application)])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://camket", headers=HEADERS
        ) as client:
            yield application, client
        await store.close()


def child(parent: Sequence[str] | None, body: dict[str, Any]) -> list[str]:
    """The path of a revision that a phone mints, newest first; its digest only has to differ."""
    above = [Rev.parse(text) for text in parent or ()]
    rev = derive(above[0] if above else Rev(1, "0" * 32), False, encode(body))
    minted = Rev(above[0].generation + 1 if above else 1, rev.digest)
    return [str(one) for one in (minted, *above)]


def sent(doc_id: str, path: Sequence[str], body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document as a phone sends it."""
    revs = [Rev.parse(text) for text in path]
    history = {"start": revs[0].generation, "ids": [rev.digest for rev in revs]}
    return {"_id": doc_id, "_rev": path[0], "_revisions": history, **body, **more}


def household(name: str, ms: int = 1, device: str = "dev1", **fields: Any) -> dict[str, Any]:
    """A household's body."""
    stamps = {"*": f"{NOW + ms:013d}-0000-{device}"}
    return {"type": "household", "v": 1, "by": "lan01", "stamps": stamps, "name": name, **fields}


def asking(clock: int = NOW, **dbs: Any) -> dict[str, Any]:
    """A request; `hamlet_a` for hamlet-a."""
    return {"clock": clock, "dbs": {name.replace("_", "-"): asked for name, asked in dbs.items()}}


async def chunks(client: httpx.AsyncClient, request: Any) -> list[bytes]:
    """The pieces of the answer's body as the server hands them over (httpx would join them)."""
    app = client._transport.app  # type: ignore[attr-defined]  # it has no other way in
    body = orjson.dumps(request)
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/_exchange",
        "query_string": b"",
        "headers": [*headers, (b"accept-encoding", b"gzip")],
    }
    pieces: list[bytes] = []
    asked = iter([{"type": "http.request", "body": body}])

    async def receive() -> Any:
        message = next(asked, None)
        if message is None:
            await anyio.sleep_forever()
        return message

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return [piece for piece in pieces if piece]


async def exchange(client: httpx.AsyncClient, request: Any) -> list[dict[str, Any]]:
    """Send one request, gzipped; the parts of the answer."""
    answer = await client.post(
        "/_exchange",
        content=gzip.compress(json.dumps(request).encode()),
        headers={"Content-Encoding": "gzip"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [orjson.loads(line) for line in answer.text.splitlines()]


def rows(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows of an answer."""
    return [row for part in parts for row in part.get("rows", ())]


def outcomes(parts: Sequence[dict[str, Any]]) -> list[list[str]]:
    """All outcomes of an answer."""
    return [outcome for part in parts for outcome in part.get("outcomes", ())]


def position(parts: Sequence[dict[str, Any]]) -> str:
    """The last position of an answer."""
    return str([part["position"] for part in parts if "position" in part][-1])
