"""The volunteer's screens in real Chromium over a real server: each one looked at, and the ways between them.

With CAMKET_SCREENSHOTS=DIR each screen is also photographed into that directory.
"""

import os
import re
from pathlib import Path

from playwright.async_api import expect

from tests.pwa.conftest import MAI, NAM, Village
from tests.pwa.handset import COUNT_TAPS, WATCH_DRAFTS, Handset

ZALO = "Mozilla/5.0 (Linux; Android 11; SM-A057F) AppleWebKit/537.36 Chrome/120.0 Mobile Zalo android/1"
PICTURES = os.environ.get("CAMKET_SCREENSHOTS")


async def test_every_screen_is_accessible_fits_and_has_large_targets(village: Village) -> None:
    problems: list[str] = []
    phone = await Handset.switched_on(village.browser, village.server.url)
    page = phone.page

    async def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in await phone.problems())
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"phone-{name}.png")

    await page.goto(f"{phone.url}/join#{village.commune.codes[MAI]}")
    await page.get_by_role("button", name="Tham gia").wait_for()
    await look("01-join")
    await page.get_by_label("Mã mời").fill("8CM89-5KEX")
    await phone.tap("Tham gia")
    await page.get_by_text("Mã mời không đúng").wait_for()
    await look("02-join-wrong")
    await phone.join(village.commune.codes[MAI])
    await look("05-home")
    await phone.open_hamlet("Khuoi")
    await look("06-hamlet")
    await page.get_by_label("Tìm tên").fill("ly van")
    await look("07-hamlet-search")
    await page.get_by_label("Tìm tên").fill("")
    await page.locator("a.row").nth(2).tap()
    await page.get_by_role("button", name="Hẹn quay lại").wait_for()
    await look("08-household")
    await phone.tap("Ký cam kết")
    await phone.heading("Thông báo cho người ký")
    await look("09-notice")
    await phone.tap("Đã nói rõ")
    await phone.heading("Nội dung cam kết")
    await look("10-clauses")
    await phone.tap("Đã đọc to")
    await phone.heading("Người ký")
    await look("11-signer")
    await phone.tap("Ký trên giấy")
    await page.get_by_text("Điểm chỉ trên giấy").tap()
    await phone.tap("Lưu cam kết")
    await page.get_by_text("Hãy chọn người làm chứng").wait_for()
    await look("12-paper")
    await page.go_back()
    await phone.tap("Ký trên màn hình")
    await phone.sign()
    await look("13-pad")
    await phone.tap("Lưu cam kết")
    await page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    await look("14-saved")
    await page.locator("a.row").nth(2).tap()
    await phone.tap("Ghi nhầm")
    await look("15-void")
    await phone.tap("Đúng vậy")
    await page.get_by_text("(đã bỏ)").wait_for()
    await look("16-voided")
    await phone.tap("Sửa thông tin hộ")
    await phone.heading("Sửa thông tin hộ")
    await look("17-edit")
    await page.go_back()
    await page.go_back()
    await phone.tap("Thêm hộ")
    await phone.heading("Thêm hộ")
    await look("18-add")
    await page.go_back()
    await phone.tap("Ký tại cuộc họp")
    await page.get_by_text("Hoàng Văn An").first.tap()
    await look("19-meeting")
    await phone.tap("Xem lại trước khi lưu")
    await phone.heading("Xem lại trước khi lưu")
    await look("20-meeting-review")
    await phone.tap("Lưu 1 cam kết")
    await page.locator(".news", has_text="Đã lưu 1 cam kết").wait_for()
    await page.go_back()
    await phone.tap(re.compile("Đồng bộ"))
    await phone.tap("Đồng bộ ngay")
    await page.get_by_text("Xã đã nhận đủ").wait_for()
    await look("21-sync")
    await page.go_back()
    await phone.tap("Cài đặt")
    await phone.heading("Cài đặt")
    await look("22-settings")
    await page.get_by_text("English").tap()
    await phone.heading("Settings")
    await look("23-settings-english")
    await page.get_by_text("Tiếng Việt").tap()
    await phone.tap("Khóa lại")
    await phone.heading("Nhập mã PIN")
    await look("24-unlock")
    await phone.tap("Quên mã PIN")
    await look("25-forgot")
    await phone.tap("Quay lại")
    await phone.tap("Người khác dùng máy này")
    await look("26-other-person")
    assert not problems, "\n".join(problems)
    assert phone.complaints == []


