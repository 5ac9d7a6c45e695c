"""A commune whose phones have something to inspect and to read, and how a volunteer answers a checklist."""

import re
from pathlib import Path

from server.checklists import library
from tests.e2e.conftest import SHARES, Documents
from tests.e2e.phone import Phone

MODEL, BULLETIN, SCHOOL = (f"01J8ZQ4T6N3VXK2M5R7W9Y200{n}" for n in (1, 2, 3))
PICTURE = Path(__file__).parents[2] / "pwa" / "dist" / "icons" / "512.png"


def furnished() -> Documents:
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
