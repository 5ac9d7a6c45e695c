"""What peers get wrong: CouchDB's status and error name, nothing written, no 500, no hang."""

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sync.http.routing import Limits
from tests.engine.running import engine

A = "a" * 32
DEEP = "[" * 500 + "]" * 500
DEEPER = "[" * 100_000 + "]" * 100_000


@pytest.fixture
async def server() -> AsyncIterator[httpx.AsyncClient]:
    async with engine(limits=Limits(request=2**20, document=2**19)) as client:
        await client.put("/db")
        await client.put("/db/x", json={"n": 1})
        yield client


@dataclass(frozen=True)
class Wrong:
    """A request that must fail, and how."""

    method: str
    path: str
    body: bytes | str | None
    fails: str
    headers: tuple[tuple[str, str], ...] = ()


def bulk(*docs: Any, **rest: Any) -> str:
    return json.dumps({"docs": docs, **rest})


REVS = [
    *["", "x", "1", "-", "-1-a", "0-a", "1.0-a", " 1-a", "١-a", "1e3-a"],
    *["9" * 30 + "-a", "9" * 5000 + "-a", "+1-a", "0x1-a"],
]

NO_DOCUMENTS: list[str | bytes] = [
    "",
    "{",
    "[]",
    '"x"',
    "1",
    "null",
    "nonsense",
    b"\xff\xfe",
    b'{"a":"\xff"}',
    '{"a":"\\ud800"}',
    '{"a":NaN}',
    "{a:1}",
    '{"a":' + DEEP + "}",
    DEEPER,
    '{"a":' * 5000,
]

ODD_IDS: list[object] = [1, None, "", "_x", "_design", "_design/", []]

