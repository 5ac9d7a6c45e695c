"""Merging, splitting and moving at the office: chosen, shown, confirmed, undone."""

import re
from datetime import timedelta

from sqlalchemy import select

from server.rows import tables
from server.rows.engine import readers, table
from tests.server.office.village import SIGNED_ULID, Village

_households, _audit = table(tables.HouseholdRow), table(tables.Audit)


def held(made: Village, hamlet: str) -> set[str]:
    """The ULIDs of a hamlet's households."""
    with readers(made.parts.rows).begin() as rows:
        asked = select(_households.c.ulid).where(_households.c.db == f"hamlet-{hamlet}")
        return set(rows.execute(asked).scalars())


def audited(made: Village, action: str) -> list[str]:
    with readers(made.parts.rows).begin() as rows:
        asked = select(_audit.c.subject).where(_audit.c.action == action).order_by(_audit.c.number)
        return list(rows.execute(asked).scalars())


async def test_a_merge_shows_what_it_comes_to_then_does_it_and_can_be_taken_back(made: Village) -> None:
    before, there = held(made, "nasam"), held(made, "bandanh")
    form = {"how": "merge", "source": "nasam", "into": "bandanh"}
    async with made.signed_in("admin") as browser:
        assert 'href="/office/moves"' in (await browser.get("/office/households")).text
        preview = (await browser.post("/office/moves", form)).text
        assert f"<li>{len(before)} hộ</li>" in preview
        assert held(made, "nasam") == before, "a preview moves nothing"
        made.now += timedelta(minutes=1)
        done = (await browser.send("/office/moves", {**form, "chosen": "1", "do": "confirm"})).text
        assert "Đã chuyển xong" in done
        assert held(made, "bandanh") == there | before
        assert held(made, "nasam") == set()
        assert audited(made, "hamlet.merged") == ["nasam bandanh household=60 pledge=2"]
        back = {"how": "back", "source": "bandanh", "into": "nasam", "people": "1"}
        preview = (await browser.post("/office/moves", back)).text
        assert f"<li>{len(before)} hộ</li>" in preview
        assert "Ai phụ trách Thôn Bản Danh được thêm Thôn Nà Sầm. Không ai bị bớt thôn" in preview
        kept = (await browser.post("/office/moves", {**back, "people": ""})).text
        assert "ai chưa phụ trách Thôn Nà Sầm thì vẫn không thấy" in kept
        made.now += timedelta(minutes=1)
        await browser.send("/office/moves", {**back, "do": "confirm"})
        story = (await browser.get(f"/office/history/nasam/household:{SIGNED_ULID}")).text
        went = re.findall(r"Chuyển từ ([^<]+).*?Hoàng Thị Lan, ([\d/ :]+)", story, re.S)
        assert went == [
            ("Thôn Bản Danh sang Thôn Nà Sầm", "01/03/2026 09:05"),
            ("Thôn Nà Sầm sang Thôn Bản Danh", "01/03/2026 09:04"),
        ], "from where to where, who and when, the newest first"
        assert "Đã xóa" not in story
    assert (held(made, "nasam"), held(made, "bandanh")) == (before, there)


async def test_some_households_become_a_new_hamlet_chosen_by_ticks_and_by_order(made: Village) -> None:
    before = held(made, "nasam")
    form = {"how": "part", "source": "nasam", "into": "new", "name": "Thôn Nà Mới", "people": "1"}
    async with made.signed_in("admin") as browser:
        choosing = (await browser.post("/office/moves", form)).text
        assert f'value="household:{SIGNED_ULID}"' in choosing
        chosen = {**form, "chosen": "1", "one": f"household:{SIGNED_ULID}", "first": "1", "last": "2"}
        preview = (await browser.post("/office/moves", chosen)).text
        ids = re.findall(r'name="one" value="household:(\w+)"', preview)
        assert SIGNED_ULID in ids
        confirmed = {**form, "chosen": "1", "one": [f"household:{one}" for one in ids], "do": "confirm"}
        await browser.send("/office/moves", confirmed)
        page = await browser.client.get(f"/office/households/nasam/{SIGNED_ULID}")
        assert page.headers["location"] == f"/office/households/namoi/{SIGNED_ULID}", "old links lead there"
    assert held(made, "namoi") == set(ids)
    assert held(made, "nasam") == before - set(ids)
    assert f"hamlet-nasam/household:{SIGNED_ULID} hamlet-namoi" in audited(made, "household.moved")


async def test_what_cannot_be_is_said_and_moves_nothing(made: Village) -> None:
    before = held(made, "nasam")
    async with made.signed_in("admin") as browser:
        for wrong, told in (
            ({"how": "merge", "into": "nasam"}, "hai thôn khác nhau"),
            ({"how": "merge", "into": "new", "name": "Thôn Nà Mới"}, "thôn đến phù hợp"),
            ({"how": "part", "into": "new"}, "tên thôn mới"),
            ({"how": "part", "into": "bandanh", "chosen": "1"}, "Chưa chọn hộ nào"),
        ):
            page = (await browser.send("/office/moves", {"source": "nasam", **wrong})).text
            assert told in page, wrong
    assert held(made, "nasam") == before


async def test_only_admins_move(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        assert (await browser.get("/office/moves")).status_code == 403
        assert "/office/moves" not in (await browser.get("/office/households")).text
