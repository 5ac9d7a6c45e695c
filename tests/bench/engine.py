"""The engine against its peers in one run: same machine, same client, documents of 600 bytes.

Peers: pouchdb-server in memory and on leveldb (said to be missing where leveldb's native code is), and a real
CouchDB where CAMKET_BENCH_COUCHDB names one (http://admin:secret@host:5984). The engine writes to a file with
every acknowledged write on disk; the others as they are configured: leveldb answers before the disk has it.

A ratio counts only where nothing else ran: the load average before the run stands under the table, and where
it is not near zero the figures say little.

Long runs: `make bench-million` grows one database to a million documents, without peers (CAMKET_BENCH_PEERS=
leaves them out, CAMKET_BENCH_CURVE says the sizes). Each point is the rate of the last ten thousand documents
pushed, and of one pull of everything from the start. The file grows to some GB in CAMKET_BENCH_DIR (or the
system's directory for temporary files); that should be a disk, since in memory every fsync is free.
"""

import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench._bare import BareSqlite
from tests.engine.running import PeerMissing, pouchdb_server

DOCS = int(os.environ.get("CAMKET_BENCH_DOCS", "10000"))
PUTS = 1000
PULLS = 5
"""Pulls of everything, of which the median counts: the first meets code that a peer has not compiled yet."""
CURVE = [int(n) for n in os.environ.get("CAMKET_BENCH_CURVE", "10000,30000,100000,300000").split(",") if n]
PHONES, OF_EACH, AT_A_TIME = 300, 40, 16
PAYLOAD = "x" * 520
PEERS = [name for name in os.environ.get("CAMKET_BENCH_PEERS", "memory,leveldb").split(",") if name]
"""Kinds of pouchdb-server to compare with."""


