"""A backup made while the server works, restored: what comes back, and what must not.

It is one file: what a backup holds, what a restore makes of it and what phones give back is one story.
"""

import io
import json
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, to_thread
from sqlalchemy import insert, update

from server import backup, checking, outlasting, restores, vessel
from server.admission import caller_of
from server.app import opened
from server.auth import devices, users
from server.auth.grant import Grant, Role
from server.erasing import Eraser
from server.parts import Parts
from server.rows import tables
from server.rows.engine import readers, table
from server.settings import Settings
from server.words import words
from sync import position
from sync.rev import Rev
from sync.store.interface import Edit, StoreFull
from tests.server.documents import HOUSEHOLD, LAN, MAI, NOW, OTHER, grant, household, pledge, visit
from tests.server.harness import edit, later, restored
from tests.server.http.served import Phone, served

DB = "hamlet-nasam"
AT = datetime.fromtimestamp(NOW / 1000, UTC)
PHRASE = "một câu đủ dài để nhớ"
lan: Grant = grant(LAN)


def clock() -> datetime:
    return AT


def settings(data: Path) -> Settings:
    return Settings(data=data)


async def send(parts: Parts, *edits: Edit) -> list[str]:
    answers = await parts.intake.admit(caller_of(lan, words("vi")), DB, edits)
    await parts.store.graft(DB, [one for one in answers if isinstance(one, Edit)])
    await parts.follower.catch_up()
    return ["received" if isinstance(one, Edit) else one.name for one in answers]


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with opened(settings(tmp_path / "data"), clock) as made:
        await made.store.create(DB)
        with made.rows.begin() as rows:
            rows.execute(
                insert(table(tables.User)).values(id=LAN, name="Lan", role="volunteer", created_at="x")
            )
            phone = {
                "id": lan.device,
                "user": LAN,
                "name": "A",
                "credential": "c",
                "send": "s",
                "created_at": "x",
            }
            rows.execute(insert(table(tables.Device)).values(**phone))
        await send(made, edit(household(), "1-a"), edit(household(OTHER, name="Lý Văn Tư"), "1-b"))
        yield made


def copy(parts: Parts, into: Path, passphrase: str | None = PHRASE, second: int = 0) -> Path:
    return backup.make(parts.settings.data, None, into, passphrase, AT.replace(second=second))


def rows_of(parts: Parts, model: type) -> list[dict[str, object]]:
    with readers(parts.rows).begin() as rows:
        return [dict(row) for row in rows.execute(table(model).select()).mappings()]


async def test_what_was_backed_up_comes_back_and_fits_together(parts: Parts, tmp_path: Path) -> None:
    file = copy(parts, tmp_path / "backups")
    backup.restore(file, tmp_path / "new", None, PHRASE, AT)
    async with opened(settings(tmp_path / "new"), clock) as again:
        await again.follower.rebuild()
        assert {row["id"] for row in rows_of(again, tables.HouseholdRow)} == {
            f"household:{HOUSEHOLD}",
            f"household:{OTHER}",
        }
        assert await checking.problems(again) == []


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(days=2000)])
async def test_the_newest_backup_is_the_one_that_was_made_last_whatever_the_clock(
    parts: Parts, tmp_path: Path, behind: timedelta
) -> None:
    kept = tmp_path / "backups"
    made = [backup.make(parts.settings.data, None, kept, None, AT)]
    assert backup.is_named_by(made[0], AT)
    (kept / "camket-last.backup").touch()  # a name that somebody gave
    for _ in range(2):  # a dead battery, or a clock that was ahead before
        made.append(backup.make(parts.settings.data, None, kept, None, AT - behind))
        assert backup.is_named_by(made[-1], AT - behind) == (not behind), (
            "two of one second are no wrong clock"
        )
        assert backup.newest(kept) == made[-1]
    made.append(backup.make(parts.settings.data, None, kept, None, AT + timedelta(days=1)))
    assert backup.is_named_by(made[-1], AT + timedelta(days=1))
    assert backup.newest(kept) == made[-1]
    assert len({*made}) == 4
    assert made == sorted(made), "as whoever looks into the directory sees it"


