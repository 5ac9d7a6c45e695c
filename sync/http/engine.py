"""The engine as an ASGI application, to be served alone or mounted anywhere.

app.mount("/db", engine_app(store, application, REPLICATION))
"""

import secrets
from collections.abc import Callable, Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sync.errors import PeerError
from sync.hooks import Application
from sync.http import (
    admin,
    bulk,
    bulk_get,
    changes,
    database,
    documents,
    files,
    listing,
    local,
    server,
    special,
)
from sync.http.answers import problem
from sync.http.routing import Call, Limits, Parts, Route, Table, address, segments
from sync.store.interface import Store, StoreError

REPLICATION: Sequence[Route] = [
    *server.ROUTES,
    *database.ROUTES,
    *documents.ROUTES,
    *bulk.ROUTES,
    *bulk_get.ROUTES,
    *changes.ROUTES,
    *local.ROUTES,
    *listing.ROUTES[:2],
]
"""What peers that only replicate need: nothing that makes, drops, lists or purges databases."""

EVERYTHING: Sequence[Route] = [
    *REPLICATION,
    *server.ADMIN_ROUTES,
    *listing.ROUTES,
    *special.ROUTES,
    *files.ROUTES,
    *admin.ROUTES,
]


def engine_app(
    store: Store,
    application: Application,
    routes: Sequence[Route] = EVERYTHING,
    *,
    limits: Limits | None = None,
    uuid: Callable[[], str] = lambda: secrets.token_hex(16),
) -> ASGIApp:
    """The engine over a store; `application` says who is asking and what may enter."""
    table = Table(routes)
    parts = Parts(store, application, limits or Limits(), uuid)

    async def respond(request: Request) -> Response:
        try:
            scope = request.scope
            raw_path = scope.get("raw_path") or scope["path"].encode()
            place = address(segments(raw_path, scope.get("root_path", "")))
            route = table.find(scope["method"], place)
            caller = await application.identify(request)
            await application.authorise(caller, route.action, place.db)
            return await route.handler(Call(parts, request, caller, place))
        except (PeerError, StoreError) as error:
            return problem(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await respond(Request(scope, receive))
            await response(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # a handshake that is refused: nobody speaks that here

    return app
