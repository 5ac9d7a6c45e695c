"""What staff type into the office's forms, as documents want it: pure."""

import re
import unicodedata
from datetime import date

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


def place(house: str, lane: str) -> dict[str, str]:
    """House and lane as a document has them, without what is empty."""
    return {key: text for key, text in (("house", house), ("lane", lane)) if text}


def place_wrong(house: str, lane: str) -> dict[str, str]:
    """What of a house and a lane cannot be taken: names of fields, keys of words."""
    parts = (("house", house, 40), ("lane", lane, 80))
    return {name: "office.form.text" for name, text, most in parts if len(text) > most or not plain(text)}
