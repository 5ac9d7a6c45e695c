"""Hostile files and files that are no lists: refused in words, or read with their sting left out."""

import re
import resource
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from server.lists import Known, Refused, preview
from server.words import words
from tests.lists.hostile import FORMULAS, HOMES, READ, REFUSED
from tests.lists.messes import (
    HEADER,
    File,
    Mess,
    comma,
    csv_semicolons,
    rewritten,
    saved,
    sheet,
    tidy,
    xls,
)


@pytest.mark.parametrize(("make", "code"), REFUSED, ids=lambda one: getattr(one, "__name__", one))
def test_a_hostile_file_is_refused_in_words(make: Callable[[], File], code: str) -> None:
    file = make()
    with pytest.raises(Refused) as refused:
        preview(file.data, file.name, Known())
    assert refused.value.code == code
    for lang in ("vi", "en"):
        assert words(lang).say(f"lists.refused.{code}", **refused.value.facts)


@pytest.mark.parametrize(("make", "remark"), READ, ids=lambda one: getattr(one, "__name__", one))
def test_a_list_with_something_hostile_in_it_is_read_without_that(
    make: Callable[[], File], remark: str | None
) -> None:
    file = make()
    plan = preview(file.data, file.name, Known())
    assert [one.name for one in plan.new] == ["Hoàng Văn Nam", "Lý Thị Nọi"]
    assert {*plan.remarks, *plan.sheets[0].remarks} == ({remark} if remark else set())


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_that_a_spreadsheet_would_run_is_a_bad_row(name: str) -> None:
    data = comma([HEADER, [1, name, "Nà Lầu", "", ""], [2, "Lý Thị Nọi", "Nà Lầu", "", ""]]).encode()
    plan = preview(data, "ds.csv", Known())
    assert [row.where.row for row in plan.bad] == [2]
    assert plan.bad[0].reason in ("formula", "html")
    assert plan.blocked == ("bad_rows",)


def test_a_formula_without_a_stored_result_is_a_bad_row_and_is_not_evaluated() -> None:
    file = saved(sheet([HEADER, [1, '="Hoàng Văn "&"Nam"', "Nà Lầu"], [2, "Lý Thị Nọi", "Nà Lầu"]]))
    plan = preview(file.data, file.name, Known())
    assert [(row.where.row, row.reason) for row in plan.bad] == [(2, "formula")]


def test_a_formula_for_a_place_is_left_out_and_said_and_one_for_the_hamlet_names_the_hamlet() -> None:
    header = ["STT", "Họ và tên", "Thôn", "Số nhà"]
    rows = [
        [1, "Lý Thị Nọi", "Nà Lầu", "=1+1"],
        [2, "Vi Văn Ba", "=1+1", "2"],
        [3, "Vi Văn Tư", "Nà Lầu", "3"],
    ]
    file = saved(sheet([header, *rows]))
    plan = preview(file.data, file.name, Known())
    assert [(one.name, one.house) for one in plan.new] == [("Lý Thị Nọi", ""), ("Vi Văn Tư", "3")]
    assert [(row.where.row, row.reason) for row in plan.bad] == [(3, "formula_hamlet")]
    assert "unread" in plan.sheets[0].remarks


def test_a_formula_that_failed_is_a_bad_row() -> None:
    file = saved(
        sheet([HEADER, [1, "#REF!", "Nà Lầu"], [2, "Lý Thị Nọi", "#N/A"], [3, "Vi Văn Ba", "Nà Lầu"]])
    )
    plan = preview(file.data, file.name, Known())
    assert [(row.where.row, row.reason) for row in plan.bad] == [(2, "error"), (3, "error")]


@settings(max_examples=60, phases=(Phase.generate,))
@given(
    make=st.sampled_from((tidy, xls, csv_semicolons)),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.floats(0.3, 1),
)
def test_a_damaged_file_is_read_or_refused_and_never_a_crash(
    make: Mess, places: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(make(HOMES).data)
    for place, value in places:
        data[int(place * (len(data) - 1))] = value
    with suppress(Refused):
        preview(bytes(data[: int(len(data) * cut)]), "ds", Known())


def test_cells_that_do_not_say_where_they_are_follow_one_another() -> None:
    def nameless(xml: str) -> str:
        return re.sub(r'<c r="[A-Z]+\d+"', "<c", xml)

    file = saved(sheet([HEADER, [1, "Lý Thị Nọi", "Nà Lầu", "5", "Ngõ 2"]]))
    plan = preview(rewritten(file, "xl/worksheets/sheet1.xml", nameless).data, file.name, Known())
    assert [(one.name, one.house, one.lane) for one in plan.new] == [("Lý Thị Nọi", "5", "Ngõ 2")]


def test_twenty_thousand_rows_are_read_in_little_memory_and_progress_is_told() -> None:
    rows = [
        [place, f"Hoàng Văn {_letters(place)}", f"Thôn {place % 17 + 1}", str(place)]
        for place in range(20_000)
    ]
    file = saved(sheet([HEADER[:4], *rows]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told: list[tuple[str, int, int]] = []
    plan = preview(file.data, file.name, Known(), progress=lambda *one: told.append(one))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (len(plan.new), plan.bad) == (20_000, ())
    assert len(plan.hamlets) == 17
    assert grown < 200 * 1024  # kB
    assert list(dict.fromkeys(one[0] for one in told)) == [
        "read",
        "recognise",
        "clean",
        "plan",
    ]
    assert sum(one[0] == "clean" for one in told) == 40


def _letters(number: int) -> str:
    text = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        text += chr(97 + letter)
    return text.capitalize()
