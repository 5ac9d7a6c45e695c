"""The phones of a season: one Node process (`pwa/tests/fleet.ts`) that takes an order a line."""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.running import ROOT

PATIENCE = 60
"""Seconds: an order that takes longer hangs."""


class Hangs(AssertionError):
    """An order that did not come to an end."""


@dataclass(slots=True)
class Told:
    """What came of an order: `error` is a code of `FieldError`, `killed`, `broken: …`, or None."""

    result: Any
    error: str | None
    heard: list[list[str]]
    """Outcomes: database, id, revision, what it is, why."""
    wrote: list[dict[str, Any]]


@dataclass(slots=True)
class Fleet:
    """A running fleet."""

    process: asyncio.subprocess.Process
    _asked: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _count: int = 0

    async def tell(self, phone: int, do: str, now: int, **more: Any) -> Told:
        """Give one phone an order; what came of it. Raises `Hangs`."""
        self._count += 1
        number = self._count
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        order = {"n": number, "phone": phone, "do": do, "now": now, **more}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        try:
            async with asyncio.timeout(PATIENCE):
                told = await answer
        except TimeoutError as error:
            raise Hangs(f"phone {phone} hangs over {do}") from error
        return Told(told["result"], told["error"], told["heard"], told["wrote"])

    async def listen(self) -> None:
        """Hand each answer to whoever asked."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            told = json.loads(line)
            asked = self._asked.pop(told["n"], None)
            if asked and not asked.done():
                asked.set_result(told)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(AssertionError("the fleet ended"))


@cache
def bundled() -> Path:
    """The fleet as one file for Node."""
    into = Path(tempfile.mkdtemp(prefix="camket-fleet-")) / "fleet.mjs"
    esbuild = ROOT / "pwa" / "node_modules" / ".bin" / "esbuild"
    how = ["--bundle", "--platform=node", "--target=node20", "--format=esm", "--log-level=warning"]
    subprocess.run([esbuild, "pwa/tests/fleet.ts", *how, f"--outfile={into}"], cwd=ROOT, check=True)
    return into


@asynccontextmanager
async def fleet(port: int) -> AsyncIterator[Fleet]:
    """A fleet whose phones find their server behind 127.0.0.1:port."""
    process = await asyncio.create_subprocess_exec(
        "node",
        "--enable-source-maps",
        str(bundled()),
        f"http://127.0.0.1:{port}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
        env={**os.environ, "TZ": "UTC"},
    )
    made = Fleet(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening
