"""`_all_docs` and its kin: documents by id."""

from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest, QueryInvalid
from sync.hooks import Action
from sync.http import bodies, query
from sync.http.answers import PIECE, array, whole_or_long
from sync.http.reading import Wanted, inline_files
from sync.http.routing import Call, Route
from sync.store.interface import Change, DatabaseMissing, Document, Seq, Span

_RANGES = frozenset({"key", "startkey", "start_key", "endkey", "end_key"})
_FLAGS = frozenset({"include_docs", "update_seq", "descending", "inclusive_end", "conflicts", "attachments"})

AT_ONCE, NAMED_AT_ONCE = 1000, 10
"""Rows read in one go, and documents that are named by their ids; a longer answer is sent as it is read."""

Options = Mapping[str, str]
"""What is asked, as a query says it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One list that is asked for: documents by their ids, or a range (None: one that holds nothing)."""

    keys: Sequence[Any] | None
    span: Span | None
    docs: bool
    update_seq: bool
    wanted: Wanted
    instance: int | None = None
    """The database that is meant, where another part of the answer was of it."""

    @property
    def at_once(self) -> int:
        """How many rows to read in one go."""
        return NAMED_AT_ONCE if self.docs and self.keys is not None else AT_ONCE


async def all_docs(call: Call) -> Response:
    """All documents, a range, or those whose ids are named."""
    return await _answered(call, await asked_of(call))


async def asked_of(call: Call) -> Asked:
    """What the query asks; in a POST what its body does, too: `keys` or any other option."""
    if call.request.method != "POST":
        return _parse(call.query, query.json_value(call.query, "keys"))
    body = await bodies.read_posted(call.request, call.parts.limits.request)
    return _of_body(call, wire.parse_object(body) if body.strip() else {})


async def _answered(call: Call, asked: Asked) -> Response:
    return await whole_or_long(call.request, _joined(_list(call, asked), b"", b"\n"))


async def queries(call: Call) -> Response:
    """Several lists in one answer. Raises BadRequest."""
    body = wire.parse_object(await bodies.read_posted(call.request, call.parts.limits.request))
    several = body.get("queries")
    if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
        raise BadRequest("POST body must include `queries` parameter.")
    asked = [_of_body(call, one) for one in several]
    instance = (await call.store.info(call.db)).instance  # an error has its status only before the first byte
    lists = _several(call, [replace(one, instance=instance) for one in asked])
    return await whole_or_long(call.request, _joined(lists, b'{"results":[\n', b"\n]}\n"))


async def _several(call: Call, lists: Sequence[Asked]) -> AsyncIterator[bytes]:
    for place, asked in enumerate(lists):
        async for piece in _joined(_list(call, asked), b",\n" if place else b"", b""):
            yield piece


async def _joined(pieces: AsyncIterator[bytes], head: bytes, tail: bytes) -> AsyncIterator[bytes]:
    """The pieces, held back by one, so that what comes before and after them makes no piece of its own."""
    last = head
    first = True
    async for piece in pieces:
        if first:
            last, first = last + piece, False
        else:
            yield last
            last = piece
    yield last + tail


def _of_body(call: Call, body: Mapping[str, Any]) -> Asked:
    """What a body asks; its options go before those of the query."""
    options = {name: wire.to_json(value).decode() for name, value in body.items() if name != "keys"}
    return _parse({**call.query, **options}, body.get("keys"))


def _parse(asked: Options, keys: object) -> Asked:
    """Raises BadRequest, QueryInvalid, InvalidJSON."""
    asked = {**asked, **query.flags(asked, _FLAGS)}
    docs, update_seq = asked.get("include_docs") == "true", asked.get("update_seq") == "true"
    if keys is None:
        return Asked(None, _span(asked), docs, update_seq, Wanted.of(asked))
    if not isinstance(keys, list):
        raise BadRequest("`keys` body member must be an array.")
    if _RANGES & asked.keys():
        raise QueryInvalid("`keys` is incompatible with `key`, `start_key` and `end_key`")
    if asked.get("descending") == "true":
        keys = keys[::-1]
    skip, limit = query.whole_number(asked, "skip") or 0, query.whole_number(asked, "limit")
    return Asked(keys[skip:][:limit], None, docs, update_seq, Wanted.of(asked))


async def _list(call: Call, asked: Asked) -> AsyncIterator[bytes]:
    """One list in pieces; the last has its end."""
    if asked.keys is not None:
        rows = _key_rows(call, asked, asked.keys)
    elif asked.span is not None:
        rows = _range_rows(call, asked, asked.span)
    else:
        yield b'{"total_rows":%d,"offset":0,"rows":[]}' % (await call.store.info(call.db)).doc_count
        return
    head, fence = await anext(rows), b""
    async for some in rows:
        if some:
            yield b"".join([head, fence, some])
            head, fence = b"", b",\n"
    yield head + b"\n]}"


