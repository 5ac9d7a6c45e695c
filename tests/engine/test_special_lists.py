"""`_design_docs` and `_local_docs` are asked as `_all_docs` is, and booleans in all three are read alike."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.engine.running import engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[httpx.AsyncClient]:
    async with engine() as client:
        await client.put("/db")
        for name in "abcd":
            await client.put(f"/db/_design/{name}", json={"of": name})
            await client.put(f"/db/_local/{name}", json={"of": name})
            await client.put(f"/db/{name}", json={})
        gone = await client.put("/db/_design/gone", json={})
        await client.delete("/db/_design/gone", params={"rev": gone.json()["rev"]})
        yield client


# What is asked (KIND stands for the kind), and the names that are answered: none for what is not there.
TABLE: list[tuple[dict[str, str], list[str | None]]] = [
    ({}, ["a", "b", "c", "d"]),
    ({"limit": "2"}, ["a", "b"]),
    ({"limit": "0"}, []),
    ({"skip": "1", "limit": "2"}, ["b", "c"]),
    ({"descending": "true", "limit": "2"}, ["d", "c"]),
    ({"startkey": '"KIND/b"'}, ["b", "c", "d"]),
    ({"endkey": '"KIND/b"'}, ["a", "b"]),
    ({"end_key": '"KIND/b"', "inclusive_end": "false"}, ["a"]),
    ({"startkey": '"KIND/c"', "endkey": '"KIND/b"', "descending": "true"}, ["c", "b"]),
    ({"startkey": '"a"'}, []),
    ({"endkey": '"a"'}, ["a", "b", "c", "d"]),
    ({"key": '"KIND/b"'}, ["b"]),
    ({"key": '"b"'}, []),
    ({"keys": '["KIND/d","KIND/a","KIND/x",1,"b"]'}, ["d", "a", None, None, None]),
    ({"keys": '["KIND/d","KIND/a"]', "descending": "true", "limit": "1"}, ["a"]),
    ({"startkey": "{}"}, []),
]


def asked(query: dict[str, str], kind: str) -> dict[str, str]:
    return {name: value.replace("KIND", kind) for name, value in query.items()}


def names(answer: httpx.Response, kind: str) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    for row in rows:
        assert row.get("error") == "not_found" or row["id"] == row["key"]
    return [row["id"].removeprefix(f"{kind}/") if "id" in row else None for row in rows]


@pytest.mark.parametrize("kind", ["_design", "_local"])
@pytest.mark.parametrize(("query", "expected"), TABLE, ids=lambda value: str(value)[:60])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_list_answers_what_is_asked(
    server: httpx.AsyncClient, kind: str, query: dict[str, str], expected: list[str | None]
) -> None:
    answer = await server.get(f"/db/{kind}_docs", params=asked(query, kind))
    assert names(answer, kind) == expected
    assert answer.json()["total_rows"] == 4


@pytest.mark.parametrize("kind", ["_design", "_local"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_list_can_be_posted_for_and_has_documents(server: httpx.AsyncClient, kind: str) -> None:
    body = {"keys": [f"{kind}/c", f"{kind}/a"], "include_docs": True}
    answer = await server.post(f"/db/{kind}_docs", json=body)
    assert [row["doc"]["of"] for row in answer.json()["rows"]] == ["c", "a"]
    assert names(await server.post(f"/db/{kind}_docs", json={"limit": 1}), kind) == ["a"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_deleted_design_document_has_its_row_where_it_is_named(server: httpx.AsyncClient) -> None:
    answer = await server.get("/db/_design_docs", params={"keys": '["_design/gone"]'})
    assert answer.json()["rows"][0]["value"]["deleted"] is True


@pytest.mark.parametrize("kind", ["_design", "_local"])
@pytest.mark.parametrize("query", ["limit=x", 'keys=[]&key="a"', "startkey={"])
@pytest.mark.asyncio(loop_scope="module")
async def test_what_cannot_be_read_is_refused(server: httpx.AsyncClient, kind: str, query: str) -> None:
    assert (await server.get(f"/db/{kind}_docs?{query}")).status_code == 400


@pytest.mark.parametrize("listed", ["_all_docs", "_design_docs", "_local_docs"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_boolean_is_one_in_any_case_and_as_text_in_a_body(
    server: httpx.AsyncClient, listed: str
) -> None:
    for answer in [
        await server.get(f"/db/{listed}?include_docs=TRUE"),
        await server.post(f"/db/{listed}", json={"include_docs": "true"}),
        await server.post(f"/db/{listed}?include_docs=false", json={"include_docs": True}),
    ]:
        assert answer.json()["rows"][0]["doc"]["of"] == "a"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_local_document_is_kept_without_its_attachments(server: httpx.AsyncClient) -> None:
    told = await server.put("/db/_local/filed", json={"of": "f", "_attachments": {"f": {"data": ""}}})
    assert told.status_code == 201
    kept = (await server.get("/db/_local/filed")).json()
    assert (kept["of"], "_attachments" in kept) == ("f", False)
    await server.delete("/db/_local/filed")
