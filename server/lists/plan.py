"""What an import would do, decided without doing anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from server.names import fold

NEW = "+"
"""In `Choices.hamlets`: make a new hamlet of that name."""

Progress = Callable[[str, int, int], None]
"""Called with the stage (`read`, `recognise`, `clean`, `plan`, `write`), what is done, and of how much."""


@dataclass(frozen=True, slots=True)
class HamletKnown:
    """A hamlet that the commune has already."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class HouseholdKnown:
    """A household that the commune has already, the ended ones (moved, dissolved …) too."""

    id: str
    hamlet: str
    name: str
    house: str
    lane: str
    order: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the commune holds before the import."""

    hamlets: tuple[HamletKnown, ...] = ()
    households: tuple[HouseholdKnown, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What people decided about this file, and what the office remembers of earlier ones."""

    hamlet: str | None = None
    """Name of the hamlet of a list that names none."""
    hamlets: Mapping[str, str] = field(default_factory=dict)
    """Hamlets as written in the file -> a hamlet's id, or `NEW`."""
    answers: Mapping[str, Literal["same", "new"]] = field(default_factory=dict)
    """Questions' ids -> whether the row is a household that is there already."""
    columns: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Header fingerprints -> columns (from 0) and the roles that people gave them."""
    headless: frozenset[str] = frozenset()
    """Fingerprints of first rows that are households of this file and no headers."""
    leave_bad_rows: bool = False
    """Import the good rows of a file that has bad ones."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the file: the sheet's name, and the row as the spreadsheet program numbers it."""

    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot go in: `reason` is a word key under `lists.bad.`; `shown` is the text at fault."""

    where: Where
    reason: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What was taken off a name (a bracketed remark, a form of address); shown, never stored."""

    where: Where
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not taken: its header, and why, a word key under `lists.left_out.`."""

    sheet: str
    header: str
    why: str


@dataclass(frozen=True, slots=True)
class SheetSeen:
    """How one sheet was understood; `roles` are header texts by role."""

    name: str
    state: Literal["read", "hidden", "empty", "unknown"]
    header_row: int = 0
    roles: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    headers: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    """The first rows beneath, so that a person can say what the columns are."""
    columns: Mapping[int, str] = field(default_factory=dict)
    """The role of each column (from 0) that is taken; empty where the sheet is unknown."""
    headless: bool = False
    """Whether the header is a household itself; of an unknown sheet, whether it looks like one."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows that are no households, by kind: title, section, total, empty, member, footer, repeated."""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HamletPlanned:
    """A hamlet named in the file: the one that it is, or the one that will be made."""

    written: str
    id: str
    name: str
    kind: str
    rows: int
    new: bool
    like: tuple[HamletKnown, ...] = ()
    """Known hamlets of nearly the same name; while nobody chose, the plan waits."""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class HouseholdPlanned:
    """A household that will be made."""

    where: Where
    hamlet: str
    name: str
    house: str
    lane: str
    order: int


@dataclass(frozen=True, slots=True)
class HouseholdFilled:
    """A household that is there and has no house number, or no lane, where the row says one: what it will
    have. A value that it has is never altered by a list."""

    where: Where
    id: str
    hamlet: str
    name: str
    house: str
    lane: str


class Doubt(Enum):
    """Why a row may be a household that is there already."""

    TWICE = "twice"
    """The same name and place stands in this file already."""
    PLACE = "place"
    """The same name is known at another place of the hamlet."""
    SPELLING = "spelling"
    """Nearly the same name stands at the same place or position of the walk."""
    HEAD = "head"
    """Another name stands at the same place or position of the walk: perhaps the household has a new head."""
    GONE = "gone"
    """The same name and place, but the household moved, was dissolved or merged."""


@dataclass(frozen=True, slots=True)
class Question:
    """A row that is nearly another household. `answer` is what will be done, chosen or by default."""

    id: str
    where: Where
    doubt: Doubt
    name: str
    place: str
    other: str
    other_place: str
    answer: Literal["same", "new"]
    chosen: bool
    adds: bool = False
    """Whether the household that is there gets a house number or a lane from the row, if it is the same."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it, plain data: `apply` needs nothing else, and the preview shows nothing else."""

    filename: str
    digest: str
    sheets: tuple[SheetSeen, ...]
    hamlets: tuple[HamletPlanned, ...]
    new: tuple[HouseholdPlanned, ...]
    filled: tuple[HouseholdFilled, ...]
    unchanged: int
    questions: tuple[Question, ...]
    bad: tuple[BadRow, ...]
    notes: tuple[Note, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]
    bad_left: bool = False

    @property
    def blocked(self) -> tuple[str, ...]:
        """Why it cannot be applied yet: word keys under `lists.blocked.`; empty when it can."""
        reasons = []
        if not any(sheet.state == "read" for sheet in self.sheets):
            reasons.append("no_list")
        if self.bad and not self.bad_left:
            reasons.append("bad_rows")
        if any(hamlet.undecided for hamlet in self.hamlets):
            reasons.append("hamlets")
        return tuple(reasons)

    @property
    def taken(self) -> int:
        """Rows that are not added because they are taken for a household that has another name."""
        other_name = (one for one in self.questions if fold(one.name) != fold(one.other))
        return sum(one.answer == "same" for one in other_name)

    @property
    def changes(self) -> bool:
        """Whether applying it would write anything."""
        return bool(self.new or self.filled) or any(hamlet.new for hamlet in self.hamlets)
