"""The server as a whole: its greeting, its databases by name, identifiers."""

from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest
from sync.hooks import Action
from sync.http import bodies, database, query
from sync.http.answers import render
from sync.http.routing import Call, Route
from sync.store.interface import DatabaseMissing

# What clients look at: `couchdb` at all, and the version for what they may rely on.
GREETING = {"couchdb": "Welcome", "version": "3.5.0", "vendor": {"name": "Camket"}, "features": []}

MOST_UUIDS = 1000
MOST_INFOS = 100


async def greet(_: Call) -> Response:
    """`GET /`."""
    return render(GREETING)


async def up(_: Call) -> Response:
    """Whether the server takes requests."""
    return render({"status": "ok", "seeds": {}})


async def all_dbs(call: Call) -> Response:
    """The names of the databases, in order."""
    return render(await _names(call))


async def _names(call: Call) -> list[str]:
    """The names that are asked for. Raises QueryInvalid, InvalidJSON."""
    start = query.json_value(call.query, "startkey", "start_key")
    end = query.json_value(call.query, "endkey", "end_key")
    descending = call.asks("descending")
    low, high = (end, start) if descending else (start, end)
    names = [
        name
        for name in await call.store.names()
        if (not isinstance(low, str) or name >= low) and (not isinstance(high, str) or name <= high)
    ]
    if descending:
        names.reverse()
    skip, limit = query.whole_number(call.query, "skip") or 0, query.whole_number(call.query, "limit")
    return names[skip:][:limit]


async def dbs_info(call: Call) -> Response:
    """What `GET /db` tells, of all databases or (POST) of those that are named."""
    if call.request.method != "POST":
        return render([await _info(call, name) for name in await _names(call)])
    keys = wire.parse_object(await bodies.read_posted(call.request, 10**6)).get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_INFOS:
        raise BadRequest(f"`keys` must be an array of at most {MOST_INFOS} names of databases.")
    return render([await _info(call, key) for key in keys])


async def _info(call: Call, name: object) -> dict[str, object]:
    try:
        return {"key": name, "info": database.told(await call.store.info(str(name)))}
    except DatabaseMissing:
        return {"key": name, "error": "not_found"}


async def active_tasks(_: Call) -> Response:
    """None: what takes long here is answered when it is done."""
    return render([])


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
    return render({"ok": True}, 201, call.location())


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
    Route("GET", "/_all_dbs", Action.ADMIN, all_dbs),
    Route("GET", "/_dbs_info", Action.ADMIN, dbs_info),
    Route("POST", "/_dbs_info", Action.ADMIN, dbs_info),
    Route("GET", "/_active_tasks", Action.ADMIN, active_tasks),
    Route("GET", "/_uuids", Action.READ, uuids),
    Route("PUT", "/{db}", Action.ADMIN, create),
    Route("DELETE", "/{db}", Action.ADMIN, drop),
]
