"""What is a row and what is none, which columns are taken, what is a name: tables of small lists."""

from collections.abc import Sequence

import pytest

from server.lists import Choices, HamletKnown, Known, Plan, preview
from server.lists.clean import strip
from server.lists.encodings import tcvn3, vni
from server.lists.hamlets import find, in_title, key, near, new_id
from server.lists.headers import role, split_kind, why_left_out
from server.lists.recognise import is_ditto, is_total
from server.lists.syllables import possible
from tests.lists.messes import comma, saved, sheet

NALAU = HamletKnown("nalau", "Nà Lầu", "thôn")


def listed(*rows: Sequence[object], known: Known | None = None, choices: Choices | None = None) -> Plan:
    """The plan of a CSV file with these rows."""
    return preview(comma(rows).encode(), "ds.csv", known or Known(), choices)


def names(plan: Plan) -> list[str]:
    return [one.name for one in plan.new]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("STT", "number"),
        ("HỌ VÀ TÊN CHỦ HỘ", "name"),
        ("ho ten chu ho", "name"),
        ("Chủ hộ (họ và tên)", "name"),
        ("Người đại diện", "name"),
        ("Họ và tên đệm", "family"),
        ("Họ, chữ đệm", "family"),
        ("Tên", "given"),
        ("Thôn/Xóm/Bản/Tổ dân phố", "hamlet"),
        ("Khu dân cư", "hamlet"),
        ("Số nhà", "house"),
        ("Ngõ/Đường/Xóm nhỏ", "lane"),
        ("Chỗ ở hiện nay", "address"),
        ("Quan hệ với chủ hộ", "relation"),
        ("Họ và tên vợ/chồng", None),
        ("Số sổ hộ khẩu", None),
        ("Ngày sinh chủ hộ", None),
    ],
)
def test_a_header_has_its_role_whatever_its_spelling(header: str, found: str | None) -> None:
    assert role(header) == found


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Số CCCD/CMND", "id"),
        ("Ngày, tháng, năm sinh", "birth"),
        ("SĐT", "contact"),
        ("Dân tộc", "ethnicity"),
        ("Tôn giáo", "religion"),
        ("Số nhân khẩu", "members"),
        ("Hộ nghèo", "means"),
        ("Tiền án, tiền sự", "offences"),
        ("Tọa độ", "position"),
        ("Ghi chú", "remarks"),
        ("Cột lạ", "other"),
    ],
)
def test_a_column_that_is_left_out_says_why(header: str, why: str) -> None:
    plan = listed(["Họ và tên", "Thôn", header], ["Lý Thị Nọi", "Nà Lầu", "điều riêng"])
    assert [(one.header, one.why) for one in plan.left_out] == [(header, why)]
    assert why_left_out(header) == why
    assert "điều riêng" not in repr(plan)


@pytest.mark.parametrize(
    ("raw", "name", "note"),
    [
        ("Hoàng Văn Nam (hộ ghép)", "Hoàng Văn Nam", "hộ ghép"),
        ("Hoàng Văn Nam [vợ Lý Thị Ba] (tạm trú)", "Hoàng Văn Nam", "vợ Lý Thị Ba; tạm trú"),
        ("12. Hoàng Văn Nam", "Hoàng Văn Nam", ""),
        ("Bà Lý Thị Nọi", "Lý Thị Nọi", "Bà"),
        ("Hộ ông Nguyễn Văn Mẫu", "Nguyễn Văn Mẫu", "Hộ ông"),
        ("Ông Văn Lâm", "Ông Văn Lâm", ""),
        ("Ông Nguyễn Văn Lâm", "Nguyễn Văn Lâm", "Ông"),
        ("NGUYỄN THỊ ÁNH", "Nguyễn Thị Ánh", ""),
        ("lý văn ảnh", "Lý Văn Ảnh", ""),
        ("H'HEN NIÊ", "H'Hen Niê", ""),
    ],
)
def test_a_name_is_stripped_of_what_is_no_name_and_that_is_shown(raw: str, name: str, note: str) -> None:
    assert strip(raw) == (name, note)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("12345", "number"),
        ("01/02/1990", "date"),
        ("Hoàng Văn Nam 2", "digits"),
        ("Hoàng Văn Nam + Lý Thị Ba", "several"),
        ("Hoàng Văn Nam và Lý Thị Ba", "several"),
        ("(vắng)", "no_name"),
        ("-", "no_name"),
        ("A", "short"),
        ("Nam" * 67, "long_name"),
        ("Nam☂", "letters"),
        ("nt", "ditto"),
    ],
)
def test_what_is_no_name_is_a_bad_row_with_its_reason(name: str, reason: str) -> None:
    plan = listed(["STT", "Họ và tên", "Thôn"], [1, "Lý Thị Nọi", "Nà Lầu"], [2, name, "Nà Lầu"])
    assert [(bad.where.row, bad.reason) for bad in plan.bad] == [(3, reason)]


