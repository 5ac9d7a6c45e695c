"""A real server process, real Chromium, phones and a desk.

Playwright's synchronous form keeps an event loop of its own running in this thread; so one browser serves a
module, not the session (asynchronous tests come after it), and what is asynchronous runs in another thread.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.commune import Commune, seed
from tests.desk import at_desk
from tests.e2e.office import Office
from tests.e2e.phone import Phone
from tests.running import ROOT, Running

CHROMIUM = os.environ.get("CAMKET_CHROMIUM", "/usr/bin/chromium")

# What is expected is waited for as long as what is acted upon: by itself only 5 s, in which a busy machine
# does not make a photograph of twelve megapixels small.
expect.set_options(timeout=30_000)

NewPhone = Callable[..., Phone]
NewOffice = Callable[..., Office]


def aside(task: Coroutine[Any, Any, Any]) -> Any:
    """The outcome of what is asynchronous, from a thread whose event loop is free."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, task).result()


def seeded(data: Path, hamlets: Mapping[str, int], volunteers: Mapping[str, list[str]]) -> Commune:
    """`tests.commune.seed`, aside."""
    made: Commune = aside(seed(data, hamlets, volunteers))
    return made


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


# --- one served commune for all the tests of a module: each walks two hamlets of its own, with two volunteers

SHARES = 14
Documents = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass
class Village:
    """What one test has of the module's commune."""

    browser: Browser
    server: Running
    #: Sixty households.
    hamlet: str
    #: The invitations of the two who walk here.
    codes: tuple[str, str]
    phones: list[Phone] = field(default_factory=list)

    def new_phone(self, **how: Any) -> Phone:
        """A phone that has never seen Camket."""
        self.phones.append(Phone(self.browser, self.server.url, **how))
        return self.phones[-1]

    def phone(self, who: int = 0, **how: Any) -> Phone:
        """A phone that has joined."""
        made = self.new_phone(**how)
        made.joins(f"{self.server.url}/join#{self.codes[who]}")
        return made

    def at_desk(self, login: str, write: Documents | None = None, review: Sequence[Any] = ()) -> None:
        """What the office writes and decides, while the server is down for a moment."""
        self.server.stop()
        aside(at_desk(self.server.data, login, write, review))
        self.server.start()


@pytest.fixture(scope="module")
def furniture() -> Documents:
    """What a module's commune has beside households, by database and id; a module says its own."""
    return {}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, furniture: Documents) -> Iterator[tuple[Running, Any]]:
    shares = [(f"khuoi{n}", f"nalau{n}") for n in range(SHARES)]
    hamlets = {khuoi: 60 for khuoi, _ in shares} | {nalau: 12 for _, nalau in shares}
    mai = {f"Vi Thị Mai {n}": list(share) for n, share in enumerate(shares)}
    nam = {f"Lý Văn Nam {n}": [khuoi] for n, (khuoi, _) in enumerate(shares)}
    data = tmp_path_factory.mktemp("village") / "data"
    codes = list(seeded(data, hamlets, mai | nam).codes.values())
    if furniture:
        aside(at_desk(data, "quantri", furniture))
    with Running(data) as server:
        yield server, zip((khuoi for khuoi, _ in shares), codes[:SHARES], codes[SHARES:], strict=True)
        assert "Traceback" not in server.output()


@pytest.fixture
def village(browser: Browser, served: tuple[Running, Any]) -> Iterator[Village]:
    """Its phones are thrown away after the test; what their browsers complained of fails it."""
    server, shares = served
    hamlet, *codes = next(shares)
    made = Village(browser, server, hamlet, tuple(codes))
    yield made
    for phone in made.phones:
        phone.closes()
    if server.process is None:
        server.start()
    assert [one for phone in made.phones for one in phone.complaints] == []
