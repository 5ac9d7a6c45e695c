"""A reviewer who has no mouse: the whole review, from signing in to bulk approval, by keys alone."""

import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.test_office import chromium, served
from tests.server.office.season import UNIT, furnish
from tests.server.office.test_edits import document
from tests.server.office.village import PASSWORD, SIGNED_ULID, village


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as somebody does who sees only where the focus is."""
    for _ in range(200):
        if await wanted.evaluate("one => one === document.activeElement"):
            outline = await wanted.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline != "none", "the focus is seen"
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {wanted}")


def key_of(page: Page, key: str) -> Locator:
    """The button of an access key. A browser without a window does not hear the key itself (tried: Alt+R,
    Alt+Shift+R), so that the button is gone to."""
    return page.locator(f'button[accesskey="{key}"]')


async def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    await tab_to(page, wanted)
    await page.keyboard.press(key)


async def test_a_review_is_done_by_keyboard_alone(tmp_path: Path) -> None:
    async with village(tmp_path) as made, served(made) as url, chromium() as browser:
        await furnish(made)
        page = await (await browser.new_context(locale="vi-VN")).new_page()
        await page.goto(f"{url}/office/login")
        await tab_to(page, page.get_by_label("Tên đăng nhập"))
        await page.keyboard.type("reviewer")
        await tab_to(page, page.get_by_label("Mật khẩu"))
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{url}/office")

        # past the header, by the link that is there for it
        await press(page, page.get_by_role("link", name="Đến nội dung"))
        await page.goto(f"{url}/office")
        await press(page, page.get_by_role("link", name="Duyệt phiếu"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Duyệt phiếu")

        # only units
        await tab_to(page, page.get_by_label("Loại phiếu"))
        while await page.get_by_label("Loại phiếu").input_value() != "unit":
            await page.keyboard.press("ArrowDown")
        await press(page, page.get_by_role("button", name="Lọc"))
        await expect(page.get_by_role("rowheader")).to_have_count(1)

        # return it with a comment that was there, and one word more
        await press(page, page.get_by_role("link", name="Trường THCS Nà Sầm"))
        comment = page.locator('input[name="comment-scope"]')
        await tab_to(page, page.locator('input[name="template"]:checked'))
        await page.keyboard.press("ArrowDown")
        await tab_to(page, comment)
        await page.keyboard.press("End")
        await page.keyboard.type(" Hỏi lại trường.")
        await press(page, key_of(page, "r"))
        await page.wait_for_url(re.compile(r"/office/review\?"))
        _, body = await document(made, f"review:unit:{UNIT}")
        assert body["decision"]["is"] == "returned"
        assert body["decision"]["template"] == "scope"
        assert body["decision"]["comment"].endswith(" Hỏi lại trường.")

        # approve one, and the next one opens
        await page.goto(f"{url}/office/review/nasam/pledge:antq-2026:{SIGNED_ULID}")
        await press(page, key_of(page, "a"))
        await expect(page.get_by_role("status")).to_contain_text("Đây là phiếu tiếp theo")
        _, body = await document(made, f"review:pledge:antq-2026:{SIGNED_ULID}")
        assert body["decision"]["is"] == "approved"

        # pick one of the ordinary ones, then take all that are left on the page
        await page.goto(f"{url}/office/review?kind=pledge")
        rows = await page.get_by_role("checkbox").count()
        await press(page, page.get_by_role("checkbox").first, "Space")
        await press(page, key_of(page, "c"))
        await expect(page.get_by_role("checkbox")).to_have_count(rows - 1)
        await press(page, key_of(page, "a"))
        await expect(page.get_by_role("checkbox")).to_have_count(0)
