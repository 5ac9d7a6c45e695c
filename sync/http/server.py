"""The server as a whole: its greeting, its databases by name, identifiers."""

from urllib.parse import quote

from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest
from sync.hooks import Action
from sync.http import query
from sync.http.answers import render
from sync.http.routing import Call, Route

# What clients look at: `couchdb` at all, and the version for what they may rely on.
GREETING = {"couchdb": "Welcome", "version": "3.5.0", "vendor": {"name": "Camket"}, "features": []}

MOST_UUIDS = 1000


async def greet(_: Call) -> Response:
    """`GET /`."""
    return render(GREETING)


async def up(_: Call) -> Response:
    """Whether the server takes requests."""
    return render({"status": "ok", "seeds": {}})


async def all_dbs(call: Call) -> Response:
    """The names of the databases, in order."""
    names = await call.store.names()
    if call.asks("descending"):
        names.reverse()
    skip, limit = query.whole_number(call.query, "skip") or 0, query.whole_number(call.query, "limit")
    return render(names[skip:][:limit])


async def uuids(call: Call) -> Response:
    """Fresh identifiers."""
    count = query.whole_number(call.query, "count")
    if count is not None and count > MOST_UUIDS:
        raise BadRequest("count parameter too large")
    fresh = [call.parts.uuid() for _ in range(1 if count is None else count)]
    return render({"uuids": fresh}, headers={"Cache-Control": "no-cache"})


async def create(call: Call) -> Response:
    """`PUT /db`. Raises InvalidName, DatabaseExists."""
    await call.store.create(wire.parse_database_name(call.db))
    return render({"ok": True}, 201, {"Location": f"/{quote(call.db, safe='')}"})


async def drop(call: Call) -> Response:
    """`DELETE /db`."""
    if "rev" in call.query:
        raise BadRequest(
            "You tried to DELETE a database with a ?=rev parameter. "
            "Did you mean to DELETE a document instead?"
        )
    await call.store.drop(call.db)
    return render({"ok": True})


ROUTES = [Route("GET", "/", Action.READ, greet), Route("GET", "/_up", Action.READ, up)]
ADMIN_ROUTES = [
    Route("GET", "/_all_dbs", Action.READ, all_dbs),
    Route("GET", "/_uuids", Action.READ, uuids),
    Route("PUT", "/{db}", Action.ADMIN, create),
    Route("DELETE", "/{db}", Action.ADMIN, drop),
]
