"""What a running server consists of, for its routes: `parts_of(request)`. Put together in `server/app.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import to_thread
from sqlalchemy import Connection, Engine, select
from starlette.requests import HTTPConnection, Request

from server.auth.bearer import Bearer
from server.auth.limits import address_of
from server.auth.sessions import COOKIE, Session, find, note
from server.blobs import Blobs
from server.clock import Clock
from server.follower import Follower
from server.intake import Intake
from server.keys import Vault
from server.mover import Mover
from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Scribe
from server.settings import Settings
from sync.store.interface import Store

T = TypeVar("T")

_meta = table(tables.Meta)


@dataclass(frozen=True, slots=True)
class Parts:
    """One server. Nothing here is replaced while it runs."""

    settings: Settings
    clock: Clock
    rows: Engine
    vault: Vault
    bearer: Bearer
    store: Store
    intake: Intake
    follower: Follower
    mover: Mover
    scribe: Scribe
    blobs: Blobs


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the server that got this request."""
    parts = connection.app.state.parts
    assert isinstance(parts, Parts)
    return parts


def is_demo(rows: Connection) -> bool:
    """Whether these data were made up (`server.demo` notes when it began)."""
    return rows.execute(select(_meta.c.key).where(_meta.c.key == "demo.begun")).first() is not None


async def write_rows(connection: HTTPConnection, work: Callable[[Connection], T]) -> T:
    """Do `work` in one transaction of the rows, in a thread; an exception undoes all of it."""

    def run() -> T:
        with parts_of(connection).rows.begin() as rows:
            return work(rows)

    return await to_thread.run_sync(run)


async def read_rows(connection: HTTPConnection, work: Callable[[Connection], T]) -> T:
    """Do `work`, which only reads, in one transaction of the rows, in a thread."""

    def run() -> T:
        with readers(parts_of(connection).rows).begin() as rows:
            return work(rows)

    return await to_thread.run_sync(run)


async def session_of(request: Request) -> Session:
    """Who is signed in at this browser. Raises `SignInNeeded`."""
    cookie, now = request.cookies.get(COOKIE), parts_of(request).clock()
    session = await read_rows(request, lambda rows: find(rows, cookie, now))
    if session.unnoted:
        await write_rows(request, lambda rows: note(rows, session, now))
    return session


def client_of(connection: HTTPConnection) -> str:
    """The address that limits count by, before anybody is known."""
    return address_of(connection, parts_of(connection).settings.trusted_proxies)
