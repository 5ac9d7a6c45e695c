"""Choosing between values of one time: side by side, settled by one click, opened by what nobody has seen."""

import re
from typing import Any

import orjson
import pytest

import schemas
from server import archive
from server.scribe import Change
from sync import canonical
from sync.merge import join, questions, write
from sync.rev import Rev
from sync.store.interface import Edit
from tests.server.documents import NOW
from tests.server.harness import edit
from tests.server.office.season import FAULTY, MODEL, furnish, phoned, two_answer
from tests.server.office.test_edits import document, hidden
from tests.server.office.test_story import entries
from tests.server.office.village import Browser, Village

INSPECTION = f"inspection:{FAULTY}"
PATH = f"/office/choose/nasam/{INSPECTION}"
MAI = {"bell": False, "fault": "Đứt dây"}
QUAN = {"bell": True}


@pytest.fixture
async def made(made: Village) -> Village:
    await furnish(made)
    await two_answer(made)
    return made


async def answers(made: Village) -> dict[str, Any]:
    body = (await document(made, INSPECTION))[1]
    values: dict[str, Any] = body["answers"]["values"]
    return values


async def take(browser: Browser, what: str, **more: str) -> str:
    """Press a button of the page; the page after."""
    page = await browser.get(PATH)
    return (await browser.send(PATH, {**hidden(page.text), "take": what, **more})).text


