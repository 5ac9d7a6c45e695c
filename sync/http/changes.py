"""The feed of changes: which rows, and the four forms in which they go out."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.responses import Response

from sync import mango, revtree, wire
from sync.errors import BadRequest, NotFound, NotImplementedHere
from sync.hooks import Action
from sync.http import bodies, feeds, query
from sync.http.answers import PIECE, array, whole_or_long
from sync.http.listing import render_winner
from sync.http.reading import Wanted
from sync.http.routing import Call, Route
from sync.store.interface import Body, Change, Changes, Page, Seq

AT_ONCE = 1000
"""Rows read in one go; a longer answer is sent as it is read."""

LONGEST_SELECTING = 5.0
"""Seconds that a selector may take over what is read in one go."""

LARGEST_SELECTOR = 2**18
"""Bytes of a body that has a selector; unpacked, where it was packed."""

_NO_LIMIT = 10**15
"""What CouchDB takes for no limit, and counts down from."""

Keep = Callable[[Change, mango.Left], bool]
"""Whether a row passes, within the time that is left for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the feed."""

    since: Seq
    limit: int | None
    descending: bool
    all_leaves: bool
    docs: bool
    wanted: Wanted
    ids: Collection[str] | None
    keep: Keep
    selects: bool
    needs_bodies: bool
    seq_interval: int
    filtered: bool
    instance: int | None = None
    """The database that was read so far: what stands under its name after a drop is not of this feed."""

    def page(self, limit: int, since: Seq = 0, keys: Sequence[int] | None = None) -> Page:
        """What to read next."""
        return Page(
            since,
            limit,
            self.descending,
            self.ids,
            bodies=self.needs_bodies,
            keys=keys,
            room=PIECE,
            instance=self.instance,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A stretch of the feed: the rows that passed, where it ended, and how many documents lie beyond."""

    changes: tuple[Change, ...]
    last_seq: Seq
    pending: int
    instance: int


async def get(call: Call) -> Response:
    """`GET /db/_changes`."""
    return await _answer(call, {})


async def post(call: Call) -> Response:
    """The same, with `doc_ids` or `selector` in the body."""
    bodies.require_json(call.request)
    selects = call.query.get("filter") == "_selector"
    most = call.parts.limits.request
    body = await bodies.read(call.request, min(most, LARGEST_SELECTOR) if selects else most)
    return await _answer(call, wire.parse_object(body) if body.strip() else {})


async def _answer(call: Call, body: Mapping[str, Any]) -> Response:
    question = await _parse(call, body)
    match call.query.get("feed", "normal"):
        case "longpoll":
            return await feeds.longpoll(call, question)
        case "continuous" | "live":
            return await feeds.continuous(call, question)
        case "eventsource":
            return await feeds.eventsource(call, question)
        case "normal":
            return await normal(call, question)
        case _:
            raise BadRequest("Supported `feed` types: normal, continuous, live, longpoll, eventsource")


async def _parse(call: Call, body: Mapping[str, Any]) -> Question:
    """Raises BadRequest, QueryInvalid, NotFound."""
    asked = call.query
    keep, ids, selects = await _filter(call, body)
    limit = query.whole_number(asked, "limit")
    return Question(
        since=await _since(call, asked.get("last-event-id", asked.get("since", "0"))),
        limit=max(limit, 1) if limit is not None else None,  # CouchDB takes 0 for 1
        descending=call.asks("descending"),
        all_leaves=asked.get("style") == "all_docs",
        docs=call.asks("include_docs"),
        wanted=Wanted.of(asked),
        ids=ids,
        keep=keep,
        selects=selects,
        needs_bodies=selects or call.asks("include_docs"),
        seq_interval=max(query.whole_number(asked, "seq_interval") or 1, 1),
        filtered="filter" in asked,
    )


async def _since(call: Call, text: str) -> Seq:
    """A sequence as clients send it back: as text, or as JSON. Raises BadRequest."""
    text = call.request.headers.get("last-event-id", text).strip().strip('"')
    if text == "now":
        return (await call.store.info(call.db)).update_seq
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest("Malformed sequence supplied in 'since' parameter.")
    return int(text)


