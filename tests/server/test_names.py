"""Names of the commune, searched and sorted."""

import random
import unicodedata

import pytest

from server.names import fold, sort_key, title_key

FOLDED = [
    ("Đàm Thị Hoà", "dam thi hoa"),
    ("ĐÀM THỊ HÒA", "dam thi hoa"),
    ("  Nguyễn\u00a0 Văn   Ước ", "nguyen van uoc"),
    ("Thuỵ Hùng", "thuy hung"),
    ("Thụy Hùng", "thuy hung"),
    ("Lò Văn Phương (con ông Tú)", "lo van phuong con ong tu"),
    ("H'Mông_Dơ-Nia", "h mong do nia"),
    ("Ngõ 12/3", "ngo 12 3"),
    ("", ""),
]

SORTED = [
    ("tones: ngang huyền hỏi ngã sắc nặng", ["Ma", "Mà", "Mả", "Mã", "Má", "Mạ"]),
    ("letters: a ă â", ["Lan", "Lăn", "Lân"]),
    ("letters: d đ", ["Duy", "Dư", "Đan", "Đô"]),
    ("letters: e ê, o ô ơ, u ư", ["Be", "Bê", "Bo", "Bô", "Bơ", "Bu", "Bư"]),
    ("letters before tones", ["An", "Án", "Anh", "Ánh"]),
    ("letters of the whole word before its tone", ["Hòa", "Hoan", "Hoàn", "Hoang"]),
    ("the given name first, then the rest", ["Vi Văn An", "Bế Văn Bình", "Lý Văn Bình", "Lý Thị Cúc"]),
    ("the rest from the left", ["Hoàng Thị Lan", "Hoàng Văn Lan", "Nông Thị Lan"]),
    ("tones of the given name before the family name", ["Vi Văn Ma", "An Văn Mà"]),
    ("a short name before a longer one", ["Lan", "Bế Lan", "Bế Thị Lan"]),
    ("letters of other peoples", ["Dung", "Eng", "Fa", "Giang", "Wa", "Xa", "Za"]),
    ("digits before letters, other scripts last", ["Nhà 2", "An", "Яна"]),
]


@pytest.mark.parametrize(("text", "folded"), FOLDED)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_search_ignores_marks_case_and_spaces(text: str, folded: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, text)) == folded  # type: ignore[arg-type]


@pytest.mark.parametrize(("why", "names"), SORTED, ids=[why for why, _ in SORTED])
def test_names_sort_as_a_vietnamese_list(why: str, names: list[str]) -> None:
    shuffled = random.Random(7).sample(names, len(names))
    assert sorted(shuffled, key=sort_key) == names


@pytest.mark.parametrize("name", ["Đỗ Thị Hường", "Lường Văn Ượng", "Thuỵ", "Яна", ""])
def test_the_key_is_ascii_and_one_for_both_unicode_forms_and_cases(name: str) -> None:
    key = sort_key(unicodedata.normalize("NFD", name))
    assert key == sort_key(unicodedata.normalize("NFC", name)) == sort_key(name.upper())
    assert key.isascii()


def test_old_and_new_placing_of_the_tone_sort_alike() -> None:
    assert sort_key("Thuỵ") == sort_key("Thụy")
    assert sort_key("Hoà") == sort_key("Hòa")


def test_units_and_models_stand_by_their_first_word_and_people_by_their_last() -> None:
    titles = ["Cổng trường Nà Kéo", "Điểm chữa cháy Bản Ánh", "Tổ tự quản Bản Ái"]
    assert sorted(titles, key=title_key) == titles
    assert sorted(titles, key=sort_key) != titles
