"""Lets the parent of the servers do a little of everything once, as it is imported: see `tests.sim.servers`.

A server that has just started loads modules, reads templates and word lists, and compiles patterns; a season
starts six. What is loaded, read and compiled here, each fork finds done. It shares nothing else with them:
these data are gone, and no thread is left that a fork could miss.
"""

import asyncio
import gc
import tempfile
import threading
from pathlib import Path

import httpx
import uvicorn

import sync.http.bare  # noqa: F401 - for the forks
from server.app import build
from server.settings import Settings
from tests.commune import HAMLETS, households
from tests.sim import commands
from tests.sim.founding import found
from tests.sim.office import Office
from tests.sim.servers import Clock


def _warm() -> None:
    with tempfile.TemporaryDirectory(prefix="camket-sim-") as name:
        data, clock = Path(name) / "data", Path(name) / "clock"
        found(data, clock)
        asyncio.run(_use(data, Clock(clock)))
        commands.back_up(data, Path(name) / "backups", clock)
        commands.restore(data, Path(name) / "backups", clock)
        assert commands.check(data, clock) == []
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()  # forks need not look through all this again, nor copy it for that


async def _use(data: Path, clock: Clock) -> None:
    app = await build(Settings(data=data), clock)
    uvicorn.Config(app, lifespan="on").load()  # it imports what reads HTTP
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http,
    ):
        office = Office(data, clock, http)
        here = f"http://127.0.0.1:{office.port}"
        joined = (await http.post(f"{here}/join", json={"code": office.invite(0), "device_name": "a"})).json()
        held = {db: {"since": None} for db in joined["dbs"]}
        asked = {"clock": clock.ms, "dbs": held}
        bearer = {"Authorization": f"Bearer {joined['credential']}"}
        (await http.post(f"{here}/db/_exchange", json=asked, headers=bearer)).raise_for_status()
        await app.state.parts.follower.catch_up()
        one, other, third = list(households("napo"))[:3]
        assert await office.correct("napo", one, "Hứa")
        assert await office.merge("napo", one, other)
        assert await office.erase("napo", third)
        await office.review("napo", f"household:{other}", "approved")
        await office.bring_back("napo", other)
        assert await office.move("napo", list(HAMLETS)[1], [other])
        office.close()


_warm()
