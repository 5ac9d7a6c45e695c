"""Whatever the mess, the same households come out: each list is written in every mess and read back."""

from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from server.lists import Choices, HamletKnown, HouseholdKnown, Known, Plan, preview
from server.names import fold
from tests.lists.messes import MESSES, NO_PLACE, Home, Mess

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Spreadsheets are slow to write; a failing list is small enough to read as it is."""

HAMLETS = ("Nà Lầu", "Khuổi Nọi", "Pác Ảng", "Bó Mịn", "Lũng Vài")
FAMILIES = ("Hoàng", "Nông", "Lý", "Lương", "Vi", "Triệu", "Hứa", "Đinh", "Nguyễn", "Bế", "Đàm", "Phùng")
MIDDLES = ("Văn", "Thị", "Đức", "Minh", "Hữu", "Quốc")
GIVENS = ("Nam", "Nọi", "Đức", "Ảnh", "Phượng", "Tuấn", "Hợp", "Yến", "Ước", "Quý", "Thủy", "Dũng")

names = st.builds(
    lambda *parts: " ".join(parts),
    st.sampled_from(FAMILIES),
    st.sampled_from(MIDDLES),
    st.sampled_from(GIVENS),
)
homes = st.builds(
    Home,
    st.sampled_from(HAMLETS),
    names,
    st.sampled_from(["", "1", "12", "12a", "5/3"]),
    st.sampled_from(["", "Ngõ 2", "Xóm Đình"]),
)
lists = st.lists(homes, min_size=6, max_size=14, unique_by=lambda home: (home.hamlet, fold(home.name)))


def grouped(found: Sequence[Home]) -> list[Home]:
    """As lists are: hamlet by hamlet."""
    order = {hamlet: place for place, hamlet in enumerate(dict.fromkeys(home.hamlet for home in found))}
    return sorted(found, key=lambda home: order[home.hamlet])


def read_back(plan: Plan) -> list[Home]:
    names = {hamlet.id: hamlet.name for hamlet in plan.hamlets}
    return [Home(names[one.hamlet], one.name, one.house, one.lane) for one in plan.new]


def known_after(plan: Plan) -> Known:
    """What the commune holds once a plan was applied to an empty one."""
    return Known(
        tuple(HamletKnown(hamlet.id, hamlet.name, hamlet.kind) for hamlet in plan.hamlets),
        tuple(
            HouseholdKnown(f"{place}", one.hamlet, one.name, one.house, one.lane, one.order)
            for place, one in enumerate(plan.new)
        ),
    )


@pytest.mark.parametrize("mess", MESSES, ids=lambda mess: mess.__name__)
@settings(max_examples=5, phases=QUICK)
@given(found=lists)
def test_every_mess_reads_back_as_the_list_that_was_written(mess: Mess, found: list[Home]) -> None:
    written = grouped([home._replace(house="", lane="") if mess in NO_PLACE else home for home in found])
    file = mess(written)
    plan = preview(file.data, file.name, Known())
    assert (plan.bad, plan.blocked) == ((), ())
    assert read_back(plan) == written
    again = preview(file.data, file.name, known_after(plan))
    assert not again.changes
    assert not again.questions
    assert again.unchanged == len(written)


@settings(max_examples=25, phases=QUICK)
@given(found=lists, one=st.sampled_from(MESSES), other=st.sampled_from(MESSES))
def test_the_same_list_in_another_mess_changes_nothing(found: list[Home], one: Mess, other: Mess) -> None:
    if NO_PLACE & {one, other}:
        found = [home._replace(house="", lane="") for home in found]
    first = one(grouped(found))
    known = known_after(preview(first.data, first.name, Known()))
    second = other(grouped(found))
    assert not preview(second.data, second.name, known, Choices()).changes
