"""Review: the queue, one record, bulk approval, return, correction, and what the observer may not see."""

import re
from typing import Any

import pytest

from server.scribe import Change
from sync import merge
from tests.server.documents import NOW
from tests.server.harness import edit
from tests.server.office.season import (
    CHECKLIST,
    FAULTY,
    INSPECTED,
    ITEMS,
    MODEL,
    OUTREACH,
    UNIT,
    furnish,
    number,
    record,
)
from tests.server.office.test_edits import document
from tests.server.office.village import SIGNED_ULID, Browser, Village

QUEUE = "/office/review"
PLEDGE = f"{QUEUE}/nasam/pledge:antq-2026:{SIGNED_ULID}"
SCHOOL = f"{QUEUE}/nasam/unit:{UNIT}"
SEEN = number(99)


@pytest.fixture
async def season(made: Village) -> Village:
    await furnish(made)
    return made


async def digest(browser: Browser, path: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', (await browser.get(path)).text)
    assert found
    return found[1]


async def form(browser: Browser, path: str) -> dict[str, str]:
    """What the form of a record says by itself: the digest, and the review that it shows."""
    return dict(re.findall(r'name="(digest|review)" value="([^"]*)"', (await browser.get(path)).text))


def listed(page: str) -> list[str]:
    return re.findall(r'rowheader"><a href="/office/review/(\w+/[^?"]+)', page)


async def test_the_queue_shows_what_the_field_wrote_and_not_what_staff_wrote(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(QUEUE)).text
    found = listed(page)
    assert f"nasam/pledge:antq-2026:{SIGNED_ULID}" in found
    assert f"nasam/inspection:{FAULTY}" in found
    households = [one for one in found if "household:" in one]
    assert len(households) == 1, "only the one that two phones corrected; imports wait for nobody"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=unit", [f"nasam/unit:{UNIT}"]),
        ("kind=outreach&hamlet=nasam", [f"nasam/outreach:{OUTREACH}"]),
        ("kind=outreach&hamlet=bandanh", []),
        ("state=approved", []),
        ("state=returned&kind=unit", []),
        ("state=received&kind=inspection", [f"nasam/inspection:{INSPECTED}", f"nasam/inspection:{FAULTY}"]),
        ("state=nonsense&kind=nonsense&hamlet=khuoilam", []),
    ],
)
async def test_the_queue_is_filtered(season: Village, query: str, expected: list[str]) -> None:
    async with season.signed_in("reviewer") as browser:
        page = await browser.get(f"{QUEUE}?{query}")
    assert listed(page.text) == expected


