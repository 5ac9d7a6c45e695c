"""Words for people, in Vietnamese first and in English: the catalogues in `server/words/`.

Keys are dotted and flat, placeholders are `str.format` fields. Routes ask `words_of(request)` once and pass
the `Words` on; nothing else in the server knows which language it speaks.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from starlette.requests import HTTPConnection

LANGUAGES = ("vi", "en")
COOKIE = "camket_lang"

# Việt Nam keeps one offset all year, so no time zone database is needed on an office PC.
HERE = timezone(timedelta(hours=7), "ICT")

_CATALOGUES = Path(__file__).parent / "words"
_FULL_YEAR = "dd/MM/yyyy"


class Words:
    """One language: `say` sentences, and write dates and numbers as its readers do."""

    def __init__(self, lang: str, catalogue: Mapping[str, str]) -> None:
        self.lang = lang
        self._catalogue = catalogue
        self._locale = Locale("vi") if lang == "vi" else Locale("en", "GB")

    def say(self, key: str, **values: object) -> str:
        """The sentence under `key`. Raises `KeyError` for an unknown key, which is a programming error."""
        return self._catalogue[key].format(**values)

    def knows(self, key: str) -> bool:
        """Whether there is a sentence under `key`."""
        return key in self._catalogue

    def date(self, value: date | datetime | str) -> str:
        """A day as dd/mm/yyyy; an instant (UTC, also as its text `…Z`) by the clock on the wall here."""
        return format_date(local_day(value), _FULL_YEAR, locale=self._locale)

    def time(self, value: datetime | str) -> str:
        """An instant as dd/mm/yyyy hh:mm, by the clock on the wall here."""
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return f"{instant.astimezone(HERE):%d/%m/%Y %H:%M}"

    def number(self, value: float | Decimal) -> str:
        """A number, grouped: 1.234,5 in Vietnamese."""
        return format_decimal(value, locale=self._locale)

    def percent(self, share: float | Decimal) -> str:
        """A share of one as a percentage with at most one decimal: 92,5% of 0.925."""
        return format_percent(share, format="#,##0.#%", locale=self._locale)


def local_day(value: date | datetime | str) -> date:
    """The day of an instant (UTC, also as its text `…Z`) by the clock on the wall here; a day is itself."""
    if isinstance(value, str):
        if len(value) == len("2026-01-31"):
            return date.fromisoformat(value)
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(HERE).date()
    if not isinstance(value, date):
        raise TypeError(value)  # of what a later program wrote
    return value


@cache
def words(lang: str) -> Words:
    """The words of one of `LANGUAGES`; any other name gives Vietnamese."""
    known = lang if lang in LANGUAGES else LANGUAGES[0]
    with (_CATALOGUES / f"{known}.toml").open("rb") as file:
        return Words(known, flatten(tomllib.load(file)))


def flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """A TOML tree as flat dotted keys: `{"a": {"b": "x"}}` is `{"a.b": "x"}`."""
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def choose(cookie: str | None, accept_language: str | None) -> str:
    """The language of a request: what was chosen by hand, else the first known that the browser asks for."""
    if cookie in LANGUAGES:
        return str(cookie)
    for asked in (accept_language or "").split(","):
        lang = asked.split(";")[0].strip().lower().split("-")[0]
        if lang in LANGUAGES:
            return lang
    return LANGUAGES[0]


def words_of(connection: HTTPConnection) -> Words:
    """The words for whoever sent this request.

    The office speaks Vietnamese until somebody switches: an English browser on a commune's PC says what was
    installed there, not who reads it.
    """
    office = connection.url.path.startswith("/office")
    asked = None if office else connection.headers.get("accept-language")
    return words(choose(connection.cookies.get(COOKIE), asked))