def test_a_list_with_bad_rows_waits_and_its_good_rows_go_in_when_people_say_so() -> None:
    rows = (["Họ và tên", "Thôn"], ["Lý Thị Nọi", "Nà Lầu"], ["123", "Nà Lầu"])
    assert listed(*rows).blocked == ("bad_rows",)
    plan = listed(*rows, choices=Choices(leave_bad_rows=True))
    assert (plan.blocked, names(plan)) == ((), ["Lý Thị Nọi"])


@pytest.mark.parametrize("text", ["nt", "NT", "-nt-", "n.t", "N.T.", '"', "〃", "”", "''", "như trên", "//"])
def test_marks_that_mean_the_same_as_above(text: str) -> None:
    assert is_ditto(text)


@pytest.mark.parametrize("text", ["Nà Lầu", "-", "", "1", "Nt Văn"])
def test_texts_that_do_not_mean_the_same_as_above(text: str) -> None:
    assert not is_ditto(text)


def test_a_ditto_with_nothing_above_it_is_a_bad_row() -> None:
    plan = listed(["Họ và tên", "Thôn"], ["Lý Thị Nọi", "nt"], ["Vi Văn Ba", "Nà Lầu"])
    assert [(bad.where.row, bad.reason) for bad in plan.bad] == [(2, "ditto")]


@pytest.mark.parametrize(
    "text", ["Tổng cộng", "TỔNG CỘNG: 45 hộ", "Cộng", "Tong cong", "Tổng số hộ", "Cộng trang"]
)
def test_rows_that_count(text: str) -> None:
    assert is_total(text)


@pytest.mark.parametrize("text", ["Tống Văn Cộng", "Tống Công", "Tong Van Cong", "Nông Văn Tổng"])
def test_people_whose_names_sound_like_counting(text: str) -> None:
    assert not is_total(text)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("Thôn Nà Lầu", "thôn", "Nà Lầu"),
        ("TỔ DÂN PHỐ SỐ 3", "tổ dân phố", "SỐ 3"),
        ("thon Na Lau", "thôn", "Na Lau"),
        ("Lang Văn Hà", None, "Lang Văn Hà"),
        ("Bản", None, "Bản"),
    ],
)
def test_the_kind_of_a_hamlet_is_told_from_its_name(text: str, kind: str | None, name: str) -> None:
    assert split_kind(text) == (kind, name)


def test_spellings_of_one_hamlet_share_a_key_and_other_hamlets_do_not() -> None:
    assert {key(text) for text in ("Thôn Nà Lầu", "NÀ LẦU", "na lau", "1. Thôn Nà Lầu (45 hộ)")} == {"na lau"}
    assert key("Thôn Bản Pó") == key("Bản Pó") == "po"
    mo = (HamletKnown("namo", "Nà Mò", "thôn"), HamletKnown("namo2", "Nà Mỏ", "thôn"))
    assert find("thôn Nà Mỏ", mo) == mo[1]
    assert find("na mo", mo) is None


@pytest.mark.parametrize(
    ("title", "hamlet"),
    [
        ("DANH SÁCH HỘ GIA ĐÌNH THÔN NÀ LẦU NĂM 2026", "thôn NÀ LẦU"),
        ("Thôn: Pác Ảng, xã Nà Mây", "thôn Pác Ảng"),
        ("Danh sách các thôn, bản", None),
        ("BẢN KÊ CÁC HỘ", None),
        ("Văn bản số 5", None),
    ],
)
def test_a_title_may_name_the_hamlet(title: str, hamlet: str | None) -> None:
    assert in_title(title, ()) == hamlet


