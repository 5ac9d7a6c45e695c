"""Which households of a hamlet may be one that was entered twice, under two ids. Pure.

A name alone proves little: half a hamlet shares three family names, and two households may well have heads
of one name. So a pair is offered where the names can be one name and the places can be one place. How a
name is written differs by whoever writes it: without marks, with the tone on another vowel (hoà, hòa), y
for i, the given name first, "Ng. V. A", a middle name left out, a slip. Names that differ in marks alone are
two names (Hùng, Hưng), unless one was typed without marks. Nothing is merged without a person.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple

from server.lists.hamlets import near
from server.names import fold, sort_key

NEAR = 20
"""Places on the walk that lie this close together are next door (lists give every tenth number)."""

_TITLES = frozenset({"ông", "bà"})
"""What lists put before a name."""

_BESIDE = re.compile(r"\([^()]*\)")
"""Another name in brackets."""

_SH = re.compile(r"\bsh", re.IGNORECASE)
"""No sound of Vietnamese: how names of the H'Mông and Dao are spelled by one list and not by another."""

_SOUNDS = frozenset("aeiouy")
"""Letters without which a word is an abbreviation (Ng, Tr)."""

_MARKED = {"\u0300", "\u0309", "\u0303", "\u0301", "\u0323", "\u0302", "\u0306", "\u031b"}


class Household(NamedTuple):
    """What is compared: `order` is the place on the walk."""

    id: str
    name: str
    house: str
    lane: str
    order: int


class Likeness(IntEnum):
    """How much two names say the same."""

    NONE = 0
    INITIALS = 1
    """One is nothing but initials, and they fit."""
    SLIP = 2
    """A letter off in one word."""
    SHORTENED = 3
    """Initials for words, the given name first, or a middle name left out."""
    SAME = 4
    """The same words; one may be without marks."""


class Pair(NamedTuple):
    """Two households that may be one, the more likely the greater the score."""

    one: Household
    other: Household
    score: int
    likeness: Likeness
    place: int


class _Name(NamedTuple):
    spelled: tuple[str, ...]
    folded: tuple[str, ...]
    bare: tuple[bool, ...]
    initial: tuple[bool, ...]


def pairs(households: Sequence[Household], apart: Collection[frozenset[str]] = ()) -> list[Pair]:
    """The pairs of one hamlet to offer, the likeliest first; `apart` are ids that people have told apart."""
    named = [(one, _name(one.name)) for one in households]
    found = [
        pair
        for (one, name), (other, its) in combinations(named, 2)
        if (pair := _pair(one, name, other, its)) and frozenset({one.id, other.id}) not in apart
    ]
    return sorted(found, key=lambda pair: (-pair.score, pair.one.order, pair.one.id, pair.other.id))


def likeness(one: str, other: str) -> Likeness:
    """How much two names say the same.

    >>> likeness("Nguyễn Thị Hoà", "nguyen thi hoa"), likeness("Nguyễn Văn An", "Ng. V. An")
    (<Likeness.SAME: 4>, <Likeness.SHORTENED: 3>)
    >>> likeness("Vi Văn Hùng", "Vi Văn Hưng")
    <Likeness.NONE: 0>
    """
    return _likeness(_name(one), _name(other))


def _pair(one: Household, name: _Name, other: Household, its: _Name) -> Pair | None:
    if not _worth_a_look(name, its):
        return None
    like = _likeness(name, its)
    if like is Likeness.NONE:
        return None
    place = _place(one, other)
    if place < (1 if like is Likeness.SAME else 2):
        return None
    return Pair(one, other, like * 10 + place, like, place)


def _worth_a_look(name: _Name, its: _Name) -> bool:
    """Some word of the one begins like the given name of the other: cheap, before everything else."""
    initials = {word[:1] for word in name.folded}
    return bool(its.folded) and bool(name.folded) and its.folded[-1][:1] in initials


