"""`camket check`: whether what is kept fits together, in sentences for an operator; none where it does."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Connection, select

from server import audit, ledger
from server.auth.grant import COMMUNE
from server.blobs import PhotoUnknown
from server.media import described, handed_in
from server.parts import Parts
from server.projection import PROJECTED, project
from server.rows import registers, tables
from server.rows.engine import readers, table
from server.rules import well_named
from server.settle import ends
from sync import revtree
from sync.rev import Rev, is_derived
from sync.store.interface import Document, Page

_archive, _moved = table(tables.Archive), table(tables.MovedRow)
_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)
_units = table(registers.UnitRow)
PAGE = 500


async def problems(parts: Parts) -> list[str]:
    """Everything that is wrong. The rows are brought up to date first."""
    found = [f"documents: {text}" for text in await parts.store.check()]
    found += await to_thread.run_sync(_of_rows, parts)
    await parts.follower.catch_up()
    for db in await parts.store.names():
        if db == "commune" or db.startswith(("hamlet-", "media-")):
            found += await _of_database(parts, db)
        if db.startswith("media-"):
            found += await _of_pictures(parts, db)
    return found + await _of_moves(parts)


async def _of_moves(parts: Parts) -> list[str]:
    """What has left a hamlet is where its tombstone says, and nothing of a household lives in two hamlets."""
    twice, away = await to_thread.run_sync(_moves, parts)
    found = [f"{doc_id} lives in {' and in '.join(places)}" for doc_id, places in twice.items()]
    for target, ids in away.items():
        there = await parts.store.trees(target, ids) if target in await parts.store.names() else {}
        found += [
            f"{doc_id} was moved to {target} and is not there" for doc_id in sorted({*ids} - there.keys())
        ]
    return found


def _moves(parts: Parts) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Documents that live in more than one database, and those that have left one, by where they went."""
    twice: dict[str, list[str]] = {}
    away: dict[str, list[str]] = {}
    with readers(parts.rows).begin() as connection:
        for rows in (_households, _pledges, _units):
            here = select(rows.c.id, rows.c.db).order_by(rows.c.id, rows.c.db)
            for row in connection.execute(here):
                twice.setdefault(row.id, []).append(row.db)
        for row in connection.execute(select(_moved).where(_moved.c.db != COMMUNE)):
            away.setdefault(row.target, []).append(row.id)
    return {doc_id: places for doc_id, places in twice.items() if len(places) > 1}, away


async def _of_pictures(parts: Parts, db: str) -> list[str]:
    """Files are what their names say, have a thumbnail, and belong to a document; bytes that have not come
    yet are no fault."""
    found = []
    for name in parts.blobs.kept(db.removeprefix("media-")):
        data = await to_thread.run_sync(parts.blobs.whole, name)
        if data is not None and sha256(data).hexdigest() != name.sha256:
            found.append(f"{db}: the picture {name.sha256} is not what was received")
        if await to_thread.run_sync(parts.blobs.thumb, name) is None:
            found.append(f"{db}: the picture {name.sha256} has no thumbnail")
        try:
            await described(parts, name)
        except PhotoUnknown:
            with suppress(PhotoUnknown):
                await handed_in(parts, name)  # by a revoked phone: a person has still to decide about it
                continue
            found.append(f"{db}: the picture {name.sha256} belongs to no document")
    return found


def _of_rows(parts: Parts) -> list[str]:
    with readers(parts.rows).begin() as connection:
        found = _of_file(connection)
        try:
            audit.verify(connection)
        except audit.ChainBroken as error:
            found.append(f"audit: the chain is broken at row {error.number}")
        return found + list(_of_archive(connection))


def _of_file(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    said = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
    return [f"rows: {text}" for text in said if text != "ok"]


def _of_archive(connection: Connection) -> Iterator[str]:
    """Bodies can be read, and revisions that the server derived are digests of what they say."""
    columns = ("db", "id", "rev", "parent", "body", "deleted", "source")
    for row in connection.execute(select(*(_archive.c[name] for name in columns))):
        try:
            orjson.loads(row.body)
        except orjson.JSONDecodeError:
            yield f"archive: {row.db} {row.id} {row.rev} cannot be read"
            continue
        made = row.source in {"merged", "derived", "moved"} and row.parent is not None
        if made and not is_derived(Rev.parse(row.rev), Rev.parse(row.parent), row.deleted, row.body):
            yield f"archive: {row.db} {row.id} {row.rev} is not what was written"


async def _of_database(parts: Parts, db: str) -> list[str]:
    found: list[str] = []
    rows: dict[str, Counter[bytes]] = {projected.name: Counter() for projected in PROJECTED}
    async for documents in _pages(parts, db):
        found += await to_thread.run_sync(_of_documents, parts, db, documents)
        for doc_id, document in documents.items():
            for one in project(db, doc_id, document):
                rows[one.table.name][_bytes(one.row)] += 1
    return found + await to_thread.run_sync(_of_projection, parts, db, rows)


async def _pages(parts: Parts, db: str) -> AsyncIterator[Mapping[str, Document]]:
    page = Page(limit=PAGE)
    while (changes := await parts.store.changes(db, page)).rows:
        yield await parts.store.read(db, [row.id for row in changes.rows if well_named(row.id)], ends)
        page = Page(changes.last_seq, PAGE)


def _of_documents(parts: Parts, db: str, documents: Mapping[str, Document]) -> list[str]:
    found = []
    with readers(parts.rows).begin() as connection:
        gone = ledger.erased(connection, documents)
        live = {(doc_id, rev) for doc_id, one in documents.items() for rev in revtree.live(one.tree)}
        here = (_archive.c.db == db, _archive.c.id.in_({doc_id for doc_id, _ in live}))
        asked = select(_archive.c.id, _archive.c.rev, _archive.c.body).where(*here)
        archived = {(row.id, row.rev): row.body for row in connection.execute(asked)}
    for doc_id, rev in sorted(live):
        held = documents[doc_id].bodies.get(rev)
        if doc_id in gone:
            found.append(f"{db}: {doc_id} was erased and is there")
        elif held is None:
            found.append(f"{db}: {doc_id} {rev} has no body")
        elif archived.get((doc_id, str(rev))) != held.json:
            found.append(f"{db}: {doc_id} {rev} is not in the archive as it is in the store")
    return found


def _of_projection(parts: Parts, db: str, rows: Mapping[str, Counter[bytes]]) -> list[str]:
    found = []
    with readers(parts.rows).begin() as connection:
        for projected in PROJECTED:
            there = connection.execute(select(projected).where(projected.c.db == db)).mappings()
            held = Counter(_bytes(dict(row)) for row in there)
            if wrong := sum(((held - rows[projected.name]) + (rows[projected.name] - held)).values()):
                found.append(f"{db}: {wrong} rows of {projected.name} differ from a rebuild")
    return found


def _bytes(row: Mapping[str, Any]) -> bytes:
    """A row to compare by: a column that was left out is empty."""
    said = {str(name): value for name, value in row.items() if value is not None and value != ""}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=str)
