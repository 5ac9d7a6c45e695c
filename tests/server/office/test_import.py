"""The import page: upload, preview, decisions, confirmation; the same file again changes nothing."""

import asyncio
import re
from io import BytesIO

import httpx
import pytest
from openpyxl import Workbook

from server.auth import users
from server.auth.grant import Role
from server.lists import commune
from server.office import importing
from server.rows.engine import readers
from tests.server.office.village import PASSWORD, Browser, Village

LIST = """DANH SÁCH HỘ,,,,
STT;Họ và tên chủ hộ;Thôn;Số nhà;Số CCCD;Ghi chú
1;Hứa Văn Tài (hộ nghèo);Thôn Pác Ve;1;001;x
2;Hứa Thị Đào;Thôn Pác Ve;2;002;
3;12345;Thôn Pác Ve;3;003;
4;Lý Thị <b>Xuân</b>;Thôn Nà Sầm;4;004;
""".replace(",,,,", ";;;;;")
GOOD = "\n".join(line for line in LIST.splitlines() if "12345" not in line and "<b>" not in line) + "\n"


async def sent(
    browser: Browser, text: str | bytes, name: str = "danh sách.csv", **form: str
) -> httpx.Response:
    data = text if isinstance(text, bytes) else text.encode()
    return await browser.post("/office/import", form, files={"file": (name, data, "text/csv")})


async def preview(browser: Browser, text: str | bytes, **form: str) -> httpx.Response:
    answer = await sent(browser, text, **form)
    assert answer.status_code == 303, answer.text
    return await browser.get(answer.headers["location"])


