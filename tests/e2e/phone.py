"""A volunteer's phone: the app in a mobile context of real Chromium, in the words of the person who holds it.

Waiting is for what that person would see. Every tap goes through `tap`, which counts it. `problems` looks at
the screen that stands as a person with large letters, a thumb or a screen reader would. Hands, eyes and ways
belong together: one file.
"""

import os
import re
from collections.abc import Sequence
from math import sin
from pathlib import Path
from time import time
from typing import Any, Literal

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

PIN = "135790"
PICTURES = os.environ.get("CAMKET_SCREENSHOTS")
AXE = Path(AXE_FILE_PATH).read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What a thumb must hit: a control, or the label around it. `main` actions are larger (56 px).
SMALL_TARGETS = """
[...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter((one) => one.checkVisibility({contentVisibilityAuto: true}) && !one.matches('.skip'))
  .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
  .filter(([one, box]) => box.width < 47.5 || box.height < (one.matches('.main') ? 55.5 : 47.5))
  .map(([one, box]) => `${one.outerHTML.slice(0, 100)}: ${Math.round(box.width)} × ${Math.round(box.height)}`)
"""
# A key of the catalogues, or a place in a sentence that nothing was put into.
NO_WORDS = re.compile(r"\{\w+\}|\bundefined\b|\bNaN\b|^[a-z]+(?:[.][a-z_]+)+$", re.MULTILINE)
# What appears has appeared; an animation whose place was left never ends.
SETTLED = "Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => null)"

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
WIDTH, HEIGHT = 360, 740
UNREACHED = re.compile(r"net::ERR_(CONNECTION|INTERNET|EMPTY|NETWORK|FAILED|INCOMPLETE)|Failed to fetch")

Visit = Literal["Vắng nhà", "Hẹn quay lại", "Đã gặp, chưa ký"]

# The phone's clock runs ahead of the true one by `clockIsAhead` ms; everything else is left as it is.
CLOCK = """
(() => {
  const True = Date;
  globalThis.clockIsAhead = 0;
  globalThis.Date = class Date extends True {
    constructor(...when) {
      if (when.length) super(...when);
      else super(True.now() + globalThis.clockIsAhead);
    }
    static now() { return True.now() + globalThis.clockIsAhead; }
  };
})();
"""

LIST = """
rows => rows.map((row) => {
  const [head, ...rest] = [...row.children].map((one) => one.textContent);
  return [head, rest.join(' ')];
})
"""

ENTRIES = """
async () => {
  const found = [];
  const answer = (asked) => new Promise((resolve) => { asked.onsuccess = () => resolve(asked.result); });
  for (const { name } of await indexedDB.databases()) {
    const db = await answer(indexedDB.open(name));
    for (const store of db.objectStoreNames)
      for (const _ of await answer(db.transaction(store).objectStore(store).getAllKeys()))
        found.push(`${name}/${store}`);
    db.close();
  }
  return found;
}
"""


