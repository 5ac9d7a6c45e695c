"""The figures of a day that is past: by the hamlets of that day, whatever has happened since."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from server import hamlets
from server.admission import caller_of
from server.past import end_of
from server.scribe import Change
from server.words import words
from tests.server.documents import pledge, signed, taken_back
from tests.server.harness import edit
from tests.server.office.test_edits import document
from tests.server.office.village import SIGNED_ULID, VISITED_ULID, Village, ulid

DAY, PAST = "01/03/2026", "/office?day=01/03/2026"
OPEN_ULID, LEFT_ULID = ulid(0, 20), ulid(0, 21)


def cells(page: str) -> dict[str, list[str]]:
    """The table of coverage: the cells of each row, by its name."""
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</tr>', page.split("<caption>")[1], re.S)
    said = [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.split("</t[hd]>", row)] for row in rows]
    return {name: [re.sub(r"\s+", " ", cell) for cell in rest] for name, *rest in said}


async def seen(made: Village, path: str = "/office", who: str = "reviewer") -> str:
    """A page, to somebody who has just signed in: sessions end before the days of these stories do."""
    async with made.signed_in(who) as browser:
        return (await browser.get(path)).text


async def acts(made: Village, of: str, *said: dict[str, Any]) -> None:
    """A phone adds to a pledge, or begins it."""
    by = made.people["volunteer"]
    made_by = [{**act, "by": by} for act in said]
    at = int(made.now.timestamp() * 1000)
    fresh = pledge(*made_by, by=by, at=at, ulid=of)
    try:
        rev, body = await document(made, fresh["_id"])
    except KeyError:
        await made.phone("volunteer", "nasam", edit(fresh, f"1-{of[-4:].lower().rjust(32, 'e')}"))
        return
    added = {**body, "_id": fresh["_id"], "stamps": fresh["stamps"], "acts": [*body["acts"], *made_by]}
    await made.phone("volunteer", "nasam", edit(added, f"2-{of[-4:].lower().rjust(32, 'f')}", rev))


async def household(made: Village, of: str, **fields: Any) -> None:
    await made.office({"hamlet-nasam": [Change(f"household:{of}", fields)]})


async def test_the_figures_of_a_day_stay_as_they_were_whatever_happens_later(made: Village) -> None:
    before, admin = cells(await seen(made)), caller_of(made.grant("admin"), words("vi"))
    made.now += timedelta(days=3)
    at = {"at": "2026-03-04T02:00:00Z"}
    await acts(made, OPEN_ULID, signed("01J8ZQ5A000000000000000A77", **at))
    _, body = await document(made, f"pledge:antq-2026:{SIGNED_ULID}")
    gone = {**taken_back("withdrawn", body["acts"][-1]["id"]), **at, "by": made.people["reviewer"]}
    withdrawn = [Change(f"pledge:antq-2026:{SIGNED_ULID}", {"acts": [gone]})]
    await made.office({"hamlet-nasam": withdrawn}, "reviewer")
    await household(made, LEFT_ULID, status={"is": "moved", "since": "2026-03-03"})
    new = {"name": "Vi Văn Mới", "order": 900, "status": {"is": "resident", "since": "2026-03-04"}}
    await household(made, ulid(7, 1), **new)
    await household(made, ulid(7, 2), **new)
    await made.office({"commune": [Change("hamlet:bandanh", {"name": "Bản Danh Mới"})]})
    await made.parts.follower.catch_up()
    await hamlets.move(made.parts, admin, "nasam", "khuoilam", [f"household:{VISITED_ULID}"])
    made.now += timedelta(days=1)
    await hamlets.merge(made.parts, admin, "nasam", "bandanh")
    await hamlets.add(made.parts, admin, "Thôn Pò Mới")
    now, page = cells(await seen(made)), await seen(made, PAST)
    assert {*now} == {"Thôn Bản Danh Mới", "Thôn Khuổi Lắm", "Thôn Pò Mới", "Toàn xã"}
    assert cells(page) == before
    assert f"Số liệu đến hết ngày {DAY}" in page
    assert 'href="/office/hamlets/bandanh"' in page
    assert 'href="/office/hamlets/nasam"' not in page, "there is no such hamlet any more"
    outside = await seen(made, PAST, "observer")
    assert "/office/hamlets" not in outside
    assert cells(outside)["Thôn Nà Sầm"][2] == "đến 10%", "in bands for those outside"


async def test_what_was_a_mistake_counts_as_corrected_on_every_day(made: Village) -> None:
    before = cells(await seen(made))
    made.now += timedelta(days=3)
    _, body = await document(made, f"pledge:antq-2026:{SIGNED_ULID}")
    voids = [
        taken_back("voided", act["id"], f"01J8ZQ5A000000000000000B{act['id'][-2:]}") for act in body["acts"]
    ]
    await acts(made, SIGNED_ULID, *(void | {"at": "2026-03-04T02:00:00Z"} for void in voids))
    await household(made, OPEN_ULID, status={"is": "entered_in_error", "since": "2026-03-04"})
    await household(made, LEFT_ULID, status={"is": "moved", "since": "2026-02-20"})
    await made.parts.follower.catch_up()
    after = cells(await seen(made, PAST))
    assert before["Thôn Nà Sầm"][:4] == ["59", "1–", "1", "57"]
    assert after["Thôn Nà Sầm"][:4] == ["57", "0–", "1", "56"]


@pytest.mark.parametrize("typed", ["02/03/2026", "31/02/2026", "hôm qua"])
async def test_a_day_to_come_or_no_day_at_all_shows_today_and_says_so(made: Village, typed: str) -> None:
    async with made.signed_in("reviewer") as browser:
        page = (await browser.client.get("/office", params={"day": typed})).text
        today = (await browser.get("/office")).text
    assert "Hãy ghi một ngày đã qua" in page
    assert cells(page) == cells(today)
    assert "Số liệu đến hết ngày" not in page


async def test_of_a_day_before_the_first_list_the_page_says_that_there_was_nothing(made: Village) -> None:
    page = await seen(made, "/office?day=28/02/2026")
    assert "Đến hết ngày 28/02/2026, ở đây chưa có thôn nào." in page
    assert "<caption>" not in page


def test_a_day_ends_by_the_clock_on_the_wall() -> None:
    assert end_of(date(2026, 9, 30)) == "2026-09-30T17:00:00Z"