async def test_the_queue_names_the_record_and_the_page_shows_both_with_what_differs(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        queue = (await browser.get("/office/review")).text
        assert f'<a href="{PATH}">Tổ liên gia Nà Sầm</a>' in queue
        assert "Hai bản cùng lúc: cần chọn" in queue
        page = (await browser.get(PATH)).text
    rows = {
        re.sub(r"<.*?>", "", row.split("</th>")[0]).split("\n")[-1].strip(): row
        for row in page.split("<tbody")[1].split("<tr ")[1:]
    }
    assert [name.removesuffix(" khác nhau") for name in rows] == ["Chuông kêu", "Hỏng gì", "Danh mục"]
    assert re.findall(r"<span>([^<]*)</span></label>", rows["Chuông kêu khác nhau"]) == ["Không", "Có"]
    assert "Bản 1, Đàm Thị Mai" in page
    assert "Bản 2, Vi Văn Quân" in page
    assert page.count(" checked>") == 2, "one version is ticked for each question that differs"


@pytest.mark.parametrize(("button", "values"), [("answers:0", MAI), ("answers:1", QUAN)])
async def test_one_click_settles_and_the_history_says_so(
    made: Village, button: str, values: dict[str, Any]
) -> None:
    async with made.signed_in("reviewer") as browser:
        after = await take(browser, button)
        assert "Đã chọn." in after
        told = entries((await browser.get(f"/office/history/nasam/{INSPECTION}")).text)
        assert "Hai bản cùng lúc: cần chọn" not in (await browser.get("/office/review")).text
        again = await browser.get(PATH)
        assert again.status_code == 303, "nothing is open any more"
    async with made.signed_in("admin") as browser:
        assert "Chọn giữa các bản cùng lúc" in (await browser.get("/office/audit")).text
    assert await answers(made) == values
    assert told[0].startswith("Chọn giữa các bản cùng lúc Nông Văn Bình")
    assert sum("Không được chọn" in one for one in told) == 1, "whose value was not taken is told"


async def test_a_mix_takes_each_question_from_the_version_that_was_ticked(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        await take(browser, "answers:mix", **{"item-bell": "0", "item-fault": "1"})
    assert await answers(made) == {"bell": False}, "Quân's answer to the second question was none"


async def test_a_branch_that_comes_late_does_not_bring_back_what_was_settled(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        await take(browser, "answers:1")
    # Mai's phone goes on from the revision that lost, without touching the answers
    stale = await archived(made, f"2-{'4' * 32}")
    changed = phoned(stale, made.people["volunteer2"], NOW + 9000, findings="Đã gọi thợ.")
    await made.phone("volunteer2", "nasam", edit(changed, f"3-{'8' * 32}", f"2-{'4' * 32}"))
    await made.parts.follower.catch_up()
    body = (await document(made, INSPECTION))[1]
    assert (body["answers"]["values"], body["findings"]) == (QUAN, "Đã gọi thợ.")
    assert not questions(body)


async def test_a_third_value_that_nobody_has_seen_opens_it_again(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        await take(browser, "answers:1")
        stale = await archived(made, f"2-{'4' * 32}")
        third = {"checklist": "ban-thu", "version": 1, "values": {"bell": False, "fault": "Mất còi"}}
        changed = phoned(stale, made.people["volunteer2"], NOW + 9000, answers=third)
        await made.phone("volunteer2", "nasam", edit(changed, f"3-{'8' * 32}", f"2-{'4' * 32}"))
        await made.parts.follower.catch_up()
        page = (await browser.get(PATH)).text
        assert "Mất còi" in page
        assert "Đứt dây" not in page, "what was settled against does not come back"
        await take(browser, "answers:0")
    assert (await answers(made))["fault"] == "Mất còi"


async def test_a_choice_made_on_an_old_page_is_not_taken(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        page = await browser.get(PATH)
        third = {"checklist": "ban-thu", "version": 1, "values": {"bell": False, "fault": "Mất còi"}}
        base = await archived(made, f"1-{2:032x}")
        changed = phoned(base, made.people["volunteer"], NOW + 1500, answers=third)
        await made.phone("volunteer", "nasam", edit(changed, f"2-{'7' * 32}", f"1-{2:032x}"))
        await made.parts.follower.catch_up()
        answer = await browser.post(PATH, {**hidden(page.text), "take": "answers:1"})
        assert answer.status_code == 409
        assert "Vừa có thêm bản mới" in answer.text
        assert "Mất còi" in answer.text
    assert len(questions((await document(made, INSPECTION))[1])["answers"]) == 3


async def test_nothing_else_is_written_by_a_form_that_was_made_up(made: Village) -> None:
    before = await document(made, INSPECTION)
    async with made.signed_in("reviewer") as browser:
        seen = hidden((await browser.get(PATH)).text)
        for asked in (
            {"take": "answers:9"},
            {"take": "findings:0"},
            {"take": "answers:x"},
            {},
            {"seen": "1-x"},
        ):
            assert (await browser.post(PATH, {**seen, **asked})).status_code == 400, asked
        elsewhere = await browser.get(f"/office/choose/nowhere/{INSPECTION}")
        assert elsewhere.status_code == 404
    assert await document(made, INSPECTION) == before


async def test_two_members_of_staff_who_decided_about_a_model_on_two_servers_are_shown_side_by_side(
    made: Village,
) -> None:
    doc_id, rules = f"model:{MODEL}", schemas.rules("model")
    found = (await made.parts.store.read("commune", [doc_id], lambda _id, tree: tree))[doc_id]
    ((rev, held),) = found.bodies.items()
    base = join([orjson.loads(held.json)], rules)
    edits = []
    for who, digit, number in (("reviewer", "5", "12"), ("admin", "6", "21")):
        user = made.people[who]
        said = {"decision": {"number": number, "date": "2026-02-01"}}
        body = write(base, said, f"{NOW + 1000:013d}-000{digit}-office{user}", user, rules)
        edits.append(Edit(doc_id, (Rev(2, digit * 32), rev), canonical.encode(body)))
    await made.parts.store.graft("commune", edits)
    await made.parts.follower.catch_up()
    path = f"/office/choose/commune/{doc_id}"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(path)).text
        assert "số 12 ngày 01/02/2026" in page
        assert "số 21 ngày 01/02/2026" in page
        assert "Bản 1, Hoàng Thị Lan" in page
        assert path in (await browser.get(f"/office/models/{MODEL}")).text
        await browser.send(path, {**hidden(page), "take": "decision:1"})
    assert (await document(made, doc_id, db="commune"))[1]["decision"]["number"] == "12"


async def test_what_is_settled_stays_with_a_later_change_by_the_office(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        await take(browser, "answers:1")
    await made.office({"hamlet-nasam": [Change(INSPECTION, {"findings": "Đủ."})]}, "reviewer")
    assert await answers(made) == QUAN


async def archived(made: Village, rev: str) -> dict[str, Any]:
    """A revision as a phone still has it."""
    with made.parts.rows.begin() as rows:
        key = (INSPECTION, Rev.parse(rev))
        return {"_id": INSPECTION, **orjson.loads(archive.bodies(rows, "hamlet-nasam", [key])[key])}
