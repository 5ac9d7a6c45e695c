"""Local documents: checkpoints and the like, which never replicate."""

from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest, DocumentTooLarge, NotFound
from sync.hooks import Action
from sync.http import bodies
from sync.http.answers import answer, render
from sync.http.routing import Call, Route
from sync.store.interface import Body
from sync.wire import Draft


async def get(call: Call) -> Response:
    """Its revision is `0-N`; it has no history."""
    found = await call.store.local(call.db, call.doc_id)
    if found is None:
        raise NotFound("missing")
    n, body = found
    return answer(wire.render_document(call.doc_id, f"0-{n}", Body(body)) + b"\n")


async def put(call: Call) -> Response:
    """Write it; the number follows the one sent. Attachments are left out, as CouchDB does."""
    body = await bodies.read(call.request, call.parts.limits.request)
    return await answered(call, call.doc_id, wire.parse_local(wire.parse_json(body)))


async def answered(call: Call, doc_id: str, draft: Draft) -> Response:
    """Write it and say its revision. Raises DocumentTooLarge."""
    return render({"ok": True, "id": doc_id, "rev": await store(call, doc_id, draft)}, 201)


async def store(call: Call, doc_id: str, draft: Draft) -> str:
    """Write or (where it says `_deleted`) remove it; answers the revision. Attachments are left out.

    Raises DocumentTooLarge.
    """
    if len(draft.body) > call.parts.limits.local:
        raise DocumentTooLarge(doc_id)
    seen = draft.path[0].generation if draft.path else 0
    n = await call.store.put_local(call.db, doc_id, None if draft.deleted else draft.body, seen)
    return f"0-{n}"


async def delete(call: Call) -> Response:
    """Raises NotFound where it is not there."""
    if await call.store.local(call.db, call.doc_id) is None:
        raise NotFound("missing")
    await call.store.put_local(call.db, call.doc_id, None)
    return render({"ok": True, "id": call.doc_id, "rev": "0-0"})


async def no_files(_: Call) -> Response:
    """Raises BadRequest: local documents have no attachments."""
    raise BadRequest("_local documents do not accept attachments.")


ROUTES = [
    Route("GET", "/{db}/_local/{id}", Action.READ, get),
    Route("PUT", "/{db}/_local/{id}", Action.WRITE, put),
    Route("DELETE", "/{db}/_local/{id}", Action.WRITE, delete),
    Route("GET", "/{db}/_local/{id}/{file}", Action.READ, no_files),
    Route("PUT", "/{db}/_local/{id}/{file}", Action.WRITE, no_files),
    Route("DELETE", "/{db}/_local/{id}/{file}", Action.WRITE, no_files),
]