def test_ids_of_new_hamlets_are_letters_and_never_taken_twice() -> None:
    assert new_id("Nà Lầu", "thôn", set()) == "nalau"
    assert new_id("Nà Lầu", "thôn", {"nalau"}) == "nalau2"
    assert new_id("3", "tổ dân phố", set()) == "todanpho3"
    assert new_id("Ỷ", "thôn", set()) == "y2"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("na lau", "na lao", True),
        ("na lau", "na laau", True),
        ("na lau", "na lua", True),
        ("na lau", "na leo", False),
        ("po", "bo", False),
    ],
)
def test_names_one_slip_apart_are_near(one: str, other: str, same: bool) -> None:
    assert near(one, other) is same


def test_old_codes_as_people_typed_them() -> None:
    assert (
        tcvn3("NguyÔn V¨n §ç, TriÖu ThÞ L­¬ng, xãm Tæ, sè nhµ")
        == "Nguyễn Văn Đỗ, Triệu Thị Lương, xóm Tổ, số nhà"
    )
    assert vni("Nguyeãn Vaên Ñoã, Trieäu Thò Löông, xoùm Toå, soá nhaø") == (
        "Nguyễn Văn Đỗ, Triệu Thị Lương, xóm Tổ, số nhà"
    )


def test_a_sheet_that_is_partly_unicode_and_partly_vni_is_read_rightly() -> None:
    rows = [["Nguyeãn Thò Löông", "Nà Lầu"], ["Ñinh Thò Nam", "Nà Lầu"], ["Lý Thị Phượng", "Nà Lầu"]]
    rows += [["Traàn Vaên Ñöùc", "Nà Lầu"], ["Vi Thò Nam", "Nà Lầu"], ["Trieäu Quoác Höõu", "Nà Lầu"]]
    file = saved(sheet([["Hoï vaø teân", "Thoân"], *rows]))
    plan = preview(file.data, file.name, Known())
    assert plan.remarks == ("vni",)
    assert names(plan) == [
        "Nguyễn Thị Lương",
        "Đinh Thị Nam",
        "Lý Thị Phượng",
        "Trần Văn Đức",
        "Vi Thị Nam",
        "Triệu Quốc Hữu",
    ]


def test_letters_that_only_look_like_a_stroked_d_are_mended() -> None:
    plan = listed(["Họ và tên", "Thôn"], ["\u00d0inh Văn \u00d0ức", "Nà \u00f0a"])
    assert (names(plan), plan.hamlets[0].name) == (["Đinh Văn Đức"], "Nà Đa")


@pytest.mark.parametrize("word", ["Nguyễn", "Quốc", "Quỳnh", "Thuỵ", "thụy", "Khuổi", "Giếng", "Ỷ"])
def test_vietnamese_syllables(word: str) -> None:
    assert possible(word)


@pytest.mark.parametrize("word", ["Quoác", "NguyÔn", "Vaên", "Đưc", "Hoaøng", "Ñinh"])
def test_words_that_are_no_vietnamese_syllable(word: str) -> None:
    assert not possible(word)


def test_a_title_of_two_cells_above_the_header_is_no_part_of_it() -> None:
    plan = listed(["UBND XÃ NÀ MÂY", "DANH SÁCH"], ["Họ và tên", "Thôn"], ["Lý Thị Nọi", "Nà Lầu"])
    assert (plan.sheets[0].header_row, plan.sheets[0].headers) == (2, ("Họ và tên", "Thôn"))


def test_a_list_that_names_no_hamlet_asks_for_it_once() -> None:
    rows = (["STT", "Họ và tên"], [1, "Lý Thị Nọi"], [2, "Vi Văn Ba"])
    assert [(bad.where.row, bad.reason) for bad in listed(*rows).bad] == [(1, "sheet_hamlet")]
    plan = listed(*rows, known=Known((NALAU,)), choices=Choices(hamlet="Nà Lầu"))
    assert {one.hamlet for one in plan.new} == {"nalau"}


def test_columns_that_nobody_recognised_are_named_once_and_remembered_for_the_next_file() -> None:
    rows = (["Quý danh", "Chốn"], ["Lý Thị Nọi", "Nà Lầu"], ["Vi Văn Ba", "Nà Lầu"])
    plan = listed(*rows)
    assert plan.blocked == ("no_list",)
    (sheet,) = plan.sheets
    assert (sheet.state, list(sheet.headers), list(sheet.sample[0])) == ("unknown", rows[0], rows[1])
    choices = Choices(columns={sheet.fingerprint: {0: "name", 1: "hamlet"}})
    assert names(listed(*rows, choices=choices)) == ["Lý Thị Nọi", "Vi Văn Ba"]
    later = (["SỔ MỚI"], ["quy danh", "chon"], ["Vi Văn Tư", "Nà Lầu"])
    assert names(listed(*later, choices=choices)) == ["Vi Văn Tư"]


