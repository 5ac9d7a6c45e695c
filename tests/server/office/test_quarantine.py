"""Held records at the office: what each says and will become, released or sent away, one or many."""

from dataclasses import replace

import orjson
import pytest

from server import ledger, quarantine
from server.admission import caller_of
from server.projection import standing_acts
from server.rows import tables
from server.rows.engine import readers, table
from server.words import words
from sync.store.interface import Edit
from tests.server.documents import NOW, SECOND, THIRD, pledge, visit
from tests.server.harness import edit, later, restored
from tests.server.office.test_edits import document
from tests.server.office.village import SIGNED_ULID, VISITED_ULID, Village

DAY = 24 * 3_600_000


async def hold(made: Village, *edits: Edit, skew_ms: int = 0) -> None:
    """A phone hands in what must wait: of a revoked device, or with a wrong clock."""
    grant = replace(made.grant("volunteer"), live=bool(skew_ms))
    answers = await made.parts.intake.admit(caller_of(grant, words("vi"), skew_ms), "hamlet-nasam", edits)
    assert [getattr(answer, "name", "") for answer in answers] == ["quarantined"] * len(edits)


async def renamed(made: Village, ulid: str, digit: str, at: int = NOW + 5000) -> Edit:
    rev, body = await document(made, f"household:{ulid}")
    doc = {"_id": f"household:{ulid}", **body}
    return edit(later(doc, made.people["volunteer"], at, name="Tên Đã Sửa"), f"2-{digit * 32}", rev)


def numbers(made: Village) -> list[int]:
    source = table(tables.Quarantine)
    with readers(made.parts.rows).begin() as rows:
        return [row.number for row in rows.execute(source.select().where(source.c.state == "waiting"))]


