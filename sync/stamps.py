"""Hybrid logical clocks: the stamp of every write, and the stamps of a document's fields.

A stamp is milliseconds, a counter and a device, written so that the order of the text is the order of the
clock: `1764547200000-0000-phone1`. A device's stamps only rise, and rise above every stamp that the device
has seen; so a write that had seen another one is greater, whatever the clocks on the wall say. No two writes
share a stamp, since no two devices share an id.

A document carries `stamps: {"*": …, "<field>": …}`. **Normal form:** `*` is the greatest stamp of the
document; a field that is there has an entry only where its stamp differs from `*`; a field that was
cleared keeps an entry always, since that entry is all that is left of the clearing. A field that is
neither there nor among the entries was never written (a program that does not know a field does not clear
it).

**The end.** Thirteen digits have a last stamp, and nothing could be written after it. So no write is stamped
later than `LATEST`, whatever a clock says, and what had entered from beyond that comes before all others
(`order`): it has a place, loses to every write, and nobody goes on from it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

PATTERN = re.compile(r"[0-9]{13}-[0-9a-f]{4}-[a-z0-9]{4,16}")
SKEW = 5 * 60 * 1000
"""Milliseconds that two clocks may differ before one of them is called wrong (design, section 7)."""

LATEST = 4_102_444_800_000
"""1 January 2100 (milliseconds): the latest time that a clock may tell."""

END = f"{LATEST + 365 * 24 * 3_600_000:013d}"
"""What stamps begin with a year later, as text. In between lies what is written upon one of the latest time,
a millisecond further at most, each."""

ALL = "*"
_LAST_COUNTER = 0xFFFF

Stamps = Mapping[str, str]


class Stamp(NamedTuple):
    """A stamp taken apart; tuple order is the order of the text."""

    ms: int
    counter: int
    device: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a stamp. Raises ValueError for any other text."""
        if not PATTERN.fullmatch(text):
            raise ValueError(f"not a stamp: {text[:60]!r}")
        ms, counter, device = text.split("-")
        return cls(int(ms), int(counter, 16), device)

    def __str__(self) -> str:
        return f"{self.ms:013d}-{self.counter:04x}-{self.device}"


def device_of(stamp: str) -> str:
    """The device that minted a stamp, and by that its author: a device is one person's."""
    return stamp.rpartition("-")[2]


def order(stamp: str) -> str:
    """What stamps compare by: their text, and one that no clock can have told before all others."""
    return stamp if stamp < END else f"!{stamp}"


def plausible(stamp: Stamp) -> bool:
    """Whether a clock can have told a stamp, so that there are others to write after it."""
    return stamp.ms < int(END)


def bound(now: int | None, told: Iterable[str]) -> int:
    """The latest time of a new stamp (milliseconds). `now` is None where no clock can judge it; `told` are
    stamps that were accepted, and what is written upon them must be above them."""
    wall = LATEST if now is None else min(now + SKEW, LATEST)
    before = (stamp for stamp in map(Stamp.parse, told) if plausible(stamp))
    return max([wall, *(stamp.ms + 1 for stamp in before)])


def advance(last: Stamp | None, now: int, device: str) -> Stamp:
    """The stamp of the next write: `now` in milliseconds, and above `last` even where the clock stood or
    ran back. A clock beyond `LATEST` stands there."""
    now = min(now, LATEST)
    if last is None or not plausible(last) or now > last.ms:
        return Stamp(now, 0, device)
    if last.counter < _LAST_COUNTER:
        return Stamp(last.ms, last.counter + 1, device)
    return Stamp(last.ms + 1, 0, device)


def receive(last: Stamp | None, seen: Stamp, now: int) -> Stamp | None:
    """What to `advance` from after having seen a stamp.

    A stamp further ahead of `now` than `SKEW` teaches nothing: one broken clock must not drag all others
    along.
    """
    if seen.ms > now + SKEW or (last is not None and last >= seen):
        return last
    return seen


def clamp(stamp: Stamp, now: int) -> Stamp:
    """The stamp itself, or where it lies further ahead of `now` than `SKEW`, its like at that bound."""
    return stamp if stamp.ms <= now + SKEW else stamp._replace(ms=now + SKEW)


def stamp_of(stamps: Stamps, field: str, present: bool) -> str | None:
    """When a field was last written or cleared; None where it never was. Raises KeyError without `*`."""
    entry = stamps.get(field)
    if entry is not None:
        return entry
    return stamps[ALL] if present else None


def normal(fields: Mapping[str, tuple[str, bool]], greatest: str) -> dict[str, str]:
    """`stamps` in normal form, from each written field's stamp and presence, and the document's greatest."""
    entries = {field: stamp for field, (stamp, present) in fields.items() if not present or stamp != greatest}
    return {ALL: greatest, **dict(sorted(entries.items()))}
