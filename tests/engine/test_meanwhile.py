"""A long answer is of one database and whole, whatever becomes of the database while it is read."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from sync.http import changes, listing
from sync.store.sqlite import SqliteStore
from tests.engine.running import engine

Meanwhile = Callable[[httpx.AsyncClient], Awaitable[None]]


async def fill(client: httpx.AsyncClient, name: str) -> None:
    await client.put("/db")
    docs = [{"_id": f"{name}{n:02}"} for n in range(10)]
    await client.post("/db/_bulk_docs", json={"docs": docs})


async def read(
    path: str, body: Any, reads: str, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> str | None:
    """What a peer is answered where something happens before the fifth page is read; None: it was cut off."""
    for module, name in ((changes, "AT_ONCE"), (listing, "AT_ONCE"), (listing, "NAMED_AT_ONCE")):
        monkeypatch.setattr(module, name, 2)
    original = getattr(SqliteStore, reads)
    pages = 0

    async def watched(*arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 5:
            await meanwhile(client)
        return await original(*arguments)

    async with engine() as client:
        await fill(client, "old")
        monkeypatch.setattr(SqliteStore, reads, watched)
        try:
            answer = await client.request("GET" if body is None else "POST", f"/db/{path}", json=body)
        except httpx.RemoteProtocolError:
            return None
        return answer.text


@pytest.mark.parametrize(
    ("path", "body", "reads"),
    [
        ("_changes?include_docs=true", None, "changes"),
        ("_changes?descending=true", None, "changes"),
        ("_changes?feed=continuous&timeout=1", None, "changes"),
        ("_all_docs?include_docs=true", None, "listing"),
        ("_all_docs", {"keys": [f"{name}{n:02}" for n in range(5) for name in ("old", "new")]}, "read"),
        ("_all_docs/queries", {"queries": [{"limit": 6}, {}]}, "listing"),
    ],
)
async def test_no_answer_is_of_two_databases_of_one_name(
    path: str, body: Any, reads: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def made_again(client: httpx.AsyncClient) -> None:
        await client.delete("/db")
        await fill(client, "new")

    told = await read(path, body, reads, made_again, monkeypatch)
    assert told is None or '"old04"' in told
    assert told is None or "new" not in told
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("query", ["descending=true", "descending=true&include_docs=true&limit=9"])
async def test_a_feed_from_the_top_has_what_was_edited_while_it_was_read(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edited(client: httpx.AsyncClient) -> None:
        rev = (await client.get("/db/old01")).json()["_rev"]
        await client.put("/db/old01", json={"_rev": rev, "n": 2})
        await client.post("/db/_purge", json={"old00": [(await client.get("/db/old00")).json()["_rev"]]})

    told = orjson.loads(await read(f"_changes?{query}", None, "changes", edited, monkeypatch) or b"")
    assert [row["id"] for row in told["results"]] == [f"old{n:02}" for n in range(9, 0, -1)]