def _name(text: str) -> _Name:
    text = _BESIDE.sub(" ", unicodedata.normalize("NFC", text))
    words = _SH.sub("s", text.replace(".", " ")).split()
    if len(words) > 2 and words[0].casefold() in _TITLES:
        words = words[1:]
    dotted = {word.casefold() for word in text.replace(".", ". ").split() if word.endswith(".")}
    spelled = tuple(_one_spelling(word) for word in words)
    folded = tuple(fold(word) for word in words)
    bare = tuple(
        not _MARKED & set(unicodedata.normalize("NFD", word)) and "đ" not in word.lower() for word in words
    )
    initial = tuple(
        f"{word.casefold()}." in dotted
        or (len(plain) == 1 and word not in {"Ý", "Ỷ", "Y", "Ỵ"})
        or (len(plain) > 1 and not _SOUNDS & set(plain))
        for word, plain in zip(words, folded, strict=True)
    )
    return _Name(spelled, folded, bare, initial)


def _one_spelling(word: str) -> str:
    """Letters and tone apart, so that it does not matter on which vowel the tone stands; i for a last y."""
    letters, _, tone = sort_key(word).partition(" ")
    last_y = len(letters) > 1 and letters[-1] == _Y and letters[-2] not in _VOWELS
    return f"{letters[:-1] + _I if last_y else letters} {tone}"


_I, _Y = sort_key("i")[0], sort_key("y")[0]
_VOWELS = frozenset(sort_key(vowel)[0] for vowel in "aăâeêioôơuưy")


def _likeness(one: _Name, other: _Name) -> Likeness:
    best = Likeness.NONE
    for turned in (other, *_turned(other)):
        found = _aligned(one, turned)
        if turned is not other:
            found = min(found, Likeness.SHORTENED)
        best = max(best, found)
    return best


def _turned(name: _Name) -> Iterator[_Name]:
    """The same name with its given name moved from the front to the end, or from the end to the front."""
    if len(name.folded) > 1:
        for at in (1, len(name.folded) - 1):
            yield _Name(
                name.spelled[at:] + name.spelled[:at],
                name.folded[at:] + name.folded[:at],
                name.bare[at:] + name.bare[:at],
                name.initial[at:] + name.initial[:at],
            )


def _aligned(one: _Name, other: _Name) -> Likeness:
    """Word for word from both ends; the middle of the shorter may leave words out."""
    few, many = sorted((one, other), key=lambda name: len(name.folded))
    short, long = len(few.folded), len(many.folded)
    if short < 2 or long - short > 2:
        return (
            Likeness.SAME
            if short == long == 1 and _word(one, 0, other, 0) is Likeness.SAME
            else Likeness.NONE
        )
    found = [_word(few, -1, many, -1), *(_word(few, place, many, place) for place in range(short - 1))]
    if Likeness.NONE in found or found.count(Likeness.SLIP) > 1:
        return Likeness.NONE
    if found[0] is Likeness.SHORTENED and set(found) == {Likeness.SHORTENED}:
        return Likeness.INITIALS
    worst = min(found)
    return min(worst, Likeness.SHORTENED) if short < long else worst


def _word(one: _Name, place: int, other: _Name, its: int) -> Likeness:
    if one.spelled[place] == other.spelled[its]:
        return Likeness.SAME
    plain, again = one.folded[place], other.folded[its]
    if one.initial[place] or other.initial[its]:
        short, full = sorted((plain, again), key=len)
        return Likeness.SHORTENED if full.startswith(short) else Likeness.NONE
    if plain == again:
        if one.bare[place] or other.bare[its]:
            return Likeness.SAME
        return Likeness.NONE
    return Likeness.SLIP if near(plain, again) else Likeness.NONE


def _place(one: Household, other: Household) -> int:
    """3: one house; 2: next door on the walk, or one lane; 1: nothing speaks against it; 0: two places."""
    house, its = fold(one.house), fold(other.house)
    lane, its_lane = fold(one.lane), fold(other.lane)
    if (house and its and house != its) or (lane and its_lane and lane != its_lane):
        return 0
    if house and house == its and (lane == its_lane or not (lane and its_lane)):
        return 3
    if abs(one.order - other.order) <= NEAR or (lane and lane == its_lane):
        return 2
    return 1
