"""What happens on a walk: a locked phone, a meeting, mistakes, a wrong clock, a phone that was taken away."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.commune import name_of
from tests.e2e.conftest import NewOffice, NewPhone, seeded
from tests.running import Running

MAI, TAM = "Vi Thị Mai", "Lý Văn Tâm"
HOMES = [name_of(number) for number in range(12)]
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ZALO = (
    "Mozilla/5.0 (Linux; Android 12; SM-A127F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/120.0.0.0 Mobile Safari/537.36 Zalo android/12100"
)


@pytest.fixture
def invited(server: Running) -> dict[str, str]:
    """A served commune of one hamlet; the link of each volunteer's invitation."""
    commune = seeded(server.data, {"khuoi": len(HOMES)}, {MAI: ["khuoi"], TAM: ["khuoi"]})
    server.start()
    return {name: f"{server.url}/join#{code}" for name, code in commune.codes.items()}


def test_a_locked_phone_hands_in_what_it_sealed_and_shows_it_received_once_it_is_opened(
    server: Running, invited: dict[str, str], new_phone: NewPhone, new_office: NewOffice
) -> None:
    phone, office = new_phone(), new_office()
    phone.joins(invited[MAI])
    server.stop()
    phone.walks("Khuoi")
    phone.signs(HOMES[0])
    phone.visits(HOMES[1], "Hẹn quay lại")
    phone.locks()
    phone.reloads()
    phone.sees_title("Nhập mã PIN")
    server.start()

    phone.press("Gửi các phiếu đang chờ (2)")
    phone.sees_news("Đã gửi xong những gì gửi được.")
    expect(phone.button(re.compile("^Gửi các phiếu"))).to_have_count(0)
    office.signs_in("canbo")
    office.opens_household(HOMES[0])
    expect(office.pledge()).to_contain_text(f"{HOMES[0]} (chủ hộ) đã ký bản cam kết: chạm trên điện thoại")
    expect(office.pledge().get_by_role("img", name="Nét ký")).to_be_visible()
    expect(office.history()).to_contain_text(MAI)
    assert office.coverage("Khuoi")["Đã ký"] == "1"
    phone.sees_title("Nhập mã PIN")  # and nobody has opened it

    phone.unlocks()
    phone.has_synced()
    phone.walks("Khuoi")
    phone.knocks(HOMES[0])
    expect(phone.page.locator(".acts > li")).to_contain_text("xã đã nhận")


def test_a_meeting_a_forgotten_household_and_a_mistake(
    server: Running, invited: dict[str, str], new_phone: NewPhone, new_office: NewOffice
) -> None:
    phone, office = new_phone(), new_office()
    phone.joins(invited[MAI])
    server.stop()
    phone.walks("Khuoi")
    phone.holds_meeting(HOMES[:5], sheet=3)
    phone.adds_household("Đàm Thị Ơn", "12A", after=f"{HOMES[5]}, 6")
    phone.signs_on_paper(HOMES[6])
    phone.takes_back(HOMES[6])
    phone.sees_in_list(HOMES[6], "Chưa ký")
    phone.signs(HOMES[6])
    walked = list(phone.listed())
    assert walked.index("Đàm Thị Ơn") == walked.index(HOMES[5]) + 1
    server.start()
    phone.syncs()
    phone.sees("6 trong 13 hộ đã ký")

    office.signs_in("canbo")
    covered = office.coverage("Khuoi")
    assert (covered["Số hộ"], covered["Đã ký"]) == ("13", "6")
    office.opens_household(HOMES[4])
    today = datetime.now(HANOI).strftime("%d/%m/%Y")
    expect(office.pledge()).to_contain_text(f"Ký tại cuộc họp ngày {today}, tờ số 3")
    office.opens_household("Đàm Thị Ơn")
    expect(office.history()).to_contain_text(MAI)
    office.opens_household(HOMES[6])
    expect(office.pledge()).to_contain_text("đã hủy vì ghi nhầm")
    expect(office.pledge()).to_contain_text("ký trên giấy")
    expect(office.pledge()).to_contain_text("chạm trên điện thoại")
    expect(office.pledge().get_by_text("Đã ký", exact=True)).to_be_visible()


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=-40)], ids=["ahead", "behind"])
def test_a_phone_whose_clock_is_wrong_is_put_right_and_its_record_enters(
    ahead: timedelta, server: Running, invited: dict[str, str], new_phone: NewPhone, new_office: NewOffice
) -> None:
    phone, office = new_phone(own_clock=True), new_office()
    phone.joins(invited[MAI])
    server.stop()
    phone.sets_clock(ahead.total_seconds())  # the battery ran out
    phone.walks("Khuoi")
    phone.signs(HOMES[0])
    phone.visits(HOMES[1], "Vắng nhà")
    server.start()
    phone.syncs()
    office.signs_in("canbo")
    office.opens_household(HOMES[0])
    act = office.pledge().get_by_text(f"{MAI} ghi lúc")
    when = re.sub(r".* ghi lúc ", "", act.inner_text())
    written = datetime.strptime(when, "%d/%m/%Y %H:%M").replace(tzinfo=HANOI)
    assert abs(datetime.now(HANOI) - written) < timedelta(minutes=5)


