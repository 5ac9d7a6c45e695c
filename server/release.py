"""Letting quarantined records in, or sending them away: what a member of staff decides.

A record enters as it is, or with its clock set right: then under a revision derived from the one that was
held, so that deciding twice writes one. Where it belongs is asked when it enters, as for what a phone sends
(`server.whereabouts`): hamlets may have merged, and stand again, while it waited. What goes in is archived,
grafted and merged like everything else; only then is the entry closed, so that nothing is lost between the
two. The phone hears of it through the revisions that it still asks about. All in one file: what a record
would enter as, and its entering as just that.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple

import orjson
from anyio import to_thread
from sqlalchemy import Engine, select

import schemas
from server import archive, aside, audit, authors, bounds, correcting, ledger, naming, quarantine, superseding
from server.admission import acts_named
from server.auth.grant import Grant, Role
from server.blobs import Blobs, pictures_of
from server.clock import Clock, instant, milliseconds
from server.content import broken
from server.intake import Intake
from server.quarantine import Entry
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from server.rules import Asked, altered, parts_merged, refusal_of_type
from server.settle import POLICY, read_body
from server.whereabouts import RESIDENT
from sync import alike, canonical, resolve, revtree
from sync.merge import Body
from sync.resolve import Derived
from sync.rev import Rev, derive
from sync.stamps import SKEW, order, stamp_of
from sync.store.interface import DatabaseMissing, DocStore, Document, Edit

MINUTE = 60_000

Obstacle = Literal[
    "erased", "broken", "altered", "ahead", "unknown_version", "not_allowed", "no_place", "too_many"
]
"""Why a record cannot enter as it would be: erased since; breaks the rules of its content; says otherwise
what a held act says; carries a time that has not come; was written by a later program than this; was, and its
author may not write that; its hamlet's database is gone; its author would go beyond a bound with it."""


_users, _pledges = table(tables.User), table(tables.PledgeRow)


class Ready(NamedTuple):
    """A held record as it would enter, into the database `db`. `parts`: it gives a household that staff
    have merged another status, so that it would be a household of its own again."""

    entry: Entry
    edit: Edit
    body: Body
    db: str
    parts: bool = False


class Blocked(NamedTuple):
    """A held record that cannot enter like this."""

    entry: Entry
    obstacle: Obstacle


Planned = Ready | Blocked


class Context(NamedTuple):
    """What is held of the document of an entry, in the database where that belongs by now: its tree and
    bodies, what came of records it builds on."""

    db: str
    document: Document | None
    archived: Mapping[tuple[str, Rev], bytes]
    released: Mapping[Rev, tuple[Rev, Body]]
    """Of this document's records that were released: as what, and what they said before."""
    erased: bool
    author: Asked | None = None
    """Who wrote a record that was newer than this program, since nobody has judged that yet."""
    taken: Mapping[str, str] = {}
    """Who took the photographs of an inspection."""
    authors: Mapping[str, str] = {}
    """Who recorded those acts of a pledge that are held of whatever document."""


def plan(
    entry: Entry,
    context: Context,
    now: datetime,
    offset_ms: int | None = None,
    instead: str | None = None,
) -> Planned:
    """What an entry would enter as. `offset_ms`: how far to move its clock, by default as far as it was
    measured to be wrong. `instead`: who says that its acts are right, and not those that are held by their
    ids. Pure."""
    if context.erased:
        return Blocked(entry, "erased")
    body: Body = orjson.loads(entry.edit.body)
    shift = entry.offset_ms if offset_ms is None else offset_ms
    path, before = _path(entry, context)
    held = _held(context, entry.edit.id, path[1:2])
    if (body["type"], body["v"]) not in POLICY:
        return Blocked(entry, "unknown_version")
    measured = abs(shift - entry.offset_ms) < MINUTE  # pages speak of whole minutes
    received = quarantine.came(entry, milliseconds(now)) if measured else None
    new = correcting.corrected(body, shift, held, before, received_ms=received)
    new = dict(aside.as_taken(new, held))
    if instead and _altered(new, held, context):
        new = aside.instead(new, held, context.authors, instead, now)
    if obstacle := _obstacle({"_id": entry.edit.id, **new}, held, context, now):
        return Blocked(entry, obstacle)
    raw = canonical.encode(new)
    rev, tree = entry.edit.rev, context.document.tree if context.document else {}
    named = context.archived.get((entry.edit.id, rev), raw)  # by this name something else may have entered
    if raw != canonical.encode(body) or path != entry.edit.path or not alike.same(named, raw):
        rev = Rev(rev.generation, derive(rev, False, raw).digest)
    path = (rev, *path[1:])
    live = _live(context, entry.edit.id)
    parent = next(iter(_archived(context, entry.edit.id, path[1:2])), None)
    if rev == entry.edit.rev and rev in tree and (not live or superseding.adds(new, live, parent)):
        path = (derive(rev, False, raw), *path)  # what was written upon it does not know what it says
    parts = parts_merged({"_id": entry.edit.id, **new}, held, Role.VOLUNTEER)
    return Ready(entry, Edit(entry.edit.id, path, raw), new, context.db, parts)


