"""Request bodies: read whole within a limit, unpacked within the same limit, parsed."""

import zlib
from typing import Any

import orjson
from starlette.requests import Request

from server.problems import BadRequest, TooLarge, WrongType

MIB = 1024 * 1024
SMALL, BUNDLE = 1, 16
"""Limits in MiB: of a form's worth of JSON, and of a bundle (as of any request)."""


async def read(request: Request, limit: int) -> bytes:
    """The body, gunzipped where it says gzip; never more than `limit` MiB in memory, whatever it claims.

    Raises `TooLarge`, `WrongType` for other encodings, `BadRequest` for broken gzip.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise WrongType
    unpacker = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in request.stream():
        room = limit * MIB - len(body)
        try:
            body += unpacker.decompress(chunk, room + 1) if unpacker else chunk
        except zlib.error as error:
            raise BadRequest("problem.bad_gzip") from error
        if len(body) > limit * MIB:
            raise TooLarge(limit)
    if unpacker and (not unpacker.eof or unpacker.unused_data):
        raise BadRequest("problem.bad_gzip")
    return bytes(body)


async def read_object(request: Request) -> dict[str, Any]:
    """A small JSON object. Raises as `read` does, and `BadRequest`."""
    try:
        value = orjson.loads(await read(request, SMALL))
    except orjson.JSONDecodeError as error:
        raise BadRequest("problem.bad_json") from error
    if not isinstance(value, dict):
        raise BadRequest("problem.bad_json")
    return value


def text_field(value: dict[str, Any], name: str, longest: int) -> str:
    """A text that must be there and not empty. Raises `BadRequest`, naming the field."""
    text = value.get(name)
    if not isinstance(text, str) or not text.strip() or len(text) > longest:
        raise BadRequest("problem.bad_field", field=name)
    return text
