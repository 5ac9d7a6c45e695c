"""`_all_docs` and its kin: documents by id."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest, QueryInvalid
from sync.hooks import Action
from sync.http import bodies, query
from sync.http.answers import answer, array, compressed, render
from sync.http.reading import Wanted, inline_files
from sync.http.routing import Call, Route
from sync.store.interface import Change, Document, Span

_RANGES = frozenset({"key", "startkey", "start_key", "endkey", "end_key"})


Options = Mapping[str, str]
"""What is asked, as a query says it."""


async def get(call: Call) -> Response:
    """All documents, a range, or those whose ids are named."""
    return _answered(call, await _listed(call, call.query, query.json_value(call.query, "keys")))


async def post(call: Call) -> Response:
    """The same, with `keys` or any other option in the body."""
    body = await bodies.read_posted(call.request, call.parts.limits.request)
    return _answered(call, await _asked(call, wire.parse_object(body) if body.strip() else {}))


async def queries(call: Call) -> Response:
    """Several lists in one answer. Raises BadRequest."""
    body = wire.parse_object(await bodies.read_posted(call.request, call.parts.limits.request))
    several = body.get("queries")
    if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
        raise BadRequest("POST body must include `queries` parameter.")
    lists = [await _asked(call, one) for one in several]
    return _answered(call, b'{"results":[\n' + array(lists) + b"\n]}")


def _answered(call: Call, body: bytes) -> Response:
    return compressed(call.request, answer(body + b"\n"))


async def _asked(call: Call, body: Mapping[str, Any]) -> bytes:
    """What a body asks; its options go before those of the query."""
    options = {name: wire.to_json(value).decode() for name, value in body.items() if name != "keys"}
    return await _listed(call, {**call.query, **options}, body.get("keys"))


async def _listed(call: Call, asked: Options, keys: object) -> bytes:
    return await (_range(call, asked) if keys is None else _keys(call, asked, keys))


async def _range(call: Call, asked: Options) -> bytes:
    span = _span(asked)
    if span is None:
        return b'{"total_rows":%d,"offset":0,"rows":[]}' % (await call.store.info(call.db)).doc_count
    listing = await call.store.listing(call.db, span)
    wanted = Wanted.of(asked)
    rows = [await _row(call, change, wanted) for change in listing.rows if call.shows(change.id)]
    head = b'{"total_rows":%d,"offset":%d,' % (listing.total, listing.offset)
    if asked.get("update_seq") == "true":
        head += b'"update_seq":%b,' % orjson.dumps(listing.update_seq)
    return head + b'"rows":[\n' + array(rows) + b"\n]}"


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


async def _keys(call: Call, asked: Options, keys: Any) -> bytes:
    """A row for each key, in the order that was asked; deleted documents have theirs too."""
    if not isinstance(keys, list):
        raise BadRequest("`keys` body member must be an array.")
    if _RANGES & asked.keys():
        raise QueryInvalid("`keys` is incompatible with `key`, `start_key` and `end_key`")
    shown = {key for key in keys if isinstance(key, str) and call.shows(key)}
    with_docs = asked.get("include_docs") == "true"
    found = await call.store.read(
        call.db, shown, lambda _, tree: [wire.leaves_of(tree)[0].rev] if with_docs else ()
    )
    about = await call.store.info(call.db)
    skip, limit = query.whole_number(asked, "skip") or 0, query.whole_number(asked, "limit")
    if asked.get("descending") == "true":
        keys = keys[::-1]
    wanted = Wanted.of(asked)
    rows = [await _key_row(call, key, found, wanted, with_docs) for key in keys[skip:][:limit]]
    head = b'{"total_rows":%d,"offset":null,' % about.doc_count
    if asked.get("update_seq") == "true":
        head += b'"update_seq":%b,' % orjson.dumps(about.update_seq)
    return head + b'"rows":[\n' + array(rows) + b"\n]}"


async def _key_row(call: Call, key: Any, found: Any, wanted: Wanted, with_docs: bool) -> bytes:
    document: Document | None = found.get(key) if isinstance(key, str) else None
    if document is None:
        return wire.to_json({"key": key, "error": "not_found"})
    leaves = wire.leaves_of(document.tree)
    change = Change(0, key, leaves, document.bodies.get(leaves[0].rev))
    if leaves[0].deleted:
        value = {"rev": str(leaves[0].rev), "deleted": True}
        return orjson.dumps({"id": key, "key": key, "value": value} | ({"doc": None} if with_docs else {}))
    return await _row(call, change, wanted)


async def design_docs(call: Call) -> Response:
    """Documents under `_design/`."""
    span = Span("_design/", "_design0", inclusive_end=False, bodies=call.asks("include_docs"))
    listing = await call.store.listing(call.db, span)
    rows = [await _row(call, change, Wanted.of(call.query)) for change in listing.rows]
    head = b'{"total_rows":%d,"offset":0,"rows":[\n' % len(rows)
    return compressed(call.request, answer(head + array(rows) + b"\n]}\n"))


async def local_docs(call: Call) -> Response:
    """The `_local` documents."""
    rows: list[dict[str, object]] = [
        {"id": doc_id, "key": doc_id, "value": {"rev": f"0-{n}"}}
        | (
            {"doc": {"_id": doc_id, "_rev": f"0-{n}", **orjson.loads(body)}}
            if call.asks("include_docs")
            else {}
        )
        for doc_id, n, body in await call.store.locals(call.db)
    ]
    return render({"total_rows": len(rows), "offset": 0, "rows": rows})


ROUTES = [
    Route("GET", "/{db}/_all_docs", Action.READ, get),
    Route("POST", "/{db}/_all_docs", Action.READ, post),
    Route("POST", "/{db}/_all_docs/queries", Action.READ, queries),
    Route("GET", "/{db}/_design_docs", Action.READ, design_docs),
    Route("GET", "/{db}/_local_docs", Action.ADMIN, local_docs),
]
