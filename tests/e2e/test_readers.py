"""The same screens for who reads large letters, reads English, or has keys and no finger."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Village
from tests.e2e.phone import PIN

# Whatever the browser asks for, the first words are Vietnamese.
PREFER_ENGLISH_AND_LARGE = """
localStorage.getItem('camket-preferences') ||
  localStorage.setItem('camket-preferences', '{"language":"en","textSize":"large"}')
"""
FOCUSED = "() => document.activeElement?.textContent?.trim() || document.activeElement?.id || ''"
# Past the last control the focus is in the browser's own bar, and the page's in its body; a new screen's
# heading takes it unseen, for it is no control.
UNSEEN = """
() => {
  const one = document.activeElement;
  const seen = one.matches('body, h1') || getComputedStyle(one).outlineStyle !== 'none';
  return seen ? '' : one.outerHTML;
}
"""


def test_every_screen_has_its_words_in_english_and_fits_in_large_letters(village: Village) -> None:
    phone = village.new_phone()
    page = phone.page
    page.add_init_script(PREFER_ENGLISH_AND_LARGE)
    problems: list[str] = []

    def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in phone.problems(sizes=["large"]))

    page.goto(f"{phone.url}/join#{village.codes[0]}")
    phone.sees_title("Join with this phone")
    look("join")
    phone.press("Join")
    for title in ("Choose a PIN", "The PIN once more"):
        phone.sees_title(title)
        look(title)
        phone.enters(PIN)
    phone.sees_title("My hamlets")
    page.locator("a.card").first.wait_for()
    look("home")
    page.locator("a.card", has_text="Khuoi").tap()
    page.locator("a.row").first.wait_for()
    look("hamlet")
    household = re.sub(".*/", "", str(page.locator("a.row").first.get_attribute("href")))
    for address, title in (
        (f"h/{village.hamlet}/{household}", "Hoàng Văn An"),
        (f"h/{village.hamlet}/{household}/edit", "Correct the household"),
        (f"h/{village.hamlet}/add", "Add a household"),
        (f"h/{village.hamlet}/meeting", "Signed at a hamlet meeting"),
        ("sync", "Sync"),
        ("settings", "Settings"),
    ):
        page.evaluate(f"location.hash = '#/{address}'")
        phone.sees_title(title)
        look(title)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert not problems, "\n".join(problems)


def test_the_first_words_are_vietnamese_whatever_the_browser_prefers(village: Village) -> None:
    context = village.browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(village.server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Tham gia bằng điện thoại này")
    assert page.evaluate("document.documentElement.lang") == "vi"


def test_a_pledge_is_recorded_with_keys_alone(village: Village) -> None:
    phone = village.new_phone(has_touch=False, is_mobile=False)
    page = phone.page

    def reach(words: str) -> None:
        """Tab to it; where one is must be visible all the way."""
        for _ in range(30):
            page.keyboard.press("Tab")
            assert page.evaluate(UNSEEN) == ""
            if words in page.evaluate(FOCUSED):
                return
        raise AssertionError(f"{words!r} is not reached by Tab")

    page.goto(f"{phone.url}/join#{village.codes[0]}")
    page.get_by_role("button", name="Tham gia").wait_for()
    reach("Tham gia")
    page.keyboard.press("Enter")
    for title in ("Chọn mã PIN", "Nhập lại mã PIN"):
        phone.sees_title(title)
        page.keyboard.type(PIN)
    phone.sees_title("Địa bàn của tôi")
    page.locator("a.card", has_text="Thôn Khuoi").wait_for()
    for target, title in (
        ("Thôn Khuoi", "Thôn Khuoi"),
        ("Nông Văn An", "Nông Văn An"),
        ("Ký cam kết", "Thông báo cho người ký"),
        ("Đã nói rõ", "Nội dung cam kết"),
        ("Đã đọc to", "Người ký"),
        ("Ký trên giấy", "Nông Văn An"),
        ("Lưu cam kết", "Thôn Khuoi"),
    ):
        reach(target)
        page.keyboard.press("Enter")
        phone.sees_title(title)
        if target == "Thôn Khuoi":
            page.locator("a.row").first.wait_for()
    expect(page.locator("a.row").nth(1)).to_contain_text("Đã ký")
