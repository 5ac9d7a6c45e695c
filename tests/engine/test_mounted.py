"""The README's lines that mount the engine in another application: run as they stand there."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from sync.replicate import replicate
from tests.engine.running import engine
from tests.prompt import listening
from tests.running import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def block() -> str:
    """The lines of the README that make an application out of the engine."""
    (lines,) = [one for one in re.findall(r"```python\n(.*?)```", README, re.S) if "engine_app" in one]
    return str(lines)


async def test_a_document_replicates_through_the_application_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block(), "README.md", "exec"), names)
    config = uvicorn.Config(names["app"], log_level="critical", lifespan="on")
    async with listening(config) as url:
        place = f"{url.removeprefix('http://')}/db"
        async with engine() as source, engine() as target, httpx.AsyncClient(timeout=30) as client:
            await source.put("/a")
            await source.put("/a/x", json={"name": "Lục Thị Mẩy"})
            mounted = f"http://admin:a%20long%20secret@{place}/a"
            await replicate(client, f"{source.base_url}/a", mounted, session="1", create=True)
            await replicate(client, mounted, f"{target.base_url}/a", session="2", create=True)
            assert (await target.get("/a/x")).json() == (await source.get("/a/x")).json()
            assert (await client.get(f"http://{place}/a/x")).status_code == 401
    assert (tmp_path / "data" / "documents.sqlite").stat().st_size > 0