async def test_an_approval_is_a_document_for_the_phones_and_opens_the_next_record(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        seen = await digest(browser, SCHOOL)
        page = await browser.send(SCHOOL, {"decision": "approved", "digest": seen, "kind": "unit"})
        assert "Không có phiếu nào như vậy." in page.text, "the queue of units is empty now"
        assert listed((await browser.get(f"{QUEUE}?state=approved")).text) == [f"nasam/unit:{UNIT}"]
        page = await browser.send(PLEDGE, {"decision": "approved", "digest": await digest(browser, PLEDGE)})
        assert "Đây là phiếu tiếp theo." in page.text
        assert 'name="digest"' in page.text
    _, body = await document(season, f"review:unit:{UNIT}")
    assert body["decision"] == {"is": "approved", "digest": seen}
    assert body["by"] == season.people["reviewer"]


async def test_a_record_is_returned_corrected_by_the_volunteer_and_back_in_the_queue(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        seen = await digest(browser, SCHOOL)
        said = {
            "decision": "returned",
            "digest": seen,
            "template": "name",
            "comment-name": " Ghi đủ  tên trường. ",
        }
        await browser.send(SCHOOL, said)
        _, body = await document(season, f"review:unit:{UNIT}")
        assert body["decision"]["comment"] == "Ghi đủ tên trường."
        assert body["decision"]["template"] == "name"
        assert listed((await browser.get(f"{QUEUE}?kind=unit")).text) == []
        by, status = season.people["volunteer"], {"is": "active", "since": "2026-01-01"}
        named = {"name": "Trường THCS xã Nà Sầm", "kind": "school", "in_scope": True, "status": status}
        corrected = record(f"unit:{UNIT}", by, NOW + 1000, **named)
        await season.phone("volunteer", "nasam", edit(corrected, f"2-{7:032x}", f"1-{0:032x}"))
        await season.parts.follower.catch_up()
        page = (await browser.get(f"{QUEUE}?kind=unit&state=corrected")).text
        assert listed(page) == [f"nasam/unit:{UNIT}"]
        page = (await browser.get(SCHOOL)).text
    assert ">Trường THCS Nà Sầm</del>" in page
    assert ">Trường THCS xã Nà Sầm</ins>" in page
    assert "<q>Ghi đủ tên trường.</q>" in page


async def test_a_decision_about_what_has_changed_meanwhile_is_not_written(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        answer = await browser.post(SCHOOL, {"decision": "approved", "digest": "0" * 64})
    assert answer.status_code == 409
    assert "vừa được sửa trong lúc bạn xem" in answer.text
    found = await season.parts.store.read(
        "hamlet-nasam", [f"review:unit:{UNIT}"], lambda _id, tree: list(tree)
    )
    assert found == {}


async def test_two_reviewers_at_one_record_do_not_overwrite_one_another(season: Village) -> None:
    async with season.signed_in("reviewer") as one, season.signed_in("admin") as other:
        seen, also = await form(one, SCHOOL), await form(other, SCHOOL)
        said = {"template": "name", "comment-name": "Ghi đủ tên."}
        await one.send(SCHOOL, {**seen, "decision": "returned", **said})
        late = await other.post(SCHOOL, {**also, "decision": "approved"})
        assert late.status_code == 409
        assert "Người khác vừa quyết định phiếu này" in late.text
        assert "<q>Ghi đủ tên.</q>" in late.text
        _, body = await document(season, f"review:unit:{UNIT}")
        assert body["decision"]["is"] == "returned"
        await other.send(SCHOOL, {**await form(other, SCHOOL), "decision": "approved"})
        _, body = await document(season, f"review:unit:{UNIT}")
        assert (body["decision"]["is"], merge.questions(body)) == ("approved", {})


@pytest.mark.parametrize(
    "said",
    [
        {"decision": "returned"},
        {"decision": "returned", "template": "other", "comment-other": "  "},
        {"decision": "returned", "template": "other", "comment-other": "x" * 201},
        {"decision": "burnt"},
    ],
)
async def test_a_return_says_why_in_at_most_200_characters(season: Village, said: dict[str, str]) -> None:
    async with season.signed_in("reviewer") as browser:
        answer = await browser.post(SCHOOL, {"digest": await digest(browser, SCHOOL), **said})
    assert answer.status_code == 422


async def test_ordinary_records_are_approved_in_bulk_and_others_are_not(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        page = (await browser.get(f"{QUEUE}?hamlet=nasam")).text
        shown = re.findall(r'name="shown" value="([^"]+)"', page)
        assert {one.rpartition("/")[0] for one in shown} == {
            f"nasam/pledge:antq-2026:{SIGNED_ULID}",
            *(one for one in listed(page) if "pledge:" in one),
            f"nasam/inspection:{INSPECTED}",
            f"nasam/outreach:{OUTREACH}",
        }
        page = (await browser.send(QUEUE, {"all": "1", "shown": shown, "hamlet": "nasam"})).text
        assert f"Đã duyệt {len(shown)} phiếu." in page
        assert not re.findall(r'name="shown"', page)
        assert f"nasam/inspection:{FAULTY}" in listed(page)


@pytest.mark.parametrize(
    ("values", "photos"),
    [
        ({"bell": False}, []),
        ({"bell": False, "fault": "Đứt dây"}, []),
        ({"bell": True}, [{"id": "a" * 64, "item": "picture"}]),
    ],
    ids=["a failed item", "a fault in words", "a picture that nobody saw"],
)
async def test_an_inspection_with_something_to_see_is_approved_by_nobody_unopened(
    season: Village, values: dict[str, Any], photos: list[dict[str, str]]
) -> None:
    camera = {"id": "picture", "kind": "photo", "label": "Ảnh chuông", "source": "thử", "max": 2}
    sections = [{"id": "one", "title": "Một", "items": [*ITEMS, camera]}]
    version = Change("checklist:ban-thu:2", {**CHECKLIST, "sections": sections})
    await season.office({"commune": [version]})
    answers = {"checklist": "ban-thu", "version": 2, "values": values}
    doc = record(
        f"inspection:{SEEN}",
        season.people["volunteer"],
        subject=f"model:{MODEL}",
        date="2026-03-01",
        answers=answers,
        photos=photos,
    )
    await season.phone("volunteer", "nasam", edit(doc, f"1-{9:032x}"))
    await season.parts.follower.catch_up()
    async with season.signed_in("reviewer") as browser:
        path = f"{QUEUE}/nasam/inspection:{SEEN}"
        page = (await browser.get(f"{QUEUE}?hamlet=nasam")).text
        assert f"nasam/inspection:{SEEN}" in listed(page)
        shown = re.findall(r'name="shown" value="([^"]+)"', page)
        assert not [one for one in shown if SEEN in one]
        forged = f"nasam/inspection:{SEEN}/{await digest(browser, path)}"
        answer = await browser.send(QUEUE, {"record": [forged]})
    assert "Chưa có phiếu nào được duyệt" in answer.text


async def test_bulk_approval_takes_nothing_that_must_be_opened_whatever_the_form_says(
    season: Village,
) -> None:
    async with season.signed_in("reviewer") as browser:
        seen = await digest(browser, SCHOOL)
        forged = [
            f"nasam/unit:{UNIT}/{seen}",
            f"nasam/inspection:{INSPECTED}/{'0' * 64}",
            "x",
            "a/b/c/d",
            "elsewhere/x/y",
        ]
        page = await browser.send(QUEUE, {"record": forged})
    assert "Chưa có phiếu nào được duyệt" in page.text


async def test_an_observer_sees_no_record(season: Village) -> None:
    async with season.signed_in("observer") as browser:
        for path in (QUEUE, SCHOOL, PLEDGE):
            assert (await browser.get(path)).status_code == 403


@pytest.mark.parametrize("path", ["nasam/unit:nothing", "elsewhere/unit:x", "nasam/review:unit:x"])
async def test_a_record_that_is_not_there_is_not_found(season: Village, path: str) -> None:
    async with season.signed_in("reviewer") as browser:
        assert (await browser.get(f"{QUEUE}/{path}")).status_code == 404
