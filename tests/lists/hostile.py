"""Files that somebody made to hurt, or that are no lists: each with the refusal that it must meet."""

import io
import struct
import zipfile
from collections.abc import Callable

from server.lists import archive
from tests.lists.messes import HEADER, File, Home, rewritten, saved, sheet, tidy, xls

HOMES = [Home("Nà Lầu", "Hoàng Văn Nam", "1"), Home("Nà Lầu", "Lý Thị Nọi", "2")]
SHEET = "xl/worksheets/sheet1.xml"

BOMB = b'<?xml version="1.0"?><a>' + b"0" * 60_000_000 + b"</a>"
LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY lol \"'lol'\"><!ENTITY lol2 '&lol;&lol;&lol;&lol;&lol;&lol;'>"
    '<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;">]>'
)


def with_part(file: File, name: str, data: bytes) -> File:
    """A workbook with one more part in it."""
    out = io.BytesIO(file.data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(name, data)
    return File(file.name, out.getvalue())


def zip_bomb() -> File:
    return with_part(tidy(HOMES), "xl/worksheets/sheet2.xml", BOMB)


def zip_bomb_whose_header_lies() -> File:
    """The directory says that the part is ten bytes long."""
    file = zip_bomb()
    data = bytearray(file.data)
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.rfind(mark)
        data[at + place : at + place + 4] = struct.pack("<I", 10)
    return File(file.name, bytes(data))


def many_entries() -> File:
    out = io.BytesIO(tidy(HOMES).data)
    with zipfile.ZipFile(out, "a") as bundle:
        for number in range(2_500):
            bundle.writestr(f"xl/media/{number}.txt", b"")
    return File("ds.xlsx", out.getvalue())


def entities_in_quotes() -> File:
    """Entities defined in quotation marks inside quotation marks, before the sheet's root."""
    return rewritten(tidy(HOMES), SHEET, lambda xml: xml.replace("<worksheet", f"{LAUGHS}<worksheet", 1))


def entities_across_chunks() -> File:
    """The declaration lies over the border of two reads."""

    def shift(xml: str) -> str:
        head, root, rest = xml.partition("<worksheet")
        pad = " " * (archive.CHUNK - len(head.encode()) - len("<!---->") - 4)
        return f"{head}<!--{pad}--><!DOCTYPE worksheet>{root}{rest}"

    return rewritten(tidy(HOMES), SHEET, shift)


def entities_in_utf16() -> File:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(tidy(HOMES).data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == SHEET:
                data = (LAUGHS + data.decode().partition("?>")[2]).encode("utf-16")
            new.writestr(name, data)
    return File("ds.xlsx", out.getvalue())


def another_encoding() -> File:
    """In some codes `<!DOCTYPE` is written with other bytes; spreadsheets are all UTF-8."""
    declared = "<?xml version='1.0' encoding='iso-8859-1'?><worksheet"
    return rewritten(tidy(HOMES), SHEET, lambda xml: declared + xml.partition("<worksheet")[2])


def truncated() -> File:
    data = tidy(HOMES).data
    return File("ds.xlsx", data[: len(data) // 2])


def truncated_xls() -> File:
    return File("ds.xls", xls(HOMES).data[:700])


def noise_in_xls() -> File:
    data = bytearray(xls(HOMES).data)
    for place in range(600, len(data), 37):
        data[place] ^= 0xA5
    return File("ds.xls", bytes(data))


def not_a_spreadsheet() -> File:
    return File("ds.xlsx", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")


def deep_nesting() -> File:
    """Cells of elements in elements: what walks a tree by recursion falls over."""
    deep = "<x>" * 50_000 + "</x>" * 50_000
    return rewritten(tidy(HOMES), SHEET, lambda xml: xml.replace("<sheetData>", f"{deep}<sheetData>", 1))


def a_zip_in_a_zip() -> File:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        bundle.writestr("ds.xlsx", tidy(HOMES).data)
    return File("ds.xlsx", out.getvalue())


def a_zip_of_something_else() -> File:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        bundle.writestr("word/document.xml", "<w/>")
        bundle.writestr("[Content_Types].xml", "<Types/>")
    return File("ds.xlsx", out.getvalue())


def html_named_xls() -> File:
    return File("ds.xls", b"<html><table><tr><td>Ho va ten</td></tr></table></html>")


def xml_named_xls() -> File:
    """An "XML Spreadsheet 2003"."""
    return File("ds.xls", b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>')


def nothing() -> File:
    return File("ds.csv", b"")


def too_many_rows() -> File:
    row = '<row r="900000"><c r="A900000" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return rewritten(tidy(HOMES), SHEET, lambda xml: xml.replace("</sheetData>", row))


def nul_bytes() -> File:
    return File("ds.csv", "STT,Họ và tên,Thôn\n1,Hoàng\0Văn Nam,Nà Lầu\n".encode())


def field_of_ten_megabytes() -> File:
    return File("ds.csv", f'STT,Họ và tên,Thôn\n1,"{"A" * 10_000_000}",Nà Lầu\n'.encode())


def quote_that_never_closes() -> File:
    rows = "".join(f"{place},Hoàng Văn Nam,Nà Lầu\n" for place in range(2, 5000))
    return File("ds.csv", f'STT,Họ và tên,Thôn\n1,"Lý Thị Nọi,Nà Lầu\n{rows}'.encode())


def unknown_code() -> File:
    return File("ds.csv", b"STT,H\x9c\xf0 v\x8d t\x9dn,Th\x81n\n1,\x9c\xb4\x88\x93 \x81\x8f\xa2,N\x80\n" * 9)


def locked() -> File:
    """What Excel writes for a workbook with a password: a compound file around an encrypted one."""
    return File(
        "ds.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le")
    )


def huge() -> File:
    return File("ds.csv", b"a" * (20 * 1024 * 1024 + 1))


REFUSED: tuple[tuple[Callable[[], File], str], ...] = (
    (zip_bomb, "bomb"),
    (zip_bomb_whose_header_lies, "broken"),
    (many_entries, "entries"),
    (entities_in_quotes, "entities"),
    (entities_across_chunks, "entities"),
    (entities_in_utf16, "broken"),
    (another_encoding, "broken"),
    (truncated, "broken"),
    (truncated_xls, "broken"),
    (noise_in_xls, "broken"),
    (not_a_spreadsheet, "not_a_list"),
    (a_zip_of_something_else, "not_a_list"),
    (a_zip_in_a_zip, "not_a_list"),
    (html_named_xls, "web"),
    (xml_named_xls, "web"),
    (nothing, "empty"),
    (too_many_rows, "rows"),
    (nul_bytes, "nul"),
    (field_of_ten_megabytes, "field"),
    (quote_that_never_closes, "quotes"),
    (unknown_code, "encoding"),
    (locked, "encrypted"),
    (huge, "size"),
)


# ---- Hostile in some part, and a list all the same ------------------------------------------------------


def dimension_that_lies() -> File:
    """`dimension` claims the whole sheet: a reader that believes it fills in 17 thousand million cells."""
    return rewritten(tidy(HOMES), SHEET, lambda xml: xml.replace('ref="A1:E3"', 'ref="A1:XFD1048576"'))


def sixteen_thousand_columns() -> File:
    book = sheet([HEADER, [1, "Hoàng Văn Nam", "Nà Lầu", "1", None], [2, "Lý Thị Nọi", "Nà Lầu", "2", None]])
    page = book.active
    assert page is not None
    page.cell(row=2, column=16_384, value="x")
    return saved(book)


def macros() -> File:
    return with_part(
        tidy(HOMES)._replace(name="ds.xlsm"), "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"\0" * 99
    )


def links_to_other_files() -> File:
    link = b'<externalLink><externalBook r:id="rId1"/></externalLink>'
    return with_part(tidy(HOMES), "xl/externalLinks/externalLink1.xml", link)


def merged_over_everything() -> File:
    areas = '</sheetData><mergeCells count="1"><mergeCell ref="G2:XFD1048576"/></mergeCells>'
    return rewritten(tidy(HOMES), SHEET, lambda xml: xml.replace("</sheetData>", areas))


READ: tuple[tuple[Callable[[], File], str | None], ...] = (
    (dimension_that_lies, None),
    (sixteen_thousand_columns, "cut"),
    (macros, "macros"),
    (links_to_other_files, "links"),
    (merged_over_everything, None),
    (deep_nesting, None),
)
"""Files that are read, and the remark that people see."""

FORMULAS = (
    '=HYPERLINK("http://x","Hoàng Văn Nam")',
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "<script>alert(1)</script>",
    "<b>Hoàng Văn Nam</b>",
    "&lt;b&gt;Nam",
)
