"""A generator of lists as communes keep them: one clean list, written in every kind of mess.

Each mess is a function from the households to a file. `KEEPS` says what of a household a mess can hold.
All in one file: side by side one sees which mess is missing.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import xlwt
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from server.lists import encodings


class Home(NamedTuple):
    """A household as the clean list has it."""

    hamlet: str
    name: str
    house: str = ""
    lane: str = ""


class File(NamedTuple):
    """What somebody would send."""

    name: str
    data: bytes


Homes = Sequence[Home]
Mess = Callable[[Homes], File]

HEADER = ["STT", "Họ và tên chủ hộ", "Thôn", "Số nhà", "Ngõ/Đường"]


def plain_rows(homes: Homes) -> list[list[object]]:
    """The list as one tidy table."""
    return [[place, home.name, home.hamlet, home.house, home.lane] for place, home in enumerate(homes, 1)]


def saved(book: Workbook, name: str = "danh sách.xlsx") -> File:
    out = io.BytesIO()
    book.save(out)
    return File(name, out.getvalue())


def sheet(rows: Sequence[Sequence[object]], title: str = "Sheet1") -> Workbook:
    book = Workbook()
    page = active(book)
    page.title = title
    for row in rows:
        page.append(list(row))
    return book


def active(book: Workbook) -> Worksheet:
    page = book.active
    assert isinstance(page, Worksheet)
    return page


def by_hamlet(homes: Homes) -> list[tuple[str, list[Home]]]:
    return [(hamlet, list(group)) for hamlet, group in groupby(homes, key=lambda home: home.hamlet)]


def comma(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


# ---- The messes -----------------------------------------------------------------------------------------


def tidy(homes: Homes) -> File:
    return saved(sheet([HEADER, *plain_rows(homes)]))


def titled(homes: Homes) -> File:
    """Motto and title above, the numbering row of official forms below the header, signatures at the end."""
    book = sheet(
        [
            ["ỦY BAN NHÂN DÂN", None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
            ["XÃ NÀ MÂY", None, "Độc lập - Tự do - Hạnh phúc"],
            [],
            ["DANH SÁCH CHỦ HỘ GIA ĐÌNH NĂM 2026"],
            [],
            HEADER,
            ["(1)", "(2)", "(3)", "(4)", "(5)"],
            *plain_rows(homes),
            [],
            ["", f"Tổng cộng: {len(homes)} hộ"],
            [],
            ["", "", "Nà Mây, ngày 05 tháng 03 năm 2026"],
            ["", "Người lập biểu", "TM. ỦY BAN NHÂN DÂN"],
            ["", "(Ký, ghi rõ họ tên)", "CHỦ TỊCH"],
            ["", "Nguyễn Thị Mẫu", "Trần Văn Mẫu"],
        ]
    )
    for area in ("A1:B1", "C1:E1", "A4:E4"):
        active(book).merge_cells(area)
    return saved(book)


def bare_headers_any_order(homes: Homes) -> File:
    rows = [[home.lane, home.house, home.hamlet, place, home.name] for place, home in enumerate(homes, 1)]
    return saved(sheet([["NGO", "so nha", "THON, XOM, BAN", "Stt", "HO TEN CHU HO"], *rows]))


def split_names(homes: Homes) -> File:
    rows = [
        [place, *home.name.rsplit(" ", 1), home.hamlet, home.house, home.lane]
        for place, home in enumerate(homes, 1)
    ]
    return saved(sheet([["TT", "Họ đệm", "Tên", "Tổ dân phố", "Số nhà", "Đường"], *rows]))


def one_header_over_two_columns(homes: Homes) -> File:
    rows = [[place, *home.name.rsplit(" ", 1), home.hamlet] for place, home in enumerate(homes, 1)]
    book = sheet([["STT", "Họ và tên chủ hộ", None, "Thôn"], *rows])
    active(book).merge_cells("B1:C1")
    return saved(book)


def two_header_rows(homes: Homes) -> File:
    rows = [
        [place, *home.name.rsplit(" ", 1), "1990", "020", home.hamlet, home.lane, home.house]
        for place, home in enumerate(homes, 1)
    ]
    book = sheet(
        [
            ["DANH SÁCH HỘ"],
            ["STT", "Chủ hộ", None, None, None, "Nơi ở", None, None],
            [None, "Họ đệm", "Tên", "Năm sinh", "CCCD", "Thôn", "Ngõ", "Số nhà"],
            *rows,
        ]
    )
    for area in ("A1:H1", "A2:A3", "B2:E2", "F2:H2"):
        active(book).merge_cells(area)
    return saved(book)


def sheet_per_hamlet(homes: Homes) -> File:
    book = Workbook()
    book.remove(active(book))
    for hamlet, group in by_hamlet(homes):
        page = book.create_sheet(hamlet)
        page.append(["DANH SÁCH HỘ GIA ĐÌNH"])
        page.append(["Số TT", "Chủ hộ", "Số nhà", "Xóm nhỏ"])
        for place, home in enumerate(group, 1):
            page.append([place, home.name, home.house, home.lane])
        page.append(["Cộng", len(group)])
    return saved(book)


def sections(homes: Homes) -> File:
    rows: list[list[object]] = []
    for number, (hamlet, group) in enumerate(by_hamlet(homes)):
        rows.append([("I", "II", "III", "IV", "V")[number], f"Thôn {hamlet}", f"{len(group)} hộ"])
        rows += [[place, home.name, home.house, home.lane] for place, home in enumerate(group, 1)]
        rows.append([None, "Tổng số", len(group)])
        rows.append([])
    return saved(sheet([["STT", "Họ và tên", "Số nhà", "Ngõ"], *rows, [None, "Tổng cộng", len(homes)]]))


def sections_of_one_cell(homes: Homes) -> File:
    rows: list[list[object]] = []
    for number, (hamlet, group) in enumerate(by_hamlet(homes), 1):
        rows.append([f"{number}. THÔN {hamlet.upper()} ({len(group)} hộ)"])
        rows += [[place, home.name, home.house, home.lane] for place, home in enumerate(group, 1)]
    return saved(sheet([["STT", "Họ và tên", "Số nhà", "Ngõ"], *rows]))


def dittos(homes: Homes) -> File:
    marks = ("nt", '"', "-nt-", "〃", "như trên", "''")
    rows = plain_rows(homes)
    for place in range(1, len(rows)):
        for column in (2, 4):
            said = homes[place][0 if column == 2 else 3]
            if said and said == homes[place - 1][0 if column == 2 else 3]:
                rows[place][column] = marks[place % len(marks)]
    return saved(sheet([HEADER, *rows]))


def merged_hamlets(homes: Homes) -> File:
    book = sheet([HEADER, *plain_rows(homes)])
    first = 2
    for _, group in by_hamlet(homes):
        active(book).merge_cells(
            start_row=first, end_row=first + len(group) - 1, start_column=3, end_column=3
        )
        first += len(group)
    return saved(book)


def hamlet_in_first_row_only(homes: Homes) -> File:
    rows = plain_rows(homes)
    for place in range(1, len(rows)):
        if homes[place].hamlet == homes[place - 1].hamlet:
            rows[place][2] = None
    return saved(sheet([HEADER, *rows]))


def decomposed_and_spaced(homes: Homes) -> File:
    def odd(text: str) -> str:
        return "\u00a0 " + unicodedata.normalize("NFD", text).replace(" ", " \u00a0\u200b ") + "  "

    rows = [
        [place, *(odd(part) if part else None for part in _cells(home))]
        for place, home in enumerate(homes, 1)
    ]
    return saved(sheet([[unicodedata.normalize("NFD", f" {text} ") for text in HEADER], *rows]))


def _cells(home: Home) -> tuple[str, str, str, str]:
    return home.name, home.hamlet, home.house, home.lane


def capitals(homes: Homes) -> File:
    rows = [
        [place, home.name.upper(), home.hamlet, home.house, home.lane] for place, home in enumerate(homes, 1)
    ]
    return saved(sheet([[text.upper() for text in HEADER], *rows]))


def remarks_and_addresses(homes: Homes) -> File:
    rows = plain_rows(homes)
    for place, row in enumerate(rows):
        row[1] = (f"Bà {row[1]}", f"{row[1]} (vợ: bà Mẫu)", f"{place + 1}. {row[1]} [hộ ghép]")[place % 3]
    return saved(sheet([HEADER, *rows]))


def columns_that_stay_out(homes: Homes) -> File:
    header = [
        *HEADER[:2],
        "Ngày sinh",
        "Giới tính",
        "Số CCCD",
        "Dân tộc",
        "Tôn giáo",
        "SĐT",
        *HEADER[2:],
        "Ghi chú",
    ]
    rows = [
        [
            row[0],
            row[1],
            "01/01/1980",
            "Nam",
            "020080000000",
            "Tày",
            "Không",
            "0900000000",
            *row[2:],
            "hộ nghèo",
        ]
        for row in plain_rows(homes)
    ]
    return saved(sheet([header, *rows]))


def hidden_sheet(homes: Homes) -> File:
    book = sheet([HEADER, *plain_rows(homes)])
    old = book.create_sheet("Bản cũ")
    old.append(HEADER)
    old.append([1, "Trần Văn Cũ", "Thôn Cũ", "1", ""])
    old.sheet_state = "hidden"
    return saved(book)


def members_too(homes: Homes) -> File:
    rows: list[list[object]] = []
    for home in homes:
        rows.append([len(rows) + 1, home.name, "Chủ hộ", "1970", home.hamlet, home.house, home.lane])
        rows.append([len(rows) + 1, "Lý Thị Vợ", "Vợ", "1972", home.hamlet, home.house, home.lane])
        rows.append([len(rows) + 1, "Lý Văn Con", "Con", "1999", home.hamlet, home.house, home.lane])
    header = ["STT", "Họ và tên", "Quan hệ với chủ hộ", "Năm sinh", "Thôn", "Số nhà", "Ngõ"]
    return saved(sheet([header, *rows]))


def pages_with_headers_again(homes: Homes) -> File:
    rows: list[list[object]] = [list(HEADER)]
    for place, row in enumerate(plain_rows(homes)):
        if place and place % 3 == 0:
            rows += [[], [None, "Cộng trang"], list(HEADER)]
        rows.append(row)
    rows += [[len(homes) + extra, None, None] for extra in range(1, 5)]
    return saved(sheet(rows))


def formulas_with_results(homes: Homes) -> File:
    """Names that a formula joined; the file remembers the results."""
    rows = plain_rows(homes)
    book = sheet([HEADER, *([row[0], f'="{row[1]}"', *row[2:]] for row in rows)])
    results = iter([str(row[1]) for row in rows])

    def remember(found: re.Match[str]) -> str:
        return f'{found[1]} t="str">{found[2]}<v>{next(results)}</v></c>'

    def mend(xml: str) -> str:
        return re.sub(r'(<c r="B\d+")>(<f>[^<]*</f>)<v ?/?>(?:</v>)?</c>', remember, xml)

    return rewritten(saved(book), "xl/worksheets/sheet1.xml", mend)


def rewritten(file: File, member: str, change: Callable[[str], str]) -> File:
    """The same workbook with one part changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file.data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data.decode()) if name == member else data)
    return File(file.name, out.getvalue())