async def test_one_record_shows_what_it_will_become_and_enters_like_that(made: Village) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7", NOW + 5000 - DAY), skew_ms=DAY)
    (number,) = numbers(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/quarantine/{number}")).text
        assert "phiếu chờ này tự khép" in page
        assert "Tên Đã Sửa" in page
        assert page.count("Điện thoại của người gửi báo") == 2
        assert 'value="1440"' in page
        assert "28/02/2026 09:03</del>" in page
        assert "01/03/2026 09:03</ins>" in page
        page = (await browser.get(f"/office/quarantine/{number}?minutes=1500")).text
        assert "Giờ này chưa tới" in page
        done = await browser.send(f"/office/quarantine/{number}", {"do": "release", "minutes": "1380"})
    assert "Đã nhận 1 phiếu." in done.text
    _, body = await document(made, f"household:{SIGNED_ULID}")
    assert body["name"] == "Tên Đã Sửa"
    assert numbers(made) == []


async def test_nobody_is_promised_to_hear_on_a_phone_that_was_revoked(made: Village) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"))
    (number,) = numbers(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/quarantine/{number}")).text
    assert "không còn được báo gì" in page
    assert "điện thoại của người gửi" not in page.lower()


async def test_chosen_records_are_released_and_the_others_wait(made: Village) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"), await renamed(made, VISITED_ULID, "8"))
    first, second = numbers(made)
    async with made.signed_in("reviewer") as browser:
        page = await browser.send("/office/quarantine", {"number": [str(first)], "do": "release"})
        assert "Đã nhận 1 phiếu." in page.text
        assert numbers(made) == [second]
        page = await browser.send("/office/quarantine", {"number": [str(second)], "do": "discard"})
    assert "không nhận 1 phiếu" in page.text
    assert numbers(made) == []
    assert (await document(made, f"household:{SIGNED_ULID}"))[1]["name"] == "Tên Đã Sửa"
    assert (await document(made, f"household:{VISITED_ULID}"))[1]["name"] != "Tên Đã Sửa"


async def test_all_that_was_sent_again_after_a_restore_is_released_at_once(made: Village) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"), await renamed(made, VISITED_ULID, "8"))
    source = table(tables.Quarantine)
    with made.parts.rows.begin() as rows:
        rows.execute(source.update().where(source.c.number == min(numbers(made))).values(why="recovered"))
    async with made.signed_in("reviewer") as browser:
        assert "được các máy gửi lại" not in (await browser.get("/office/quarantine")).text, "never restored"
        await browser.send("/office/quarantine", {"every": "recovered", "do": "release"})
        assert len(numbers(made)) == 2
        restored(made.parts.rows)
        assert "1 phiếu được các máy gửi lại" in (await browser.get("/office/quarantine")).text
        page = await browser.send("/office/quarantine", {"every": "recovered", "do": "release"})
    assert "Đã nhận 1 phiếu." in page.text
    assert len(numbers(made)) == 1


async def test_what_others_gave_back_shows_its_alleged_author_what_stands_and_no_review_enters_by_the_dozen(
    made: Village,
) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"), await renamed(made, VISITED_ULID, "8"))
    first, second = numbers(made)
    source, author = table(tables.Quarantine), made.people["reviewer"]
    body = {**(await document(made, f"household:{SIGNED_ULID}"))[1], "by": author, "name": "Tên Đã Sửa"}
    changes: list[dict[str, object]] = [
        {"why": "recovered", "body": orjson.dumps(body)},
        {"why": "recovered", "doc_id": f"review:household:{VISITED_ULID}"},
    ]
    with made.parts.rows.begin() as rows:
        for number, values in zip((first, second), changes, strict=True):
            rows.execute(source.update().where(source.c.number == number).values(**values))
    restored(made.parts.rows)
    before = (await document(made, f"household:{SIGNED_ULID}"))[1]["name"]
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/quarantine/{first}")).text
        assert "chưa xác minh" in page
        assert "Tên Đã Sửa</ins>" in page
        assert f"{before}</del>" in page
        assert "1 phiếu được các máy gửi lại" in (await browser.get("/office/quarantine")).text
        await browser.send("/office/quarantine", {"every": "recovered", "do": "release"})
        assert numbers(made) == [second]
        told = (await browser.get(f"/office/history/nasam/household:{SIGNED_ULID}")).text
        assert "gửi lại, chưa xác minh với người ghi" in told
        with made.parts.rows.begin() as rows:
            rows.execute(source.update().where(source.c.number == second).values(why="stranger"))
        assert "tự nhận là" in (await browser.get("/office/quarantine")).text
        with made.parts.rows.begin() as rows:  # since the backup: no row of the phone is left to say it
            ledger.note_revoked(rows, [("", made.grant("volunteer").device or "")], "x", "console")
        assert "Máy đã bị thu hồi sau bản sao lưu" in (await browser.get("/office/quarantine")).text


async def test_pictures_and_what_the_office_itself_had_written_are_listed_too(
    made: Village,
) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"), await renamed(made, VISITED_ULID, "8"))
    picture, shared = numbers(made)
    source = table(tables.Quarantine)
    with made.parts.rows.begin() as rows:
        for number, db in ((picture, "media-nasam"), (shared, "commune")):
            rows.execute(source.update().where(source.c.number == number).values(db=db))
    for role, seen in (("reviewer", [picture]), ("admin", [picture, shared])):
        async with made.signed_in(role) as browser:
            page = (await browser.get("/office/quarantine")).text
            assert [number for number in (picture, shared) if f"/office/quarantine/{number}" in page] == seen
            assert (await browser.get(f"/office/quarantine/{picture}")).status_code == 200


async def test_a_record_of_a_hamlet_that_is_nowhere_is_taken_into_one_that_staff_name(
    made: Village,
) -> None:
    """The hamlet was founded after the backup that was restored, and nobody founds it again."""
    await hold(made, await renamed(made, SIGNED_ULID, "7"))
    (number,) = numbers(made)
    new = "01J8ZQ4T6N3VXK2M5R7W9Y0ZZZ"
    source = table(tables.Quarantine)
    with made.parts.rows.begin() as rows:
        held = source.update().where(source.c.number == number)
        rows.execute(held.values(db="hamlet-matroi", doc_id=f"household:{new}", path=["1-7"], rev="1-7"))
    async with made.signed_in("admin") as browser:
        page = (await browser.get(f"/office/quarantine/{number}")).text
        assert "Hãy chọn thôn mà phiếu thuộc về" in page
        assert '<option value="nasam">' in page
        listed = (await browser.get("/office/quarantine")).text
        one = (await browser.get(f"/office/quarantine/{number}")).text
        assert all("thôn không còn trên máy chủ (mã matroi)" in page for page in (listed, one))
        assert "phiếu vào hồ sơ ở thôn được chọn" in one, "what taking it means is said"
        assert ">Nhận vào thôn đã chọn</button>" in one
        assert "Nếu nhận, giờ sẽ là" not in one, "and no times are promised that are not shown"
        wrong = {"do": "release", "into": "matroi"}
        assert (await browser.post(f"/office/quarantine/{number}", wrong)).status_code == 400
        await browser.send(f"/office/quarantine/{number}", {"do": "release", "into": ""})
        assert numbers(made) == [number]
        await browser.send(f"/office/quarantine/{number}", {"do": "release", "into": "nasam"})
    assert numbers(made) == []
    assert (await document(made, f"household:{new}"))[1]["name"] == "Tên Đã Sửa"


async def test_what_belongs_to_one_household_of_a_lost_hamlet_is_taken_into_one_hamlet(made: Village) -> None:
    """Its pledge was let in first, and whoever lets in the household has not seen where."""
    new, by = "01J8ZQ4T6N3VXK2M5R7W9Y0ZZZ", made.people["volunteer"]
    _, body = await document(made, f"household:{SIGNED_ULID}")
    lost = [
        pledge(visit(SECOND, by=by), by=by, ulid=new),
        {"_id": f"household:{new}", **body},
        {**pledge(visit(THIRD, by=by), by=by, ulid=new), "_id": f"pledge:antq-2025:{new}"},
    ]
    with made.parts.rows.begin() as rows:
        held = [quarantine.Held("hamlet-matroi", edit(one, "1-7"), "recovered", by, "phone1") for one in lost]
        quarantine.hold(rows, held, "2026-03-01T02:03:04Z")
    first, *others = numbers(made)
    async with made.signed_in("admin") as browser:
        await browser.send(f"/office/quarantine/{first}", {"do": "release", "into": "nasam"})
        for number in others:
            page = (await browser.get(f"/office/quarantine/{number}")).text
            assert "Hãy chọn thôn mà phiếu thuộc về" not in page
            assert "nhận thì phiếu vào Thôn Nà Sầm" in page
            form = {"do": "release", "into": "bandanh"}
            done = await browser.send(f"/office/quarantine/{number}", form)
            assert "Đã nhận phiếu vào Thôn Nà Sầm" in done.text
    assert numbers(made) == []
    for one in lost:
        assert (await document(made, one["_id"]))[1]["by"] == one["by"]
    assert new not in str(await made.parts.store.trees("hamlet-bandanh", [one["_id"] for one in lost]))


async def test_choosing_nothing_decides_nothing(made: Village) -> None:
    await hold(made, await renamed(made, SIGNED_ULID, "7"))
    async with made.signed_in("reviewer") as browser:
        for form in (
            {"do": "release"},
            {"do": "discard", "number": ["x", "99999"]},
            {"every": "all", "do": "discard"},
        ):
            page = await browser.send("/office/quarantine", form)
            assert "Chưa chọn phiếu nào." in page.text
    assert len(numbers(made)) == 1


@pytest.mark.parametrize("number", ["0", "99", "x", "1x", "٣", "1" * 30])
async def test_a_number_that_does_not_wait_is_not_found(made: Village, number: str) -> None:
    async with made.signed_in("reviewer") as browser:
        assert (await browser.get(f"/office/quarantine/{number}")).status_code == 404
        assert (await browser.post(f"/office/quarantine/{number}", {"do": "release"})).status_code == 404


async def test_what_a_newer_app_wrote_is_listed_with_its_reason_and_waits_for_the_update(
    made: Village,
) -> None:
    rev, body = await document(made, f"household:{SIGNED_ULID}")
    sent = later(
        {"_id": f"household:{SIGNED_ULID}", **body}, made.people["volunteer"], NOW + 5000, name="Khác"
    )
    strange = sent | {
        "v": 2,
        "acts": 7,
        "status": {"is": "resident", "since": [1]},
        "place": {"house": 3},
        "heat": [1, True],
    }
    caller = caller_of(made.grant("volunteer"), words("vi"))
    (answer,) = await made.parts.intake.admit(caller, "hamlet-nasam", [edit(strange, "2-z", rev)])
    assert getattr(answer, "name", "") == "quarantined"
    (number,) = numbers(made)
    async with made.signed_in("reviewer") as browser:
        assert "Do bản ứng dụng mới hơn ghi" in (await browser.get("/office/quarantine")).text
        page = (await browser.get(f"/office/quarantine/{number}")).text
        assert "heat: (do bản ứng dụng mới hơn ghi" in page
        assert "Hãy cập nhật máy chủ rồi nhận" in page
        await browser.post(f"/office/quarantine/{number}", {"do": "release"})
    assert numbers(made) == [number]
    assert await document(made, f"household:{SIGNED_ULID}") == (rev, body)


async def test_of_two_acts_by_one_id_the_office_takes_the_right_one_instead(made: Village) -> None:
    doc_id = f"pledge:antq-2026:{SIGNED_ULID}"
    rev, body = await document(made, doc_id)
    acts = [{**act, "signer": "Người Đúng"} if act["kind"] == "signed" else act for act in body["acts"]]
    true = edit({"_id": doc_id, **body, "acts": acts}, f"2-{'7' * 32}", rev)
    held = quarantine.Held("hamlet-nasam", true, "altered", made.people["volunteer"], "phone1")
    with made.parts.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
    (number,) = numbers(made)
    async with made.signed_in("reviewer") as browser:
        assert "Nhận phiếu này thay thế" in (await browser.get(f"/office/quarantine/{number}")).text
        await browser.send("/office/quarantine", {"number": [str(number)], "do": "release"})
        assert numbers(made) == [number], "whoever takes many at once has not looked at both"
        done = await browser.send(f"/office/quarantine/{number}", {"do": "instead", "minutes": "0"})
    assert "Đã nhận 1 phiếu." in done.text
    _, body = await document(made, doc_id)
    stands = standing_acts(body["acts"])
    signers = {act.get("signer") for act in body["acts"] if act["id"] in stands} - {None}
    assert signers == {"Người Đúng"}