def test_a_phone_that_was_taken_off_the_list_hands_in_and_forgets_and_the_office_decides(
    server: Running, invited: dict[str, str], new_phone: NewPhone, new_office: NewOffice
) -> None:
    phone, office = new_phone(), new_office()
    phone.joins(invited[MAI])
    assert phone.holds() != []
    phone.context.set_offline(True)
    phone.walks("Khuoi")
    phone.signs(HOMES[0])
    phone.visits(HOMES[1], "Đã gặp, chưa ký")
    office.signs_in("quantri")
    office.revokes_phone(MAI)
    phone.context.set_offline(False)

    phone.sees_title("Tham gia bằng điện thoại này")
    phone.sees_news("Xã đã thu hồi quyền của máy này.")
    assert phone.holds() == []
    phone.forgives("401 (Unauthorized)")
    phone.reloads()
    phone.sees_title("Tham gia bằng điện thoại này")
    office.follows("Phiếu chờ xem")
    office.sees("Máy hoặc người gửi đã bị thu hồi")
    office.sees("3 phiếu đang chờ")  # two pledges and a signature: nothing was lost, nothing entered
    assert office.coverage("Khuoi")["Đã ký"] == "0"

    police = new_office()
    police.signs_in("canbo")
    police.follows("Phiếu chờ xem")
    police.ticks(f"Bản cam kết: {HOMES[0]}", "Nét ký")
    police.press("Nhận các phiếu đã chọn")
    police.sees("Đã nhận 2 phiếu.")
    police.ticks(f"Bản cam kết: {HOMES[1]}")
    police.press("Không nhận các phiếu đã chọn")
    police.sees("Không có phiếu nào đang chờ.")
    covered = police.coverage("Khuoi")
    assert (covered["Đã ký"], covered["Đã đến, chưa ký"]) == ("1", "0")
    police.opens_household(HOMES[0])
    expect(police.pledge().get_by_text(f"{MAI} ghi lúc")).to_be_visible()
    office.page.goto(f"{server.url}/office/audit")
    said = office.page.get_by_role("row").filter(has_text="Nông Văn Hải")
    expect(said.filter(has_text="Nhận phiếu chờ xem").filter(has_not_text="Không nhận")).to_have_count(2)
    expect(said.filter(has_text="Không nhận phiếu chờ xem")).to_have_count(1)


def test_inside_of_zalo_nothing_is_redeemed_and_the_copied_link_works_in_chrome(
    server: Running, invited: dict[str, str], new_phone: NewPhone
) -> None:
    link = invited[MAI]
    zalo = new_phone(user_agent=ZALO, permissions=["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    zalo.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    zalo.opens(link)
    zalo.sees(re.compile("Trang đang mở trong Zalo"))
    expect(zalo.button("Tham gia")).to_have_count(0)
    zalo.press("Chép liên kết")
    zalo.sees_news("Đã chép. Bây giờ mở Chrome và dán.")
    copied = zalo.page.evaluate("navigator.clipboard.readText()")
    assert [one for one in asked if not one.startswith("GET ")] == []

    chrome = new_phone()
    chrome.joins(copied)
    code = link.partition("#")[2].replace("-", "")
    assert [one for one in chrome.addresses() if code in one.replace("-", "")] == []


def test_an_invitation_opens_one_phone_and_no_second(
    server: Running, invited: dict[str, str], new_phone: NewPhone
) -> None:
    first, second = new_phone(), new_phone()
    first.joins(invited[MAI])
    second.opens(invited[MAI])
    second.press("Tham gia")
    second.sees_news("Mã này đã dùng hoặc hết hạn. Xin xã mã mới.")
    second.forgives("410 (Gone)")
