"""A served village, for every test of the volunteer's screens."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from playwright.async_api import Browser

from tests.pwa.handset import Handset, chromium
from tests.running import Running
from tests.seed import Commune, seed

MAI = "Vi Thị Mai"
NAM = "Lý Văn Nam"


@dataclass(frozen=True)
class Village:
    browser: Browser
    server: Running
    commune: Commune

    async def phone(self, who: str = MAI) -> Handset:
        """A phone that has joined."""
        phone = await Handset.switched_on(self.browser, self.server.url)
        await phone.join(self.commune.codes[who])
        return phone


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Commune]:
    """The village's data, made once; each test has a copy of its own."""
    data = tmp_path_factory.mktemp("village") / "data"
    making = seed(data, {"khuoi": 60, "nalau": 12}, {MAI: ["khuoi", "nalau"], NAM: ["khuoi"]})
    with ThreadPoolExecutor(1) as aside:  # this thread's event loop may be running
        return data, aside.submit(asyncio.run, making).result()


@pytest.fixture
async def village(tmp_path: Path, made: tuple[Path, Commune]) -> AsyncIterator[Village]:
    data, commune = made
    copytree(data, tmp_path / "data")
    with Running(tmp_path / "data") as server:
        async with chromium() as browser:
            yield Village(browser, server, commune)
