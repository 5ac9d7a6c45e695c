"""`POST /db/_exchange`: one request and one streamed answer for all of a phone's databases.

The order is what makes it safe. All uploads are judged and grafted in one transaction and their conflicts
settled before the first byte of the answer, so an outcome that a phone reads is on disk; then the rows of
every database are read from the phone's position and sent in parts, each flushed as it is made. Everything
may be repeated: a phone that was cut off sends the same again and gets the same.
"""

import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sync import exchange, revtree
from sync.errors import BadRequest, PeerError, StorageFull, TooLarge, UnsupportedMediaType
from sync.exchange import Asked, Named, Outcome, Position, Row, RowParts
from sync.hooks import Caller, ExchangeApplication, Refused, Terms
from sync.resolve import absorbed
from sync.rev import Rev
from sync.revtree import Tree
from sync.stamps import SKEW
from sync.store.interface import Change, DocStore, Document, Edit, Page, StoreFull

PAGE = 200
"""Documents read from the store at a time."""
BIG = 256 * 1024
"""A request above this many bytes is parsed in a thread, so that others are not kept waiting."""


def route(store: DocStore, application: ExchangeApplication, path: str = "/_exchange") -> Route:
    """The route, to be put before those of `/{db}`."""
    return Route(path, Exchange(store, application).endpoint, methods=["POST"])


@dataclass(slots=True)
class Taken:
    """What became of one database's part of a request, once everything is on disk."""

    asked: Asked
    outcomes: list[Outcome] = field(default_factory=list)
    missing: list[Named] = field(default_factory=list)
    came: set[Named] = field(default_factory=set)
    """Revisions that are on disk and that the caller has itself, bodies included."""

    def chosen(self, doc_id: str, tree: Tree) -> Sequence[Rev]:
        """The winner's body, unless it came in this request (a `sync.store.interface.Choice`)."""
        winner = revtree.winner(tree)
        return () if (doc_id, winner) in self.came else (winner,)


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
        except PeerError as error:
            return JSONResponse({"error": error.error, "reason": error.reason}, error.status)
        return _streamed(request, self._answer(caller, terms, asked, taken))

    # --- taking ------------------------------------------------------------------------------------------

    async def _take(self, caller: Caller, terms: Terms, asked: exchange.Request) -> Mapping[str, Taken]:
        """Judge every upload, graft what is admitted, settle what that touched. Raises StorageFull."""
        there = {*terms.dbs} & {*await self._store.names()}
        taken = {db: Taken(part) for db, part in asked.dbs.items() if db in there}
        try:
            admitted = {db: await self._admit(caller, db, part) for db, part in taken.items()}
            grafts = {db: edits for db, edits in admitted.items() if edits}
            if grafts:
                await self._store.graft_all(grafts)
        except StoreFull:
            raise StorageFull from None
        for db, edits in grafts.items():
            await self._app.observe(db, {edit.id for edit in edits})
        for db, part in taken.items():
            await self._tell(caller, db, part)
        return taken

    async def _admit(self, caller: Caller, db: str, part: Taken) -> list[Edit]:
        """What to graft; the rest gets its outcome now, or is held already and gets it by `_tell`."""
        edits = part.asked.edits
        part.outcomes += part.asked.refused
        known = await self._held(db, [(edit.id, edit.rev) for edit in edits])
        new = [edit for edit in edits if (edit.id, edit.rev) not in known]
        verdicts = await self._app.admit(caller, db, new) if new else ()
        refused = {(no.id, no.rev) for no in verdicts if isinstance(no, Refused)}
        part.outcomes += [_outcome(no) for no in verdicts if isinstance(no, Refused)]
        part.came = {(edit.id, edit.rev) for edit in edits if (edit.id, str(edit.rev)) not in refused}
        return [edit for edit in verdicts if isinstance(edit, Edit)]

    async def _held(self, db: str, named: Sequence[Named]) -> set[Named]:
        """Which of these the store has with their bodies: a retry is answered, not judged again."""
        if not named:
            return set()
        wanted: dict[str, list[Rev]] = {}
        for doc_id, rev in named:
            wanted.setdefault(doc_id, []).append(rev)
        found = await self._store.read(db, wanted, lambda doc_id, _: wanted[doc_id])
        return {(doc_id, rev) for doc_id, document in found.items() for rev in document.bodies}

    async def _tell(self, caller: Caller, db: str, part: Taken) -> None:
        """The outcomes of what came, waits, or is said to be there; `missing` for what nobody here knows."""
        came = ((edit.id, edit.rev) for edit in part.asked.edits)
        asked = dict.fromkeys((*(named for named in came if named in part.came), *part.asked.waiting))
        have = [named for named in part.asked.have if named not in asked]
        if not asked and not have:
            return
        trees = await self._store.trees(db, {doc_id for doc_id, _ in (*asked, *have)})
        absent = [named for named in (*asked, *have) if named[1] not in trees.get(named[0], {})]
        part.outcomes += [
            exchange.outcome_of(doc_id, rev, trees[doc_id])
            for doc_id, rev in asked
            if rev in trees.get(doc_id, {})
        ]
        verdicts = await self._app.outcomes(caller, db, absent) if absent else ()
        part.outcomes += [_outcome(no) for no in verdicts if no is not None]
        part.missing = [named for named, no in zip(absent, verdicts, strict=True) if no is None]

    # --- answering ---------------------------------------------------------------------------------------

    async def _answer(
        self, caller: Caller, terms: Terms, asked: exchange.Request, taken: Mapping[str, Taken]
    ) -> AsyncIterator[bytes]:
        yield exchange.line(clock=terms.clock, dbs=list(terms.dbs), user=dict(terms.user))
        for db in asked.dbs:
            part = taken.get(db)
            if part is None:
                yield exchange.line(db=db, gone=True)
                continue
            for piece in (
                *exchange.outcome_parts(db, part.outcomes),
                *exchange.missing_parts(db, part.missing),
            ):
                yield piece
            async for piece in self._rows(caller, db, part):
                yield piece
        yield exchange.line(done=True)

    async def _rows(self, caller: Caller, db: str, taken: Taken) -> AsyncIterator[bytes]:
        """What changed since the phone's position, the documents that came just now without their bodies."""
        since = taken.asked.since
        if since is not None and not await self._known(db, since):
            yield exchange.line(db=db, position_lost=True)
            return
        parts = RowParts(db)
        page = Page(0 if since is None else since.seq, PAGE)
        while True:
            changes = await self._store.changes(db, page)
            shown = [change.id for change in changes.rows if self._app.shows(caller, db, change.id)]
            documents = await self._store.read(db, shown, taken.chosen) if shown else {}
            for change in changes.rows:
                full = parts.add(_position(change), _row(change.id, documents.get(change.id)))
                if full is not None:
                    yield full
            if not changes.pending or not changes.rows:
                break
            page = Page(changes.last_seq, PAGE)
        if (last := parts.end()) is not None:
            yield last

    async def _known(self, db: str, position: Position) -> bool:
        """Whether this store gave that position, and not one that it was restored from or has grown over."""
        found = await self._store.read(db, (position.id,), lambda _id, _tree: ())
        document = found.get(position.id)
        if document is None or position.rev not in document.tree:
            return False
        if isinstance(document.seq, int) and isinstance(position.seq, int):
            return document.seq >= position.seq
        return document.seq == position.seq


