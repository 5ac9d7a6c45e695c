"""A proxy that makes loopback as slow as a hamlet's link: delay and bandwidth each way, bytes counted.

In headless Chromium network emulation does not reach a service worker, so the link itself is shaped.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
REQUEST_LINE = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS) \S+ HTTP/1\.1\r\n")


@dataclass(frozen=True, slots=True)
class Shape:
    """Round trip in seconds, rates in bits a second; None is as fast as the machine."""

    round_trip: float = 0.0
    up: int | None = None
    down: int | None = None


OPEN = Shape()
SLOW = Shape(round_trip=0.6, up=50_000, down=100_000)


@dataclass(slots=True)
class Tally:
    """What went through since it was last cleared."""

    up: int = 0
    down: int = 0
    requests: int = 0

    @property
    def bytes(self) -> int:
        """Both ways, headers included."""
        return self.up + self.down

    def clear(self) -> None:
        """Count from nothing."""
        self.up = self.down = self.requests = 0


@dataclass(slots=True)
class Link:
    """One proxy: where it listens, how it is shaped now, what it counted."""

    target: int
    shape: Shape = OPEN
    port: int = 0
    tally: Tally = field(default_factory=Tally)
    _free_up: float = 0.0
    _free_down: float = 0.0

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"http://127.0.0.1:{self.port}"

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool) -> None:
        """Pass bytes on at the link's rate; the delay is added without holding later bytes back."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, chunk = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not chunk:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                writer.write(chunk)
                await writer.drain()

        delivering = asyncio.create_task(deliver())
        try:
            while chunk := await reader.read(4096):
                rate = self.shape.up if up else self.shape.down
                now = loop.time()
                if up:
                    self.tally.up += len(chunk)
                    self.tally.requests += len(REQUEST_LINE.findall(chunk))
                    start = max(now, self._free_up)
                    self._free_up = start + (len(chunk) * 8 / rate if rate else 0)
                    due = self._free_up
                else:
                    self.tally.down += len(chunk)
                    start = max(now, self._free_down)
                    self._free_down = start + (len(chunk) * 8 / rate if rate else 0)
                    due = self._free_down
                queue.put_nowait((due + self.shape.round_trip / 2, chunk))
                if rate:  # do not read ahead of the link by more than its own pace
                    await asyncio.sleep(max(0.0, due - loop.time()))
            queue.put_nowait((loop.time() + self.shape.round_trip / 2, b""))
            await delivering
        except ConnectionError:
            pass
        finally:
            delivering.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A TCP handshake costs a round trip before the first byte may go.
            await asyncio.sleep(self.shape.round_trip)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                self._carry(reader, far_writer, True), self._carry(far_reader, writer, False)
            )
        finally:
            far_writer.close()
            writer.close()


@asynccontextmanager
async def link(target: int, shape: Shape = OPEN) -> AsyncIterator[Link]:
    """A running proxy in front of 127.0.0.1:target."""
    made = Link(target, shape)
    async with listening(made._serve) as made.port:
        yield made


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Have `serve` answer each connection to a port of its own, which is given; all of them end with it."""
    running: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
