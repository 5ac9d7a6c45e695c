"""A new version of the app on a phone in use: fetched in silence, taken when nothing is half filled in."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import expect

from server import webapp
from server.app import build
from server.settings import Settings
from tests.pwa.handset import Handset, chromium
from tests.seed import seed

MAI = "Vi Thị Mai"


@asynccontextmanager
async def served(data: Path, port: int) -> AsyncIterator[None]:
    """The server in this process, so that a test may choose which build of the app it serves."""
    listening = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(await build(Settings(data=data)), lifespan="on", log_level="error")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def next_version(dist: Path) -> None:
    """Another page, and the service worker of another version."""
    worker = dist / "sw.js"
    shell = dist / "index.html"
    worker.write_text(re.sub(r"[0-9a-f]{16}(?=[\"`])", "0" * 16, worker.read_text("utf-8")), "utf-8")
    shell.write_text(shell.read_text("utf-8").replace("</head>", '<meta name="second"></head>'), "utf-8")


async def test_an_update_waits_for_a_half_filled_form_and_fetches_only_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "dist"
    shutil.copytree(webapp.directory(), dist)
    monkeypatch.setattr(webapp, "directory", lambda: dist)
    commune = await seed(tmp_path / "data", {"khuoi": 3}, {MAI: ["khuoi"]})
    port = free_port()
    async with chromium() as browser:
        phone = await Handset.switched_on(browser, f"http://127.0.0.1:{port}")
        page = phone.page
        async with served(tmp_path / "data", port):
            await phone.join(commune.codes[MAI])
            await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        next_version(dist)
        async with served(tmp_path / "data", port):
            await phone.open_hamlet("Khuoi")
            await page.locator("a.row").first.tap()
            await phone.tap("Ký cam kết")
            await page.evaluate(
                """navigator.serviceWorker.getRegistration().then(async (one) => {
                  await one.update();
                  const next = one.installing ?? one.waiting;
                  while (next.state !== 'installed') await new Promise((go) => { next.onstatechange = go; });
                })"""
            )
            await expect(page.get_by_text("Có phiên bản mới")).to_have_count(0)
            await page.go_back()
            await page.go_back()
            await page.go_back()
            # The scripts and styles were there already: the shell, the manifest and the icons are about 2 kB.
            await expect(page.get_by_text(re.compile(r"Có phiên bản mới \([1-9] kB\)"))).to_be_visible()
            assert await phone.problems() == []
            await phone.tap("Cập nhật")
            await phone.heading("Nhập mã PIN")
            await expect(page.locator("meta[name=second]")).to_have_count(1)
