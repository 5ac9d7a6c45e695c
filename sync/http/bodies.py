"""Request bodies: read whole within the limit, unpacked within the same limit."""

import zlib

from starlette.requests import Request

from sync.errors import BadRequest, TooLarge, UnsupportedMediaType


async def read(request: Request, limit: int) -> bytes:
    """The body, gunzipped where it says gzip; never more than `limit` bytes, whatever it claims.

    Raises TooLarge, UnsupportedMediaType (CouchDB takes gzip, but not deflate), BadRequest.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UnsupportedMediaType(f"{encoding[:20]} is no content encoding that is taken here")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and len(declared) < 20 and int(declared) > limit:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge
        chunks.append(chunk)
    body = b"".join(chunks)
    return _gunzip(body, limit) if encoding == "gzip" else body


def _gunzip(body: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        whole = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadRequest("The body is no gzip.") from error
    if len(whole) > limit:
        raise TooLarge
    if not unpacker.eof or unpacker.unused_data:
        raise BadRequest("The gzip body is cut or has more behind it.")
    return whole


def require_json(request: Request) -> None:
    """A web page of a stranger can send forms, but not JSON. Raises UnsupportedMediaType."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType


async def read_posted(request: Request, limit: int) -> bytes:
    """The body of a POST, which must say that it is JSON. Raises as `read` and `require_json` do."""
    require_json(request)
    return await read(request, limit)
