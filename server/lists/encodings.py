"""Vietnamese text in the codes from before Unicode: TCVN3 (fonts named .VnTime) and VNI, found and converted.

In a spreadsheet such text is Latin letters that only look right in their font ("NguyÔn V¨n", "Nguyeãn Vaên").
Which code it is shows in what comes out: Vietnamese syllables are built by strict rules, so that the right
reading turns nearly every word into a possible syllable, and the wrong ones do not.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from server.lists.syllables import possible

_TCVN3_LOWER = {
    "a": "µ¶·¸¹", "ă": "»¼½¾Æ", "â": "ÇÈÉÊË", "e": "ÌÎÏÐÑ", "ê": "ÒÓÔÕÖ", "i": "×ØÜÝÞ",
    "o": "ßáâãä", "ô": "åæçèé", "ơ": "êëìíî", "u": "ïñòóô", "ư": "õö÷øù", "y": "úûüýþ",
}  # fmt: skip
_TONES = "\u0300\u0309\u0303\u0301\u0323"  # grave, hook, tilde, acute, dot: the order of TCVN3
_TCVN3_PLAIN = dict(zip("¡¢§£¤¥¦¨©ª«¬\u00ad®", "ĂÂĐÊÔƠƯăâêôơưđ", strict=True))

_VNI_LONE = dict(zip("ñÑôÔöÖíÍìÌæÆóÓòÒîÎ", "đĐơƠưƯíÍìÌỉỈĩĨịỊỵỴ", strict=True))
_VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}  # fmt: skip


def _tcvn3_table() -> dict[int, str]:
    table = dict(_TCVN3_PLAIN)
    for vowel, codes in _TCVN3_LOWER.items():
        for tone, code in zip(_TONES, codes, strict=True):
            table[code] = unicodedata.normalize("NFC", vowel + tone)
    return {ord(code): letter for code, letter in table.items()}


_TCVN3 = _tcvn3_table()
_VNI = re.compile(
    f"([AEOUYaeouyÔÖôö])([{''.join(_VNI_MARKS)}{''.join(_VNI_MARKS).upper()}])|([{''.join(_VNI_LONE)}])"
)


def tcvn3(text: str) -> str:
    """TCVN3 read as Latin-1 -> Unicode. Toned capitals are small letters in that code's capital fonts."""
    return text.translate(_TCVN3)


def vni(text: str) -> str:
    """VNI read as Latin-1 -> Unicode: a letter, then a letter that stands for its marks."""

    def letter(found: re.Match[str]) -> str:
        base, marks, lone = found.groups()
        if lone:
            return _VNI_LONE[lone]
        return unicodedata.normalize("NFC", _VNI_LONE.get(base, base) + _VNI_MARKS[marks.lower()])

    return _VNI.sub(letter, text)


def _windows1258(text: str) -> str:
    return unicodedata.normalize("NFC", text.encode("latin-1").decode("cp1258", "replace"))


def _twice(text: str) -> str:
    """UTF-8 that somebody's program read as Western text and saved again."""
    return b"".join(_western(letter) for letter in text).decode("utf-8")


def _western(letter: str) -> bytes:
    # Five bytes have no letter in that code; programs let them pass as they are.
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")


_READINGS: Mapping[str, Callable[[str], str]] = {"tcvn3": tcvn3, "vni": vni}
_SINGLE_BYTE: Mapping[str, Callable[[str], str]] = {"windows1258": _windows1258, "tcvn3": tcvn3, "vni": vni}
ENOUGH = 0.7
"""Share of words that must be possible syllables. Foreign names and abbreviations are the rest."""
SAMPLE = 4_000


def _all_twice(texts: list[str]) -> bool:
    """No Vietnamese text, whole, reads as UTF-8 once more by accident."""
    try:
        return all(_twice(text) for text in texts)
    except UnicodeError:
        return False


def _words(texts: Iterable[str]) -> list[str]:
    """Words with something beyond ASCII in them, which alone tell the codes apart."""
    words: list[str] = []
    for text in texts:
        if not text.isascii():
            words += [word for word in re.split(r"[\s!-/:-@\[-`{-~\u00a0]+", text) if not word.isascii()]
        if len(words) > SAMPLE:
            break
    return words


def _share(words: list[str]) -> float:
    return sum(possible(word) for word in words) / len(words)


def detect(texts: Iterable[str]) -> str | None:
    """The code that a sheet's texts are in: a key of the readings, "unicode" where they are right as they
    are, None where no reading makes sense of them."""
    marked = list(islice((text for text in texts if not text.isascii()), SAMPLE))
    if marked and _all_twice(marked):
        return "twice"
    # Only words that the old codes can hold tell; a sheet may be in Unicode for the rest.
    words = [word for word in _words(marked) if not _beyond(word)]
    if not words:
        return "unicode"
    right = _share(words)
    best, share = _best(words, _READINGS)
    if share >= ENOUGH and share >= right + 0.15:
        return best
    # A list of few Vietnamese words (other peoples' names) is no reason to refuse it.
    return None if len(words) >= 20 and right < 0.3 else "unicode"


def _best(words: list[str], readings: Mapping[str, Callable[[str], str]]) -> tuple[str, float]:
    shares = {name: _share([convert(word) for word in words]) for name, convert in readings.items()}
    best = max(shares, key=lambda name: shares[name])
    return best, shares[best]


def reading(code: str, texts: Iterable[str]) -> Callable[[str], str]:
    """How to read one cell of a sheet with these texts, of which some are in that code.

    Sheets are mixed: a cell with a letter that the old codes cannot hold is Unicode, and so is one that only
    conversion would spoil. Where both readings are syllables ("Thò" is one, and Thị in VNI), most cells of
    the sheet decide.
    """
    if code == "twice":
        return _twice
    convert = _READINGS[code]
    marked = [text for text in texts if not text.isascii()]
    mostly_unicode = sum(map(_beyond, marked)) > len(marked) / 2

    def read(text: str) -> str:
        words = [] if _beyond(text) else _words([text])
        if not words:
            return text
        before, after = _share(words), _share([convert(word) for word in words])
        return text if after < before or (after == before and mostly_unicode) else convert(text)

    return read


def _beyond(text: str) -> bool:
    """Whether a letter of it is none that the old codes can hold."""
    return any(letter > "\u00ff" for letter in text)


def mend_text(text: str) -> tuple[str, str | None]:
    """A text of one byte a letter (read as Latin-1) read rightly, and its code; None where none fits."""
    words = _words(text.split("\n"))
    best, share = _best(words, _SINGLE_BYTE)
    return (_SINGLE_BYTE[best](text), best) if share >= ENOUGH else (text, None)
