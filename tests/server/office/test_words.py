"""Every word of the office is in both catalogues, and every key of it is used."""

import re
from pathlib import Path

import pytest

from server.office import desk
from server.words import LANGUAGES, words

ROOT = Path(desk.__file__).parent.parent
SOURCES = [*ROOT.glob("office/*.py"), *ROOT.glob("templates/office/*.html")]
CALLED = re.compile(r"""["'](office\.[a-z0-9_.]+)["']""")
BUILT = re.compile(r"""["'](office\.[a-z0-9_.]+[._])(?:["'] ?[~+]|\{)""")
"""Prefixes of keys that are put together: `"office.role." ~ role`."""


def texts() -> str:
    return "\n".join(path.read_text("utf-8") for path in SOURCES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_key_that_is_asked_for_is_there(lang: str) -> None:
    known = words(lang)
    asked = {key for key in CALLED.findall(texts()) if not key.endswith((".", ".css"))}
    assert len(asked) > 150
    assert sorted(key for key in asked if not known.knows(key)) == []


def test_every_deed_of_the_audit_log_has_its_words() -> None:
    source = "\n".join(path.read_text("utf-8") for path in ROOT.rglob("*.py"))
    deeds = set(re.findall(r"""audit\.append\([^()]*?"([a-z]+\.[a-z_]+)\"""", source))
    deeds |= set(re.findall(r"""(?:noted|_write)\([^\n]*?"([a-z]+\.[a-z_]+)\"""", source))
    assert len(deeds) > 15
    assert (
        sorted(deed for deed in deeds if not words("vi").knows(f"office.did.{deed.replace('.', '_')}")) == []
    )


def test_no_template_says_anything_that_is_not_in_the_catalogues() -> None:
    for path in ROOT.glob("templates/office/*.html"):
        plain = re.sub(r"\{[{%#].*?[%#}]\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.S)
        assert re.findall(r"[^\W\d_]{2,}", plain.replace("Camket", "")) == [], path.name


def test_no_key_is_left_over() -> None:
    text = texts()
    built = set(BUILT.findall(text))
    asked = set(CALLED.findall(text))
    catalogue = [key for key in _keys() if key.startswith("office.")]
    unused = [key for key in catalogue if key not in asked and not any(key.startswith(p) for p in built)]
    assert unused == []


def _keys() -> list[str]:
    return re.findall(r"^([a-z0-9_.]+) = ", (ROOT / "words" / "vi.toml").read_text("utf-8"), re.M)
