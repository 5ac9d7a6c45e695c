"""What a volunteer inspects and what the office answers, in Chromium over a real server.

With CAMKET_SCREENSHOTS=DIR each screen is also photographed into that directory.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.checklists import library
from tests.commune import CAMPAIGN, household_id, name_of
from tests.e2e.conftest import Documents, Village
from tests.e2e.furnished import SCHOOL, answer, furnished
from tests.e2e.office import Office
from tests.e2e.phone import PICTURES, Phone


@pytest.fixture(scope="module")
def furniture() -> Documents:
    return furnished()


def open_model(phone: Phone) -> None:
    phone.walks("Khuoi")
    phone.press("Mô hình")
    phone.page.locator("a.row", has_text="Tổ liên gia số 1").tap()
    phone.sees_title("Tổ liên gia số 1 Khuoi")


def test_a_killed_app_comes_back_to_the_answers_that_were_given(village: Village) -> None:
    phone = village.phone()
    open_model(phone)
    phone.press("Kiểm tra")
    first = phone.page.locator("section.item .yesno").first
    first.wait_for()
    phone.watches_drafts()
    first.get_by_text("Có", exact=True).tap()
    phone.has_kept(1)
    phone.page.reload()
    phone.unlocks()
    expect(first.get_by_label("Có", exact=True)).to_be_checked()
    expect(phone.page.get_by_text("Đang làm dở từ trước")).to_be_visible()
    phone.press("Làm lại từ đầu")
    phone.press("Đúng vậy")
    expect(first.get_by_label("Có", exact=True)).not_to_be_checked()


def test_what_the_office_returns_is_corrected_from_the_home_screen_whatever_it_is(village: Village) -> None:
    phone = village.phone()
    page = phone.page
    page.context.set_offline(True)
    open_model(phone)
    phone.press("Kiểm tra")
    page.locator("section.item").first.wait_for()
    answer(phone)
    answer(phone)
    phone.press("Lưu phiếu kiểm tra")
    page.locator("a.row", has_text="trên máy này").tap()
    page.get_by_text("Sửa phiếu này").wait_for()
    inspection = page.url.rsplit("/", 1)[-1]
    phone.walks("Khuoi")
    phone.signs_on_paper(name_of(0))
    phone.visits(name_of(1), "Vắng nhà")
    phone.corrects_name(name_of(2), "Hoàng Thị Bíc")
    phone.press("Đơn vị")
    phone.tap(page.locator("a.row", has_text="Trường THCS"))
    phone.press("Ký cam kết của đơn vị")
    phone.press("Đã nói rõ")
    phone.press("Đã đọc to")
    phone.fills("Họ và tên người ký", "Nông Thị Hà")
    phone.fills("Chức vụ của người đại diện", "Giáo viên")
    phone.press("Ký trên giấy")
    phone.press("Lưu cam kết")
    phone.sees("Nông Thị Hà, Giáo viên")
    phone.walks("Khuoi")
    phone.press("Phát động")
    phone.press("Ghi một buổi")
    phone.fills("Địa điểm", "Nhà văn hóa thôn")
    phone.fills("Số người dự", "450")
    phone.press("Lưu")
    expect(page.get_by_text("Hãy chọn ít nhất một nội dung.")).to_be_in_viewport()
    phone.chooses("Phòng cháy, chữa cháy")
    phone.press("Lưu")
    phone.tap(page.locator("a.row", has_text="Nhà văn hóa"))
    phone.sees_title("Sửa buổi đã ghi")
    outreach = page.url.rsplit("/", 1)[-1]
    page.context.set_offline(False)
    phone.syncs()

    homes = [household_id(village.hamlet, number) for number in range(3)]
    returned = {
        f"inspection:{inspection}": "Ghi rõ thiết bị nào hỏng",
        f"pledge:{CAMPAIGN}:{homes[0]}": "Ai ký, chủ hộ hay vợ?",
        f"pledge:{CAMPAIGN}:{homes[1]}": "Nhà này có người hôm đó",
        f"household:{homes[2]}": "Tên thiếu một chữ",
        f"pledge:{CAMPAIGN}:{SCHOOL}": "Chức vụ chưa đúng",
        f"outreach:{outreach}": "450 người là quá nhiều",
    }
    village.at_desk(
        "canbo", review=[{"of": of, "is": "returned", "comment": why} for of, why in returned.items()]
    )
    phone.syncs()
    expect(page.locator(".warning .row")).to_have_count(len(returned))
    phone.tap(page.locator("summary"))
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "inspect-20-returned-home.png", full_page=True)
    assert phone.problems() == []

    def corrects(comment: str, change: Callable[[], None], *, opened: bool = False) -> None:
        """From the home screen to the form with the comment on top; what is not changed is not sent."""
        phone.goes_home()
        page.locator(".warning .row").first.wait_for()
        more = page.locator("details:not([open]) summary")
        if more.count():
            phone.tap(more)
        phone.tap(page.locator("a.row", has_text=comment))
        phone.sees(f"Xã ghi: {comment}")
        if not opened:
            phone.press("Sửa và gửi lại")
            expect(
                page.locator("main").get_by_role("textbox").or_(page.get_by_role("radio")).first
            ).to_be_attached()
            phone.sees(f"Xã ghi: {comment}")
        phone.press("Sửa và gửi lại")
        phone.sees_news("Chưa sửa gì")
        assert phone.problems() == []
        change()
        phone.press("Sửa và gửi lại")
        phone.sees_news("Đã lưu trên máy này")

    why = list(returned.values())
    corrects(why[0], lambda: phone.fills("Nhận xét về thiết bị (nếu có)", "Bình số 2 hết áp suất"))
    corrects(why[1], lambda: phone.chooses("Vợ hoặc chồng"))
    corrects(why[2], lambda: phone.chooses("Hẹn quay lại"))
    corrects(why[3], lambda: phone.fills("Họ và tên chủ hộ", "Hoàng Thị Bích"))
    corrects(why[4], lambda: phone.fills("Chức vụ của người đại diện", "Hiệu trưởng"))
    corrects(why[5], lambda: phone.fills("Số người dự", "45"), opened=True)
    phone.goes_home()
    expect(page.get_by_text("Xã trả lại để sửa")).to_have_count(0)
    phone.syncs()
    phone.walks("Khuoi")
    phone.sees_in_list(name_of(0), "Đã ký")
    phone.sees_in_list(name_of(1), "Hẹn quay lại")
    for household in (name_of(0), name_of(1), "Hoàng Thị Bích"):
        phone.knocks(household)
        phone.sees("đã sửa, chờ duyệt")
        phone.press("Quay lại")


def test_a_checklist_changed_while_phones_hold_the_old_one_is_the_new_one_from_the_next_inspection_on(
    village: Village,
) -> None:
    phone = village.phone()
    page = phone.page
    page.context.set_offline(True)
    open_model(phone)
    phone.press("Kiểm tra")
    page.locator("section.item").first.wait_for()
    answer(phone)
    shipped = library.documents()["checklist:to-lien-gia:1"]
    first, *others = shipped["sections"]
    kept, *_ = first["items"]
    new = {**kept, "id": "new_item", "label": "Bình chữa cháy còn hạn"}
    second = {**shipped, "sections": [{**first, "items": [new, *first["items"]]}, *others]}
    village.at_desk("quantri", {"commune": {"checklist:to-lien-gia:2": second}})
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    phone.goes_home()
    phone.syncs()
    open_model(phone)
    phone.press("Kiểm tra")
    phone.sees("Đang làm dở từ trước")
    expect(page.get_by_text("Bình chữa cháy còn hạn")).to_have_count(0)  # it keeps what it was begun with
    answer(phone)
    phone.press("Lưu phiếu kiểm tra")
    phone.sees_title("Tổ liên gia số 1 Khuoi")
    phone.press("Kiểm tra")
    phone.sees("Bình chữa cháy còn hạn")
    boxes = page.locator("section.item")
    expect(boxes.nth(0).locator(".previous")).to_contain_text("chưa trả lời")
    expect(boxes.nth(1).locator(".previous")).not_to_contain_text("chưa trả lời")
    phone.syncs()
    office = Office(village.browser, village.server.url)
    office.signs_in("quantri")
    office.page.goto(f"{village.server.url}/office/inspections")
    office.page.get_by_role("row").filter(has_text="Tổ liên gia số 1").get_by_role("link").first.click()
    expect(office.page.get_by_text("Bình chữa cháy còn hạn")).to_have_count(0)
    office.sees(re.compile("phiên bản 1", re.IGNORECASE))
    office.closes()
