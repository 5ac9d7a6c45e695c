"""Models, inspections, outreach and bulletins in the office."""

import re

import pytest

from server.office import bulletins, models
from tests.server.office.reading import opened
from tests.server.office.season import BULLETIN, FAULTY, INSPECTED, MODEL, furnish
from tests.server.office.village import Village


@pytest.fixture
async def season(made: Village) -> Village:
    await furnish(made)
    return made


# ---- models ---------------------------------------------------------------------------------------------


async def test_a_reviewer_adds_a_model_and_the_two_counts_stay_apart(season: Village) -> None:
    new = {
        "name": "Camera thôn Bản Danh",
        "kind": "camera_an_ninh",
        "state": "decided",
        "since": "1/2/2026",
        "points": "12",
        "groups": "0",
        "decision_number": "07/QĐ-UBND",
        "decision_date": "30/1/2026",
        "note": "Hai mắt chưa có biển.",
        "hamlets": ["bandanh"],
    }
    async with season.signed_in("reviewer") as browser:
        page = (await browser.send("/office/models/new", new)).text
        assert "Số 07/QĐ-UBND, ngày 30/01/2026" in page
        assert "Thôn Bản Danh" in page
        listed = (await browser.get("/office/models")).text
    assert "<strong>14</strong> điểm" in listed
    assert "<strong>5</strong> tổ" in listed


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Tổ liên gia Nà Sầm"]),
        ("kind=to_lien_gia&state=active", ["Tổ liên gia Nà Sầm"]),
        ("kind=camera_an_ninh", []),
        ("state=ended", []),
    ],
)
async def test_the_register_is_filtered(season: Village, query: str, names: list[str]) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/models?{query}")).text
    assert re.findall(r'href="/office/models/\w{26}">([^<]+)<', page) == names


async def test_a_model_that_has_ended_stands_behind_and_counts_only_where_it_is_asked_for(
    season: Village,
) -> None:
    async with season.signed_in("reviewer") as browser:
        before = (await browser.get("/office/models")).text
        form = await opened(browser, f"/office/models/{MODEL}/edit")
        await browser.send(f"/office/models/{MODEL}/edit", {**form, "state": "ended", "hamlets": ["nasam"]})
        page = (await browser.get("/office/models")).text
        alone = (await browser.get("/office/models?state=ended")).text
    assert "<strong>5</strong> tổ" in before
    assert "<strong>0</strong> tổ" in page
    assert "Tổ liên gia Nà Sầm" in page.split("Mô hình đã chấm dứt")[1]
    assert "<strong>5</strong> tổ" in alone
    assert "không tính vào" not in alone


async def test_a_model_is_corrected_and_only_what_changed_is_written(season: Village) -> None:
    path = f"/office/models/{MODEL}"
    async with season.signed_in("reviewer") as browser:
        form = await opened(browser, f"{path}/edit")
        said = {**form, "state": "needs_strengthening", "since": "28/02/2026", "hamlets": ["nasam"]}
        page = (await browser.send(f"{path}/edit", said)).text
        assert "Cần củng cố" in page
        again = await opened(browser, f"{path}/edit")
        same = await browser.send(f"{path}/edit", {**again, "hamlets": ["nasam"]})
        assert "Không có gì thay đổi." in same.text
        late = await browser.post(f"{path}/edit", {**form, "state": "ended", "hamlets": ["nasam"]})
    assert late.status_code == 409, "the form was opened before the other change"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("kind", "church"),
        ("state", "gone"),
        ("points", "-1"),
        ("points", "10000"),
        ("groups", "hai"),
        ("since", "31/02/2026"),
        ("note", "x" * 201),
        ("decision_date", "1/2/2026"),
    ],
)
def test_a_model_is_told_what_cannot_be_taken(field: str, value: str) -> None:
    fine = models.Form(kind="to_lien_gia", name="Tổ", since="01/02/2026")
    assert fine.wrong() == {}
    wrong = models.Form(**{**{name: getattr(fine, name) for name in fine.__slots__}, field: value}).wrong()
    assert len(wrong) == 1


