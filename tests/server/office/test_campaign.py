"""Campaigns and what is pledged: edited after a preview; what people have signed stays as it was."""

import re

import pytest

from sync.merge import questions
from tests.server.office.test_edits import document
from tests.server.office.village import SIGNED_ULID, Browser, Village

EDIT = "/office/campaign/antq-2026/edit"
CLAUSES = "/office/wordings/clauses"
FORM = {
    "name": "Cam kết an ninh, trật tự năm 2026",
    "starts": "01/02/2026",
    "ends": "31/10/2026",
    "target": "90",
    "counts": ["resident", "seasonal_away"],
    "touch_counts": "yes",
    "clauses": "1",
    "notice": "1",
    "state": "open",
}


async def rev(browser: Browser) -> dict[str, str]:
    found = re.search(r'name="rev" value="([^"]+)"', (await browser.get(EDIT)).text)
    assert found
    return {"rev": found[1]}


async def test_a_preview_says_what_changes_and_what_share_it_makes_and_writes_nothing(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        said = {**FORM, **await rev(browser), "target": "95", "touch_counts": "no"}
        page = (await browser.post(EDIT, said)).text
        assert ">trên 90% số hộ</del>" in page
        assert ">trên 95% số hộ</ins>" in page
        assert "Tỷ lệ đang tính: 14,8%: 12 trên 81 hộ" in page
        assert "Sau khi lưu: 13,6%: 11 trên 81 hộ" in page, "one has signed by touch"
        assert "trên 90%" in (await browser.get("/office/campaign")).text
        shown = (await browser.send(EDIT, {**said, "do": "save"})).text
        assert "trên 95%" in shown
    _, body = await document(made, "campaign:antq-2026", db="commune")
    assert (body["target"], body["touch_counts"], body["counts"]) == (95, False, FORM["counts"])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"target": "0"}, "target"),
        ({"target": "101"}, "target"),
        ({"ends": "31/01/2026"}, "ends"),
        ({"ends": "31/02/2026"}, "ends"),
        ({"name": ""}, "name"),
        ({"counts": []}, "counts"),
        ({"counts": ["moved"]}, "counts"),
        ({"clauses": "7"}, "clauses"),
        ({"notice": "²"}, "notice"),
        ({"state": "burnt"}, "state"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    made: Village, said: dict[str, object], field: str
) -> None:
    async with made.signed_in("admin") as browser:
        answer = await browser.post(EDIT, {**FORM, **said, "do": "save"})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text


async def test_two_admins_who_change_one_field_are_told(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        early = await rev(browser)
        await browser.send(EDIT, {**FORM, **early, "target": "95", "do": "save"})
        late = await browser.post(EDIT, {**FORM, **early, "target": "80", "do": "save"})
        assert late.status_code == 409
        await browser.send(EDIT, {**FORM, **early, "ends": "30/11/2026", "do": "save"})
    _, body = await document(made, "campaign:antq-2026", db="commune")
    assert (body["target"], body["ends"], questions(body)) == (95, "2026-11-30", {})


async def test_another_campaign_begins_with_what_the_last_one_says(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = (await browser.get("/office/campaign/new")).text
        assert 'value="90"' in page
        said = {**FORM, "name": "Cam kết PCCC 2027", "starts": "01/01/2027", "ends": "31/12/2027"}
        assert "Cam kết PCCC 2027</ins>" in (await browser.post("/office/campaign/new", said)).text
        shown = (await browser.send("/office/campaign/new", {**said, "do": "save"})).text
    assert "Cam kết PCCC 2027" in shown
    _, body = await document(made, "campaign:cam-ket-pccc-2027", db="commune")
    assert body["starts"] == "2027-01-01"


async def test_new_clauses_are_a_new_version_and_the_signed_ones_stay(made: Village) -> None:
    text = "Không đốt pháo.\r\n\r\n  Không  cho mượn đất làm kho pháo. \r\n"
    said = {"version": "1", "title": "Bản cam kết", "items": text, "use": "antq-2026"}
    async with made.signed_in("admin") as browser:
        assert "Không mua bán, tàng trữ, đốt pháo nổ." in (await browser.get(CLAUSES)).text
        page = (await browser.post(CLAUSES, said)).text
        assert "<li>Không cho mượn đất làm kho pháo.</li>" in page
        assert "bản số 2" in page
        shown = (await browser.send(CLAUSES, {**said, "do": "save"})).text
        assert "Đã ban hành bản số 2." in shown
        assert "Không cho mượn đất làm kho pháo." in shown
        quicker = await browser.post(CLAUSES, {**said, "do": "save"})
        assert quicker.status_code == 409, "that number is taken: it is looked at first"
        record = (await browser.get(f"/office/households/nasam/{SIGNED_ULID}")).text
        assert "bản cam kết số 1" in record.lower(), "whoever signed has signed the first version"
    _, first = await document(made, "clauses:1", db="commune")
    _, body = await document(made, "campaign:antq-2026", db="commune")
    assert (first["items"], body["clauses"]) == (["Không mua bán, tàng trữ, đốt pháo nổ."], 2)


@pytest.mark.parametrize("items", ["", "\n".join("x" * 31), "x" * 501])
async def test_clauses_are_thirty_points_at_most(made: Village, items: str) -> None:
    async with made.signed_in("admin") as browser:
        answer = await browser.post(CLAUSES, {"version": "1", "title": "Bản", "items": items, "do": "save"})
    assert answer.status_code == 422
    assert 'id="e-items"' in answer.text
