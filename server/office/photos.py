"""Photographs in the office: those of a record, small, and one by itself."""

from typing import NamedTuple

from anyio import to_thread
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.blobs import Name
from server.checklists import check
from server.media import name_of, picture, promised_of
from server.office.desk import Desk
from server.office.records import checklist_of
from server.rows import registers
from server.rows.engine import table

_inspections = table(registers.InspectionRow)


class Photo(NamedTuple):
    """A picture that an inspection shows. `here`: all of its bytes have come."""

    label: str
    href: str
    here: bool


async def show(desk: Desk) -> Response:
    """A picture, or `?size=thumb`; looking at the large one is noted. Raises `PhotoUnknown`."""
    hamlet = desk.path("hamlet")
    if hamlet not in desk.signed_in.grant.hamlets:
        raise HTTPException(404)
    name = name_of(hamlet, desk.path("sha256"))
    await promised_of(desk.parts, name)
    small = desk.request.query_params.get("size") == "thumb"
    answer = await picture(desk.parts.blobs, name, small=small)
    if not small:
        await desk.noted("photo.viewed", f"media-{hamlet}/photo:{name.sha256}")
    return answer


async def of_inspection(desk: Desk, hamlet: str, ulid: str) -> list[Photo]:
    """The pictures of an inspection that nobody took back, with the items that asked for them."""

    def read(rows: Connection) -> tuple[list[dict[str, str]], dict[str, str]]:
        asked = select(_inspections).where(
            _inspections.c.db == f"hamlet-{hamlet}", _inspections.c.ulid == ulid
        )
        row = rows.execute(asked).one_or_none()
        checklist = checklist_of(rows, row.checklist, row.version) if row else None
        labels = {item["id"]: item["label"] for item in check.items(checklist)} if checklist else {}
        return (row.photos if row else []), labels

    entries, labels = await desk.read(read)
    removed = {entry.get("removes") for entry in entries}

    def look() -> list[Photo]:
        return [
            Photo(
                labels.get(entry["item"], entry["item"]),
                f"/office/photos/{hamlet}/{entry['id']}",
                desk.parts.blobs.has(Name(hamlet, entry["id"])),
            )
            for entry in entries
            if "item" in entry and entry["id"] not in removed
        ]

    return await to_thread.run_sync(look)
