"""What a volunteer inspects and what the office answers, in Chromium over a real server.

With CAMKET_SCREENSHOTS=DIR each screen is also photographed into that directory.
"""

import os
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from server.checklists import library
from tests.desk import at_desk
from tests.pwa.handset import WATCH_DRAFTS, Handset, chromium
from tests.pwa.test_screens import Village
from tests.running import Running
from tests.seed import seed

MAI = "Vi Thị Mai"
MODEL, BULLETIN, SCHOOL = (f"01J8ZQ4T6N3VXK2M5R7W9Y200{n}" for n in (1, 2, 3))
PICTURES = os.environ.get("CAMKET_SCREENSHOTS")
TODAY = date.today().isoformat()
PICTURE = Path(__file__).parents[2] / "pwa" / "dist" / "icons" / "512.png"


def commune() -> dict[str, dict[str, object]]:
    """What the office has written: the checklists that ship, two models, one bulletin."""
    models = {
        f"model:{MODEL}": {
            "kind": "to_lien_gia",
            "name": "Tổ liên gia số 1 Khuoi",
            "hamlets": ["khuoi"],
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
    return {**library.documents(), **models, f"bulletin:{BULLETIN}": bulletin}


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    data = tmp_path / "data"
    made = await seed(data, {"khuoi": 8}, {MAI: ["khuoi"]})
    school = {
        "name": "Trường THCS Khuoi",
        "kind": "school",
        "in_scope": True,
        "status": {"is": "active", "since": "2026-01-01"},
    }
    await at_desk(data, "quantri", {"commune": commune(), "hamlet-khuoi": {f"unit:{SCHOOL}": school}})
    with Running(data) as server:
        async with chromium() as browser:
            yield Village(browser, server, made)


async def answer(phone: Handset, *, good: bool = True) -> None:
    """Answer every required item that stands: yes (or no), a number that is allowed, a line, a picture."""
    page = phone.page
    for box in await page.locator("section.item").all():
        if "bắt buộc" not in await box.inner_text():
            continue
        if await box.locator(".yesno").count():
            await box.get_by_text("Có" if good else "Không", exact=True).tap()
        elif await box.locator("input[inputmode=numeric]").count():
            hint = await box.locator(".hint").first.inner_text()
            found = re.search(r"đến ([\d.]+)", hint)
            assert found
            await box.locator("input").fill("5" if int(found[1].replace(".", "")) >= 5 else "1")
        elif await box.locator("textarea").count():
            await box.locator("textarea").fill("Chuông nhà số 3")
        elif await box.locator("input[type=file]").count():
            await box.locator("input[type=file]").last.set_input_files(PICTURE)
            await box.locator("img").first.wait_for()
        elif await box.locator("input[type=radio], input[type=checkbox]").count():
            await box.locator("label").first.tap()


SETTLED = "Promise.allSettled(document.getAnimations().map(one => one.finished)).then(() => null)"


async def problems_of(phone: Handset) -> list[str]:
    """What is wrong with the screen, once what appears on it has appeared."""
    await phone.page.evaluate(SETTLED)
    return await phone.problems()


async def open_model(phone: Handset) -> None:
    await phone.open_hamlet("Khuoi")
    await phone.tap("Mô hình")
    await phone.page.locator("a.row", has_text="Tổ liên gia số 1").tap()
    await phone.heading("Tổ liên gia số 1 Khuoi")


async def test_every_register_screen_is_accessible_fits_and_has_large_targets(village: Village) -> None:
    problems: list[str] = []
    phone = await village.phone()
    page = phone.page

    async def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in await problems_of(phone))
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"inspect-{name}.png", full_page=True)

    await page.get_by_text("Lịch ra quân").wait_for()
    await look("01-home")
    await page.get_by_text("Lịch ra quân").tap()
    await phone.heading("Tin từ xã")
    await look("02-bulletins")
    await phone.tap("Tôi đã đọc")
    await expect(page.get_by_role("button", name="Tôi đã đọc")).to_have_count(0)
    await page.go_back()
    await phone.open_hamlet("Khuoi")
    await look("03-hamlet")
    await phone.tap("Mô hình")
    await page.locator("a.row", has_text="Tổ liên gia số 1").wait_for()
    await look("04-models")
    await page.locator("a.row", has_text="Tổ liên gia số 1").tap()
    await phone.heading("Tổ liên gia số 1 Khuoi")
    await look("05-model")
    await phone.tap("Kiểm tra")
    await page.locator("section.item").first.wait_for()
    await look("06-form")
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator(".news.wrong").wait_for()
    await look("07-form-wrong")
    await page.get_by_role("button", name="Đóng").tap()
    await answer(phone, good=False)
    await page.get_by_text("Có việc cần làm tiếp").tap()
    await page.get_by_label("Việc cần làm", exact=True).fill("Thay chuông báo")
    await page.get_by_label("Hạn làm xong").fill((date.today() + timedelta(days=9)).isoformat())
    await answer(phone, good=False)
    await look("08-form-answered")
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    await look("09-model-after")
    await page.locator("a.row", has_text="tôi ghi").tap()
    await page.get_by_text("Sửa phiếu này").wait_for()
    await look("10-inspection")
    await page.go_back()
    await phone.tap("Kiểm tra")
    await page.locator(".previous").first.wait_for()
    await look("11-form-previous")
    await page.go_back()
    await page.go_back()
    await page.go_back()
    await phone.tap("Đơn vị")
    await page.locator("a.row", has_text="Trường THCS").wait_for()
    await look("12-units")
    await phone.tap("Thêm đơn vị")
    await phone.heading("Thêm đơn vị")
    await look("13-unit-add")
    await page.get_by_label("Tên đơn vị").fill("Công ty TNHH Khuoi")
    await page.get_by_text("Doanh nghiệp", exact=True).tap()
    await phone.tap("Lưu")
    await page.locator("a.row", has_text="Công ty").wait_for()
    await page.locator("a.row", has_text="Trường THCS").tap()
    await phone.tap("Ký cam kết của đơn vị")
    await phone.tap("Đã nói rõ")
    await phone.tap("Đã đọc to")
    await page.get_by_label("Họ và tên người ký").fill("Nông Thị Hà")
    await phone.tap("Ký trên giấy")
    await page.get_by_text("Hãy ghi chức vụ").wait_for()
    await look("14-unit-signer")
    await page.get_by_label("Chức vụ").fill("Hiệu trưởng")
    await phone.tap("Ký trên giấy")
    await phone.tap("Lưu cam kết")
    await page.get_by_text("Nông Thị Hà, Hiệu trưởng").wait_for()
    await look("15-unit")
    await phone.tap("Sửa thông tin đơn vị")
    await phone.heading("Sửa thông tin đơn vị")
    await look("16-unit-edit")
    await page.go_back()
    await page.go_back()
    await page.go_back()
    await phone.tap("Phát động")
    await phone.tap("Ghi một buổi")
    await phone.heading("Ghi một buổi")
    await phone.tap("Lưu")
    await page.get_by_text("Hãy ghi địa điểm").wait_for()
    await look("17-outreach-wrong")
    await page.get_by_label("Địa điểm").fill("Nhà văn hóa thôn")
    await page.get_by_label("Số người dự").fill("45")
    await page.get_by_text("Phòng cháy, chữa cháy").tap()
    await phone.tap("Lưu")
    await page.locator("a.row", has_text="Nhà văn hóa").wait_for()
    await look("18-outreach")
    assert not problems, "\n".join(problems)
    assert phone.complaints == []


