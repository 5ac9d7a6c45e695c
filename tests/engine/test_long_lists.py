"""Long lists are read and sent a page at a time: whoever reads them sees one list."""

from base64 import b64encode
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Message, Scope, Send

from sync.http import changes, listing
from sync.http.answers import Feed
from sync.store.interface import Changes, Page
from sync.store.sqlite import SqliteStore
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
            monkeypatch.setattr(listing, "NAMED_AT_ONCE", at_once)
            for (path, body), expected in zip(ASKED, whole, strict=True):
                assert await ask(client, path, body) == expected, (path, at_once)


async def test_a_descending_feed_of_some_documents_is_of_those_alone() -> None:
    async with engine() as client:
        await fill(client)
        found = await ask(client, "_changes?descending=true&filter=_doc_ids", {"doc_ids": ["d01", "d03"]})
        assert [row["id"] for row in found["results"]] == ["d03", "d01"]


LONG = [
    ("_all_docs?include_docs=true", None),
    ("_all_docs?include_docs=true&attachments=true", None),
    ("_all_docs?include_docs=true", {"keys": [f"{n:04}" for n in range(2500)]}),
    ("_changes?include_docs=true", None),
    ("_changes?include_docs=true&attachments=true", None),
    ("_changes?feed=continuous&timeout=1&include_docs=true&attachments=true", None),
    ("_changes?descending=true&include_docs=true", None),
]


async def test_no_more_than_a_megabyte_of_documents_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    send = Feed._send

    async def measured(self: Feed, scope: Scope, given: Send) -> None:
        async def counted(message: Message) -> None:
            sizes.append(len(message.get("body", b"")))
            await given(message)

        await send(self, scope, counted)

    monkeypatch.setattr(Feed, "_send", measured)
    kept = SqliteStore.changes

    async def read(self: SqliteStore, db: str, page: Page) -> Changes:
        found = await kept(self, db, page)
        sizes.append(sum(len(change.body.json) for change in found.rows if change.body))
        return found

    monkeypatch.setattr(SqliteStore, "changes", read)
    files = {"f": {"content_type": "image/png", "data": b64encode(b"y" * 400_000).decode()}}
    docs: list[dict[str, Any]] = [{"_id": f"{n:04}", "_rev": "1-a", "text": "x" * 1000} for n in range(2500)]
    docs += [{"_id": f"l{n}", "_rev": "1-a", "text": "x" * 400_000, "_attachments": files} for n in range(6)]
    async with engine() as client:
        await client.put("/db")
        answer = await client.post("/db/_bulk_docs", json={"docs": docs, "new_edits": False})
        assert answer.status_code == 201, answer.text
        for path, body in LONG:
            sizes.clear()
            answer = await client.request(
                "GET" if body is None else "POST", f"/db/{path}", content=said(body), headers=JSON
            )
            assert answer.text.count('"_id"') == (2500 if body else 2506)
            assert max(sizes) < 2.2e6, path
