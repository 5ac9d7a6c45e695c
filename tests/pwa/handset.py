"""A volunteer's phone as Chromium shows it, at 360 × 740, and what a volunteer does with it."""

import math
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, async_playwright, expect

CHROMIUM = os.environ.get("CAMKET_CHROMIUM", "/usr/bin/chromium")
AXE = Path(AXE_FILE_PATH).read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PIN = "135790"

# What a thumb must hit: a control, or the label around it. `main` actions are larger (56 px).
SMALL_TARGETS = """
[...document.querySelectorAll('a, button, input, select')]
  .filter((one) => one.checkVisibility({contentVisibilityAuto: true}) && !one.matches('.skip'))
  .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
  .filter(([one, box]) => box.width < 47.5 || box.height < (one.matches('.main') ? 55.5 : 47.5))
  .map(([one, box]) => `${one.outerHTML.slice(0, 100)}: ${Math.round(box.width)} × ${Math.round(box.height)}`)
"""
# A key of the catalogues, or a place in a sentence that nothing was put into.
NO_WORDS = re.compile(r"\{\w+\}|\bundefined\b|\bNaN\b|^[a-z]+(?:[.][a-z_]+)+$", re.MULTILINE)
COUNT_TAPS = """
window.taps = 0;
addEventListener('click', ({ isTrusted, target }) => {
  if (isTrusted && target.tagName !== 'CANVAS') taps++;
}, true);
"""

# `kept(n)` waits until a half-filled form came to rest in IndexedDB n times. (Polling by wait_for_function
# would need eval, which the app's policy forbids.)
WATCH_DRAFTS = """
{
  let times = 0;
  let tell = () => {};
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...what) {
    if (this.name === 'drafts') this.transaction.addEventListener('complete', () => tell(++times));
    return put.apply(this, what);
  };
  window.kept = (n) => new Promise((done) => {
    tell = () => times >= n && done(times);
    tell();
  });
}
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser for the length of a test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


class Handset:
    """One phone: a browser context of its own, and the complaints of its console."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @classmethod
    async def switched_on(cls, browser: Browser, url: str, user_agent: str | None = None) -> "Handset":
        """A phone that has never seen Camket."""
        context = await browser.new_context(
            viewport={"width": 360, "height": 740},
            device_scale_factor=2,
            has_touch=True,
            is_mobile=True,
            locale="vi-VN",
            user_agent=user_agent,
        )
        context.set_default_timeout(20_000)
        return cls(await context.new_page(), url)

    async def heading(self, text: str | re.Pattern[str]) -> None:
        """Wait until a screen with this heading stands."""
        await expect(self.page.get_by_role("heading", name=text, level=1)).to_be_visible(timeout=20_000)

    async def tap(self, name: str | re.Pattern[str]) -> None:
        """Tap the button or link of that name."""
        target = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        await target.first.tap()

    async def type_pin(self, pin: str = PIN) -> None:
        """By the large keys."""
        for digit in pin:
            await self.page.get_by_role("button", name=digit, exact=True).tap()

    async def join(self, code: str) -> None:
        """By the link of the invitation, to the list of hamlets with at least one that has arrived."""
        await self.page.goto(f"{self.url}/join#{code}")
        await self.tap("Tham gia")
        await self.heading("Chọn mã PIN")
        await self.type_pin()
        await self.heading("Nhập lại mã PIN")
        await self.type_pin()
        await self.heading("Địa bàn của tôi")
        await self.page.locator("a.card", has_text="Thôn").first.wait_for()

    async def unlock(self) -> None:
        """After the app was closed and opened again."""
        await self.heading("Nhập mã PIN")
        await self.type_pin()

    async def open_hamlet(self, name: str) -> None:
        """From the list of hamlets, to the list of households."""
        await self.page.locator("a.card", has_text=name).tap()
        await self.heading(re.compile(name))
        await self.page.locator("a.row").first.wait_for()

    async def sign(self) -> None:
        """A curve in the frame, by one finger."""
        box = await self.page.locator("canvas").bounding_box()
        assert box
        await self.page.mouse.move(box["x"] + 40, box["y"] + 80)
        await self.page.mouse.down()
        for step in range(40):
            await self.page.mouse.move(box["x"] + 40 + step * 6, box["y"] + 80 + 50 * math.sin(step / 4))
        await self.page.mouse.up()

    async def problems(self, sizes: Sequence[str] = ("large", "normal")) -> list[str]:
        """What is wrong with the screen that stands, in each size of text: too wide, small targets, words
        that are missing or not filled in; and what axe finds in the last size."""
        page = self.page
        found: list[str] = await page.evaluate(SMALL_TARGETS)
        found += [f"no words: {one}" for one in NO_WORDS.findall(await page.inner_text("body"))]
        for size in sizes:
            await page.evaluate(f"document.documentElement.dataset.text = '{size}'")
            if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                found.append(f"too wide with {size} text")
        await page.evaluate(AXE)
        # Its target-size takes a row half under the actions for a small one; SMALL_TARGETS asks for more.
        axe = await page.evaluate(
            "rules => axe.run({runOnly: rules, rules: {'target-size': {enabled: false}}})", RULES
        )
        return found + [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in axe["violations"]]
