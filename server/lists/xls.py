"""Reading .xls, Excel's format until 2003, through xlrd.

xlrd rather than python-calamine: it keeps rows ragged, where calamine fills the whole rectangle between a
sheet's corners (two cells in a small file cost it half a gigabyte); it tells merged cells and hidden rows;
and what it raises on a broken file are exceptions. It is pure Python, evaluates no formula and runs no macro.
"""

import datetime
import io
import struct
from typing import Any

import xlrd
from xlrd.biffh import XLRDError
from xlrd.compdoc import CompDocError

from server.lists.sheets import COLUMNS, ROWS, SHEETS, Area, Book, Cell, Kind, Line, Refused, Sheet
from server.lists.xlsx import cell

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# xlrd trusts the file's own offsets and counts, so that a broken file ends in nearly anything.
_BROKEN = (
    XLRDError, CompDocError, struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError,
    AssertionError, OverflowError, ZeroDivisionError, RecursionError, NotImplementedError, OSError,
)  # fmt: skip


def read(data: bytes, filename: str) -> Book:
    """Read a workbook. Raises `Refused`."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise Refused("encrypted")
    if "WordDocument".encode("utf-16-le") in data:
        raise Refused("not_a_list")
    try:
        book = xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, on_demand=True, logfile=io.StringIO()
        )
        if book.nsheets > SHEETS:
            raise Refused("sheets", limit=SHEETS)
        sheets = tuple(_sheet(book, index) for index in range(book.nsheets))
    except _BROKEN as error:
        raise Refused("encrypted" if "encrypted" in str(error) else "broken") from error
    macros = "_VBA_PROJECT".encode("utf-16-le") in data
    return Book(filename, sheets, ("macros",) if macros else ())


def _sheet(book: Any, index: int) -> Sheet:
    page = book.sheet_by_index(index)
    if page.nrows > ROWS:
        raise Refused("rows", limit=ROWS)
    lines = tuple(_line(page, row, book.datemode) for row in range(page.nrows))
    sheet = Sheet(
        name=page.name,
        lines=lines,
        merged=tuple(Area(top, left, below - 1, right - 1) for top, below, left, right in page.merged_cells),
        hidden=page.visibility != 0,
        hidden_rows=sum(1 for info in page.rowinfo_map.values() if info.hidden),
        cut=any(page.row_len(row) > COLUMNS for row in range(page.nrows)),
    )
    book.unload_sheet(index)
    return sheet


def _line(page: Any, row: int, datemode: int) -> Line:
    cells = [_cell(found, datemode) for found in page.row(row)[:COLUMNS]]
    while cells and cells[-1] is None:
        cells.pop()
    return tuple(cells)


def _cell(found: Any, datemode: int) -> Cell | None:
    match found.ctype:
        case xlrd.XL_CELL_EMPTY | xlrd.XL_CELL_BLANK:
            return None
        case xlrd.XL_CELL_BOOLEAN:
            return cell(bool(found.value))
        case xlrd.XL_CELL_ERROR:
            return Cell(xlrd.error_text_from_code.get(found.value, "#N/A"), Kind.ERROR)
        case xlrd.XL_CELL_DATE:
            return Cell(_date(found.value, datemode), Kind.DATE)
        case _:
            return cell(found.value)


def _date(serial: float, datemode: Any) -> str:
    try:
        moment: datetime.datetime = xlrd.xldate_as_datetime(serial, datemode)
    except (ValueError, OverflowError):
        return str(serial)
    return str(moment)
