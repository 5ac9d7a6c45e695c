"""The product over real stores, as `server.app` puts it together, without HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, insert, select
from sqlmodel import SQLModel

from server import audit
from server.admission import caller_of
from server.auth.bearer import Bearer
from server.auth.grant import Grant
from server.blobs import Blobs
from server.carrying import Carrier
from server.follower import Follower
from server.intake import Intake
from server.mover import Mover
from server.rows import tables
from server.rows.engine import open_rows, readers, table
from server.scribe import Scribe
from server.settle import Settler
from server.words import words
from sync import canonical, revtree
from sync.hooks import Refused, Stored
from sync.rev import Rev
from sync.store.interface import Edit
from sync.store.sqlite import SqliteStore
from tests.server.documents import NOW, Doc


@dataclass
class Product:
    """A server's inside, with a clock that stands still."""

    store: SqliteStore
    rows: Engine
    intake: Intake
    follower: Follower
    mover: Mover
    scribe: Scribe
    now: datetime

    async def send(self, grant: Grant, db: str, *edits: Edit, skew_ms: int = 0) -> list[str]:
        """What the engine does with a batch: admit, graft, observe. The name of each outcome."""
        caller = caller_of(grant, words("vi"), skew_ms)
        answers = await self.intake.admit(caller, db, edits)
        entering = [answer for answer in answers if isinstance(answer, Edit)]
        await self.store.graft(db, entering)
        await self.intake.observe(db, {edit.id for edit in entering})
        return [answer.name if isinstance(answer, Refused | Stored) else "received" for answer in answers]

    async def shown(self, db: str, doc_id: str) -> tuple[Rev, Doc]:
        """The winner and its body."""
        document = (await self.store.read(db, [doc_id], lambda _id, tree: revtree.leaves(tree)[:1]))[doc_id]
        winner = revtree.winner(document.tree)
        return winner, orjson.loads(document.bodies[winner].json)

    async def live(self, db: str, doc_id: str) -> list[Rev]:
        """The live leaves, the winner first."""
        return revtree.live((await self.store.trees(db, [doc_id]))[doc_id])

    def all(self, model: type[SQLModel], **where: Any) -> list[Mapping[str, Any]]:
        """The rows of a table."""
        source = table(model)
        asked = select(source).where(*(source.c[name] == value for name, value in where.items()))
        with readers(self.rows).begin() as connection:
            return [dict(row) for row in connection.execute(asked).mappings()]


@asynccontextmanager
async def product(data: Path, dbs: Sequence[str] = (), url: str | None = None) -> AsyncIterator[Product]:
    """A product over `data`, with these databases; closed at the end, so that it can be opened again."""
    store = await SqliteStore.open(data / "documents.sqlite")
    rows = open_rows(data, url)
    made: Product | None = None

    def clock() -> datetime:
        assert made
        return made.now

    settler = Settler(store, rows, clock)
    blobs = Blobs(data / "media")
    mover = Mover(store, rows, clock, blobs)
    follower = Follower(store, rows, settler, Carrier(store, rows, clock), blobs, mover=mover, poll=0.05)
    intake = Intake(store, rows, clock, Bearer(rows, clock), follower)
    scribe = Scribe(store, intake, follower, clock)
    made = Product(store, rows, intake, follower, mover, scribe, datetime.fromtimestamp(NOW / 1000, UTC))
    try:
        for db in dbs:
            if db not in await store.names():
                await store.create(db)
        yield made
    finally:
        await store.close()
        rows.dispose()


def edit(doc: Doc, *path: str, deleted: bool = False) -> Edit:
    """An edit as a phone sends it: the revision and its ancestors, newest first."""
    body = {name: value for name, value in doc.items() if name != "_id"}
    return Edit(doc["_id"], tuple(Rev.parse(rev) for rev in path), canonical.encode(body), deleted)


def later(doc: Doc, by: str, ms: int, **fields: Any) -> Doc:
    """The document after somebody's change of some fields, stamped as phones stamp."""
    untouched = {name: doc["stamps"].get(name, doc["stamps"]["*"]) for name in doc if name not in _ENVELOPE}
    new = f"{ms:013d}-0000-phone{by}"
    stamps = {name: stamp for name, stamp in untouched.items() if name not in fields and stamp != new}
    return {**doc, **fields, "by": by, "stamps": {"*": new, **stamps}}


def restored(rows: Engine, at: datetime | None = None) -> None:
    """As if a backup had been put back; where nobody says when, longer ago than phones take to come back."""
    with rows.begin() as connection:
        connection.execute(insert(table(tables.Meta)).values(key="epoch", value="3fa9c1"))
        if at is not None:
            audit.append(connection, "console", "backup.restored", "x", at)


def revoked(grant: Grant) -> Grant:
    return replace(grant, live=False)


_ENVELOPE = {"_id", "type", "v", "by", "stamps", "asks"}
