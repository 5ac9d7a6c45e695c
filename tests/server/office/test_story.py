"""The history of every kind of record, in words, and a value that is brought back from it."""

import re

import pytest
from sqlalchemy import select

from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Change
from sync.rev import Rev
from tests.server.documents import NOW, THIRD, pledge, visit
from tests.server.harness import edit
from tests.server.office.season import FAULTY, MODEL, UNIT, furnish, two_answer
from tests.server.office.test_duplicates import TWIN, merge, twin
from tests.server.office.test_edits import document, hidden
from tests.server.office.village import COLLIDED_ULID, SIGNED_ULID, Village

INSPECTION = f"inspection:{FAULTY}"
_archive = table(tables.Archive)


@pytest.fixture
async def made(made: Village) -> Village:
    await furnish(made)
    return made


def entries(page: str) -> list[str]:
    """Each entry of a history as plain text, the newest first."""
    found = page.split('<ol class="history">')[1].split("</ol>", maxsplit=1)[0].split("<li")[1:]
    return [" ".join(re.sub(r"<[^>]+>", " ", one.partition(">")[2]).split()) for one in found]


def archived(made: Village) -> set[tuple[str, str]]:
    with readers(made.parts.rows).begin() as rows:
        return {(row.db, row.id) for row in rows.execute(select(_archive.c.db, _archive.c.id))}


async def test_every_kind_of_record_has_a_history_in_words(made: Village) -> None:
    await two_answer(made)
    await made.office(
        {"commune": [Change(f"model:{MODEL}", {"decision": {"number": "7", "date": "2026-01-02"}})]}
    )
    kinds = set()
    async with made.signed_in("admin") as browser:
        for db, doc_id in archived(made):
            if doc_id.startswith("signature:"):
                continue
            kinds.add(doc_id.partition(":")[0])
            page = await browser.get(f"/office/history/{db.removeprefix('hamlet-')}/{doc_id}")
            assert page.status_code == 200, doc_id
            shown = " ".join(entries(page.text))
            assert not re.search(r"[{}\[\]]|office\.|null|None|true|false", shown), shown
    assert kinds >= {
        "household",
        "pledge",
        "unit",
        "model",
        "inspection",
        "outreach",
        "bulletin",
        "checklist",
    }
    assert kinds >= {"campaign", "clauses", "notice", "hamlet"}


async def test_an_inspection_tells_each_question_with_the_answer_before_and_after(made: Village) -> None:
    await two_answer(made)
    async with made.signed_in("reviewer") as browser:
        told = entries((await browser.get(f"/office/history/nasam/{INSPECTION}")).text)
    assert told[0].startswith("Máy chủ gộp các lần ghi cùng lúc")
    assert "Đàm Thị Mai" in told[1]
    assert "Hỏng gì Trước: Hết pin → Sau: Đứt dây" in told[1]
    assert "Chuông kêu Trước: Không → Sau: Có" in told[2]
    assert "Hỏng gì Trước: Hết pin không còn" in told[2]
    assert "Đang chờ chọn: hai bản cùng lúc" in told[2]
    assert "Danh mục Sau: Bản thử, phiên bản 1" in told[3]


async def test_a_unit_is_told_with_its_pledge_and_its_review(made: Village) -> None:
    by = made.people["volunteer"]
    act = {
        "id": "01J8ZQ5A000000000000009999",
        "at": "2026-03-01T02:03:04Z",
        "by": by,
        "kind": "visit",
        "result": "come_back",
    }
    pledge = {
        "_id": f"pledge:antq-2026:{UNIT}",
        "type": "pledge",
        "v": 1,
        "by": by,
        "stamps": {"*": f"{NOW:013d}-0000-phone{by}"},
        "acts": [act],
    }
    await made.phone("volunteer", "nasam", edit(pledge, f"1-{'9' * 32}"))
    returned = {"is": "returned", "digest": "0" * 64, "comment": "Ghi rõ tên trường."}
    await made.office({"hamlet-nasam": [Change(f"review:unit:{UNIT}", {"decision": returned})]}, "reviewer")
    async with made.signed_in("reviewer") as browser:
        told = entries((await browser.get(f"/office/history/nasam/unit:{UNIT}")).text)
    assert any("Duyệt phiếu" in one and "Đã trả lại: Ghi rõ tên trường." in one for one in told)
    assert any("Hẹn quay lại" in one for one in told)
    assert any("Ghi đơn vị lần đầu" in one and "Loại đơn vị Sau: Cơ sở giáo dục" in one for one in told)


