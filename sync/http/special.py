"""`_design_docs` and `_local_docs`: few documents each, asked for as `_all_docs` is."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from sync import wire
from sync.hooks import Action
from sync.http.answers import answer, array, compressed
from sync.http.listing import Asked, asked_of, key_row, read_winners
from sync.http.routing import Call, Route
from sync.store.interface import Span


async def design_docs(call: Call) -> Response:
    """Documents under `_design/`."""
    asked = await asked_of(call)
    every = (await call.store.listing(call.db, Span("_design/", "_design0", inclusive_end=False))).rows
    ids = [change.id for change in every if call.shows(change.id)]
    offset, keys = (0, asked.keys) if asked.keys is not None else _chosen(ids, asked.span)
    mine = {key for key in keys if isinstance(key, str) and key.startswith("_design/") and call.shows(key)}
    found = await read_winners(call, mine, asked)
    return _answer(call, len(ids), offset, [await key_row(call, key, found, asked) for key in keys])


async def local_docs(call: Call) -> Response:
    """The `_local` documents."""
    asked = await asked_of(call)
    there = {doc_id: (n, body) for doc_id, n, body in await call.store.locals(call.db)}
    offset, ids = (0, asked.keys) if asked.keys is not None else _chosen(list(there), asked.span)
    rows = [
        _local_row(key, *there[key], asked) if isinstance(key, str) and key in there else _not_found(key)
        for key in ids
    ]
    return _answer(call, len(there), offset, rows)


def _local_row(doc_id: str, n: int, body: bytes, asked: Asked) -> bytes:
    rev = f"0-{n}"
    row: dict[str, object] = {"id": doc_id, "key": doc_id, "value": {"rev": rev}}
    if asked.docs:
        row["doc"] = {"_id": doc_id, "_rev": rev, **orjson.loads(body)}
    return orjson.dumps(row)


def _not_found(key: Any) -> bytes:
    return wire.to_json({"key": key, "error": "not_found"})


def _chosen(ids: Sequence[str], span: Span | None) -> tuple[int, Sequence[str]]:
    """Those of all ids, which ascend, that lie in a range (None: an empty one), and where they start."""
    if span is None:
        return 0, []
    low, high = (span.end, span.start) if span.descending else (span.start, span.end)
    within = [
        place
        for place, doc_id in enumerate(ids)
        if (low is None or doc_id >= low)
        and (high is None or doc_id <= high)
        and (span.inclusive_end or doc_id != span.end)
    ]
    places = (within[::-1] if span.descending else within)[span.skip :][: span.limit]
    if not places:
        return 0, []
    return len(ids) - 1 - places[0] if span.descending else places[0], [ids[place] for place in places]


def _answer(call: Call, total: int, offset: int, rows: Sequence[bytes]) -> Response:
    head = b'{"total_rows":%d,"offset":%d,"rows":[\n' % (total, offset)
    return compressed(call.request, answer(head + array(rows) + b"\n]}\n"))


ROUTES = [
    Route("GET", "/{db}/_design_docs", Action.READ, design_docs),
    Route("POST", "/{db}/_design_docs", Action.READ, design_docs),
    Route("GET", "/{db}/_local_docs", Action.ADMIN, local_docs),
    Route("POST", "/{db}/_local_docs", Action.ADMIN, local_docs),
]
