"""What a file holds once it is read: sheets of plain cells, whatever it was before.

Readers (`xlsx`, `xls`, `delimited`) make a `Book`; everything after them works on these values alone and
never sees a file format again.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

# A commune's list is a few hundred kilobytes; a province's largest communes have about 10,000 households.
FILE_BYTES = 20 * 1024 * 1024
ROWS = 60_000
COLUMNS = 100
SHEETS = 200
TEXT = 2_000


class Kind(Enum):
    """What a cell was in its file."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"
    UNCACHED = "uncached"
    """A formula whose result the file does not hold; formulas are never evaluated here."""


class Cell(NamedTuple):
    """One cell: its text, as a person would read it, and what it was."""

    text: str
    kind: Kind = Kind.TEXT


class Area(NamedTuple):
    """A merged range; rows and columns count from 0, ends included."""

    top: int
    left: int
    bottom: int
    right: int


Line = tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. Lines are ragged; `lines[0]` is row 1 of the file."""

    name: str
    lines: tuple[Line, ...]
    merged: tuple[Area, ...] = ()
    hidden: bool = False
    hidden_rows: int = 0
    formulas: int = 0
    """Cells whose value is the result that the file remembers of a formula."""
    cut: bool = False
    """Cells with something in them lie beyond the columns that are read."""


@dataclass(frozen=True, slots=True)
class Book:
    """A file that was read. `remarks`, word keys under `lists.remark.`, are what people should know of it."""

    filename: str
    sheets: tuple[Sheet, ...]
    remarks: tuple[str, ...] = field(default=())


class Refused(Exception):
    """The file is not read at all. `code` is a word key under `lists.refused.`, `facts` fill its blanks."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
