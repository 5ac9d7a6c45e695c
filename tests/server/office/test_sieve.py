"""Held records by sender and reason: a flood of one phone is sent away, and nobody else's with it."""

from server import quarantine, restores
from server.rows import tables
from server.rows.engine import readers, table
from sync.store.interface import Edit
from tests.server.documents import household
from tests.server.harness import edit, restored
from tests.server.office.village import Village

FLOOD, OTHER = "phonelan01", "phonemai01"


def hold(made: Village, device: str, numbers: range, why: quarantine.Why = "newer") -> None:
    def one(n: int) -> Edit:
        return edit({**household(f"01J8ZQ4T6N3VXK2M5R7W{n:06d}", name="Bế Văn Mới"), "v": 99}, f"1-{n:x}")

    user = made.people["volunteer"]
    held = [quarantine.Held("hamlet-nasam", one(n), why, user, device) for n in numbers]
    with made.parts.rows.begin() as rows:
        quarantine.hold(rows, held, "2026-03-01T02:03:04Z")


def waiting(made: Village) -> list[tuple[str, str]]:
    source = table(tables.Quarantine)
    with readers(made.parts.rows).begin() as rows:
        found = rows.execute(source.select().where(source.c.state == "waiting"))
        return sorted({(row.sender, row.why) for row in found})


async def test_a_flood_of_one_phone_goes_and_the_others_stay(made: Village) -> None:
    hold(made, FLOOD, range(55))
    hold(made, OTHER, range(60, 62))
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office/quarantine")).text
        assert "(55)</option>" in page
        assert "Không nhận cả 55" not in page, "not before one sender is chosen"
        page = (await browser.get(f"/office/quarantine?sender={FLOOD}")).text
        assert "55 phiếu đang chờ" in page
        assert f"sender={FLOOD}&amp;page=2" in page
        assert page.count('type="hidden" name="number"') == 50
        hold(made, FLOOD, range(70, 71))
        form = {"sender": FLOOD, "every": "sender", "last": "57", "do": "discard"}
        await browser.send("/office/quarantine", form)
        assert waiting(made) == [(FLOOD, "newer"), (OTHER, "newer")], "nobody has said that they are sure"
        await browser.send("/office/quarantine", {**form, "sure": "1", "do": "release"})
        await browser.send("/office/quarantine", {**form, "sure": "1", "sender": ""})
        done = await browser.send("/office/quarantine", {**form, "sure": "1"})
    assert "không nhận 55 phiếu" in done.text
    assert str(done.url).endswith(f"/office/quarantine?sender={FLOOD}")
    assert "1 phiếu đang chờ" in done.text, "what came since is looked at first"
    assert waiting(made) == [(FLOOD, "newer"), (OTHER, "newer")]


async def test_a_reason_alone_is_looked_at_and_its_page_sent_away(made: Village) -> None:
    hold(made, FLOOD, range(2))
    hold(made, FLOOD, range(900, 903), "clock")
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office/quarantine?why=clock")).text
        assert "3 phiếu đang chờ" in page
        assert page.count("Thông tin hộ: Bế Văn Mới") == 3, "households that have not come in yet"
        chosen = [part.partition('"')[0] for part in page.split('type="hidden" name="number" value="')[1:]]
        done = await browser.send("/office/quarantine", {"number": chosen, "why": "clock", "do": "discard"})
        assert waiting(made) == [(FLOOD, "newer")]
        assert 'action="/office/quarantine"' in done.text, "the way back to all of them"
        assert "2 phiếu đang chờ" in (await browser.get("/office/quarantine?why=nonsense&sender=")).text


async def test_an_admin_ends_the_time_of_recovery_and_nobody_else(made: Village) -> None:
    path, form = "/office/restore/end", {"sure": "1"}
    async with made.signed_in("admin") as browser:
        assert "Sau khi khôi phục" not in (await browser.get("/office/quarantine")).text
        restored(made.parts.rows, made.parts.clock())
        assert "Kết thúc thời gian khôi phục" in (await browser.get("/office/quarantine")).text
        await browser.send(path, {})
        assert _awaits(made), "nobody has counted"
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office/quarantine")).text
        assert "Phiếu của máy mà máy chủ không biết vẫn được giữ lại" in page
        assert "Kết thúc thời gian khôi phục" not in page
        assert (await browser.post(path, form)).status_code == 403
        assert _awaits(made)
    async with made.signed_in("admin") as browser:
        page = (await browser.send(path, form)).text
        assert "Các máy đã về đủ" in page
        assert not _awaits(made)
        assert "Kết thúc thời gian khôi phục" in (await browser.get("/office/audit")).text


def _awaits(made: Village) -> bool:
    with readers(made.parts.rows).begin() as rows:
        return restores.awaits(rows)