async def test_a_backup_is_named_to_come_after_one_of_the_last_second_that_there_is(
    parts: Parts, tmp_path: Path
) -> None:
    (tmp_path / "camket-99991231-235959.backup").touch()
    for number in range(2, 12):
        made = backup.make(parts.settings.data, None, tmp_path, None, AT)
        assert made.name == f"camket-99991231-235959_{number:03}.backup"
        assert backup.newest(tmp_path) == made
        assert not backup.is_named_by(made, AT)


async def test_a_backup_made_while_phones_write_holds_each_record_whole(parts: Parts, tmp_path: Path) -> None:
    """Documents are copied before the rows: whatever the copy's store has, its archive has too."""
    made: list[Path] = []

    async def back_up() -> None:
        for second in range(3):
            made.append(await to_thread.run_sync(copy, parts, tmp_path / "backups", PHRASE, second))

    async with create_task_group() as group:
        group.start_soon(back_up)
        for number in range(200):
            doc = household(f"01J8ZQ4T6N3VXK2M5R7W{number:06d}", name="Lý Thị Xa")
            assert await send(parts, edit(doc, "1-d")) == ["received"]
            if len(made) == 3:
                break
    for number, file in enumerate(made):
        backup.restore(file, tmp_path / f"new{number}", None, PHRASE, AT)
        async with opened(settings(tmp_path / f"new{number}"), clock) as again:
            await again.follower.rebuild()
            assert await checking.problems(again) == []


async def test_rows_in_postgresql_are_backed_up_and_come_back(tmp_path: Path, postgres_rows: str) -> None:
    there = Settings(data=tmp_path / "data", database_url=postgres_rows)
    async with opened(there, clock) as one:
        await one.store.create(DB)
        await send(one, edit(household(), "1-a"), edit(household(OTHER, name="Lý Văn Tư"), "1-b"))
        old = backup.make(there.data, postgres_rows, tmp_path / "backups", PHRASE, AT)
        await Eraser(one.store, one.rows, clock).erase("quan04", DB, OTHER)
    backup.restore(old, there.data, postgres_rows, PHRASE, AT)
    async with opened(there, clock) as again:
        await again.follower.rebuild()
        assert [row["id"] for row in rows_of(again, tables.HouseholdRow)] == [f"household:{HOUSEHOLD}"]
        assert "Lý Văn Tư" not in str(rows_of(again, tables.Archive))
        assert await checking.problems(again) == []
    backup.restore(old, tmp_path / "small", None, PHRASE, AT)
    async with opened(settings(tmp_path / "small"), clock) as small:
        await small.follower.rebuild()
        assert await checking.problems(small) == []


async def test_a_backup_is_encrypted_and_opens_with_its_passphrase_alone(
    parts: Parts, tmp_path: Path
) -> None:
    file = copy(parts, tmp_path / "backups")
    assert "Lý Văn Tư".encode() not in file.read_bytes()
    assert "Lý Văn Tư".encode() in copy(parts, tmp_path / "plain", None).read_bytes()
    with pytest.raises(vessel.NotOpened):
        backup.restore(file, tmp_path / "new", None, "another passphrase", AT)
    assert not (tmp_path / "new" / "documents.sqlite").exists()


async def test_what_was_erased_or_revoked_since_stays_so(parts: Parts, tmp_path: Path) -> None:
    old = copy(parts, tmp_path / "backups")
    await Eraser(parts.store, parts.rows, clock).erase("quan04", DB, OTHER)
    with parts.rows.begin() as rows:
        devices.revoke(rows, str(lan.device), by="quan04", now=AT)
        users.revoke(rows, LAN, by="quan04", now=AT)
    copy(parts, tmp_path / "backups", second=9)  # its ledger lies beside the old backup now
    backup.restore(old, tmp_path / "new", None, PHRASE, AT)
    async with opened(settings(tmp_path / "new"), clock) as again:
        assert "Lý Văn Tư" not in str(rows_of(again, tables.Archive))
        await again.follower.rebuild()
        assert [row["id"] for row in rows_of(again, tables.HouseholdRow)] == [f"household:{HOUSEHOLD}"]
        late = later(household(OTHER, name="Lý Văn Tư"), LAN, NOW + 1, order=3)
        assert await send(again, edit(late, "2-c", "1-b")) == ["erased"]
        (phone,) = rows_of(again, tables.Device)
        (person,) = rows_of(again, tables.User)
        assert phone["revoked_at"] is not None
        assert person["disabled_at"] is not None
        assert await checking.problems(again) == []
    found = [
        p.name
        for p in sorted((tmp_path / "new").iterdir())
        if p.is_file() and "Lý Văn Tư".encode() in p.read_bytes()
    ]
    assert found == []


