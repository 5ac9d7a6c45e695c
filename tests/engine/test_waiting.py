"""A thousand phones that wait cost no thread, little memory, and all hear of the change."""

import asyncio
import os
import resource
import sys
from pathlib import Path

import httpx

from tests.engine.test_crash import start

WAITING = 1000
MOST_MIB = 64


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def longpoll(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /db/_changes?feed=longpoll&since=now HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"[\n")
    return reader, writer


async def test_a_thousand_longpolls_wait_in_little_memory(tmp_path: Path) -> None:
    if sys.platform != "linux":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    process, url = await start(tmp_path)
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            await client.put("/db")
            before = resident(process.pid), threads(process.pid)
            port = httpx.URL(url).port
            assert port
            waiting = [await longpoll(port) for _ in range(WAITING)]
            assert resident(process.pid) - before[0] < MOST_MIB
            assert threads(process.pid) - before[1] < 10
            await client.put("/db/x", json={})
            answers = await asyncio.gather(*(reader.readuntil(b"pending") for reader, _ in waiting))
            assert all(b'"id":"x"' in answer for answer in answers)
            for _, writer in waiting:
                writer.close()
    finally:
        process.kill()
        await process.wait()


async def test_whoever_hangs_up_is_forgotten(tmp_path: Path) -> None:
    process, url = await start(tmp_path)
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            await client.put("/db")
            port = httpx.URL(url).port
            assert port
            for _ in range(20):
                _, writer = await longpoll(port)
                writer.close()
                await writer.wait_closed()
            await client.put("/db/x", json={})
            assert (await client.get("/db")).json()["doc_count"] == 1
    finally:
        process.kill()
        await process.wait()
