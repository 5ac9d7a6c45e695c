"""Long lists are read and sent a page at a time: whoever reads them sees one list."""

from typing import Any

import httpx
import orjson
import pytest

from sync.http import changes, listing
from sync.http.answers import Feed
from tests.engine.running import engine

JSON = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
SELECTED = {"selector": {"n": {"$gt": 3}}}


def said(body: object) -> bytes | None:
    return None if body is None else orjson.dumps(body)


ASKED: list[tuple[str, Any]] = [
    ("_all_docs", None),
    ("_all_docs?include_docs=true&update_seq=true", None),
    ("_all_docs?descending=true&include_docs=true&conflicts=true", None),
    ('_all_docs?startkey="d02"&endkey="d07"&inclusive_end=false', None),
    ('_all_docs?startkey="d07"&endkey="d02"&descending=true', None),
    ("_all_docs?skip=2&limit=5", None),
    ("_all_docs?skip=1&limit=3&include_docs=true", None),
    ("_all_docs?skip=20", None),
    ("_all_docs?limit=0", None),
    ('_all_docs?startkey="x"', None),
    ("_all_docs?startkey=[]", None),
    ("_all_docs?include_docs=true", {"keys": ["d01", "none", 3, "d01", "d09", "d04", "gone", "d02"]}),
    ("_all_docs?descending=true&skip=1&limit=4", {"keys": ["d01", "none", "d02", "d09", "d04", "d02"]}),
    ("_all_docs", {"keys": []}),
    ("_all_docs/queries", {"queries": [{"include_docs": True}, {"keys": ["d01", "x"]}, {"limit": 0}]}),
    ("_all_docs/queries", {"queries": []}),
    ("_changes", None),
    ("_changes?descending=true", None),
    ("_changes?descending=true&include_docs=true&style=all_docs", None),
    ("_changes?descending=true&limit=5", None),
    ("_changes?descending=true&filter=_doc_ids", {"doc_ids": ["d01", "d03", "d05", "d08", "none"]}),
    ("_changes?descending=true&filter=_doc_ids&limit=2", {"doc_ids": ["d01", "d03", "d05", "d08"]}),
    ("_changes?descending=true&filter=_selector", SELECTED),
    ("_changes?descending=true&filter=_selector&limit=2", SELECTED),
    ("_changes?filter=_selector&limit=4", SELECTED),
]


async def fill(client: httpx.AsyncClient) -> None:
    await client.put("/db")
    docs = [{"_id": f"d{n:02}", "_rev": f"1-{n}", "n": n} for n in range(10)]
    docs += [{"_id": "d04", "_rev": "1-z", "n": 40}, {"_id": "gone", "_rev": "1-a", "_deleted": True}]
    await client.post("/db/_bulk_docs", json={"docs": docs, "new_edits": False})


async def ask(client: httpx.AsyncClient, path: str, body: object) -> Any:
    method = "GET" if body is None else "POST"
    answer = await client.request(method, f"/db/{path}", content=said(body), headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_list_of_many_pages_is_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine() as client:
        await fill(client)
        whole = [await ask(client, path, body) for path, body in ASKED]
        for at_once in (1, 2, 3, 10):
            monkeypatch.setattr(changes, "AT_ONCE", at_once)
            monkeypatch.setattr(listing, "AT_ONCE", at_once)
            monkeypatch.setattr(listing, "DOCS_AT_ONCE", at_once)
            for (path, body), expected in zip(ASKED, whole, strict=True):
                assert await ask(client, path, body) == expected, (path, at_once)


async def test_a_descending_feed_of_some_documents_is_of_those_alone() -> None:
    async with engine() as client:
        await fill(client)
        found = await ask(client, "_changes?descending=true&filter=_doc_ids", {"doc_ids": ["d01", "d03"]})
        assert [row["id"] for row in found["results"]] == ["d03", "d01"]


@pytest.mark.parametrize(
    "path", ["_all_docs?include_docs=true", "_changes?descending=true&include_docs=true"]
)
async def test_no_more_than_a_page_of_documents_is_held(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[int] = []
    long = Feed.long.__func__  # type: ignore[attr-defined] # a class's method

    def measured(cls: type[Feed], request: Any, given: Any) -> Feed:
        async def counted() -> Any:
            async for piece in given:
                pieces.append(len(piece))
                yield piece

        feed: Feed = long(cls, request, counted())
        return feed

    monkeypatch.setattr(Feed, "long", classmethod(measured))
    async with engine() as client:
        await client.put("/db")
        docs = [{"_id": f"{n:04}", "_rev": "1-a", "text": "x" * 1000} for n in range(2500)]
        await client.post("/db/_bulk_docs", json={"docs": docs, "new_edits": False})
        rows = await ask(client, path, None)
        assert len(rows.get("results", rows.get("rows"))) == 2500
    assert max(pieces) < 1.2e6
