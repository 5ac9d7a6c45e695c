"""`POST /db/_exchange`: one request and one streamed answer for all of a phone's databases.

The order is what makes it safe. All uploads are judged and grafted in one transaction and their conflicts
settled before the first byte of the answer, so an outcome that a phone reads is on disk; then the rows of
every database are read from the phone's position and sent in parts, each flushed as it is made. Everything
may be repeated: a phone that was cut off sends the same again and gets the same.
"""

import zlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sync import alike, exchange, revtree
from sync.errors import PeerError
from sync.exchange import Asked, Named, Outcome, Row, RowParts, Status
from sync.hooks import Caller, ExchangeApplication, Refused, Stored, Terms
from sync.http import answers, bodies
from sync.position import Position
from sync.resolve import absorbed
from sync.rev import Rev
from sync.revtree import Tree
from sync.stamps import SKEW
from sync.store import names
from sync.store.interface import (
    Change,
    DatabaseMissing,
    DocStore,
    Document,
    Edit,
    Page,
    StoreError,
)

PAGE = 100
"""Documents read from the store at a time."""
WORTH_FLUSHING = 4 * 1024
"""Bytes, before compression, that a flush of the answer should at least bring."""
BIG = 256 * 1024
"""A request above this many bytes is parsed in a thread, so that others are not kept waiting."""


def route(store: DocStore, application: ExchangeApplication, path: str = "/_exchange") -> Route:
    """The route, to be put before those of `/{db}`."""
    return Route(path, Exchange(store, application).endpoint, methods=["POST"])


@dataclass(slots=True)
class Taken:
    """What became of one database's part of a request, once everything is on disk."""

    asked: Asked
    missing: list[Named] = field(default_factory=list)
    lost: bool = False
    """Whether the caller's position is of a past that this store has not had."""
    came: dict[Named, Rev] = field(default_factory=dict)
    """Revisions that are on disk and that the caller has itself, bodies included; each with the name that its
    words have here, which is another one where its own was taken."""
    later: str | None = None
    """Why some of what came was not taken now: it has no outcome, and comes again."""
    _outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Keep outcomes until the answer comes to their documents."""
        for outcome in outcomes:
            self._outcomes.setdefault(outcome.id, []).append(outcome)

    def outcomes_of(self, doc_ids: Iterable[str]) -> list[Outcome]:
        """The outcomes of these documents, each told once."""
        return [outcome for doc_id in doc_ids for outcome in self._outcomes.pop(doc_id, ())]

    def outcomes_left(self) -> list[Outcome]:
        """The outcomes of documents that had no row."""
        return self.outcomes_of(list(self._outcomes))

    def chosen(self, doc_id: str, tree: Tree) -> Sequence[Rev]:
        """The winner's body, unless it came in this request (a `sync.store.interface.Choice`)."""
        winner = revtree.winner(tree)
        return () if self.came.get((doc_id, winner)) == winner else (winner,)


