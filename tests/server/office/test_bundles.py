"""Files of sealed records at the office: they enter as through a phone, and receipts go back."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from server.auth import devices, users
from server.auth.grant import Role
from server.bundle import LINES, name_of
from server.office.bundles import reasons, spans
from server.rows import tables
from server.rows.engine import readers, table
from sync import revtree
from sync.store.interface import StoreFull
from tests.server.http.served import Phone, Served
from tests.server.office.test_quarantine import numbers
from tests.server.office.village import Browser, Village, ulid

PLACES = [ulid(0, number) for number in range(20, 30)]


def joining(made: Village, http: httpx.AsyncClient) -> Served:
    """The village as phones see it; its volunteer is Mai."""
    with made.parts.rows.begin() as rows:
        mai = users.add(rows, "Lý Thị Mai", Role.VOLUNTEER, by="console", now=made.now, hamlets=["nasam"])
    return Served(http, made.parts, mai)


@pytest.fixture
async def phones(made: Village) -> AsyncIterator[Served]:
    async with made.browser() as http:
        yield joining(made, http)


@pytest.fixture
async def mai(phones: Served) -> Phone:
    return await phones.phone()


@pytest.fixture
async def lan(phones: Served) -> Phone:
    return await phones.phone(phones.person("Vi Văn Lan", hamlets=["nasam"]))


def saved(mine: Phone, *places: str) -> list[bytes]:
    return [mine.seal(mine.visit(place)) for place in places]


async def sent(browser: Browser, *files: bytes | tuple[str, bytes]) -> httpx.Response:
    named = [one if isinstance(one, tuple) else ("camket-phieu.txt", one) for one in files]
    return await browser.post(
        "/office/bundles", files=[("files", (name, data, "text/plain")) for name, data in named]
    )


async def result(browser: Browser, *files: bytes | tuple[str, bytes]) -> str:
    """What the page says of these files, without its marks."""
    answer = await sent(browser, *files)
    assert answer.status_code == 303, answer.text
    return said(await browser.get(answer.headers["location"]))


def said(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main")[1]).split())


async def here(made: Village, *places: str) -> list[bool]:
    ids = [f"pledge:antq-2026:{place}" for place in places]
    trees = await made.parts.store.trees("hamlet-nasam", ids)
    return [doc_id in trees and bool(revtree.live(trees[doc_id])) for doc_id in ids]


def log(made: Village) -> list[tuple[str, str, str]]:
    source = table(tables.Audit)
    with readers(made.parts.rows).begin() as rows:
        asked = select(source).where(source.c.action == "bundle.handed_in").order_by(source.c.number)
        return [(row.actor, row.action, row.subject) for row in rows.execute(asked)]


async def test_two_files_of_two_phones_enter_and_the_log_has_counts_alone(
    made: Village, mai: Phone, lan: Phone
) -> None:
    async with made.signed_in("reviewer") as browser:
        page = await result(
            browser, mai.bundle(*saved(mai, *PLACES[:2])), ("của Lan.txt", lan.bundle(*saved(lan, PLACES[2])))
        )
        assert "Đã nhận 3 phiếu mới." in page
        assert "không nhận được" not in page
        assert "của Lan.txt" not in page, "nothing is wrong with it"
    assert await here(made, *PLACES[:4]) == [True, True, True, False]
    who = made.people["reviewer"]
    assert log(made) == [
        (who, "bundle.handed_in", "received=2 known=0 held=0 refused=0"),
        (who, "bundle.handed_in", "received=1 known=0 held=0 refused=0"),
    ]
    async with made.signed_in("admin") as browser:
        assert "Nhận tệp phiếu mang đến" in (await browser.get("/office/audit")).text


async def test_a_bundle_comes_by_halves_out_of_order_late_and_twice(made: Village, mai: Phone) -> None:
    records = saved(mai, *PLACES[:3])
    whole = mai.bundle(*records)
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, whole[: -len(records[2])])
        assert "Đã nhận 2 phiếu mới." in page
        assert "1 phiếu không nhận được." in page
        assert "Dòng 4 Không mở được phiếu này" in page
        page = await result(browser, mai.bundle(*reversed(records), records[2]))
        assert "Đã nhận 1 phiếu mới." in page
        assert "3 phiếu đã có từ trước" in page
    made.now += timedelta(days=200)
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, whole, b"\xef\xbb\xbf" + whole.replace(b"\n", b"\r\n"))
        assert "6 phiếu đã có từ trước" in page
        assert "phiếu mới" not in page


async def test_what_a_phone_had_sent_itself_was_there_already(made: Village, mai: Phone) -> None:
    records = saved(mai, *PLACES[:2])
    await mai.hand_in(records[0])
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, mai.bundle(*records))
    assert "Đã nhận 1 phiếu mới." in page
    assert "1 phiếu đã có từ trước" in page


async def test_a_revoked_phone_and_a_wrong_clock_wait_for_staff(
    made: Village, mai: Phone, lan: Phone
) -> None:
    lan.skew = timedelta(hours=2)
    bundles = mai.bundle(*saved(mai, PLACES[0])), lan.bundle(*saved(lan, PLACES[1]))
    with made.parts.rows.begin() as rows:
        devices.revoke(rows, mai.device, by="console", now=made.now)
    async with made.signed_in("reviewer") as browser:
        for _ in range(2):
            answer = await sent(browser, *bundles)
            page = await browser.get(answer.headers["location"])
            assert "2 phiếu được giữ lại, chờ cán bộ xem." in said(page)
            assert '<a href="/office/quarantine">' in page.text
        assert await here(made, *PLACES[:2]) == [False, False]
        assert len(numbers(made)) == 2
        held = {"number": [str(number) for number in numbers(made)], "do": "release"}
        await browser.send("/office/quarantine", held)
        assert await here(made, *PLACES[:2]) == [True, True]
        assert "2 phiếu đã có từ trước" in await result(browser, *bundles)


async def test_lines_that_cannot_be_taken_are_named_with_the_reason(made: Village, mai: Phone) -> None:
    good, *bad = saved(mai, *PLACES[:4])
    elsewhere = mai.seal(mai.visit(PLACES[4]), db="commune")
    strange = mai.seal(mai.visit(PLACES[5]), send="nobody")
    first, *lines = mai.bundle(good, *bad, elsewhere, strange).splitlines()
    lines[1] = lines[1][:-4]
    lines[2] = b"\xc4" + lines[2]  # of a bad stick
    lines[3] = b"<script>"
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, (r"C:\stick\<b>x.txt", b"\n".join([first, *lines, b""])))
    assert "Đã nhận 1 phiếu mới." in page
    assert "5 phiếu không nhận được." in page
    assert "&lt;b&gt;x.txt" in page
    assert "stick" not in page
    assert "Dòng 3–5 Không mở được phiếu này" in page
    assert "Dòng 6 " in page
    assert "Dòng 7 Máy chủ không biết thiết bị" in page
    assert await here(made, *PLACES[:2]) == [True, False]


async def test_a_line_that_holds_several_documents_counts_each_and_is_named_once(
    made: Village, mai: Phone
) -> None:
    good = [mai.visit(place) for place in PLACES[:3]]
    bad = [mai.entry(mai.visit(place), db="commune") for place in PLACES[3:5]]
    line = mai.seal_several(*map(mai.entry, good), *bad)
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, mai.bundle(*saved(mai, PLACES[5]), line))
        assert "Đã nhận 4 phiếu mới." in page
        assert "2 phiếu không nhận được." in page
        assert "Dòng 3 " in page
        answer = await sent(browser, mai.bundle(line))
        file = await browser.get(f"{answer.headers['location']}/receipts")
    assert log(made)[-1][2] == "received=0 known=3 held=0 refused=2"
    names = [name_of("hamlet-nasam", doc["_id"], doc["_rev"]) for doc in good]
    head, *lines = file.text.splitlines()
    assert [line.split()[:2] for line in lines][:3] == [[name, "received"] for name in names]
    assert (head, len(lines)) == ("camket-receipts 1", 5)


async def test_a_file_that_is_refused_whole_says_why_and_stops_no_other(made: Village, mai: Phone) -> None:
    good = mai.bundle(*saved(mai, PLACES[0]))
    head = good.splitlines()[0]
    foreign = good.replace(head, b"camket-bundle 1 0therkey")
    reason = {
        "foreign": (foreign, "Gói này dành cho một máy chủ khác"),
        "picture": (b"\xff\xd8\xff\xe0" + b"\0" * 200, "không phải là gói phiếu của Camket"),
        "receipts": (b"camket-receipts 1\n", "Tệp này là giấy báo nhận"),
        "long": (head + b"\nA" * (LINES + 1), "mỗi lần nhiều nhất 10.000 phiếu, 16 MB"),
        "empty": (head + b"\n", "Tệp này không có phiếu nào."),
    }
    async with made.signed_in("reviewer") as browser:
        page = await result(browser, *((name, data) for name, (data, _) in reason.items()), good)
        for name, (_, why) in reason.items():
            assert re.search(rf"{name} [^<]*{re.escape(why)}", page), name
        assert "Đã nhận 1 phiếu mới." in page
        assert "phiếu không nhận được" not in page
        many = head + b"\nA" * LINES + b"\n"
        assert "hãy gửi riêng từng tệp" in (await result(browser, many, good)).casefold()
        assert (await sent(browser, b"x" * 17 * 2**20)).status_code == 413
        nothing = await browser.post("/office/bundles", files={"files": ("", b"", "text/plain")})
        assert nothing.status_code == 422
        assert "Hãy chọn một tệp." in nothing.text


async def test_a_disk_that_is_full_is_said_and_the_file_may_come_again(
    made: Village, mai: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreFull

    bundle = mai.bundle(*saved(mai, PLACES[0]))
    async with made.signed_in("reviewer") as browser:
        with monkeypatch.context() as broken:
            broken.setattr(type(made.parts.store), "graft", full)
            assert "Máy chủ đã hết chỗ lưu." in await result(browser, bundle)
        assert await here(made, PLACES[0]) == [False]
        await result(browser, bundle)
    assert await here(made, PLACES[0]) == [True]


async def test_the_receipts_are_a_file_for_the_phones_that_sealed_the_records(
    made: Village, mai: Phone, lan: Phone
) -> None:
    mine, hers = saved(mai, PLACES[0])[0], lan.seal(lan.visit(PLACES[1]), db="hamlet-khongco")
    unknown = mai.seal(mai.visit(PLACES[2]), send="nobody")
    async with made.signed_in("reviewer") as browser:
        answer = await sent(browser, mai.bundle(mine, unknown, mine), lan.bundle(hers))
        place = answer.headers["location"]
        assert f'href="{place}/receipts" download' in (await browser.get(place)).text
        file = await browser.get(f"{place}/receipts")
    assert file.headers["content-disposition"] == 'attachment; filename="camket-bao-nhan-2026-03-01.txt"'
    assert file.headers["content-type"] == "text/plain; charset=utf-8"
    assert file.headers["cache-control"] == "no-store"
    told = [*(await mai.hand_in(mine)), *(await lan.hand_in(hers))]
    lines = [f"{one['sha256']} {one['is']} {one['proof']} {one.get('reason', '')}".strip() for one in told]
    assert file.text == "\n".join(["camket-receipts 1", *lines, ""])
    assert [one["is"] for one in told] == ["received", "forbidden"]


async def test_a_result_is_of_who_handed_in_alone_and_goes_after_two_hours(made: Village, mai: Phone) -> None:
    browsers = made.signed_in("reviewer"), made.signed_in("admin"), made.signed_in("observer")
    async with browsers[0] as browser, browsers[1] as other, browsers[2] as observer:
        place = (await sent(browser, mai.bundle(*saved(mai, PLACES[0])))).headers["location"]
        assert re.fullmatch(r"/office/bundles/[a-z0-9]{20}", place)
        (kept,) = (made.parts.settings.data / "bundles").iterdir()
        assert b"camket" not in kept.read_bytes()
        for path in (place, f"{place}/receipts"):
            assert (await browser.client.get(path)).status_code == 200
            assert (await other.client.get(path)).headers["location"] == "/office/bundles"
            assert (await observer.client.get(path)).status_code == 403
        for _ in range(6):
            assert (await browser.client.get(place)).status_code == 200
            made.now += timedelta(minutes=21)
        for path in (place, f"{place}/receipts"):
            assert (await browser.client.get(path)).headers["location"] == "/office/bundles"
        assert "không còn được giữ" in (await browser.get("/office/bundles")).text


async def test_a_bundle_that_comes_after_its_hamlet_was_merged_is_known_where_it_is_now(
    made: Village, mai: Phone
) -> None:
    old, new = saved(mai, *PLACES[:2])
    async with made.signed_in("admin") as browser:
        await result(browser, mai.bundle(old))
        merge = {"how": "merge", "source": "nasam", "into": "bandanh", "chosen": "1", "do": "confirm"}
        assert "Đã chuyển xong" in (await browser.send("/office/moves", merge)).text
        for counts in ("received=1 known=1 held=0 refused=0", "received=0 known=2 held=0 refused=0"):
            await result(browser, mai.bundle(old, new))
            assert log(made)[-1][2] == counts


@pytest.mark.parametrize(
    ("lines", "text"), [([], ""), ([2], "2"), ([2, 3, 5, 7, 8, 9], "2–3, 5, 7–9"), ([2, 4], "2, 4")]
)
def test_lines_are_drawn_together(lines: list[int], text: str) -> None:
    assert spans(lines) == text


def test_a_reason_names_so_many_runs_of_lines_and_no_more() -> None:
    told = [{"is": "forbidden", "line": line, "reason": "x"} for line in range(1, 1000, 2)]
    ((reason, lines),) = reasons(told)
    assert (reason, lines.count(","), lines[-3:]) == ("x", 100, ", …")
