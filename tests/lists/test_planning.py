"""What is new, what is known again, what is asked: stories of lists that come in more than once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.lists import NEW, Choices, HamletKnown, HouseholdKnown, Known, Plan
from tests.lists.test_messes import known_after
from tests.lists.test_reading import listed, names

HEADER = ["Họ và tên", "Thôn", "Số nhà", "Ngõ"]
NAM, NOI, BA = (["Hoàng Văn Nam", "Nà Lầu"], ["Lý Thị Nọi", "Nà Lầu"], ["Vi Văn Ba", "Nà Lầu"])


def after(*rows: Sequence[object]) -> Known:
    """The commune once a list with these rows was imported."""
    return known_after(listed(HEADER, *rows))


def changed(known: Known, number: int, **fields: object) -> Known:
    """The commune after somebody changed one of its households on a phone."""
    households = list(known.households)
    households[number] = replace(households[number], **fields)  # type: ignore[arg-type]
    return replace(known, households=tuple(households))


def asked(plan: Plan) -> list[tuple[str, str, str]]:
    return [(one.doubt.value, one.name, one.answer) for one in plan.questions]


def test_a_fresh_list_is_walked_in_its_own_order_with_room_between() -> None:
    assert [one.order for one in listed(HEADER, NAM, NOI, BA).new] == [10, 20, 30]


def test_the_same_list_again_changes_nothing_though_marks_case_and_spaces_differ() -> None:
    again = (["HOANG VAN NAM", "na lau"], ["lý  thị nọi", "THÔN NÀ LẦU"], ["Vi  Văn Ba", "Nà Lầu"])
    plan = listed(HEADER, *again, known=after(NAM, NOI, BA))
    assert (plan.changes, plan.unchanged, plan.questions) == (False, 3, ())


def test_two_heads_of_one_name_stay_two_and_stay_known() -> None:
    known = after(NAM, NOI, NAM)
    assert len(known.households) == 3
    plan = listed(HEADER, NAM, NOI, NAM, known=known)
    assert (plan.changes, plan.unchanged) == (False, 3)


def test_the_same_name_and_house_twice_in_a_file_is_one_household_unless_people_say_otherwise() -> None:
    row = ["Hoàng Văn Nam", "Nà Lầu", "12", ""]
    plan = listed(HEADER, row, row)
    assert (names(plan), asked(plan)) == (["Hoàng Văn Nam"], [("twice", "Hoàng Văn Nam", "same")])
    answers = {plan.questions[0].id: "new"}
    assert len(listed(HEADER, row, row, choices=Choices(answers=answers)).new) == 2  # type: ignore[arg-type]


def test_a_new_household_takes_its_place_behind_the_one_before_it_and_moves_nobody() -> None:
    known = after(NAM, BA)
    plan = listed(HEADER, NAM, NOI, ["Bế Thị Năm", "Nà Lầu"], BA, ["Đinh Văn Sáu", "Nà Lầu"], known=known)
    assert [(one.name, one.order) for one in plan.new] == [
        ("Lý Thị Nọi", 13),
        ("Bế Thị Năm", 16),
        ("Đinh Văn Sáu", 30),
    ]
    assert plan.unchanged == 2


@pytest.mark.parametrize(
    ("fields", "row", "doubt", "answer"),
    [
        ({"house": "12"}, NAM, "place", "same"),
        ({"house": "12"}, ["Hoàng Văn Nam", "Nà Lầu", "14", ""], "place", "new"),
        ({"name": "Hoàng Văn Năn"}, NAM, "spelling", "same"),
        ({"name": "Nam Hoàng Văn"}, NAM, "spelling", "same"),
        ({"name": "Hoàng Thị Tư"}, NAM, "head", "new"),
        ({"name": "Hoàng Thị Tư", "house": "12"}, [*NAM, "12"], "head", "same"),
        ({"ended": True}, NAM, "gone", "same"),
    ],
)
def test_a_row_that_is_nearly_a_known_household_is_asked(
    fields: dict[str, object], row: list[object], doubt: str, answer: str
) -> None:
    known = changed(after(NAM, NOI), 0, **fields)
    plan = listed(HEADER, row, NOI, known=known)
    assert asked(plan) == [(doubt, "Hoàng Văn Nam", answer)]
    assert names(plan) == ([] if answer == "same" else ["Hoàng Văn Nam"])


@pytest.mark.parametrize(
    ("fields", "row", "filled"),
    [
        ({}, [*NAM, "12", "Ngõ 2"], ("12", "Ngõ 2")),
        ({"lane": "Ngõ 2"}, [*NAM, "12", ""], ("12", "Ngõ 2")),
        ({"house": "12"}, [*NAM, "12", "Ngõ 2"], ("12", "Ngõ 2")),
        ({"house": "12", "lane": "Ngõ 2"}, NAM, None),
        ({"ended": True}, NAM, None),
    ],
)
def test_a_row_that_is_a_known_household_gives_it_what_it_lacks_and_alters_nothing(
    fields: dict[str, object], row: list[object], filled: tuple[str, str] | None
) -> None:
    known = changed(after(NAM, NOI), 0, **fields)
    plan = listed(HEADER, row, NOI, known=known)
    assert plan.new == ()
    assert [(one.name, one.house, one.lane) for one in plan.filled] == (
        [("Hoàng Văn Nam", *filled)] if filled else []
    )
    assert (plan.changes, plan.questions[0].adds) == (bool(filled), bool(filled))
    other = Choices(answers={plan.questions[0].id: "new"})
    apart = listed(HEADER, row, NOI, known=known, choices=other)
    assert (apart.filled, names(apart)) == ((), ["Hoàng Văn Nam"]), "another one, and not asked again"


def test_an_answer_is_kept_by_the_question_and_turns_it_round() -> None:
    known = changed(after(NAM, NOI), 0, name="Hoàng Thị Tư")
    (question,) = listed(HEADER, NAM, NOI, known=known).questions
    plan = listed(HEADER, NAM, NOI, known=known, choices=Choices(answers={question.id: "same"}))
    assert (names(plan), plan.taken) == ([], 1)
    assert plan.questions[0].chosen


def test_the_same_name_in_another_hamlet_is_another_household() -> None:
    plan = listed(HEADER, NAM, ["Hoàng Văn Nam", "Pác Ảng"], known=after(NAM))
    assert [(one.name, one.hamlet) for one in plan.new] == [("Hoàng Văn Nam", "pacang")]
    assert plan.questions == ()


def test_a_hamlet_one_slip_away_from_a_known_one_waits_for_a_person() -> None:
    known = Known((HamletKnown("nalau", "Nà Lầu", "thôn"),))
    slip = ["Hoàng Văn Nam", "Nà Lao"]
    plan = listed(HEADER, slip, known=known)
    assert plan.blocked == ("hamlets",)
    assert [one.id for one in plan.hamlets[0].like] == ["nalau"]
    mapped = listed(HEADER, slip, known=known, choices=Choices(hamlets={"Nà Lao": "nalau"}))
    assert (mapped.blocked, mapped.new[0].hamlet, mapped.hamlets[0].new) == ((), "nalau", False)
    made = listed(HEADER, slip, known=known, choices=Choices(hamlets={"nà lao": NEW}))
    assert (made.blocked, made.new[0].hamlet, made.hamlets[0].new) == ((), "nalao", True)


def test_a_slip_within_the_file_waits_too_and_can_be_mapped_to_the_new_hamlet() -> None:
    rows = (NAM, NOI, BA, ["Đinh Văn Sáu", "Nà Lầi"])
    plan = listed(HEADER, *rows)
    assert plan.blocked == ("hamlets",)
    mapped = listed(HEADER, *rows, choices=Choices(hamlets={"Nà Lầi": "nalau"}))
    assert {one.hamlet for one in mapped.new} == {"nalau"}


def test_numbered_hamlets_are_no_slips_of_one_another() -> None:
    plan = listed(HEADER, ["Vi Văn Ba", "Tổ 1"], ["Vi Văn Tư", "Tổ 2"], ["Vi Văn Năm", "Tổ 11"])
    assert (plan.blocked, len(plan.hamlets)) == ((), 3)


def test_hamlets_that_differ_by_a_mark_are_two() -> None:
    rows = [[f"Vi Văn {name}", hamlet] for hamlet in ("Nà Mò", "Nà Mỏ") for name in ("Ba", "Tư", "Năm")]
    plan = listed(HEADER, *rows)
    assert [(one.name, one.rows) for one in plan.hamlets] == [("Nà Mò", 3), ("Nà Mỏ", 3)]
    assert len({one.id for one in plan.hamlets}) == 2


def test_a_plan_depends_on_nothing_but_its_input() -> None:
    known = Known(households=(HouseholdKnown("1", "elsewhere", "Vi Văn Ba", "", "", 10),))
    assert listed(HEADER, NAM, NOI, known=known) == listed(HEADER, NAM, NOI, known=known)


def test_a_list_of_other_people_adds_them_all_though_they_stand_at_the_positions_of_known_ones() -> None:
    others = [[name, "Nà Lầu"] for name in ("Bế Thị Năm", "Đinh Văn Sáu", "Nông Văn Bảy")]
    plan = listed(HEADER, *others, known=after(NAM, NOI, BA))
    assert names(plan) == ["Bế Thị Năm", "Đinh Văn Sáu", "Nông Văn Bảy"]
    assert plan.taken == 0
    assert plan.questions == (), "each would be a question about nothing"


def test_another_name_at_a_position_is_asked_about_where_the_list_follows_the_walk() -> None:
    plan = listed(HEADER, NAM, ["Bế Thị Năm", "Nà Lầu"], BA, known=after(NAM, NOI, BA))
    assert asked(plan) == [("head", "Bế Thị Năm", "new")]


def test_rows_taken_for_known_households_of_another_name_are_counted() -> None:
    row = ["Bế Thị Năm", "Nà Lầu", "12"]
    plan = listed(HEADER, row, known=after([*NAM, "12"]))
    assert (plan.changes, plan.taken) == (False, 1)
