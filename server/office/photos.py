"""Photographs in the office: those of a record, small, and one by itself."""

from typing import NamedTuple

from anyio import to_thread
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server import ledger
from server.blobs import Name
from server.checklists import check
from server.erasing import Eraser
from server.media import described, name_of, picture
from server.office.desk import Desk, own_address
from server.office.records import checklist_of
from server.rows import registers
from server.rows.engine import table

_inspections = table(registers.InspectionRow)


class Photo(NamedTuple):
    """A picture that an inspection names. `state`: here, coming, removed (by whoever took it) or erased."""

    label: str
    href: str
    state: str


async def show(desk: Desk) -> Response:
    """A picture, or `?size=thumb`; looking at the large one is noted. Raises `PhotoUnknown`."""
    hamlet = desk.path("hamlet")
    if hamlet not in desk.signed_in.grant.hamlets:
        raise HTTPException(404)
    name = name_of(hamlet, desk.path("sha256"))
    await described(desk.parts, name)
    small = desk.request.query_params.get("size") == "thumb"
    answer = await picture(desk.parts.blobs, name, small=small)
    if not small:
        await desk.noted("photo.viewed", f"media-{hamlet}/photo:{name.sha256}")
    return answer


async def erase(desk: Desk) -> Response:
    """Erase a picture that shows what it should not, for good."""
    hamlet = desk.path("hamlet")
    if hamlet not in desk.signed_in.grant.hamlets:
        raise HTTPException(404)
    name = name_of(hamlet, desk.path("sha256"))
    eraser = Eraser(desk.parts.store, desk.parts.rows, desk.parts.clock)
    held = await eraser.erase_photo(desk.user, hamlet, name.sha256)
    await desk.parts.follower.catch_up(held.keys())
    return desk.to(own_address(desk.text("back")), "office.flash.photo_erased")


async def of_inspection(desk: Desk, hamlet: str, ulid: str) -> list[Photo]:
    """The pictures of an inspection, with the items that asked for them."""

    def read(rows: Connection) -> tuple[list[dict[str, str]], dict[str, str], set[str]]:
        asked = select(_inspections).where(
            _inspections.c.db == f"hamlet-{hamlet}", _inspections.c.ulid == ulid
        )
        row = rows.execute(asked).one_or_none()
        checklist = checklist_of(rows, row.checklist, row.version) if row else None
        labels = {item["id"]: item["label"] for item in check.items(checklist)} if checklist else {}
        entries = row.photos if row else []
        named = [f"photo:{entry['id']}" for entry in entries]
        return entries, labels, ledger.erased(rows, named)

    entries, labels, erased = await desk.read(read)
    removed = {entry.get("removes") for entry in entries}

    def state(digest: str) -> str:
        if f"photo:{digest}" in erased:
            return "erased"
        if digest in removed:
            return "removed"
        return "here" if desk.parts.blobs.has(Name(hamlet, digest)) else "coming"

    def look() -> list[Photo]:
        return [
            Photo(
                labels.get(entry["item"], entry["item"]),
                f"/office/photos/{hamlet}/{entry['id']}",
                state(entry["id"]),
            )
            for entry in entries
            if "item" in entry
        ]

    return await to_thread.run_sync(look)
