"""Every behaviour of the protocol, driven by PouchDB and plain HTTP, on the engine and on pouchdb-server.

Each behaviour is one test. Where pouchdb-server does otherwise the behaviour says so (`peer: "why"`), and a
test sees that it still does: what is known of the peer stays true too.
"""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.running import engine, pouchdb_server

HERE = Path(__file__).parent
RUN = ["node", str(HERE / "run.mjs")]


def _list() -> list[dict[str, Any]]:
    if not (HERE / "node_modules").is_dir():
        pytest.fail("run `npm ci --prefix tests/conformance` first (make does)", pytrace=False)
    told = subprocess.run([*RUN, "--list"], capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


BEHAVIOURS = _list()
ALL = [behaviour["name"] for behaviour in BEHAVIOURS]
SAME = [behaviour["name"] for behaviour in BEHAVIOURS if not behaviour.get("peer")]
OTHERWISE = [behaviour["name"] for behaviour in BEHAVIOURS if behaviour.get("peer")]

Results = dict[str, dict[str, Any]]


async def _run(url: str, *kind: str) -> Results:
    process = await asyncio.create_subprocess_exec(
        *RUN, url, *kind, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await asyncio.wait_for(process.communicate(), 280)
    results = {told["name"]: told for told in map(json.loads, out.decode().splitlines())}
    assert len(results) == len(ALL), errors.decode()[-2000:]
    return results


async def _run_engine(path: Path) -> Results:
    async with engine(path) as client:
        return await _run(str(client.base_url))


async def _run_peer() -> Results:
    async with pouchdb_server() as client:
        return await _run(str(client.base_url), "peer")


@pytest.fixture(scope="session")
def on_engine(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return asyncio.run(_run_engine(tmp_path_factory.mktemp("engine") / "documents.sqlite"))


@pytest.fixture(scope="session")
def on_peer() -> Results:
    return asyncio.run(_run_peer())


@pytest.mark.parametrize("name", ALL)
def test_engine(on_engine: Results, name: str) -> None:
    assert on_engine[name]["ok"], on_engine[name].get("error")


@pytest.mark.parametrize("name", SAME)
def test_pouchdb_server(on_peer: Results, name: str) -> None:
    assert on_peer[name]["ok"], on_peer[name].get("error")


@pytest.mark.parametrize("name", OTHERWISE)
def test_pouchdb_server_does_otherwise(on_peer: Results, name: str) -> None:
    assert not on_peer[name]["ok"], "it does the same now: take the note away"
