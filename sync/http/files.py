"""Attachments by their own address."""

import re
from collections.abc import Mapping

from starlette.responses import Response

from sync import revtree, wire
from sync.errors import DocumentConflict, NotFound, RangeUnsatisfiable
from sync.hooks import Action
from sync.http import accept, bodies
from sync.http.documents import read, stored
from sync.http.routing import Call, Route
from sync.rev import Rev
from sync.store.interface import Attachment, Body, File, Stub, Write

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def get(call: Call) -> Response:
    """The bytes, whole or a range, of the winner's or (`?rev=`) an older revision's attachment."""
    _, body = await _revision(call)
    file = body.attachments.get(call.file)
    if file is None:
        raise NotFound("Document is missing attachment")
    headers = {
        "ETag": f'"{file.digest.removeprefix("md5-")}"',
        "Content-MD5": file.digest.removeprefix("md5-"),
        "Accept-Ranges": "bytes",
        "Cache-Control": "must-revalidate",
        # What a peer stored must not run as a page of this server.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if call.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(None, 304, headers)
    asked = _range(call.request.headers.get("range"), file)
    start, end = asked or (0, file.length)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.length}"
    data = await call.store.attachment(file.key, start, end) if call.request.method != "HEAD" else b""
    response = Response(data, 206 if asked else 200, headers)
    response.headers["Content-Length"] = str(end - start)
    _set_type(response, file.content_type)
    return response


def _set_type(response: Response, content_type: str) -> None:
    """Exactly as it was put: Starlette would add a charset to text."""
    safe = content_type if content_type.isascii() and content_type.isprintable() else ""
    response.headers["Content-Type"] = safe or "application/octet-stream"


def _range(header: str | None, file: Attachment) -> tuple[int, int] | None:
    """From where up to where, None for the whole (also of several). Raises RangeUnsatisfiable."""
    found = _RANGE.fullmatch(header or "")
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        start, end = max(file.length - int(found[2]), 0), file.length
    else:
        start, end = int(found[1]), min(int(found[2]) + 1 if found[2] else file.length, file.length)
    if start >= end:
        raise RangeUnsatisfiable
    return start, end


async def _revision(call: Call) -> tuple[Rev, Body]:
    """The revision that is meant. Raises NotFound."""
    asked = wire.parse_rev(call.query["rev"]) if "rev" in call.query else None
    document = await read(call, lambda tree: [asked or revtree.winner(tree)])
    rev = asked or revtree.winner(document.tree)
    if asked is None and document.tree[rev].deleted:
        raise NotFound("deleted")
    if rev not in document.bodies:
        raise NotFound("missing")
    return rev, document.bodies[rev]


async def put(call: Call) -> Response:
    """Write one attachment as a new revision of its document, which is made where there is none."""
    wire.check_doc_id(call.doc_id)
    wire.check_file_name(call.file)
    data = await bodies.read(call.request, call.parts.limits.request)
    content_type = call.request.headers.get("content-type", "application/octet-stream")
    return await _edited(call, {call.file: File(content_type, data)}, may_create=True)


async def delete(call: Call) -> Response:
    """Take one attachment away, as a new revision."""
    return await _edited(call, {call.file: None}, may_create=False)


async def _edited(call: Call, change: Mapping[str, File | None], *, may_create: bool) -> Response:
    named = call.query.get("rev") or call.request.headers.get("if-match", "").strip().strip('"')
    asked = wire.parse_rev(named) if named else None
    found = await call.store.read(call.db, [call.doc_id], lambda _, tree: [asked or revtree.winner(tree)])
    document = found.get(call.doc_id)
    if document is None:
        if not may_create:
            raise NotFound("missing")
        if asked is not None:
            raise DocumentConflict
        body = Body(b"{}")
    else:
        rev = asked or revtree.winner(document.tree)
        gone = document.tree[rev].deleted if rev in document.tree else False
        if rev not in document.bodies or (asked is None and not gone):
            raise DocumentConflict
        body = Body(b"{}") if gone else document.bodies[rev]
    if not may_create and not change.keys() <= body.attachments.keys():
        raise NotFound("Document is missing attachment")
    files: dict[str, File | Stub] = {
        name: Stub(file.revpos, file.digest) for name, file in body.attachments.items() if name not in change
    }
    files |= {name: file for name, file in change.items() if file is not None}
    write = Write(call.doc_id, asked, body.json, files=files)
    outcome = (await accept.write(call, [write]))[0]
    return stored(call, call.doc_id, outcome, 201 if may_create else 200, call.file)


ROUTES = [
    Route("GET", "/{db}/{id}/{file}", Action.READ, get),
    Route("PUT", "/{db}/{id}/{file}", Action.WRITE, put),
    Route("DELETE", "/{db}/{id}/{file}", Action.WRITE, delete),
]