class Exchange:
    """The exchange over one store, for one application."""

    def __init__(self, store: DocStore, application: ExchangeApplication) -> None:
        self._store = store
        self._app = application

    async def endpoint(self, request: Request) -> Response:
        """Parse, take, answer."""
        try:
            caller = await self._app.identify(request)
            asked = await _parsed(request)
            terms = await self._app.terms(caller)
            if skew := _skew(asked.clock, terms):
                return _streamed(request, _one(exchange.line(clock=terms.clock, skew=skew)))
            taken = await self._take(caller, terms, asked)
        except (PeerError, StoreError) as error:
            # Not `answers.problem`: its Basic challenge would make the browser ask for a password
            peer = error if isinstance(error, PeerError) else answers.of_store(error)
            return answers.render({"error": peer.error, "reason": peer.reason}, peer.status)
        return _streamed(request, self._answer(caller, terms, asked, taken))

    # --- taking ------------------------------------------------------------------------------------------

    async def _take(self, caller: Caller, terms: Terms, asked: exchange.Request) -> Mapping[str, Taken]:
        """Judge every upload, graft what is admitted, settle what that touched. Raises StoreFull."""
        foreign = asked.dbs.keys() - {*terms.dbs}
        heard = await self._app.hears(caller, foreign) if foreign else ()
        # What this server has lost may be of a database that it has forgotten the caller holds: it is asked
        # for all the same, and judged once it comes.
        lost = {db for db in foreign if asked.dbs[db].have} - {*heard}
        # One that is not here at all, since it was founded after the backup, is heard of even so: what is
        # said to it belongs elsewhere, or waits.
        there = ({*terms.dbs, *lost} & {*await self._store.names()}) | {*heard}
        parts = {db: replace(part, edits=()) if db in lost else part for db, part in asked.dbs.items()}
        taken = {db: Taken(part) for db, part in parts.items() if db in there}
        for db, part in taken.items():
            await self._recover(caller, db, part, terms.epoch)
        admitted = {db: await self._admit(caller, db, part) for db, part in taken.items()}
        grafts = {db: edits for db, edits in admitted.items() if edits}
        if grafts:
            await self._store.graft_all(grafts)
        for db, edits in grafts.items():
            await self._app.observe(db, {edit.id for edit in edits})
        for db, part in taken.items():
            await self._tell(caller, db, part)
        return taken

    async def _recover(self, caller: Caller, db: str, part: Taken, epoch: str) -> None:
        """Hear what the caller has, before what it sends is judged: that may stand on what is lost here.

        Where the position is lost and nothing was said of that yet, what came is left for the next request.
        """
        since, have = part.asked.since, part.asked.have
        part.lost = since is not None and await self._lost(db, since, epoch)
        if part.lost:
            part.asked = replace(part.asked, edits=())
        sent = {(edit.id, edit.rev) for edit in part.asked.edits}
        have = [named for named in dict.fromkeys(have) if named not in sent]
        held = await self._held(db, have)  # a tree also names revisions of which nobody has told more
        await self._tell_absent(caller, db, part, [named for named in have if named not in held])
        await self._tell_unlike(caller, db, part, [*held])

    async def _admit(self, caller: Caller, db: str, part: Taken) -> list[Edit]:
        """What to graft; the rest gets its outcome now, or is held already and gets it by `_tell`."""
        edits = part.asked.edits
        part.tell(part.asked.refused)
        known = await self._held(db, [(edit.id, edit.rev) for edit in edits])
        new = [edit for edit in edits if not alike.same(known.get((edit.id, edit.rev)), edit.body)]
        verdicts = await self._app.admit(caller, db, new) if new else ()
        decided = [one for one in verdicts if isinstance(one, Refused | Stored)]
        elsewhere = {(one.id, one.rev) for one in decided}
        entering = [(edit, one) for edit, one in zip(new, verdicts, strict=True) if isinstance(one, Edit)]
        here = {(edit.id, edit.rev): _name_in(one, edit.rev) for edit, one in entering}
        part.tell(_outcome(one) for one in decided if one.name != Status.LATER.value)
        part.later = next((one.reason for one in decided if one.name == Status.LATER.value), None)
        came = [(edit.id, edit.rev) for edit in edits if (edit.id, str(edit.rev)) not in elsewhere]
        part.came = {named: here.get(named, named[1]) for named in came}
        return [one for _, one in entering]

    async def _held(self, db: str, named: Sequence[Named]) -> dict[Named, bytes]:
        """Which of these the store has with their bodies: a retry is answered, not judged again."""
        if not named:
            return {}
        wanted: dict[str, list[Rev]] = {}
        for doc_id, rev in named:
            wanted.setdefault(doc_id, []).append(rev)
        found: Mapping[str, Document] = {}
        with suppress(DatabaseMissing):
            found = await self._store.read(db, wanted, lambda doc_id, _: wanted[doc_id])
        return {(doc_id, rev): body.json for doc_id, one in found.items() for rev, body in one.bodies.items()}

    async def _tell(self, caller: Caller, db: str, part: Taken) -> None:
        """The outcomes of what came or waits; `missing` for what nobody here knows."""
        came = ((edit.id, edit.rev) for edit in part.asked.edits)
        asked = dict.fromkeys((*(named for named in came if named in part.came), *part.asked.waiting))
        if not asked:
            return
        trees: Mapping[str, Tree] = {}
        with suppress(DatabaseMissing):
            trees = await self._store.trees(db, {doc_id for doc_id, _ in asked})
        # What came was judged, and is on disk whatever the tree says of it; what waits may be there by name.
        waiting = [named for named in part.asked.waiting if named not in part.came]
        bare = await names.untold(self._store, db, waiting, trees, partial(self._app.accepted, caller, db))
        named = [one for one in asked if part.came.get(one, one[1]) in trees.get(one[0], {})]
        here = [one for one in part.asked.waiting if one[1] in trees.get(one[0], {})]
        unlike = await self._tell_unlike(caller, db, part, [one for one in here if one not in part.came])
        part.tell(
            replace(exchange.outcome_of(doc_id, part.came.get((doc_id, rev), rev), trees[doc_id]), rev=rev)
            for doc_id, rev in named
            if (doc_id, rev) not in {*bare, *unlike}
        )
        told = {*unlike, *({*named} - {*bare})}
        await self._tell_absent(caller, db, part, [one for one in asked if one not in told])

    async def _tell_unlike(
        self, caller: Caller, db: str, part: Taken, held: Collection[Named]
    ) -> Collection[Named]:
        """Of revisions whose names are held: those that say something else to the caller, and what became of
        them.

        Whoever knows the name of a revision that was lost can give it other words. The caller's, once they
        have come, stand beside that or upon it.
        """
        says = {one: said for one in held if (said := part.asked.says.get(one))}
        unlike = await names.unlike(self._store, db, says, partial(self._app.accepted, caller, db))
        kept = await self._app.withheld(caller, db, {one: says[one] for one in unlike}) if unlike else {}
        part.tell(map(_outcome, kept.values()))
        await self._tell_absent(caller, db, part, [one for one in unlike if one not in kept])
        return unlike

    async def _tell_absent(self, caller: Caller, db: str, part: Taken, absent: Sequence[Named]) -> None:
        verdicts = await self._app.outcomes(caller, db, absent, part.asked.says) if absent else ()
        part.tell(_outcome(no) for no in verdicts if no is not None)
        part.missing += [named for named, no in zip(absent, verdicts, strict=True) if no is None]

    # --- answering ---------------------------------------------------------------------------------------

    async def _answer(
        self, caller: Caller, terms: Terms, asked: exchange.Request, taken: Mapping[str, Taken]
    ) -> AsyncIterator[bytes]:
        yield exchange.line(clock=terms.clock, dbs=list(terms.dbs), user=dict(terms.user))
        for db in asked.dbs:
            part = taken.get(db)
            if db not in terms.dbs or part is None:
                async for piece in self._gone(db, asked.dbs[db], part, terms.epoch):
                    yield piece
                continue
            for piece in exchange.missing_parts(db, part.missing):
                yield piece
            if part.lost:
                yield exchange.line(db=db, position_lost=True)
                for piece in exchange.outcome_parts(db, part.outcomes_left()):
                    yield piece
                continue
            async for piece in self._rows(caller, db, part, terms.epoch):
                yield piece
            for piece in exchange.outcome_parts(db, part.outcomes_left()):
                yield piece
        yield exchange.line(done=True, later=next((one.later for one in taken.values() if one.later), None))

    async def _gone(
        self, db: str, asked: exchange.Asked, taken: Taken | None, epoch: str
    ) -> AsyncIterator[bytes]:
        """A database that the caller does not hold: to be let go, unless it has what this server has lost.

        Of one that is not here at all, and of which nobody has heard, nothing is said to a phone that has
        something of it: files may have been put back by hand, and it forgets nothing before somebody says so.
        """
        if taken:
            for piece in exchange.outcome_parts(db, taken.outcomes_left()):
                yield piece
            for piece in exchange.missing_parts(db, taken.missing):
                yield piece
            if taken.missing:
                return
        elif asked.have and db not in await self._store.names():
            return
        lost = asked.since is not None and await self._lost(db, asked.since, epoch)
        yield exchange.line(db=db, position_lost=True) if lost else exchange.line(db=db, gone=True)

    async def _lost(self, db: str, since: Position, epoch: str) -> bool:
        if db not in await self._store.names():
            return True  # whoever gave that position, it was not this store
        life = since.life.removeprefix(epoch)
        return f"{epoch}{life}" != since.life or not await self._known(db, since, life)

    async def _rows(self, caller: Caller, db: str, taken: Taken, epoch: str) -> AsyncIterator[bytes]:
        """What changed since the phone's position, the documents that came just now without their bodies."""
        since = taken.asked.since
        parts = RowParts(db)
        page = Page(0 if since is None else since.seq, PAGE)
        while True:
            changes = await self._store.changes(db, page)
            life = f"{epoch}{changes.life}"
            # A document's outcome goes just before its row: the id and revision that both name, random as
            # they are, then cost their bytes once, since gzip looks back 32 kB and no further.
            if told := taken.outcomes_of(change.id for change in changes.rows):
                for piece in (*parts.flush(), *exchange.outcome_parts(db, told)):
                    yield piece
            shown = [change.id for change in changes.rows if self._app.shows(caller, db, change.id)]
            documents = await self._store.read(db, shown, taken.chosen) if shown else {}
            for change in changes.rows:
                for piece in parts.add(_position(change, life), _row(change.id, documents, taken)):
                    yield piece
            if not changes.pending or not changes.rows:
                break
            page = Page(changes.last_seq, PAGE)
        for piece in parts.flush():
            yield piece

    async def _known(self, db: str, position: Position, life: str) -> bool:
        """Whether this store gave that position in that life, and not one that it was restored from.

        It must know the revision, too, which at the position's own sequence must still be the winner.
        """
        if not await self._store.gave(db, position.seq, life):
            return False
        found = await self._store.read(db, (position.id,), lambda _id, _tree: ())
        document = found.get(position.id)
        if document is None or not any(position.names(rev) for rev in document.tree):
            return False
        if isinstance(document.seq, int) and isinstance(position.seq, int) and document.seq > position.seq:
            return True
        return document.seq == position.seq and position.names(revtree.winner(document.tree))


