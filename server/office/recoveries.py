"""Phones whose PIN was forgotten: an admin calls the person, then decides."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from server import recovery
from server.auth import devices, users
from server.auth.grant import Role
from server.office.desk import Desk
from server.sealing import NotOpened


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request, with whose phone it is."""

    id: str
    asked_at: str
    person: str
    role: Role
    phone: str


async def show(desk: Desk) -> Response:
    """The requests that wait, the oldest first."""
    return await desk.render("recovery.html", "people", asked=await desk.read(_waiting))


async def decide(desk: Desk) -> Response:
    """Approve or refuse one."""
    request, approve = desk.path("request"), desk.text("decision") == "approve"

    def work(rows: Connection) -> None:
        if approve:
            recovery.approve(rows, desk.parts.vault, request, by=desk.user, now=desk.now)
        else:
            recovery.refuse(rows, request, by=desk.user, now=desk.now)

    try:
        await desk.write(work)
    except NotOpened:
        return desk.to("/office/recovery", "office.flash.recovery_not_opened", kind="bad")
    return desk.to("/office/recovery", f"office.flash.recovery_{'approved' if approve else 'refused'}")


def _waiting(rows: Connection) -> list[Waiting]:
    found = []
    for asked in recovery.waiting(rows):
        phone = devices.find(rows, asked.device)
        person = users.find(rows, phone.user)
        found.append(Waiting(asked.id, asked.asked_at, person.name, person.role, phone.name))
    return found
