"""Many documents in one request: what is missing, and writing them (`bulk_get` reads them)."""

from collections.abc import Mapping, Sequence
from functools import partial

import orjson
from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest
from sync.hooks import Action
from sync.http import accept, bodies, local
from sync.http.answers import answer, compressed, render
from sync.http.routing import Call, Route
from sync.rev import Rev
from sync.store.names import untold
from sync.wire import BulkDocs


async def revs_diff(call: Call) -> Response:
    """Which of these revisions are not here."""
    asked = wire.parse_revs_by_id(await bodies.read_posted(call.request, call.parts.limits.request))
    return compressed(call.request, answer(await _missing(call, asked) + b"\n"))


async def missing_revs(call: Call) -> Response:
    """The same in the older form."""
    asked = wire.parse_revs_by_id(await bodies.read_posted(call.request, call.parts.limits.request))
    missing = orjson.loads(await _missing(call, asked))
    return render({"missing_revs": {doc_id: row["missing"] for doc_id, row in missing.items()}})


async def _missing(call: Call, asked: Mapping[str, Sequence[Rev]]) -> bytes:
    trees = await call.store.trees(call.db, asked)
    named = [(doc_id, rev) for doc_id, revs in asked.items() for rev in revs]
    accepted = partial(call.parts.application.accepted, call.caller, call.db)
    bare = await untold(call.store, call.db, named, trees, accepted)
    return wire.render_missing(asked, trees, bare)


async def bulk_docs(call: Call) -> Response:
    """Write documents: edits of this database, or revisions as another made them (rows for errors only)."""
    bulk = wire.parse_bulk_docs(await bodies.read_posted(call.request, call.parts.limits.request))
    accept.check_size(call, bulk.drafts)
    if any(draft.follows for draft in bulk.drafts):
        raise BadRequest("Attachments that follow need a multipart/related body.")
    rows = await (_write(call, bulk) if bulk.new_edits else _graft(call, bulk))
    return compressed(call.request, render(rows, 201))


async def _graft(call: Call, bulk: BulkDocs) -> list[accept.Row]:
    named = [(draft.id or call.parts.uuid(), draft) for draft in bulk.drafts]
    for doc_id, draft in named:
        if doc_id.startswith("_local/"):
            await local.store(call, doc_id, draft)
    edits = [draft.edit(doc_id) for doc_id, draft in named if not doc_id.startswith("_local/")]
    return [accept.refused_row(refused) for refused in await accept.graft(call, edits)]


async def _write(call: Call, bulk: BulkDocs) -> list[accept.Row]:
    named = [(draft.id or call.parts.uuid(), draft) for draft in bulk.drafts]
    writes = [draft.write(doc_id) for doc_id, draft in named if not doc_id.startswith("_local/")]
    outcomes = iter(await accept.write(call, writes))
    return [
        {"ok": True, "id": doc_id, "rev": await local.store(call, doc_id, draft)}
        if doc_id.startswith("_local/")
        else accept.outcome_row(doc_id, next(outcomes))
        for doc_id, draft in named
    ]


ROUTES = [
    Route("POST", "/{db}/_revs_diff", Action.READ, revs_diff),
    Route("POST", "/{db}/_missing_revs", Action.READ, missing_revs),
    Route("POST", "/{db}/_bulk_docs", Action.WRITE, bulk_docs),
]
