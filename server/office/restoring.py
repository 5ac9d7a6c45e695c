"""After a restore: an admin says that all phones have come back (`server.restores`)."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from server import restores
from server.auth.grant import Role
from server.office.desk import Desk

BACK = "/office/quarantine"


@dataclass(frozen=True, slots=True)
class Restored:
    """That this server was restored: when, whether it awaits phones that it does not know, and whether
    whoever reads this may end that."""

    at: str | None
    awaits: bool
    may_end: bool


def restored(rows: Connection, role: Role) -> Restored | None:
    """What the office says of the last restore; None where there was none."""
    if not restores.ever(rows):
        return None
    awaits = restores.awaits(rows)
    return Restored(restores.last(rows), awaits, awaits and role is Role.ADMIN)


async def end(desk: Desk) -> Response:
    """No phone is missing any more; whoever says so has counted them."""
    if desk.text("sure") != "1":
        return desk.to(BACK, "office.flash.restore_not_counted", kind="warn")
    await desk.write(lambda rows: restores.end(rows, desk.user, desk.now))
    return desk.to(BACK, "office.flash.restore_ended")
