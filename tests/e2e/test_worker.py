"""The service worker: the app opens without a server, the office never passes through it, updates wait."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from tests.commune import name_of
from tests.e2e.conftest import NewPhone, seeded
from tests.running import ROOT, Running

MAI = "Vi Thị Mai"
OLD_PAGE, NEW_PAGE = '<html lang="vi">', '<html lang="vi" data-release="next">'


def next_release(where: Path) -> Path:
    """The same product with another build of the app: the shell differs, and so does the worker's version."""
    for package in ("schemas", "server", "sync"):
        (where / package).symlink_to(ROOT / package)
    dist = where / "pwa/dist"
    for file in (ROOT / "pwa/dist").rglob("*"):
        if file.is_file():
            copy = dist / file.relative_to(ROOT / "pwa/dist")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    shell = (dist / "index.html").read_text("utf-8")
    assert OLD_PAGE in shell
    (dist / "index.html").write_text(shell.replace(OLD_PAGE, NEW_PAGE), "utf-8")
    worker = (dist / "sw.js").read_text("utf-8")
    other, changed = re.subn(r"(?<=\})[0-9a-f]{16}(?=`)", "0123456789abcdef", worker)
    assert changed == 1
    (dist / "sw.js").write_text(other, "utf-8")
    return where


def test_after_one_visit_the_app_opens_without_a_server_and_the_office_does_not(
    server: Running, new_phone: NewPhone
) -> None:
    server.start()
    phone = new_phone()
    phone.opens(server.url)
    phone.sees_title("Tham gia bằng điện thoại này")
    phone.is_ready_for_no_signal()
    server.stop()
    for address in ("/", "/join", "/join#8CM89-5KEXG"):
        phone.opens("about:blank")
        phone.opens(f"{server.url}{address}")
        phone.sees_title("Tham gia bằng điện thoại này")
    expect(phone.page.get_by_label("Mã mời")).to_have_value("8CM89-5KEXG")
    for address in ("/office", "/office/login", "/healthz", "/db/"):
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            phone.opens(f"{server.url}{address}")


def test_an_update_is_offered_and_not_taken_while_a_form_is_open(
    server: Running, new_phone: NewPhone, tmp_path: Path
) -> None:
    commune = seeded(server.data, {"khuoi": 3}, {MAI: ["khuoi"]})
    server.start()
    phone = new_phone()
    phone.joins(f"{server.url}/join#{commune.codes[MAI]}")
    phone.is_ready_for_no_signal()
    phone.walks("Khuoi")
    phone.knocks(name_of(0))
    phone.press("Sửa thông tin hộ")
    phone.page.get_by_label("Họ và tên chủ hộ").fill("Hoàng Văn Ân")
    server.stop()
    server.env = {"PYTHONPATH": str(next_release(tmp_path)), "PYTHONSAFEPATH": "1"}
    server.start()

    # The new release is fetched, kept, and waits; the form stands as it was.
    phone.page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
    phone.has_a_release_waiting()
    expect(phone.button("Cập nhật")).to_have_count(0)
    expect(phone.page.get_by_label("Họ và tên chủ hộ")).to_have_value("Hoàng Văn Ân")
    phone.press("Lưu")
    phone.sees_title("Hoàng Văn Ân")

    # Where nothing is half filled in it is offered, with its size, and taken by hand.
    phone.goes_home()
    phone.sees(re.compile(r"Có phiên bản mới \([1-9] kB\)"))  # only what changed is fetched
    expect(phone.page.locator("html[data-release=next]")).to_have_count(0)
    phone.press("Cập nhật")
    expect(phone.page.locator("html[data-release=next]")).to_have_count(1, timeout=20_000)
    phone.unlocks()
    phone.walks("Khuoi")
    phone.sees_in_list("Hoàng Văn Ân", "Chưa ký")
    kept = phone.page.evaluate("caches.keys()")
    assert len(kept) == 1, "the old release is not kept for ever"
