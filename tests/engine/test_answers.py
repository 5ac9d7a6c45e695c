"""What the engine answers, byte by byte where CouchDB's clients look: compression, errors, headers."""

import base64
import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import brotli
import httpx
import orjson
import pytest
import zstandard
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sync.http.bare import Administrator, Bare
from sync.replicate import replicate
from tests.engine.running import engine

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}


async def raw(client: httpx.AsyncClient, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    """The answer as it came over the wire."""
    async with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return answer.headers, b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize("limit", [100, 2500])
async def test_feeds_short_and_long_are_compressed_when_asked(limit: int) -> None:
    async with engine() as client:
        await client.put("/db")
        docs = [{"_id": f"d{n:04}", "_rev": "1-a"} for n in range(2500)]
        await client.post("/db/_bulk_docs", json={"docs": docs, "new_edits": False})
        path = f"/db/_changes?limit={limit}"
        headers, plain = await raw(client, path, "identity")
        assert "content-encoding" not in headers
        assert len(orjson.loads(plain)["results"]) == limit
        for name, unpack in UNPACK.items():
            headers, packed = await raw(client, path, name)
            assert (headers["content-encoding"], headers["vary"]) == (name, "Accept-Encoding")
            assert unpack(packed) == plain
            assert len(packed) < len(plain) / 3
        assert (await raw(client, path, "gzip, br, zstd"))[0]["content-encoding"] == "zstd"
        assert (await raw(client, path, "gzip, br;q=0, zstd;q=0"))[0]["content-encoding"] == "gzip"


JSON = {"Content-Type": "application/json"}


async def ask(client: httpx.AsyncClient, method: str, path: str, body: str = "", **headers: str) -> Any:
    """The JSON of an answer; of an error its status, name and reason."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.request(method, path, content=body, headers={**JSON, **sent})
    told = answer.json()
    if answer.status_code >= 400:
        return answer.status_code, told["error"], told["reason"]
    return told


async def test_what_was_written_says_where_it_is() -> None:
    async with engine() as client:
        assert (await client.put("/a%2Fb")).headers["location"] == "/a%2Fb"
        written = await client.put("/a%2Fb/x%2Fy", json={})
        assert (written.status_code, written.headers["location"]) == (201, "/a%2Fb/x%2Fy")
        design = await client.put("/a%2Fb/_design/d", json={})
        assert design.headers["location"] == "/a%2Fb/_design/d"
        posted = await client.post("/a%2Fb", json={"_id": "é"})
        assert posted.headers["location"] == "/a%2Fb/%C3%A9"
        file = await client.put(f"/a%2Fb/x%2Fy/f?rev={written.json()['rev']}", content=b"x")
        assert file.headers["location"] == "/a%2Fb/x%2Fy/f"


async def test_wrong_questions_get_couchdbs_words() -> None:
    async with engine() as client:
        await client.put("/db")
        first = (await client.put("/db/x", json={})).json()["rev"]
        etags = "Document rev and etag have different values"
        assert await ask(client, "PUT", f"/db/x?rev={first}", "{}", If_Match='"1-a"') == (
            400,
            "bad_request",
            etags,
        )
        assert await ask(client, "DELETE", f"/db/x?rev={first}", If_Match="1-a") == (
            400,
            "bad_request",
            etags,
        )
        assert await ask(client, "COPY", "/db/x") == (
            400, "bad_request", "Destination header is mandatory for COPY.")  # fmt: skip
        assert await ask(client, "GET", "/db/_changes?feed=nope") == (
            400,
            "bad_request",
            "Supported `feed` types: normal, continuous, live, longpoll, eventsource",
        )
        assert (await ask(client, "PUT", "/_mine"))[:2] == (400, "illegal_database_name")
        assert await ask(client, "GET", "/_mine") == (404, "not_found", "Database does not exist.")
        assert await ask(client, "POST", "/db/_x/y", "{}") == (
            400, "illegal_docid", "Only reserved document ids may start with underscore.")  # fmt: skip


async def test_a_live_feed_is_a_continuous_one() -> None:
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x", json={})
        lines = (await client.get("/db/_changes?feed=live&timeout=1")).text.splitlines()
        assert [sorted(orjson.loads(line)) for line in lines] == [
            ["changes", "id", "seq"],
            ["last_seq", "pending"],
        ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("seq_interval=3&limit=6", [1, None, None, 4, None, None]),  # as replicators ask: by the batch
        ("seq_interval=2&limit=5", [None, 2, None, 4, None]),
        ("seq_interval=5", [1, None, None, None, None, 6]),  # without a limit CouchDB counts down from 10^15
    ],
)
async def test_seq_interval_counts_down_from_the_limit(query: str, shown: list[int | None]) -> None:
    async with engine() as client:
        await client.put("/db")
        for n in range(6):
            await client.put(f"/db/{n}", json={})
        for feed in ("normal", "continuous"):
            text = (await client.get(f"/db/_changes?{query}&feed={feed}&timeout=1")).text
            rows = [line.rstrip(",") for line in text.splitlines() if '"changes"' in line]
            assert [orjson.loads(row)["seq"] for row in rows] == shown


async def test_attachments_come_as_multipart_unless_json_is_asked_for() -> None:
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x/f", content=b"bytes", headers={"Content-Type": "text/plain"})
        for accept, kind in [
            ("*/*", "multipart/related"),
            ("multipart/related", "multipart/related"),
            ("application/json", "application/json"),
            ("application/json, */*", "multipart/related"),
        ]:
            answer = await client.get("/db/x?attachments=true", headers={"Accept": accept})
            assert answer.headers["content-type"].startswith(kind), accept
        await client.put("/db/plain", json={})
        assert (await client.get("/db/plain?attachments=true")).json()["_id"] == "plain"


async def test_all_docs_takes_its_options_in_the_body_too() -> None:
    async with engine() as client:
        await client.put("/db")
        for name in "abc":
            await client.put(f"/db/{name}", json={"is": name})
        options = {"startkey": "b", "include_docs": True, "limit": 1, "update_seq": True}
        told = (await client.post("/db/_all_docs", json=options)).json()
        assert [(row["id"], row["doc"]["is"]) for row in told["rows"]] == [("b", "b")]
        assert told["update_seq"] == 3
        mixed = (await client.post("/db/_all_docs?include_docs=true", json={"keys": ["c", "no"]})).json()
        assert mixed["rows"][0]["doc"]["is"] == "c"
        assert mixed["rows"][1] == {"key": "no", "error": "not_found"}
        queries = {"queries": [{"keys": ["a"]}, {"descending": True, "limit": 1}]}
        several = (await client.post("/db/_all_docs/queries", json=queries)).json()
        assert [[row["id"] for row in one["rows"]] for one in several["results"]] == [["a"], ["c"]]
        assert await ask(client, "POST", "/db/_all_docs/queries", "{}") == (
            400, "bad_request", "POST body must include `queries` parameter.")  # fmt: skip


async def test_the_server_lists_describes_and_tells_what_it_does() -> None:
    async with engine() as client:
        for name in ("a", "b", "c"):
            await client.put(f"/{name}")
        await client.put("/b/x", json={})
        assert (await client.get('/_all_dbs?start_key="b"')).json() == ["b", "c"]
        assert (await client.get('/_all_dbs?endkey="b"&descending=false')).json() == ["a", "b"]
        told = (await client.post("/_dbs_info", json={"keys": ["b", "no"]})).json()
        assert told[0] == {"key": "b", "info": (await client.get("/b")).json()}
        assert told[1] == {"key": "no", "error": "not_found"}
        assert [one["key"] for one in (await client.get("/_dbs_info?limit=2")).json()] == ["a", "b"]
        assert (await client.get("/_active_tasks")).json() == []
        assert (await client.post("/b/_compact/d", json={})).status_code == 202


async def test_what_would_run_javascript_is_missing_or_not_implemented() -> None:
    async with engine() as client:
        await client.put("/db")
        missing, not_here = (404, "not_found", "missing"), (501, "not_implemented")
        assert await ask(client, "GET", "/db/_design/d/_view/v") == missing
        await client.put(
            "/db/_design/d", json={"views": {"v": {"map": "function (doc) {}"}}, "shows": {"s": "f"}}
        )
        assert await ask(client, "GET", "/db/_design/d/_view/no") == (404, "not_found", "missing_named_view")
        assert await ask(client, "GET", "/db/_design/d/_show/no") == (
            404,
            "not_found",
            "missing json key: no",
        )
        for path in ("_view/v", "_show/s", "_show/s/doc"):
            assert (await ask(client, "GET", f"/db/_design/d/{path}"))[:2] == not_here


async def test_with_an_administrator_strangers_learn_nothing_of_what_databases_there_are() -> None:
    async with engine(admin=Administrator("an", "secret")) as client:
        for method, path in [("GET", "/_all_dbs"), ("GET", "/_dbs_info"), ("POST", "/_dbs_info"),
                             ("GET", "/_active_tasks"), ("GET", "/db"), ("PUT", "/db")]:  # fmt: skip
            assert (await ask(client, method, path, "{}"))[:2] == (401, "unauthorized"), path
        for path in ("/", "/_up", "/_uuids", "/_session"):
            assert (await client.get(path)).status_code == 200, path
        assert (await client.get("/_all_dbs", auth=("an", "secret"))).json() == []


async def test_queries_by_index_are_not_implemented() -> None:
    async with engine() as client:
        await client.put("/db")
        for method, path in [("POST", "_find"), ("POST", "_explain"), ("POST", "_index"), ("GET", "_index")]:
            assert (await ask(client, method, f"/db/{path}", "{}"))[:2] == (501, "not_implemented"), path


NUMBERS = b"[1,1.0,-0.0,100.0,0.1,1e-7,9007199254740993,18446744073709551615,-9223372036854775808]"


async def test_numbers_and_their_revision_stay_the_same_from_peer_to_peer() -> None:
    async with engine() as one, engine() as two, httpx.AsyncClient(timeout=30) as client:
        await one.put("/a")
        written = (await one.put("/a/x", content=b'{"n":' + NUMBERS + b"}")).json()["rev"]
        assert NUMBERS in (await one.get("/a/x")).content
        await replicate(client, f"{one.base_url}/a", f"{two.base_url}/a", session="1", create=True)
        assert (await two.get("/a/x")).content == (await one.get("/a/x")).content
        # read and put elsewhere it is the same revision: what is digested is what was stored
        plain = b'{"n":' + (await one.get("/a/x")).content.split(b'"n":')[1].strip()
        assert (await two.put("/a/z", content=plain)).json()["rev"] == written
        huge = await one.put("/a/huge", content=b'{"n":1%b}' % (b"0" * 30))
        assert huge.status_code == 201
        assert (await one.get("/a/huge")).json()["n"] == 1e30
        assert (await one.put("/a/no", content=b'{"n":1e400}')).status_code == 400


async def test_a_local_document_is_one_however_it_is_written() -> None:
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x", json={"n": 1})
        posted = (await client.post("/db", json={"_id": "_local/p", "n": 2})).json()
        again = (await client.post("/db", json={"_id": "_local/p", "_rev": "0-1", "n": 3})).json()
        copied = (await client.request("COPY", "/db/x", headers={"Destination": "_local/c"})).json()
        assert [posted["rev"], again["rev"], copied["rev"]] == ["0-1", "0-2", "0-1"]
        assert (await client.get("/db/_local/p")).json() == {"_id": "_local/p", "_rev": "0-2", "n": 3}
        assert (await client.get("/db/_local/c")).json() == {"_id": "_local/c", "_rev": "0-1", "n": 1}
        feed = (await client.get("/db/_changes")).json()
        assert [row["id"] for row in feed["results"]] == ["x"]


async def test_what_can_change_while_the_revision_stays_has_no_etag() -> None:
    async with engine() as client:
        await client.put("/db")
        winner, loser = {"_id": "x", "_rev": "2-b"}, {"_id": "x", "_rev": "2-a"}
        await client.post("/db/_bulk_docs", json={"docs": [winner], "new_edits": False})
        path = "/db/x?conflicts=true"
        held = {"If-None-Match": (await client.get(path)).headers["etag"]}
        assert (await client.get(path, headers=held)).status_code == 304
        await client.post("/db/_bulk_docs", json={"docs": [loser], "new_edits": False})
        answer = await client.get(path, headers=held)
        assert (answer.status_code, answer.json()["_conflicts"]) == (200, ["2-a"])
        assert "etag" not in answer.headers
        assert (await client.get("/db/x", headers=held)).status_code == 304


async def test_missing_revs_is_named_as_couchdb_names_it() -> None:
    async with engine() as client:
        await client.put("/db")
        answer = await ask(client, "POST", "/db/_missing_revs", '{"x":["1-a"]}')
        assert answer == {"missing_revs": {"x": ["1-a"]}}


async def test_a_cookie_is_worth_nothing_when_it_is_forged_or_stale() -> None:
    now = 1_000_000.0
    bare = Bare(Administrator("admin", "secret"), {"localhost"}, lambda: now, b"key")

    async def who(cookie: str) -> str:
        headers = [(b"host", b"localhost"), (b"cookie", f"AuthSession={cookie}".encode())]
        return (await bare.identify(HTTPConnection({"type": "http", "headers": headers}))).id

    good = bare.cookie("", "admin", "secret")
    assert await who(good) == "admin"
    told = base64.urlsafe_b64decode(good + "==").decode()
    later = told.replace(told.split(":")[1], "9999999999")
    assert await who(base64.urlsafe_b64encode(later.encode()).decode().rstrip("=")) == ""
    other = Bare(Administrator("admin", "secret"), {"localhost"}, lambda: now, b"another key")
    assert await who(other.cookie("", "admin", "secret")) == ""
    now += 600
    assert await who(good) == ""


async def test_a_page_that_was_attached_does_not_run_as_one_of_this_server() -> None:
    async with engine() as client:
        await client.put("/db")
        page = {"Content-Type": "text/html"}
        await client.put("/db/x/page.html", content=b"<script>alert(1)</script>", headers=page)
        headers = (await client.get("/db/x/page.html")).headers
        assert headers["content-security-policy"] == "sandbox"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_a_filtered_feed_read_by_pages_skips_and_repeats_nothing(limit: int) -> None:
    async with engine() as client:
        await client.put("/db")
        docs = [{"_id": f"d{n}", "_rev": "1-a", "odd": n % 2} for n in range(12)]
        await client.post("/db/_bulk_docs", json={"docs": docs, "new_edits": False})
        found: list[str] = []
        since, pending = 0, 1
        while pending:
            path = f"/db/_changes?filter=_selector&limit={limit}&since={since}"
            page = (await client.post(path, json={"selector": {"odd": 1}})).json()
            found += [row["id"] for row in page["results"]]
            since, pending = page["last_seq"], page["pending"]
        assert found == [f"d{n}" for n in range(1, 12, 2)]


async def test_a_websocket_is_refused() -> None:
    async with engine() as client:
        asked = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
        }
        assert (await client.get("/db", headers=asked)).status_code in {403, 404}


@pytest.mark.parametrize("times", [1, 3, 40])
async def test_one_long_document_asked_many_times_is_not_held_many_times(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0
    send = Response.__call__

    async def measured(response: Response, scope: Scope, receive: Receive, send_: Send) -> None:
        nonlocal longest
        longest = max(longest, len(response.body))
        await send(response, scope, receive, send_)

    monkeypatch.setattr(Response, "__call__", measured)
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x", json={"text": "x" * 2**19})
        docs = [{"id": "x"}] * times
        plain = {"Accept-Encoding": "identity"}
        answer = await client.post("/db/_bulk_get", json={"docs": docs}, headers=plain)
        results = answer.json()["results"]
        assert [len(result["docs"][0]["ok"]["text"]) for result in results] == [2**19] * times
        assert longest < 2**21 + 2**19


async def test_attachments_that_a_peer_has_come_as_stubs() -> None:
    async with engine() as client:
        await client.put("/db")
        text = {"Content-Type": "text/plain"}
        one = (await client.put("/db/x/old", content=b"old", headers=text)).json()["rev"]
        two = (await client.put(f"/db/x/new?rev={one}", content=b"new", headers=text)).json()["rev"]
        for since, news in [(one, {"new"}), (two, set()), ("9-none", {"old", "new"})]:
            files = (await ask(client, "GET", f'/db/x?atts_since=["{since}"]', Accept=JSON["Content-Type"]))[
                "_attachments"
            ]
            assert {name for name, file in files.items() if "data" in file} == news


async def test_a_store_that_is_broken_says_so_in_json_and_why_in_the_log_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(tmp_path / "documents.sqlite") as client:
        await client.put("/db")
        with closing(sqlite3.connect(tmp_path / "documents.sqlite")) as other:
            other.execute("ALTER TABLE doc RENAME TO taken_away")
        for method, path, body in [("GET", "/db/x", ""), ("GET", "/db/_changes", ""), ("PUT", "/db/x", "{}")]:
            answer = await client.request(method, path, content=body)
            assert (answer.status_code, answer.json()["error"]) == (500, "internal_server_error")
            assert "doc" not in answer.json()["reason"]
        assert "no such table" in caplog.text


@pytest.mark.parametrize("query", ["", "&feed=longpoll&timeout=10", "&descending=true&include_docs=true"])
async def test_a_feed_of_no_documents_at_all_has_no_rows(query: str) -> None:
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x", json={})
        answer = await client.post(f"/db/_changes?filter=_doc_ids{query}", json={"doc_ids": []})
        assert (answer.status_code, answer.json()["results"]) == (200, [])
