"""Picture bytes over HTTP: `/db/media-<hamlet>/_blob/<sha256>`, for phones.

    HEAD   Upload-Offset: how many bytes are held, Upload-Complete: whether that is all of them
    PUT    with `Content-Range: bytes 24000-47999/131072`: goes on from there; answers {"offset", "complete"}
    GET    the picture, or `?size=thumb`

The document `photo:<sha256>` comes first, by the normal way: it says that the picture is wanted, and who may
see it. Of the bytes it is not believed: their digest is their name, and the rest is read in them, so nobody
stops a colleague's picture by a document that says something else. A chunk that overlaps what is held is no
error, one that leaves a gap answers 409. The last byte brings the check, so a picture is either whole and
looked at, or not there.

A phone that was revoked hands in before it forgets: its documents went to `/sealed` and are held for a
person, and the bytes of a photograph whose document waits there are taken by the send-only credential; so are
those of a phone whose person walks that hamlet no more. Nobody sees them before the document is let in; they
go where it is sent away. Where the document had entered before, its phone may still bring the bytes. (Bytes
inside of sealed records would have begun again after each cut, a third larger; they lost.)
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import orjson
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import schemas
from server import quarantine
from server.admission import holds
from server.blobs import Blobs, HamletNotHeld, Name, PhotoTooLarge, PhotoUnknown
from server.parts import Parts, parts_of
from server.pictures import MIMES, MOST_BYTES, mime_of
from server.problems import BadRequest, WrongType
from server.rows.engine import readers
from server.whereabouts import Standing
from sync import revtree
from sync.merge import Body
from sync.stamps import ALL, device_of
from sync.store.interface import DatabaseMissing

_DATABASE = re.compile(r"media-([a-z0-9]{2,20})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes ([0-9]{1,7})-([0-9]{1,7})/([0-9]{1,7})")

SAFE = {
    # A picture is data: opened by itself it may run nothing, load nothing, be embedded nowhere else.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


class Place(NamedTuple):
    """A request that may go on: which picture, who sends or asks. `held`: the document is in quarantine."""

    name: Name
    sender: str
    blobs: Blobs
    held: bool = False


async def head(request: Request) -> Response:
    """How much of it is here."""
    place = await _sending(request)
    held = await to_thread.run_sync(place.blobs.held, place.name, place.sender)
    if held is None:
        asked_for = await to_thread.run_sync(place.blobs.size, place.name)
    else:  # where all came, and the server died before it was a picture, the last byte is asked for again
        asked_for = held - await to_thread.run_sync(place.blobs.all_came, place.name, place.sender)
    told = {
        "Upload-Offset": str(asked_for),
        "Upload-Complete": "?0" if held is not None else "?1",
    }
    return Response(headers=told)


async def put(request: Request) -> Response:
    """Take a chunk; the last one makes it a picture."""
    place = await _sending(request)
    start, length, whole = _asked(request)
    held = await to_thread.run_sync(place.blobs.held, place.name, place.sender)
    if held is not None:
        try:
            held = await _take(request, place, start, length)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it; what came is kept
        if held >= whole:
            await to_thread.run_sync(place.blobs.finish, place.name, place.sender)
            await _still_wanted(request, place)
            held = None
    offset = whole if held is None else held
    return JSONResponse({"offset": offset, "complete": held is None})


async def get(request: Request) -> Response:
    """The picture or its thumbnail. Phones see those of the hamlets that they walk."""
    place = await _place(request)
    return await picture(place.blobs, place.name, small=request.query_params.get("size") == "thumb")


ROUTES = [
    Route("/db/{db}/_blob/{sha256}", head, methods=["HEAD"]),
    Route("/db/{db}/_blob/{sha256}", put, methods=["PUT"]),
    Route("/db/{db}/_blob/{sha256}", get, methods=["GET"]),
]


async def picture(blobs: Blobs, name: Name, *, small: bool) -> Response:
    """A picture as it may leave the server. Raises `PhotoUnknown` while it is not whole."""
    data = await to_thread.run_sync(blobs.thumb if small else blobs.whole, name)
    if data is None:
        raise PhotoUnknown
    mime = mime_of(data)
    file = f"{name.sha256[:16]}{'-thumb' if small else ''}.{mime.partition('/')[2]}"
    return Response(
        data, media_type=mime, headers=SAFE | {"Content-Disposition": f'inline; filename="{file}"'}
    )


async def described(parts: Parts, name: Name, device: str | None = None) -> None:
    """Raises `PhotoUnknown` where no live document, by this phone or by any, is of this picture."""
    doc_id = f"photo:{name.sha256}"
    try:
        found = await parts.store.read(
            f"media-{name.hamlet}", [doc_id], lambda _id, tree: revtree.live(tree)[:1]
        )
    except DatabaseMissing as error:
        raise PhotoUnknown from error
    bodies = [orjson.loads(held.json) for document in found.values() for held in document.bodies.values()]
    _known([one for one in bodies if device in {None, device_of(one["stamps"][ALL])}])


def _known(bodies: Sequence[Body]) -> None:
    if not bodies or schemas.newer(bodies[0]):
        raise PhotoUnknown


def name_of(hamlet: str, digest: str) -> Name:
    """A picture by the parts of an address. Raises `PhotoUnknown` for what is none."""
    if not _DATABASE.fullmatch(f"media-{hamlet}") or not _SHA256.fullmatch(digest):
        raise PhotoUnknown
    return Name(hamlet, digest)


async def _place(request: Request) -> Place:
    """Raises what `Bearer` raises, `HamletNotHeld`, `PhotoUnknown`."""
    parts = parts_of(request)
    grant = await parts.bearer.authenticate(request)
    db = request.path_params["db"]
    name = name_of(db.removeprefix("media-"), request.path_params["sha256"])
    if not db.startswith("media-"):
        raise PhotoUnknown
    where = parts.intake.where
    if not holds(grant, db) and await where.standing(grant, db) is not Standing.HOLDS:
        raise HamletNotHeld
    photo = f"photo:{name.sha256}"
    if place := (await where.places(db, {photo: {}})).get(photo):
        name = Name(place.removeprefix("media-"), name.sha256)  # it moved, and its bytes go after it
    await described(parts, name)
    return Place(name, grant.device or grant.user, parts.blobs)


async def _sending(request: Request) -> Place:
    """The same for who brings bytes: with a send-only credential, or of a hamlet that is not theirs any more,
    for what that phone has in quarantine, or had until it was let in, and for what it brought before."""
    parts = parts_of(request)
    grant = await parts.bearer.hear(request)
    if grant.live and not grant.send_only:
        with suppress(HamletNotHeld):
            return await _place(request)
    db = request.path_params["db"]
    name = name_of(db.removeprefix("media-"), request.path_params["sha256"])
    if place := (await parts.intake.where.places(db, {f"photo:{name.sha256}": {}})).get(
        f"photo:{name.sha256}"
    ):
        name = Name(place.removeprefix("media-"), name.sha256)
    sender = grant.device or grant.user
    with suppress(PhotoUnknown):
        await handed_in(parts, name, sender)
        return Place(name, sender, parts.blobs, held=True)
    try:
        await described(parts, name, sender)
    except PhotoUnknown as error:
        if grant.live and not grant.send_only:
            raise HamletNotHeld from error
        raise
    return Place(name, sender, parts.blobs)


async def handed_in(parts: Parts, name: Name, device: str | None = None) -> None:
    """Raises `PhotoUnknown` where no phone, or not this one, has handed in a document of this picture."""

    def work() -> bytes | None:
        with readers(parts.rows).begin() as rows:
            return quarantine.handed_in(rows, f"media-{name.hamlet}", f"photo:{name.sha256}", device)

    raw = await to_thread.run_sync(work)
    _known([orjson.loads(raw)] if raw else [])


async def _still_wanted(request: Request, place: Place) -> None:
    """A picture that was erased while its last bytes came in goes again. Raises `PhotoUnknown`."""
    try:
        if place.held:
            await handed_in(parts_of(request), place.name, place.sender)
        else:
            await described(parts_of(request), place.name)
    except PhotoUnknown:
        await to_thread.run_sync(place.blobs.remove, [place.name])
        raise


def _asked(request: Request) -> tuple[int, int, int]:
    """Start and length of the chunk, length of it all. Raises `BadRequest`, `PhotoTooLarge`, `WrongType`."""
    if request.headers.get("content-type") not in MIMES or "content-encoding" in request.headers:
        raise WrongType
    found = _RANGE.fullmatch(request.headers.get("content-range", ""))
    if found is None:
        raise BadRequest("problem.bad_field", field="Content-Range")
    first, last, whole = map(int, found.groups())
    if whole > MOST_BYTES:
        raise PhotoTooLarge
    if not first <= last < whole:
        raise BadRequest("problem.bad_field", field="Content-Range")
    return first, last - first + 1, whole


async def _take(request: Request, place: Place, start: int, length: int) -> int:
    """Write what comes as it comes, so that a cut keeps it. Bytes held then. Raises `BadRequest` for more."""
    held, at = 0, start
    async for chunk in request.stream():
        if at + len(chunk) > start + length:
            raise BadRequest("problem.bad_field", field="Content-Range")
        held = await to_thread.run_sync(place.blobs.append, place.name, place.sender, at, chunk)
        at += len(chunk)
    return held