class Phone:
    """One phone with its own storage. `complaints` is what the browser found wrong, a missing link apart."""

    def __init__(self, browser: Browser, url: str, *, own_clock: bool = False, **context: Any) -> None:
        self.url = url
        self.taps = 0
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            **{
                "viewport": {"width": WIDTH, "height": HEIGHT},
                "device_scale_factor": 2,
                "has_touch": True,
                "is_mobile": True,
                "locale": "vi-VN",
                "timezone_id": "Asia/Ho_Chi_Minh",
                **context,
            }
        )
        self.context.set_default_timeout(20_000)
        if own_clock:
            self.context.add_init_script(CLOCK)
        self.page: Page = self._tab()

    def _tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not UNREACHED.search(text):
            self.complaints.append(text)

    # --- hands and eyes

    def tap(self, what: Locator) -> None:
        """One tap with a finger."""
        what.tap()
        self.taps += 1

    def button(self, name: str | re.Pattern[str], *, exact: bool = True) -> Locator:
        """A button or a link that looks like one."""
        found = self.page.get_by_role("button", name=name, exact=exact)
        return found.or_(self.page.get_by_role("link", name=name, exact=exact)).filter(visible=True)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Tap the button of that name, or the first one whose name begins so."""
        found = self.button(name)
        if isinstance(name, str) and found.count() != 1:
            found = self.button(re.compile(f"^{re.escape(name)}"))
        self.tap(found.first)

    def chooses(self, text: str) -> None:
        """Tap the option of that text."""
        self.tap(self.page.get_by_text(text, exact=True))

    def fills(self, label: str, text: str) -> None:
        """Type into the box of that label."""
        self.page.get_by_label(label, exact=True).fill(text)

    def goes_back(self) -> None:
        """Android's back button."""
        self.page.go_back()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the text stands on the screen."""
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=20_000)

    def sees_title(self, title: str | re.Pattern[str]) -> None:
        """Wait for the screen of that title, until the one before is gone: for a moment both are there."""
        like = title if isinstance(title, re.Pattern) else re.compile(rf"^\s*{re.escape(title)}\s*$")
        headings = self.page.get_by_role("heading", level=1)
        expect(headings.filter(has_text=like)).to_be_visible(timeout=20_000)
        expect(headings).to_have_count(1)

    def sees_news(self, text: str) -> None:
        """Wait until the app says so, to eyes and ears."""
        expect(self.page.locator(".news")).to_contain_text(text, timeout=20_000)

    # --- coming in

    def opens(self, link: str) -> None:
        """Open a link, as from a message or a QR code."""
        self.page.goto(link)

    def joins(self, link: str, pin: str = PIN) -> None:
        """Open the invitation, take it, choose a PIN; ends with the list of hamlets on the phone."""
        self.opens(link)
        self.press("Tham gia")
        self.chooses_pin(pin)
        self.sees_title("Địa bàn của tôi")
        expect(self.page.locator("a.card").first).to_be_visible(timeout=20_000)
        self.has_synced()

    def chooses_pin(self, pin: str = PIN) -> None:
        """Enter a new PIN twice."""
        self.sees_title("Chọn mã PIN")
        self.enters(pin)
        self.sees_title("Nhập lại mã PIN")
        self.enters(pin)

    def enters(self, pin: str) -> None:
        """Six digits on the keys."""
        for digit in pin:
            self.tap(self.page.get_by_role("button", name=digit, exact=True))

    def unlocks(self, pin: str = PIN) -> None:
        """Enter the PIN on the locked app."""
        self.sees_title("Nhập mã PIN")
        self.enters(pin)
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Nhập mã PIN", timeout=20_000)

    def reloads(self) -> None:
        """Close the app and open it again: Android did, or the person did."""
        self.page.reload()

    def locks(self) -> None:
        """Lock the app by hand."""
        self.goes_home()
        self.press("Cài đặt")
        self.press("Khóa lại")
        self.sees_title("Nhập mã PIN")

    # --- finding the way

    def goes_home(self) -> None:
        """Back, until the list of hamlets."""
        back = self.page.locator(".bar-back")
        while back.count() and self.page.get_by_role("heading", level=1).inner_text() != "Địa bàn của tôi":
            here = self.page.url
            self.tap(back)
            expect(self.page).not_to_have_url(here)  # two screens may share a title
        self.sees_title("Địa bàn của tôi")

    def walks(self, hamlet: str) -> None:
        """Open a hamlet's list."""
        self.goes_home()
        self.tap(self.page.locator("a.card", has_text=hamlet))
        self.sees_title(re.compile(re.escape(hamlet) + "$"))
        expect(self.page.locator("a.row").first).to_be_visible()

    def row(self, household: str) -> Locator:
        """A household in the list."""
        return self.page.locator("a.row", has=self.page.get_by_text(household, exact=True))

    def knocks(self, household: str) -> None:
        """Open a household from the list."""
        self.tap(self.row(household))
        self.sees_title(household)

    def sees_in_list(self, household: str, text: str) -> None:
        """Wait until the household's row says so."""
        expect(self.row(household)).to_contain_text(text, timeout=20_000)

    def listed(self) -> dict[str, str]:
        """The hamlet's list as it stands: head's name and what the row says after it."""
        # Rows below the fold are not laid out (content-visibility): innerText would be empty there.
        rows: list[tuple[str, str]] = self.page.locator("a.row").evaluate_all(LIST)
        return dict(rows)

    # --- recording; each begins and ends in the hamlet's list

    def visits(self, household: str, result: Visit) -> None:
        """Record that nobody was home, and the like."""
        self.knocks(household)
        self.press(result)
        self.sees_in_list(household, result)

    def begins_pledge(self) -> None:
        """From the household to the signer: sign, told, read."""
        self.press("Ký cam kết")
        self.press("Đã nói rõ, tiếp tục")
        self.press("Đã đọc to cho người ký")

    def signs(self, household: str) -> None:
        """A household that is home signs with a thumb."""
        self.knocks(household)
        self.begins_pledge()
        self.press("Ký trên màn hình")
        self.draws()
        self.press("Lưu cam kết")
        self.sees_in_list(household, "Đã ký")

    def signs_on_paper(self, household: str, method: str = "Đã ký trên giấy", witness: str = "") -> None:
        """A household signs, prints a thumb or makes a mark on paper."""
        self.knocks(household)
        self.begins_pledge()
        self.press("Ký trên giấy")
        if method != "Đã ký trên giấy":
            self.tap(self.page.get_by_text(method, exact=True))
        if witness:
            self.tap(self.page.get_by_text(witness, exact=True))
        self.press("Lưu cam kết")
        self.sees_in_list(household, "Đã ký")

    def draws(self) -> None:
        """A signature with a finger on the glass: two strokes, as the touch screen tells them."""
        frame = self.page.locator("canvas")
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        assert box is not None
        screen = self.context.new_cdp_session(self.page)
        moment = (
            time() - 2
        )  # the finger takes its time; without that it would be a fling, which swallows the next tap

        def touch(kind: str, *points: tuple[float, float]) -> None:
            nonlocal moment
            moment += 0.03
            where = [{"x": x, "y": y} for x, y in points]
            screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where, "timestamp": moment})

        for left in (0.1, 0.55):
            path = [
                (
                    box["x"] + box["width"] * (left + step * 0.03),
                    box["y"] + box["height"] * (0.5 + 0.3 * sin(step)),
                )
                for step in range(12)
            ]
            touch("touchStart", path[0])
            for point in [*path[1:], path[-1], path[-1], path[-1]]:
                touch("touchMove", point)
            touch("touchEnd")
        screen.detach()

    def corrects_name(self, household: str, name: str) -> None:
        """Correct the head's name."""
        self.knocks(household)
        self.press("Sửa thông tin hộ")
        self.page.get_by_label("Họ và tên chủ hộ").fill(name)
        self.press("Lưu")
        self.sees_title(name)
        self.press("Quay lại")
        expect(self.row(name)).to_be_visible()

    def adds_household(self, name: str, house: str, after: str = "") -> None:
        """Add a household that the list lacks."""
        self.press("Thêm hộ")
        self.page.get_by_label("Họ và tên chủ hộ").fill(name)
        self.page.get_by_label("Số nhà (nếu có)").fill(house)
        if after:
            self.page.get_by_label("Đứng sau hộ").select_option(label=after)
        self.press("Lưu")
        expect(self.row(name)).to_be_visible()

    def takes_back(self, household: str) -> None:
        """Void the latest own record of a household."""
        self.knocks(household)
        self.tap(self.button("Ghi nhầm, bỏ đi").first)
        self.press("Đúng vậy")
        self.sees("đã bỏ")
        self.press("Quay lại")

    def holds_meeting(self, households: Sequence[str], sheet: int) -> None:
        """Tick those that signed one sheet at the hamlet's meeting."""
        self.press("Ký tại cuộc họp")
        self.page.get_by_label("Tờ số").fill(str(sheet))
        for household in households:
            self.tap(self.page.locator("label.tick", has=self.page.get_by_text(household, exact=True)))
        self.tap(self.button(re.compile("^Xem lại trước khi lưu")))
        self.press(f"Lưu {len(households)} cam kết")
        self.sees_news(f"Đã lưu {len(households)} cam kết")

    # --- syncing

    def syncs(self) -> None:
        """Sync by hand and wait until the app says that the commune has everything."""
        self.goes_home()
        self.tap(self.button(re.compile("^Đồng bộ")))
        expect(self.button("Đồng bộ ngay")).to_be_visible(timeout=20_000)  # another may be under way
        self.press("Đồng bộ ngay")
        self.sees_news("Đã đồng bộ xong.")
        self.sees("Xã đã nhận đủ mọi phiếu.")
        self.goes_home()

    def has_synced(self) -> None:
        """Wait at home until the commune has everything that is on the phone."""
        self.sees(re.compile("lần cuối: .* · Xã đã nhận đủ mọi phiếu."))

    def sets_clock(self, ahead: float) -> None:
        """Put the phone's clock so many seconds ahead of the truth (behind, where negative)."""
        self.page.evaluate("ms => { globalThis.clockIsAhead = ms; }", ahead * 1000)

    def is_ready_for_no_signal(self) -> None:
        """Wait until the service worker has kept the app and answers for it."""
        self.page.wait_for_function("() => navigator.serviceWorker.controller?.state === 'activated'")

    def has_a_release_waiting(self) -> None:
        """Wait until another release of the app is kept whole."""
        waiting = (
            "navigator.serviceWorker.getRegistration().then((one) => one?.waiting?.state === 'installed')"
        )
        self.page.wait_for_function(f"() => {waiting}")

    def problems(self, sizes: Sequence[str] = ("large", "normal")) -> list[str]:
        """What is wrong with the screen that stands, in each size of text: too wide, small targets, words
        that are missing or not filled in; and what axe finds in the last size."""
        page = self.page
        page.evaluate(SETTLED)
        found: list[str] = page.evaluate(SMALL_TARGETS)
        found += [f"no words: {one}" for one in NO_WORDS.findall(page.inner_text("body"))]
        for size in sizes:
            page.evaluate(f"document.documentElement.dataset.text = '{size}'")
            if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                found.append(f"too wide with {size} text")
        page.evaluate("document.documentElement.style.fontSize = '36px'")
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            found.append("too wide with text of 200 %")
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.evaluate(AXE)
        # Its target-size takes a row half under the actions for a small one; SMALL_TARGETS asks for more.
        axe = page.evaluate(
            "rules => axe.run({runOnly: rules, rules: {'target-size': {enabled: false}}})", RULES
        )
        return found + [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in axe["violations"]]

    def watches_drafts(self) -> None:
        """From here on `has_kept` counts."""
        self.page.evaluate(WATCH_DRAFTS)

    def has_kept(self, times: int) -> None:
        """Wait until what is half filled in came to rest on the phone so many times."""
        self.page.evaluate(f"kept({times})")

    def holds(self) -> list[str]:
        """Every entry of every IndexedDB database on the phone: which store of which database it is in."""
        entries: list[str] = self.page.evaluate(ENTRIES)
        return entries

    def forgives(self, complaint: str) -> None:
        """The browser complained of what the test itself brought about."""
        assert any(complaint in one for one in self.complaints)
        self.complaints = [one for one in self.complaints if complaint not in one]

    def addresses(self) -> list[str]:
        """The history of the tab, as the browser itself keeps it."""
        chrome = self.context.new_cdp_session(self.page)
        entries = chrome.send("Page.getNavigationHistory")["entries"]
        chrome.detach()
        return [entry["url"] for entry in entries]

    def closes(self) -> None:
        """Throw the phone away, with all that is on it."""
        self.context.close()
