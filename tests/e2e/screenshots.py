"""A picture of every screen and every page, phone and desk, into screenshots/ (`make screenshots`).

The tests that walk every screen take the most of them; here come the demo commune, the other language, large
text, and the states that need a story.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM
from tests.e2e.office import Office
from tests.e2e.phone import Phone
from tests.running import ROOT, Running

PICTURES = ROOT / "screenshots"
WALKS = ("tests/e2e/test_every_screen.py", "tests/e2e/test_office.py")
ZALO = "Mozilla/5.0 (Linux; Android 12; SM-A127F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 Zalo"


def walk() -> None:
    """The screens and pages that the tests look at."""
    subprocess.run(
        [sys.executable, "-m", "pytest", *WALKS, "-k", "every_screen_is or every_page_is"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CAMKET_SCREENSHOTS": str(PICTURES)},
        check=True,
    )


def tour(browser: Browser, server: Running) -> None:
    """A volunteer of the demo commune, with and without a signal, in both languages."""

    def shot(phone: Phone, name: str) -> None:
        phone.page.screenshot(path=PICTURES / f"demo-{name}.png")

    link = server.found(r"(http\S+/join#\S+)")
    in_zalo = Phone(browser, server.url, user_agent=ZALO)
    in_zalo.opens(link)
    in_zalo.sees("Chép liên kết")
    shot(in_zalo, "zalo")
    phone = Phone(browser, server.url)
    phone.joins(link)
    shot(phone, "home")
    hamlet = phone.page.locator("a.card h2").first.inner_text().partition(" ")[2]
    phone.walks(hamlet)
    shot(phone, "hamlet")
    open_homes = [name for name, said in phone.listed().items() if "Chưa ký" in said][:3]
    phone.knocks(open_homes[0])
    shot(phone, "household")
    phone.press("Quay lại")
    server.stop()
    phone.signs(open_homes[0])
    phone.visits(open_homes[1], "Hẹn quay lại")
    shot(phone, "hamlet-unsent")
    phone.knocks(open_homes[0])
    shot(phone, "household-unsent")
    phone.goes_home()
    phone.tap(phone.button(re.compile("^Đồng bộ")))
    phone.press("Đồng bộ ngay")
    phone.sees("Chưa có sóng.")
    shot(phone, "sync-without-signal")
    phone.locks()
    phone.sees(re.compile("Gửi các phiếu đang chờ"))
    shot(phone, "locked-with-records")
    phone.unlocks()
    phone.goes_home()
    phone.press("Cài đặt")
    phone.tap(phone.page.get_by_text("Lớn", exact=True))
    phone.goes_home()
    shot(phone, "home-large")
    phone.walks(hamlet)
    shot(phone, "hamlet-large")
    phone.knocks(open_homes[2])
    phone.press("Ký cam kết")
    phone.sees("Thông báo cho người ký")
    shot(phone, "notice-large")
    phone.press("Quay lại")
    phone.goes_home()
    phone.press("Cài đặt")
    phone.tap(phone.page.get_by_text("English"))
    phone.tap(phone.page.get_by_text("Normal", exact=True))
    shot(phone, "settings-english")
    for address, name in (("#/", "home"), ("#/sync", "sync")):
        phone.page.evaluate(f"location.hash = '{address}'")
        expect(phone.page.get_by_role("heading", level=1)).not_to_have_text("Settings")
        shot(phone, f"{name}-english")


def desk(browser: Browser, server: Running) -> None:
    """The office of the demo commune in English, and on paper."""
    office = Office(browser, server.url)
    login, password = server.found(r"tên đăng nhập (\S+), "), server.found(r"mật khẩu (\S+)")
    office.signs_in(login, password)
    office.page.emulate_media(media="print")
    office.page.screenshot(path=PICTURES / "demo-office-print.png", full_page=True)
    office.page.emulate_media(media="screen")
    office.press("English")
    office.page.screenshot(path=PICTURES / "demo-office-english.png", full_page=True)


def main() -> None:
    """All of it, anew."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    walk()
    with (
        TemporaryDirectory() as scratch,
        Running(Path(scratch) / "demo", ("demo",)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        desk(browser, server)
        tour(browser, server)
        browser.close()
    sys.stdout.write(f"{len(list(PICTURES.iterdir()))} pictures in {PICTURES.relative_to(ROOT)}/\n")


if __name__ == "__main__":
    main()
