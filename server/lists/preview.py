"""The stages in a row: from an uploaded file to what importing it would do."""

import hashlib

from server.lists.clean import Clean, clean, invisible
from server.lists.plan import BadRow, Choices, Known, Note, Plan, Progress
from server.lists.planning import plan
from server.lists.read import read
from server.lists.recognise import recognise
from server.lists.sheets import Book

EVERY = 500
"""Rows between two calls of the progress callback."""


def _silent(stage: str, done: int, of: int) -> None:
    """Nobody is watching."""


def preview(
    data: bytes,
    filename: str,
    known: Known,
    choices: Choices | None = None,
    progress: Progress = _silent,
) -> Plan:
    """What importing this file would do; nothing is written. Pure but for `progress`. Raises `Refused`."""
    choices = choices or Choices()
    progress("read", 0, 1)
    book = read(data, filename)
    progress("recognise", 0, 1)
    recognised = recognise(book, known.hamlets, choices)
    rows: list[Clean] = []
    bad = list(recognised.bad)
    notes: list[Note] = []
    for done, one in enumerate(clean(recognised.rows)):
        if done % EVERY == 0:
            progress("clean", done, len(recognised.rows))
        match one:
            case Clean():
                rows.append(one)
            case BadRow():
                bad.append(one)
            case Note():
                notes.append(one)
    progress("plan", 0, 1)
    compared = plan(rows, known, choices)
    progress("plan", 1, 1)
    places = {sheet.name: place for place, sheet in enumerate(recognised.sheets)}
    return Plan(
        filename=filename,
        digest=hashlib.sha256(data).hexdigest(),
        sheets=tuple(recognised.sheets),
        hamlets=compared.hamlets,
        new=compared.new,
        filled=compared.filled,
        unchanged=compared.unchanged,
        questions=compared.questions,
        bad=tuple(sorted(bad, key=lambda row: (places[row.where.sheet], row.where.row))),
        notes=tuple(notes),
        left_out=tuple(recognised.left_out),
        remarks=(*book.remarks, *(["unseen"] if _has_unseen(book) else [])),
        bad_left=choices.leave_bad_rows,
    )


def _has_unseen(book: Book) -> bool:
    cells = (cell for sheet in book.sheets for line in sheet.lines for cell in line if cell)
    return any(not cell.text.isascii() and any(map(invisible, cell.text)) for cell in cells)
