"""`camket replicate` between our engine and pouchdb-server, both ways, ending in the same trees."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sync.replicate import ReplicationFailed, Report, replicate
from sync.rev import Rev
from sync.store.interface import Edit
from sync.store.sqlite import SqliteStore
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


async def test_what_the_source_has_forgotten_ends_on_the_target_too(tmp_path: Path) -> None:
    """A household moved to another hamlet and was erased, all since the two last met."""
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    left = Edit("household:1", (Rev(2, B), Rev(1, A)), b'{"moved_to":"b"}', deleted=True)
    await store.graft("a", [left])
    await store.forget_bodies("a", ["household:1"])
    await store.close()
    async with engine(tmp_path / "documents.sqlite") as source, engine() as target:
        await fill(target)
        report = await run(source, target, "one")
        assert (report.written, report.gone) == (1, [])
        assert (await tree(target, "a"))["household:1"] == [(f"2-{B}", True, [B, A])]


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


Answered = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Failing(httpx.AsyncHTTPTransport):
    """The way to a peer that fails where `answered` says so."""

    def __init__(self, answered: Answered) -> None:
        super().__init__()
        self._answered = answered

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        await answer.aread()
        return self._answered(request, answer)


async def run_failing(source: httpx.AsyncClient, target: httpx.AsyncClient, answered: Answered) -> Report:
    async with httpx.AsyncClient(timeout=30, transport=Failing(answered)) as client:
        return await replicate(
            client, f"{source.base_url}/a", f"{target.base_url}/a", session="failing", create=True
        )


def timed_out(bulk: bool, alone: httpx.Response | None) -> Answered:
    """A source that takes too long over `lost` in a bulk read, and gives `alone` when asked for it alone."""

    def answered(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if bulk and request.url.path.endswith("/_bulk_get"):
            results = answer.json()["results"]
            for result in results:
                if result["id"] == "lost":
                    why = {"id": "lost", "rev": "1-a", "error": "internal_server_error", "reason": "timeout"}
                    result["docs"] = [{"error": why}]
            return httpx.Response(200, json={"results": results})
        return alone if alone is not None and request.url.path.endswith("/lost") else answer

    return answered


async def ids_of(client: httpx.AsyncClient) -> list[str]:
    return [row["id"] for row in (await client.get("/a/_all_docs")).json()["rows"]]


async def two_with_a_document_to_lose(one: httpx.AsyncClient) -> None:
    await one.put("/a")
    await one.put("/a/found", json={})
    await one.put("/a/lost", json={})


async def test_what_a_bulk_read_does_not_give_is_asked_for_by_itself() -> None:
    async with engine() as one, engine() as two:
        await two_with_a_document_to_lose(one)
        report = await run_failing(one, two, timed_out(bulk=True, alone=None))
        assert (report.read, report.written, report.gone) == (2, 2, [])
        assert await ids_of(two) == ["found", "lost"]


@pytest.mark.parametrize(
    "alone",
    [
        httpx.Response(500, json={"error": "internal_server_error", "reason": "timeout"}),
        httpx.Response(404, text="<h1>a proxy's page</h1>"),
        httpx.Response(200, json=[{"error": "internal_server_error"}]),
    ],
)
async def test_no_checkpoint_moves_past_a_document_that_could_not_be_read(alone: httpx.Response) -> None:
    async with engine() as one, engine() as two:
        await two_with_a_document_to_lose(one)
        with pytest.raises(ReplicationFailed, match=r"/a .*"):
            await run_failing(one, two, timed_out(bulk=True, alone=alone))
        assert (await run(one, two, "again")).written == 2
        assert await ids_of(two) == ["found", "lost"]


@pytest.mark.parametrize(
    "alone",
    [
        httpx.Response(404, json={"error": "not_found", "reason": "missing"}),
        httpx.Response(200, json=[{"missing": "1-a"}]),
    ],
)
async def test_what_the_source_confirms_it_lacks_is_passed_over_and_counted(alone: httpx.Response) -> None:
    async with engine() as one, engine() as two:
        await two_with_a_document_to_lose(one)
        report = await run_failing(one, two, timed_out(bulk=True, alone=alone))
        assert (report.written, [doc_id for doc_id, _ in report.gone]) == (1, ["lost"])


async def test_a_document_that_the_target_fails_to_write_ends_the_run_before_its_checkpoint() -> None:
    def failing(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        rows = [{"id": "lost", "rev": "1-a", "error": "internal_server_error", "reason": "disk"}]
        return httpx.Response(201, json=rows) if request.url.path.endswith("/_bulk_docs") else answer

    async with engine() as one, engine() as two:
        await two_with_a_document_to_lose(one)
        with pytest.raises(ReplicationFailed, match="disk"):
            await run_failing(one, two, failing)
        assert (await run(one, two, "again")).missing_checked == 2


@pytest.mark.parametrize("path", ["/a?x=1", "/a#part"])
async def test_an_address_with_a_query_is_refused_in_words(path: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ReplicationFailed, match="no address of a database"):
            await replicate(client, f"http://127.0.0.1:1{path}", "http://127.0.0.1:1/b", session="s")


async def test_a_source_that_does_not_speak_json_is_refused_in_words() -> None:
    def page(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(200, text="<h1>welcome</h1>") if request.method == "GET" else answer

    async with engine() as one:
        with pytest.raises(ReplicationFailed, match="JSON"):
            await run_failing(one, one, page)
