"""Moves documents to another hamlet, and moves on what comes late: carries out the plans of `server.moving`.

The order makes it safe to be cut anywhere. First history is copied, then the bytes of pictures, then the
store writes copies and tombstones, all in one transaction; what is left (quarantine, people, erased ids)
follows from what the store says, and the follower does it however late it comes to it. Every step may be
repeated.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import orjson
from anyio import to_thread
from sqlalchemy import ColumnElement, Connection, Engine, Table, literal, select

from server import archive, arriving, audit, ledger, leftovers, moving, standing
from server.auth.grant import COMMUNE
from server.blobs import Blobs, Name
from server.clock import Clock, instant
from server.rows import registers, tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from server.settle import ends
from server.whereabouts import Whereabouts, end_of, merges, overruled
from sync import revtree
from sync.rev import Rev, derive
from sync.store.interface import Body, DatabaseExists, DatabaseMissing, DocStore, Document, Edit, Page

_moved, _pledges, _acts = table(tables.MovedRow), table(tables.PledgeRow), table(tables.ActRow)
_inspections, _reviews = table(registers.InspectionRow), table(registers.ReviewRow)
_households, _units = table(tables.HouseholdRow), table(registers.UnitRow)

_log = logging.getLogger(__name__)

PAGE = 500


@dataclass(slots=True)
class Batch:
    """What one transaction of the store is to write."""

    copies: dict[str, list[Edit]] = field(default_factory=dict)
    tombstones: dict[str, list[Edit]] = field(default_factory=dict)
    ways: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The documents, by the databases that they leave and enter."""
    lived: list[str] = field(default_factory=list)
    made: set[tuple[str, Rev]] = field(default_factory=set)
    grew: set[str] = field(default_factory=set)
    """The databases in which that wrote anything."""

    def add(self, source: str, target: str, doc_id: str, planned: moving.Move, *, stays: bool) -> None:
        """One more document; one that `stays` is copied only."""
        if planned.copies or planned.tombstones:
            self.ways.setdefault((source, target), []).append(doc_id)
            self.copies.setdefault(target, []).extend(planned.copies)
        if planned.tombstones and not stays:
            self.lived.append(doc_id)
            self.tombstones.setdefault(source, []).extend(planned.tombstones)

    def edits(self) -> dict[str, list[Edit]]:
        """All of it by database, copies first, for `DocStore.graft_all`."""
        dbs = dict.fromkeys((*self.copies, *self.tombstones))
        return {db: [*self.copies.get(db, ()), *self.tombstones.get(db, ())] for db in dbs}

    def source(self, edit: Edit) -> archive.Source:
        """A revision that a move has made; or one that it copies and no archive knew, from a peer."""
        derived = len(edit.path) > 1 and edit.rev == derive(edit.path[1], edit.deleted, edit.body)
        return "moved" if derived or (edit.id, edit.rev) in self.made else "sent"

    def count(self) -> Counter[str]:
        """How many documents that lived in the old place move, by type."""
        return Counter(doc_id.partition(":")[0] for doc_id in self.lived)


