"""From the cells of a row to a household's fields, or to the reason why they are none."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from server.lists import hamlets
from server.lists.plan import BadRow, Note
from server.lists.recognise import Found, is_ditto
from server.lists.sheets import Cell, Kind

NAME_LENGTH = 80
HOUSE_LENGTH = 40
LANE_LENGTH = 80

# Letters of other alphabets' sets that Vietnamese keyboards and fonts left in files in place of đ.
_MISTAKEN = str.maketrans({"Ð": "Đ", "ð": "đ", "Ɖ": "Đ", "ɖ": "đ"})
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|（([^（）]*)）")
_ORDINAL = re.compile(r"^\d{1,5}\s*[.):/-]\s*(?=\D)")
_ADDRESSED = re.compile(r"^(ông bà|ông\s*/\s*bà|hộ ông|hộ bà|hộ|bà|cụ|ông)\s*[:.]?\s+", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{1,4}")
_HTML = re.compile(r"<[^>]*>?|&(?:[a-z]+|#\d+);", re.IGNORECASE)
_SEVERAL = re.compile(r"[+&/;|,]|\s[-–]\s|\svà\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clean:
    """A household as it would be stored, but for its hamlet, which is still as the file writes it."""

    found: Found
    name: str
    house: str
    lane: str
    hamlet: str


def clean(rows: Iterable[Found]) -> Iterator[Clean | BadRow | Note]:
    """Each row, or why it is none; a note goes before the row whose name it was taken from. Pure."""
    for row in rows:
        raw = tidy(" ".join(cell.text for cell in row.name))
        name, note = strip(raw)
        reason = _wrong_kind(row.name) or _wrong_name(raw, name)
        if reason:
            yield BadRow(row.where, reason, raw[:40])
            continue
        house, lane, hamlet = _place(row)
        if wrong := _wrong_hamlet(hamlet):
            yield BadRow(row.where, wrong, hamlet[:40])
            continue
        if len(house) > HOUSE_LENGTH or len(lane) > LANE_LENGTH:
            yield BadRow(row.where, "long_place", (house if len(house) > HOUSE_LENGTH else lane)[:40])
            continue
        if _is_unsafe(house) or _is_unsafe(lane):
            yield BadRow(row.where, "unsafe_place", (house if _is_unsafe(house) else lane)[:40])
            continue
        if note:
            yield Note(row.where, name, note)
        yield Clean(row, name, house, lane, hamlet)


def tidy(text: str) -> str:
    """NFC, one kind of space and one of each, no invisible letters, đ where a look-alike stands."""
    text = "".join(c for c in unicodedata.normalize("NFC", text) if not invisible(c)).translate(_MISTAKEN)
    spaces = ("Cc", "Zs", "Zl", "Zp")
    return " ".join("".join(" " if unicodedata.category(c) in spaces else c for c in text).split())


def invisible(letter: str) -> bool:
    """A format character: zero-width, or one that turns the direction of writing."""
    return unicodedata.category(letter) == "Cf"


def strip(raw: str) -> tuple[str, str]:
    """A name without numbering, remarks in brackets and forms of address; and what of that people should see.

    >>> strip("2. Bà Lý Thị Nọi (hộ ghép)")
    ('Lý Thị Nọi', 'Bà; hộ ghép')
    """
    name = _ORDINAL.sub("", raw)
    remarks = [part.strip() for found in _BRACKETS.finditer(name) for part in found.groups() if part]
    name = " ".join(_BRACKETS.sub(" ", name).split()).strip(" .,;:*-–_")
    if address := _ADDRESSED.match(name):
        rest = name[address.end() :]
        # Ông is a family name too (Ông Văn Lâm): it is a form of address where a whole name follows it.
        if len(rest.split()) >= (3 if address[1].lower() == "ông" else 2):
            name = rest
            remarks.insert(0, address[1])
    return capitals(name), "; ".join(remarks)


def capitals(name: str) -> str:
    """A name in its usual capitals. Old codes have no capitals with tones: "Lý Văn ảnh" is Lý Văn Ảnh."""
    if name.isupper():
        return " ".join(
            "'".join(part[:1] + part[1:].lower() for part in word.split("'")) for word in name.split()
        )
    return " ".join(word[:1].upper() + word[1:] for word in name.split())


def _wrong_kind(cells: tuple[Cell, ...]) -> str | None:
    kinds = {cell.kind for cell in cells}
    for kind, reason in (
        (Kind.UNCACHED, "formula"),
        (Kind.ERROR, "error"),
        (Kind.DATE, "date"),
        (Kind.NUMBER, "number"),
        (Kind.BOOLEAN, "number"),
    ):
        if kind in kinds:
            return reason
    return None


def _wrong_name(raw: str, name: str) -> str | None:
    """Why a text is no name of a person: a word key under `lists.bad.`."""
    checks = (
        ("ditto", is_ditto(raw)),
        ("html", bool(_HTML.search(raw))),
        ("formula", raw[:1] in "=@" or bool(re.match(r"[+-]\s*[\w(\"']+\s*[(!+*/]|[+-]\d", raw))),
        ("date", bool(_DATE.fullmatch(name))),
        ("long_name", len(name) > NAME_LENGTH),
        ("number", bool(re.search(r"\d", name)) and not re.search(r"[^\W\d_]", name)),
        ("digits", bool(re.search(r"\d", name))),
        ("several", bool(_SEVERAL.search(name))),
        ("no_name", not re.search(r"[^\W\d_]", name)),
        ("letters", not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f '’.-])*", name)),
        ("short", len(name) < 2),
    )
    return next((reason for reason, wrong in checks if raw and wrong), None if raw else "no_name")


def _wrong_hamlet(text: str) -> str | None:
    if not hamlets.key(text):
        return "no_hamlet"
    return "long_hamlet" if len(text) > NAME_LENGTH or _is_unsafe(text) else None


def _is_unsafe(text: str) -> bool:
    """A place that is markup or a formula; spreadsheets run such text when it is exported again."""
    return bool(_HTML.search(text)) or text[:1] in ("=", "@")


_ABOVE = re.compile(r"(xã|huyện|tỉnh|thành phố|tp\.?|phường|thị trấn|quận|việt nam)\b.*", re.IGNORECASE)
_HOUSE = re.compile(r"(?:số nhà|nhà số|số|sn)\s*:?\s*(\d\S*)|(\d+[a-z]?(?:/\d+[a-z]?)*)", re.IGNORECASE)


def _place(row: Found) -> tuple[str, str, str]:
    """House, lane and hamlet. An address in one cell is taken apart where its parts say what they are."""
    house = _text(row.house)
    lane = _text(row.lane)
    hamlet = tidy(row.hamlet)
    if row.address is None:
        return house, lane, hamlet
    rest: list[str] = []
    for part in filter(None, map(str.strip, re.split(r"[,;]|\s-\s", _text(row.address)))):
        number = _HOUSE.fullmatch(part)
        if number and not house:
            house = next(group for group in number.groups() if group)
        elif not _ABOVE.fullmatch(part) and hamlets.key(part) != hamlets.key(hamlet):
            rest.append(part)
    return house, lane or ", ".join(rest), hamlet


def _text(cell: Cell | None) -> str:
    text = tidy(cell.text) if cell else ""
    return "" if text.strip("-–—._ ") == "" or text == "0" else text
