"""Reading .xlsx and .xlsm: values only, through openpyxl's read-only mode.

Macros, external links and pictures are never opened; formulas are never evaluated: the result that the file
remembers is taken, and a formula without one becomes a cell of kind UNCACHED.
"""

import datetime
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl import DEFUSEDXML, load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook

from server.lists import archive
from server.lists.sheets import COLUMNS, ROWS, SHEETS, TEXT, Area, Book, Cell, Kind, Line, Refused, Sheet

if not DEFUSEDXML:  # openpyxl parses with defusedxml only where it finds it, and says nothing where not
    raise ImportError("openpyxl does not see defusedxml")

_REFERENCE = re.compile(r"^\$?([A-Z]{1,3})\$?([1-9][0-9]{0,8})$")
_ERRORS = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#GETTING_DATA"})
# What openpyxl raises on files that are no workbooks, or are wrong somewhere inside.
_BROKEN = (
    InvalidFileException, DefusedXmlException, ParseError, zipfile.BadZipFile, KeyError, ValueError,
    TypeError, AttributeError, IndexError, OverflowError, AssertionError, OSError,
)  # fmt: skip


def read(data: bytes, filename: str) -> Book:
    """Read a workbook. Raises `Refused`."""
    names = archive.check(data)
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise Refused("not_a_list")
    try:
        with warnings.catch_warnings():
            # openpyxl warns of what is not read here: validation, print areas, drawings.
            warnings.simplefilter("ignore")
            workbook = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
            with closing(workbook):
                sheets = tuple(_sheets(workbook, data))
    except _BROKEN as error:
        raise Refused("broken") from error
    return Book(filename, sheets, tuple(_remarks(names)))


def _remarks(names: frozenset[str]) -> Iterator[str]:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        yield "macros"
    if any(name.startswith("xl/externalLinks/") for name in names):
        yield "links"


def _sheets(workbook: Workbook, data: bytes) -> Iterator[Sheet]:
    # Chart sheets have no cells.
    pages: list[Any] = [page for page in workbook.worksheets if hasattr(page, "iter_rows")]
    if len(pages) > SHEETS:
        raise Refused("sheets", limit=SHEETS)
    for page in pages:
        with zipfile.ZipFile(BytesIO(data)) as bundle, bundle.open(page._worksheet_path) as part:
            facts = _survey(iterparse(part, events=("start", "end"), forbid_dtd=True))
        yield _sheet(page, facts)


@dataclass(slots=True)
class _Facts:
    """What openpyxl's read-only mode does not tell of a sheet."""

    rows: int = 0
    merged: list[Area] = field(default_factory=list)
    hidden_rows: int = 0
    cut: bool = False
    formulas: int = 0
    uncached: set[tuple[int, int]] = field(default_factory=set)
    column: int = -1
    """Of the last cell; cells that do not say where they are follow it."""


def _survey(events: Iterator[tuple[str, Any]]) -> _Facts:
    """One pass over a sheet's XML: its real extent (the `dimension` attribute may say anything), its merged
    ranges, its formulas. Raises `Refused` where it is larger than a list can be."""
    facts = _Facts()
    row = 0
    for event, element in events:
        tag = element.tag.rpartition("}")[2]
        if event == "start":
            if tag == "row":
                row = int(element.get("r") or row + 1)
                if row > ROWS:
                    raise Refused("rows", limit=ROWS)
                facts.column = -1
                facts.hidden_rows += element.get("hidden") in ("1", "true")
            continue
        if tag == "c":
            _survey_cell(facts, element, row)
        elif tag == "mergeCell" and len(facts.merged) < ROWS:
            facts.merged.append(_area(element.get("ref") or ""))
        if tag in ("row", "mergeCell"):
            element.clear()
    return facts


def _survey_cell(facts: _Facts, element: Any, row: int) -> None:
    facts.column = column = _place(element.get("r"))[1] if element.get("r") else facts.column + 1
    children = {child.tag.rpartition("}")[2]: child for child in element}
    holds = "is" in children or bool("v" in children and children["v"].text)
    if not holds and "f" not in children:
        return
    facts.rows = max(facts.rows, row)
    if column >= COLUMNS:
        facts.cut = True
    elif "f" in children and holds:
        facts.formulas += 1
    elif "f" in children:
        facts.uncached.add((row, column))


def _place(reference: str | None) -> tuple[int, int]:
    found = _REFERENCE.match(reference or "")
    if not found:
        raise ValueError(f"no cell: {reference!r}")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def _area(reference: str) -> Area:
    first, _, last = reference.partition(":")
    (top, left), (bottom, right) = _place(first), _place(last or first)
    return Area(top, left, bottom, right)


def _sheet(page: Any, facts: _Facts) -> Sheet:
    lines: list[Line] = []
    if facts.rows:
        for number, values in enumerate(
            page.iter_rows(max_col=COLUMNS, max_row=facts.rows, values_only=True), start=1
        ):
            lines.append(_line(values, number, facts))
    return Sheet(
        name=str(page.title),
        lines=tuple(lines),
        merged=tuple(facts.merged),
        hidden=page.sheet_state != "visible",
        hidden_rows=facts.hidden_rows,
        formulas=facts.formulas,
        cut=facts.cut,
    )


def _line(values: tuple[object, ...], number: int, facts: _Facts) -> Line:
    cells = [cell(value) for value in values]
    if facts.uncached:
        for column in range(len(cells)):
            if (number, column) in facts.uncached:
                cells[column] = Cell("", Kind.UNCACHED)
    while cells and cells[-1] is None:
        cells.pop()
    return tuple(cells)


def cell(value: object) -> Cell | None:
    """A value of a spreadsheet as a cell; None where there is nothing in it."""
    match value:
        case None:
            return None
        case bool():
            return Cell(str(value).upper(), Kind.BOOLEAN)
        case int() | float():
            whole = isinstance(value, int) or value.is_integer()
            return Cell(str(int(value) if whole else value), Kind.NUMBER)
        case datetime.datetime() | datetime.date() | datetime.time() | datetime.timedelta():
            return Cell(str(value), Kind.DATE)
        case _:
            text = str(value)
            kind = Kind.ERROR if text in _ERRORS else Kind.TEXT
            return Cell(text[: TEXT + 1], kind) if text.strip() else None
