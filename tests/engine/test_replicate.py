"""`camket replicate` between our engine and pouchdb-server, both ways, ending in the same trees."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sync.replicate import Report, replicate
from tests.engine.running import engine, pouchdb_server

Tree = dict[str, list[tuple[str, bool, Any]]]


def revision(doc_id: str, digests: Sequence[str], **fields: Any) -> dict[str, Any]:
    """A document as another made it, its newest digest first."""
    start = len(digests)
    history = {"start": start, "ids": list(digests)}
    return {"_id": doc_id, "_rev": f"{start}-{digests[0]}", "_revisions": history, **fields}


A, B, C, D = (letter * 32 for letter in "abcd")
DOCS = [
    revision("household:1", [A], name="Lục Thị Mẩy"),
    revision("household:2", [B, A], name="in conflict"),
    revision("household:2", [C, A], name="the other side"),
    revision("household:3", [D, A], _deleted=True),
    revision("a/b+c%", [A], slash=True),
    revision("picture", [A], _attachments={"p.txt": {"content_type": "text/plain", "data": "aGVsbG8="}}),
    *[revision(f"many:{n:03}", [A], n=n) for n in range(250)],
]


async def tree(client: httpx.AsyncClient, db: str) -> Tree:
    """Every leaf with its ancestry, by document."""
    ids = [row["id"] for row in (await client.get(f"/{db}/_changes")).json()["results"]]
    found: Tree = {}
    for doc_id in ids:
        address = f"/{db}/{quote(doc_id, safe='')}"
        query = {"open_revs": "all", "revs": "true"}
        rows = (await client.get(address, params=query, headers={"Accept": "application/json"})).json()
        leaves = [row["ok"] for row in rows]
        found[doc_id] = sorted(
            (leaf["_rev"], leaf.get("_deleted", False), leaf["_revisions"]["ids"]) for leaf in leaves
        )
    return found


async def run(source: httpx.AsyncClient, target: httpx.AsyncClient, session: str) -> Report:
    async with httpx.AsyncClient(timeout=30) as client:
        return await replicate(
            client, f"{source.base_url}/a", f"{target.base_url}/a", session=session, create=True
        )


async def fill(client: httpx.AsyncClient) -> None:
    assert (await client.put("/a")).status_code == 201
    answer = await client.post("/a/_bulk_docs", json={"docs": DOCS, "new_edits": False})
    assert answer.json() == []


async def test_engine_to_pouchdb_server_to_engine_ends_in_the_same_trees() -> None:
    async with engine() as ours, pouchdb_server() as peer, engine() as copy:
        await fill(ours)
        assert (await run(ours, peer, "s1")).written == len(DOCS)
        assert (await run(peer, copy, "s2")).written == len(DOCS)
        assert await tree(copy, "a") == await tree(ours, "a")
        assert (await copy.get("/a/picture/p.txt")).content == b"hello"


async def test_a_second_run_goes_on_from_the_checkpoint_and_both_ways_meet() -> None:
    async with engine() as one, engine() as two:
        await fill(one)
        await run(one, two, "s1")
        again = await run(one, two, "s2")
        assert (again.missing_checked, again.written) == (0, 0)
        await two.put("/a/household:2", json={"name": "from two"}, params={"rev": f"2-{C}"})
        await one.put("/a/new", json={})
        assert (await run(two, one, "s3")).written == 1
        assert (await run(one, two, "s4")).written == 1
        assert await tree(one, "a") == await tree(two, "a")


@pytest.mark.parametrize("lost", ["source", "target"])
async def test_a_side_that_lost_its_checkpoint_starts_over_and_changes_nothing(lost: str) -> None:
    async with engine() as one, engine() as two:
        await fill(one)
        await run(one, two, "s1")
        client = one if lost == "source" else two
        (row,) = (await client.get("/a/_local_docs")).json()["rows"]
        await client.delete(f"/a/{row['id']}")
        again = await run(one, two, "s2")
        assert again.missing_checked == len(DOCS)
        assert again.written == 0
