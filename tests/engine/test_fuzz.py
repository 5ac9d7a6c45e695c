"""Anything at all over HTTP: no 500, no hang, no memory without end.

A few dozen requests here; `make fuzz` goes on for minutes.
"""

import asyncio
import json
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.http.engine import EVERYTHING
from tests.engine.running import engine

SECONDS = int(os.environ.get("CAMKET_FUZZ_SECONDS", "60"))
"""How long to go on making requests up; examples that Hypothesis still has after that pass unseen."""

ROUTES = sorted(EVERYTHING, key=lambda route: (route.form, route.method))
"""The whole surface: an address that is added is tried without being added here."""

EXAMPLES = settings().max_examples * 3 // 5
"""60 in the `ci` profile; `long` has more than any time allows."""


def _one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*words.split(), ""])


_words = _one_of("db x _local _design . .. %2F %00 % %zz %ff a%2Fb a+b __proto__ constructor f.txt _none")
_keys = _one_of(
    "_id _rev _revisions _deleted _attachments docs new_edits id rev start ids stub data follows"
    " selector $and $regex doc_ids keys x __proto__"
)
_names = _one_of(
    "rev revs open_revs latest limit skip since feed filter timeout heartbeat keys key startkey endkey"
    " style include_docs attachments atts_since descending conflicts meta new_edits doc_ids seq_interval"
    " count"
)
_values = _one_of(
    "true false 1-a 0 1 -1 all now longpoll continuous eventsource _doc_ids _selector a/b"
    ' [] {} "x" ["1-a"] %ff % null 999999999999999999999999999999'
)
_kinds = st.sampled_from(
    ["application/json", "text/plain", "multipart/related; boundary=x", "multipart/related", "", "\u00e9"]
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1-a", f"1-{'a' * 32}", "x", "_id", "now"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_keys | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
_bodies = st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode())
_methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "COPY", "OPTIONS"])
_FILLED = {"{db}": st.just("db") | _words, "{id}": st.just("x") | _words}


@st.composite
def _addresses(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A method and an address of the engine's own table, its places filled with what belongs there or not."""
    route = draw(st.sampled_from(ROUTES))
    path = [draw(_FILLED.get(part, _words)) if "{" in part else part for part in route.form.split("/")[1:]]
    return draw(st.just(route.method) | _methods), path


_counts = st.sampled_from([0, 1, 2, 7, 60, 300, 1000, 20_000])
"""How often to repeat or nest what costs the sender next to nothing."""

_atoms = st.sampled_from(["a", ".", "[a-z]", "\\w", "a|b", "^", "$", "(?i)x", "\\p{L}", "(", "{", "(?<=a"])
_patterns = st.recursive(
    _atoms,
    lambda inner: (
        st.tuples(inner, _counts, _counts).map(lambda drawn: f"(?:{drawn[0]}){{{drawn[1]},{drawn[2]}}}")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{,9}", "{9,}"])).map(
            lambda drawn: f"({drawn[0]}){drawn[1]}"
        )
        | st.tuples(inner, inner).map("".join)
    ),
    max_leaves=6,
) | st.builds(
    lambda atom, counts: reduce(lambda inner, count: f"({inner}){{{count}}}", counts, atom),
    _atoms,
    st.lists(_counts, min_size=1, max_size=4),
)


@dataclass(frozen=True)
class Nested:
    """JSON that nests, bare or as a selector."""

    inner: str
    deep: int
    around: tuple[str, str]
    selects: bool = False

    def __bytes__(self) -> bytes:
        value = self.around[0] * self.deep + self.inner + self.around[1] * self.deep
        return (f'{{"selector":{value}}}' if self.selects else value).encode()


@dataclass(frozen=True)
class Selecting:
    """A selector of regular expressions."""

    pattern: str
    times: int

    def __bytes__(self) -> bytes:
        return json.dumps({"selector": {"$or": [{"_id": {"$regex": self.pattern}}] * self.times}}).encode()


