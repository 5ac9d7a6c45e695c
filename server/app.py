"""The composition root: one server, put together from settings. Alone names concrete stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from anyio import to_thread
from sqlalchemy import Engine, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from server import identity, keys, ledger, media, office, problems, sealed, webapp
from server.auth.bearer import Bearer
from server.blobs import Blobs
from server.carrying import Carrier
from server.clock import Clock, milliseconds, system
from server.erasing import Eraser
from server.follower import Follower
from server.headers import SameOrigin, SecurityHeaders
from server.intake import Intake
from server.keys import Vault, open_vault
from server.metrics import Measured, Metrics
from server.mover import Mover
from server.parts import Parts, is_demo, parts_of, read_rows
from server.rows.engine import open_rows, readers
from server.scribe import Scribe
from server.settings import Settings
from server.settle import Settler
from sync.http import exchange
from sync.http.engine import REPLICATION, engine_app
from sync.http.routing import Limits
from sync.store.sqlite import SqliteStore

DOCUMENTS = "documents.sqlite"
PICTURES = "media"
REQUEST = 16 * 2**20
"""Bytes of a request to `/db`; how long a document may be, `server.admission` says for each."""
CHECKPOINT = 64 * 2**10
"""Bytes of a `_local` document: room for a replicator's history, and for nothing else."""
LIMITS = Limits(REQUEST, REQUEST, CHECKPOINT)
AGAIN = 5.0
"""Seconds until the follower tries again."""
HOUR = 3600.0


async def build(settings: Settings, clock: Clock = system) -> Starlette:
    """A server over the data that `settings` names; what it opens, its lifespan closes.

    Raises `RowsTooNew`, `SecretWrong`, `StoreError`: data that this program must not touch.
    """
    return assemble(await _open(settings, clock))


@asynccontextmanager
async def opened(settings: Settings, clock: Clock = system) -> AsyncIterator[Parts]:
    """A server's parts without its addresses, for commands that write documents. Raises as `build` does."""
    parts = await _open(settings, clock)
    try:
        yield parts
    finally:
        await close(parts)


async def _open(settings: Settings, clock: Clock) -> Parts:
    rows = await to_thread.run_sync(open_rows, settings.data, settings.database_url)
    vault = await to_thread.run_sync(open_vault, settings.data, settings.secret)
    await to_thread.run_sync(_make_keys, rows, vault, clock)
    store = await SqliteStore.open(settings.data / DOCUMENTS)
    blobs = Blobs(settings.data / PICTURES)
    mover = Mover(store, rows, clock, blobs)
    settler, carrier = Settler(store, rows, clock), Carrier(store, rows, clock)
    follower = Follower(store, rows, settler, carrier, blobs, mover=mover)
    bearer = Bearer(rows, clock, settings.trusted_proxies)
    intake = Intake(store, rows, clock, bearer, follower)
    scribe = Scribe(store, intake, follower, clock)
    with readers(rows).begin() as connection:
        ledger.keep_beside(connection)
        # Data that were made up say so for good, whichever command serves them.
        settings = replace(settings, demo=settings.demo or is_demo(connection))
    return Parts(settings, clock, rows, vault, bearer, store, intake, follower, mover, scribe, blobs)


async def close(parts: Parts) -> None:
    """Finish what is being written, and let go of the files."""
    await parts.store.close()
    parts.rows.dispose()


def assemble(parts: Parts) -> Starlette:
    """The routes and what stands before them."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = [asyncio.create_task(one) for one in (_follow(parts.follower), _collect(parts))]
        try:
            yield
        finally:
            for one in working:
                one.cancel()
                with suppress(asyncio.CancelledError):
                    await one
            await close(parts)

    app = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/metrics", metrics.page, methods=["GET"]),
            *identity.ROUTES,
            *sealed.ROUTES,
            exchange.route(parts.store, parts.intake, "/db/_exchange"),
            *media.ROUTES,
            # A document over its own limit is its own outcome (admission), not the batch's.
            Mount("/db", engine_app(parts.store, parts.intake, REPLICATION, limits=LIMITS)),
            *office.routes(),
            *webapp.routes(webapp.load(webapp.directory())),
        ],
        middleware=[
            Middleware(Measured, metrics=metrics),
            Middleware(SecurityHeaders, https=parts.settings.https, clock=parts.clock),
            Middleware(problems.Caught),
            Middleware(SameOrigin),
        ],
        exception_handlers=problems.handlers(),
        lifespan=lifespan,
    )
    app.state.parts = parts
    return app


async def healthz(request: Request) -> Response:
    """Whether this server can do its work now: both databases answer. With a wrong clock it can, but somebody
    has to set it: `degraded`, still 200, so that no proxy takes the server out for it."""
    parts = parts_of(request)
    await read_rows(request, lambda rows: rows.execute(select(1)))
    await parts.store.names()
    if not await parts.intake.clock_is_sane(milliseconds(parts.clock())):
        return JSONResponse({"status": "degraded", "reason": "clock"})
    return JSONResponse({"status": "ok"})


async def _follow(follower: Follower) -> None:
    """Keep the follower going: what it did not foresee is logged, and tried again after a while."""
    while True:
        try:
            await follower.run()
        except Exception as error:  # noqa: BLE001 - the rows must not stand still for good
            problems.note(error)
            await asyncio.sleep(AGAIN)


async def _collect(parts: Parts) -> None:
    """Forget once a day the strokes that are nobody's; not at once, the rows may have to be read first."""
    await asyncio.sleep(HOUR)
    while True:
        try:
            await Eraser(parts.store, parts.rows, parts.clock).collect()
        except Exception as error:  # noqa: BLE001 - tomorrow it may be possible
            problems.note(error)
        await asyncio.sleep(24 * HOUR)


def _make_keys(rows: Engine, vault: Vault, clock: Clock) -> None:
    # At the start rather than at the first phone: a wrong CAMKET_SECRET must stop the server here.
    with rows.begin() as connection:
        keys.current(connection, vault, "seal", clock())
        keys.current(connection, vault, "recovery", clock())
