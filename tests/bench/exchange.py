"""Bytes, requests and seconds of a phone's sync, against the budgets and a stock PouchDB in one run.

The fixture: a hamlet of 2,000 households as `tests/commune.py` seeds them (about 330 bytes each), pledges
signed on paper at a meeting (about 500 bytes each). The phone is the real one (`pwa/src/data`, in Node), the
peer is PouchDB 9 in memory. Both go through the same proxy (`tests/link.py`), which counts every
byte, headers included, and shapes the link: open, and 600 ms / 100 kbit/s down / 50 kbit/s up. Node sends
fewer headers than a browser does.
"""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests.commune import CAMPAIGN, Commune, household_id, name_of, seed
from tests.link import OPEN, SLOW, Link, Shape, link
from tests.running import ROOT, Running

HOUSEHOLDS = 2_000
SIGNED = 500
BUDGETS = {"nothing to do": 900, "push 1": 1_400, "push 500": 80_000, "pull 2,000": 350_000}
"""Bytes, headers included: design section 8."""

SHAPES = {"open": OPEN, "slow": SLOW}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one step took."""

    bytes: int
    requests: int
    seconds: float


class Driver:
    """A Node process that takes one order a line and answers one line."""

    def __init__(self, process: asyncio.subprocess.Process, through: Link) -> None:
        self._process = process
        self._link = through

    async def do(self, **order: Any) -> Any:
        """Carry out an order outside of the measurement. Raises RuntimeError with the driver's error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = json.loads(await self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{order['do']}: {answer['error']}")
        return answer

    async def measure(self, **order: Any) -> Figure:
        """Carry out an order, and say what went over the link meanwhile."""
        self._link.tally.clear()
        answer = await self.do(**order)
        problem = (answer["result"] or {}).get("problem") if isinstance(answer["result"], dict) else None
        if problem:
            raise RuntimeError(f"{order['do']}: {problem}")
        return Figure(self._link.tally.bytes, self._link.tally.requests, answer["seconds"])


@asynccontextmanager
async def driver(through: Link, script: Path, *words: str) -> AsyncIterator[Driver]:
    """A running driver, ended at the end."""
    process = await asyncio.create_subprocess_exec(
        "node", str(script), through.url, *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
        env={**os.environ, "BENCH_WEAK": "1" if through.shape.up else ""},
    )  # fmt: skip
    try:
        yield Driver(process, through)
    finally:
        process.kill()
        await process.wait()


def bundle() -> Path:
    """The phone's driver as one file that Node runs, where its packages are found."""
    out = ROOT / "pwa" / "node_modules" / ".bench" / "phone.mjs"
    esbuild = ROOT / "pwa" / "node_modules" / ".bin" / "esbuild"
    how = ["--bundle", "--platform=node", "--format=esm", "--packages=external", "--log-level=warning"]
    how.append(f"--define:__PWA__={json.dumps(str(ROOT / 'pwa'))}")
    subprocess.run([esbuild, "tests/bench/phone.ts", *how, f"--outfile={out}"], cwd=ROOT, check=True)
    return out


async def phone_figures(through: Link, code: str, script: Path) -> dict[str, Figure]:
    """A sync of each size by the phone."""
    found: dict[str, Figure] = {}
    async with driver(through, script) as phone:
        await phone.do(do="join", code=code)
        found["pull 2,000"] = await phone.measure(do="sync")
        found["nothing to do"] = await phone.measure(do="sync")
        await phone.do(do="visit", hamlet="khuoi", n=HOUSEHOLDS - 1)
        found["push 1"] = await phone.measure(do="sync")
        await phone.do(do="meeting", hamlet="khuoi", n=SIGNED)
        found["push 500"] = await phone.measure(do="sync")
    return found


async def pouch_figures(through: Link, credential: str, grant: dict[str, Any]) -> dict[str, Figure]:
    """The same by PouchDB: the same documents, each direction on its own."""
    found: dict[str, Figure] = {}
    async with driver(through, ROOT / "tests" / "bench" / "pouch.mjs", credential) as pouch:
        found["pull 2,000"] = await pouch.measure(do="pull", db="hamlet-khuoi", docs="all")
        found["nothing to do"] = await pouch.measure(do="pull", db="hamlet-khuoi", docs="all")
        await pouch.do(do="put", docs="one", bodies=[_pledge(HOUSEHOLDS - 2, grant)])
        found["push 1"] = await pouch.measure(do="push", db="hamlet-khuoi", docs="one")
        many = [_pledge(number, grant) for number in range(SIGNED, 2 * SIGNED)]
        await pouch.do(do="put", docs="many", bodies=many)
        found["push 500"] = await pouch.measure(do="push", db="hamlet-khuoi", docs="many")
    return found


def _pledge(number: int, grant: dict[str, Any]) -> dict[str, Any]:
    user, device, clock = grant["user"]["id"], grant["device"], grant["clock"]
    act = household_id("act", number)
    at = "2026-11-01T08:00:00Z"
    return {
        "_id": f"pledge:{CAMPAIGN}:{household_id('khuoi', number)}",
        "type": "pledge",
        "v": 1,
        "by": user,
        "stamps": {"*": f"{clock}-0000-{device}"},
        "acts": [
            {
                "id": act, "at": at, "by": user, "kind": "signed", "signer": name_of(number), "role": "head",
                "method": "paper_signed", "assisted": False, "clauses": 1, "notice": 1, "read_aloud": True,
                "meeting": {"date": "2026-11-01", "sheet": 1},
            }
        ],
    }  # fmt: skip


def show(shape: str, phone: dict[str, Figure], pouch: dict[str, Figure]) -> Table:
    """One table a link: ours, the peer's, and the ratios."""
    table = Table(title=f"A phone's sync, {shape} link", title_justify="left")
    for name in (
        "work",
        "bytes",
        "budget",
        "of it",
        "requests",
        "s",
        "PouchDB bytes",
        "requests",
        "s",
        "bytes ÷",
        "s ÷",
    ):
        table.add_column(name, justify="left" if name == "work" else "right")
    for work, budget in BUDGETS.items():
        ours, theirs = phone[work], pouch[work]
        table.add_row(
            work, f"{ours.bytes:,}", f"{budget:,}", f"{ours.bytes / budget:.0%}", str(ours.requests),
            f"{ours.seconds:.2f}", f"{theirs.bytes:,}", str(theirs.requests), f"{theirs.seconds:.2f}",
            f"{theirs.bytes / ours.bytes:.1f}", f"{theirs.seconds / ours.seconds:.1f}",
        )  # fmt: skip
    return table


async def run(name: str, shape: Shape, script: Path) -> Table:
    """One link: a fresh server, a phone, a PouchDB."""
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "data"
        commune: Commune = await seed(
            data, {"khuoi": HOUSEHOLDS}, {"Máy đo": ["khuoi"], "PouchDB": ["khuoi"]}
        )
        with Running(data) as server:
            joined = await asyncio.to_thread(
                httpx.post, f"{server.url}/join", json={"code": commune.codes["PouchDB"], "device_name": "p"}
            )
            grant = joined.raise_for_status().json()
            async with link(server.port, shape) as through:
                pouch = await pouch_figures(through, grant["credential"], grant)
            async with link(server.port, shape) as through:
                phone = await phone_figures(through, commune.codes["Máy đo"], script)
            return show(name, phone, pouch)


def main() -> None:
    """Print one table a link."""
    script = bundle()
    for name, shape in SHAPES.items():
        Console(width=150).print(asyncio.run(run(name, shape, script)))
