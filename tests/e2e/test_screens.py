"""The volunteer's screens in real Chromium over a real server: the ways between them."""

import re

from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Village
from tests.e2e.phone import Phone

ZALO = "Mozilla/5.0 (Linux; Android 11; SM-A057F) AppleWebKit/537.36 Chrome/120.0 Mobile Zalo android/1"


def test_a_household_at_home_signs_in_six_taps_and_a_signature(village: Village) -> None:
    phone = village.phone()
    phone.walks("Khuoi")
    phone.taps = 0
    phone.page.locator("a.row").first.tap()
    phone.press("Ký cam kết")
    phone.press("Đã nói rõ")
    phone.press("Đã đọc to")
    phone.press("Ký trên màn hình")
    phone.draws()
    phone.press("Lưu cam kết")
    expect(phone.page.locator("a.row").first).to_contain_text("Đã ký")
    phone.sees_title(re.compile("Khuoi"))
    assert phone.taps <= 6


def test_the_invitation_leaves_the_address_and_the_history_at_once(village: Village) -> None:
    code = village.codes[0]
    phone = village.new_phone()
    phone.page.goto(f"{phone.url}/join#{code}")
    expect(phone.page.get_by_label("Mã mời")).to_have_value(code)
    assert phone.page.url == f"{phone.url}/"
    phone.page.goto("about:blank")
    phone.page.go_back()
    assert code not in phone.page.url


