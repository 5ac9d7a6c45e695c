"""Vietnamese names: how they are searched and how they are sorted. Pure.

Searching ignores what people leave out when they type: marks, đ, case, odd spaces. Sorting does not: names go
by the last word (the given name), then by the rest from the left; within a word the letters decide first,
in the order of the Vietnamese alphabet, and the tone where the letters are the same.
"""

import re
import unicodedata

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
"""The 29 letters of Vietnamese, with f j w z where Latin has them: they occur in names of other peoples."""

TONES = "\u0300\u0309\u0303\u0301\u0323"
"""Marks of huyền, hỏi, ngã, sắc, nặng, in dictionary order; ngang has none and comes first."""

_CODE = {letter: chr(ord("A") + place) for place, letter in enumerate(ALPHABET)}
_NOT_A_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """What search compares: lower case, no marks, đ as d, words parted by one space.

    >>> fold("  ĐÀM  Thị Hoà ")
    'dam thi hoa'
    """
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_A_WORD.sub(" ", unicodedata.normalize("NFC", bare)).strip()


def sort_key(name: str) -> str:
    """ASCII text whose byte order is the order of names in Vietnamese lists.

    >>> sorted(["Trần Văn Ánh", "Lý Thị An", "Bế Văn Anh", "Lý Thị Ân"], key=sort_key)
    ['Lý Thị An', 'Bế Văn Anh', 'Trần Văn Ánh', 'Lý Thị Ân']
    """
    words = _words(name)
    return "  ".join(_word_key(word) for word in words[-1:] + words[:-1])


def title_key(title: str) -> str:
    """The same for what is no person: word by word from the first.

    >>> sorted(["Trạm Y tế An Hòa", "Đồn Nà Hình", "Cửa hàng Vân Xa"], key=title_key)
    ['Cửa hàng Vân Xa', 'Đồn Nà Hình', 'Trạm Y tế An Hòa']
    """
    return "  ".join(map(_word_key, _words(title)))


def _words(text: str) -> list[str]:
    spelled = unicodedata.normalize("NFC", text.casefold().replace("'", "").replace("’", ""))
    return _NOT_A_WORD.sub(" ", spelled).split()


def _word_key(word: str) -> str:
    """Letters, a space, tones: a space is below every letter, so `an`, `án` and then `anh`."""
    letters: list[str] = []
    tones: list[str] = []
    for letter in word:
        marks = unicodedata.normalize("NFD", letter)
        tones += [str(1 + TONES.index(mark)) for mark in marks if mark in TONES]
        bare = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES))
        letters.append(_CODE.get(bare) or (bare if bare.isascii() else f"~{ord(bare[0]):06x}"))
    return f"{''.join(letters)} {''.join(tones) or '0'}"