def measured(entry: Entry, now_ms: int) -> Entry:
    """The entry with how wrong its clock was. That could not be said while this server's own clock was wrong:
    of an entry from then, it is by how much it says that it was written later than now. Pure."""
    body: Body = orjson.loads(entry.edit.body)
    if entry.skew_ms is not None or not entry.is_own or schemas.newer(body):
        return entry
    late = correcting.own_latest(body) - now_ms
    return entry._replace(skew_ms=-late) if late > SKEW else entry


def _altered(doc: Body, held: Sequence[Body], context: Context) -> bool:
    return altered(doc, held) or aside.is_robbed(doc, held, context.authors)


def _obstacle(doc: Body, held: Sequence[Body], context: Context, now: datetime) -> Obstacle | None:
    author = context.author
    if broken(doc):
        return "broken"
    if correcting.ahead(doc, milliseconds(now) + SKEW, held):
        return "ahead"
    if _altered(doc, held, context):
        return "altered"
    joined = bounds.held_with(doc, held)
    if joined and bounds.overfull(doc, joined, held, (), staff=False, taken=context.taken):
        return "too_many"
    return "not_allowed" if author and refusal_of_type(doc, held, author) else None


def _path(entry: Entry, context: Context) -> tuple[tuple[Rev, ...], dict[str, str]]:
    """The path on top of what its ancestors were released as, and what their stamps became."""
    for place, ancestor in enumerate(entry.edit.path[1:], start=1):
        if found := context.released.get(ancestor):
            became, original = found
            raw = context.archived.get((entry.edit.id, became))
            tree = context.document.tree if context.document else {}
            above = (
                revtree.ancestry(tree, became) if became in tree else (became, *entry.edit.path[place + 1 :])
            )
            stamps = correcting.became(original, orjson.loads(raw)) if raw else {}
            changed = {old: new for old, new in stamps.items() if old != new}
            return (*entry.edit.path[:place], *above), changed
    return entry.edit.path, {}


def _held(context: Context, doc_id: str, parent: Sequence[Rev]) -> list[Body]:
    return [*_live(context, doc_id), *_archived(context, doc_id, parent)]


def _archived(context: Context, doc_id: str, revs: Sequence[Rev]) -> list[Body]:
    return _read(doc_id, [raw for rev in revs if (raw := context.archived.get((doc_id, rev))) is not None])


def _live(context: Context, doc_id: str) -> list[Body]:
    document = context.document
    return _read(doc_id, [body.json for body in document.bodies.values()]) if document else []


def _read(doc_id: str, raws: Sequence[bytes]) -> list[Body]:
    bodies = (read_body(doc_id, raw) for raw in raws)
    return [body for body in bodies if body is not None and not schemas.newer(body)]


