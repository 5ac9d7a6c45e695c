"""Responses: JSON, CouchDB's errors, compression when asked, and feeds that outlive their first byte."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

import brotli
import orjson
import zstandard
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sync.errors import (
    DatabaseThere,
    MethodNotAllowed,
    NotFound,
    PeerError,
    PreconditionFailed,
    StorageFull,
    StoreFailed,
    Unauthorized,
)
from sync.store.interface import (
    AttachmentMissing,
    DatabaseExists,
    DatabaseMissing,
    StoreError,
    StoreFull,
)

_log = logging.getLogger(__name__)

JSON = "application/json"
PIECE = 2**20
"""Bytes of an answer that are held at once, or what one document has, its attachments included."""
_WORTH_COMPRESSING = 1400
"""About one packet: below that nothing is gained."""


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON body that is ready."""
    return Response(body, status, headers, media_type=JSON)


def render(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return answer(orjson.dumps(value) + b"\n", status, headers)


def problem(error: PeerError | StoreError) -> Response:
    """CouchDB's form of an error."""
    peer = error if isinstance(error, PeerError) else of_store(error)
    headers = {}
    if isinstance(peer, MethodNotAllowed):
        headers["Allow"] = peer.reason.removeprefix("Only ").removesuffix(" allowed")
    if isinstance(peer, Unauthorized):
        headers["WWW-Authenticate"] = 'Basic realm="administrator"'
    return render({"error": peer.error, "reason": peer.reason}, peer.status, headers)


def of_store(error: StoreError) -> PeerError:
    """What a store's error means to a peer."""
    match error:
        case DatabaseMissing():
            return NotFound("Database does not exist.")
        case DatabaseExists():
            return DatabaseThere()
        case AttachmentMissing():
            return PreconditionFailed(f"Invalid attachment stub for {error}")
        case StoreFull():
            return StorageFull()
        case _:
            _log.error("The store failed.", exc_info=error)
            return StoreFailed()


def compressed(request: Request, response: Response) -> Response:
    """The response in the best encoding that the peer takes; small ones and ready ones stay as they are."""
    body = response.body
    if len(body) < _WORTH_COMPRESSING or "content-encoding" in response.headers:
        return response
    if not response.headers.get("content-type", "").startswith((JSON, "text/")):
        return response
    name = _encoding(request.headers.get("accept-encoding", ""))
    if name is None:
        return response
    packer = _PACKERS[name]()
    response.body = packer.add(bytes(body)) + packer.end()
    response.headers["Content-Length"] = str(len(response.body))
    response.headers.update(_packed(name))
    return response


class _Packer(NamedTuple):
    """One compressed stream on its way."""

    add: Callable[[bytes], bytes]
    end: Callable[[], bytes]


def _zstd() -> _Packer:
    stream = zstandard.ZstdCompressor(3).compressobj()
    return _Packer(stream.compress, stream.flush)


def _br() -> _Packer:
    stream = brotli.Compressor(quality=3)
    return _Packer(stream.process, stream.finish)


def _gzip() -> _Packer:
    stream = zlib.compressobj(3, wbits=31)
    return _Packer(stream.compress, stream.flush)


_PACKERS: Mapping[str, Callable[[], _Packer]] = {"zstd": _zstd, "br": _br, "gzip": _gzip}
"""The best first, at levels that keep up with a link of some tens of Mbit/s on one core."""


def _packed(name: str) -> dict[str, str]:
    return {"Content-Encoding": name, "Vary": "Accept-Encoding"}


def _encoding(accepted: str) -> str | None:
    offered: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        offered[name.strip()] = quality.strip().replace(" ", "") not in {"q=0", "q=0.0"}
    return next((name for name in _PACKERS if offered.get(name)), None)


def etag(text: str) -> dict[str, str]:
    """An ETag header, where the text may stand in one."""
    return {"ETag": f'"{text}"'} if text.isascii() and text.isprintable() and '"' not in text else {}


class Cut(Exception):
    """An answer that cannot be ended as it began: its database was dropped meanwhile. The connection closes.

    It is raised to the server that runs the engine; nothing is wrong with either (`sync.http.serving`).
    """


class Feed(Response):
    """A body that comes in pieces, for as long as it takes or until the peer hangs up."""

    def __init__(
        self, pieces: AsyncIterator[bytes], media_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        self.pieces = pieces
        self.status_code = 200
        self.background = None
        self.media_type = media_type
        self.body = b""
        self.init_headers({"Cache-Control": "must-revalidate", "X-Accel-Buffering": "no", **(headers or {})})

    @classmethod
    def long(cls, request: Request, pieces: AsyncIterator[bytes]) -> "Feed":
        """An answer that ends by itself but is too long to be held whole, compressed when asked."""
        name = _encoding(request.headers.get("accept-encoding", ""))
        if name is None:
            return cls(pieces)
        return cls(_through(_PACKERS[name](), pieces), headers=_packed(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send pieces as they come; the peer's hanging up ends the work at once."""
        work = asyncio.ensure_future(self._send(scope, send))
        gone = asyncio.ensure_future(_hang_up(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            for task in (work, gone):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _send(self, scope: Scope, send: Send) -> None:
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        if scope["method"] != "HEAD":
            try:
                async for piece in self.pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except DatabaseMissing as error:
                raise Cut from error
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def whole_or_long(request: Request, pieces: AsyncIterator[bytes]) -> Response:
    """A JSON answer whole where it is of one piece, else sent as it is made."""
    first = await anext(pieces)
    second = await anext(pieces, None)
    if second is None:
        return compressed(request, answer(first))
    return Feed.long(request, _chained([first, second], pieces))


async def _chained(first: Iterable[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in first:
        yield piece
    async for piece in rest:
        yield piece


async def _through(packer: _Packer, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        if packed := packer.add(piece):
            yield packed
    yield packer.end()


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def array(rows: Iterable[bytes]) -> bytes:
    """Rows as CouchDB lays them out: one a line."""
    return b",\n".join(rows)