def print_of(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="print" value="(\w+)"', page.text)
    assert found
    return {"print": found[1]}


async def test_a_list_is_previewed_settled_confirmed_and_then_changes_nothing(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await preview(browser, LIST)
        assert re.fullmatch(r"/office/import/[a-z0-9]{20}", page.url.path)
        assert "Thêm 2 hộ" in page.text
        assert "họ tên là số" in page.text
        assert "Số CCCD: số giấy tờ: hệ thống không lưu" in page.text
        assert "Hứa Văn Tài (bỏ: " in page.text
        assert "&lt;b&gt;" in page.text
        assert "<b>" not in page.text
        assert "/confirm" not in page.text, "bad rows must be decided first"
        settled = await browser.send(page.url.path, {"leave_bad_rows": "1"})
        before = (await browser.get("/office")).text
        assert "Pác Ve" not in before, "nothing is written by looking"
        written = await browser.send(f"{page.url.path}/confirm", print_of(settled))
        assert "Đã ghi 2 hộ." in written.text
        assert "Thôn Pác Ve" in written.text
        gone = await browser.send(f"{page.url.path}/confirm", {"print": "x"})
        assert "không còn được giữ" in gone.text
        again = await preview(browser, GOOD)
        assert "Danh sách này đã có đủ. Không có gì thay đổi." in again.text
        assert "/confirm" not in again.text


async def test_an_import_is_noted_by_its_digest_and_never_by_its_name(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await preview(browser, GOOD)
        await browser.send(f"{page.url.path}/confirm", print_of(page))
        log = (await browser.get("/office/audit")).text
    assert "Nhập danh sách hộ" in log
    assert "danh sách.csv" not in log


async def test_an_impatient_second_click_writes_nothing_twice(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await preview(browser, GOOD)
        clicks = (browser.post(f"{page.url.path}/confirm", print_of(page)) for _ in range(3))
        answers = await asyncio.gather(*clicks)
        assert sorted(answer.headers["location"] for answer in answers) == [
            "/office",
            "/office/import",
            "/office/import",
        ]
        found = await browser.send("/office/search", {"q": "hua van tai", "back": "/office/households"})
    assert ">1 hộ khớp" in found.text


async def test_a_preview_that_is_not_true_any_more_comes_again(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        first = await preview(browser, GOOD)
        second = await preview(browser, GOOD)
        await browser.send(f"{first.url.path}/confirm", print_of(first))
        page = await browser.send(f"{second.url.path}/confirm", print_of(second))
        assert page.url.path == second.url.path
        assert "Hãy xem lại rồi xác nhận." in page.text


async def test_a_hamlet_of_nearly_a_known_name_waits_for_a_person(made: Village) -> None:
    text = "Họ và tên chủ hộ;Thôn\nHứa Văn Tài;Khuổi Lăn\n"
    async with made.signed_in("admin") as browser:
        page = await preview(browser, text)
        assert "“Khuổi Lăn” (1 dòng) là thôn nào?" in page.text
        name = re.search(r'<select id="f-(hamlet-\d+)"', page.text)
        assert name
        refused = await browser.send(f"{page.url.path}/confirm", {"print": "x"})
        assert "Hãy chọn trước." in refused.text
        settled = await browser.send(page.url.path, {name[1]: "khuoilam"})
        assert '<option value="khuoilam" selected>' in settled.text
        assert "Thêm 1 hộ" in settled.text
        settled = await browser.send(page.url.path, {name[1]: "+"})
        await browser.send(f"{page.url.path}/confirm", print_of(settled))
        assert "Thôn Khuổi Lăn" in (await browser.get("/office")).text


async def test_a_row_that_may_be_another_household_is_asked_about(
    made: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "STT;Họ và tên chủ hộ;Thôn;Ngõ\n1;Hứa Văn Tài;Nà Sầm;\n2;Hoàng Thị Ước;Nà Sầm;Ngõ 3\n"
    async with made.signed_in("admin") as browser:
        page = await preview(browser, text)
        assert "Thêm 1 hộ" in page.text, "a position alone makes nobody the same household"
        assert "có thể đã đổi chủ hộ" in page.text
        assert "câu hỏi nữa không hiện" not in page.text
        with monkeypatch.context() as patched:
            patched.setattr(importing, "SHOWN", 0)
            few = (await browser.get(page.url.path)).text
        assert "Còn 1 câu hỏi nữa không hiện ở đây: sẽ làm như đã chọn sẵn." in few
        asked = re.search(r'name="(answer-[^"]+)" value="same"', page.text)
        assert asked
        settled = await browser.send(page.url.path, {asked[1]: "same"})
        assert "Thêm 0 hộ" in settled.text
        assert f'name="{asked[1]}" value="same" checked' in settled.text
        assert "1 dòng không được thêm" in settled.text
        assert "đã có đủ" not in settled.text


async def test_a_list_without_a_hamlet_takes_the_one_that_is_given(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await preview(browser, "Họ và tên chủ hộ\nHứa Văn Tài\nHứa Thị Đào\n", hamlet="Thôn Cốc Lùng")
        assert "Thêm 2 hộ" in page.text


async def test_columns_that_nobody_knows_are_named_by_a_person(made: Village) -> None:
    text = "Cột A;Cột B\nHứa Văn Tài;Cốc Lùng\nHứa Thị Đào;Cốc Lùng\n"
    async with made.signed_in("admin") as browser:
        page = await preview(browser, text)
        names = re.findall(r'<select id="c-[^"]+" name="(column-[^"]+)"', page.text)
        assert len(names) == 2
        assert "<td>Hứa Văn Tài</td>" in page.text, "some rows, so that one sees what the columns are"
        settled = await browser.send(page.url.path, {names[0]: "name", names[1]: "hamlet"})
        assert "Thêm 2 hộ" in settled.text
        written = await browser.send(f"{page.url.path}/confirm", print_of(settled))
        assert "Đã ghi 2 hộ." in written.text
        second = await preview(browser, text.replace("Thị Đào", "Văn Sáu"))
        assert "Thêm 1 hộ" in second.text, "the next file with these headers needs nobody"
        assert "Hãy chỉ ra từng cột" not in second.text


async def test_house_numbers_that_are_missing_are_filled_in_and_the_preview_says_so(made: Village) -> None:
    bare, full = (
        "Họ và tên chủ hộ;Thôn\nHứa Văn Tài;Pác Ve\n",
        "Họ và tên chủ hộ;Thôn;Số nhà\nHứa Văn Tài;Pác Ve;12\n",
    )
    async with made.signed_in("admin") as browser:
        page = await preview(browser, bare)
        await browser.send(f"{page.url.path}/confirm", print_of(page))
        page = await preview(browser, full)
        assert "Ghi 0 hộ mới, ghi thêm nơi ở cho 1 hộ" in page.text
        assert "<li>Hứa Văn Tài: 12</li>" in page.text
        written = await browser.send(f"{page.url.path}/confirm", print_of(page))
        assert "ghi thêm nơi ở cho 1 hộ đã có" in written.text
        assert "đã có đủ" in (await preview(browser, full)).text


async def test_what_is_no_list_is_refused_in_words(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        for data, said in (
            (b"", "Tệp trống."),
            (b"%PDF-1.7\n\x00\x01", "không phải bảng tính"),
            (b"PK\x03\x04broken", "bị hỏng"),
        ):
            answer = await sent(browser, data, "x.xlsx")
            assert answer.status_code == 422, data
            assert said in answer.text
        nothing = await browser.post("/office/import", files={"file": ("", b"", "text/csv")})
        assert "Hãy chọn một tệp." in nothing.text
        assert (await sent(browser, b"x" * (22 * 2**20))).status_code == 413


async def test_a_workbook_is_read_too_and_an_upload_lies_sealed(made: Village) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "Nà Sầm"
    for line in (["STT", "Họ đệm", "Tên"], [1, "Hứa Văn", "Tài"], [2, "nt", "Đào"]):
        sheet.append(line)
    data = BytesIO()
    book.save(data)
    async with made.signed_in("admin") as browser:
        page = await preview(browser, data.getvalue())
        assert "Hứa Văn Tài" in page.text
        (kept,) = (made.parts.settings.data / "uploads").iterdir()
        assert b"PK" not in kept.read_bytes()[:200]
        assert kept.stat().st_mode & 0o077 == 0
        assert "Đã bỏ tệp." in (await browser.send(f"{page.url.path}/cancel")).text
        assert not list((made.parts.settings.data / "uploads").iterdir())


async def test_an_upload_is_its_owners_alone(made: Village) -> None:
    with made.parts.rows.begin() as rows:
        other = users.add(rows, "Khác", Role.ADMIN, by="console", now=made.now, login="khac")
        users.set_password(rows, other.id, PASSWORD, by="console", now=made.now)
    async with made.signed_in("admin") as browser, made.signed_in("khac") as theirs:
        page = await preview(browser, GOOD)
        assert (await theirs.client.get(page.url.path)).headers["location"] == "/office/import"
        for path in ("/office/import/..%2Fsecret.key", "/office/import/x"):
            assert (await theirs.client.get(path)).status_code in {303, 404}


async def test_columns_that_were_named_wrongly_are_named_again(made: Village) -> None:
    text = "Quý danh;Chốn\nHứa Văn Tài;Nà Sầm\n"
    async with made.signed_in("admin") as browser:
        page = await preview(browser, text)
        columns = re.findall(r'name="(column-\w+-\d)"', page.text)
        wrong = await browser.send(page.url.path, {columns[0]: "hamlet", columns[1]: "name"})
        assert "Chỉ lại từng cột" in wrong.text
        assert len(re.findall(r'<option value="(?:hamlet|name)" selected>', wrong.text)) == 2
        right = await browser.send(page.url.path, {columns[0]: "name", columns[1]: "hamlet"})
        assert "1 hộ: Hứa Văn Tài" in right.text
        again = await preview(browser, text)
        assert "1 hộ: Hứa Văn Tài" in again.text


async def test_a_form_that_says_what_was_understood_remembers_nothing(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await preview(browser, GOOD)
        named = dict(
            re.findall(
                r'name="(column-[^"]+)">(?:(?!</select>).)*?value="([^"]*)" selected', page.text, re.DOTALL
            )
        )
        assert sorted(named.values()) == ["", "", "hamlet", "house", "name", "number"]
        await browser.send(page.url.path, named)
    with readers(made.parts.rows).begin() as rows:
        assert commune.remembered(rows) == {}