TABLE = [
    # bodies
    *(Wrong("PUT", "/db/new", body, "400 bad_request") for body in NO_DOCUMENTS),
    *(
        Wrong("POST", "/db/_bulk_docs", body, "400 bad_request")
        for body in [
            "",
            "{}",
            "[]",
            '{"docs":1}',
            '{"docs":{}}',
            '{"docs":[1]}',
            '{"docs":[null]}',
            '{"docs":[],"new_edits":1}',
            bulk({"_id": "new"}, new_edits=False),
            bulk([]),
            DEEPER,
        ]
    ),
    Wrong("POST", "/db/_bulk_docs", "{}", "415 bad_content_type", (("Content-Type", "text/plain"),)),
    Wrong(
        "POST",
        "/db/_bulk_docs",
        "docs=1",
        "415 bad_content_type",
        (("Content-Type", "application/x-www-form-urlencoded"),),
    ),
    Wrong("POST", "/db/_bulk_docs", b"nonsense", "400 bad_request", (("Content-Encoding", "gzip"),)),
    Wrong(
        "POST",
        "/db/_bulk_docs",
        gzip.compress(b"{}", mtime=0)[:-3],
        "400 bad_request",
        (("Content-Encoding", "gzip"),),
    ),
    Wrong(
        "POST",
        "/db/_bulk_docs",
        gzip.compress(b"{}", mtime=0) + b"more",
        "400 bad_request",
        (("Content-Encoding", "gzip"),),
    ),
    Wrong(
        "POST",
        "/db/_bulk_docs",
        gzip.compress(b" " * 2**24, mtime=0),
        "413 too_large",
        (("Content-Encoding", "gzip"),),
    ),
    Wrong(
        "POST",
        "/db/_bulk_docs",
        zlib.compress(b"{}"),
        "415 bad_content_type",
        (("Content-Encoding", "deflate"),),
    ),
    Wrong("POST", "/db/_bulk_docs", b" " * (2**20 + 1), "413 too_large"),
    Wrong("PUT", "/db/new", json.dumps({"text": "x" * 2**19}), "413 document_too_large"),
    # documents
    *(
        Wrong("PUT", "/db/new", json.dumps(doc), "400 doc_validation")
        for doc in [
            {"_zing": 1},
            {"__proto__": 1},
            {"_": 1},
            {"_deleted": "yes"},
            {"_attachments": []},
            {"_attachments": {"f": 1}},
            {"_revisions": {}},
            {"_revisions": {"start": "1", "ids": []}},
            {"_revisions": {"start": 1, "ids": []}},
            {"_revisions": {"start": 1, "ids": ["a", "b"]}},
            {"_revisions": {"start": 2**40, "ids": ["a"]}},
            {"_revisions": {"start": 1, "ids": [1]}},
            {"_revisions": {"start": True, "ids": ["a"]}},
        ]
    ),
    *(
        Wrong("PUT", "/db/new", json.dumps(doc), "400 bad_request")
        for doc in [
            {"_rev": 1},
            {"_rev": None},
            {"_attachments": {"_f": {"data": ""}}},
            {"_attachments": {"": {"data": ""}}},
            {"_attachments": {"f": {}}},
            {"_attachments": {"f": {"data": "no base64!"}}},
            {"_attachments": {"f": {"data": 1}}},
            {"_attachments": {"f": {"follows": True}}},
        ]
    ),
    *(Wrong("PUT", "/db/x", json.dumps({"_rev": rev}), "400 bad_request") for rev in REVS),
    *(Wrong("POST", "/db/_bulk_docs", bulk({"_id": doc_id}), "400 illegal_docid") for doc_id in ODD_IDS),
    Wrong("PUT", "/db/_x", "{}", "400 illegal_docid"),
    Wrong("PUT", "/db/new", '{"_attachments":{"f":{"stub":true}}}', "412 missing_stub"),
    Wrong("PUT", "/db/new?new_edits=false", "{}", "400 bad_request"),
    Wrong("PUT", "/db/x?rev=nonsense", "{}", "400 bad_request"),
    Wrong("PUT", f"/db/x?rev=1-{A}", "{}", "409 conflict"),
    Wrong("DELETE", "/db/x", None, "409 conflict"),
    Wrong("DELETE", "/db/none", None, "404 not_found"),
    Wrong("COPY", "/db/x", None, "400 bad_request"),
    Wrong("PUT", "/db/x/_file", b"x", "400 bad_request"),
    Wrong("PUT", "/db/x/file", b"x", "409 conflict"),
    Wrong("GET", "/db/x/file", None, "404 not_found"),
    Wrong("PUT", "/db/_local/x", '{"_rev":"1-a"}', "400 bad_request"),
    Wrong("PUT", "/db/_local/x", "[]", "400 bad_request"),
    Wrong("PUT", "/db/_local/x", '{"_zing":1}', "400 doc_validation"),
    # multipart
    *(
        Wrong("PUT", "/db/new", body, "400 bad_request", (("Content-Type", kind),))
        for kind, body in [
            ("multipart/related", "--X\r\n\r\n{}\r\n--X--"),
            ("multipart/related; boundary=X", ""),
            ("multipart/related; boundary=X", "--X\r\n\r\n{}"),
            ("multipart/related; boundary=X", "--X\r\nno end of headers\r\n--X--"),
            ("multipart/related; boundary=X", "--X\r\n\r\n{}\r\n--X\r\n\r\nmore than was said\r\n--X--"),
            (
                "multipart/related; boundary=X",
                '--X\r\n\r\n{"_attachments":{"f":{"follows":true,"length":9}}}\r\n--X\r\n\r\nshort\r\n--X--',
            ),
        ]
    ),
    Wrong(
        "PUT",
        "/db/new",
        "--X\r\n\r\n{}" + "\r\n--X\r\n\r\n" * 10_001 + "\r\n--X--",
        "413 too_large",
        (("Content-Type", "multipart/related; boundary=X"),),
    ),
    # too many at once
    Wrong("POST", "/db/_bulk_docs", bulk(*[{}] * 10_001), "413 max_bulk_docs_count_exceeded"),
    Wrong("POST", "/db/_bulk_get", bulk(*[{}] * 10_001), "413 max_bulk_get_count_exceeded"),
    # reading
    *(Wrong("GET", f"/db/x?rev={rev}", None, "400 bad_request") for rev in ["x", "-", "0-a"]),
    *(
        Wrong("GET", f"/db/x?open_revs={value}", None, "400 bad_request")
        for value in ["x", "{}", "1", '["x"]', "[1]", "[["]
    ),
    *(Wrong("GET", f"/db/x?atts_since={value}", None, "400 bad_request") for value in ["x", "{}", '["x"]']),
    Wrong("GET", "/db/none", None, "404 not_found"),
    Wrong("GET", "/db/%ff", None, "400 bad_request"),
    Wrong("GET", "/db/x?rev=%ff", None, "400 bad_request"),
    Wrong("GET", "/%ff", None, "400 bad_request"),
    *(
        Wrong("POST", f"/db/{call}", body, "400 bad_request")
        for call in ["_revs_diff", "_missing_revs", "_purge"]
        for body in ["", "[]", '{"x":1}', '{"x":[1]}', '{"x":["nonsense"]}', '{"x":{"a":1}}']
    ),
    *(Wrong("POST", "/db/_bulk_get", body, "400 bad_request") for body in ["", "[]", "{}", '{"docs":1}']),
    *(
        Wrong("GET", f"/db/_all_docs?{query}", None, "400 query_parse_error")
        for query in ["limit=x", "limit=-1", "skip=1.5", "limit=" + "9" * 40, 'keys=["x"]&key="x"', "limit=١"]
    ),
    *(
        Wrong("GET", f"/db/_all_docs?{query}", None, "400 bad_request")
        for query in ["key=x", "keys=1", "startkey={"]
    ),
    *(
        Wrong("GET", f"/db/_changes?{query}", None, "400 query_parse_error")
        for query in ["limit=x", "seq_interval=x"]
    ),
    *(
        Wrong("GET", f"/db/_changes?{query}", None, "400 bad_request")
        for query in [
            "since=x",
            "since=-1",
            "since=[]",
            "since=1.5",
            "since=" + "9" * 50,
            "filter=_doc_ids",
            "filter=_doc_ids&doc_ids=1",
            "filter=nonsense",
            "filter=_selector",
            "feed=longpoll&heartbeat=0",
            "feed=longpoll&since=now&heartbeat=0",
        ]
    ),
    Wrong("GET", "/db/_changes?feed=continuous&heartbeat=x", None, "400 query_parse_error"),
    *(
        Wrong("GET", f"/db/_changes?filter={name}", None, "404 not_found")
        for name in ["a/b", "_view&view=a/b"]
    ),
    *(
        Wrong("POST", "/db/_changes?filter=_selector", json.dumps({"selector": selector}), fails)
        for selector, fails in [
            (1, "400 bad_request"),
            ([], "400 bad_request"),
            ({"a": {"$what": 1}}, "400 invalid_operator"),
            ({"$and": 1}, "400 bad_request"),
            ({"a": {"$in": 1}}, "400 bad_request"),
            ({"a": {"$regex": "("}}, "400 bad_request"),
            ({"a": {"$regex": "((a{1000}){1000}){1000}"}}, "400 bad_request"),
            ({"a": {"$regex": "(" * 3000 + "a" + ")" * 3000}}, "400 bad_request"),
            ({"$or": [{"a": {"$regex": "a"}}] * 17}, "400 bad_request"),
            ({"a": {"$eq": json.loads(DEEP)}}, "400 bad_request"),
            ({"a": json.loads(DEEP)}, "400 bad_request"),
            ({"a": {"$mod": [0, 1]}}, "400 bad_request"),
            ({"a": {"$size": "x"}}, "400 bad_request"),
            ({"a": {"$type": "x"}}, "400 bad_request"),
            ({"a": {"$exists": 1}}, "400 bad_request"),
            ({"$or": [{"a": 1}] * 1001}, "400 bad_request"),
            ({"a": {"$in": ["x" * 2**18]}}, "413 too_large"),
        ]
    ),
    # databases
    *(
        Wrong("PUT", f"/{name}", None, "400 illegal_database_name")
        for name in ["Upper", "1st", "a.b", "a%20b", "a" * 300, "%C4%91"]
    ),
    Wrong("PUT", "/db", None, "412 file_exists"),
    Wrong("DELETE", "/db?rev=1-a", None, "400 bad_request"),
    Wrong("DELETE", "/none", None, "404 not_found"),
    Wrong("GET", "/_nothing", None, "404 not_found"),
    Wrong("PATCH", "/db/x", "{}", "405 method_not_allowed"),
    Wrong("PUT", "/db/_revs_limit", "0", "400 bad_request"),
    Wrong("PUT", "/db/_revs_limit", '"x"', "400 bad_request"),
    *(
        Wrong("PUT", "/db/_security", security, "400 bad_request")
        for security in ["[]", '{"admins":5}', '{"members":{"names":"x"}}', '{"members":{"roles":[1]}}']
    ),
    *(
        Wrong("GET", f"/db/{listed}?{name}={value}", None, "400 query_parse_error")
        for listed, name, value in [
            ("_all_docs", "include_docs", "maybe"),
            ("_all_docs", "descending", "1"),
            ("_all_docs", "inclusive_end", ""),
            ("_all_docs", "update_seq", "yes"),
            ("_all_docs", "conflicts", "null"),
            ("_local_docs", "descending", "x"),
            ("_design_docs", "include_docs", "x"),
        ]
    ),
    Wrong("POST", "/db/_all_docs", '{"include_docs":1}', "400 query_parse_error"),
    Wrong("GET", "/db/_local/y/f", None, "400 bad_request"),
    Wrong("GET", "/_uuids?count=100000", None, "400 bad_request"),
    Wrong("GET", "/db/_design/x/_view/y", None, "404 not_found"),
    Wrong("POST", "/_session", "{}", "400 bad_request"),
    Wrong("POST", "/_session", '{"name":"x","password":"y"}', "401 unauthorized"),
]


