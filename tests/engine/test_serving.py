"""What stands before the engine: heads without end, and the end of the process."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from sync import nesting, wire
from sync.errors import TooLarge
from sync.http import serving
from tests.engine.running import engine
from tests.engine.test_crash import start


async def answered(client: httpx.AsyncClient, *pieces: bytes) -> bytes:
    """What comes back, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b"HTTP/1.1 431"  # closed before all was taken: nobody reads the answer then
    finally:
        writer.close()


async def test_a_head_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX: "
    async with engine() as client:
        assert b"200 OK" in await answered(client, head, b"x" * 30_000, b"x" * 20_000, b"\r\n\r\n")
        assert (await answered(client, head, *[b"x" * 50_000] * 40)).startswith(b"HTTP/1.1 431")
        monkeypatch.setattr(serving, "LONGEST_WAIT", 0.05)
        assert await answered(client, head) == b""


async def test_whoever_stops_it_finds_everything_in_one_file(tmp_path: Path) -> None:
    process, url = await start(tmp_path)
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.put("/db")).status_code == 201
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 20)
    assert sorted(os.listdir(tmp_path)) == ["documents.sqlite"]  # noqa: PTH208 - the process has ended


def test_a_body_of_nothing_but_brackets_is_not_unpacked() -> None:
    with pytest.raises(TooLarge):
        wire.parse_json(b'{"docs":[' + b"[]," * nesting.MOST + b"[]]}")
    honest = b"[" + b",".join([b'{"a":[{},{},[[],[]]]}'] * 100_000) + b"]"
    assert len(wire.parse_json(honest)) == 100_000
