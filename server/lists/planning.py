"""From clean rows and what the commune holds to a `Plan`. Pure, and the same for the same input.

How a row is known again, so that a file imported twice changes nothing: within its hamlet, by folded name and
folded place; rows that agree in both are paired with the households that do, in file and walk order, so that
two heads of one name stay two. What is left over is asked: the same name at another place, nearly the same
name or another name at the same place or position, a household that is known to have gone.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from server.lists import hamlets
from server.lists.clean import Clean
from server.lists.plan import (
    NEW,
    Choices,
    Doubt,
    HamletKnown,
    HamletPlanned,
    HouseholdFilled,
    HouseholdKnown,
    HouseholdPlanned,
    Known,
    Question,
)
from server.names import fold

STEP = 10
"""Between neighbours of a fresh list, so that a volunteer can put a household between them."""

NEAR = 3
"""Rows up and down among which a known household shows that a list follows the walk."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """The parts of a plan that come from comparing rows with what is known."""

    hamlets: tuple[HamletPlanned, ...]
    new: tuple[HouseholdPlanned, ...]
    filled: tuple[HouseholdFilled, ...]
    unchanged: int
    questions: tuple[Question, ...]


def plan(rows: Sequence[Clean], known: Known, choices: Choices) -> Sorted:
    """Compare a list with what the commune holds."""
    planned, by_row = _plan_hamlets(rows, known, choices)
    there: dict[str, list[HouseholdKnown]] = defaultdict(list)
    for household in sorted(known.households, key=lambda one: (one.hamlet, one.order, one.id)):
        there[household.hamlet].append(household)
    listed: dict[str, list[Clean]] = defaultdict(list)
    for row, hamlet in zip(rows, by_row, strict=True):
        listed[hamlet].append(row)
    new: list[HouseholdPlanned] = []
    filled: list[HouseholdFilled] = []
    questions: list[Question] = []
    unchanged = 0
    for hamlet, here in listed.items():
        matcher = _Matcher(hamlet, here, there[hamlet], choices)
        matcher.match()
        new += matcher.new()
        filled += matcher.filled()
        questions += matcher.questions
        unchanged += matcher.unchanged
    return Sorted(tuple(planned), tuple(new), tuple(filled), unchanged, tuple(questions))


# ---- Hamlets --------------------------------------------------------------------------------------------


def _plan_hamlets(
    rows: Sequence[Clean], known: Known, choices: Choices
) -> tuple[list[HamletPlanned], list[str]]:
    """Each hamlet that the rows name, and for each row the id of its hamlet."""
    count: dict[str, int] = defaultdict(int)
    for row in rows:
        count[hamlets.tidy(row.hamlet)] += 1
    spellings = _spellings(count)
    chosen = {_same(written): value for written, value in choices.hamlets.items()}
    taken = {hamlet.id for hamlet in known.hamlets}
    made: dict[str, HamletPlanned] = {}
    ids: dict[str, str] = {}
    for main, variants in sorted(spellings.items(), key=lambda item: -sum(count[one] for one in item[1])):
        choice = next((chosen[_same(one)] for one in variants if _same(one) in chosen), None)
        total = sum(count[one] for one in variants)
        one = _plan_hamlet(main, total, choice, known.hamlets, made, taken=taken)
        taken.add(one.id)
        made[main] = one
        ids |= dict.fromkeys(variants, one.id)
    in_order = dict.fromkeys(
        main for written in count for main, found in spellings.items() if written in found
    )
    return [made[main] for main in in_order], [ids[hamlets.tidy(row.hamlet)] for row in rows]


def _same(written: str) -> str:
    return hamlets.tidy(written).casefold()


def _spellings(count: dict[str, int]) -> dict[str, list[str]]:
    """Spellings of one hamlet under the best of them. One without any marks joins the one that has them."""
    exact: dict[str, list[str]] = defaultdict(list)
    bare: dict[str, list[str]] = defaultdict(list)
    for written in count:
        (bare[hamlets.key(written)] if written.isascii() else exact[hamlets.exact(written)]).append(written)
    by_key: dict[str, list[str]] = defaultdict(list)
    for name, found in exact.items():
        by_key[hamlets.key(found[0])].append(name)
    for key, found in bare.items():
        marked = by_key.get(key, [])
        exact[marked[0] if len(marked) == 1 else key] += found
    # "Thôn Nà Lầu" tells more than "NÀ LẦU": marks, then a kind word, then small letters, then frequency.
    return {
        max(
            found,
            key=lambda one: (not one.isascii(), _has_kind(one), not one.isupper(), count[one], one),
        ): found
        for found in exact.values()
    }


def _has_kind(written: str) -> bool:
    return hamlets.named(written)[1] != hamlets.tidy(written)


def _plan_hamlet(
    written: str,
    rows: int,
    choice: str | None,
    known: Sequence[HamletKnown],
    made: dict[str, HamletPlanned],
    *,
    taken: set[str],
) -> HamletPlanned:
    there = {hamlet.id: hamlet for hamlet in known}
    there |= {one.id: HamletKnown(one.id, one.name, one.kind) for one in made.values() if one.new}
    found = there.get(choice) if choice else hamlets.find(written, known)
    if found:
        return HamletPlanned(written, found.id, found.name, found.kind, rows, new=False)
    kind, name = hamlets.named(written)
    like = hamlets.like(written, known) + _slips(written, rows, made)
    return HamletPlanned(
        written,
        hamlets.new_id(name, kind, taken),
        name,
        kind,
        rows,
        new=True,
        like=like,
        undecided=bool(like) and choice != NEW,
    )


def _slips(written: str, rows: int, made: dict[str, HamletPlanned]) -> tuple[HamletKnown, ...]:
    """New hamlets of this very file of which this one, on a row or two, looks like a slip of the hand."""
    mine = hamlets.key(written)
    return tuple(
        HamletKnown(one.id, one.name, one.kind)
        for one in made.values()
        if one.new
        and rows <= 2 < one.rows
        and not any(letter.isdigit() for letter in mine)
        and (hamlets.key(one.name) == mine or hamlets.near(hamlets.key(one.name), mine))
    )


# ---- Households -----------------------------------------------------------------------------------------


def _words(name: str, house: str, lane: str) -> tuple[str, str, str]:
    return fold(name), fold(house), fold(lane)


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


class _Matcher:
    """The rows of one hamlet against its households."""

    def __init__(
        self, hamlet: str, rows: Sequence[Clean], there: Sequence[HouseholdKnown], choices: Choices
    ) -> None:
        self.hamlet = hamlet
        self.rows = rows
        self.choices = choices
        self.there = there
        self.left = {one.id: one for one in there if not one.ended}
        self.keys = [_words(row.name, row.house, row.lane) for row in rows]
        self.questions: list[Question] = []
        self.unchanged = 0
        self.settled: dict[int, HouseholdKnown | None] = {}
        """Rows that are no new household: the one that they are, or None where they repeat a row."""
        self._asked: dict[tuple[str, str, str], int] = defaultdict(int)
        self._apart: set[tuple[int, str]] = set()
        """Rows and households that were asked about: whoever said "another one" is not asked again."""

    def match(self) -> None:
        """Settle every row, surest first."""
        self._exact()
        self._repeated()
        self._gone()
        self._same_name()
        self._same_place()
        self._neighbours()

    def _open(self) -> list[int]:
        return [index for index in range(len(self.rows)) if index not in self.settled]

    def _settle(self, index: int, household: HouseholdKnown | None) -> None:
        self.settled[index] = household
        self.unchanged += not _adds(self.rows[index], household)
        if household:
            self.left.pop(household.id, None)

    def _exact(self) -> None:
        waiting: dict[tuple[str, str, str], list[HouseholdKnown]] = defaultdict(list)
        for one in self.left.values():
            waiting[_words(one.name, one.house, one.lane)].append(one)
        for index, key in enumerate(self.keys):
            if waiting[key]:
                self._settle(index, waiting[key].pop(0))

    def _repeated(self) -> None:
        """The same name and place again: one household written twice where the place says so, else two."""
        first: dict[tuple[str, str, str], int] = {}
        for index, key in enumerate(self.keys):
            if key not in first:
                first[key] = index
            elif index not in self.settled:
                twin = self.rows[first[key]]
                default = "same" if key[1] else "new"
                if self._ask(index, Doubt.TWICE, twin.name, _place(twin.house, twin.lane), default):
                    self._settle(index, None)

    def _gone(self) -> None:
        ended = {_words(one.name, one.house, one.lane): one for one in self.there if one.ended}
        for index in self._open():
            if (one := ended.get(self.keys[index])) and self._ask_known(index, Doubt.GONE, one, "same"):
                self._settle(index, one)

    def _same_name(self) -> None:
        named: dict[str, list[HouseholdKnown]] = defaultdict(list)
        for one in self.left.values():
            named[fold(one.name)].append(one)
        for index in self._open():
            name, house, lane = self.keys[index]
            candidates = [one for one in named[name] if one.id in self.left]
            if not candidates:
                continue
            near = [
                one for one in candidates if _agree(fold(one.house), house) and _agree(fold(one.lane), lane)
            ]
            one = (near or candidates)[0]
            if self._ask_known(index, Doubt.PLACE, one, "same" if near else "new"):
                self._settle(index, one)

    def _same_place(self) -> None:
        """Other names at the same house, or at the same position of the walk. A position alone makes no
        household of another name the same one, and is worth no question where the list goes another way."""
        at_house: dict[tuple[str, str], list[HouseholdKnown]] = defaultdict(list)
        at_order: dict[int, HouseholdKnown] = {}
        for one in self.left.values():
            at_house[(fold(one.house), fold(one.lane))].append(one)
            at_order[one.order] = one
        along = self._along()
        for index in self._open():
            name, house, lane = self.keys[index]
            found = [one for one in at_house[(house, lane)] if one.id in self.left] if house else []
            position = at_order.get((index + 1) * STEP)
            at_place = bool(found)
            if position and position.id in self.left and _agree(fold(position.house), house):
                found.append(position)
            alike = [one for one in found if _alike(fold(one.name), name)]
            if not (alike or at_place or index in along):
                continue
            for one in (alike or found)[:1]:
                default = "same" if alike or at_place else "new"
                if self._ask_known(index, Doubt.SPELLING if alike else Doubt.HEAD, one, default):
                    self._settle(index, one)

    def _along(self) -> set[int]:
        """Rows near which a known household stands in the file where it stands on the walk."""
        known = [index for index, one in self.settled.items() if one and one.order == (index + 1) * STEP]
        return {near for index in known for near in range(index - NEAR, index + NEAR + 1)}

    def _neighbours(self) -> None:
        """Two new rows at one house whose names are a slip apart."""
        seen: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index in self._open():
            name, house, lane = self.keys[index]
            if not house:
                continue
            twin = next((one for one in seen[(house, lane)] if _alike(self.keys[one][0], name)), None)
            seen[(house, lane)].append(index)
            if twin is not None and name != self.keys[twin][0]:
                row = self.rows[twin]
                if self._ask(index, Doubt.SPELLING, row.name, _place(row.house, row.lane), "new"):
                    self._settle(index, None)

    def _ask_known(self, index: int, doubt: Doubt, one: HouseholdKnown, default: str) -> bool:
        if (index, one.id) in self._apart:
            return False
        self._apart.add((index, one.id))
        adds = _adds(self.rows[index], one)
        return self._ask(index, doubt, one.name, _place(one.house, one.lane), default, adds=adds)

    def _ask(
        self, index: int, doubt: Doubt, other: str, other_place: str, default: str, *, adds: bool = False
    ) -> bool:
        """Whether the row is the other household, as people answered or by default."""
        row, key = self.rows[index], self.keys[index]
        self._asked[key] += 1
        text = "\x1f".join((self.hamlet, doubt.value, *key, str(self._asked[key])))
        number = hashlib.sha256(text.encode()).hexdigest()[:12]
        chosen = self.choices.answers.get(number)
        answer = chosen or ("same" if default == "same" else "new")
        place, decided = _place(row.house, row.lane), chosen is not None
        self.questions.append(
            Question(
                number, row.found.where, doubt, row.name, place, other, other_place, answer, decided, adds
            )
        )
        return answer == "same"

    def new(self) -> list[HouseholdPlanned]:
        """The households to be made, each with its place on the walk."""
        orders = self._orders()
        return [
            HouseholdPlanned(row.found.where, self.hamlet, row.name, row.house, row.lane, orders[index])
            for index in self._open()
            for row in (self.rows[index],)
        ]

    def filled(self) -> list[HouseholdFilled]:
        """The households that are there and get what they lack from their row."""
        found = ((self.rows[index], one) for index, one in sorted(self.settled.items()))
        return [
            HouseholdFilled(
                row.found.where, one.id, self.hamlet, one.name, one.house or row.house, one.lane or row.lane
            )
            for row, one in found
            if one is not None and _adds(row, one)
        ]

    def _orders(self) -> dict[int, int]:
        """A fresh hamlet is walked as the list goes. Later lists put a new household behind the one that
        stands before it in the file, and move nobody."""
        if not self.there:
            return {index: (index + 1) * STEP for index in self._open()}
        taken = sorted({one.order for one in self.there})
        orders: dict[int, int] = {}
        behind: int | None = None
        run: list[int] = []
        for index in range(len(self.rows)):
            one = self.settled.get(index)
            if one is not None:
                orders |= _spread(run, behind, one.order, taken)
                behind, run = one.order, []
            elif index not in self.settled:
                run.append(index)
        return orders | _spread(run, behind, None, taken)


def _spread(run: Sequence[int], behind: int | None, before: int | None, taken: list[int]) -> dict[int, int]:
    """Orders for a run of new rows behind one household, before another, or at the end; `taken` is sorted."""
    if not run:
        return {}
    if behind is None:
        place = bisect_left(taken, before) if before is not None else len(taken)
        behind = taken[place - 1] if place else 0
    place = bisect_right(taken, behind)
    upper = taken[place] if place < len(taken) else behind + STEP * (len(run) + 1)
    room = upper - behind
    return {
        index: min(behind + room * number // (len(run) + 1), 999_999)
        for number, index in enumerate(run, start=1)
    }


def _adds(row: Clean, household: HouseholdKnown | None) -> bool:
    """Whether a row says a house number or a lane that the household has none of."""
    if household is None or household.ended:
        return False
    return bool((row.house and not household.house) or (row.lane and not household.lane))


def _alike(one: str, other: str) -> bool:
    return hamlets.near(one, other) or sorted(one.split()) == sorted(other.split())


def _place(house: str, lane: str) -> str:
    return ", ".join(filter(None, (house, lane)))
