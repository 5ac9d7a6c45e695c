"""Hamlets as people write them: "THÔN NÀ LẦU", "Bản Pó", "na lau", "Tổ 3", and which known one is meant."""

import re
import unicodedata
from collections.abc import Collection, Iterable

from server.lists.headers import split_kind
from server.lists.plan import HamletKnown
from server.names import TONES, fold

_MARKER = re.compile(r"^\s*(?:[IVXLC]{1,6}|[A-ZĐ]|\d{1,3})\s*[.):/-]+\s*(?=\S)")
_COUNT = re.compile(
    r"\s*[(:\[,-]*\s*(?:tổng(?: số)?:?\s*)?\d+\s*(?:hộ|ho|khẩu|nhân khẩu)\b.*$", re.IGNORECASE
)
_GENERIC_SHEET = re.compile(r"(sheet|trang( tinh)?|bang( tinh)?|table|danh sach|ds|list|du lieu|data)? ?\d*")


def tidy(text: str) -> str:
    """A hamlet's name without numbering before it, a count of households after it, and odd spaces."""
    text = " ".join(unicodedata.normalize("NFC", text).replace("\u00a0", " ").split())
    return _COUNT.sub("", _MARKER.sub("", text)).strip(" .:;,-–")


def key(written: str) -> str:
    """What two spellings of one hamlet share: the folded name without any kind words before it."""
    rest = tidy(written)
    while True:
        kind, shorter = split_kind(rest)
        if kind is None or not shorter:
            return fold(rest)
        rest = shorter


def exact(written: str) -> str:
    """As `key`, but with marks and tones: Nà Mò is not Nà Mỏ. Where a tone stands in its syllable does not
    matter (Hoà, Hòa)."""
    rest = tidy(written)
    while (found := split_kind(rest))[0]:
        rest = found[1]
    words = []
    for word in unicodedata.normalize("NFD", rest.casefold()).split():
        tone = "".join(letter for letter in word if letter in TONES)
        words.append("".join(letter for letter in word if letter not in TONES) + tone)
    return " ".join(words)


def named(written: str) -> tuple[str, str]:
    """Kind and name of a new hamlet, as its document will hold them; `thôn` where no kind is written."""
    kind, name = split_kind(tidy(written))
    small = name.lower() if name.isupper() else name
    return kind or "thôn", " ".join(word[:1].upper() + word[1:] for word in small.split())


def find(written: str, known: Iterable[HamletKnown]) -> HamletKnown | None:
    """The known hamlet that is meant: by its name where only one has it, else by marks and kind word too."""
    alike = [hamlet for hamlet in known if key(hamlet.name) == key(written)]
    if len(alike) > 1:
        alike = [hamlet for hamlet in alike if exact(hamlet.name) == exact(written)] or alike
    if len(alike) > 1:
        kind, _ = split_kind(tidy(written))
        alike = [hamlet for hamlet in alike if hamlet.kind == kind]
    return alike[0] if len(alike) == 1 else None


def like(written: str, known: Iterable[HamletKnown]) -> tuple[HamletKnown, ...]:
    """Known hamlets whose name is one slip of the hand away; numbers are never slips."""
    mine = key(written)
    if not mine or any(letter.isdigit() for letter in mine):
        return ()
    return tuple(hamlet for hamlet in known if near(mine, key(hamlet.name)))


def near(one: str, other: str) -> bool:
    """Whether one letter was changed, left out, added, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 4:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:] and len(left) == len(right)
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or swapped


def new_id(name: str, kind: str, taken: Collection[str]) -> str:
    """An id of our own for a new hamlet: its letters; the kind before a mere number; a number where taken."""
    bare = re.sub(r"[^a-z0-9]", "", fold(name))
    if not bare or bare.isdigit():
        bare = re.sub(r"[^a-z0-9]", "", fold(kind)) + bare
    bare = bare[:16]
    if len(bare) >= 2 and bare not in taken:
        return bare
    return next(candidate for number in range(2, 10_000) if (candidate := f"{bare}{number}") not in taken)


_IN_TITLE = re.compile(
    r"(?:^|[\s(,:-])(thôn|xóm|tổ dân phố|khu phố|khối phố|tiểu khu|ấp|buôn|khóm|làng|bản)\s*:?\s+"
    r"([^\s,.;:()–-][^,.;:()–]*?)\s*"
    r"(?=$|[,.;:()–]|\s-\s|\s(?:xã|phường|thị trấn|năm|tháng|đợt|quý)\s)",
    re.IGNORECASE,
)


def in_title(text: str, known: Iterable[HamletKnown]) -> str | None:
    """The hamlet that a title row names ("DANH SÁCH HỘ GIA ĐÌNH THÔN NÀ LẦU NĂM 2026").

    "Bản" also means a document, and titles speak of "các thôn, bản": it counts only before a known name.
    """
    for found in _IN_TITLE.finditer(unicodedata.normalize("NFC", text)):
        kind, name = found[1].lower(), found[2]
        known_one = find(f"{kind} {name}", known)
        if known_one or (kind != "bản" and split_kind(f"{name} x")[0] is None and len(name) <= 40):
            return f"{kind} {name}"
    return None


def in_address(text: str) -> str:
    """The hamlet that an address names ("Số 5, ngõ 2, thôn Nà Lầu"); empty where it names none."""
    parts = [part.strip() for part in re.split(r"[,;]|\s-\s", text)]
    # From small to large: in "xóm Đình, thôn Nà Lầu" the xóm is a lane.
    return next((part for part in reversed(parts) if split_kind(part)[0]), "")


def in_sheet_name(name: str, known: Iterable[HamletKnown]) -> str | None:
    """The hamlet that a sheet is named after; None for names like "Sheet1"."""
    if find(name, known) is None and _GENERIC_SHEET.fullmatch(fold(name)):
        return None
    return tidy(name) or None
