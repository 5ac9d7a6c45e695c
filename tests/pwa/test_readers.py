"""The same screens for who reads large letters, reads English, or has keys and no finger."""

import re

from playwright.async_api import expect

from tests.pwa.conftest import MAI, Village
from tests.pwa.handset import PIN, Handset

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


async def test_every_screen_has_its_words_in_english_and_fits_in_large_letters(village: Village) -> None:
    phone = await Handset.switched_on(village.browser, village.server.url)
    page = phone.page
    await page.add_init_script(PREFER_ENGLISH_AND_LARGE)
    problems: list[str] = []

    async def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in await phone.problems(sizes=["large"]))

    await page.goto(f"{phone.url}/join#{village.commune.codes[MAI]}")
    await phone.heading("Join with this phone")
    await look("join")
    await phone.tap("Join")
    for title in ("Choose a PIN", "The PIN once more"):
        await phone.heading(title)
        await look(title)
        await phone.type_pin()
    await phone.heading("My hamlets")
    await page.locator("a.card").first.wait_for()
    await look("home")
    await phone.open_hamlet("Khuoi")
    await look("hamlet")
    household = re.sub(".*/", "", str(await page.locator("a.row").first.get_attribute("href")))
    for address, title in (
        (f"h/khuoi/{household}", "Hoàng Văn An"),
        (f"h/khuoi/{household}/edit", "Correct the household"),
        ("h/khuoi/add", "Add a household"),
        ("h/khuoi/meeting", "Signed at a hamlet meeting"),
        ("sync", "Sync"),
        ("settings", "Settings"),
    ):
        await page.evaluate(f"location.hash = '#/{address}'")
        await phone.heading(title)
        await look(title)
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert not problems, "\n".join(problems)
    assert phone.complaints == []


async def test_the_first_words_are_vietnamese_whatever_the_browser_prefers(village: Village) -> None:
    context = await village.browser.new_context(locale="en-US")
    page = await context.new_page()
    await page.goto(village.server.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tham gia bằng điện thoại này")
    assert await page.evaluate("document.documentElement.lang") == "vi"


async def test_a_pledge_is_recorded_with_keys_alone(village: Village) -> None:
    context = await village.browser.new_context(locale="vi-VN", viewport={"width": 360, "height": 740})
    context.set_default_timeout(20_000)
    phone = Handset(await context.new_page(), village.server.url)
    page = phone.page

    async def reach(words: str) -> None:
        """Tab to it; where one is must be visible all the way."""
        for _ in range(30):
            await page.keyboard.press("Tab")
            assert await page.evaluate(UNSEEN) == ""
            if words in await page.evaluate(FOCUSED):
                return
        raise AssertionError(f"{words!r} is not reached by Tab")

    await page.goto(f"{phone.url}/join#{village.commune.codes[MAI]}")
    await page.get_by_role("button", name="Tham gia").wait_for()
    await reach("Tham gia")
    await page.keyboard.press("Enter")
    for title in ("Chọn mã PIN", "Nhập lại mã PIN"):
        await phone.heading(title)
        await page.keyboard.type(PIN)
    await phone.heading("Địa bàn của tôi")
    await page.locator("a.card", has_text="Thôn Khuoi").wait_for()
    for target, title in (
        ("Thôn Khuoi", "Thôn Khuoi"),
        ("Nông Văn An", "Nông Văn An"),
        ("Ký cam kết", "Thông báo cho người ký"),
        ("Đã nói rõ", "Nội dung cam kết"),
        ("Đã đọc to", "Người ký"),
        ("Ký trên giấy", "Nông Văn An"),
        ("Lưu cam kết", "Thôn Khuoi"),
    ):
        await reach(target)
        await page.keyboard.press("Enter")
        await phone.heading(title)
        if target == "Thôn Khuoi":
            await page.locator("a.row").first.wait_for()
    await expect(page.locator("a.row").nth(1)).to_contain_text("Đã ký")
    assert phone.complaints == []
