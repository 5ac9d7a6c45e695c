"""The bare engine behind a real socket, in this process, and its peer from npm in another."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from sync.http.bare import Administrator, Bare, session_routes
from sync.http.engine import EVERYTHING, engine_app
from sync.http.routing import Limits
from sync.http.serving import configured
from sync.store.sqlite import SqliteStore
from tests.prompt import listening

CONFORMANCE = Path(__file__).parents[1] / "conformance"
HOSTS = frozenset({"127.0.0.1"})


class PeerMissing(Exception):
    """The peer cannot be run on this machine, with the reason."""


@asynccontextmanager
async def engine(
    path: Path | None = None, *, admin: Administrator | None = None, limits: Limits | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running engine, over a file or in memory."""
    store = await SqliteStore.open(path)
    application = Bare(admin, HOSTS, time.time, b"key of this run")
    app = engine_app(store, application, [*EVERYTHING, *session_routes(application)], limits=limits)
    config = configured(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    try:
        async with listening(config) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield client
    finally:
        await store.close()


@asynccontextmanager
async def pouchdb_server(adapter: str = "memory") -> AsyncIterator[httpx.AsyncClient]:
    """A client of a pouchdb-server in memory or on leveldb, in a process of its own. Raises PeerMissing."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CONFORMANCE / "peer.mjs"),
        adapter,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        # PouchDB loads leveldb's native code whatever it keeps its data in, and ends where there is none.
        told = json.loads(line or b'{"missing": "it ended before it listened, and said above why"}')
        if "missing" in told:
            raise PeerMissing(told["missing"])
        async with httpx.AsyncClient(base_url=told["url"], timeout=30) as client:
            yield client
    finally:
        process.stdin.close()  # it removes its directory and ends
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
