"""A second server for a while: it begins as a copy, some phones speak to it, and then the two exchange.

The exchange is what any two CouchDB-compatible peers do: both stores behind the bare engine, replicated both
ways (`sync.replicate`) until nothing is written any more, while the followers of both products settle what
they find in between. Then both must hold the same trees, to the last revision.
"""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx

from server.app import PICTURES
from sync.replicate import Report
from tests.sim import servers
from tests.sim.observe import Doc, Key, documents, sequences
from tests.sim.servers import Process

EXCHANGES = 6
"""Rounds after which two servers must be at rest."""

Settle = Callable[[Path], Awaitable[None]]
Replicate = Callable[..., Awaitable[Report]]
"""`sync.replicate.replicate`, or what the tests of the invariants put in its place."""


def copy(data: Path, target: Path) -> None:
    """Copy the data of a running server, into another life (`server.backup`): positions do not carry over."""
    target.mkdir()
    for name in ("documents.sqlite", "rows.sqlite"):
        with closing(sqlite3.connect(data / name)) as one, closing(sqlite3.connect(target / name)) as other:
            one.backup(other)
    with closing(sqlite3.connect(target / "rows.sqlite")) as rows:
        rows.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('epoch', 'second')")
        rows.commit()
    for path in data.iterdir():
        if path.is_file() and path.suffix not in {".sqlite", ".sqlite-wal", ".sqlite-shm"}:
            shutil.copy(path, target)
    if (data / PICTURES).exists():
        shutil.copytree(data / PICTURES, target / PICTURES)


def carry(source: Path, target: Path) -> None:
    """Bring the photographs that one server has to the other, as a person would: those of which that has a
    document by now. What waits in quarantine is each server's own: one may have sent it away."""
    held = documents(target / "documents.sqlite")
    shown = {key for key, doc in held.items() if doc.live}
    for path in (source / PICTURES).glob("*/*"):
        if path.is_file() and (f"media-{path.parent.name}", f"photo:{path.stem}") in shown:
            there = target / PICTURES / path.parent.name
            there.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there)


async def exchange(
    one: Path, other: Path, settle: Settle, replicate: Replicate
) -> tuple[dict[Key, Doc], dict[Key, Doc]] | None:
    """Let two servers that are down exchange until nothing is written; what each holds then, None where they
    come to no rest.

    `settle` runs the product over a data directory until its rows have heard of everything.
    """
    for number in range(EXCHANGES):
        before = (sequences(one), sequences(other))
        written = await _replicated(one, other, number, replicate)
        for data in (one, other):
            await settle(data)
        if not written and before == (sequences(one), sequences(other)):
            return documents(one / "documents.sqlite"), documents(other / "documents.sqlite")
    return None


async def _replicated(one: Path, other: Path, number: int, replicate: Replicate) -> int:
    """Every database of each into the other; how many documents were written."""
    engines: list[Process] = []
    written = 0
    try:
        for data in (one, other):
            engines.append(await servers.engine(data / "documents.sqlite"))
        first, second = (f"http://127.0.0.1:{engine.port}" for engine in engines)
        async with httpx.AsyncClient(timeout=60) as http:
            for source, target, data in ((first, second, one), (second, first, other)):
                for name in sequences(data):
                    ends = f"{source}/{name}", f"{target}/{name}"
                    report = await replicate(http, *ends, session=f"sim {number} {source}", create=True)
                    written += report.written
    finally:
        for engine in engines:
            engine.kill()
    return written
