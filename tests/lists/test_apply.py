"""From the file to the households of the commune, through the server's own intake and by the command line."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from server.__main__ import command_line
from server.admission import caller_of
from server.app import build
from server.audit import CONSOLE
from server.auth.grant import Grant, Role
from server.lists import Blocked, Known, apply, commune, preview
from server.parts import Parts
from server.rows import tables
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.settings import Settings
from server.words import words
from sync.hooks import Caller
from tests.lists.messes import HEADER, File, Home, columns_that_stay_out, comma, titled

NOW = datetime(2026, 6, 1, 3, 4, 5, tzinfo=UTC)
HOMES = [
    Home("Nà Lầu", "Hoàng Văn Nam", "12", "Ngõ 2"),
    Home("Nà Lầu", "Lý Thị Nọi"),
    Home("Pác Ảng", "Vi Văn Yến", "", "Xóm Đình"),
]
_household = table(tables.HouseholdRow)


def caller(role: Role = Role.ADMIN) -> Caller:
    return caller_of(Grant(CONSOLE, CONSOLE, role, frozenset()), words("vi"))


def entropy(size: int) -> bytes:
    return bytes(range(size))


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    found = (await build(Settings(data=tmp_path), lambda: NOW)).state.parts
    assert isinstance(found, Parts)
    yield found
    await found.store.close()
    found.rows.dispose()


def known(parts: Parts) -> Known:
    with parts.rows.begin() as rows:
        return commune.known(rows)


def stored(parts: Parts) -> set[Home]:
    there = known(parts)
    names = {hamlet.id: hamlet.name for hamlet in there.hamlets}
    return {Home(names[one.hamlet], one.name, one.house, one.lane) for one in there.households}


async def import_file(parts: Parts, file: File, role: Role = Role.ADMIN) -> int:
    there = known(parts)
    plan = preview(file.data, file.name, there)
    return await apply(plan, parts.scribe, caller(role), NOW, entropy, hamlets=len(there.hamlets))


async def test_a_list_becomes_hamlets_and_households_and_again_nothing(parts: Parts) -> None:
    assert await import_file(parts, titled(HOMES)) == 3
    assert stored(parts) == set(HOMES)
    with parts.rows.begin() as rows:
        before = set(rows.execute(select(_household.c.id, _household.c.rev)))
    assert await import_file(parts, columns_that_stay_out(HOMES)) == 0
    with parts.rows.begin() as rows:
        assert set(rows.execute(select(_household.c.id, _household.c.rev))) == before


async def test_a_second_list_adds_the_house_numbers_that_the_first_had_not(parts: Parts) -> None:
    await import_file(parts, titled([home._replace(house="", lane="") for home in HOMES]))
    assert await import_file(parts, titled(HOMES)) == 0
    assert stored(parts) == set(HOMES)
    assert not preview(titled(HOMES).data, "x.xlsx", known(parts)).changes


async def test_a_household_that_moved_away_does_not_come_back_with_the_old_list(parts: Parts) -> None:
    await import_file(parts, titled(HOMES))
    gone = next(one for one in known(parts).households if one.name == "Vi Văn Yến")
    change = Change(f"household:{gone.id}", {"status": {"is": "moved", "since": "2026-05-01"}})
    await parts.scribe.write(caller(), {f"hamlet-{gone.hamlet}": [change]})
    file = titled(HOMES)
    plan = preview(file.data, file.name, known(parts))
    assert [(one.doubt.value, one.name) for one in plan.questions] == [("gone", "Vi Văn Yến")]
    assert not plan.changes


async def test_a_list_with_bad_rows_writes_nothing(parts: Parts) -> None:
    rows: list[list[object]] = [list(HEADER), [1, "Lý Thị Nọi", "Nà Lầu"], [2, "=1+1", "Nà Lầu"]]
    with pytest.raises(Blocked) as blocked:
        await import_file(parts, File("ds.csv", comma(rows).encode()))
    assert blocked.value.reasons == ("bad_rows",)
    assert known(parts) == Known()


async def test_what_one_may_not_write_leaves_nothing_behind(parts: Parts) -> None:
    """A reviewer may add households, and hamlets not: of the whole list nothing goes in."""
    with pytest.raises(NotTaken):
        await import_file(parts, titled(HOMES), Role.REVIEWER)
    assert known(parts) == Known()


async def test_columns_that_people_named_are_remembered(parts: Parts) -> None:
    with parts.rows.begin() as rows:
        commune.remember(rows, "00ff", {0: "name", 3: "hamlet", 4: "cccd"})
        commune.remember(rows, "00ff", {1: "name", 3: "hamlet"})
        assert commune.remembered(rows) == {"00ff": {1: "name", 3: "hamlet"}}


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line(), ["import", "households", *words], env={"LANG": "vi_VN.UTF-8"})
    return result.exit_code, result.output


def test_the_command_shows_first_writes_then_and_knows_the_list_again(tmp_path: Path) -> None:
    file = tmp_path / "ds.xlsx"
    file.write_bytes(columns_that_stay_out(HOMES).data)
    data = ("--data", str(tmp_path / "data"))
    code, said = run(str(file), "--dry-run", *data)
    assert (code, "Thêm 3 hộ" in said, "chưa ghi gì" in said) == (0, True, True)
    assert "Dân tộc: dân tộc: hệ thống không lưu" in said
    assert "020080000000" not in said
    code, said = run(str(file), *data)
    assert (code, "Đã ghi 3 hộ" in said) == (0, True)
    code, said = run(str(file), *data)
    assert (code, "giữ nguyên 3 hộ" in said, "Không có gì thay đổi" in said) == (0, True, True)


def test_the_command_names_bad_rows_and_leaves_them_out_when_told(tmp_path: Path) -> None:
    file = tmp_path / "ds.csv"
    file.write_text(comma([HEADER, [1, "Lý Thị Nọi", "Nà Lầu"], [2, "01/02/1990", "Nà Lầu"]]), "utf-8")
    data = ("--data", str(tmp_path / "data"))
    code, said = run(str(file), *data)
    assert (code, "dòng 3: họ tên là ngày tháng" in said, "Chưa ghi gì" in said) == (1, True, True)
    code, said = run(str(file), "--skip-bad-rows", *data)
    assert (code, "Đã ghi 1 hộ" in said) == (0, True)


def test_the_command_is_told_what_columns_are_and_remembers_it(tmp_path: Path) -> None:
    file, next_one = tmp_path / "ds.csv", tmp_path / "sau.csv"
    head = ["Mã", "Tên người đứng sổ", "Thuộc về"]
    file.write_text(comma([head, ["a", "Lý Thị Nọi", "Nà Lầu"], ["b", "Vi Văn Hòa", "Nà Lầu"]]), "utf-8")
    next_one.write_text(comma([head, ["c", "Hoàng Văn Tư", "Nà Lầu"]]), "utf-8")
    data = ("--data", str(tmp_path / "data"))
    code, said = run(str(file), *data)
    assert (code, "Chưa ghi gì" in said) == (1, True), "nobody knows what these columns are"
    for wrong in ("tên người đứng sổ=cccd", "Họ tên=name", "=name"):
        code, said = run(str(file), "--column", wrong, *data)
        assert (code, "Tên người đứng sổ" in said) == (2, True), "the headers that there are"
    code, said = run(str(file), "--column", "tên người đứng sổ=name", "--column", "Thuộc về=hamlet", *data)
    assert (code, "Đã ghi 2 hộ" in said) == (0, True)
    code, said = run(str(next_one), *data)
    assert (code, "Đã ghi 1 hộ" in said) == (0, True)


def test_the_command_refuses_what_is_no_list_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "ds.xlsx"
    file.write_bytes(b"%PDF-1.7")
    code, said = run(str(file), "--data", str(tmp_path / "data"))
    assert code == 1
    assert said.strip() == words("vi").say("lists.refused.not_a_list")