def address_in_one_cell(homes: Homes) -> File:
    rows = []
    for place, home in enumerate(homes, 1):
        parts = [f"Số nhà {home.house}" if home.house else "", home.lane, f"thôn {home.hamlet}", "xã Nà Mây"]
        rows.append([place, home.name, ", ".join(filter(None, parts))])
    return saved(sheet([["STT", "Họ và tên chủ hộ", "Địa chỉ"], *rows]))


def csv_commas_marked(homes: Homes) -> File:
    return File("ds.csv", b"\xef\xbb\xbf" + comma([HEADER, *plain_rows(homes)]).encode())


def csv_semicolons(homes: Homes) -> File:
    return File("ds.csv", comma([["DANH SÁCH HỘ"], HEADER, *plain_rows(homes)], ";").encode())


def csv_utf16_tabs(homes: Homes) -> File:
    """What Excel calls Unicode text."""
    return File("ds.txt", comma([HEADER, *plain_rows(homes)], "\t").encode("utf-16"))


def csv_utf16_unmarked(homes: Homes) -> File:
    return File("ds.csv", comma([HEADER, *plain_rows(homes)]).encode("utf-16-be"))


def csv_windows1258(homes: Homes) -> File:
    return File("ds.csv", windows1258(comma([HEADER, *plain_rows(homes)])))


