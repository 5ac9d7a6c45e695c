"""From sheets to the rows of a list: which lines are households, and which cell of them is what.

Nothing is judged here but the shape of the table; whether a name is a name is `clean`'s.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from server.lists import columns, hamlets, headers
from server.lists.columns import Layout
from server.lists.headers import ADDRESS, HAMLET, HOUSE, LANE, NAME, NUMBER, RELATION
from server.lists.plan import BadRow, Choices, HamletKnown, LeftOut, SheetSeen, Where
from server.lists.sheets import Book, Cell, Kind, Line, Sheet
from server.names import fold

SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Found:
    """One household's line as it stands in the file; `hamlet` is filled in from wherever the file says it."""

    where: Where
    name: tuple[Cell, ...]
    hamlet: str
    house: Cell | None = None
    lane: Cell | None = None
    address: Cell | None = None


@dataclass(slots=True)
class Recognised:
    """What `recognise` makes of a book."""

    rows: list[Found] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    sheets: list[SheetSeen] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def recognise(book: Book, known: Sequence[HamletKnown], choices: Choices) -> Recognised:
    """Find the lists in a book. Pure."""
    result = Recognised()
    layouts = [
        None if sheet.hidden else columns.find(sheet, choices.columns, choices.headless)
        for sheet in book.sheets
    ]
    several = sum(layout is not None for layout in layouts) > 1
    for sheet, layout in zip(book.sheets, layouts, strict=True):
        if layout is None:
            result.sheets.append(_unread(sheet))
            continue
        reader = _Reader(sheet, layout, known)
        reader.fallback = _sheet_hamlet(sheet, layout, known, choices, several=several)
        reader.read(result)
        result.left_out += [
            LeftOut(sheet.name, layout.headers[column], why) for column, why in layout.left_out
        ]
    return result


def _unread(sheet: Sheet) -> SheetSeen:
    filled = [line for line in sheet.lines if any(line)]
    if not filled:
        return SheetSeen(sheet.name, "empty")
    if sheet.hidden:
        return SheetSeen(sheet.name, "hidden")
    wide = max(len(line) for line in filled)
    header = next(
        (
            row
            for row, line in enumerate(sheet.lines[: columns.LOOK])
            if sum(cell is not None for cell in line) >= max(1, min(2, wide))
            and all(cell.kind is Kind.TEXT for cell in line if cell)
        ),
        next(row for row, line in enumerate(sheet.lines) if any(line)),
    )
    texts = tuple(cell.text if cell else "" for cell in sheet.lines[header])
    return SheetSeen(
        sheet.name,
        "unknown",
        header_row=header + 1,
        fingerprint=columns.fingerprint(texts),
        headers=texts,
        sample=_sample(sheet, header),
        headless=columns.looks_headless(texts),
    )


def _sample(sheet: Sheet, header: int, taken: Container[int] | None = None) -> tuple[tuple[str, ...], ...]:
    """The first rows beneath a header; where columns are given, of these alone: the others are nobody's."""
    below = sheet.lines[header + 1 : header + 1 + SAMPLE]
    return tuple(
        tuple(
            cell.text[:60] if cell and (taken is None or column in taken) else ""
            for column, cell in enumerate(line)
        )
        for line in below
    )


def _sheet_hamlet(
    sheet: Sheet, layout: Layout, known: Sequence[HamletKnown], choices: Choices, *, several: bool
) -> str:
    """The hamlet of rows that name none: what people said, else a sheet named after a known hamlet, else the
    titles, else any sheet name that is no "Sheet1"."""
    if choices.hamlet:
        return choices.hamlet
    by_name = hamlets.in_sheet_name(sheet.name, known)
    if by_name and (hamlets.find(by_name, known) or headers.split_kind(by_name)[0]):
        return by_name
    titles = (cell.text for line in sheet.lines[: layout.header] for cell in line if cell)
    by_title = next((found for title in titles if (found := hamlets.in_title(title, known))), None)
    return by_title or (by_name if by_name and several else "") or ""


_DITTO = re.compile(
    r"[\s\-–—.]*(?:nt|n\.\s?t\.?|như trên|nhu tren|[\"“”″〃'´`]{1,4}|//|,,)[\s\-–—.]*", re.IGNORECASE
)
_TOTAL = re.compile(r"(tổng|cộng)(?: (?:cộng|số|hợp|toàn|trang))*(?: (?:thôn|xã|bản|xóm|tổ|hộ)\b.*)?")
_TOTAL_BARE = re.compile(
    r"(tong (cong|so)|cong( trang)?|tong)( (thon|xa|ban|xom|to) .*)?( \d+)?( (ho|khau).*)?"
)
_FOOTER = re.compile(
    r"(nguoi lap( bieu| danh sach)?|tm ubnd.*|tm uy ban.*|uy ban nhan dan.*|chu tich( ubnd)?( xa)?|"
    r"truong (thon|ban|xom|khu|to|cong an xa).*|xac nhan cua .*|ky ghi ro ho ten.*|noi nhan.*|"
    r"(.* )?ngay \d* ?thang \d* ?nam \d*)"
)
_MARK = re.compile(r"[IVXLC]{1,6}|[A-ZĐ]")
_COUNT = re.compile(r"\s*\d+\s*(?:hộ|khẩu|nhân khẩu)\s*", re.IGNORECASE)


