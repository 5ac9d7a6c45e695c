"""Where a sheet's header is and what its columns are."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.lists import headers
from server.lists.headers import FAMILY, GIVEN, HAMLET, LANE, NAME, RELATION, ROLES
from server.lists.sheets import Area, Kind, Sheet
from server.names import fold

LOOK = 40
"""Rows from the top among which the header must be; titles and mottos rarely take ten."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a sheet: rows count from 0. `columns` are by role; a name may lie in two."""

    header: int
    data: int
    headers: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    fingerprint: str
    left_out: tuple[tuple[int, str], ...]
    """Columns that are not taken, and why."""


def fingerprint(texts: Sequence[str]) -> str:
    """What stays the same of a header from one file to the next: 16 hex digits."""
    folded = "\x1f".join(fold(text) for text in texts).rstrip("\x1f")
    return hashlib.sha256(folded.encode()).hexdigest()[:16]


def find(
    sheet: Sheet, remembered: Mapping[str, Mapping[int, str]], headless: Collection[str] = ()
) -> Layout | None:
    """The layout of a sheet: as people said for this very header, else as its words tell. None: unknown.

    Where people said that the header is none, its row is the first of the list.
    """
    rows = range(min(LOOK, len(sheet.lines)))
    for row in rows:
        texts = _texts(sheet, row)
        if any(texts) and (given := remembered.get(fingerprint(texts))):
            return _as_given(sheet, row, given, headless=fingerprint(texts) in headless)
    best: tuple[float, Layout] | None = None
    for row in rows:
        for depth in (1, 2):
            layout = _recognise(sheet, row, depth)
            # Of two readings that say as much, one row is a header and the row above it a title.
            worth = _worth(layout) - 0.1 * depth if layout else 0.0
            if layout and (best is None or worth > best[0]):
                best = worth, layout
    return best[1] if best else None


def _worth(layout: Layout) -> float:
    known_outs = sum(why != "other" for _, why in layout.left_out)
    return len(layout.columns) + 0.2 * known_outs


def looks_headless(texts: Sequence[str]) -> bool:
    """Whether what stands where a header should looks like a row of the list: it is numbered."""
    return any(text.strip(" .)").isdecimal() for text in texts)


def _as_given(sheet: Sheet, row: int, given: Mapping[int, str], *, headless: bool) -> Layout | None:
    texts = _texts(sheet, row)
    columns: dict[str, tuple[int, ...]] = {}
    for column, role in sorted(given.items()):
        if role in ROLES:
            columns[role] = (*columns.get(role, ()), column)
    family, given_name = columns.pop(FAMILY, ()), columns.pop(GIVEN, ())
    columns.setdefault(NAME, family + given_name)
    if not columns[NAME]:
        return None
    taken = {column for found in columns.values() for column in found}
    out = tuple(
        (column, headers.why_left_out(text))
        for column, text in enumerate(texts)
        if text and column not in taken
    )
    return Layout(row, row if headless else _below(sheet, row), texts, columns, fingerprint(texts), out)


def _below(sheet: Sheet, row: int) -> int:
    """The first row of the list beneath a header that may have a second row, and numbers beneath it."""
    data = row + 1
    if _is_second_row(sheet, data, _texts(sheet, data)):
        data += 1
    return data + 1 if _is_numbering(_texts(sheet, data)) else data


def _recognise(sheet: Sheet, row: int, depth: int) -> Layout | None:
    top = _texts(sheet, row)
    if depth == 2:
        below = _texts(sheet, row + 1)
        if sum(bool(text) for text in top) < 2 or not _is_second_row(sheet, row + 1, below):
            return None
        texts = _two_rows(top, below)
    else:
        texts = top
    width = max((len(line) for line in sheet.lines[row : row + LOOK]), default=0)
    if sum(bool(text) for text in texts) < min(2, width) or len(set(filter(None, texts))) < min(2, width):
        return None
    columns, out = _assign(sheet, row, texts)
    if NAME not in columns:
        return None
    data = row + depth
    if data < len(sheet.lines) and _is_numbering(_texts(sheet, data)):
        data += 1
    return Layout(row, data, texts, columns, fingerprint(top), out)


def _two_rows(top: tuple[str, ...], below: tuple[str, ...]) -> tuple[str, ...]:
    """One header of two rows: the lower names the column, unless the upper one says that it is kept out
    ("Vợ/chồng" above another "Họ tên")."""
    texts = []
    for column in range(max(len(top), len(below))):
        upper = top[column] if column < len(top) else ""
        lower = below[column] if column < len(below) else ""
        if lower == upper or not lower or not upper:
            texts.append(lower or upper)
        elif headers.role(upper) is None and headers.why_left_out(upper) != "other":
            texts.append(f"{upper} - {lower}")
        else:
            texts.append(lower if headers.role(lower) else f"{upper} - {lower}")
    return tuple(texts)