# ---- inspections ----------------------------------------------------------------------------------------


async def test_an_inspection_stands_beside_the_one_before_with_its_score(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/inspections/nasam/{FAULTY}")).text
        first = (await browser.get(f"/office/inspections/nasam/{INSPECTED}")).text
    assert "0 trên 2 điểm" in page
    assert "(lần trước, 20/01/2026: 2 trên 2 điểm)" in page
    cell = r"<td[^>]*><span[^>]*>([^<]*)</span></td>\s*"
    rows = re.findall(rf'rowheader">([^<]+)</th>\s*{cell}{cell}', page)
    assert rows == [("Chuông kêu", "Không", "Có"), ("Hỏng gì", "Hết pin", "–")]
    assert "Thay pin, hẹn ngày 28/02/2026" in page
    assert "(lần trước" not in first


@pytest.mark.parametrize(("tab", "count"), [("all", 2), ("due", 1), ("overdue", 1), ("other", 2)])
async def test_what_is_still_to_be_done_is_a_list(season: Village, tab: str, count: int) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/inspections?show={tab}")).text
    assert len(re.findall(r'href="/office/inspections/nasam/', page)) == count


@pytest.mark.parametrize("path", ["nasam/nothing", f"elsewhere/{FAULTY}", f"bandanh/{FAULTY}"])
async def test_an_inspection_that_is_not_there_is_not_found(season: Village, path: str) -> None:
    async with season.signed_in("reviewer") as browser:
        assert (await browser.get(f"/office/inspections/{path}")).status_code == 404


async def test_outreach_is_counted_by_kind_for_the_year(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get("/office/outreach")).text
    assert "<strong>1</strong> điểm phát động năm 2026, 64 lượt người dự" in page
    assert "<strong>0</strong> buổi tuyên truyền năm 2026" in page
    assert "phòng cháy, chữa cháy, an toàn giao thông" in page


# ---- bulletins ------------------------------------------------------------------------------------------


async def test_a_bulletin_is_written_for_some_hamlets_and_ended(season: Village) -> None:
    new = {
        "title": "Họp thôn",
        "text": "Tối thứ sáu.\r\nCó mặt đủ.",
        "starts": "2/3/2026",
        "until": "6/3/2026",
    }
    async with season.signed_in("reviewer") as browser:
        page = (await browser.send("/office/bulletins/new", {**new, "hamlets": ["nasam", "nowhere"]})).text
        assert "Chưa đến ngày" in page
        assert "Tối thứ sáu.\nCó mặt đủ." in page
        assert "Từ 02/03/2026 đến 06/03/2026. Thôn Nà Sầm." in page
        path = f"/office/bulletins/{BULLETIN}/edit"
        form = await opened(browser, path)
        page = (await browser.send(path, {**form, "until": "28/02/2026"})).text
    assert "Đã hết ngày" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("text", ""), ("text", "x" * 2001), ("starts", "hôm nay"), ("until", "1/1/2026")],
)
def test_a_bulletin_is_told_what_cannot_be_taken(field: str, value: str) -> None:
    fine = {"title": "Họp", "text": "Tối.", "starts": "02/03/2026", "until": "02/03/2026"}
    assert bulletins.Form(**fine).wrong() == {}
    assert set(bulletins.Form(**{**fine, field: value}).wrong()) == {field}


@pytest.mark.parametrize(
    ("today", "standing"),
    [("2026-03-01", "later"), ("2026-03-02", "now"), ("2026-03-06", "now"), ("2026-03-07", "past")],
)
def test_a_bulletin_shows_on_both_its_days_and_between(today: str, standing: str) -> None:
    assert bulletins.standing("2026-03-02", "2026-03-06", today) == standing