def test_a_list_without_a_header_loses_no_household_when_its_columns_are_named_by_hand() -> None:
    rows = (["1", "Lường Văn Ún", "Nà Lầu"], ["2", "Cà Thị Ỏn", "Nà Lầu"])
    (sheet,) = listed(*rows).sheets
    assert (sheet.state, sheet.headless) == ("unknown", True)
    columns = {sheet.fingerprint: {0: "number", 1: "name", 2: "hamlet"}}
    plan = listed(*rows, choices=Choices(columns=columns, headless=frozenset({sheet.fingerprint})))
    assert names(plan) == ["Lường Văn Ún", "Cà Thị Ỏn"]
    assert plan.sheets[0].headless
    assert names(listed(*rows, choices=Choices(columns=columns))) == ["Cà Thị Ỏn"]


def test_what_stands_beneath_a_header_named_by_hand_is_no_household() -> None:
    rows = (
        ["TT", "Quý danh", "", "Chốn"],
        ["", "Họ đệm", "Tên", ""],
        ["(1)", "(2)", "(3)", "(4)"],
        [1, "Lý Thị", "Nọi", "Nà Lầu"],
    )
    (sheet,) = listed(*rows).sheets
    columns = {sheet.fingerprint: {0: "number", 1: "family", 2: "given", 3: "hamlet"}}
    assert names(listed(*rows, choices=Choices(columns=columns))) == ["Lý Thị Nọi"]


def test_a_sheet_that_was_read_says_its_columns_so_that_a_person_can_correct_them() -> None:
    rows = (["STT", "Họ tên", "Thôn"], ["1", "Lý Thị Nọi", "Nà Lầu"])
    (sheet,) = listed(*rows).sheets
    assert sheet.state == "read"
    assert dict(sheet.columns) == {0: "number", 1: "name", 2: "hamlet"}
    assert sheet.sample == (("1", "Lý Thị Nọi", "Nà Lầu"),)


def test_house_and_lane_that_are_formulas_or_too_long_are_bad_rows() -> None:
    header = ["Họ và tên", "Thôn", "Số nhà", "Ngõ"]
    plan = listed(
        header,
        ["Lý Thị Nọi", "Nà Lầu", "=1+1", ""],
        ["Vi Văn Ba", "Nà Lầu", "1" * 41, ""],
        ["Vi Văn Tư", "Nà Lầu", "1", "<i>Ngõ</i>"],
        ["Vi Văn Năm", "N" * 90, "1", ""],
    )
    assert [bad.reason for bad in plan.bad] == ["unsafe_place", "long_place", "unsafe_place", "long_hamlet"]


def test_a_sheet_that_is_mostly_unicode_still_has_its_old_cells_converted() -> None:
    rows = [[f"Lý Thị Phượng {letter}", "Thôn Nà Lầu"] for letter in "ABCDEFGH"]
    rows += [["NguyÔn V¨n §øc", "Th«n Nµ LÇu"], ["TrÇn ThÞ N«ng", "Th«n Nµ LÇu"]]
    file = saved(sheet([["Họ và tên", "Thôn"], *rows]))
    plan = preview(file.data, file.name, Known())
    assert names(plan)[-2:] == ["Nguyễn Văn Đức", "Trần Thị Nông"]
    assert len(plan.hamlets) == 1


def test_names_of_other_peoples_are_no_old_code() -> None:
    rows = [
        ["H'Hen Niê", "Buôn Đôn"],
        ["Y Blô Êban", "Buôn Đôn"],
        ["K'Brôi", "Buôn Đôn"],
        ["Siu Klá", "Buôn Đôn"],
    ]
    plan = listed(["Họ và tên", "Thôn"], *rows)
    assert (plan.remarks, names(plan)) == ((), [row[0] for row in rows])


def test_what_cannot_be_seen_is_taken_out_of_cells_and_said() -> None:
    plan = listed(["Họ và tên", "Thôn"], ["Hoàng\u2066 Văn\u200b Nam\u202e", "Nà\u2060 Lầu"])
    assert (names(plan), plan.hamlets[0].name, plan.remarks) == (["Hoàng Văn Nam"], "Nà Lầu", ("unseen",))