async def test_a_value_is_brought_back_from_a_branch_of_which_the_store_knows_nothing_any_more(
    made: Village,
) -> None:
    doc_id, store = f"household:{COLLIDED_ULID}", made.parts.store
    await store.set_revs_limit("hamlet-nasam", 1)
    await made.office({"hamlet-nasam": [Change(doc_id, {"order": 78})]})
    await store.compact("hamlet-nasam")
    tree = (await store.trees("hamlet-nasam", [doc_id]))[doc_id]
    assert Rev.parse(f"2-{'3'.rjust(32, '0')}") not in tree, "the losing branch is stemmed away"
    path = f"/office/history/nasam/{doc_id}"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(path)).text
        lost = page.split('<li class="lost">')[1].split("</li>")[0]
        await browser.send(path, hidden(lost))
        log = entries((await browser.get(path)).text)
    async with made.signed_in("admin") as browser:
        audit = (await browser.get("/office/audit")).text
    assert (await document(made, doc_id))[1]["name"] == "Tên Thua Cuộc"
    assert "Chủ hộ Trước: Tên Đến Sau → Sau: Tên Thua Cuộc" in log[0]
    assert f"hamlet-nasam/{doc_id}" in audit
    assert "Khôi phục giá trị" in audit


async def test_a_value_that_was_replaced_knowingly_can_be_brought_back_too(made: Village) -> None:
    path = f"/office/history/nasam/household:{SIGNED_ULID}"
    before = (await document(made, f"household:{SIGNED_ULID}"))[1]
    await made.office({"hamlet-nasam": [Change(f"household:{SIGNED_ULID}", {"name": "Gõ Nhầm"})]})
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(path)).text
        form = next(one for one in page.split("<form")[1:] if 'value="name"' in one)
        assert "Không được chọn" not in page, "it lost against nobody"
        await browser.send(path, hidden(form))
    assert (await document(made, f"household:{SIGNED_ULID}"))[1]["name"] == before["name"]


async def test_nothing_is_brought_back_over_what_the_page_has_not_shown(made: Village) -> None:
    doc_id = f"household:{COLLIDED_ULID}"
    path = f"/office/history/nasam/{doc_id}"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(path)).text
        lost = page.split('<li class="lost">')[1].split("</li>")[0]
        await made.office({"hamlet-nasam": [Change(doc_id, {"name": "Tên Mới Nhất"})]})
        after = await browser.send(path, hidden(lost))
    assert "Vừa có người khác sửa" in after.text
    assert (await document(made, doc_id))[1]["name"] == "Tên Mới Nhất"


async def test_acts_that_came_with_a_merged_household_are_told_with_it_and_with_who_did_what(
    made: Village,
) -> None:
    await twin(made)
    by = made.people["volunteer2"]
    visited = pledge(visit(THIRD, by=by), by=by, ulid=TWIN)
    await made.phone("volunteer2", "nasam", edit(visited, f"1-{'c' * 32}"))
    await merge(made, TWIN, SIGNED_ULID)
    base = "/office/households/nasam"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(f"{base}/{SIGNED_ULID}")).text
        assert f'<dt>Đã gộp vào hộ này</dt><dd><a href="{base}/{TWIN}">vi thi dung</a></dd>' in page
        told = " ".join(entries(page))
        assert "Chuyển sang từ hộ vi thi dung, Nông Văn Bình gộp 01/03/2026 09:03" in told
        assert "Đã gặp (Đàm Thị Mai, 01/03/2026 09:03)" in told
        assert not any(one.startswith("Máy chủ gộp") for one in entries(page))
        other = (await browser.get(f"{base}/{TWIN}")).text
        assert f'<dt>Gộp vào hộ</dt><dd><a href="{base}/{SIGNED_ULID}">' in other
        # they are two again, and the history says still where those acts had come from
        await browser.send("/office/duplicates", {"hamlet": "nasam", "one": TWIN, "do": "part"})
        page = (await browser.get(f"{base}/{SIGNED_ULID}")).text
    assert "Đã gộp vào hộ này" not in page
    assert any(one.startswith("Chuyển sang từ hộ vi thi dung") for one in entries(page))
