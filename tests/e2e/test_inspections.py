"""What a volunteer inspects and what the office answers, in Chromium over a real server.

With CAMKET_SCREENSHOTS=DIR each screen is also photographed into that directory.
"""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.checklists import library
from tests.e2e.conftest import SHARES, Documents, Village
from tests.e2e.phone import PICTURES, Phone

MODEL, BULLETIN, SCHOOL = (f"01J8ZQ4T6N3VXK2M5R7W9Y200{n}" for n in (1, 2, 3))
PICTURE = Path(__file__).parents[2] / "pwa" / "dist" / "icons" / "512.png"


@pytest.fixture(scope="module")
def furniture() -> Documents:
    """What the office has written: the checklists that ship, two models, one bulletin; a school a hamlet."""
    models = {
        f"model:{MODEL}": {
            "kind": "to_lien_gia",
            "name": "Tổ liên gia số 1 Khuoi",
            "hamlets": [],
            "decision": {"number": "12/QĐ-UBND", "date": "2026-01-05"},
            "points": 1,
            "groups": 2,
            "state": {"is": "active", "since": "2026-01-05"},
        },
        "model:01J8ZQ4T6N3VXK2M5R7W9Y2009": {
            "kind": "to_hoa_giai",
            "name": "Tổ hòa giải xã",
            "hamlets": [],
            "points": 0,
            "groups": 3,
            "state": {"is": "needs_strengthening", "since": "2026-01-05"},
        },
    }
    bulletin = {
        "title": "Lịch ra quân tháng này",
        "text": "Tập trung lúc 7 giờ sáng thứ Bảy.\nMang theo phiếu giấy.",
        "from": "2026-01-01",
        "until": "2099-12-31",
        "hamlets": [],
    }
    school = {
        "name": "Trường THCS Khuoi",
        "kind": "school",
        "in_scope": True,
        "status": {"is": "active", "since": "2026-01-01"},
    }
    schools = {f"hamlet-khuoi{n}": {f"unit:{SCHOOL}": school} for n in range(SHARES)}
    return {"commune": {**library.documents(), **models, f"bulletin:{BULLETIN}": bulletin}, **schools}


def answer(phone: Phone, *, good: bool = True) -> None:
    """Answer every required item that stands: yes (or no), a number that is allowed, a line, a picture."""
    page = phone.page
    for box in page.locator("section.item").all():
        if "bắt buộc" not in box.inner_text():
            continue
        if box.locator(".yesno").count():
            box.get_by_text("Có" if good else "Không", exact=True).tap()
        elif box.locator("input[inputmode=numeric]").count():
            hint = box.locator(".hint").first.inner_text()
            found = re.search(r"đến ([\d.]+)", hint)
            assert found
            box.locator("input").fill("5" if int(found[1].replace(".", "")) >= 5 else "1")
        elif box.locator("textarea").count():
            box.locator("textarea").fill("Chuông nhà số 3")
        elif box.locator("input[type=file]").count():
            box.locator("input[type=file]").last.set_input_files(PICTURE)
            box.locator("img").first.wait_for()
        elif box.locator("input[type=radio], input[type=checkbox]").count():
            box.locator("label").first.tap()


def open_model(phone: Phone) -> None:
    phone.walks("Khuoi")
    phone.press("Mô hình")
    phone.page.locator("a.row", has_text="Tổ liên gia số 1").tap()
    phone.sees_title("Tổ liên gia số 1 Khuoi")