async def test_a_household_at_home_signs_in_six_taps_and_a_signature(village: Village) -> None:
    phone = await village.phone()
    await phone.open_hamlet("Khuoi")
    await phone.page.evaluate(COUNT_TAPS)
    await phone.page.locator("a.row").first.tap()
    await phone.tap("Ký cam kết")
    await phone.tap("Đã nói rõ")
    await phone.tap("Đã đọc to")
    await phone.tap("Ký trên màn hình")
    await phone.sign()
    await phone.tap("Lưu cam kết")
    await expect(phone.page.locator("a.row").first).to_contain_text("Đã ký")
    await phone.heading(re.compile("Khuoi"))
    assert await phone.page.evaluate("taps") <= 6


async def test_the_invitation_leaves_the_address_and_the_history_at_once(village: Village) -> None:
    code = village.commune.codes[MAI]
    phone = await Handset.switched_on(village.browser, village.server.url)
    await phone.page.goto(f"{phone.url}/join#{code}")
    await expect(phone.page.get_by_label("Mã mời")).to_have_value(code)
    assert phone.page.url == f"{phone.url}/"
    await phone.page.goto("about:blank")
    await phone.page.go_back()
    assert code not in phone.page.url


async def test_inside_of_zalo_the_page_says_to_open_chrome_and_offers_no_joining(village: Village) -> None:
    code = village.commune.codes[MAI]
    phone = await Handset.switched_on(village.browser, village.server.url, user_agent=ZALO)
    await phone.page.goto(f"{phone.url}/join#{code}")
    await expect(phone.page.get_by_role("button", name="Chép liên kết")).to_be_visible()
    await expect(phone.page.get_by_text(f"{phone.url}/join#{code.replace('-', '')}")).to_be_visible()
    await expect(phone.page.get_by_role("button", name="Tham gia")).to_have_count(0)
    assert await phone.problems() == []


async def test_from_a_household_back_to_the_list_stands_where_it_was_left(village: Village) -> None:
    phone = await village.phone()
    await phone.open_hamlet("Khuoi")
    row = phone.page.locator("a.row").nth(45)
    name = await row.locator("strong").inner_text()
    await row.tap()
    await phone.heading(name)
    await phone.page.go_back()
    await expect(row).to_be_focused()
    await expect(row).to_be_in_viewport()


async def test_androids_back_button_walks_each_step_of_a_pledge_and_saving_forgets_them(
    village: Village,
) -> None:
    phone = await village.phone()
    page = phone.page
    await phone.open_hamlet("Khuoi")
    await page.locator("a.row").first.tap()
    await phone.tap("Ký cam kết")
    await phone.tap("Đã nói rõ")
    await phone.tap("Người ký tự đọc")
    await phone.heading("Người ký")
    await page.get_by_label("Họ và tên người ký").fill("Nông Thị Én")
    await page.go_back()
    await phone.heading("Nội dung cam kết")
    await phone.tap("Đã đọc to")
    await expect(page.get_by_label("Họ và tên người ký")).to_have_value("Nông Thị Én")
    await phone.tap("Ký trên giấy")
    await phone.tap("Lưu cam kết")
    await phone.heading(re.compile("Khuoi"))
    await page.go_back()
    await phone.heading("Địa bàn của tôi")