class Warden:
    """Keeps the quarantine of one server."""

    def __init__(
        self, store: DocStore, rows: Engine, intake: Intake, clock: Clock, blobs: Blobs | None = None
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._rows = rows
        self._intake = intake
        self._clock = clock

    async def preview(self, number: int, offset_ms: int | None = None) -> Planned | None:
        """What a waiting entry would become; None where it does not wait any more."""
        entries = await self._measured([number])
        return (await self._plans(entries, offset_ms))[0] if entries else None

    async def offset(self, number: int) -> int:
        """How far the clock of an entry is moved unless somebody says otherwise (milliseconds)."""
        return sum(entry.offset_ms for entry in await self._measured([number]))

    async def rounds(self, numbers: Collection[int]) -> list[list[int]]:
        """Those of these entries that wait, in the order in which they enter."""
        return [[entry.number for entry in some] for some in _rounds(await self._measured(sorted(numbers)))]

    async def partings(self, numbers: Collection[int], offset_ms: int | None = None) -> list[Ready]:
        """Those of these entries that part a household which was merged; of one household the last to do so.

        Staff part the two before they let it in (`server.office.parting`): the household's acts come back
        with its status, and not its status alone."""
        entries = await self._measured(sorted(numbers))
        households = [one for one in entries if one.edit.id.startswith("household:")]
        plans = await self._plans(households, offset_ms)
        ready = [one for one in plans if isinstance(one, Ready) and one.parts]
        ready.sort(key=lambda one: order(stamp_of(one.body["stamps"], "status", present=True) or ""))
        return [*{(one.db, one.edit.id): one for one in ready}.values()]

    async def release(
        self,
        by: str,
        numbers: Collection[int],
        offset_ms: int | None = None,
        *,
        instead: bool = False,
        into: str | None = None,
    ) -> Sequence[Planned]:
        """Let these entries in, oldest first, with an audit entry each; what could not enter still waits.
        `instead`: acts that say otherwise what is held are right, and what is held is taken back. `into`: the
        hamlet of what was sent to one that is not here any more, unless its pledge is in another one already.

        Raises `StoreFull`.
        """
        done: list[Planned] = []
        for batch in _rounds(await self._measured(sorted(numbers))):
            plans = await self._plans(batch, offset_ms, by if instead else None, into)
            await self._enter(by, [one for one in plans if isinstance(one, Ready)])
            done += plans
        return done

    async def discard(self, by: str, numbers: Collection[int]) -> int:
        """Take these entries for nothing, with an audit entry each: the sender is told. How many did wait."""

        def work() -> list[Entry]:
            now = self._clock()
            with writing(self._rows) as connection:
                entries = quarantine.waiting(connection, sorted(numbers))
                for entry in entries:
                    quarantine.decide(connection, entry, None, by, instant(now))
                    audit.append(connection, by, "quarantine.discarded", _subject(entry), now)
                return entries

        entries = await to_thread.run_sync(work)
        for entry in entries:
            await self._forget_bytes(entry.db, entry.edit.id)
        return len(entries)

    async def _forget_bytes(self, db: str, doc_id: str) -> None:
        """A picture that came with a record sent away, unless another document has brought it too."""
        if self._blobs is None or not doc_id.startswith("photo:"):
            return
        with suppress(DatabaseMissing):
            trees = await self._store.trees(db, [doc_id])
            if not revtree.live(trees.get(doc_id, {})):
                await to_thread.run_sync(self._blobs.remove, pictures_of(db, [doc_id]))

    async def _places(self, entries: Sequence[Entry], into: str | None) -> dict[int, str]:
        """The databases in which these entries belong by now, by their numbers."""
        found = {entry.number: entry.db for entry in entries}
        for db in dict.fromkeys(found.values()):
            here = [entry for entry in entries if entry.db == db]
            bodies = {entry.edit.id: orjson.loads(entry.edit.body) for entry in here}
            places = await self._intake.where.places(db, bodies)
            places |= await self._intake.where.homes(db, bodies.keys() - places.keys())
            found |= {entry.number: places.get(entry.edit.id, db) for entry in here}
        kept = await self._store.names()
        gone = [entry for entry in entries if found[entry.number] not in kept]
        homes = await to_thread.run_sync(self._pledged, gone) if gone else {}
        for entry in gone:
            home = homes.get(entry.number, into)
            found |= {entry.number: f"{entry.db.partition('-')[0]}-{home}"} if home else {}
        return found

    async def _plans(
        self,
        entries: Sequence[Entry],
        offset_ms: int | None,
        instead: str | None = None,
        into: str | None = None,
    ) -> list[Planned]:
        places = await self._places(entries, into)
        found: list[Planned] = []
        for entry in entries:
            try:
                context = await self._context(entry, places[entry.number])
            except DatabaseMissing:
                found.append(Blocked(entry, "no_place"))
                continue
            found.append(plan(entry, context, self._clock(), offset_ms, instead))
        return found

    async def _context(self, entry: Entry, db: str) -> Context:
        edit = entry.edit
        documents = await self._store.read(db, [edit.id], lambda _id, tree: revtree.live(tree))
        checklists = await self._intake.checklists([edit])

        def work() -> Context:
            with readers(self._rows).begin() as connection:
                released = quarantine.released(connection, entry.db, edit.id)
                wanted = {(edit.id, rev) for rev in edit.path[:2]}
                wanted |= {(edit.id, became) for became, _ in released.values()}
                archived = archive.bodies(connection, db, wanted)
                inspection = [edit.id] if edit.id.startswith("inspection:") else []
                taken = authors.of_photos(connection, db, inspection).get(edit.id, {})
                recorded = authors.of_acts(connection, acts_named([edit]))
                gone = bool(ledger.erased(connection, [edit.id]))
                role = connection.execute(select(_users.c.role).where(_users.c.id == entry.user)).scalar()
            author = None
            if entry.why == "newer":
                grant = Grant(entry.user or "", "", Role(role or Role.OBSERVER), frozenset())
                author = Asked(grant, db, checklists=checklists)
            return Context(db, documents.get(edit.id), archived, released, gone, author, taken, recorded)

        return await to_thread.run_sync(work)

    async def _enter(self, by: str, ready: Sequence[Ready]) -> None:
        for sent_to, db in dict.fromkeys((one.entry.db, one.db) for one in ready):
            here = [one for one in ready if (one.entry.db, one.db) == (sent_to, db)]
            documents = await self._read(db, here)
            here, edits = await to_thread.run_sync(self._archive, by, db, here, documents)
            shown = pictures_of(sent_to, [edit.id for edit in edits]) if db != sent_to else []
            if self._blobs:
                await to_thread.run_sync(self._blobs.copy, shown, db.partition("-")[2])
            await self._intake.enter(db, edits, sent_to)
            if self._blobs:
                await to_thread.run_sync(self._blobs.remove, shown)
            documents = await self._read(db, here)
            stand = [one for one in here if _stands(one, documents.get(one.edit.id))]
            await to_thread.run_sync(self._close, by, stand, {sent_to, db})
            if len(stand) < len(here):
                raise archive.Taken(", ".join(_subject(one.entry) for one in here if one not in stand))

    async def _read(self, db: str, ready: Sequence[Ready]) -> Mapping[str, Document]:
        """The documents of these, with what is live and what is there by their names."""
        named: dict[str, set[Rev]] = {}
        for one in ready:
            named.setdefault(one.edit.id, set()).update(one.edit.path)
        return await self._store.read(
            db, named, lambda doc_id, tree: {*revtree.live(tree), *(named[doc_id] & tree.keys())}
        )

    async def _measured(self, numbers: Sequence[int]) -> list[Entry]:
        """Those of these entries that wait; what is measured of a clock now is kept, and stays what it is."""
        now = milliseconds(self._clock())
        sane = await self._intake.clock_is_sane(now)
        return await to_thread.run_sync(self._waiting, numbers, now if sane else None)

    # ---- in threads -------------------------------------------------------------------------------------

    def _waiting(self, numbers: Sequence[int], now_ms: int | None) -> list[Entry]:
        with readers(self._rows).begin() as connection:
            entries = quarantine.waiting(connection, numbers)
        if now_ms is None:
            return entries
        found = [measured(entry, now_ms) for entry in entries]
        news = [one for one, before in zip(found, entries, strict=True) if one is not before]
        if news:
            with writing(self._rows) as connection:
                for one in news:
                    quarantine.measured(connection, one)
        return found

    def _pledged(self, entries: Sequence[Entry]) -> dict[int, str]:
        """The hamlets that have a pledge of the household or unit of which these are: who has let that in has
        said where it is."""
        of = {
            one.number: one.edit.id.rpartition(":")[2] for one in entries if one.edit.id.startswith(RESIDENT)
        }
        found: dict[str, str] = {}
        with readers(self._rows).begin() as connection:
            for some in chunks(sorted({*of.values()})):
                asked = select(_pledges.c.subject, _pledges.c.db).where(_pledges.c.subject.in_(some))
                for row in connection.execute(asked.order_by(_pledges.c.db.desc())):
                    found[row.subject] = row.db.partition("-")[2]
        return {number: found[ulid] for number, ulid in of.items() if ulid in found}

    def _archive(
        self, by: str, db: str, ready: Sequence[Ready], documents: Mapping[str, Document]
    ) -> tuple[list[Ready], list[Edit]]:
        """Archive what enters, and answer that, by names that are free (`server.naming`), and what to graft:
        each with what its parent adds to it."""
        drafts: list[tuple[Ready, Edit, list[archive.Entry]]] = []
        with writing(self._rows) as connection:
            parents = {(one.edit.id, one.edit.path[1]) for one in ready if len(one.edit.path) > 1}
            held = archive.bodies(connection, db, parents)
            for one in ready:
                child, entries = _derived(one.edit, held), [archive.Entry.of(db, one.edit, "released")]
                if child is not one.edit:
                    entries.append(archive.Entry.of(db, child, "derived"))
                drafts.append((one, child, entries))
            given = {
                (entry.id, entry.rev): entry.body
                for one, _, entries in drafts
                for entry in entries
                if entry.rev != one.entry.edit.rev
            }
            names = naming.free(connection, db, given, documents)
            edits = [naming.renamed(child, entries, names) for _, child, entries in drafts]
            kept = (entry for _, entries in edits for entry in entries)
            archive.keep(connection, kept, instant(self._clock()), by, whole=True)
        entering = [one._replace(edit=naming.renamed(one.edit, (), names)[0]) for one in ready]
        return entering, [edit for edit, _ in edits]

    def _close(self, by: str, ready: Sequence[Ready], places: Collection[str]) -> None:
        now = self._clock()
        with writing(self._rows) as connection:
            for one in ready:
                quarantine.decide(connection, one.entry, one.edit.rev, by, instant(now))
                audit.append(connection, by, "quarantine.released", _subject(one.entry), now)
                if one.entry.user and one.entry.is_own:
                    author, device = one.entry.user, one.entry.device
                    superseding.close(
                        connection, one.db, places, [one.edit], author, now=now, by=by, device=device
                    )


def _stands(one: Ready, document: Document | None) -> bool:
    """Whether a document says what was let in: by that name, or what is live there, if anything, knows it."""
    if document is None:
        return False
    there, ends = document.bodies.get(one.edit.rev), revtree.live(document.tree)
    if alike.same(there and there.json, one.edit.body):
        return True
    live = _read(one.edit.id, [document.bodies[rev].json for rev in ends if rev in document.bodies])
    return not live or not superseding.adds(one.body, live, None)


def _derived(edit: Edit, held: Mapping[tuple[str, Rev], bytes]) -> Edit:
    """The edit, or the child of it that says what its parent says and it has left out."""
    raw = held.get((edit.id, edit.path[1])) if len(edit.path) > 1 else None
    parent = read_body(edit.id, raw) if raw is not None else None
    derived = resolve.inline(Derived(edit.path, edit.body, False), parent, POLICY) if parent else None
    return Edit(edit.id, derived.path, derived.body) if derived else edit


def _rounds(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries in batches in which no document comes twice: a later record builds on the earlier one.
    Households come first: a merge and its parting are known before an act goes where the merge says."""
    batch: list[Entry] = []
    seen: set[str] = set()  # two that wait in two hamlets may belong in one by now
    for entry in sorted(entries, key=lambda one: not one.edit.id.startswith("household:")):
        if entry.edit.id in seen:
            yield batch
            batch, seen = [], set()
        batch.append(entry)
        seen.add(entry.edit.id)
    if batch:
        yield batch


def _subject(entry: Entry) -> str:
    return f"{entry.db}/{entry.edit.id}@{entry.edit.rev}"
