"""The link between phones and server, and everything that can go wrong on it.

Each request of a phone (`/p<number>/…`) takes the next fault of that phone's queue, none where it is empty:
so a season says beforehand what happens to which request, and a rerun does the same. Answers are read
whole and handed on as bytes, so a cut may fall anywhere: in a header, in a chunk's length, in a letter.
"""

import asyncio
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tests.link import listening

Kind = Literal[
    "refuse", "bad_gateway", "unknown", "cut_request", "deaf", "cut_answer", "truncate", "twice", "late",
    "hold", "kill",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "refuse", "bad_gateway", "cut_request", "deaf", "cut_answer", "truncate", "twice", "late", "hold", "kill",
)  # fmt: skip

PAGE = b"<html><body>502 Bad Gateway</body></html>"
_HEAD = re.compile(rb"^(?:GET|HEAD|POST|PUT) /p(\d+)(\S*) HTTP/1\.1\r\n")


class Fault(NamedTuple):
    """What happens to one request. `at`: a share of the bytes (cuts), or of a hundredth of a second (kill).

    refuse       the connection ends before anything was sent
    bad_gateway  another program answers 502
    unknown      another program answers 404: the exchange is not offered here
    cut_request  only a share of the request reaches the server
    deaf         the server does it, and nobody hears its answer
    cut_answer   only a share of the answer comes back, and then the connection breaks
    truncate     only a share of the answer's body comes back, as if it were all
    twice        the request goes twice; the second answer comes back
    late         a copy of the request is kept, and sent again some day (`Proxy.replay`)
    hold         it waits until the other requests that are under way have been answered
    kill         the server is killed (-9) while it works on it
    """

    kind: Kind
    at: float = 0.0


@dataclass(slots=True)
class Proxy:
    """A running proxy. `target` is the server's port now, 0 while it is down."""

    kill: Callable[[], Awaitable[None]]
    target: int = 0
    port: int = 0
    elsewhere: dict[int, int] = field(default_factory=dict)
    """Phones that speak to another server, and its port."""
    faults: defaultdict[int, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    forge: Callable[[bytes], bytes | None] = lambda _request: None
    """What a dishonest link would answer by itself; only the tests of the invariants set it."""
    met: list[tuple[int, Kind]] = field(default_factory=list)
    _kept: list[bytes] = field(default_factory=list)
    _flying: int = 0
    _held: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def replay(self) -> int:
        """Send the kept copies, the newest first; nobody reads the answers."""
        kept, self._kept = self._kept[::-1], []
        for request in kept:
            await self._ask(request)
        return len(kept)

    def forget(self) -> None:
        """A new season begins."""
        self.faults.clear()
        self.elsewhere.clear()
        self.met.clear()
        self._kept.clear()
        self.forge = lambda _request: None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request."""
        try:
            asked = await _request(reader)
            if asked is None:
                return
            phone, request = asked
            fault = self.faults[phone].popleft() if self.faults[phone] else None
            if fault:
                self.met.append((phone, fault.kind))
            await self._landed(+1)
            try:
                answer = await self._answer(request, fault, self.elsewhere.get(phone))
            finally:
                await self._landed(-1)
            writer.write(answer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _landed(self, change: int) -> None:
        async with self._news:
            self._flying += change
            self._news.notify_all()

    async def _answer(self, request: bytes, fault: Fault | None, port: int | None) -> bytes:
        """The bytes that come back to the phone."""

        def ask(request: bytes) -> Awaitable[bytes]:
            return self._ask(request, port)

        match fault:
            case None:
                forged = self.forge(request)
                return await ask(request) if forged is None else forged
            case Fault("refuse"):
                return b""
            case Fault("bad_gateway"):
                return _plain(b"502 Bad Gateway", PAGE)
            case Fault("unknown"):
                return (
                    _plain(b"404 Not Found", b"{}") if b" /db/_exchange " in request else await ask(request)
                )
            case Fault("cut_request", at):
                await ask(request[: int(len(request) * at)])
                return b""
            case Fault("deaf"):
                await ask(request)
                return b""
            case Fault("cut_answer", at):
                answer = await ask(request)
                return answer[: int(len(answer) * at)]
            case Fault("truncate", at):
                return _truncated(await ask(request), at)
            case Fault("twice"):
                await ask(request)
                return await ask(request)
            case Fault("late"):
                self._kept.append(request)
                return await ask(request)
            case Fault("hold"):
                await self._hold()
                return await ask(request)
            case Fault("kill", at):
                asking = asyncio.ensure_future(ask(request))
                await asyncio.sleep(at / 100)  # the fault itself: some moment of the server's work
                await self.kill()
                return await asking
        raise AssertionError(fault)

    async def _hold(self) -> None:
        async with self._news:
            self._held += 1
            self._news.notify_all()
            await self._news.wait_for(lambda: self._flying <= self._held)
            self._held -= 1
            self._news.notify_all()

    async def _ask(self, request: bytes, port: int | None = None) -> bytes:
        """All that the server answers, or as much as it lived to say."""
        if not (port or self.target):
            return _plain(b"502 Bad Gateway", PAGE)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port or self.target)
        except OSError:
            return _plain(b"502 Bad Gateway", PAGE)
        answer = b""
        try:
            writer.write(request)
            await writer.drain()
            if not _whole(request):
                writer.write_eof()
            while chunk := await reader.read(65536):
                answer += chunk
        except ConnectionError:
            pass
        finally:
            writer.close()
        return answer


@asynccontextmanager
async def proxy(kill: Callable[[], Awaitable[None]]) -> AsyncIterator[Proxy]:
    """A proxy on a port of its own."""
    made = Proxy(kill)
    async with listening(made.serve) as made.port:
        yield made


async def _request(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """The phone's number, and the request as the server is to get it; None where none came."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        found = _HEAD.match(head)
        if found is None:
            raise AssertionError(f"not a phone's request: {head[:80]!r}")
        body = await reader.readexactly(_length(head))
        lines = [line for line in head.split(b"\r\n")[1:-2] if not line.lower().startswith(b"connection:")]
        first = head[: found.end()].replace(b"/p" + found[1], b"", 1)
        return int(found[1]), first + b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body
    return None


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= _length(head + end)


def _plain(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


def _truncated(answer: bytes, at: float) -> bytes:
    """An answer that ends too early and does not say so."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = _joined(body)
    body = body[: int(len(body) * at)]
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"transfer-encoding:", b"content-length:"))
    ]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


def _joined(chunked: bytes) -> bytes:
    whole = b""
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size or b"0", 16)
        whole += chunked[:length]
        chunked = chunked[length + 2 :]
    return whole