def _is_second_row(sheet: Sheet, row: int, texts: tuple[str, ...]) -> bool:
    if row >= len(sheet.lines) or any(text.isdigit() for text in texts):
        return False
    plain = all(cell.kind is Kind.TEXT for cell in sheet.lines[row] if cell)
    return plain and any(headers.role(text) for text in texts)


def _is_numbering(texts: tuple[str, ...]) -> bool:
    """The row "(1) (2) (3)" or "A B 1 2" that official forms have beneath the header."""
    marks = [text.strip("() .") for text in texts if text]
    numbers = [int(mark) for mark in marks if mark.isdecimal() and len(mark) < 3]
    letters = [mark for mark in marks if len(mark) == 1 and mark.isalpha()]
    ordered = numbers == sorted(set(numbers)) and len(marks) > 1
    return ordered and bool(numbers) and len(numbers) + len(letters) == len(marks)


def _texts(sheet: Sheet, row: int) -> tuple[str, ...]:
    """A row's texts, with a merged range's text in each of its columns."""
    if not 0 <= row < len(sheet.lines):
        return ()
    texts = [" ".join(cell.text.split()) if cell else "" for cell in sheet.lines[row]]
    for area in sheet.merged:
        if area.top <= row <= area.bottom and area.top < len(sheet.lines):
            _spread(sheet, area, texts)
    return tuple(texts)


def _spread(sheet: Sheet, area: Area, texts: list[str]) -> None:
    first = sheet.lines[area.top]
    cell = first[area.left] if area.left < len(first) else None
    if cell is None:
        return
    width = max(len(line) for line in sheet.lines[area.top : area.top + LOOK])
    right = min(area.right, width - 1)
    texts.extend([""] * (right + 1 - len(texts)))
    for column in range(area.left, right + 1):
        texts[column] = texts[column] or " ".join(cell.text.split())


def _assign(
    sheet: Sheet, row: int, texts: tuple[str, ...]
) -> tuple[dict[str, tuple[int, ...]], tuple[tuple[int, str], ...]]:
    """Columns by role, and those left out. Where several claim a role, the header that says most wins."""
    claims: dict[str, list[int]] = {}
    for column, text in enumerate(texts):
        if found := headers.role(text):
            claims.setdefault(found, []).append(column)
    columns: dict[str, tuple[int, ...]] = {role: (found[0],) for role, found in claims.items()}
    _assign_name(sheet, row, texts, claims, columns)
    if len(claims.get(HAMLET, ())) > 1:
        ranked = sorted(claims[HAMLET], key=lambda column: not headers.is_hamlet_word(texts[column]))
        columns[HAMLET] = (ranked[0],)
        columns.setdefault(LANE, (ranked[1],))
    taken = {column for found in columns.values() for column in found}
    return columns, tuple(_left_out(texts, taken, has_head=RELATION in columns or NAME in columns))


def _left_out(texts: tuple[str, ...], taken: set[int], *, has_head: bool) -> Iterator[tuple[int, str]]:
    for column, text in enumerate(texts):
        if text and column not in taken:
            members = has_head and headers.role(text) in (NAME, FAMILY, GIVEN)
            yield column, "members" if members else headers.why_left_out(text)


def _assign_name(
    sheet: Sheet,
    row: int,
    texts: tuple[str, ...],
    claims: Mapping[str, Sequence[int]],
    columns: dict[str, tuple[int, ...]],
) -> None:
    family, given, names = claims.get(FAMILY, ()), claims.get(GIVEN, ()), claims.get(NAME, ())
    columns.pop(FAMILY, None)
    columns.pop(GIVEN, None)
    if names:
        chosen = next((c for c in names if _says_head(texts[c])), names[0])
        columns[NAME] = (chosen,)
        beside = chosen + 1
        same = beside < len(texts) and texts[beside] == texts[chosen]
        blank = beside >= len(texts) or not texts[beside]
        if same or (blank and _holds_given_names(sheet, row, beside)):
            columns[NAME] = (chosen, beside)
    elif family and given:
        columns[NAME] = (family[0], given[0])
    elif given:
        columns[NAME] = (given[0],)


def _says_head(text: str) -> bool:
    folded = fold(text)
    return "chu ho" in folded or "dai dien" in folded or "chu nha" in folded


def _holds_given_names(sheet: Sheet, header: int, column: int) -> bool:
    """Whether the column without a header beside "Họ và tên" holds single words: the given names."""
    below = [
        line[column]
        for line in sheet.lines[header + 1 : header + 1 + LOOK]
        if column < len(line) and line[column] is not None
    ]
    words = [cell for cell in below if cell and cell.kind is Kind.TEXT and len(cell.text.split()) == 1]
    return len(words) >= 2 and len(words) >= 0.8 * len(below)