# --- between the store's words and the wire's ---------------------------------------------------------------


def _outcome(no: Refused) -> Outcome:
    return Outcome(no.id, Rev.parse(no.rev), no.name, no.reason)


def _position(change: Change) -> Position:
    return Position(change.seq, change.id, change.leaves[0].rev)


def _row(doc_id: str, document: Document | None) -> Row | None:
    if document is None:
        return None
    tree = document.tree
    winner = revtree.winner(tree)
    body = document.bodies.get(winner)
    json = None if body is None or body.json == b"{}" else body.json
    return Row(doc_id, revtree.ancestry(tree, winner), tree[winner].deleted, json, absorbed(tree))


def _skew(clock: int, terms: Terms) -> int:
    """Milliseconds from the phone's clock to the server's; 0 where that is no reason to stop."""
    skew = terms.clock - clock
    return skew if terms.trusted and abs(skew) > SKEW else 0


# --- bytes in and out ---------------------------------------------------------------------------------------


async def _parsed(request: Request) -> exchange.Request:
    """Raises TooLarge, UnsupportedMediaType, BadRequest."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType
    data = await _read(request)
    if len(data) > BIG:
        return await to_thread.run_sync(exchange.parse, data)
    return exchange.parse(data)


async def _read(request: Request) -> bytes:
    """The body, unpacked where it says gzip: never more than the limit in memory, whatever it claims."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UnsupportedMediaType("Content-Encoding: only gzip is taken")
    unpacker = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in request.stream():
        room = exchange.MAX_REQUEST - len(body)
        try:
            body += unpacker.decompress(chunk, room + 1) if unpacker else chunk
        except zlib.error:
            raise BadRequest("the body is no gzip") from None
        if len(body) > exchange.MAX_REQUEST:
            raise TooLarge(f"more than {exchange.MAX_REQUEST} bytes")
    if unpacker and (not unpacker.eof or unpacker.unused_data):
        raise BadRequest("the body is no whole gzip")
    return bytes(body)


def _streamed(request: Request, parts: AsyncIterator[bytes]) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        parts = _gzipped(parts)
    return StreamingResponse(parts, media_type="application/x-ndjson", headers=headers)


async def _gzipped(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """One gzip stream, flushed at each part: a phone can commit what has arrived before a cut."""
    packer = zlib.compressobj(level=9, wbits=31)
    async for part in parts:
        yield packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


async def _one(part: bytes) -> AsyncIterator[bytes]:
    yield part
