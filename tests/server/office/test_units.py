"""Units in the office: the list, one unit with its pledge and inspections, its form, the count."""

import re
from datetime import timedelta

import pytest

from tests.server.harness import edit
from tests.server.office.reading import opened
from tests.server.office.season import UNIT, furnish, inspection, number, record
from tests.server.office.village import SIGNED_ULID, Village

PAGE = f"/office/units/nasam/{UNIT}"
FIRM, SHOP = number(21), number(22)


def act(by: str, **fields: object) -> dict[str, object]:
    return {"id": number(31), "at": "2026-03-01T01:00:00Z", "by": by, **fields}


def signed(by: str) -> dict[str, object]:
    said = {"kind": "signed", "signer": "Lý Văn Đại", "role": "representative", "title": "Hiệu trưởng"}
    how = {"method": "paper_signed", "assisted": False, "clauses": 1, "notice": 1, "read_aloud": True}
    return act(by, **said, **how)


@pytest.fixture
async def season(made: Village) -> Village:
    """The season's school, which signed and was inspected; a firm that was only visited; a small shop."""
    await furnish(made)
    by = made.people["volunteer"]
    status = {"is": "active", "since": "2026-01-01"}
    docs = [
        record(f"unit:{FIRM}", by, name="Công ty Ánh Dương", kind="enterprise", in_scope=True, status=status),
        record(f"unit:{SHOP}", by, name="Quán nhỏ", kind="enterprise", in_scope=False, status=status),
        record(f"pledge:antq-2026:{UNIT}", by, acts=[signed(by)]),
        record(f"pledge:antq-2026:{FIRM}", by, acts=[act(by, kind="visit", result="come_back")]),
        inspection(number(23), by, "2026-02-20", subject=f"unit:{UNIT}"),
    ]
    for place, doc in enumerate(docs):
        await made.phone("volunteer", "nasam", edit(doc, f"1-{place + 100:032x}"))
    await made.parts.follower.catch_up()
    return made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Công ty Ánh Dương", "Quán nhỏ", "Trường THCS Nà Sầm"]),
        ("show=signed", ["Trường THCS Nà Sầm"]),
        ("show=visited", ["Công ty Ánh Dương"]),
        ("show=open", []),
        ("show=uncounted", ["Quán nhỏ"]),
        ("kind=enterprise&show=visited", ["Công ty Ánh Dương"]),
        ("hamlet=bandanh", []),
        ("hamlet=elsewhere&kind=what", ["Công ty Ánh Dương", "Quán nhỏ", "Trường THCS Nà Sầm"]),
    ],
)
async def test_the_list_is_filtered_as_households_are(season: Village, query: str, names: list[str]) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/units?{query}")).text
    assert re.findall(r'href="/office/units/nasam/\w{26}">([^<]+)<', page) == names


async def test_a_unit_shows_its_pledge_its_inspections_and_its_review(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(PAGE)).text
        assert "Lý Văn Đại" in page
        assert "Hiệu trưởng" in page
        assert "Bản thử" in page
        review = f"/office/review/nasam/pledge:antq-2026:{UNIT}"
        assert review in page
        assert PAGE in (await browser.get(review)).text, "and the review names the unit's page"
        inspected = re.search(r'href="(/office/inspections/nasam/\w{26})"', page)
        assert inspected
        assert PAGE in (await browser.get(inspected[1])).text


async def test_coverage_counts_those_in_scope_for_observers_too(season: Village) -> None:
    for who in ("reviewer", "observer"):
        async with season.signed_in(who) as browser:
            page = (await browser.get("/office")).text
        said = re.findall(r"<strong>(\d trên \d)</strong> ([^<]+)<", page)
        assert said == [("0 trên 1", "Doanh nghiệp"), ("1 trên 1", "Cơ sở giáo dục")]
        assert ("/office/units" in page) is (who == "reviewer")


async def test_coverage_of_a_past_day_counts_the_units_of_that_day(season: Village) -> None:
    def counted(page: str) -> list[tuple[str, str]]:
        return re.findall(r"<strong>(\d trên \d)</strong> ([^<]+)<", page)

    async with season.signed_in("reviewer") as browser:
        before = counted((await browser.get("/office")).text)
    season.now += timedelta(days=3)
    new = {"name": "Xưởng gỗ", "kind": "enterprise", "in_scope": "yes", "hamlet": "bandanh"}
    async with season.signed_in("reviewer") as browser:
        await browser.get(f"/office/units/nasam/{UNIT}")
        form = await opened(browser, f"/office/units/nasam/{UNIT}/edit")
        changed = {**form, "status": "closed", "since": "3/3/2026"}
        await browser.send(f"/office/units/nasam/{UNIT}/edit", changed)
        await browser.send("/office/units/new", {**new, "status": "active", "since": "3/3/2026"})
        now, then = [
            counted((await browser.get(path)).text) for path in ("/office", "/office?day=01/03/2026")
        ]
    assert now == [("0 trên 2", "Doanh nghiệp")]
    assert then == before


async def test_a_reviewer_adds_a_unit(season: Village) -> None:
    new = {"name": "Hợp tác xã Nà Sầm", "kind": "enterprise", "in_scope": "no", "hamlet": "bandanh"}
    async with season.signed_in("reviewer") as browser:
        answer = await browser.post("/office/units/new", {**new, "status": "active"})
        assert answer.status_code == 422, "the day is missing"
        said = {**new, "status": "active", "since": "1/3/2026", "lane": "Xóm Trên"}
        page = (await browser.send("/office/units/new", said)).text
        assert "Hợp tác xã Nà Sầm" in page
        assert "Xóm Trên" in page
        nowhere = await browser.post("/office/units/new", {**said, "hamlet": "elsewhere"})
    assert nowhere.status_code == 422


async def test_a_unit_is_corrected_and_what_was_corrected_meanwhile_is_said(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        early = await opened(browser, f"{PAGE}/edit")
        late = await opened(browser, f"{PAGE}/edit")
        page = (await browser.send(f"{PAGE}/edit", {**early, "name": "Trường THCS xã Nà Sầm"})).text
        assert "<h1>Trường THCS xã Nà Sầm</h1>" in page
        answer = await browser.post(f"{PAGE}/edit", {**late, "name": "Trường cấp hai"})
        assert answer.status_code == 409
        assert "Trường THCS xã Nà Sầm" in answer.text
        page = (await browser.send(f"{PAGE}/edit", {**late, "in_scope": "no"})).text
    assert "<h1>Trường THCS xã Nà Sầm</h1>" in page, "another field of an old form goes through"


async def test_staff_confirm_that_a_unit_withdrew(season: Village) -> None:
    form = {"pledge": f"pledge:antq-2026:{UNIT}", "act": number(31)}
    season.now = season.now + timedelta(days=30)
    async with season.signed_in("reviewer") as browser:
        await browser.send(f"{PAGE}/withdraw", form)
        listed = (await browser.get("/office/units?show=signed")).text
        assert "Không có đơn vị nào như vậy" in listed
        again = (await browser.send(f"{PAGE}/withdraw", form)).text
        assert "đã được thu hồi hoặc đã hủy từ trước" in again
        assert (await browser.post(f"{PAGE}/withdraw", {**form, "act": number(99)})).status_code == 404


async def test_a_household_names_where_its_records_stand_in_review(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/households/nasam/{SIGNED_ULID}")).text
    assert f"/office/review/nasam/pledge:antq-2026:{SIGNED_ULID}?state=all" in page
    assert f"/office/review/nasam/household:{SIGNED_ULID}" not in page, "staff wrote it: it waits for nobody"