def named(wrong: Wrong) -> str:
    return f"{wrong.method} {wrong.path[:40]} {str(wrong.body)[:40]}"


async def state(server: httpx.AsyncClient) -> Any:
    info = (await server.get("/db")).json()
    return {key: info[key] for key in ("update_seq", "doc_count", "doc_del_count")}, (
        await server.get("/_all_dbs")
    ).json()


@pytest.mark.parametrize("wrong", TABLE, ids=named)
async def test_it_fails_as_couchdb_says_and_writes_nothing(server: httpx.AsyncClient, wrong: Wrong) -> None:
    before = await state(server)
    headers = {"Content-Type": "application/json", **dict(wrong.headers)}
    answer = await server.request(wrong.method, wrong.path, content=wrong.body, headers=headers)
    assert f"{answer.status_code} {answer.json()['error']}" == wrong.fails, answer.text
    assert answer.json()["reason"]
    assert await state(server) == before


async def test_a_regular_expression_that_never_ends_is_ended(server: httpx.AsyncClient) -> None:
    await server.put("/db/slow", json={"text": "a" * 40 + "!"})
    asked = {"selector": {"text": {"$regex": "(a|aa|a?)+$"}}}
    answer = await server.post("/db/_changes?filter=_selector", json=asked)
    assert answer.status_code in {200, 400}