def test_inside_of_zalo_the_page_says_to_open_chrome_and_offers_no_joining(village: Village) -> None:
    code = village.codes[0]
    phone = village.new_phone(user_agent=ZALO)
    phone.page.goto(f"{phone.url}/join#{code}")
    expect(phone.page.get_by_role("button", name="Chép liên kết")).to_be_visible()
    expect(phone.page.get_by_text(f"{phone.url}/join#{code.replace('-', '')}")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Tham gia")).to_have_count(0)
    assert phone.problems() == []


def test_from_a_household_back_to_the_list_stands_where_it_was_left(village: Village) -> None:
    phone = village.phone()
    phone.walks("Khuoi")
    row = phone.page.locator("a.row").nth(45)
    name = row.locator("strong").text_content() or ""
    row.tap()
    phone.sees_title(name)
    phone.page.go_back()
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport()


def test_androids_back_button_walks_each_step_of_a_pledge_and_saving_forgets_them(
    village: Village,
) -> None:
    phone = village.phone()
    page = phone.page
    phone.walks("Khuoi")
    page.locator("a.row").first.tap()
    phone.press("Ký cam kết")
    phone.press("Đã nói rõ")
    phone.press("Người ký tự đọc")
    phone.sees_title("Người ký")
    page.get_by_label("Họ và tên người ký").fill("Nông Thị Én")
    page.go_back()
    phone.sees_title("Nội dung cam kết")
    phone.press("Đã đọc to")
    expect(page.get_by_label("Họ và tên người ký")).to_have_value("Nông Thị Én")
    phone.press("Ký trên giấy")
    phone.press("Lưu cam kết")
    phone.sees_title(re.compile("Khuoi"))
    page.go_back()
    phone.sees_title("Địa bàn của tôi")


def test_an_app_that_is_killed_in_mid_form_goes_on_where_it_was(village: Village) -> None:
    phone = village.phone()
    page = phone.page
    phone.walks("Khuoi")
    phone.watches_drafts()
    page.locator("a.row").first.tap()
    phone.press("Ký cam kết")
    phone.press("Đã nói rõ")
    phone.press("Đã đọc to")
    page.get_by_label("Họ và tên người ký").fill("Nông Thị Én")
    page.get_by_text("Vợ hoặc chồng").tap()
    phone.has_kept(4)
    page.reload()
    phone.unlocks()
    phone.sees_title("Người ký")
    expect(page.get_by_label("Họ và tên người ký")).to_have_value("Nông Thị Én")
    expect(page.get_by_label("Vợ hoặc chồng")).to_be_checked()
    phone.press("Ký trên giấy")
    phone.press("Lưu cam kết")
    phone.sees_title(re.compile("Khuoi"))
    expect(page.locator("a.row").first).to_contain_text("Đã ký")


def test_the_ticks_of_a_meeting_outlive_the_app_and_are_gone_once_the_form_is_left(
    village: Village,
) -> None:
    phone = village.phone()
    page = phone.page
    phone.walks("Khuoi")
    phone.watches_drafts()
    phone.press("Ký tại cuộc họp")
    for row in range(3):
        page.locator(".rows .tick").nth(row).tap()
    page.get_by_label("Tờ số").fill("4")
    phone.has_kept(4)
    page.reload()
    phone.unlocks()
    page.get_by_text("3 hộ được đánh dấu").wait_for()
    expect(page.get_by_label("Tờ số")).to_have_value("4")
    page.go_back()
    phone.press("Ký tại cuộc họp")
    page.get_by_text("0 hộ được đánh dấu").wait_for()


def test_a_step_of_a_form_opened_as_an_address_begins_at_the_first(village: Village) -> None:
    phone = village.phone()
    phone.walks("Khuoi")
    phone.page.locator("a.row").first.tap()
    phone.page.evaluate("location.hash += '/sign/3'")
    phone.sees_title("Thông báo cho người ký")


def test_who_was_overruled_is_told_on_the_phone(village: Village) -> None:
    mai, nam = village.phone(), village.phone(1)
    for phone, name in ((mai, "Hoàng Văn Ất"), (nam, "Hoàng Văn Ân")):
        phone.walks("Khuoi")
        phone.page.locator("a.row").first.tap()
        phone.press("Sửa thông tin hộ")
        phone.page.get_by_label("Họ và tên chủ hộ").fill(name)
        phone.page.context.set_offline(phone is mai)
        phone.press("Lưu")
        phone.sees_title(name)
    expect(nam.page.locator(".where.phone")).to_have_count(0, timeout=20_000)
    mai.page.context.set_offline(False)
    mai.sees_title("Hoàng Văn Ân")
    expect(mai.page.get_by_text("Bác đã ghi: Hoàng Văn Ất")).to_be_visible()
    expect(mai.page.get_by_text("Đang giữ: Hoàng Văn Ân")).to_be_visible()
    assert mai.problems() == []
    mai.page.go_back()
    mai.page.go_back()
    mai.press("1 phiếu cần bác xem lại")
    mai.page.get_by_role("link", name="đồng nghiệp ghi khác").tap()
    mai.press("Tôi đã xem")
    expect(mai.page.get_by_text("Đang giữ")).to_have_count(0)


def test_a_correction_that_the_app_was_ended_in_undoes_nothing_that_a_colleague_corrected_since(
    village: Village,
) -> None:
    mai, nam = village.phone(), village.phone(1)
    page = mai.page
    hall = "Nhà văn hóa thôn"

    def lists(phone: Phone) -> Locator:
        phone.goes_home()
        phone.syncs()
        phone.walks("Khuoi")
        phone.press("Phát động")
        return phone.page.locator("a.row", has_text=hall)

    mai.walks("Khuoi")
    mai.press("Phát động")
    mai.press("Ghi một buổi")
    mai.fills("Địa điểm", hall)
    mai.fills("Số người dự", "45")
    mai.chooses("Phòng cháy, chữa cháy")
    mai.press("Lưu")
    mai.tap(lists(mai))
    mai.sees_title("Sửa buổi đã ghi")
    mai.watches_drafts()
    page.get_by_label("Ghi chú").fill("Có loa")
    mai.has_kept(1)
    page.goto("about:blank")
    nam.tap(lists(nam))
    nam.fills("Số người dự", "54")
    nam.press("Lưu")
    nam.goes_home()
    nam.syncs()
    page.goto(mai.url)
    mai.unlocks()
    mai.tap(lists(mai))
    expect(page.get_by_label("Số người dự")).to_have_value("54")
    expect(page.get_by_label("Ghi chú")).to_have_value("Có loa")
    mai.press("Lưu")
    expect(page.locator("a.row", has_text=hall)).to_contain_text("54 người dự")


def test_the_app_opens_without_a_server_after_the_first_visit(village: Village) -> None:
    phone = village.phone()
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    village.server.stop()
    phone.page.reload()
    phone.unlocks()
    phone.walks("Khuoi")
    phone.page.locator("a.row").first.tap()
    phone.press("Vắng nhà")
    expect(phone.page.locator("a.row").first).to_contain_text("trên máy này")