class Mover:
    """Moves documents between the databases of one store."""

    def __init__(self, store: DocStore, rows: Engine, clock: Clock, blobs: Blobs | None = None) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock
        self._blobs = blobs
        self._where = Whereabouts(store, rows)
        self._one = asyncio.Lock()

    async def move(
        self,
        source: str,
        target: str,
        ids: Collection[str] | None = None,
        by: str | None = None,
        *,
        shared: Collection[str] = (),
    ) -> Counter[str]:
        """Move documents of one hamlet to another, with the pictures of their inspections; what was moved, by
        type. Without `ids` all that the hamlet has; `shared` ones are copied and stay as well.

        Repeatable: what has moved already counts for nothing. Raises `StoreFull`, `DatabaseMissing`.
        """
        return (await self._move(source, target, ids, by, shared)).count()

    async def _move(
        self,
        source: str,
        target: str,
        ids: Collection[str] | None,
        by: str | None = None,
        shared: Collection[str] = (),
    ) -> Batch:
        """The same; what was written. Where source and target are one, tombstones of an earlier stay end."""
        for kind in ("hamlet", "media"):
            with suppress(DatabaseExists):
                await self._store.create(f"{kind}-{target}")
        async with self._one:
            batch = Batch()
            media = f"media-{source}"
            pictures = await self._pictures(media, ids) if source != target else []
            if ids is None:
                ids = await self._feed(f"hamlet-{source}")
            if source == target:
                shared = ids
            await self._plan(batch, f"hamlet-{source}", f"hamlet-{target}", ids, shared)
            await self._plan(batch, media, f"media-{target}", pictures, ())
            await to_thread.run_sync(self._archive, batch, by)
            shown = [Name(source, doc_id.partition(":")[2]) for doc_id in pictures]
            if self._blobs:
                await to_thread.run_sync(self._blobs.copy, shown, target)
            grafted = await self._store.graft_all(batch.edits())
            batch.grew = {db for db, grew in grafted.items() if any(grew)}
            if batch.lived and not batch.grew:  # nothing is tried again before something else changes
                _log.error("stays in hamlet-%s, and is to go: %s", source, ", ".join(sorted(batch.lived)))
            if self._blobs:
                await to_thread.run_sync(self._blobs.remove, shown)
        return batch

    async def carry(self, db: str) -> set[str]:
        """Move on what lives in a hamlet's database and belongs elsewhere; the databases that this touched.

        All of it where the hamlet was merged away; else what was written after its household had gone, and
        what lives in another hamlet as well.
        """
        if db == COMMUNE:
            return {COMMUNE} if await self._stand() else set()
        if not db.startswith("hamlet-"):
            return set()
        hamlet = db.removeprefix("hamlet-")
        merged, strays = await to_thread.run_sync(self._late, db)
        if merged is None:
            ways = {(db, home): ids for home, ids in (await self._homes(db, strays)).items()}
            ways |= await self._one_home(db)
            touched: set[str] = set()
            for (source, home), ids in ways.items():
                done = await self._move(source.removeprefix("hamlet-"), home.removeprefix("hamlet-"), ids)
                touched |= {source, home} if done.grew else set()
            return touched
        living = [await self._lives(f"{kind}-{hamlet}") for kind in ("hamlet", "media")]
        moved = any(living) and (await self._move(hamlet, merged, None)).grew
        await to_thread.run_sync(self._carry_hamlet, hamlet, merged)
        return {db, f"hamlet-{merged}"} if moved else set()

    async def _stand(self) -> bool:
        """Let hamlets say that they stand whose merges were overruled; whether that wrote anything."""
        overruled = await to_thread.run_sync(self._overruled)
        ids = {f"hamlet:{one}" for hamlet, ring in overruled.items() for one in (hamlet, *ring)}
        held = await self._store.read(COMMUNE, ids, ends) if ids else {}
        stands = [
            standing.again(f"hamlet:{hamlet}", held, [f"hamlet:{one}" for one in ring])
            for hamlet, ring in overruled.items()
        ]
        edits = [one for one in stands if one]
        if edits:
            await to_thread.run_sync(self._keep_derived, edits)
        return bool(edits) and any(await self._store.graft(COMMUNE, edits))

    # ---- what to move -----------------------------------------------------------------------------------

    async def _plan(
        self, batch: Batch, source: str, target: str, ids: Collection[str], shared: Collection[str]
    ) -> None:
        if not ids:
            return
        wanted = sorted({*ids} - await to_thread.run_sync(self._erased, ids))
        old = await self._store.read(source, wanted, lambda _id, tree: tree)
        new = await self._store.read(target, wanted, lambda _id, tree: tree)
        leaves = {(doc_id, rev) for doc_id, one in old.items() for rev in revtree.live(one.tree)}
        kept = await to_thread.run_sync(self._archived, target, leaves) if source != target else {}
        for doc_id, document in old.items():
            if not revtree.live(document.tree) and moving.departures(document):
                continue  # it is elsewhere
            whole = await self._whole(source, doc_id, document)
            taken = arriving.taken(doc_id, whole, new.get(doc_id), kept) if source != target else {}
            if taken:
                taken = await to_thread.run_sync(self._named, target, doc_id, taken, new.get(doc_id))
            if planned := moving.plan(doc_id, whole, new.get(doc_id), target, taken):
                batch.add(source, target, doc_id, planned, stays=doc_id in shared)
                batch.made |= {(doc_id, one.rev) for one in planned.made(whole)}

    async def _whole(self, db: str, doc_id: str, document: Document) -> Document:
        """The document, with bodies from the archive where the store has lost some."""
        lost = {(doc_id, rev) for rev in revtree.live(document.tree) if rev not in document.bodies}
        if not lost:
            return document
        found = await to_thread.run_sync(self._archived, db, lost)
        bodies = {rev: Body(raw) for (_, rev), raw in found.items()}
        return Document(document.tree, {**document.bodies, **bodies})

    async def _pictures(self, media: str, ids: Collection[str] | None) -> list[str]:
        """The photographs of these inspections; without `ids` all that there are."""
        if ids is None:
            return await self._feed(media)
        wanted = {doc_id.partition(":")[2] for doc_id in ids if doc_id.startswith("inspection:")}
        return await self._feed(media, wanted) if wanted else []

    async def _feed(self, db: str, inspections: Collection[str] | None = None) -> list[str]:
        """The ids of a database; those of the photographs of these inspections, where they are given."""
        found: list[str] = []
        page = Page(limit=PAGE, bodies=inspections is not None)
        with suppress(DatabaseMissing):
            while (changes := await self._store.changes(db, page)).rows:
                found += [row.id for row in changes.rows if _shows(row.body, inspections)]
                page = replace(page, since=changes.last_seq)
        return found

    async def _lives(self, db: str) -> bool:
        with suppress(DatabaseMissing):
            return (await self._store.info(db)).doc_count > 0
        return False

    async def _homes(self, db: str, strays: Mapping[str, str]) -> dict[str, list[str]]:
        """Where strays belong; `strays`: documents, each with the one by which it goes."""
        found: dict[str, list[str]] = {}
        homes: dict[str, str | None] = {}
        for doc_id, anchor in strays.items():
            if anchor not in homes:
                homes[anchor] = await self._where.home(db, anchor)
            if (home := homes[anchor]) is not None or doc_id == anchor:  # or it is here again
                found.setdefault(home or db, []).append(doc_id)
        return found

    async def _one_home(self, db: str) -> dict[tuple[str, str], list[str]]:
        """What lives here and in another hamlet as well, without having left either: from where to where.

        A server that was restored to before a move gets back from phones what they had in the new place; two
        servers may have moved it apart; a move may have been cut, or be under way.
        """
        ways: dict[tuple[str, str], list[str]] = {}
        for doc_id, (places, first, leaving) in (await to_thread.run_sync(self._twice, db)).items():
            held = {place: one for place in places if (one := await self._read(place, doc_id))}
            under_way = {
                rev: target for place, rev, target in leaving if place in held and rev not in held[place].tree
            }
            home = moving.residence(held, under_way, first)
            for place, document in held.items():
                if place != home and moving.lives(document) and home and moving.same(document, held[home]):
                    ways.setdefault((place, home), []).append(doc_id)
        return ways

    async def _read(self, db: str, doc_id: str) -> Document | None:
        with suppress(DatabaseMissing):
            return (await self._store.read(db, [doc_id], ends)).get(doc_id)
        return None

    # ---- in threads -------------------------------------------------------------------------------------

    def _erased(self, ids: Collection[str]) -> set[str]:
        with readers(self._rows).begin() as connection:
            return ledger.erased(connection, ids)

    def _archived(self, db: str, lost: Collection[tuple[str, Rev]]) -> Mapping[tuple[str, Rev], bytes]:
        with readers(self._rows).begin() as connection:
            return archive.bodies(connection, db, lost)

    def _named(
        self, target: str, doc_id: str, taken: Mapping[Rev, Edit], new: Document | None
    ) -> dict[Rev, Edit]:
        with readers(self._rows).begin() as connection:
            return arriving.named(connection, target, doc_id, taken, new)

    def _archive(self, batch: Batch, by: str | None) -> None:
        now = instant(self._clock())
        with writing(self._rows) as connection:
            _keep(connection, batch, batch.tombstones, now, by)
            for (source, target), ids in batch.ways.items():
                archive.copy(connection, source, target, ids)  # its history there says when it came
            _keep(connection, batch, batch.copies, now, by)

    def _carry_hamlet(self, hamlet: str, into: str) -> None:
        with readers(self._rows).begin() as connection:
            if not leftovers.is_left(connection, hamlet, into):
                return
        with writing(self._rows) as connection:
            leftovers.carry_hamlet(connection, hamlet, into, audit.CONSOLE, self._clock())

    def _overruled(self) -> dict[str, list[str]]:
        with readers(self._rows).begin() as connection:
            return overruled(connection)

    def _keep_derived(self, edits: list[Edit]) -> None:
        with writing(self._rows) as connection:
            entries = [archive.Entry.of(COMMUNE, one, "derived") for one in edits]
            archive.keep(connection, entries, instant(self._clock()), None)

    def _late(self, db: str) -> tuple[str | None, dict[str, str]]:
        """Into which hamlet this one was merged, and what lives here though that by which it goes is gone."""
        with readers(self._rows).begin() as connection:
            merged = merges(connection)
            hamlet = db.removeprefix("hamlet-")
            if hamlet in merged:
                return end_of(merged, hamlet), {}
            gone = select(_moved.c.id).where(_moved.c.db == db)
            if connection.execute(gone.limit(1)).first() is None:
                return None, {}
            found = {doc_id: doc_id for doc_id in connection.execute(gone.where(_moved.c.stray)).scalars()}
            for source, anchor in _ANCHORED:
                joined = source.join(_moved, (_moved.c.db == source.c.db) & (_moved.c.id == anchor))
                asked = select(source.c.id, _moved.c.id.label("anchor")).select_from(joined)
                for row in connection.execute(asked.where(source.c.db == db, ~_moved.c.stray)):
                    found.setdefault(row.id, row.anchor)
            return None, {**_strokes(connection, db, found), **found}

    def _twice(self, db: str) -> dict[str, tuple[set[str], str | None, list[archive.Leaving]]]:
        """What may live here and in another hamlet: all places where it is or was, the one where it was
        first, and what was ever to leave one of them."""
        found: dict[str, set[str]] = {}
        with readers(self._rows).begin() as connection:
            for source in (_households, _units):
                other = source.alias()
                both = select(source.c.id, other.c.db).where(source.c.db == db, other.c.db != db)
                for doc_id, there in connection.execute(both.where(other.c.ulid == source.c.ulid)):
                    found.setdefault(doc_id, {db}).add(there)
            merged = {f"hamlet-{one}" for one in merges(connection)} if found else set[str]()
            homes: dict[str, tuple[set[str], str | None, list[archive.Leaving]]] = {}
            for doc_id, places in found.items():
                left = {*connection.execute(select(_moved.c.db).where(_moved.c.id == doc_id)).scalars()}
                stays = places - left - merged  # from there it goes where its tombstone or its hamlet says
                if db in stays and len(stays) > 1:
                    first = archive.first_place(connection, doc_id, stays)
                    homes[doc_id] = stays | left, first, archive.leaving(connection, doc_id, stays)
        return homes


_ANCHORED: tuple[tuple[Table, ColumnElement[str]], ...] = (
    (_pledges, literal("household:") + _pledges.c.subject),
    (_pledges, literal("unit:") + _pledges.c.subject),
    (_inspections, _inspections.c.subject),
    (_reviews, _reviews.c.subject),
)
"""Rows of documents that go with another one, and the id of that."""


def _strokes(connection: Connection, db: str, going: Mapping[str, str]) -> dict[str, str]:
    """The strokes that these pledges name, and no other one here, each with that by which its pledge goes."""
    found: dict[str, str] = {}
    stay: set[str] = set()
    for some in chunks(sorted(one for one in going if one.startswith("pledge:"))):
        named = select(_acts.c.signature).where(_acts.c.db == db, _acts.c.doc_id.in_(some))
        asked = select(_acts.c.doc_id, _acts.c.signature).where(
            _acts.c.db == db, _acts.c.signature.in_(named)
        )
        for row in connection.execute(asked):
            if row.doc_id in going:
                found[f"signature:{row.signature}"] = going[row.doc_id]
            else:
                stay.add(f"signature:{row.signature}")
    return {one: anchor for one, anchor in found.items() if one not in stay}


def _keep(
    connection: Connection, batch: Batch, edits: Mapping[str, list[Edit]], now: str, by: str | None
) -> None:
    for db, some in edits.items():
        archive.keep(connection, [archive.Entry.of(db, one, batch.source(one)) for one in some], now, by)


def _shows(body: Body | None, inspections: Collection[str] | None) -> bool:
    if inspections is None:
        return True
    return body is not None and orjson.loads(body.json).get("inspection") in inspections