@dataclass(frozen=True)
class Related:
    """multipart/related: a document that tells of so many attachments, and so many parts."""

    fields: bytes
    told: int
    parts: int
    end: bytes

    def __bytes__(self) -> bytes:
        files = ",".join(f'"{n}":{{"follows":true,"length":1}}' for n in range(self.told)).encode()
        head = b'--x\r\n\r\n{"n":1,"_attachments":{%b}%b}' % (files, self.fields)
        return head + b"\r\n--x\r\n\r\ny" * self.parts + self.end


_AROUND = [("[", "]"), ('{"a":', "}"), ('{"$not":', "}"), ('{"$and":[', "]}"), ('{"x":{"$elemMatch":', "}}")]
_nests = st.builds(
    Nested, st.sampled_from(["1", "{}", "[]", '"x"']), _counts, st.sampled_from(_AROUND), st.booleans()
)
_selecting = st.builds(Selecting, _patterns, st.sampled_from([1, 1, 1, 2, 20]))
_related = st.builds(
    Related,
    st.sampled_from([b"", b',"_rev":"1-a"', b',"_id":"many"', b","]),
    _counts,
    _counts | st.just(200_000),
    st.sampled_from([b"\r\n--x--", b"", b"\r\n--x", b"\r\n--x--\r\n--x"]),
)


def _asked(
    address: st.SearchStrategy[Any], query: list[tuple[str, str]], kind: str, body: st.SearchStrategy[Any]
) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(address, st.just(query), st.just(kind), st.just("*/*"), body)


_costly = st.one_of(
    _asked(
        st.just(("POST", ["db", "_changes"])),
        [("filter", "_selector")],
        "application/json",
        _selecting | _nests,
    ),
    _asked(_addresses(), [], "application/json", _nests),
    _asked(st.just(("PUT", ["db", "many"])), [], "multipart/related; boundary=x", _related),
)
"""Small to send and dear to answer, unless somebody thought of it."""

_requests = st.lists(
    st.tuples(
        _addresses() | st.tuples(_methods, st.lists(_words, max_size=4)),
        st.lists(st.tuples(_names, _values), max_size=3),
        _kinds,
        st.sampled_from(["*/*", "application/json", "multipart/mixed", "multipart/related"]),
        _bodies,
    )
    | _costly,
    max_size=12,
)

MEMORY = 2**30
"""Bytes that may be asked for on top of what a test process has: beyond it a request fails, and the test."""


@pytest.fixture
def _little_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("_little_memory")
@pytest.mark.timeout(SECONDS + 240)
def test_nothing_that_is_sent_makes_it_fail_or_hang() -> None:
    until = time.monotonic() + SECONDS

    @settings(max_examples=EXAMPLES)
    @given(_requests)
    def holds(requests: list[Any]) -> None:
        if time.monotonic() < until:
            asyncio.run(_ask(requests))

    holds()


async def _ask(requests: list[Any]) -> None:
    """On a fresh engine each time, so that what fails fails again."""
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/x", json={"n": 1})
        host, port = client.base_url.host, client.base_url.port
        assert port
        for request in requests:
            status = await asyncio.wait_for(_send(host, port, *request), 20)
            assert status < 500 or status in {501}, (status, request)


async def _send(
    host: str,
    port: int,
    address: tuple[str, list[str]],
    query: list[tuple[str, str]],
    kind: str,
    accept: str,
    content: "bytes | Nested | Selecting | Related",
) -> int:
    """The status of an answer to a request whose bytes no client library has cleaned; 0 where it is lost."""
    method, path = address
    body = bytes(content)
    asked = "&".join(f"{name}={value}" for name, value in [*query, ("timeout", "1")])
    head = (
        f"{method} /{'/'.join(path)}?{asked} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nAccept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(head.encode("latin-1") + body)
        line = await reader.readline()
        if "heartbeat" not in asked:
            await reader.read()
        return int(line.split()[1])
    except ConnectionResetError:
        if len(body) < 2**16:
            raise
        return 0  # answered and closed before all of a long body was read, and the answer lost with that
    finally:
        writer.close()
