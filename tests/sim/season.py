"""A season as data: who is there, and a list of steps that follows from a seed. Pure.

A step says all that it needs, so any part of the list is a season too: that is what lets a failing one be
made short (`tests.sim.shrink`). A step about something that is not there (any more) does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from tests.commune import HAMLETS, HOUSEHOLDS
from tests.sim.proxy import KINDS, Fault

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WALKS: tuple[tuple[str, ...], ...] = (("napo",), ("napo", "khuoilan"), ("napo",), ("khuoilan",))
"""Which hamlets the first, second … volunteer walks; then again from the first."""
ALL = tuple(HAMLETS)
SUBJECTS = ("model", "unit")
"""What is inspected: a model of the whole commune, and a unit of each hamlet."""


class Step(NamedTuple):
    """One thing that happens. `phone` is -1 where none has to do with it; `ms` pass before it."""

    do: str
    phone: int = -1
    ms: int = MINUTE
    args: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Season:
    """Phones by number (each with its volunteer), and what happens to them."""

    seed: int
    phones: tuple[int, ...]
    steps: tuple[Step, ...]


def walks(volunteer: int) -> tuple[str, ...]:
    """The hamlets of a volunteer."""
    return WALKS[volunteer % len(WALKS)]


def generate(seed: int, length: int | None = None) -> Season:
    """The season of a seed."""
    random = Random(seed)
    count = random.choices((random.randint(3, 5), random.randint(6, 10), random.randint(11, 30)), (14, 5, 1))[
        0
    ]
    # now and then one person has two phones
    phones = tuple(number if random.random() < 0.85 else random.randrange(count) for number in range(count))
    maker = _Maker(random, phones)
    for phone in range(count):
        maker.add("join", phone)
    for _ in range(length or random.randint(30, 60) + 2 * count):
        maker.step()
    steps = maker.steps
    for phone in range(1, count):  # some join while the season runs, mostly after a backup
        if random.random() < 0.4:
            steps.remove(next(step for step in steps if step.do == "join" and step.phone == phone))
            backups = [place for place in range(count, len(steps)) if steps[place].do == "backup"]
            after = (
                random.choice(backups) + random.randint(1, 5)
                if backups
                else random.randrange(count, len(steps))
            )
            steps.insert(after, Step("join", phone))
    if random.random() < 0.2:  # for a while there are two servers
        begin = random.randrange(count, len(steps))
        end = min(len(steps), begin + random.randint(6, 20))
        steps.insert(end, Step("meet"))
        steps.insert(begin, Step("part", args={"phones": random.sample(range(count), count // 2)}))
    return Season(seed, phones, tuple(steps))


ATTACKS = ("author", "stamp", "renamed", "act", "sealed", "flood")
# What happens, how often in relation to each other.
PHONE: Mapping[str, int] = {
    "visit": 10, "sign": 14, "edit": 14, "add": 5, "void": 4, "meeting": 2, "open": 5, "save": 6,
    "sync": 34, "together": 14, "hand_in": 3, "kill_app": 3, "bundle": 4, "carry": 4, "take": 3,
    "receipts": 2, "phone_clock": 3, "lose": 1, "rejoin": 1, "inspect": 6,
    "newer": 2, "attack": 3,
}  # fmt: skip
SERVER: Mapping[str, int] = {
    "kill_server": 3, "stop_server": 1, "backup": 3, "restore": 3, "confirm": 2, "server_clock": 2,
    "replay": 2, "revoke": 1, "keep": 1, "put_back": 3, "by_hand": 1,
}  # fmt: skip
OFFICE: Mapping[str, int] = {
    "review": 4, "correct": 4, "withdraw": 1, "bring_back": 3, "merge": 3, "erase": 1,
    "release": 3, "discard": 1, "move": 2, "choose": 3, "erase_photo": 2,
    "split": 2, "reunite": 2, "unmerge": 2,
}  # fmt: skip
REST: Mapping[str, int] = {"quiet": 2}
WEIGHTS: Mapping[str, int] = {**PHONE, **SERVER, **OFFICE, **REST}


@dataclass(slots=True)
class _Maker:
    random: Random
    phones: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)
    forms: list[tuple[int, str]] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)
    merged: list[dict[str, Any]] = field(default_factory=list)
    founded: int = 0

    def add(self, do: str, phone: int = -1, ms: int | None = None, **args: Any) -> None:
        self.steps.append(Step(do, phone, self._ms() if ms is None else ms, args))

    def step(self) -> None:
        do = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        phone = self.random.randrange(len(self.phones)) if do in PHONE or do == "revoke" else -1
        make = getattr(self, f"_{do}", None)
        if make:
            make(phone)
        else:
            self.add(do, phone)

    # --- by hand ---

    def _visit(self, phone: int) -> None:
        result = self.random.choice(("met", "nobody_home", "come_back"))
        self.add("visit", phone, **self._household(phone), result=result, **self._death())

    def _sign(self, phone: int) -> None:
        method = self.random.choice(("touch", "touch", "paper_signed"))
        strokes = [[self.random.randrange(1000) for _ in range(8)] for _ in range(2)]
        drawn: dict[str, Any] = {"strokes": strokes} if method == "touch" else {}
        self.add("sign", phone, **self._household(phone), method=method, signer=f"Nông {self._mark()}",
                 **drawn, **self._death())  # fmt: skip

    def _edit(self, phone: int) -> None:
        self.add("edit", phone, **self._household(phone), change=self._change(), **self._death())

    def _add(self, phone: int) -> None:
        label = f"new{len(self.steps)}"
        hamlet = self.random.choice(walks(self.phones[phone]))
        self.added.append((hamlet, label))
        self.add("add", phone, hamlet=hamlet, household=label, name=f"Lý {self._mark()}", **self._death())

    def _void(self, phone: int) -> None:
        self.add("void", phone, **self._household(phone))

    def _meeting(self, phone: int) -> None:
        hamlet = self.random.choice(walks(self.phones[phone]))
        chosen = self.random.sample(range(HOUSEHOLDS), 4)
        self.add("meeting", phone, hamlet=hamlet, households=[str(one) for one in chosen],
                 signer=f"Bế {self._mark()}", **self._death())  # fmt: skip

    def _inspect(self, phone: int) -> None:
        """Often two answer the same questions at once, and the office chooses, sooner or later or never."""
        held = [one for one in self._inspections() if one[0] in walks(self.phones[phone])]
        hamlet, key = self.random.choice(held)
        others = [n for n, who in enumerate(self.phones) if hamlet in walks(who) and n != phone]
        inspectors = [phone]
        if others and self.random.random() < 0.5:
            inspectors.append(self.random.choice(others))
        for one in inspectors:
            taken = self.random.choices((0, 1, 2), (4, 4, 1))[0]
            photos = [1000 * len(self.steps) + number for number in range(taken)]
            self.add("inspect", one, hamlet=hamlet, inspection=key, subject=self.random.choice(SUBJECTS),
                     count=len(self.steps), photos=photos, drops=self.random.random() < 0.1,
                     **self._death())  # fmt: skip
        for one in inspectors[1:] and inspectors:
            self._sync(one)
        if len(inspectors) > 1 and self.random.random() < 0.5:
            self.add("choose", hamlet=hamlet, inspection=key, take=self.random.randrange(4))
        elif self.random.random() < 0.15:
            self._sync(phone)
            self.add("erase_photo", hamlet=hamlet, inspection=key)

    def _attack(self, phone: int) -> None:
        kind = self.random.choice(ATTACKS)
        self.add("attack", phone, **self._household(phone), kind=kind, mark=self._mark())

    def _newer(self, phone: int) -> None:
        self.add("newer", phone, **self._household(phone), name=f"Đinh {self._mark()}", **self._death())

    def _open(self, phone: int) -> None:
        label = f"form{len(self.steps)}"
        self.forms.append((phone, label))
        self.add("open", phone, form=label, **self._household(phone))

    def _save(self, _: int) -> None:
        if self.forms:
            phone, label = self.forms.pop(self.random.randrange(len(self.forms)))
            what = self.random.choice(("visit", "edit"))
            self.add("save", phone, form=label, what=what, change=self._change(), **self._death())

    def _sync(self, phone: int) -> None:
        plain: dict[str, Any] = {"plain": True} if self.random.random() < 0.06 else {}
        weak: dict[str, Any] = {"weak": True} if self.random.random() < 0.2 else {}
        self.add("sync", phone, faults=self._faults(0.45), **plain, **weak, **self._death(0.1))

    def _together(self, phone: int) -> None:
        others = self.random.sample(range(len(self.phones)), min(len(self.phones), self.random.randint(2, 5)))
        chosen = sorted({phone, *others})
        self.add("together", phones=chosen, faults=[self._faults(0.3) for _ in chosen])

    def _hand_in(self, phone: int) -> None:
        self.add("hand_in", phone, faults=self._faults(0.3))

    def _bundle(self, phone: int) -> None:
        self.bundles.append(f"bundle{len(self.steps)}")
        codes = len(self.steps) % 2 == 1
        self.add("bundle", phone, bundle=self.bundles[-1], said=self.random.random() < 0.5, codes=codes)

    def _carry(self, phone: int) -> None:
        if self.bundles:
            how = self.random.choice(("whole", "half", "twice", "reversed", "torn"))
            self.add("carry", phone, bundle=self.random.choice(self.bundles), how=how)

    def _take(self, phone: int) -> None:
        if self.bundles:
            how = self.random.choice(("whole", "half", "twice", "reversed", "torn"))
            self.add("take", phone, bundle=self.random.choice(self.bundles), how=how, **self._death())

    def _receipts(self, phone: int) -> None:
        codes = len(self.steps) % 2 == 1
        self.add("receipts", phone, to=self.random.randrange(len(self.phones)), codes=codes)

    def _phone_clock(self, phone: int) -> None:
        wrong = self.random.choice((0, HOUR, -HOUR, 30 * DAY, -30 * DAY, 400 * DAY, -3 * 365 * DAY, 20_000))
        self.add("phone_clock", phone, wrong=wrong)

    def _server_clock(self, _: int) -> None:
        self.add("server_clock", wrong=self.random.choice((0, 0, -7 * HOUR, 2 * HOUR, -6 * 365 * DAY)))

    def _restore(self, _: int) -> None:
        """What becomes of phones that joined after the backup: at once, later, or by nobody helped."""
        self.add("restore", unknown=self.random.choices(("rejoin", "wait", "wipe"), (5, 4, 1))[0])

    def _put_back(self, _: int) -> None:
        if any(step.do == "keep" for step in self.steps):
            unknown = self.random.choices(("rejoin", "wait", "wipe"), (5, 4, 1))[0]
            self.add("put_back", unsaid=self.random.random() < 0.5, unknown=unknown)
        else:
            self.add("keep")

    def _rejoin(self, phone: int) -> None:
        self.add("rejoin", phone, **self._death(0.2))

    # --- at the office ---

    def _review(self, _: int) -> None:
        self.add("review", **self._any(), kind=self.random.choice(("household", "pledge")),
                 decision=self.random.choice(("approved", "returned")))  # fmt: skip

    def _correct(self, _: int) -> None:
        self.add("correct", **self._any(), name=f"Hứa {self._mark()}")

    def _withdraw(self, _: int) -> None:
        self.add("withdraw", **self._any())

    def _bring_back(self, _: int) -> None:
        self.add("bring_back", **self._any())

    def _merge(self, _: int) -> None:
        gone = self._any()
        kept = [key for hamlet, key in self._keys() if hamlet == gone["hamlet"] and key != gone["household"]]
        self.merged.append(gone)
        self.add("merge", **gone, keep=self.random.choice(kept))

    def _unmerge(self, _: int) -> None:
        if self.merged:
            self.add("unmerge", **self.random.choice(self.merged))

    def _erase(self, _: int) -> None:
        self.add("erase", **self._any())

    def _move(self, _: int) -> None:
        source, into = self.random.sample(ALL, 2)
        whole = self.random.random() < 0.3
        keys = [key for hamlet, key in self._keys() if hamlet == source]
        chosen = [] if whole else self.random.sample(keys, min(len(keys), self.random.randint(1, 2)))
        self.add("move", hamlet=source, into=into, households=chosen)

    def _split(self, _: int) -> None:
        """A hamlet is founded, and some who live there go to it; whoever walks it gets both, or does not."""
        hamlet = self.random.choice(ALL)
        keys = [key for of, key in self._keys() if of == hamlet]
        chosen = self.random.sample(keys, min(len(keys), self.random.randint(1, 3)))
        self.founded += 1
        people = self.random.random() < 0.7
        self.add("split", hamlet=hamlet, households=chosen, name=f"Thôn Mới {len(self.steps)}", people=people)

    def _reunite(self, _: int) -> None:
        if self.founded:
            self.add("reunite", into=self.random.choice(ALL), number=self.random.randrange(self.founded))

    def _choose(self, _: int) -> None:
        hamlet, key = self.random.choice(self._inspections())
        self.add("choose", hamlet=hamlet, inspection=key, take=self.random.randrange(4))

    def _erase_photo(self, _: int) -> None:
        hamlet, key = self.random.choice(self._inspections())
        self.add("erase_photo", hamlet=hamlet, inspection=key)

    # --- what they share ---

    def _ms(self) -> int:
        return self.random.choices(
            (
                self.random.randint(1, 30) * MINUTE,
                self.random.randint(1, 20) * HOUR,
                self.random.randint(1, 9) * DAY,
            ),
            (30, 8, 1),
        )[0]

    def _household(self, phone: int) -> dict[str, Any]:
        held = walks(self.phones[phone])
        hamlet, key = self.random.choice([(h, k) for h, k in self._keys() if h in held])
        return {"hamlet": hamlet, "household": key}

    def _any(self) -> dict[str, Any]:
        hamlet, key = self.random.choice(self._keys())
        return {"hamlet": hamlet, "household": key}

    def _keys(self) -> list[tuple[str, str]]:
        """Few households, so that people meet at them."""
        return [
            ("napo", "0"),
            ("napo", "1"),
            ("napo", "2"),
            ("khuoilan", "0"),
            ("khuoilan", "1"),
            *self.added[-6:],
        ]

    def _inspections(self) -> list[tuple[str, str]]:
        return [("napo", "0"), ("khuoilan", "0")]

    def _change(self) -> dict[str, Any]:
        match self.random.choice(("name", "name", "place", "order", "status")):
            case "name":
                return {"name": f"Vi Văn {self._mark()}"}
            case "place":
                return {"place": {"house": f"{len(self.steps)}", "lane": f"Ngõ {self._mark()}"}}
            case "order":
                return {"order": 1000 + len(self.steps)}
        status = self.random.choice(("resident", "seasonal_away", "long_absent", "dissolved"))
        return {"status": {"is": status, "since": f"2026-02-{1 + len(self.steps) % 28:02d}"}}

    def _mark(self) -> str:
        return f"S{len(self.steps)}X"

    def _death(self, chance: float = 0.04) -> dict[str, Any]:
        """Now and then the app dies over it, or the phone has no room for it."""
        if self.random.random() < chance:
            return {"moment": self.random.randint(1, 25)}
        if self.random.random() < 0.03:
            return {"full": self.random.randint(1, 3)}
        return {}

    def _faults(self, chance: float) -> list[Fault]:
        faults: list[Fault] = []
        while self.random.random() < chance:
            faults.append(Fault(self.random.choice(KINDS), round(self.random.random(), 3)))
        return faults
