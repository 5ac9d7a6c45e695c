"""What staff type into the office's forms, as documents want it: pure."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Any, Protocol

from sync.merge import CLEARED

_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def day(text: str) -> date | None:
    """A day as people here write it: dd/mm/yyyy."""
    found = _DAY.fullmatch(text.strip())
    if not found:
        return None
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None


def shown(iso: str) -> str:
    """A document's day as a form shows it."""
    return f"{date.fromisoformat(iso):%d/%m/%Y}"


def tidy(text: str) -> str:
    """One line in NFC, without odd spaces and format characters that nobody sees."""
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def plain(text: str) -> bool:
    """Without control characters (schemas/common.json, name)."""
    return not any(unicodedata.category(letter) == "Cc" for letter in text)


def whole(text: str, most: int) -> int | None:
    """A whole number from 0 up."""
    fine = text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most
    return int(text) if fine else None


# ---- What the forms of households and of units have in common -------------------------------------------


class Subject(Protocol):
    """A form of somebody who pledges, as it was typed."""

    @property
    def name(self) -> str: ...
    @property
    def house(self) -> str: ...
    @property
    def lane(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def since(self) -> str: ...


def subject_wrong(form: Subject, statuses: Collection[str], unnamed: str) -> dict[str, str]:
    """What of name, place and status cannot be taken: names of fields, keys of words (`unnamed`)."""
    errors = {}
    if not 1 <= len(form.name) <= 80 or not plain(form.name):
        errors["name"] = unnamed
    for part, text, most in (("house", form.house, 40), ("lane", form.lane, 80)):
        if len(text) > most or not plain(text):
            errors[part] = "office.form.text"
    if form.status not in statuses:
        errors["status"] = "office.form.status"
    if day(form.since) is None:
        errors["since"] = "office.form.date"
    return errors


def subject_fields(form: Subject) -> dict[str, Any]:
    """Name, place and status as a document has them, of a form that is not `subject_wrong`."""
    since = day(form.since)
    assert since is not None
    place = {part: text for part, text in (("house", form.house), ("lane", form.lane)) if text}
    return {
        "name": form.name,
        "place": place or CLEARED,
        "status": {"is": form.status, "since": since.isoformat()},
    }
