"""The engine, killed at random points of a write load: what it acknowledged is there, the feed has no gap."""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.store.sqlite import SqliteStore

ROUNDS = int(os.environ.get("CAMKET_CRASHES", "8"))
"""How often it is killed; `CAMKET_CRASHES=300` for the long run."""
WRITERS = 4


async def start(data: Path) -> tuple[asyncio.subprocess.Process, str]:
    """The real program in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "engine", "--data", str(data), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    return process, line.decode().split()[-1].rstrip("/")


class Load:
    """Writers that remember what they were told, and a reader of the feed that never looks back."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.acknowledged: dict[str, str] = {}
        self.local: dict[str, int] = {}
        self.seen: dict[int, str] = {}
        self.enough = asyncio.Event()
        self._until = 0

    async def run(self, url: str, number: int) -> None:
        """Write and read until the server is gone."""
        self._until = len(self.acknowledged) + self.random.randrange(5, 400)
        self.enough.clear()
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            work = [self._write(client, f"{number}-{writer}") for writer in range(WRITERS)]
            await asyncio.gather(self._follow(client), *work, return_exceptions=True)

    async def _write(self, client: httpx.AsyncClient, name: str) -> None:
        n = 0
        while True:
            n += 1
            kind = self.random.random()
            if kind < 0.4:
                doc_id = f"one-{name}-{n}"
                told = (await client.put(f"/db/{doc_id}", json={"n": n})).raise_for_status().json()
                self._keep({doc_id: told["rev"]})
            elif kind < 0.5 and self.acknowledged:
                doc_id, rev = self.random.choice(list(self.acknowledged.items()))
                answer = await client.put(f"/db/{doc_id}", json={"edited": n}, params={"rev": rev})
                if answer.status_code == 201:
                    self._keep({doc_id: answer.json()["rev"]})
            elif kind < 0.6:
                await client.put(f"/db/_local/{name}", json={"n": n})
                self.local[name] = n
            else:
                docs = {f"many-{name}-{n}-{k}": f"1-{self.random.randbytes(16).hex()}" for k in range(30)}
                body = [{"_id": doc_id, "_rev": rev, "text": "x" * 300} for doc_id, rev in docs.items()]
                answer = await client.post("/db/_bulk_docs", json={"docs": body, "new_edits": False})
                answer.raise_for_status()
                self._keep(docs)

    def _keep(self, docs: dict[str, str]) -> None:
        self.acknowledged.update(docs)
        if len(self.acknowledged) >= self._until:
            self.enough.set()

    async def _follow(self, client: httpx.AsyncClient) -> None:
        since = max(self.seen, default=0)
        while True:
            query: dict[str, Any] = {"feed": "longpoll", "since": since, "limit": 50}
            page = (await client.get("/db/_changes", params=query)).raise_for_status().json()
            for row in page["results"]:
                assert row["seq"] > since
                since = row["seq"]
                self.seen[since] = row["id"]


@pytest.mark.timeout(ROUNDS * 30 + 60)
async def test_what_was_acknowledged_survives_being_killed(tmp_path: Path) -> None:
    load = Load(seed=20260101)
    for number in range(ROUNDS):
        process, url = await start(tmp_path)
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            await client.put("/db")
            await check(client, load)
        working = asyncio.create_task(load.run(url, number))
        await asyncio.wait_for(load.enough.wait(), 60)
        process.kill()
        await process.wait()
        await working
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    assert await store.check() == []
    await store.close()


async def check(client: httpx.AsyncClient, load: Load) -> None:
    """Every acknowledged revision is there, and a reader that went on from its position missed nothing."""
    asked = {doc_id: [rev] for doc_id, rev in load.acknowledged.items()}
    assert (await client.post("/db/_revs_diff", json=asked)).json() == {}
    rows = (await client.get("/db/_local_docs", params={"include_docs": "true"})).json()["rows"]
    held = {row["id"].removeprefix("_local/"): row["doc"]["n"] for row in rows}
    assert all(held.get(name, 0) >= n for name, n in load.local.items())
    feed = (await client.get("/db/_changes")).json()
    seqs = [row["seq"] for row in feed["results"]]
    assert seqs == sorted(set(seqs))
    last = max(load.seen, default=0)
    unseen = {row["id"] for row in feed["results"] if row["seq"] <= last} - set(load.seen.values())
    assert not unseen, f"the feed passed over {json.dumps(sorted(unseen)[:5])}"
    assert all(load.seen[row["seq"]] == row["id"] for row in feed["results"] if row["seq"] in load.seen)
