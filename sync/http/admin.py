"""Housekeeping over HTTP, for administrators of the bare engine."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from sync import revtree, wire
from sync.errors import BadRequest, NotFound, NotImplementedHere
from sync.hooks import Action
from sync.http import bodies
from sync.http.answers import answer, render
from sync.http.routing import Call, Route


async def purge(call: Call) -> Response:
    """Forget leaves, bytes included."""
    bodies.require_json(call.request)
    asked = wire.parse_revs_by_id(await bodies.read(call.request, call.parts.limits.request))
    purged = await call.store.purge(call.db, asked)
    await call.parts.application.observe(call.db, purged)
    told = {doc_id: [str(rev) for rev in revs] for doc_id, revs in purged.items()}
    return render({"purge_seq": None, "purged": told}, 201)


async def compact(call: Call) -> Response:
    """Drop what no leaf needs; answered when it is done."""
    bodies.require_json(call.request)
    await call.store.compact(call.db)
    return render({"ok": True}, 202)


async def view_cleanup(call: Call) -> Response:
    """There are no views to clean up after."""
    bodies.require_json(call.request)
    await call.store.info(call.db)
    return render({"ok": True}, 202)


async def get_revs_limit(call: Call) -> Response:
    """How many generations are remembered."""
    return render((await call.store.info(call.db)).revs_limit)


async def put_revs_limit(call: Call) -> Response:
    """Raises BadRequest where it is no positive number."""
    limit = wire.parse_json(await bodies.read(call.request, call.parts.limits.request))
    if type(limit) is not int or not 1 <= limit <= wire.MAX_GENERATION:
        raise BadRequest("`revs_limit` must be a positive integer")
    await call.store.set_revs_limit(call.db, limit)
    return render({"ok": True})


async def get_security(call: Call) -> Response:
    """The security object, as it was put."""
    return answer(await call.store.security(call.db) + b"\n")


async def put_security(call: Call) -> Response:
    """It is kept for those who read it; the application decides who may do what."""
    body = await bodies.read(call.request, call.parts.limits.request)
    security = wire.parse_object(body)
    _check_security(security)
    await call.store.set_security(call.db, wire.to_json(security))
    return render({"ok": True})


def _check_security(security: Mapping[str, Any]) -> None:
    """Raises BadRequest where those it names are no lists of names and roles."""
    for group in ("admins", "members"):
        named = security.get(group, {})
        if not isinstance(named, dict):
            raise BadRequest(f"`{group}` must be a JSON object")
        for kind in ("names", "roles"):
            several = named.get(kind, [])
            if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
                raise BadRequest(f"`{kind}` of `{group}` must be a JSON list of strings")


async def compact_views(call: Call) -> Response:
    """There are no views to compact."""
    return await view_cleanup(call)


_FUNCTIONS = {
    "_view": "views", "_show": "shows", "_list": "lists", "_update": "updates", "_rewrite": "rewrites"
}  # fmt: skip
"""Where a design document keeps what an address calls."""


async def no_javascript(call: Call) -> Response:
    """Functions of design documents are kept, but not run. Raises NotFound where it is not there, else
    NotImplementedHere."""
    found = await call.store.read(call.db, [call.doc_id], lambda _, tree: [revtree.winner(tree)])
    bodies_ = [orjson.loads(body.json) for doc in found.values() for body in doc.bodies.values()]
    if not bodies_:
        raise NotFound("missing")
    kind, _, rest = call.file.partition("/")
    name = rest.partition("/")[0]
    if name and name not in (bodies_[0].get(_FUNCTIONS.get(kind, "")) or {}):
        raise NotFound("missing_named_view" if kind == "_view" else f"missing json key: {name}")
    raise NotImplementedHere


async def no_indexes(_: Call) -> Response:
    """Raises NotImplementedHere."""
    raise NotImplementedHere("Views and indexes are not kept here: read _all_docs or _changes.")


ROUTES = [
    Route("POST", "/{db}/_purge", Action.ADMIN, purge),
    Route("POST", "/{db}/_compact", Action.ADMIN, compact),
    Route("POST", "/{db}/_compact/{design}", Action.ADMIN, compact_views),
    Route("POST", "/{db}/_view_cleanup", Action.ADMIN, view_cleanup),
    Route("GET", "/{db}/_revs_limit", Action.READ, get_revs_limit),
    Route("PUT", "/{db}/_revs_limit", Action.ADMIN, put_revs_limit),
    Route("GET", "/{db}/_security", Action.READ, get_security),
    Route("PUT", "/{db}/_security", Action.ADMIN, put_security),
    *(
        Route(method, "/{db}/_design/{id}/{function}", Action.READ, no_javascript)
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
    *(
        Route(method, f"/{{db}}/{name}", Action.READ, no_indexes)
        for method, name in [
            ("POST", "_temp_view"),
            ("POST", "_find"),
            ("POST", "_explain"),
            ("POST", "_index"),
            ("GET", "_index"),
        ]
    ),
]
