"""The office's pages in real Chromium, at a phone's and a desk's width: accessible, and nothing cut off.

With CAMKET_SCREENSHOTS=DIR each page is also photographed into that directory.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, FilePayload, Page, async_playwright

from server.office import PAGES as ALL
from tests.prompt import listening
from tests.server.documents import NOW
from tests.server.office.season import BULLETIN, FAULTY, MODEL, UNIT, furnish, two_answer
from tests.server.office.test_bundles import joining
from tests.server.office.test_quarantine import DAY, hold, numbers, renamed
from tests.server.office.village import (
    COLLIDED_ULID,
    HOSTILE_ULID,
    PASSWORD,
    SIGNED_ULID,
    VISITED_ULID,
    Village,
    ulid,
    village,
)

SIZES = {"phone": (360, 740), "desk": (1280, 900)}
PAGES = {
    "coverage": "/office",
    "households": "/office/households",
    "hamlet": "/office/hamlets/nasam?show=open",
    "record": f"/office/households/nasam/{SIGNED_ULID}",
    "collision": f"/office/households/nasam/{COLLIDED_ULID}",
    "hostile": f"/office/households/nasam/{HOSTILE_ULID}",
    "edit": f"/office/households/nasam/{SIGNED_ULID}/edit",
    "campaign": "/office/campaign",
    "campaign-new": "/office/campaign/new",
    "campaign-form": "/office/campaign/antq-2026/edit",
    "wording-form": "/office/wordings/clauses",
    "review": "/office/review",
    "review-record": f"/office/review/nasam/unit:{UNIT}",
    "history": f"/office/history/nasam/inspection:{FAULTY}",
    "choose": f"/office/choose/nasam/inspection:{FAULTY}",
    "review-pledge": f"/office/review/nasam/pledge:antq-2026:{SIGNED_ULID}",
    "models": "/office/models",
    "model-new": "/office/models/new",
    "model": f"/office/models/{MODEL}",
    "model-form": f"/office/models/{MODEL}/edit",
    "units": "/office/units",
    "unit": f"/office/units/nasam/{UNIT}",
    "unit-new": "/office/units/new",
    "unit-form": f"/office/units/nasam/{UNIT}/edit",
    "inspections": "/office/inspections",
    "inspection": f"/office/inspections/nasam/{FAULTY}",
    "checklists": "/office/checklists",
    "checklist": "/office/checklists/ban-thu",
    "checklist-new": "/office/checklists/new",
    "checklist-form": "/office/checklists/ban-thu/edit",
    "outreach": "/office/outreach",
    "bulletins": "/office/bulletins",
    "bulletin-new": "/office/bulletins/new",
    "bulletin-form": f"/office/bulletins/{BULLETIN}/edit",
    "rights": f"/office/households/nasam/{SIGNED_ULID}/rights",
    "duplicates": "/office/duplicates",
    "moves": "/office/moves",
    "quarantine": "/office/quarantine",
    "quarantined": "/office/quarantine/{held}",
    "bundles": "/office/bundles",
    "account": "/office/account",
    "second": "/office/account/second",
    "people": "/office/people",
    "person-new": "/office/people/new",
    "person": "/office/people/{volunteer}",
    "recovery": "/office/recovery",
    "import": "/office/import",
    "audit": "/office/audit",
}
# What the walk comes to by a button, and what is a file and no page.
OTHERWISE = {
    "/office/login",
    "/office/first",
    "/office/import/{token}",
    "/office/bundles/{token}",
    "/office/bundles/{token}/receipts",
    "/office/people/{person}/invitation",
    "/office/photos/{hamlet}/{sha256}",
}
LIST = """STT;Họ và tên chủ hộ;Thôn;Số CCCD
1;Hứa Văn Tài (hộ nghèo);Thôn Pác Ve;001
2;Hứa Thị Đào;Khuổi Lăn;002
3;12345;Thôn Pác Ve;003
4;Lý Thị Xuân;Nà Sầm;004
"""
CHROMIUM = os.environ.get("CAMKET_CHROMIUM", "/usr/bin/chromium")
AXE = Path(AXE_FILE_PATH).read_text("utf-8")
PICTURES = os.environ.get("CAMKET_SCREENSHOTS")


@asynccontextmanager
async def served(made: Village) -> AsyncIterator[str]:
    """The village's server on a port of the machine's choice."""
    async with listening(uvicorn.Config(made.app, lifespan="off", log_level="error")) as url:
        yield url


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(page: Page, url: str, who: str) -> None:
    await page.goto(f"{url}/office/login")
    await page.get_by_label("Tên đăng nhập").fill(who)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập").click()
    await page.wait_for_url(f"{url}/office")


async def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"office-{name}.png", full_page=True)
    found = [] if await page.evaluate("document.documentElement.scrollWidth <= innerWidth") else ["too wide"]
    small = await page.evaluate(TOO_SMALL)
    found += [f"target too small: {one}" for one in small]
    await page.evaluate(AXE)
    axe = await page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    found += [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in axe["violations"]]
    return [f"{name}: {problem}" for problem in found]


TOO_SMALL = """
matchMedia('(any-pointer: coarse)').matches
  ? [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
      .filter((one) => one.checkVisibility() && !one.classList.contains('skip'))
      .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
      .filter(([one, box]) => box.height < 47.5 && one.closest('p, .lead') === null)
      .map(([one, box]) => one.outerHTML.slice(0, 120) + ' ' + box.height)
  : []
"""


async def brought(made: Village) -> list[FilePayload]:
    """Files on a stick: new records, one twice, one of a wrong clock, damaged lines; another commune's."""
    async with made.browser() as http:
        mine = await joining(made, http).phone()
    first, second, third = (mine.seal(mine.visit(ulid(0, number))) for number in (20, 21, 22))
    mine.skew = timedelta(hours=2)
    wrong = mine.seal(mine.visit(ulid(0, 23)))
    files = {
        "camket-phieu-2026-03-01.txt": mine.bundle(first, second, first, wrong, third[:-5], b"", b"\1"),
        "camket-phieu-xa-khac.txt": b"camket-bundle 1 another\nAAAA\n",
    }
    return [{"name": name, "mimeType": "text/plain", "buffer": data} for name, data in files.items()]


def test_no_page_of_the_office_is_left_out() -> None:
    """A page that is added to the office is added to the walk below, or it fails here."""
    addresses = [path.partition("?")[0] for path in PAGES.values()]
    pages = {page.path: re.sub(r"\{[^}]+\}", "[^/]+", page.path) for page in ALL if page.method == "GET"}
    left_out = {page for page, like in pages.items() if not any(re.fullmatch(like, one) for one in addresses)}
    assert left_out == OTHERWISE


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_is_accessible_and_fits(tmp_path: Path, size: str) -> None:
    width, height = SIZES[size]
    problems = []
    async with village(tmp_path, demo=True) as made, served(made) as url, chromium() as browser:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=size == "phone",
            is_mobile=size == "phone",
            locale="vi-VN",
        )
        await furnish(made)
        await two_answer(made)
        await hold(made, await renamed(made, VISITED_ULID, "7", NOW + 5000 - DAY), skew_ms=DAY)
        (held,) = numbers(made)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
        await page.goto(f"{url}/office/login")
        problems += await look(page, f"login-{size}")
        await page.goto(f"{url}/office/first?token=of-nobody")
        problems += await look(page, f"first-{size}")
        complaints.clear()  # of a token that nobody has
        await sign_in(page, url, "admin")
        for name, path in PAGES.items():
            answer = await page.goto(url + path.format(held=held, **made.people))
            assert answer
            assert answer.status == 200, path
            problems += await look(page, f"{name}-{size}")
        await page.goto(f"{url}/office/import")
        await page.get_by_label("Tệp danh sách").set_input_files(
            {"name": "danh sách.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
        )
        await page.get_by_role("button", name="Xem trước").click()
        await page.wait_for_url(f"{url}/office/import/*")
        problems += await look(page, f"import-preview-{size}")
        await page.goto(f"{url}/office/bundles")
        await page.get_by_label("Tệp phiếu").set_input_files(await brought(made))
        await page.get_by_role("button", name="Nhận phiếu").click()
        await page.wait_for_url(f"{url}/office/bundles/*")
        await page.get_by_role("link", name="Tải giấy báo nhận").wait_for()
        problems += await look(page, f"bundles-result-{size}")
        await page.goto(f"{url}/office/people/{made.people['volunteer']}")
        await page.get_by_role("button", name="Mời một điện thoại").click()
        await page.wait_for_url("**/invitation")
        problems += await look(page, f"invitation-{size}")
        made.now -= timedelta(days=3)  # earlier than what is stored
        await page.goto(f"{url}/office/moves")
        await page.get_by_role("button", name="Giờ này đúng").wait_for()
        problems += await look(page, f"wrong-clock-{size}")
        made.now += timedelta(days=3)
        await context.clear_cookies()
        await sign_in(page, url, "observer")
        problems += await look(page, f"observer-{size}")
    assert not problems, "\n".join(problems)
    assert complaints == [], "the browser found something against the policy"
