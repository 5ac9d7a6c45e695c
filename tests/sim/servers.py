"""Real server processes for a season: each a fork of a parent that has loaded everything already.

A server here is what `camket serve` puts together, on a port of its own, with `kill -9` as its usual end. Two
things differ from the command: the clock is the season's own (a word in a shared file, which steps move), and
nothing is printed. `multiprocessing`'s fork server is the parent, and `tests.sim.warm` what it loads.
"""

import asyncio
import logging
import mmap
import multiprocessing
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.sim.warm"])

LOG = "server.log"
"""Beside the data."""

Work = Callable[..., Any]


class Clock:
    """The season's time of day, in a file that processes share: milliseconds since 1970."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(struct.pack("<q", 0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    @property
    def ms(self) -> int:
        """Now."""
        return int(struct.unpack("<q", self._shared[:8])[0])

    @ms.setter
    def ms(self, value: int) -> None:
        self._shared[:8] = struct.pack("<q", value)

    def __call__(self) -> datetime:
        """As the server's parts want it (`server.clock.Clock`)."""
        return datetime.fromtimestamp(self.ms / 1000, UTC)


@dataclass(slots=True)
class Process:
    """A server process and the port that it listens on."""

    process: ForkServerProcess
    port: int

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.join(30)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.join(30)

    @property
    def alive(self) -> bool:
        """Whether it runs still."""
        return self.process.is_alive()


async def serve(data: Path, clock: Path) -> Process:
    """Start the product over `data`; returns once it accepts connections."""
    return await _start(_serve, data, clock)


async def engine(documents: Path) -> Process:
    """Start the bare engine over a file of documents."""
    return await _start(_engine, documents)


async def run(work: Work, *args: Any) -> Any:
    """Do `work` in a process of its own, as a command would be; what it returns. Raises what it raised."""
    here, there = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_run, args=(there, work, *args), daemon=True)
    process.start()
    there.close()
    try:
        done, value = await asyncio.to_thread(here.recv)
    except EOFError as error:
        raise RuntimeError(f"{work.__name__} died") from error
    finally:
        await asyncio.to_thread(process.join, 30)
        here.close()
    if not done:
        raise RuntimeError(f"{work.__name__}: {value}")
    return value


async def _start(work: Work, *args: Any) -> Process:
    here, there = _forks.Pipe(duplex=False)
    process = _forks.Process(target=work, args=(there, *args), daemon=True)
    process.start()
    there.close()
    try:
        port = await asyncio.to_thread(here.recv)
    except EOFError as error:
        process.join(30)
        raise RuntimeError(f"the server did not come up: it ended with {process.exitcode}") from error
    finally:
        here.close()
    return Process(process, port)


# --- in the forks -------------------------------------------------------------------------------------------


def _run(told: Connection, work: Work, *args: Any) -> None:
    try:
        told.send((True, work(*args)))
    except BaseException as error:  # noqa: BLE001 - whoever asked is told of it
        import traceback

        told.send((False, "".join(traceback.format_exception(error))))


def _listen() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    # As in server/cli/serve.py: without it an answer's body waits 40 ms until its header is acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _serve(told: Connection, data: Path, clock: Path) -> None:
    # Here and below: what only the forks need, their parent has imported.
    from server.app import build
    from server.settings import Settings

    # The server's log: seasons have wrong clocks and cut requests, which it says; a traceback is a bug.
    logging.basicConfig(filename=data.parent / LOG)

    async def run() -> None:
        app = await build(Settings(data=data), Clock(clock))
        await _uvicorn(told, app, "on")

    asyncio.run(run())


def _engine(told: Connection, documents: Path) -> None:
    from sync.http.bare import Bare
    from sync.http.engine import EVERYTHING, engine_app
    from sync.store.sqlite import SqliteStore

    async def run() -> None:
        store = await SqliteStore.open(documents)
        try:
            bare = Bare(None, frozenset({"127.0.0.1"}), lambda: 0.0, b"sim")
            await _uvicorn(told, engine_app(store, bare, EVERYTHING), "off")
        finally:
            await store.close()

    asyncio.run(run())


async def _uvicorn(told: Connection, app: Any, lifespan: Any) -> None:
    import uvicorn

    with _listen() as listening:
        told.send(listening.getsockname()[1])
        told.close()
        config = uvicorn.Config(
            app,
            lifespan=lifespan,
            access_log=False,
            log_level="error",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        await uvicorn.Server(config).serve(sockets=[listening])
