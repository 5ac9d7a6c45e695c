"""The demo commune before anybody has called: its hamlets, people and households. Pure."""

from dataclasses import dataclass
from random import Random

from server.auth.grant import Role
from server.demo import names
from server.lists import hamlets
from server.ulids import text

HOUSEHOLDS = 2_400
ADMIN, REVIEWER, OBSERVER = "demoadmin", "demoreview", "demoobserve"
VOLUNTEER = "volunteer01"
"""The one whose join link is printed."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the demo."""

    id: str
    name: str
    role: Role
    login: str | None = None
    hamlets: tuple[str, ...] = ()

    @property
    def phone(self) -> str:
        """The device in this person's stamps."""
        return f"phone{self.id}"[:16]


@dataclass(frozen=True, slots=True)
class Home:
    """A household as the import brought it; `willing` is how likely it has signed by today."""

    id: str
    name: str
    house: str
    lane: str
    order: int
    status: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A hamlet, the people who walk it, and how far they have come."""

    id: str
    name: str
    order: int
    homes: tuple[Home, ...]
    walkers: tuple[Person, ...]
    coverage: float
    """Share of its households that will have signed."""
    meeting_week: int | None
    """The week of a hamlet meeting at which many signed on paper."""

    @property
    def db(self) -> str:
        """The database of its documents."""
        return f"hamlet-{self.id}"


@dataclass(frozen=True, slots=True)
class Commune:
    """All of it."""

    staff: tuple[Person, ...]
    hamlets: tuple[Hamlet, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody with an account, each once."""
        walkers = {person.id: person for hamlet in self.hamlets for person in hamlet.walkers}
        return (*self.staff, *walkers.values())


def commune(random: Random, ids: "Ids", households: int = HOUSEHOLDS) -> Commune:
    """17 hamlets of different sizes; one in three has house numbers, the others small lanes."""
    staff = (
        Person(ADMIN, names.person(random, names.KINH), Role.ADMIN, "quantri"),
        Person(REVIEWER, names.person(random, names.TAY), Role.REVIEWER, "xetduyet"),
        Person(OBSERVER, names.person(random, names.NUNG), Role.OBSERVER, "giamsat"),
    )
    sizes = _sizes(random, households)
    taken: set[str] = set()
    keys = []
    for name in names.HAMLETS:
        keys.append(hamlets.new_id(name, "thôn", taken))
        taken.add(keys[-1])
    pools = [names.families(random) for _ in keys]
    walkers = _walkers(random, keys, pools)
    made = tuple(
        Hamlet(
            key,
            names.HAMLETS[place],
            place + 1,
            tuple(_homes(random, ids, sizes[place], pools[place], numbered=place % 3 == 0)),
            walkers[key],
            random.choice((0.34, 0.52, 0.61, 0.68, 0.74, 0.79, 0.83, 0.87, 0.92, 0.94, 0.97)),
            random.randint(1, 4) if random.random() < 0.4 else None,
        )
        for place, key in enumerate(keys)
    )
    return Commune(staff, made)


class Ids:
    """Household ids of one moment, counted on."""

    def __init__(self, first: int) -> None:
        self._next = first

    def __call__(self) -> str:
        """The next one."""
        self._next += 1
        return text(self._next)


def _sizes(random: Random, households: int) -> list[int]:
    weights = [random.uniform(0.45, 1.7) for _ in names.HAMLETS]
    sizes = [max(1, round(households * weight / sum(weights))) for weight in weights]
    sizes[0] += households - sum(sizes)
    return sizes


def _walkers(random: Random, keys: list[str], pools: list[tuple[str, ...]]) -> dict[str, tuple[Person, ...]]:
    """A head for each hamlet, and a volunteer for each two hamlets that lie beside one another."""
    found: dict[str, tuple[Person, ...]] = {}
    volunteers: dict[str, Person] = {}
    for place in range(0, len(keys), 2):
        both = tuple(keys[place : place + 2])
        person = Person(
            f"volunteer{place // 2 + 1:02d}",
            names.person(random, pools[place], women=0.6),
            Role.VOLUNTEER,
            hamlets=both,
        )
        volunteers |= dict.fromkeys(both, person)
    for place, key in enumerate(keys):
        head = Person(
            f"head{place + 1:02d}", names.person(random, pools[place]), Role.HAMLET_HEAD, hamlets=(key,)
        )
        found[key] = (volunteers[key], head)
    return found


def _homes(random: Random, ids: Ids, size: int, pool: tuple[str, ...], *, numbered: bool) -> list[Home]:
    lanes = random.sample(names.LANES, 3)
    return [
        Home(
            ids(),
            names.person(random, pool),
            str(place + 1) if numbered else "",
            "" if numbered else lanes[place * 3 // size],
            (place + 1) * 10,
            random.choices(("resident", "seasonal_away", "long_absent", "moved"), (955, 22, 15, 8))[0],
            pool,
        )
        for place in range(size)
    ]
