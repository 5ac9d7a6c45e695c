"""One database: what it is, and new documents without an id of their own."""

from starlette.responses import Response

from sync import wire
from sync.hooks import Action
from sync.http import bodies, documents, local
from sync.http.answers import render
from sync.http.routing import Call, Route
from sync.store.interface import Info


async def info(call: Call) -> Response:
    """`GET /db`."""
    return render(told(await call.store.info(call.db)))


def told(about: Info) -> dict[str, object]:
    """A database as CouchDB describes it."""
    return {
        "db_name": about.name,
        "update_seq": about.update_seq,
        "doc_count": about.doc_count,
        "doc_del_count": about.deleted_count,
        "purge_seq": 0,
        "sizes": {"file": about.size, "active": about.size, "external": about.size},
        "props": {},
        "compact_running": False,
        "disk_format_version": 8,
        "instance_start_time": "0",
        "cluster": {"q": 1, "n": 1, "w": 1, "r": 1},
    }


async def post(call: Call) -> Response:
    """Write one document; it gets an id where it has none."""
    bodies.require_json(call.request)
    body = await bodies.read(call.request, call.parts.limits.request)
    draft = wire.parse_any(wire.parse_json(body))
    if draft.id and draft.id.startswith("_local/"):
        return await local.answered(call, draft.id, draft)
    replicated = call.query.get("new_edits") == "false"
    return await documents.store(call, draft.id or call.parts.uuid(), draft, replicated=replicated)


async def ensure_full_commit(call: Call) -> Response:
    """Everything that was answered is on disk already."""
    bodies.require_json(call.request)
    await call.store.info(call.db)
    return render({"ok": True, "instance_start_time": "0"}, 201)


ROUTES = [
    Route("GET", "/{db}", Action.READ, info),
    Route("POST", "/{db}", Action.WRITE, post),
    Route("POST", "/{db}/_ensure_full_commit", Action.WRITE, ensure_full_commit),
]