def test_every_register_screen_is_accessible_fits_and_has_large_targets(village: Village) -> None:
    problems: list[str] = []
    phone = village.phone()
    page = phone.page

    def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in phone.problems())
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"inspect-{name}.png", full_page=True)

    page.get_by_text("Lịch ra quân").wait_for()
    look("01-home")
    page.get_by_text("Lịch ra quân").tap()
    phone.sees_title("Tin từ xã")
    look("02-bulletins")
    phone.press("Tôi đã đọc")
    expect(page.get_by_role("button", name="Tôi đã đọc")).to_have_count(0)
    page.go_back()
    phone.walks("Khuoi")
    look("03-hamlet")
    phone.press("Mô hình")
    page.locator("a.row", has_text="Tổ liên gia số 1").wait_for()
    look("04-models")
    page.locator("a.row", has_text="Tổ liên gia số 1").tap()
    phone.sees_title("Tổ liên gia số 1 Khuoi")
    look("05-model")
    phone.press("Kiểm tra")
    page.locator("section.item").first.wait_for()
    look("06-form")
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news.wrong").wait_for()
    look("07-form-wrong")
    page.get_by_role("button", name="Đóng").tap()
    answer(phone, good=False)
    page.get_by_text("Có việc cần làm tiếp").tap()
    page.get_by_label("Việc cần làm", exact=True).fill("Thay chuông báo")
    page.get_by_label("Hạn làm xong").fill((date.today() + timedelta(days=9)).isoformat())
    answer(phone, good=False)
    look("08-form-answered")
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    look("09-model-after")
    page.locator("a.row", has_text="tôi ghi").tap()
    page.get_by_text("Sửa phiếu này").wait_for()
    look("10-inspection")
    page.go_back()
    phone.press("Kiểm tra")
    page.locator(".previous").first.wait_for()
    look("11-form-previous")
    page.go_back()
    page.go_back()
    page.go_back()
    phone.press("Đơn vị")
    page.locator("a.row", has_text="Trường THCS").wait_for()
    look("12-units")
    phone.press("Thêm đơn vị")
    phone.sees_title("Thêm đơn vị")
    look("13-unit-add")
    page.get_by_label("Tên đơn vị").fill("Công ty TNHH Khuoi")
    page.get_by_text("Doanh nghiệp", exact=True).tap()
    phone.press("Lưu")
    page.locator("a.row", has_text="Công ty").wait_for()
    page.locator("a.row", has_text="Trường THCS").tap()
    phone.press("Ký cam kết của đơn vị")
    phone.press("Đã nói rõ")
    phone.press("Đã đọc to")
    page.get_by_label("Họ và tên người ký").fill("Nông Thị Hà")
    phone.press("Ký trên giấy")
    page.get_by_text("Hãy ghi chức vụ").wait_for()
    look("14-unit-signer")
    page.get_by_label("Chức vụ").fill("Hiệu trưởng")
    phone.press("Ký trên giấy")
    phone.press("Lưu cam kết")
    page.get_by_text("Nông Thị Hà, Hiệu trưởng").wait_for()
    look("15-unit")
    phone.press("Sửa thông tin đơn vị")
    phone.sees_title("Sửa thông tin đơn vị")
    look("16-unit-edit")
    page.go_back()
    page.go_back()
    page.go_back()
    phone.press("Phát động")
    phone.press("Ghi một buổi")
    phone.sees_title("Ghi một buổi")
    phone.press("Lưu")
    page.get_by_text("Hãy ghi địa điểm").wait_for()
    look("17-outreach-wrong")
    page.get_by_label("Địa điểm").fill("Nhà văn hóa thôn")
    page.get_by_label("Số người dự").fill("45")
    page.get_by_text("Phòng cháy, chữa cháy").tap()
    phone.press("Lưu")
    page.locator("a.row", has_text="Nhà văn hóa").wait_for()
    look("18-outreach")
    assert not problems, "\n".join(problems)


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


def test_what_the_office_returns_is_on_the_home_screen_until_it_was_corrected(
    village: Village,
) -> None:
    phone = village.phone()
    page = phone.page
    page.context.set_offline(True)
    open_model(phone)
    phone.press("Kiểm tra")
    page.locator("section.item").first.wait_for()
    answer(phone)
    answer(phone)
    phone.press("Lưu phiếu kiểm tra")
    page.locator("a.row", has_text="trên máy này").wait_for()
    page.locator("a.row", has_text="trên máy này").tap()
    page.get_by_text("Sửa phiếu này").wait_for()
    saved = page.url.rsplit("/", 1)[-1]
    page.context.set_offline(False)
    sync(phone)
    comment = "Ghi rõ thiết bị nào hỏng"
    village.at_desk("canbo", review=[{"of": f"inspection:{saved}", "is": "returned", "comment": comment}])
    sync(phone)
    page.goto(f"{phone.url}/#/")
    page.get_by_text(comment).wait_for()
    assert phone.problems() == []
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "inspect-20-returned-home.png")
    page.get_by_text(comment).tap()
    phone.press("Sửa và gửi lại")
    page.locator("section.item").first.wait_for()
    assert phone.problems() == []
    phone.press("Sửa và gửi lại")
    page.locator(".news", has_text="Chưa sửa gì").wait_for()
    page.get_by_label("Nhận xét về thiết bị").fill("Bình số 2 hết áp suất")
    phone.press("Sửa và gửi lại")
    page.get_by_text("Bình số 2 hết áp suất").wait_for()
    sync(phone)
    page.goto(f"{phone.url}/#/")
    phone.sees_title("Địa bàn của tôi")
    expect(page.get_by_text(comment)).to_have_count(0)
    page.goto(f"{phone.url}/#/h/{village.hamlet}/inspections/{saved}")
    expect(page.get_by_text("đã sửa, chờ duyệt")).to_be_visible()


def sync(phone: Phone) -> None:
    phone.page.goto(f"{phone.url}/#/sync")
    phone.press("Đồng bộ ngay")
    phone.page.locator(".news", has_text="Đã đồng bộ xong").wait_for()