async def test_a_killed_app_comes_back_to_the_answers_that_were_given(village: Village) -> None:
    phone = await village.phone()
    await open_model(phone)
    await phone.tap("Kiểm tra")
    first = phone.page.locator("section.item .yesno").first
    await first.wait_for()
    await phone.page.evaluate(WATCH_DRAFTS)
    await first.get_by_text("Có", exact=True).tap()
    await phone.page.evaluate("kept(1)")
    await phone.page.reload()
    await phone.unlock()
    await expect(first.get_by_label("Có", exact=True)).to_be_checked()
    await expect(phone.page.get_by_text("Đang làm dở từ trước")).to_be_visible()
    await phone.tap("Làm lại từ đầu")
    await phone.tap("Đúng vậy")
    await expect(first.get_by_label("Có", exact=True)).not_to_be_checked()


async def test_what_the_office_returns_is_on_the_home_screen_until_it_was_corrected(
    village: Village,
) -> None:
    phone = await village.phone()
    page = phone.page
    await page.context.set_offline(True)
    await open_model(phone)
    await phone.tap("Kiểm tra")
    await page.locator("section.item").first.wait_for()
    await answer(phone)
    await answer(phone)
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator("a.row", has_text="trên máy này").wait_for()
    await page.locator("a.row", has_text="trên máy này").tap()
    await page.get_by_text("Sửa phiếu này").wait_for()
    saved = page.url.rsplit("/", 1)[-1]
    await page.context.set_offline(False)
    await sync(phone)
    village.server.stop()
    comment = "Ghi rõ thiết bị nào hỏng"
    await at_desk(
        village.server.data,
        "canbo",
        review=[{"of": f"inspection:{saved}", "is": "returned", "comment": comment}],
    )
    village.server.start()
    await sync(phone)
    await page.goto(f"{phone.url}/#/")
    await page.get_by_text(comment).wait_for()
    assert await problems_of(phone) == []
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / "inspect-20-returned-home.png")
    await page.get_by_text(comment).tap()
    await phone.tap("Sửa và gửi lại")
    await page.locator("section.item").first.wait_for()
    assert await problems_of(phone) == []
    await phone.tap("Sửa và gửi lại")
    await page.locator(".news", has_text="Chưa sửa gì").wait_for()
    await page.get_by_label("Nhận xét về thiết bị").fill("Bình số 2 hết áp suất")
    await phone.tap("Sửa và gửi lại")
    await page.get_by_text("Bình số 2 hết áp suất").wait_for()
    await sync(phone)
    await page.goto(f"{phone.url}/#/")
    await phone.heading("Địa bàn của tôi")
    await expect(page.get_by_text(comment)).to_have_count(0)
    await page.goto(f"{phone.url}/#/h/khuoi/inspections/{saved}")
    await expect(page.get_by_text("đã sửa, chờ duyệt")).to_be_visible()


async def sync(phone: Handset) -> None:
    await phone.page.goto(f"{phone.url}/#/sync")
    await phone.tap("Đồng bộ ngay")
    await phone.page.locator(".news", has_text="Đã đồng bộ xong").wait_for()
