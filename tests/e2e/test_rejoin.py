"""A server restored to before a phone had joined: the phone says so, and goes on by an invitation."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import NewOffice, NewPhone, seeded
from tests.e2e.phone import PICTURES, PIN
from tests.running import Running, camket


def test_a_phone_that_a_restored_server_has_forgotten_goes_on_as_who_it_was(
    server: Running, new_phone: NewPhone, new_office: NewOffice, tmp_path: Path
) -> None:
    commune = seeded(server.data, {"khuoi": 3}, {"Lan": ["khuoi"]})
    phrase, kept = tmp_path / "passphrase", tmp_path / "backups"
    phrase.write_text("mot hai ba bon nam sau")
    way = (str(kept), "--data", str(server.data), "--passphrase-file", str(phrase))
    camket("backup", *way)
    server.start()
    phone = new_phone()
    problems: list[str] = []

    def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in phone.problems())
        if PICTURES:
            phone.page.screenshot(path=Path(PICTURES) / f"rejoin-{name}.png")

    phone.joins(f"{server.url}/join#{commune.codes['Lan']}")
    phone.sees("Xã đã nhận đủ mọi phiếu")
    server.stop()
    camket("restore", *way)
    server.start()

    phone.press(re.compile("Đồng bộ"))
    phone.press("Đồng bộ ngay")
    phone.sees("Máy chủ của xã không biết điện thoại này")
    expect(phone.page.get_by_text("Xã đã nhận đủ")).to_be_hidden()  # it may have lost some
    look("forgotten")
    phone.goes_home()
    phone.sees("Máy chủ của xã không biết điện thoại này")
    expect(phone.page.get_by_text("Xã đã nhận đủ")).to_be_hidden()
    look("home")

    desk = new_office()
    desk.signs_in("quantri")
    phone.opens(desk.invites("Lan"))
    phone.press("Tham gia")
    phone.sees("Máy này đã có sẵn dữ liệu của bác.")
    look("pin")
    phone.press("Quên mã PIN")
    phone.sees("Cán bộ xã sẽ duyệt yêu cầu.")
    look("forgot")
    phone.press("Quay lại")
    phone.enters(PIN)
    phone.sees_title("Địa bàn của tôi")
    phone.sees("Thôn Khuoi")
    assert not problems, "\n".join(problems)
    # What the browser itself says of an answer that refuses is no fault of the app.
    phone.complaints[:] = [
        one for one in phone.complaints if "the server responded with a status of 40" not in one
    ]