async def test_a_selector_that_takes_long_keeps_nobody_else_waiting(
    server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def compile_slow(_: object) -> Callable[[object, object], bool]:
        def matches(_: object, left: object) -> bool:
            entered.set()
            return leave.wait(20)

        return matches

    monkeypatch.setattr("sync.mango.compile_selector", compile_slow)
    selecting = asyncio.create_task(server.post("/db/_changes?filter=_selector", json={"selector": {"n": 1}}))
    assert await asyncio.to_thread(entered.wait, 20)
    assert (await server.get("/db")).status_code == 200
    assert not selecting.done()
    leave.set()
    assert [row["id"] for row in (await selecting).json()["results"]] == ["x"]


async def test_a_selector_that_takes_too_long_is_refused(
    server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.http.changes.LONGEST_SELECTING", -1.0)
    answer = await server.post("/db/_changes?filter=_selector", json={"selector": {"n": 1}})
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_bad_items_of_bulk_get_are_rows(server: httpx.AsyncClient) -> None:
    docs = [
        1,
        None,
        {},
        {"id": 1},
        {"id": "x", "rev": "nonsense"},
        {"id": "x", "rev": 1},
        {"id": "none"},
        {"id": "x"},
    ]
    answer = await server.post("/db/_bulk_get", json={"docs": docs})
    rows = [row for result in answer.json()["results"] for row in result["docs"]]
    assert ["error" in row for row in rows] == [True] * 7 + [False]


async def test_a_stranger_s_host_name_is_not_answered(server: httpx.AsyncClient) -> None:
    answer = await server.get("/_all_dbs", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
