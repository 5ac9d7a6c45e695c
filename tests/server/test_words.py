"""Both catalogues say the same things, and dates and numbers are written as in Việt Nam."""

import re
import string
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from starlette.requests import Request

from server import words as module
from server.words import choose, flatten, words, words_of

CATALOGUES = Path(module.__file__).parent / "words"
PHONE = CATALOGUES.parents[1] / "pwa/src/core/words"


def catalogue(lang: str) -> dict[str, str]:
    return flatten(tomllib.loads((CATALOGUES / f"{lang}.toml").read_text("utf-8")))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("vi").keys() == catalogue("en").keys()


def test_both_languages_fill_in_the_same_values() -> None:
    vi, en = catalogue("vi"), catalogue("en")
    assert {key: placeholders(vi[key]) for key in vi} == {key: placeholders(en[key]) for key in en}


def test_every_key_that_the_server_says_is_in_the_catalogue() -> None:
    said = re.compile(r"""\b(?:say|t)\(\s*["']([a-z0-9_]+\.[a-z0-9_.]+)["']""")
    root = Path(module.__file__).parent
    sources = [*root.rglob("*.py"), *root.rglob("*.html")]
    used = {key for file in sources for key in said.findall(file.read_text("utf-8"))}
    assert "problem.title" in used
    known = catalogue("vi").keys()
    # A key that ends in a dot goes on with a value: at least one sentence must be there.
    assert {key for key in used if not key.endswith(".")} <= known
    assert all(any(one.startswith(key) for one in known) for key in used if key.endswith("."))


@pytest.mark.parametrize(
    ("cookie", "accept", "lang"),
    [
        (None, None, "vi"),
        (None, "", "vi"),
        (None, "en-US,en;q=0.9", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "en"),
        (None, "fr,de", "vi"),
        ("vi", "en", "vi"),
        ("en", "vi", "en"),
        ("xx", "en", "en"),
        (None, "vi-VN,vi;q=0.9,en;q=0.5", "vi"),
        (None, ";;;,,,\x00", "vi"),
    ],
)
def test_language_of_a_request(cookie: str | None, accept: str | None, lang: str) -> None:
    assert choose(cookie, accept) == lang


def test_dates_are_day_month_year_by_the_clock_in_viet_nam() -> None:
    vi = words("vi")
    assert vi.date("2026-03-01") == "01/03/2026"
    assert vi.date(date(2026, 12, 31)) == "31/12/2026"
    assert vi.date("2026-03-01T17:00:00Z") == "02/03/2026"
    assert vi.date(datetime(2026, 3, 1, 16, 59, tzinfo=UTC)) == "01/03/2026"
    assert vi.time("2026-03-01T17:05:00Z") == "02/03/2026 00:05"
    assert words("en").date("2026-03-01") == "01/03/2026"


def test_numbers_are_grouped_by_points_in_vietnamese() -> None:
    assert words("vi").number(1234.5) == "1.234,5"
    assert words("vi").number(2400) == "2.400"
    assert words("en").number(1234.5) == "1,234.5"
    assert words("vi").percent(0.925) == "92,5%"
    assert words("vi").percent(1) == "100%"


def test_a_missing_key_is_an_error_not_a_blank() -> None:
    with pytest.raises(KeyError):
        words("vi").say("no.such.key")


def test_the_office_speaks_vietnamese_until_somebody_switches() -> None:
    def spoken(path: str, *headers: tuple[bytes, bytes]) -> str:
        scope = {"type": "http", "path": path, "query_string": b"", "headers": list(headers)}
        return words_of(Request(scope)).lang

    english = (b"accept-language", b"en-US,en;q=0.9")
    assert spoken("/office/login", english) == "vi"
    assert spoken("/office/login", english, (b"cookie", b"camket_lang=en")) == "en"
    assert spoken("/join", english) == "en"


@pytest.mark.parametrize(("language", "file"), [("vi", "vi_more.ts"), ("en", "en.ts")])
@pytest.mark.parametrize(
    ("phone", "office"), [("outreach.topic", "office.topic"), ("unit.kind", "office.unit.kind")]
)
def test_the_phone_calls_things_as_the_office_does(language: str, file: str, phone: str, office: str) -> None:
    source = (PHONE / file).read_text("utf-8")
    said = dict(re.findall(rf'"{phone}\.(\w+)": "([^"]+)"', source))
    assert said
    for key, text in said.items():
        assert text.casefold() == words(language).say(f"{office}.{key}").casefold()


def test_what_is_no_date_is_not_worded_as_one() -> None:
    for value in ([1], 7, {"since": "2026-01-01"}):
        with pytest.raises(TypeError):
            words("vi").date(value)  # type: ignore[arg-type]