async def test_what_was_erased_since_stays_so_where_no_later_backup_says_it(tmp_path: Path) -> None:
    there = settings(tmp_path / "data")
    async with opened(there, clock) as one:
        await one.store.create(DB)
        await send(one, edit(household(), "1-a"), edit(household(OTHER, name="Lý Văn Tư"), "1-b"))
        old = copy(one, tmp_path / "backups")
        await Eraser(one.store, one.rows, clock).erase("quan04", DB, OTHER)
    backup.restore(old, there.data, None, PHRASE, AT)
    async with opened(there, clock) as again:
        assert "Lý Văn Tư" not in str(rows_of(again, tables.Archive))
        await again.follower.rebuild()
        assert [row["id"] for row in rows_of(again, tables.HouseholdRow)] == [f"household:{HOUSEHOLD}"]


async def gone(data: Path) -> bool:
    """Whether the household is erased, and the phone and the person are shut out."""
    async with opened(settings(data), clock) as again:
        await again.follower.rebuild()
        assert "Lý Văn Tư" not in str(rows_of(again, tables.Archive))
        assert await checking.problems(again) == []
        (phone,), (person,) = rows_of(again, tables.Device), rows_of(again, tables.User)
        names = [row["id"] for row in rows_of(again, tables.HouseholdRow)]
        return names == [f"household:{HOUSEHOLD}"] and bool(phone["revoked_at"] and person["disabled_at"])


@pytest.fixture
async def erased_since(parts: Parts, tmp_path: Path) -> tuple[Path, Path]:
    """A backup, and the data of a server that has erased and revoked since and is stopped."""
    old = copy(parts, tmp_path / "backups", None)
    await Eraser(parts.store, parts.rows, clock).erase("quan04", DB, OTHER)
    with parts.rows.begin() as rows:
        devices.revoke(rows, str(lan.device), by="quan04", now=AT)
        users.revoke(rows, LAN, by="quan04", now=AT)
    stopped = tmp_path / "stopped"
    shutil.copytree(tmp_path / "data", stopped)
    return old, stopped