async def test_an_app_that_is_killed_in_mid_form_goes_on_where_it_was(village: Village) -> None:
    phone = await village.phone()
    page = phone.page
    await phone.open_hamlet("Khuoi")
    await page.evaluate(WATCH_DRAFTS)
    await page.locator("a.row").first.tap()
    await phone.tap("Ký cam kết")
    await phone.tap("Đã nói rõ")
    await phone.tap("Đã đọc to")
    await page.get_by_label("Họ và tên người ký").fill("Nông Thị Én")
    await page.get_by_text("Vợ hoặc chồng").tap()
    await page.evaluate("kept(4)")
    await page.reload()
    await phone.unlock()
    await phone.heading("Người ký")
    await expect(page.get_by_label("Họ và tên người ký")).to_have_value("Nông Thị Én")
    await expect(page.get_by_label("Vợ hoặc chồng")).to_be_checked()
    await phone.tap("Ký trên giấy")
    await phone.tap("Lưu cam kết")
    await phone.heading(re.compile("Khuoi"))
    await expect(page.locator("a.row").first).to_contain_text("Đã ký")


async def test_the_ticks_of_a_meeting_outlive_the_app_and_are_gone_once_the_form_is_left(
    village: Village,
) -> None:
    phone = await village.phone()
    page = phone.page
    await phone.open_hamlet("Khuoi")
    await page.evaluate(WATCH_DRAFTS)
    await phone.tap("Ký tại cuộc họp")
    for row in range(3):
        await page.locator(".rows .tick").nth(row).tap()
    await page.get_by_label("Tờ số").fill("4")
    await page.evaluate("kept(4)")
    await page.reload()
    await phone.unlock()
    await page.get_by_text("3 hộ được đánh dấu").wait_for()
    await expect(page.get_by_label("Tờ số")).to_have_value("4")
    await page.go_back()
    await phone.tap("Ký tại cuộc họp")
    await page.get_by_text("0 hộ được đánh dấu").wait_for()


async def test_a_step_of_a_form_opened_as_an_address_begins_at_the_first(village: Village) -> None:
    phone = await village.phone()
    await phone.open_hamlet("Khuoi")
    await phone.page.locator("a.row").first.tap()
    await phone.page.evaluate("location.hash += '/sign/3'")
    await phone.heading("Thông báo cho người ký")


async def test_who_was_overruled_is_told_on_the_phone(village: Village) -> None:
    mai, nam = await village.phone(MAI), await village.phone(NAM)
    for phone, name in ((mai, "Hoàng Văn Ất"), (nam, "Hoàng Văn Ân")):
        await phone.open_hamlet("Khuoi")
        await phone.page.locator("a.row").first.tap()
        await phone.tap("Sửa thông tin hộ")
        await phone.page.get_by_label("Họ và tên chủ hộ").fill(name)
        await phone.page.context.set_offline(phone is mai)
        await phone.tap("Lưu")
        await phone.heading(name)
    await expect(nam.page.locator(".where.phone")).to_have_count(0, timeout=20_000)
    await mai.page.context.set_offline(False)
    await mai.heading("Hoàng Văn Ân")
    await expect(mai.page.get_by_text("ghi khác: tên chủ hộ")).to_be_visible()
    assert await mai.problems() == []
    await mai.page.go_back()
    await mai.page.go_back()
    await mai.tap("1 phiếu cần bác xem lại")
    await mai.page.get_by_role("link", name="đồng nghiệp ghi khác").tap()
    await mai.tap("Tôi đã xem")
    await expect(mai.page.get_by_text("ghi khác")).to_have_count(0)


async def test_the_app_opens_without_a_server_after_the_first_visit(village: Village) -> None:
    phone = await village.phone()
    await phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    village.server.stop()
    await phone.page.reload()
    await phone.unlock()
    await phone.open_hamlet("Khuoi")
    await phone.page.locator("a.row").first.tap()
    await phone.tap("Vắng nhà")
    await expect(phone.page.locator("a.row").first).to_contain_text("trên máy này")