# --- between the store's words and the wire's ---------------------------------------------------------------


def _name_in(entering: Edit, rev: Rev) -> Rev:
    """The name by which what came as `rev` enters: a derived child may stand upon it, and it may have been
    renamed."""
    return next(one for one in entering.path if one.generation == rev.generation)


def _outcome(no: Refused | Stored) -> Outcome:
    return Outcome(no.id, Rev.parse(no.rev), no.name, no.reason)


def _position(change: Change, life: str) -> Position:
    return Position.of(change.seq, change.id, change.leaves[0].rev, life)


def _row(doc_id: str, documents: Mapping[str, Document], taken: Taken) -> Row | None:
    document = documents.get(doc_id)
    if document is None:
        return None
    tree = document.tree
    winner = revtree.winner(tree)
    body = document.bodies.get(winner)
    json = None if body is None or body.json == b"{}" else body.json
    # what was erased and has not ended yet says nothing either, and no phone has the words of it
    gone = tree[winner].deleted or (body is None and bool(taken.chosen(doc_id, tree)))
    return Row(doc_id, revtree.ancestry(tree, winner), gone, json, absorbed(tree))


def _skew(clock: int, terms: Terms) -> int:
    """Milliseconds from the phone's clock to the server's; 0 where that is no reason to stop."""
    skew = terms.clock - clock
    return skew if terms.trusted and abs(skew) > SKEW else 0


# --- bytes in and out ---------------------------------------------------------------------------------------


async def _parsed(request: Request) -> exchange.Request:
    """Raises TooLarge, UnsupportedMediaType, BadRequest."""
    bodies.require_json(request)
    data = await bodies.read(request, exchange.MAX_REQUEST)
    if len(data) > BIG:
        return await to_thread.run_sync(exchange.parse, data)
    return exchange.parse(data)


def _streamed(request: Request, parts: AsyncIterator[bytes]) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        parts = _gzipped(parts)
    return StreamingResponse(parts, media_type="application/x-ndjson", headers=headers)


async def _gzipped(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """One gzip stream, flushed part by part: a phone can commit what has arrived before a cut.

    Parts too small to be worth a flush of their own (it starts a new block of codes) wait for the next one.
    """
    packer = zlib.compressobj(level=9, wbits=31)
    waiting = 0
    async for part in parts:
        waiting += len(part)
        packed = packer.compress(part)
        if waiting >= WORTH_FLUSHING:
            packed, waiting = packed + packer.flush(zlib.Z_SYNC_FLUSH), 0
        if packed:
            yield packed
    yield packer.flush()


async def _one(part: bytes) -> AsyncIterator[bytes]:
    yield part
