"""A thousand phones that wait cost no thread, little memory, and all hear of the change."""

import asyncio
import os
import resource
import sys
from pathlib import Path

import httpx
import pytest

from sync.store.interface import Seq
from sync.store.sqlite import SqliteStore
from tests.engine.running import engine
from tests.engine.test_crash import start

WAITING = 1000
MOST_MIB = 64


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def listen(port: int, feed: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /db/_changes?feed=%b&since=now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % feed.encode())
    await reader.readuntil(b"[\n" if feed == "longpoll" else b"\r\n\r\n")
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
            waiting = [await listen(port, "longpoll") for _ in range(WAITING)]
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


@pytest.mark.parametrize("feed", ["longpoll", "continuous", "eventsource"])
async def test_whoever_hangs_up_is_forgotten(feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    wait = SqliteStore.wait

    async def watched(store: SqliteStore, db: str, since: Seq) -> None:
        began.set()
        try:
            await wait(store, db, since)
        finally:
            ended.set()

    monkeypatch.setattr(SqliteStore, "wait", watched)
    async with engine() as client:
        await client.put("/db")
        assert client.base_url.port
        _, writer = await listen(client.base_url.port, feed)
        await asyncio.wait_for(began.wait(), 20)
        assert not ended.is_set()
        writer.close()
        await asyncio.wait_for(ended.wait(), 20)


@pytest.mark.parametrize("feed", ["longpoll", "continuous", "eventsource"])
async def test_a_feed_of_a_database_that_is_dropped_ends(feed: str) -> None:
    async with engine() as client:
        await client.put("/db")
        assert client.base_url.port
        reader, writer = await listen(client.base_url.port, feed)
        await client.delete("/db")
        told = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 20)  # the last chunk: it was not cut
        assert (b'"last_seq":0' in told) == (feed != "eventsource")
        writer.close()