async def _range_rows(call: Call, asked: Asked, span: Span) -> AsyncIterator[bytes]:
    """How the list begins, then its rows, a page at a time."""
    left, page = span.limit, replace(span, instance=asked.instance)
    while True:
        most = asked.at_once if left is None else min(left, asked.at_once)
        listing = await call.store.listing(call.db, replace(page, limit=most, room=PIECE))
        if page.after is None:
            yield _head(asked, listing.total, b"%d" % listing.offset, listing.update_seq)
        shown = [change for change in listing.rows if call.shows(change.id)]
        async for piece in _in_pieces(_row(call, change, asked.wanted) for change in shown):
            yield piece
        if left is not None:
            left -= len(listing.rows)
        if left == 0 or not listing.more:
            return
        page = replace(span, after=listing.rows[-1].id, skip=0, instance=listing.instance)


async def _in_pieces(rows: Iterable[Awaitable[bytes]]) -> AsyncIterator[bytes]:
    """Rows, each made when it is its turn: documents may have long attachments."""
    made: list[bytes] = []
    size = 0
    for row in rows:
        made.append(await row)
        size += len(made[-1])
        if size > PIECE:
            yield array(made)
            made, size = [], 0
    yield array(made)


def _head(asked: Asked, total: int, offset: bytes, update_seq: Seq) -> bytes:
    seq = b'"update_seq":%b,' % orjson.dumps(update_seq) if asked.update_seq else b""
    return b'{"total_rows":%d,"offset":%b,%b"rows":[\n' % (total, offset, seq)


def _span(asked: Options) -> Span | None:
    """The range that is asked for, None where it holds nothing. Raises QueryInvalid, InvalidJSON."""
    key = query.json_value(asked, "key")
    start, end = (
        (key, key)
        if "key" in asked
        else (
            query.json_value(asked, "startkey", "start_key"),
            query.json_value(asked, "endkey", "end_key"),
        )
    )
    descending = asked.get("descending") == "true"
    low, high = (end, start) if descending else (start, end)
    if isinstance(low, list | dict) or isinstance(high, bool | int | float):
        return None  # ids are text, which stands after numbers and before arrays
    return Span(
        start=start if isinstance(start, str) else None,
        end=end if isinstance(end, str) else None,
        inclusive_end=asked.get("inclusive_end") != "false",
        descending=descending,
        skip=query.whole_number(asked, "skip") or 0,
        limit=query.whole_number(asked, "limit"),
        bodies=asked.get("include_docs") == "true",
    )


async def _row(call: Call, change: Change, wanted: Wanted) -> bytes:
    doc_id = orjson.dumps(change.id)
    doc = b""
    if change.body is not None:
        doc = b',"doc":' + await render_winner(call, change, wanted)
    return b'{"id":%b,"key":%b,"value":{"rev":"%b"}%b}' % (
        doc_id,
        doc_id,
        orjson.dumps(str(change.leaves[0].rev))[1:-1],
        doc,
    )


async def render_winner(call: Call, change: Change, wanted: Wanted) -> bytes:
    """The winner of a row that was read with its body."""
    assert change.body is not None
    files = b""
    if wanted.attachments and change.body.attachments:
        files = await inline_files(call.store, change.body, lambda _: True)
    return wire.render_document(
        change.id,
        change.leaves[0].rev,
        change.body,
        deleted=change.leaves[0].deleted,
        extra=wire.render_conflicts(change.leaves) if wanted.conflicts else b"",
        files=files,
    )


async def _key_rows(call: Call, asked: Asked, keys: Sequence[Any]) -> AsyncIterator[bytes]:
    """A row for each key, in the order that was asked; deleted documents have theirs too."""
    about = await call.store.info(call.db)
    instance = about.instance if asked.instance is None else asked.instance
    yield _head(asked, about.doc_count, b"null", about.update_seq)
    for start in range(0, len(keys), asked.at_once):
        some = keys[start : start + asked.at_once]
        shown = {key for key in some if isinstance(key, str) and call.shows(key)}
        found = await read_winners(call, shown, asked)
        if (await call.store.info(call.db)).instance != instance:
            raise DatabaseMissing(call.db)
        async for piece in _in_pieces(key_row(call, key, found, asked) for key in some):
            yield piece


async def read_winners(call: Call, ids: Collection[str], asked: Asked) -> Mapping[str, Document]:
    """Documents by their ids, with their winners where documents are asked for."""
    return await call.store.read(
        call.db, ids, lambda _, tree: [wire.leaves_of(tree)[0].rev] if asked.docs else ()
    )


async def key_row(call: Call, key: Any, found: Mapping[str, Document], asked: Asked) -> bytes:
    """The row of one key, which may be anything, of what was found."""
    document = found.get(key) if isinstance(key, str) else None
    if document is None:
        return wire.to_json({"key": key, "error": "not_found"})
    leaves = wire.leaves_of(document.tree)
    change = Change(0, key, leaves, document.bodies.get(leaves[0].rev))
    if leaves[0].deleted:
        value = {"rev": str(leaves[0].rev), "deleted": True}
        return orjson.dumps({"id": key, "key": key, "value": value} | ({"doc": None} if asked.docs else {}))
    return await _row(call, change, asked.wanted)


ROUTES = [
    Route("GET", "/{db}/_all_docs", Action.READ, all_docs),
    Route("POST", "/{db}/_all_docs", Action.READ, all_docs),
    Route("POST", "/{db}/_all_docs/queries", Action.READ, queries),
]