async def _filter(call: Call, body: Mapping[str, Any]) -> tuple[Keep, Collection[str] | None, bool]:
    """Which rows pass, which ids alone can, and whether passing depends on what documents say."""
    match call.query.get("filter"):
        case None:
            return lambda change, _: call.shows(change.id), None, False
        case "_doc_ids":
            given = body["doc_ids"] if "doc_ids" in body else query.json_value(call.query, "doc_ids")
            if not isinstance(given, list) or not all(isinstance(doc_id, str) for doc_id in given):
                raise BadRequest("`doc_ids` filter parameter is not a list of doc ids.")
            return lambda change, _: call.shows(change.id), frozenset(given), False
        case "_selector":
            if "selector" not in body:
                raise BadRequest("Selector must be specified in POST payload")
            matches = await asyncio.to_thread(mango.compile_selector, body["selector"])

            def keep(change: Change, left: mango.Left) -> bool:
                return call.shows(change.id) and matches(document_of(change), left)

            return keep, None, True
        case "_design" | "_design/_design":  # the second is how PouchDB spells it
            return lambda change, _: change.id.startswith("_design/") and call.shows(change.id), None, False
        case name:
            raise await _no_such_filter(call, name)


async def _no_such_filter(call: Call, name: str) -> Exception:
    kind = "filters"
    if name == "_view":
        kind, name = "views", call.query.get("view", "")
    design, slash, function = name.partition("/")
    if not slash or not design or not function:
        return BadRequest("filter parameter must be of the form `designname/filtername`")
    doc_id = f"_design/{design}"
    found = await call.store.read(call.db, [doc_id], lambda _, tree: [revtree.winner(tree)])
    bodies_ = [orjson.loads(body.json) for doc in found.values() for body in doc.bodies.values()]
    if not any(function in (body.get(kind) or {}) for body in bodies_):
        return NotFound(f"missing json key: {function}" if bodies_ else "missing")
    return NotImplementedHere()


def document_of(change: Change) -> dict[str, Any]:
    """The winner as a selector sees it."""
    body = orjson.loads(change.body.json) if change.body else {}
    body |= {"_id": change.id, "_rev": str(change.leaves[0].rev)}
    if change.leaves[0].deleted:
        body["_deleted"] = True
    if change.body and change.body.attachments:
        body["_attachments"] = {name: wire.stub(file) for name, file in change.body.attachments.items()}
    return body


async def read(call: Call, question: Question, since: Seq, most: int) -> Rows:
    """The next stretch, of at most `most` rows that pass; filters apply before limits."""
    at_once = AT_ONCE if question.filtered else most
    while True:
        found = await call.store.changes(call.db, question.page(at_once, since))
        question = replace(question, instance=found.instance)
        rows = _first(most, await _passing(question, found.rows), found, found.pending)
        if rows.changes or not found.pending:
            return rows
        since = found.last_seq


def _first(most: int | None, passing: tuple[Change, ...], found: Changes, beyond: int) -> Rows:
    """At most so many of the rows that passed; the others lie beyond, with what does so already."""
    if most is None or len(passing) <= most:
        return Rows(passing, found.last_seq, beyond, found.instance)
    last = passing[most - 1]
    return Rows(
        passing[:most], last.seq, beyond + len(found.rows) - found.rows.index(last) - 1, found.instance
    )


async def _passing(question: Question, rows: Sequence[Change]) -> tuple[Change, ...]:
    """Those that pass. A selector works beside the event loop, which others wait for."""
    if question.selects:
        return await asyncio.to_thread(_selected, question.keep, rows)
    return tuple([change for change in rows if question.keep(change, lambda: math.inf)])


def _selected(matches: Keep, rows: Sequence[Change]) -> tuple[Change, ...]:
    """Raises BadRequest where it takes too long."""
    until = time.monotonic() + LONGEST_SELECTING

    def left() -> float:
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise BadRequest("The selector takes too long.")
        return seconds

    return tuple([change for change in rows if left() and matches(change, left)])


async def stretches(call: Call, question: Question) -> AsyncIterator[Rows]:
    """All that is asked for and there, a stretch at a time; at least one."""
    if question.descending:
        async for rows in _down(call, question):
            yield rows
        return
    left, since = question.limit, question.since
    while True:
        most = AT_ONCE if left is None else min(left, AT_ONCE)
        rows = await read(call, question, since, most)
        yield rows
        since, question = rows.last_seq, replace(question, instance=rows.instance)
        if left is not None:
            left -= len(rows.changes)
        if left == 0 or not rows.pending:
            return


