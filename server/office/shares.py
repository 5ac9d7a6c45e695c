"""Coverage against the target, worded: pure.

The campaign aims to be ABOVE its target (domain.md, requirement 1: more than 90 %). For readers outside of
the office (observers, exports) a share is given as a band wherever fewer than five households stand on either
side of it, and never so that the band can be worked out from the other rows and the total.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.words import Words

LEAST = 5
"""Fewer than this on either side of a share may point at households (design, section 2)."""

_BANDS = (90, 75, 50, 25, 10)


@dataclass(frozen=True, slots=True)
class Count:
    """One hamlet's figures: households in the denominator, of them signed, of the others visited."""

    hamlet: str
    name: str
    counted: int
    signed: int
    visited: int

    @property
    def open(self) -> int:
        """Neither signed nor visited yet."""
        return self.counted - self.signed - self.visited


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, as text; `filled` and `target` are per cent for the bar."""

    hamlet: str
    name: str
    counted: str
    signed: str
    visited: str
    open: str
    share: str
    verdict: str
    reached: bool
    filled: float
    target: int
    paper: "Row | None" = None
    """Where it differs: the line as it is printed, since paper leaves the office."""


@dataclass(frozen=True, slots=True)
class Table:
    """What the page of coverage shows. `reached` counts the hamlets above the target."""

    rows: tuple[Row, ...]
    total: Row
    reached: str
    sentence: str
    statuses: str
    with_visits: bool
    banded: bool


def missing(count: Count, target: int) -> int:
    """How many more households must sign until the share is above `target` per cent; 0 when it is.

    Of a target of 100 per cent "above" means all.
    """
    needed = count.counted if target >= 100 else count.counted * target // 100 + 1
    return max(0, min(needed, count.counted) - count.signed) if count.counted else 0


def table(
    counts: Sequence[Count], target: int, statuses: Sequence[str], words: Words, *, outside: bool
) -> Table:
    """The whole table; `outside` is for readers who may see no small numbers, on the screen neither."""
    total = Count("", "", *(sum(getattr(c, f) for c in counts) for f in ("counted", "signed", "visited")))
    hidden = small(counts)
    rows = tuple(_shown(c, target, words, small=c.hamlet in hidden, outside=outside) for c in counts)
    reached = sum(row.reached for row in rows)
    below = sum(not row.reached for count, row in zip(counts, rows, strict=True) if count.counted)
    key = "office.coverage.all_reached" if not below else "office.coverage.some_below"
    return Table(
        rows=rows,
        total=_shown(total, target, words, small=_is_small(total), outside=outside),
        reached=words.number(reached),
        sentence=words.say(key, below=words.number(below)),
        statuses=", ".join(words.say(f"office.status.{status}").lower() for status in statuses),
        with_visits=not outside,
        banded=bool(hidden),
    )


def small(counts: Sequence[Count]) -> frozenset[str]:
    """The hamlets whose share outsiders see as a band.

    One band alone could be worked out from the total and the others: the next smallest is hidden with it.
    """
    found = {count.hamlet for count in counts if _is_small(count)}
    others = [count for count in counts if count.hamlet not in found and count.counted]
    if len(found) == 1 and others:
        found.add(min(others, key=_smaller_side).hamlet)
    return frozenset(found)


def band(count: Count) -> tuple[str, int]:
    """A band that holds the share: the key of its word, and its border in per cent."""
    share = 100 * count.signed / count.counted if count.counted else 0
    border = next((border for border in _BANDS if share > border), None)
    return ("office.coverage.above", border) if border else ("office.coverage.upto", _BANDS[-1])


def _smaller_side(count: Count) -> int:
    return min(count.signed, count.counted - count.signed)


def _is_small(count: Count) -> bool:
    return count.counted > 0 and _smaller_side(count) < LEAST


def _shown(count: Count, target: int, words: Words, *, small: bool, outside: bool) -> Row:
    row = _row(count, target, words)
    if not small:
        return row
    banded = _as_band(row, count, words)
    return banded if outside else replace(row, paper=banded)


def _row(count: Count, target: int, words: Words) -> Row:
    more = missing(count, target)
    return Row(
        hamlet=count.hamlet,
        name=count.name,
        counted=words.number(count.counted),
        signed=words.number(count.signed),
        visited=words.number(count.visited),
        open=words.number(count.open),
        share=words.percent(count.signed / count.counted) if count.counted else words.say("office.none"),
        verdict=_verdict(count, more, words),
        reached=bool(count.counted) and not more,
        filled=100 * count.signed / count.counted if count.counted else 0.0,
        target=target,
    )


def _verdict(count: Count, more: int, words: Words) -> str:
    if not count.counted:
        return words.say("office.coverage.empty")
    if more:
        return words.say("office.coverage.below", more=words.number(more))
    return words.say("office.coverage.reached")


def _as_band(row: Row, count: Count, words: Words) -> Row:
    key, border = band(count)
    text = words.say(key, share=border)
    plain = "office.coverage.reached" if row.reached else "office.coverage.below_plain"
    filled = float(border) if key.endswith("above") else border / 2
    return replace(row, signed=words.say("office.none"), share=text, verdict=words.say(plain), filled=filled)