def csv_tcvn3(homes: Homes) -> File:
    return File("ds.csv", to_tcvn3(comma([HEADER, *plain_rows(homes)], ";")).encode("latin-1"))


def csv_bare_quote_dittos(homes: Homes) -> File:
    lines = [";".join(HEADER)]
    for place, home in enumerate(homes):
        same = place > 0 and homes[place - 1].hamlet == home.hamlet
        lines.append(f"{place + 1};{home.name};{chr(34) if same else home.hamlet};{home.house};{home.lane}")
    return File("ds.csv", "\n".join(lines).encode())


def csv_read_twice(homes: Homes) -> File:
    """UTF-8 that a program took for Western letters and saved again."""
    text = comma([HEADER, *plain_rows(homes)])
    western = "".join(_western(byte) for byte in text.encode())
    return File("ds.csv", western.encode())


def _western(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def xlsx_tcvn3(homes: Homes) -> File:
    return saved(sheet(_in_code(homes, to_tcvn3)))


def xlsx_vni(homes: Homes) -> File:
    return saved(sheet(_in_code(homes, to_vni)))


def _in_code(homes: Homes, code: Callable[[str], str]) -> list[list[object]]:
    rows: list[list[object]] = [list(HEADER), *plain_rows(homes)]
    return [[code(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]


def xls(homes: Homes) -> File:
    book = xlwt.Workbook()
    page = book.add_sheet("Sheet1")
    page.write_merge(0, 0, 0, 4, "DANH SÁCH HỘ GIA ĐÌNH")
    rows: list[list[object]] = [list(HEADER), *plain_rows(homes)]
    for row, cells in enumerate(rows, 1):
        for column, cell in enumerate(cells):
            if cell != "":
                page.write(row, column, cell)
    old = book.add_sheet("Cũ")
    old.write(0, 0, "Họ và tên")
    old.visibility = 1
    out = io.BytesIO()
    book.save(out)
    return File("ds.xls", out.getvalue())


# ---- Old codes, the other way round ---------------------------------------------------------------------

_TO_TCVN3 = {letter: chr(code) for code, letter in encodings._TCVN3.items()}
_TO_VNI = {letter: code for code, letter in encodings._VNI_LONE.items()}


def to_tcvn3(text: str) -> str:
    """Unicode -> TCVN3, as its capital fonts are typed: toned capitals become small letters."""
    return "".join(
        _TO_TCVN3.get(letter) or _TO_TCVN3.get(letter.lower()) or letter
        for letter in unicodedata.normalize("NFC", text)
    )


def to_vni(text: str) -> str:
    marks = {mark: code for code, mark in encodings._VNI_MARKS.items()}
    out = ""
    for letter in unicodedata.normalize("NFC", text):
        spread = unicodedata.normalize("NFD", letter)
        base = spread[0]
        rest = spread[1:]
        if letter in _TO_VNI:
            out += _TO_VNI[letter]
        elif "\u031b" in rest:  # the horn is part of VNI's letter
            out += _TO_VNI[unicodedata.normalize("NFC", base + "\u031b")] + marks.get(
                rest.replace("\u031b", ""), ""
            )
        elif rest:
            order = [mark for mark in "\u0302\u0306" if mark in rest]
            tone = [mark for mark in rest if mark not in "\u0302\u0306"]
            out += base + marks["".join(order + tone)]
        else:
            out += letter
    return out


def windows1258(text: str) -> bytes:
    """Unicode -> the code page in which Vietnamese Windows saves "ANSI": tones follow their letter."""
    out = b""
    for letter in unicodedata.normalize("NFC", text):
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            spread = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in spread if mark in "\u0300\u0309\u0303\u0301\u0323")
            out += unicodedata.normalize("NFC", spread.replace(tone, "")).encode("cp1258") + tone.encode(
                "cp1258"
            )
    return out


MESSES: tuple[Mess, ...] = (
    tidy, titled, bare_headers_any_order, split_names, one_header_over_two_columns, two_header_rows,
    sheet_per_hamlet, sections, sections_of_one_cell, dittos, merged_hamlets, hamlet_in_first_row_only,
    decomposed_and_spaced, capitals, remarks_and_addresses, columns_that_stay_out, hidden_sheet, members_too,
    pages_with_headers_again, formulas_with_results, address_in_one_cell, csv_commas_marked, csv_semicolons,
    csv_utf16_tabs, csv_utf16_unmarked, csv_windows1258, csv_tcvn3, csv_bare_quote_dittos, csv_read_twice,
    xlsx_tcvn3, xlsx_vni, xls,
)  # fmt: skip
NO_PLACE = frozenset({one_header_over_two_columns})
"""Messes that hold no house and no lane."""
