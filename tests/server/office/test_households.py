"""Coverage, the list of households, and one record, read as staff read them."""

import re
from html import unescape

import httpx

from server.names import sort_key
from server.office.shares import Count, band, missing, small, table
from server.words import words
from tests.server.office.village import HOSTILE, HOSTILE_ULID, SIGNED_ULID, VISITED_ULID, Village

ESCAPED = "&lt;script&gt;alert(&#34;&amp;amp;&#34;)&lt;/script&gt;"


def names(answer: httpx.Response) -> list[str]:
    """The households of a list, in the order of the page."""
    found = re.findall(r'role="rowheader"><a href="/office/households/[^"]+">([^<]*)<', answer.text)
    return [unescape(name) for name in found]


def numbers(answer: httpx.Response, hamlet: str) -> list[str]:
    row = re.search(rf">{hamlet}</.*?</tr>", answer.text, re.S)
    assert row
    return re.findall(r'class="number[^>]*><span(?: class="no-print")?>([^<]*)</span>', row[0])


# ---- coverage -------------------------------------------------------------------------------------------


def test_above_the_target_means_above_it() -> None:
    for counted, signed, target, more in (
        (100, 90, 90, 1),
        (100, 91, 90, 0),
        (10, 9, 90, 1),
        (10, 10, 90, 0),
        (59, 1, 90, 53),
        (0, 0, 90, 0),
        (7, 6, 100, 1),
        (7, 7, 100, 0),
        (1, 0, 90, 1),
    ):
        assert missing(Count("x", "", counted, signed, 0), target) == more, (counted, signed, target)


def test_small_numbers_are_banded_for_outsiders_and_never_left_to_be_worked_out() -> None:
    big, other, few = Count("a", "A", 60, 30, 0), Count("b", "B", 80, 70, 0), Count("c", "C", 40, 38, 0)
    assert small([big, other]) == frozenset()
    assert small([big, other, few]) == {"c", "b"}, "one band alone follows from the total"
    assert small([few, Count("d", "D", 9, 0, 0), big]) == {"c", "d"}
    assert band(few) == ("office.coverage.above", 90)
    assert band(Count("e", "", 10, 0, 0)) == ("office.coverage.upto", 10)
    shown = table([big, other, few], 90, ["resident"], words("vi"), outside=True)
    assert [row.share for row in shown.rows] == ["50%", "trên 75%", "trên 90%"]
    assert "38" not in "".join(f"{row.signed} {row.verdict}" for row in shown.rows)