class Wire:
    """One HTTP/1.1 connection, with as little of a client as there can be, so that servers are measured."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 5984
        auth = b64encode(f"{parts.username}:{parts.password}".encode()).decode() if parts.username else ""
        self._head = (
            f"Host: {self._host}:{self._port}\r\n"
            "Accept: application/json\r\nContent-Type: application/json\r\n"
            + (f"Authorization: Basic {auth}\r\n" if auth else "")
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send a request, read the answer whole; errors but 404 and 412 are failures of the run."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**24)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        headers = dict(line.split(b":", 1) for line in lines if b":" in line)
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            answer = await _chunks(reader)
        else:
            answer = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        if int(status.split()[1]) not in {200, 201, 202, 404, 412}:
            raise RuntimeError(f"{method} {path}: {status!r} {answer[:200]!r}")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = []
    while size := int(await reader.readline(), 16):
        whole.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(whole)


def batches(count: int, size: int) -> list[tuple[bytes, bytes]]:
    """Requests for `_revs_diff` and `_bulk_docs`, made before the clock starts."""
    made = []
    for _ in range(0, count, size):
        docs = [
            {"_id": secrets.token_hex(8), "_rev": f"1-{secrets.token_hex(16)}", "n": n, "text": PAYLOAD}
            for n in range(size)
        ]
        asked = {doc["_id"]: [doc["_rev"]] for doc in docs}
        made.append((orjson.dumps(asked), orjson.dumps({"docs": docs, "new_edits": False})))
    return made


async def push(wire: Wire, db: str, work: Sequence[tuple[bytes, bytes]]) -> None:
    """What a replicator sends."""
    for asked, docs in work:
        await wire.ask("POST", f"/{db}/_revs_diff", asked)
        await wire.ask("POST", f"/{db}/_bulk_docs", docs)


async def pull(wire: Wire, db: str) -> int:
    """What a replicator reads."""
    since: Any = 0
    count = 0
    while True:
        position = since if isinstance(since, str) else str(since)
        page = orjson.loads(
            await wire.ask("GET", f"/{db}/_changes?style=all_docs&limit=200&since={position}")
        )
        rows = page["results"]
        if not rows:
            return count
        asked = [{"id": row["id"], "rev": change["rev"]} for row in rows for change in row["changes"]]
        answer = orjson.loads(
            await wire.ask("POST", f"/{db}/_bulk_get?revs=true&latest=true", orjson.dumps({"docs": asked}))
        )
        count += len(answer["results"])
        since = page["last_seq"]


async def spread(url: str, connections: int, work: Callable[[Wire, int], Awaitable[None]]) -> None:
    """The same work over several connections at once."""
    wires = [Wire(url) for _ in range(connections)]
    await asyncio.gather(*(work(wire, number) for number, wire in enumerate(wires)))
    for wire in wires:
        wire.close()


@dataclass(frozen=True)
class Point:
    """What pushing and pulling cost at one size: documents a second, and microseconds of the server's own
    processor time for each, which other work on the machine disturbs less; of a push also what bare SQLite
    takes for the same rows."""

    push: float
    pull: float
    push_cpu: float
    pull_cpu: float
    bare_cpu: float = 0


@dataclass
class Figures:
    """What one server did: documents (or requests) a second, and seconds for the phones."""

    push: float = 0
    pull: float = 0
    push8: float = 0
    puts8: float = 0
    phones: float = 0
    curve: "dict[int, Point]" = field(default_factory=dict)
    memory: float = 0


async def measure(url: str) -> Figures:
    """Every workload on a fresh database of its own."""
    wire = Wire(url)
    figures = Figures()
    for db in ("bench1", "bench8", "puts", "phones"):
        await wire.ask("DELETE", f"/{db}")
        await wire.ask("PUT", f"/{db}")
    await push(wire, "bench1", batches(500, 100))  # warm up
    work = batches(DOCS, 100)
    figures.push = DOCS / await timed(push(wire, "bench1", work))
    figures.pull = (DOCS + 500) / statistics.median([await timed(pull(wire, "bench1")) for _ in range(PULLS)])
    parts = [batches(DOCS // 8, 100) for _ in range(8)]
    total = sum(len(part) for part in parts) * 100
    figures.push8 = total / await timed(spread(url, 8, lambda one, n: push(one, "bench8", parts[n])))
    figures.puts8 = PUTS / await timed(spread(url, 8, lambda one, n: _puts(one, n, PUTS // 8)))
    figures.phones = await timed(_phones(url))
    wire.close()  # idle for longer than some servers keep a connection
    wire = Wire(url)
    for db in ("bench1", "bench8", "puts", "phones"):
        await wire.ask("DELETE", f"/{db}")
    wire.close()
    return figures


async def timed(work: Awaitable[object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


async def _puts(wire: Wire, number: int, count: int) -> None:
    body = orjson.dumps({"n": 1, "text": PAYLOAD})
    for n in range(count):
        await wire.ask("PUT", f"/puts/{number}-{n}-{secrets.token_hex(4)}", body)


async def _phones(url: str) -> None:
    """Phones that come to the hall at once: checkpoint, what is missing, documents, checkpoint."""
    gate = asyncio.Semaphore(AT_A_TIME)
    work = [batches(OF_EACH, OF_EACH) for _ in range(PHONES)]

    async def phone(number: int) -> None:
        async with gate:
            wire = Wire(url)
            await wire.ask("GET", f"/phones/_local/{number}")
            await push(wire, "phones", work[number])
            await wire.ask("PUT", f"/phones/_local/{number}", b'{"last_seq":1}')
            wire.close()

    await asyncio.gather(*(phone(number) for number in range(PHONES)))


async def curve(url: str, pid: int) -> dict[int, Point]:
    """What a document costs as the database grows."""
    wire = Wire(url)
    await wire.ask("PUT", "/curve")
    grown, points = 0, {}
    for size in CURVE:
        while grown < size:
            work = batches(min(10_000, size - grown), 100)
            before = processor(pid)
            seconds = await timed(push(wire, "curve", work))
            pushed, cost = len(work) * 100, processor(pid) - before
            grown += pushed
        before, start = processor(pid), time.perf_counter()
        pulled = await pull(wire, "curve")
        rate = pulled / (time.perf_counter() - start)
        points[size] = Point(
            pushed / seconds, rate, cost / pushed * 1e6, (processor(pid) - before) / pulled * 1e6
        )
    wire.close()
    return points


@asynccontextmanager
async def camket_engine(directory: str) -> AsyncIterator[tuple[str, int]]:
    """The engine over a file in a process of its own: its URL and process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        "engine",
        "--data",
        directory,
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        line = (await process.stdout.readline()).decode()
        yield line.split()[-1].rstrip("/"), process.pid
    finally:
        process.terminate()
        await process.wait()


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used, its own and the system's for it."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def run() -> None:
    """Measure and print."""
    console = Console()
    load = os.getloadavg()[0]
    results: dict[str, Figures] = {}
    missing: list[str] = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAMKET_BENCH_DIR")) as directory:
        async with camket_engine(directory) as (url, pid):
            results["camket engine"] = await measure(url)
            results["camket engine"].memory = resident(pid)
            if CURVE:
                results["camket engine"].curve = await curve(url, pid)
                results["camket engine"].memory = resident(pid)
        bare = await BareSqlite.at(Path(directory) / "bare.sqlite")
        points = results["camket engine"].curve
        points.update({size: replace(points[size], bare_cpu=bare.grow(size) * 1e6) for size in CURVE})
        bare.close()
    for kind in PEERS:
        try:
            async with pouchdb_server(kind) as client:
                results[f"pouchdb-server ({kind})"] = await measure(str(client.base_url).rstrip("/"))
        except PeerMissing as error:
            missing.append(f"pouchdb-server ({kind}) was not measured, it cannot run here: {error}")
    if couchdb := os.environ.get("CAMKET_BENCH_COUCHDB"):
        results["CouchDB"] = await measure(couchdb.rstrip("/"))
    show(console, results)
    for line in missing:
        console.print(line, markup=False)
    cores = os.cpu_count()
    console.print(
        f"load average before the run {load:.1f}, after it {os.getloadavg()[0]:.1f}, on {cores} cores"
    )


def show(console: Console, results: dict[str, Figures]) -> None:
    """The figures, and each as a ratio of the engine's to the peer's."""
    ours = results["camket engine"]
    table = Table(title="documents (requests) a second; in brackets: the engine's ratio to the peer")
    for name in ("", "push", "pull", "push, 8 connections", "PUTs, 8 connections", "300 phones (s)"):
        table.add_column(name, justify="left" if not name else "right")
    for name, figures in results.items():
        cells = []
        for attribute in ("push", "pull", "push8", "puts8", "phones"):
            mine, theirs = getattr(ours, attribute), getattr(figures, attribute)
            ratio = theirs / mine if attribute == "phones" else mine / theirs
            value = f"{theirs:.2f}" if attribute == "phones" else f"{theirs:,.0f}"
            cells.append(value if figures is ours else f"{value} ({ratio:.1f}×)")
        table.add_row(name, *cells)
    console.print(table)
    for size, at in ours.curve.items():
        console.print(
            f"{size:>9,} documents: pushed {at.push:,.0f} a second ({at.push_cpu:.0f} µs of processor each, "
            f"bare SQLite {at.bare_cpu:.0f}), pulled {at.pull:,.0f} ({at.pull_cpu:.0f} µs)"
        )
    console.print(f"resident memory of the engine after the run: {ours.memory:.0f} MiB")


def main() -> None:
    """`python -m tests.bench engine`."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
