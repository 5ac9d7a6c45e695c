"""Anything at all over HTTP: no 500, no hang. A few dozen requests here; `make fuzz` goes on for minutes."""

import asyncio
import json
import os
import time
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


_requests = st.lists(
    st.tuples(
        _addresses() | st.tuples(_methods, st.lists(_words, max_size=4)),
        st.lists(st.tuples(_names, _values), max_size=3),
        _kinds,
        st.sampled_from(["*/*", "application/json", "multipart/mixed", "multipart/related"]),
        _bodies,
    ),
    max_size=12,
)


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
    body: bytes,
) -> int:
    """The status of an answer to a request whose bytes no client library has cleaned."""
    method, path = address
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
    finally:
        writer.close()