async def _down(call: Call, question: Question) -> AsyncIterator[Rows]:
    """From the newest change down, as CouchDB's without regard to `since`, and as of one moment.

    A document that is edited meanwhile moves to the top, where this reader has been: so what is longer than
    a page is read by a list of the documents that were there.
    """
    left = question.limit
    at_once = AT_ONCE if left is None or question.filtered else min(left, AT_ONCE)
    found = await call.store.changes(call.db, question.page(at_once))
    question = replace(question, instance=found.instance)
    rows = _first(left, await _passing(question, found.rows), found, found.pending)
    if not found.pending or len(rows.changes) == left:
        yield rows
        return
    order = await call.store.newest(call.db, question.ids, found.instance)
    place = 0
    if not order:  # all of it was purged meanwhile
        yield Rows((), found.last_seq, 0, found.instance)
    while place < len(order) and left != 0:
        some = order[place : place + AT_ONCE]
        found = await call.store.changes(call.db, question.page(AT_ONCE, keys=some))
        place += len(some) - found.pending
        rows = _first(left, await _passing(question, found.rows), found, len(order) - place)
        yield rows
        left = None if left is None else left - len(rows.changes)


async def normal(call: Call, question: Question) -> Response:
    """Everything that is there now."""
    return await whole_or_long(call.request, _pieces(call, question))


async def _pieces(call: Call, question: Question) -> AsyncIterator[bytes]:
    """The answer, each piece held back until there is another one: the last has the end."""
    writer = RowWriter(call, question)
    piece, fence, rows = b'{"results":[\n', b"", None
    async for rows in stretches(call, question):
        async for _, lines in writer.batches(rows.changes):
            if fence:
                yield piece
                piece = b""
            piece, fence = b"".join([piece, fence, array(lines)]), b",\n"
    assert rows is not None
    yield piece + tail(rows.last_seq, rows.pending)


def tail(last_seq: Seq, pending: int) -> bytes:
    """The end of a feed in one JSON object."""
    return b'\n],\n"last_seq":%b,"pending":%d}\n' % (orjson.dumps(last_seq), pending)


class RowWriter:
    """Renders rows; with `seq_interval`, all but every so manieth go without their sequence.

    CouchDB counts down from the limit: of a batch as long as the interval the first row has its sequence.
    """

    def __init__(self, call: Call, question: Question) -> None:
        self._call = call
        self._question = question
        self._left = question.limit or _NO_LIMIT

    async def batches(self, changes: Sequence[Change]) -> AsyncIterator[tuple[Sequence[Change], list[bytes]]]:
        """One JSON object each, a piece of the answer at a time: documents may have long attachments."""
        if not self._question.docs:  # nothing to await: this is half of what a pull costs
            if changes:
                yield changes, [self._row(change, None) for change in changes]
            return
        lines: list[bytes] = []
        size = start = 0
        for place, change in enumerate(map(_as_told, changes), 1):
            lines.append(self._row(change, await self._doc(change)))
            size += len(lines[-1])
            if size > PIECE or place == len(changes):
                yield changes[start:place], lines
                lines, size, start = [], 0, place

    async def _doc(self, change: Change) -> bytes:
        return await render_winner(self._call, change, self._question.wanted)

    def _row(self, change: Change, doc: bytes | None) -> bytes:
        question = self._question
        shown = self._left % question.seq_interval == 0
        self._left -= 1
        seq = orjson.dumps(change.seq) if shown else b"null"
        return wire.render_change(change, all_leaves=question.all_leaves, seq=seq, doc=doc)


def _as_told(change: Change) -> Change:
    """A winner whose words were erased, and which has not ended yet, goes out as deleted."""
    if change.body is not None:
        return change
    winner, *others = change.leaves
    return change._replace(leaves=(winner._replace(deleted=True), *others), body=Body(b"{}"))


def from_now(question: Question, rows: Rows) -> Question:
    """The question that remains after these rows."""
    left = None if question.limit is None else question.limit - len(rows.changes)
    return replace(question, since=rows.last_seq, limit=left, instance=rows.instance)


ROUTES = [
    Route("GET", "/{db}/_changes", Action.READ, get),
    Route("POST", "/{db}/_changes", Action.READ, post),
]