def is_ditto(text: str) -> bool:
    """Whether a cell says "the same as above"."""
    return bool(_DITTO.fullmatch(text))


def is_total(text: str) -> bool:
    """Whether a row counts rather than names ("Tổng cộng: 45 hộ"); Mr Tống Công is no total."""
    text = " ".join(text.lower().split())
    words = re.sub(r"[\W\d_]+", " ", text).strip()
    return bool(_TOTAL.fullmatch(words)) or (text.isascii() and bool(_TOTAL_BARE.fullmatch(fold(text))))


class _Reader:
    """One pass over the lines of a sheet, remembering what the lines above said."""

    def __init__(self, sheet: Sheet, layout: Layout, known: Sequence[HamletKnown]) -> None:
        self.sheet = sheet
        self.layout = layout
        self.known = known
        self.known_keys = {hamlets.key(hamlet.name) for hamlet in known}
        self.fallback = ""
        self.section = ""
        self.above: dict[str, Cell] = {}
        self.unread = 0
        """Cells of a place that are a formula without a result, or an error: left out."""
        self.ended = False
        self.skipped: Counter[str] = Counter()
        self.headless = layout.data == layout.header
        self.header = () if self.headless else self._folded(sheet.lines[layout.header])
        self.filled = _vertical(sheet, layout.data)
        self.sparse = self._sparse_hamlets()

    def read(self, result: Recognised) -> None:
        """Add the sheet's rows, and how it was understood."""
        rows = list(self._rows())
        homeless = [row for row in rows if isinstance(row, Found) and not row.hamlet]
        found = [row for row in rows if isinstance(row, Found) and row.hamlet]
        if homeless and not found:
            result.bad.append(BadRow(Where(self.sheet.name, self.layout.header + 1), "sheet_hamlet"))
        else:
            result.bad += [BadRow(row.where, "no_hamlet", _shown(row)) for row in homeless]
        result.rows += found
        result.bad += [row for row in rows if isinstance(row, BadRow)]
        result.sheets.append(self._seen())

    def _seen(self) -> SheetSeen:
        taken = {column: role for role, found in self.layout.columns.items() for column in found}
        facts = (
            ("hidden_rows", self.sheet.hidden_rows),
            ("formulas", self.sheet.formulas),
            ("cut", self.sheet.cut),
            ("unread", self.unread),
        )
        return SheetSeen(
            self.sheet.name,
            "read",
            header_row=self.layout.header + 1,
            roles={
                role: " + ".join(
                    dict.fromkeys(self.layout.headers[c] for c in found if c < len(self.layout.headers))
                )
                for role, found in self.layout.columns.items()
            },
            fingerprint=self.layout.fingerprint,
            headers=self.layout.headers,
            sample=_sample(self.sheet, self.layout.header, taken),
            columns=taken,
            headless=self.headless,
            skipped=dict(self.skipped),
            remarks=tuple(name for name, present in facts if present),
        )

    def _rows(self) -> Iterator[Found | BadRow]:
        self.skipped["title"] += sum(any(line) for line in self.sheet.lines[: self.layout.header])
        for index in range(self.layout.data, len(self.sheet.lines)):
            line = self.sheet.lines[index]
            what = self._kind(line, index)
            if what == "row":
                yield self._row(line, index)
            else:
                self.skipped[what] += 1

    def _kind(self, line: Line, index: int) -> str:
        cells = [cell for cell in line if cell]
        if not cells or self._only_number(line):
            return "empty"
        if self._folded(line) == self.header:
            self.ended = False
            return "repeated"
        texts = [cell.text for cell in cells if cell.kind is Kind.TEXT and not _is_number(cell)]
        numbered = self._numbered(line)
        if not numbered and any(is_total(text) for text in texts[:2]):
            return "total"
        if not numbered and any(_FOOTER.fullmatch(fold(text)) for text in texts):
            self.ended = True
        if self.ended and not (numbered and self._name(line)):
            return "footer"
        self.ended = False
        if not numbered and self._is_section(line, texts):
            return "section"
        return "member" if self._is_member(line, index) else "row"

    def _row(self, line: Line, index: int) -> Found | BadRow:
        where = Where(self.sheet.name, index + 1)
        filled: dict[str, Cell] = {}
        for role in (HAMLET, HOUSE, LANE, ADDRESS):
            cell = self._cell(line, index, role)
            if cell and is_ditto(cell.text):
                if role not in self.above:
                    return BadRow(where, "ditto", cell.text[:40])
                cell = self.above[role]
            if cell and cell.kind in (Kind.ERROR, Kind.UNCACHED):
                if role == HAMLET:
                    wrong = "formula_hamlet" if cell.kind is Kind.UNCACHED else "error"
                    return BadRow(where, wrong, cell.text[:40])
                self.unread += 1  # the household is known by its name; its place may be written down later
                continue
            if cell:
                filled[role] = cell
        name = self._name(line)
        if not name:
            return BadRow(where, "no_name")
        address = filled.get(ADDRESS)
        hamlet = (
            filled[HAMLET].text if HAMLET in filled else hamlets.in_address(address.text if address else "")
        )
        hamlet = hamlet or self._hamlet_above()
        self.above |= filled
        return Found(where, name, hamlet, filled.get(HOUSE), filled.get(LANE), address)

    def _hamlet_above(self) -> str:
        if self.section:
            return self.section
        if self.sparse and HAMLET in self.above:
            return self.above[HAMLET].text
        return self.fallback

    def _sparse_hamlets(self) -> bool:
        """Whether the hamlet stands only in the first row of each group, as people type it by hand: then no
        two rows running name the same one."""
        if HAMLET not in self.layout.columns:
            return False
        said = [
            fold(cell.text) if (cell := self._cell(line, index, HAMLET)) else ""
            for index, line in enumerate(self.sheet.lines)
            if index >= self.layout.data and self._name(line)
        ]
        return all(one != other for one, other in pairwise(said) if one)

    def _is_section(self, line: Line, texts: list[str]) -> bool:
        """A line that names a hamlet for the lines beneath it, or a remark in the middle of the table."""
        words = [text for text in texts if not (_MARK.fullmatch(text.strip(" .)")) or _COUNT.fullmatch(text))]
        if len(words) != 1:
            return False
        text = words[0]
        marked = len(words) < len(texts) or hamlets.tidy(text) != " ".join(text.split()).strip(" .:;,-–")
        kind, _ = headers.split_kind(hamlets.tidy(text))
        if kind or hamlets.key(text) in self.known_keys:
            if HAMLET not in self.layout.columns:
                self.section = hamlets.tidy(text)
            return True
        if self._name(line) and not (marked and NUMBER in self.layout.columns):
            return False
        if marked and HAMLET not in self.layout.columns and not _looks_numbered(text):
            self.section = hamlets.tidy(text)
        return True

    def _is_member(self, line: Line, index: int) -> bool:
        """A line about somebody else of the household above."""
        column = self.layout.columns[NAME][0]
        if (index, column) in self.filled and not self._at(line, column):
            return True
        relation = self._cell(line, index, RELATION)
        return relation is not None and fold(relation.text) not in ("chu ho", "ch", "chu ho moi", "ban than")

    def _cell(self, line: Line, index: int, role: str) -> Cell | None:
        for column in self.layout.columns.get(role, ())[:1]:
            return self._at(line, column) or self.filled.get((index, column))
        return None

    def _name(self, line: Line) -> tuple[Cell, ...]:
        found = (self._at(line, column) for column in self.layout.columns[NAME])
        return tuple(cell for cell in found if cell)

    @staticmethod
    def _at(line: Line, column: int) -> Cell | None:
        return line[column] if column < len(line) else None

    def _numbered(self, line: Line) -> bool:
        for column in self.layout.columns.get(NUMBER, ()):
            cell = self._at(line, column)
            return cell is not None and _is_number(cell)
        return False

    def _only_number(self, line: Line) -> bool:
        """A line that somebody numbered in advance and never filled in."""
        used = [column for column, cell in enumerate(line) if cell]
        return self._numbered(line) and used == list(self.layout.columns[NUMBER][:1])

    @staticmethod
    def _folded(line: Line) -> tuple[str, ...]:
        return tuple(fold(cell.text) if cell else "" for cell in line)


def _is_number(cell: Cell) -> bool:
    return cell.kind is Kind.NUMBER or cell.text.strip(" .)").isdecimal()


def _looks_numbered(text: str) -> bool:
    return bool(re.match(r"\s*\d", text))


def _shown(row: Found) -> str:
    return " ".join(cell.text for cell in row.name)[:40]


def _vertical(sheet: Sheet, data: int) -> dict[tuple[int, int], Cell]:
    """The cells that merged ranges cover below their first row, with the text that a reader sees in them."""
    filled: dict[tuple[int, int], Cell] = {}
    for area in sheet.merged:
        if area.bottom <= area.top or not data <= area.top < len(sheet.lines):
            continue
        first = sheet.lines[area.top]
        cell = first[area.left] if area.left < len(first) else None
        if cell:
            for row in range(area.top + 1, min(area.bottom, len(sheet.lines) - 1) + 1):
                filled[(row, area.left)] = cell
    return filled
