"""What staff write into a record: it is a document's write, it is seen at once, and it sticks."""

import re
from html import unescape
from typing import Any

import orjson
import pytest

from server import archive
from server.office.edit import Form
from server.office.forms import day
from server.office.saving import differences
from server.scribe import Change
from sync import revtree
from sync.merge import CLEARED
from tests.server.documents import NOW
from tests.server.harness import edit, later
from tests.server.office.village import COLLIDED_ULID, SIGNED_ULID, Browser, Village, ulid

COLLIDED = f"/office/households/nasam/{COLLIDED_ULID}"
HISTORY = f"/office/history/nasam/household:{COLLIDED_ULID}"
SIGNED = f"/office/households/nasam/{SIGNED_ULID}"


async def document(made: Village, doc_id: str, db: str = "hamlet-nasam") -> tuple[str, dict[str, Any]]:
    """What stands in the store: revision and body."""
    found = (await made.parts.store.read(db, [doc_id], lambda _id, tree: revtree.leaves(tree)))[doc_id]
    assert len(revtree.live(found.tree)) == 1, "nothing is left in conflict"
    winner = revtree.winner(found.tree)
    return str(winner), orjson.loads(found.bodies[winner].json)


def fields(page: str) -> dict[str, str]:
    """The form of a household as the page fills it in."""
    kept = dict(re.findall(r'<input id="f-\w+" name="(\w+)" type="text" value="([^"]*)"', page))
    rev = re.search(r'name="rev" value="([^"]+)"', page)
    status = re.search(r'<option value="(\w+)" selected', page)
    assert rev
    assert status
    return {**kept, "rev": rev[1], "status": status[1]}


