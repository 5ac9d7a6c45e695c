"""The first pledge, end to end: a commune's list, two phones without a signal, the office."""

import re
from io import BytesIO

from openpyxl import Workbook
from playwright.sync_api import expect

from tests.commune import name_of
from tests.e2e.conftest import NewOffice, NewPhone
from tests.running import Running

NA_SAM, KHUOI_LAN = "Nà Sầm", "Khuổi Lăn"
HOMES = [name_of(number) for number in range(26)]
FAR_HOMES = [name_of(number) for number in range(40, 46)]


def commune_list() -> bytes:
    """A list as communes have it: a title, a merged cell, columns that the product must not hold, a total."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["UBND XÃ MẪU"])
    sheet.append(["DANH SÁCH HỘ GIA ĐÌNH NĂM 2026"])
    sheet.merge_cells("A2:E2")
    sheet.append([])
    sheet.append(["STT", "Họ và tên chủ hộ", "Thôn/Xóm", "Số nhà", "Số CCCD"])
    homes = [(name, NA_SAM) for name in HOMES] + [(name, KHUOI_LAN) for name in FAR_HOMES]
    for number, (name, hamlet) in enumerate(homes, 1):
        sheet.append([number, name, f"Thôn {hamlet}", number, f"0040{number:08}"])
    sheet.append(["", "Tổng cộng", "", len(homes), ""])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_commune_collects_pledges_where_there_is_no_signal(
    server: Running, new_phone: NewPhone, new_office: NewOffice
) -> None:
    # The first start prints the way in; the commune's own list is read, shown, and written.
    server.start()
    office = new_office()
    office.sets_first_password(server.found(r"(http\S+/office/first\S+)"))
    office.signs_in("admin")
    office.imports("danh sách.xlsx", commune_list())
    office.sees("Số CCCD: số giấy tờ")  # left out, and said so
    office.confirms_import(32)
    assert office.coverage(NA_SAM)["Số hộ"] == "26"

    # Two volunteers come in by their invitations.
    office.adds_volunteer("Vi Thị Mai", [NA_SAM, KHUOI_LAN])
    office.adds_volunteer("Lý Văn Tâm", [NA_SAM])
    mai, tam = new_phone(), new_phone()
    mai.joins(office.invites("Vi Thị Mai"))
    tam.joins(office.invites("Lý Văn Tâm"))
    mai.sees("0 trong 26 hộ đã ký")
    expect(tam.page.locator("a.card")).to_have_count(1)  # a phone holds its own hamlets only

    # No signal: there is no server at all. Twenty pledges and two visits on one phone.
    server.stop()
    contested, away, later = HOMES[0], HOMES[21], HOMES[22]
    mai.walks(NA_SAM)
    for home in HOMES[:12]:
        mai.signs(home)
    for home in HOMES[12:18]:
        mai.signs_on_paper(home)
    mai.signs_on_paper(HOMES[18], "Điểm chỉ trên giấy", witness="Trưởng thôn")
    mai.signs_on_paper(HOMES[19], "Đánh dấu trên giấy", witness="Hàng xóm")
    mai.visits(away, "Vắng nhà")
    mai.visits(later, "Hẹn quay lại")
    mai.corrects_name(contested, "Hoàng Văn Ân")

    # The app is closed and opened again, still without a signal: everything is there.
    mai.reloads()
    mai.unlocks()
    mai.walks(NA_SAM)
    kept = mai.listed()
    assert [name for name, said in kept.items() if "Đã ký" in said] == ["Hoàng Văn Ân", *HOMES[1:20]]
    assert all("trên máy này" in said for said in kept.values() if "Đã ký" in said)
    assert "Vắng nhà" in kept[away]
    assert "Hẹn quay lại" in kept[later]
    mai.goes_home()
    mai.sees("23 phiếu chưa gửi")  # the signatures are parts of their pledges

    # The other phone was at one of the same doors, and wrote it down differently.
    tam.walks(NA_SAM)
    tam.visits(contested, "Vắng nhà")
    tam.corrects_name(contested, "Hoàng Văn Anh")
    tam.signs(HOMES[23])

    # The signal is back. Both sync, and both see one result: the later name, the signature that stands.
    server.start()
    mai.syncs()
    tam.syncs()
    mai.syncs()
    for phone in (mai, tam):
        phone.sees("21 trong 26 hộ đã ký")
        phone.walks(NA_SAM)
        phone.sees_in_list("Hoàng Văn Anh", "Đã ký")
        phone.knocks("Hoàng Văn Anh")
        phone.sees(re.compile("Ký cam kết: " + contested))
        expect(phone.page.locator(".acts > li")).to_have_count(2)
        expect(phone.page.get_by_text("xã đã nhận").first).to_be_visible()
        expect(phone.page.get_by_text("người khác ghi")).to_have_count(1)
        phone.goes_home()
    # and what the other one signed has come too
    mai.walks(NA_SAM)
    mai.sees_in_list(HOMES[23], "Đã ký")

    # The office: coverage, the record with its signature, the history with both hands in it.
    covered = office.coverage(NA_SAM)
    assert (covered["Số hộ"], covered["Đã ký"], covered["Đã đến, chưa ký"], covered["Chưa đến"]) == (
        "26",
        "21",
        "2",
        "3",
    )
    assert covered["Tỷ lệ ký"] == "80,8%"
    assert office.coverage(KHUOI_LAN)["Đã ký"] == "0"
    office.opens_household("Hoàng Văn Anh")
    expect(office.pledge()).to_contain_text(f"{contested} (chủ hộ) đã ký bản cam kết")
    expect(office.pledge()).to_contain_text("Vắng nhà")
    expect(office.pledge().get_by_role("img", name=f"Nét ký của {contested}")).to_be_visible()
    for said in ("Vi Thị Mai", "Lý Văn Tâm", contested, "Hoàng Văn Ân", "Hoàng Văn Anh"):
        expect(office.history()).to_contain_text(said)
    expect(office.history().get_by_text("Không được chọn:")).to_have_count(1)

    # A value that lost comes back with one click, and stays on the phones.
    office.page.get_by_role("button", name=re.compile("Dùng giá trị này.*Hoàng Văn Ân")).click()
    office.sees("Đã khôi phục giá trị.")
    tam.syncs()
    tam.walks(NA_SAM)
    tam.sees_in_list("Hoàng Văn Ân", "Đã ký")
