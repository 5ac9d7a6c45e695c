"""An application behind a real socket of this process, which is gone as soon as nobody needs it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

_TURNS = 20
"""Of the event loop, in which a server hears that its clients have hung up."""


class Prompt(uvicorn.Server):
    """Ends when it is told to, not at its next look.

    uvicorn looks ten times a second whether it should end, and then gives its connections a tenth more: 0.2 s
    in every test, for nothing where they are closed already.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    def end(self) -> None:
        """Serve no more."""
        self.should_exit = True
        self._over.set()

    async def main_loop(self) -> None:
        """Until it is told to end."""
        await self.on_tick(0)
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """At once where nothing is open any more; else as uvicorn does it."""
        for _ in range(_TURNS):
            if not (self.server_state.connections or self.server_state.tasks):
                break
            await asyncio.sleep(0)
        else:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        await self.lifespan.shutdown()


@asynccontextmanager
async def listening(config: uvicorn.Config) -> AsyncIterator[str]:
    """Serve on a port of the machine's choice; its address, where whoever comes too early waits."""
    sock = socket.create_server(("127.0.0.1", 0))
    # As in server/cli/serve.py: without it an answer's body waits 40 ms until its header is acknowledged.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = Prompt(config)
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.end()
        await running