def hidden(page: str) -> dict[str, str]:
    """What a form carries unseen."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found if name not in {"csrf", "back"}}


async def opened(browser: Browser, path: str) -> dict[str, str]:
    return fields((await browser.get(f"{path}/edit")).text)


# ---- correcting -----------------------------------------------------------------------------------------


async def test_a_correction_is_a_new_revision_by_the_office_and_shows_in_the_history(made: Village) -> None:
    doc_id = f"household:{SIGNED_ULID}"
    async with made.signed_in("reviewer") as browser:
        form = await opened(browser, SIGNED)
        page = await browser.send(
            f"{SIGNED}/edit", {**form, "name": "  Vi  Thị Dung ", "house": "12A", "since": "5/2/2026"}
        )
    rev, body = await document(made, doc_id)
    reviewer = made.people["reviewer"]
    assert rev.startswith("2-")
    assert (body["name"], body["by"]) == ("Vi Thị Dung", reviewer)
    assert body["place"] == {"house": "12A", "lane": "Ngõ 1"}
    assert body["status"] == {"is": "resident", "since": "2026-02-05"}
    assert body["stamps"]["*"].endswith(f"-office{reviewer}")
    assert body["stamps"]["order"] != body["stamps"]["*"], "what was not changed keeps its stamp"
    assert "Đã sửa thông tin hộ." in page.text
    assert "Nông Văn Bình, 01/03/2026 09:03" in page.text
    assert ">Vi Thị Dũng</del>" in page.text


async def test_a_form_that_changes_nothing_writes_nothing(made: Village) -> None:
    before = await document(made, f"household:{SIGNED_ULID}")
    async with made.signed_in("reviewer") as browser:
        page = await browser.send(f"{SIGNED}/edit", await opened(browser, SIGNED))
    assert "Không có gì thay đổi." in page.text
    assert await document(made, f"household:{SIGNED_ULID}") == before


async def test_a_form_overtaken_by_a_phone_shows_both_and_asks(made: Village) -> None:
    doc_id = f"household:{SIGNED_ULID}"
    async with made.signed_in("reviewer") as browser:
        form = await opened(browser, SIGNED)
        rev, body = await document(made, doc_id)
        phone = later(
            {"_id": doc_id, **body}, made.people["volunteer"], NOW + 5000, name="Vi Thị Đào", order=9
        )
        await made.phone("volunteer", "nasam", edit(phone, f"2-{'7' * 32}", rev))
        await made.parts.follower.catch_up()
        asked = await browser.post(f"{SIGNED}/edit", {**form, "name": "Vi Thị Dung"})
        assert asked.status_code == 409
        both = re.findall(r'<p class="lines">(.*?)</p>', asked.text)
        assert both == ["Vi Thị Đào", "Vi Thị Dung"], (
            "what stands, what was typed, and no field that did not meet"
        )
        assert "Vi Văn Quân, 01/03/2026 09:03" in asked.text
        # another field of the same old form is no collision, and takes nothing back
        await browser.send(f"{SIGNED}/edit", {**form, "house": "7"})
    _, body = await document(made, doc_id)
    assert (body["name"], body["order"], body["place"]["house"]) == ("Vi Thị Đào", 9, "7")


async def test_who_was_asked_writes_their_own_over_what_they_saw_and_nothing_else(made: Village) -> None:
    doc_id = f"household:{SIGNED_ULID}"
    async with made.signed_in("reviewer") as browser, made.signed_in("admin") as quicker:
        form = await opened(browser, SIGNED)
        theirs = await opened(quicker, SIGNED)
        await quicker.send(f"{SIGNED}/edit", {**theirs, "name": "Vi Thị Đào", "order": "9"})
        asked = await browser.post(f"{SIGNED}/edit", {**form, "name": "Vi Thị Dung"})
        again = hidden(asked.text)
        # a third change meets the answer: nobody has seen that one, so it asks again
        await quicker.send(f"{SIGNED}/edit", {**await opened(quicker, SIGNED), "name": "Vi Thị Đậu"})
        asked = await browser.post(f"{SIGNED}/edit", again)
        assert (asked.status_code, "Vi Thị Đậu" in asked.text) == (409, True)
        await browser.send(f"{SIGNED}/edit", hidden(asked.text))
    _, body = await document(made, doc_id)
    assert (body["name"], body["order"]) == ("Vi Thị Dung", 9), (
        "the order that the form showed is not brought back"
    )


async def test_two_who_edit_one_bulletin_are_asked_too(made: Village) -> None:
    bulletin = "01J8ZQ4T6N3VXK2M5R7W770001"
    told = {"title": "Phát động", "text": "Sáng thứ bảy.", "from": "2026-03-01", "until": "2026-03-08"}
    await made.office({"commune": [Change(f"bulletin:{bulletin}", {**told, "hamlets": []})]})
    path = f"/office/bulletins/{bulletin}/edit"
    async with made.signed_in("reviewer") as browser, made.signed_in("admin") as quicker:
        form, theirs = [hidden((await one.get(path)).text) for one in (browser, quicker)]
        typed = {"title": "Phát động", "starts": "01/03/2026", "until": "08/03/2026"}
        await quicker.send(path, {**theirs, **typed, "text": "Dời sang chủ nhật."})
        asked = await browser.post(path, {**form, **typed, "text": "Sáng thứ bảy, 8 giờ."})
        assert asked.status_code == 409
        assert "Dời sang chủ nhật." in asked.text
        # what both say alike is no question
        assert (await browser.post(path, {**form, **typed, "text": "Dời sang chủ nhật."})).status_code == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "Vi\u0007Thị"),
        ("house", "x" * 41),
        ("lane", "x" * 81),
        ("order", "-1"),
        ("order", "1.5"),
        ("order", "1000000"),
        ("status", "merged_into"),
        ("status", "sold"),
        ("since", "2026-02-05"),
        ("since", "30/02/2026"),
        ("since", ""),
    ],
)
async def test_a_wrong_field_is_marked_and_nothing_is_written(made: Village, field: str, value: str) -> None:
    before = await document(made, f"household:{SIGNED_ULID}")
    async with made.signed_in("reviewer") as browser:
        answer = await browser.post(f"{SIGNED}/edit", {**await opened(browser, SIGNED), field: value})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert await document(made, f"household:{SIGNED_ULID}") == before


def test_a_cleared_place_is_cleared_and_days_are_read_as_they_are_written_here() -> None:
    form = Form("1-x", "A", "", "", "7", "moved", "1/9/2026")
    assert form.wrong() == {}
    assert differences(form.fields(), {"name": "A", "order": 7, "place": {"lane": "x"}}) == {
        "place": CLEARED,
        "status": {"is": "moved", "since": "2026-09-01"},
    }
    for text, iso in (("05/09/2026", "2026-09-05"), ("5-9-2026", "2026-09-05"), ("31.12.2026", "2026-12-31")):
        found = day(text)
        assert found
        assert found.isoformat() == iso
    for text in ("9/31/2026", "5/9/26", "x", "٥/٩/2026x"):
        assert day(text) is None


# ---- a value that lost ----------------------------------------------------------------------------------


async def test_a_lost_value_is_shown_with_who_wrote_it_and_comes_back_with_one_click(made: Village) -> None:
    doc_id = f"household:{COLLIDED_ULID}"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(COLLIDED)).text
        assert "<h1>Hộ Tên Đến Sau</h1>" in page
        lost = page.split('<li class="lost">')[1].split("</li>")[0]
        assert "Vi Văn Quân" in lost
        assert "Tên Thua Cuộc" in lost
        assert page.count('class="lost"') == 1, "the value that was overwritten knowingly is not lost"
        asked = hidden(lost) | {"back": COLLIDED}
        after = await browser.send(HISTORY, asked)
        assert "<h1>Hộ Tên Thua Cuộc</h1>" in after.text
        assert "Đã khôi phục giá trị." in after.text
        again = await browser.send(HISTORY, asked)
        assert "không còn cần khôi phục" in again.text
    _, body = await document(made, doc_id)
    assert (body["name"], body["order"]) == ("Tên Thua Cuộc", 77), "the other phone's order stays"

    # it sticks: a phone that never heard of it goes on from its own old revision
    stale = later(
        {"_id": doc_id, **body, "name": "Tên Đến Sau", "stamps": {"*": f"{NOW + 2000:013d}-0000-phonex"}},
        made.people["volunteer2"],
        NOW + 9000,
        order=5,
    )
    stale["stamps"]["name"] = f"{NOW + 2000:013d}-0000-phone{made.people['volunteer2']}"
    for field in ("status", "place"):
        if field in stale:
            stale["stamps"][field] = body["stamps"][field]
    await made.phone("volunteer2", "nasam", edit(stale, f"3-{'8' * 32}", f"2-{'4'.rjust(32, '0')}"))
    _, body = await document(made, doc_id)
    assert (body["name"], body["order"]) == ("Tên Thua Cuộc", 5)


async def test_what_stands_is_not_restored_and_what_is_no_field_neither(made: Village) -> None:
    before = await document(made, f"household:{COLLIDED_ULID}")
    async with made.signed_in("reviewer") as browser:
        for asked in ({"rev": before[0], "field": "name"}, {"rev": "1-x", "field": "stamps"}, {}):
            page = await browser.send(HISTORY, {"id": f"household:{COLLIDED_ULID}", **asked})
            assert "không còn cần khôi phục" in page.text
    assert await document(made, f"household:{COLLIDED_ULID}") == before


# ---- withdrawing ----------------------------------------------------------------------------------------


async def test_a_withdrawal_is_one_more_act_and_signing_again_is_another(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(SIGNED)).text
        asked = dict(re.findall(r'name="(pledge|act)" value="([^"]+)"', page))
        after = await browser.send(f"{SIGNED}/withdraw", asked)
        assert "Đã ghi nhận việc thu hồi cam kết." in after.text
        assert "Nông Văn Bình đã ghi nhận thu hồi, 01/03/2026 09:03" in after.text
        assert "Thu hồi cam kết: Vi Thị Dũng" in after.text
        assert "/withdraw" not in after.text, "what does not stand cannot be withdrawn"
        twice = await browser.send(f"{SIGNED}/withdraw", asked)
        assert "đã được thu hồi hoặc đã hủy từ trước" in twice.text
        home = await browser.get("/office")
    _, body = await document(made, asked["pledge"])
    assert [act["kind"] for act in body["acts"]] == ["visit", "signed", "withdrawn"]
    assert body["acts"][-1]["by"] == made.people["reviewer"]
    assert [act["id"] for act in body["acts"]] == sorted(act["id"] for act in body["acts"])
    assert re.search(
        r"Thôn Nà Sầm</a></th>\s*<td[^>]*><span>59</span></td>\s*<td[^>]*><span[^>]*>0</span>", home.text
    )


async def test_only_a_signing_of_this_household_can_be_withdrawn(made: Village) -> None:
    other = f"pledge:antq-2026:{ulid(1, 1)}"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(SIGNED)).text
        pledge = re.search(r'name="pledge" value="([^"]+)"', page)
        assert pledge
        for asked in (
            {"pledge": pledge[1], "act": "01J8ZQ5A000000000000000001"},  # a visit
            {"pledge": other, "act": "01J8ZQ5A000000000000000011"},
            {"pledge": "", "act": ""},
        ):
            assert (await browser.post(f"{SIGNED}/withdraw", asked)).status_code == 404


async def over(made: Village, kind: str, **fields: Any) -> None:
    """A later program's revision in the store, as a restore or a peer brings it, and in the archive."""
    doc_id = f"{kind}:{SIGNED_ULID}"
    rev, body = await document(made, doc_id)
    doc = later({"_id": doc_id, **body}, made.people["volunteer"], NOW + 5000, **fields) | {"v": 2}
    newer = edit(doc, "2-zz", rev)
    with made.parts.rows.begin() as rows:
        archive.keep(rows, [archive.Entry.of("hamlet-nasam", newer, "sent")], "2026-03-01T03:00:00Z", None)
    await made.parts.store.graft("hamlet-nasam", [newer])
    await made.parts.follower.catch_up()


@pytest.mark.parametrize("kind", ["household", "pledge:antq-2026"])
async def test_a_record_that_a_newer_program_wrote_over_is_still_there_and_says_so(
    made: Village, kind: str
) -> None:
    async with made.signed_in("reviewer") as browser:
        before = (await browser.get("/office")).text
        await over(made, kind, acts=7, status={"is": "?"}, place={"house": 3}, heat=[1, True])
        page = await browser.get(SIGNED)
        after = (await browser.get("/office")).text
    assert page.status_code == 200
    assert "Có bản ghi mới hơn" in page.text
    assert "Do bản ứng dụng mới hơn ghi; chưa áp dụng" in page.text
    assert "<dt>heat</dt>" in page.text
    assert "máy chủ này chưa đọc được" in page.text
    assert "[1, true]" not in page.text, "nobody is shown what the wire looks like"
    assert "Đã ký" in page.text
    assert re.findall(r"<td.*?</td>", before) == re.findall(r"<td.*?</td>", after), "coverage loses nobody"
