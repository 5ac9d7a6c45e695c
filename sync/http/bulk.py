"""Many documents in one request: what is missing, reading them, writing them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from sync import multipart, wire
from sync.errors import BadRequest, PeerError
from sync.hooks import Action
from sync.http import accept, bodies, local
from sync.http.answers import answer, compressed, render
from sync.http.reading import Wanted, file_parts, render_revision
from sync.http.routing import Call, Route
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Document
from sync.wire import BulkDocs


async def body_of(call: Call) -> bytes:
    """The JSON body of a POST."""
    bodies.require_json(call.request)
    return await bodies.read(call.request, call.parts.limits.request)


async def revs_diff(call: Call) -> Response:
    """Which of these revisions are not here."""
    asked = wire.parse_revs_by_id(await body_of(call))
    trees = await call.store.trees(call.db, asked)
    return compressed(call.request, answer(wire.render_missing(asked, trees) + b"\n"))


async def missing_revs(call: Call) -> Response:
    """The same in the older form."""
    asked = wire.parse_revs_by_id(await body_of(call))
    trees = await call.store.trees(call.db, asked)
    missing = orjson.loads(wire.render_missing(asked, trees))
    return render({"missed_revs": {doc_id: row["missing"] for doc_id, row in missing.items()}})


async def bulk_docs(call: Call) -> Response:
    """Write documents: edits of this database, or revisions as another made them (rows for errors only)."""
    bulk = wire.parse_bulk_docs(await body_of(call))
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


# --- _bulk_get ----------------------------------------------------------------------------------------------


Asked = tuple[str, Rev | None, Sequence[Rev] | None]
"""An id, a revision (None for every leaf), and what the peer has already of its attachments."""


async def bulk_get(call: Call) -> Response:
    """Read revisions: a row for each that is asked, errors as rows; JSON, or multipart if it is asked for."""
    docs = wire.parse_object(await body_of(call)).get("docs")
    if not isinstance(docs, list):
        raise BadRequest("Missing JSON list of 'docs'.")
    wanted = Wanted.of(call.query)
    asked = [_parse_asked(item) for item in docs]
    of_id: dict[str, list[Rev | None]] = {}
    for item in asked:
        if isinstance(item, tuple) and call.shows(item[0]):
            of_id.setdefault(item[0], []).append(item[1])

    def choose(doc_id: str, tree: Tree) -> list[Rev]:
        return [rev for one in of_id[doc_id] for rev in wanted.of_many(tree, None if one is None else [one])]

    found = await call.store.read(call.db, of_id, choose)
    header = call.request.headers.get("accept", "")
    if "multipart/" in header and "application/json" not in header:
        return await _as_multipart(call, asked, found, wanted)
    rows = [await _row(call, item, found, wanted) for item in asked]
    return compressed(call.request, answer(b'{"results":[' + b",".join(rows) + b"]}\n"))


def _parse_asked(item: Any) -> Asked | bytes:
    """What is asked for, or the row that says what is wrong with it."""
    doc_id = item.get("id") if isinstance(item, dict) else None
    rev = item.get("rev") if isinstance(item, dict) else None
    try:
        since = item.get("atts_since") if isinstance(item, dict) else None
        known = [wire.parse_rev(text) for text in since] if isinstance(since, list) else None
        return wire.check_doc_id(doc_id), None if rev is None else wire.parse_rev(rev), known
    except PeerError as error:
        return _error_row(doc_id, rev, error.error, error.reason)


def _error_row(doc_id: object, rev: object, name: str, reason: str) -> bytes:
    error = {"id": doc_id, "rev": rev, "error": name, "reason": reason}
    return wire.to_json({"id": doc_id, "docs": [{"error": error}]})


async def _row(call: Call, item: Asked | bytes, found: Any, wanted: Wanted) -> bytes:
    if isinstance(item, bytes):
        return item
    doc_id, rev, since = item
    document, revs, options = _resolved(doc_id, rev, since, found, wanted)
    if document is None or not revs:
        return _error_row(doc_id, "undefined" if rev is None else str(rev), "not_found", "missing")
    docs = [
        b'{"ok":%b}' % await render_revision(call.store, doc_id, document, one, options)
        if one in document.bodies
        else b'{"error":%b}'
        % orjson.dumps({"id": doc_id, "rev": str(one), "error": "not_found", "reason": "missing"})
        for one in revs
    ]
    return b'{"id":%b,"docs":[%b]}' % (orjson.dumps(doc_id), b",".join(docs))


def _resolved(
    doc_id: str, rev: Rev | None, since: Sequence[Rev] | None, found: Mapping[str, Document], wanted: Wanted
) -> tuple[Document | None, Sequence[Rev], Wanted]:
    document = found.get(doc_id)
    if document is None:
        return None, (), wanted
    options = wanted if since is None else wanted.since(since)
    return document, wanted.of_many(document.tree, None if rev is None else [rev]), options


async def _as_multipart(
    call: Call, asked: Sequence[Asked | bytes], found: Mapping[str, Document], wanted: Wanted
) -> Response:
    """Each revision a part of its own, those with attachments a multipart/related within."""
    parts: list[multipart.Part] = []
    for item in asked:
        if isinstance(item, bytes):
            parts.append(_error_part(item))
            continue
        doc_id, rev, since = item
        document, revs, options = _resolved(doc_id, rev, since, found, wanted)
        if document is None or not revs:
            name = "undefined" if rev is None else str(rev)
            parts.append(_error_part(_error_row(doc_id, name, "not_found", "missing")))
            continue
        for one in revs:
            if one not in document.bodies:
                parts.append(_error_part(_error_row(doc_id, str(one), "not_found", "missing")))
            else:
                parts.append(await _part(call, doc_id, document, one, options))
    boundary = call.parts.uuid()
    return Response(multipart.join(parts, boundary), media_type=f'multipart/mixed; boundary="{boundary}"')


def _error_part(row: bytes) -> multipart.Part:
    error = orjson.loads(row)["docs"][0]["error"]
    return multipart.Part({"Content-Type": 'application/json; error="true"'}, orjson.dumps(error))


async def _part(call: Call, doc_id: str, document: Document, rev: Rev, wanted: Wanted) -> multipart.Part:
    boundary = call.parts.uuid()
    headers = {"X-Doc-Id": orjson.dumps(doc_id).decode(), "X-Rev-Id": orjson.dumps(str(rev)).decode()}
    if not document.bodies[rev].attachments:
        body = await render_revision(call.store, doc_id, document, rev, wanted)
        return multipart.Part({**headers, "Content-Type": "application/json"}, body)
    parts = await file_parts(call.store, doc_id, document, rev, wanted)
    kind = f'multipart/related; boundary="{boundary}"'
    return multipart.Part({**headers, "Content-Type": kind}, multipart.join(parts, boundary))


ROUTES = [
    Route("POST", "/{db}/_revs_diff", Action.READ, revs_diff),
    Route("POST", "/{db}/_missing_revs", Action.READ, missing_revs),
    Route("POST", "/{db}/_bulk_docs", Action.WRITE, bulk_docs),
    Route("POST", "/{db}/_bulk_get", Action.READ, bulk_get),
]
