"""A real server process, real Chromium, phones and a desk.

Playwright's synchronous form keeps an event loop of its own running in this thread; so one browser serves a
module, not the session (asynchronous tests come after it), and what is asynchronous runs in another thread.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.office import Office
from tests.e2e.phone import Phone
from tests.running import ROOT, Running
from tests.seed import Commune, seed

CHROMIUM = os.environ.get("CAMKET_CHROMIUM", "/usr/bin/chromium")

NewPhone = Callable[..., Phone]
NewOffice = Callable[..., Office]


def seeded(data: Path, hamlets: Mapping[str, int], volunteers: Mapping[str, list[str]]) -> Commune:
    """`tests.seed.seed` from a thread whose event loop is free."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(lambda: asyncio.run(seed(data, hamlets, volunteers))).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert (ROOT / "pwa/dist/index.html").exists(), "the app is not built: npm run build in pwa/"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server over an empty directory; a test seeds `server.data` before it starts it, or does not."""
    made = Running(tmp_path / "data")
    yield made
    made.stop()
    assert "Traceback" not in made.output()


@pytest.fixture
def new_phone(browser: Browser, server: Running) -> Iterator[NewPhone]:
    """Makes phones; what their browsers complained of fails the test."""
    made: list[Phone] = []

    def make(**how: object) -> Phone:
        made.append(Phone(browser, server.url, **how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for phone in made:
        phone.closes()
    assert [one for phone in made for one in phone.complaints] == []


@pytest.fixture
def new_office(browser: Browser, server: Running) -> Iterator[NewOffice]:
    """Makes desks; what their browsers complained of fails the test."""
    made: list[Office] = []

    def make() -> Office:
        made.append(Office(browser, server.url))
        return made[-1]

    yield make
    for office in made:
        office.closes()
    assert [one for office in made for one in office.complaints] == []