def damage(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[4096 * 3 : 4096 * 5] = b"\x55" * 8192
    file.write_bytes(raw)


async def test_rows_that_are_damaged_bring_back_nothing_that_was_erased_or_revoked(
    erased_since: tuple[Path, Path],
) -> None:
    old, data = erased_since
    damage(data / "rows.sqlite")
    backup.restore(old, data, None, None, AT)
    assert await gone(data)


async def test_a_person_who_was_let_in_again_is_not_shut_out_by_a_restore(
    parts: Parts, tmp_path: Path
) -> None:
    old = copy(parts, tmp_path / "backups", None)
    with parts.rows.begin() as rows:
        users.revoke(rows, LAN, by="quan04", now=AT)
        users.restore(rows, LAN, by="quan04", now=AT)
    stopped = tmp_path / "stopped"
    shutil.copytree(tmp_path / "data", stopped)
    backup.restore(old, stopped, None, None, AT)
    async with opened(settings(stopped), clock) as again:
        assert [row["disabled_at"] for row in rows_of(again, tables.User)] == [None]
        assert all(row["revoked_at"] for row in rows_of(again, tables.Device))


@pytest.mark.parametrize("of_before", [False, True], ids=["", "of a program that wrote no file"])
async def test_a_restore_that_was_killed_anywhere_and_is_run_again_comes_right(
    erased_since: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, of_before: bool
) -> None:
    old, stopped = erased_since
    with closing(sqlite3.connect(stopped / "rows.sqlite")) as rows:
        rows.execute("PRAGMA journal_mode=DELETE")
    if of_before:
        (stopped / outlasting.NAME).unlink()
    monkeypatch.setattr(tempfile.TemporaryDirectory, "__exit__", lambda *_: None)  # a kill clears nothing up
    for name in ("_cleanup", "cleanup"):
        monkeypatch.setattr(tempfile.TemporaryDirectory, name, lambda *_a, **_k: None)
    rename = Path.rename
    for step in count():
        left = [step]

        def killed(self: Path, target: Path, left: list[int] = left) -> Path:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return rename(self, target)

        data = tmp_path / f"killed{step}"
        shutil.copytree(stopped, data)
        monkeypatch.setattr(Path, "rename", killed)
        try:
            backup.restore(old, data, None, None, AT)
        except KeyboardInterrupt:
            monkeypatch.setattr(Path, "rename", rename)
            if of_before:
                (data / outlasting.NAME).unlink()
        else:
            break
        backup.restore(old, data, None, None, AT)
        assert await gone(data), step
    assert step >= 4


@pytest.mark.parametrize("which", ["rows", "beside the data", "beside the backups"])
async def test_a_ledger_that_cannot_be_read_is_said_and_not_passed_over(
    erased_since: tuple[Path, Path], which: str
) -> None:
    old, data = erased_since
    file = {"rows": data / "rows.sqlite", "beside the data": data / outlasting.NAME}.get(
        which, old.parent / outlasting.NAME
    )
    if which == "rows":
        damage(file)
        (data / outlasting.NAME).unlink()
    else:
        file.write_bytes(b"{}\n")
    for _ in range(2):
        with pytest.raises(outlasting.LedgerUnread) as unread:
            backup.restore(old, data, None, None, AT)
        assert unread.value.file == file
    assert list(data.glob("before-*")) == []
    backup.restore(old, data, None, None, AT, without_ledger=True)
    assert await gone(data) is (which != "rows"), "the other ledgers are read"


async def test_a_line_of_the_ledger_that_was_cut_off_harms_no_other(tmp_path: Path) -> None:
    file = tmp_path / outlasting.NAME
    entry = {"kind": "erased", "db": DB, "id": "household:x", "at": "2026-03-01T02:03:04Z", "by": "quan04"}
    outlasting.add(file, [entry])
    with file.open("ab") as out:
        out.write(b'{"kind": "erased", "db"')
    assert outlasting.read(file) == [entry]
    outlasting.add(file, [entry | {"id": "household:y"}])
    assert [one["id"] for one in outlasting.read(file)] == ["household:x", "household:y"]


async def test_what_is_told_to_be_erased_is_in_the_file_first(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("server.outlasting.os.fsync", full)
    with pytest.raises(StoreFull):
        await Eraser(parts.store, parts.rows, clock).erase("quan04", DB, OTHER)
    assert rows_of(parts, tables.Ledger) == []


async def test_nobody_gets_in_by_what_a_backup_knows(parts: Parts, tmp_path: Path) -> None:
    with parts.rows.begin() as rows:
        person = users.add(rows, "Hoàng", Role.ADMIN, by="console", now=AT, login="hoang")
        made = {"user": person.id, "csrf": "c", "created_at": "x", "seen_at": "x", "expires_at": "x"}
        rows.execute(insert(table(tables.OfficeSession)).values(token="t", **made))
        invited = {
            "id": "i",
            "purpose": "device",
            "user": LAN,
            "code": "c",
            "created_at": "x",
            "created_by": "x",
        }
        rows.execute(insert(table(tables.Invitation)).values(**invited, expires_at="9"))
    backup.restore(copy(parts, tmp_path / "backups"), tmp_path / "new", None, PHRASE, AT)
    async with opened(settings(tmp_path / "new"), clock) as again:
        assert rows_of(again, tables.OfficeSession) == []
        assert [row["spent_at"] is not None for row in rows_of(again, tables.Invitation)] == [True]
        assert [row["send_only_at"] is not None for row in rows_of(again, tables.Device)] == [True]
        (first,) = [row["value"] for row in rows_of(again, tables.Meta) if row["key"] == "epoch"]
        assert (await again.intake.terms(caller_of(lan, words("vi")))).epoch == first


async def test_data_that_a_server_works_on_are_not_replaced(parts: Parts, tmp_path: Path) -> None:
    file = copy(parts, tmp_path / "backups")
    with pytest.raises(backup.InUse):
        backup.restore(file, tmp_path / "data", None, PHRASE, AT)
    assert await send(parts, edit(pledge(visit()), "1-c")) == ["received"]


async def test_what_is_replaced_is_set_aside(parts: Parts, tmp_path: Path) -> None:
    file = copy(parts, tmp_path / "backups")
    for _ in range(2):
        backup.restore(file, tmp_path / "new", None, PHRASE, AT)
    (aside,) = (tmp_path / "new").glob("before-*")
    assert (aside / "documents.sqlite").exists()


async def test_files_put_back_by_hand_come_right_however_late_it_is_said(tmp_path: Path) -> None:
    """The copy went on for weeks as if nothing was lost; only then somebody says that it was put back."""
    data, kept = tmp_path / "data", tmp_path / "kept"
    first, told = household(), AT + timedelta(days=30)
    lost = edit(later(first, LAN, NOW + 1000, name="Hoàng Văn Mất"), "2-a", "1-a")
    meanwhile = edit(later(first, LAN, NOW + 2000, order=7), "2-b", "1-a")
    of_mai = edit(pledge(visit(by=MAI), by=MAI, ulid=OTHER), "1-c")
    async with opened(settings(data), clock) as made:
        await made.store.create(DB)
        with made.rows.begin() as rows:
            for user in (LAN, MAI):
                person = {"id": user, "name": user, "role": "volunteer", "created_at": "x"}
                rows.execute(insert(table(tables.User)).values(**person))
                phone = {"id": f"phone{user}", "user": user, "name": "A", "credential": user, "send": user}
                rows.execute(insert(table(tables.Device)).values(**phone, created_at="x"))
        await send(made, edit(first, "1-a"))
    shutil.copytree(data, kept)
    async with opened(settings(data), clock) as made:
        assert await send(made, lost) == ["received"]
        before = await made.intake.terms(caller_of(lan, words("vi")))
    shutil.rmtree(data)
    kept.rename(data)
    async with opened(settings(data), lambda: told) as made:
        assert await send(made, meanwhile) == ["received"]
        assert await send(made, of_mai) == ["forbidden"], "nobody knows that anything was lost"
    backup.begin_by_hand(data, None, told)
    async with opened(settings(data), lambda: told + timedelta(days=6)) as made:
        await made.follower.catch_up()
        caller = caller_of(lan, words("vi"))
        assert (await made.intake.terms(caller)).epoch != before.epoch, "every position is lost"
        assert all(row["send_only_at"] for row in rows_of(made, tables.Device))
        asked = [(one.id, one.rev) for one in (lost, of_mai)]
        assert await made.intake.outcomes(caller, DB, asked) == [None, None], "what is lacking is asked for"
        assert await send(made, lost, of_mai) == ["received", "quarantined"]
        await made.intake.observe(DB, [first["_id"]])
        await made.follower.catch_up()
        (row,) = rows_of(made, tables.HouseholdRow)
        assert (row["name"], row["walk"]) == ("Hoàng Văn Mất", 7), "with what came meanwhile"
        with readers(made.rows).begin() as rows:
            assert restores.lately(rows, told + timedelta(days=6)), (
                "phones have their week from when it was said"
            )


async def test_no_backup_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.backup").write_bytes(b"not a tar")
    for source in (tmp_path / "x.backup", tmp_path / "missing", tmp_path / "data"):
        with pytest.raises(backup.NoBackup):
            backup.restore(source, tmp_path / "new", None, PHRASE, AT)
    with pytest.raises(backup.NoBackup):
        backup.make(tmp_path / "none", None, tmp_path, None, AT)


@pytest.mark.parametrize("size", [0, 1, vessel.PIECE, vessel.PIECE + 1, 3 * vessel.PIECE])
def test_a_vessel_gives_back_what_was_put_in(size: int) -> None:
    sealed, plain = io.BytesIO(), io.BytesIO()
    vessel.seal(io.BytesIO(b"x" * size), sealed, PHRASE)
    vessel.unseal(sealed, plain, PHRASE)
    assert plain.getvalue() == b"x" * size


def test_a_vessel_that_was_cut_off_or_altered_is_not_opened() -> None:
    sealed = io.BytesIO()
    vessel.seal(io.BytesIO(b"x" * (2 * vessel.PIECE)), sealed, PHRASE)
    whole = sealed.getvalue()
    piece = len(vessel.MAGIC) + 16 + vessel.PIECE + 16
    for damaged in (whole[:piece], whole[:-1], whole[:100] + b"!" + whole[101:]):
        with pytest.raises(vessel.NotOpened):
            vessel.unseal(io.BytesIO(damaged), io.BytesIO(), PHRASE)


# ---- check ------------------------------------------------------------------------------------------------


async def test_a_changed_row_body_or_chain_is_found(parts: Parts) -> None:
    assert await checking.problems(parts) == []
    with parts.rows.begin() as rows:
        rows.execute(update(table(tables.HouseholdRow)).values(name="Khác"))
    assert any("household_row" in line for line in await checking.problems(parts))
    await parts.follower.rebuild()
    with parts.rows.begin() as rows:
        rows.execute(update(table(tables.Archive)).values(body=b"{}"))
    assert any("archive" in line for line in await checking.problems(parts))


# ---- another life -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("life", ["", "3fa9c15d"])
def test_a_position_travels_with_the_life_of_the_store_that_gave_it(life: str) -> None:
    given = position.Position.of(7, "household:x", Rev(1, "a"), life)
    assert position.decode_position(position.encode_position(given)) == given


async def test_a_position_from_before_a_restore_is_lost(tmp_path: Path) -> None:
    async with served(tmp_path) as camket:
        restored(camket.parts.rows)
        phone = await camket.phone()
        (now,) = [line["position"] for line in await phone.exchange() if line.get("db") == DB]
        seq, doc_id, rev, life = json.loads(now)
        before = json.dumps([seq, doc_id, rev, life.removeprefix("3fa9c1")])

        async def lost(since: str) -> bool:
            asked = {"clock": phone.now(), "dbs": {DB: {"since": since}}}
            answer = await camket.http.post("/db/_exchange", json=asked, headers=phone.bearer("credential"))
            return "position_lost" in answer.text

        assert (await lost(now), await lost(before)) == (False, True)


async def test_a_phone_that_claims_to_have_what_was_lost_is_alone_in_it_and_lets_nothing_in_by_itself(
    tmp_path: Path,
) -> None:
    """On a server that was restored it may be true or a lie: what it gives back of others waits."""
    async with served(tmp_path) as camket:
        phone, other = await camket.phone(), await camket.phone(camket.person("Lý Thị Mai"))

        def not_own(of: Phone, digest: str) -> dict[str, Any]:
            doc = of.visit(_rev=f"1-{digest}", _revisions={"start": 1, "ids": [digest]})
            return doc | {"acts": [*doc["acts"], dict(doc["acts"][0], id="0" * 26, by="somebody")][::-1]}

        async def sent(of: Phone, digest: str, **asked: Any) -> list[str]:
            doc = not_own(of, digest)
            body = {"clock": of.now(), "dbs": {DB: {"docs": [doc], **asked}}}
            answer = await camket.http.post("/db/_exchange", json=body, headers=of.bearer("credential"))
            lines = [json.loads(line) for line in answer.text.splitlines()]
            return [one[2] for line in lines for one in line.get("outcomes", ())]

        have = [["household:01J8ZQ4T6N3VXK2M5R7W9Y0ABD", "1-c"]]
        assert await sent(phone, "1" * 32) == ["forbidden"]
        assert await sent(phone, "2" * 32, since="lost") == []  # nothing was decided
        assert await sent(phone, "2" * 32, have=have) == ["forbidden"], "nothing was lost here"
        restored(camket.parts.rows)
        assert await sent(phone, "2" * 32, have=have) == ["quarantined"]
        assert await sent(other, "3" * 32) == ["forbidden"]
        assert [row["device"] for row in rows_of(camket.parts, tables.Quarantine)] == [phone.device]
        assert all(
            "pledge:" not in row["id"] for line in await other.exchange() for row in line.get("rows", ())
        )


async def test_what_is_given_back_of_a_time_that_has_not_come_waits(tmp_path: Path) -> None:
    """It was taken while this server's clock was ahead: no phone moves what it was told is received."""
    async with served(tmp_path) as camket:
        phone = await camket.phone()
        phone.skew = timedelta(hours=2)
        visit = phone.visit()
        phone.skew = timedelta()

        async def said(**asked: Any) -> list[str]:
            body = {"clock": phone.now(), "dbs": {DB: asked}}
            answer = await camket.http.post("/db/_exchange", json=body, headers=phone.bearer("credential"))
            lines = [json.loads(line) for line in answer.text.splitlines()]
            return [one[2] for line in lines for one in line.get("outcomes", ())]

        camket.restored()
        assert await said(docs=[visit]) == ["clock"], "nobody has asked for it"
        assert await said(have=[[visit["_id"], visit["_rev"]]]) == []
        assert await said(docs=[visit]) == ["quarantined"]
        assert [row["why"] for row in rows_of(camket.parts, tables.Quarantine)] == ["clock"]
