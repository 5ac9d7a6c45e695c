"""Photographs in the office: those of a record, small, and one by itself."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.blobs import Blobs, Name
from server.media import name_of, picture, promised_of
from server.office.desk import Desk


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


async def shown(
    desk: Desk, hamlet: str, entries: Iterable[Mapping[str, str]], labels: Mapping[str, str]
) -> list[Photo]:
    """The pictures of an inspection's `photos` that nobody took back; `labels` are the items' by id."""
    entries = list(entries)
    removed = {entry.get("removes") for entry in entries}
    standing = [entry for entry in entries if "item" in entry and entry["id"] not in removed]

    def look(blobs: Blobs) -> list[Photo]:
        return [
            Photo(
                labels.get(entry["item"], entry["item"]),
                f"/office/photos/{hamlet}/{entry['id']}",
                blobs.has(Name(hamlet, entry["id"])),
            )
            for entry in standing
        ]

    return await to_thread.run_sync(look, desk.parts.blobs)


def labels_of(checklist: Mapping[str, Any] | None) -> dict[str, str]:
    """What a checklist calls its items."""
    sections = checklist["sections"] if checklist else ()
    return {item["id"]: item["label"] for section in sections for item in section["items"]}
