"""From the bytes of an uploaded file to a `Book`, whatever the file says that it is."""

import dataclasses

from server.lists import delimited, encodings, xls, xlsx
from server.lists.sheets import FILE_BYTES, Book, Cell, Kind, Refused, Sheet

_ZIP = b"PK"
_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
# Files that people attach by mistake, by how they begin.
_OTHERS = (b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")


def read(data: bytes, filename: str) -> Book:
    """Read a list. The content decides the format, not the name. Raises `Refused`."""
    if not data:
        raise Refused("empty")
    if len(data) > FILE_BYTES:
        raise Refused("size", limit=FILE_BYTES // 1024**2)
    book = _open(data, filename)
    sheets, remarks = [], list(book.remarks)
    for sheet in book.sheets:
        mended, code = _mend(sheet)
        sheets.append(mended)
        if code and code not in remarks:
            remarks.append(code)
    return Book(filename, tuple(sheets), tuple(remarks))


def _open(data: bytes, filename: str) -> Book:
    if data.startswith(_ZIP):
        if _ODS in data[:200]:
            raise Refused("ods")
        return xlsx.read(data, filename)
    if data.startswith(xls.SIGNATURE):
        return xls.read(data, filename)
    if data.startswith(_OTHERS):
        raise Refused("not_a_list")
    return delimited.read(data, filename)


def _mend(sheet: Sheet) -> tuple[Sheet, str | None]:
    """A sheet in Unicode, and the old code that it was in."""
    texts = [cell.text for line in sheet.lines for cell in line if cell and cell.kind is Kind.TEXT]
    code = encodings.detect(texts)
    if code is None:
        raise Refused("encoding")
    if code == "unicode":
        return sheet, None
    convert = encodings.reading(code, texts)
    lines = tuple(
        tuple(
            Cell(convert(cell.text)) if cell and cell.kind is Kind.TEXT and not cell.text.isascii() else cell
            for cell in line
        )
        for line in sheet.lines
    )
    return dataclasses.replace(sheet, lines=lines), code