async def test_coverage_counts_each_hamlet_against_the_target_in_words(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        page = await browser.get("/office")
    assert numbers(page, "Thôn Nà Sầm") == ["59", "1", "1", "57", "1,7%"]
    assert numbers(page, "Thôn Bản Danh") == ["11", "11", "0", "0", "100%"]
    assert numbers(page, "Toàn xã") == ["81", "12", "1", "68", "14,8%"]
    assert "Chưa đạt, thiếu 53 hộ" in page.text
    assert "Còn 2 thôn chưa đạt chỉ tiêu." in page.text
    assert "từ 01/02/2026 đến 31/10/2026" in page.text


async def test_on_paper_small_numbers_are_banded_for_staff_too(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office")).text
        listed = (await browser.get("/office/hamlets/nasam")).text
    row = page.split(">Thôn Bản Danh<")[1].split("</tr>")[0]
    assert '<span class="no-print">100%</span><span class="print-only">trên 90%</span>' in row
    assert '<table class="stack no-print"' in listed, "names with who has not signed stay on the screen"


async def test_an_observer_sees_totals_and_bands_and_no_way_to_a_household(made: Village) -> None:
    async with made.signed_in("observer") as browser:
        page = await browser.get("/office")
    assert numbers(page, "Thôn Nà Sầm") == ["59", "–", "đến 10%"]
    assert numbers(page, "Toàn xã") == ["81", "12", "14,8%"]
    assert "/office/households" not in page.text
    assert "/office/hamlets" not in page.text


# ---- the list -------------------------------------------------------------------------------------------


async def test_a_list_is_sorted_as_vietnamese_lists_are_and_turned_page_by_page(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        first = names(await browser.get("/office/hamlets/nasam"))
        second = names(await browser.get("/office/hamlets/nasam?show=all&page=2"))
        beyond = names(await browser.get("/office/hamlets/nasam?show=all&page=99"))
        nonsense = names(await browser.get("/office/hamlets/nasam?show=nothing&page=-1"))
    assert (len(first), len(second)) == (50, 10)
    assert first + second == sorted(first + second, key=sort_key)
    assert beyond == second
    assert nonsense == first


async def test_each_filter_shows_its_households(made: Village) -> None:
    found = {}
    async with made.signed_in("reviewer") as browser:
        for tab in ("all", "signed", "visited", "open", "uncounted"):
            page = await browser.get(f"/office/hamlets/nasam?show={tab}")
            found[tab] = re.search(r"<caption>([\d.]+) hộ", page.text)
    counts = {tab: int(caption[1]) for tab, caption in found.items() if caption}
    assert counts == {"all": 60, "signed": 1, "visited": 1, "open": 57, "uncounted": 1}


async def test_search_ignores_marks_and_case_and_keeps_names_out_of_addresses(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        for typed in ("vi thi dung", "VI THỊ DŨNG", "Dũng  vi", "vi thi\u0323 du\u0303ng"):
            page = await browser.send(
                "/office/search", {"q": typed, "back": "/office/hamlets/bandanh?show=open"}
            )
            assert names(page) == ["Vi Thị Dũng"], typed
            assert str(page.url) == "http://office.test/office/hamlets/bandanh"
        everywhere = await browser.send("/office/search", {"q": "vi thi dung", "back": "/office"})
        assert names(everywhere) == ["Vi Thị Dũng"] * 3
        assert str(everywhere.url) == "http://office.test/office/households"
        again = await browser.get("/office/households?show=open&page=1")
        assert 'value="vi thi dung"' in again.text, "the filter keeps what was searched for"
        assert "vi thi dung" not in again.text.split('<ul class="tabs no-print">')[1].split("</ul>")[0]
        cleared = await browser.send("/office/search", {"clear": "1", "q": "x", "back": "/office/households"})
        assert len(names(cleared)) == 50
        nothing = await browser.send("/office/search", {"q": "khongco", "back": "/office/households"})
        assert "Không tìm thấy hộ nào với “khongco”" in nothing.text
        lane = await browser.send("/office/search", {"q": "ngo 6", "back": "/office/hamlets/nasam"})
        assert 0 < len(names(lane)) < 11


async def test_hostile_names_are_shown_as_they_are(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        listed = await browser.send("/office/search", {"q": "alert", "back": "/office/hamlets/nasam"})
        record = await browser.get(f"/office/households/nasam/{HOSTILE_ULID}")
        edited = await browser.get(f"/office/households/nasam/{HOSTILE_ULID}/edit")
        searched = await browser.send("/office/search", {"q": HOSTILE, "back": "/office/households"})
    for page in (listed, record, edited, searched):
        assert ESCAPED in page.text
        assert "<script" not in page.text


# ---- the record -----------------------------------------------------------------------------------------


async def test_a_record_tells_the_pledge_in_words_and_draws_the_signature(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        text = (await browser.get(f"/office/households/nasam/{SIGNED_ULID}")).text
        visited = (await browser.get(f"/office/households/nasam/{VISITED_ULID}")).text
    assert "Vi Thị Dũng (vợ hoặc chồng chủ hộ) đã ký bản cam kết: chạm trên điện thoại" in text
    assert "Vi Văn Quân ghi lúc 01/03/2026 09:03" in text
    assert "Đã đọc to các điều cam kết" in text
    assert '<path d="M100 200L300 260L420 180 M500 500L500 500"/>' in text
    assert "Vắng nhà" in visited


async def test_looking_at_a_record_is_noted_with_ids_alone(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        await browser.get(f"/office/households/nasam/{SIGNED_ULID}")
    async with made.signed_in("admin") as browser:
        log = (await browser.get("/office/audit")).text
        assert "Chuỗi nhật ký nguyên vẹn." in (await browser.send("/office/audit")).text
    assert "Xem hồ sơ hộ" in log
    assert f"hamlet-nasam/household:{SIGNED_ULID}" in log
    assert "Vi Thị Dũng" not in log


async def test_a_household_that_is_not_there_is_not_found(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        for path in (
            f"/office/households/nowhere/{SIGNED_ULID}",
            "/office/households/nasam/01J8ZQ4T6N3VXK2M5R7W999999",
            f"/office/households/commune/{SIGNED_ULID}",
            f"/office/households/bandanh/{SIGNED_ULID}/edit",
            "/office/hamlets/nowhere",
        ):
            assert (await browser.get(path)).status_code == 404, path
