"""Reading text files of rows: commas, semicolons, tabs or bars; UTF-8, UTF-16 or an old single-byte code."""

import codecs
import csv
import io
import re
from collections import Counter

from server.lists import encodings
from server.lists.sheets import COLUMNS, ROWS, TEXT, Book, Cell, Line, Refused, Sheet

DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
SAMPLE = 200


def read(data: bytes, filename: str) -> Book:
    """Read a text file of rows. Raises `Refused`."""
    text, remarks = decode(data)
    if re.match(r"\s*<(!doctype|html|meta|\?xml|table|style)", text[:200], re.IGNORECASE):
        raise Refused("web")  # what many programs export with the name .xls
    if re.match(r"\s*(\{\\rtf|%PDF)", text[:200]):
        raise Refused("not_a_list")
    text, delimiter = _delimiter(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines: list[Line] = []
    cut = False
    try:
        for fields in csv.reader(io.StringIO(_ditto(text, delimiter)), delimiter=delimiter, strict=True):
            if len(lines) >= ROWS:
                raise Refused("rows", limit=ROWS)
            cut = cut or any(field.strip() for field in fields[COLUMNS:])
            lines.append(_line(fields[:COLUMNS]))
    except csv.Error as error:
        raise Refused("field" if "field larger" in str(error) else "quotes", row=len(lines) + 1) from error
    return Book(filename, (Sheet(name="", lines=tuple(lines), cut=cut),), remarks)


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and the remarks on how it was found. Raises `Refused`."""
    for mark, code in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], code), ()
    if wide := _wide(data[:2000]):
        return _strict(data, wide), ()
    if b"\0" in data:
        raise Refused("nul")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        # Old codes of one byte a letter: keep the bytes as letters, as spreadsheets do, and mend those.
        text, found = encodings.mend_text(data.decode("latin-1"))
        if found is None:
            raise Refused("encoding") from None
        return text, (found,)


def _strict(data: bytes, code: str) -> str:
    try:
        text = data.decode(code)
    except UnicodeDecodeError as error:
        raise Refused("encoding") from error
    if "\0" in text:
        raise Refused("nul")
    return text


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark shows as a NUL in every other byte of the Latin letters."""
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) / 8 and even * 8 < odd:
        return "utf-16-le"
    if even > len(head) / 8 and odd * 8 < even:
        return "utf-16-be"
    return None


def _delimiter(text: str) -> tuple[str, str]:
    """The text without Excel's `sep=` line, and the delimiter: what cuts most lines into equally many."""
    first, _, rest = text.partition("\n")
    if (found := re.fullmatch(r'"?sep=(.)"?', first.strip("﻿ "))) and found[1] in DELIMITERS:
        return rest, found[1]
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n")[:SAMPLE] if line.strip()]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = Counter(line.count(delimiter) for line in lines if delimiter in line)
        if not counts:
            return (0, 0)
        cuts, times = counts.most_common(1)[0]
        return (times, cuts)

    return text, max(DELIMITERS, key=agreement)


def _ditto(text: str, delimiter: str) -> str:
    """A lone `"` between delimiters means "the same" to whoever typed it; to a CSV reader it opens a field
    that swallows rows. Lines with an odd number of quotes show which it is."""
    if '"' not in text:
        return text
    lone = re.compile(rf'(?<![^{delimiter}])\s*"\s*(?![^{delimiter}])')
    return "\n".join(
        lone.sub("〃", line) if line.count('"') % 2 and line.count('""') == 0 else line
        for line in text.split("\n")
    )


def _line(fields: list[str]) -> Line:
    cells = [Cell(field[: TEXT + 1]) if field.strip() else None for field in fields]
    while cells and cells[-1] is None:
        cells.pop()
    return tuple(cells)
