"""The server's own clock: an admin says that it is right, against what was once accepted (`server.floor`)."""

from starlette.responses import Response

from server import floor
from server.office.desk import Desk


async def confirm(desk: Desk) -> Response:
    """The clock is right as it is; whoever says so has looked at another one."""
    if desk.text("sure") != "1":
        return desk.to("/office", "office.flash.clock_not_compared", kind="warn")
    done = await desk.write(lambda rows: floor.confirm(rows, desk.user, desk.now))
    if done:
        return desk.to("/office", "office.flash.clock_confirmed")
    return desk.to("/office", "office.flash.clock_impossible", kind="warn")
