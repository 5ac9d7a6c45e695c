"""Hamlets merge and split, households move: what staff ask for at a page or a command line.

The functions to call: `merge` (one hamlet becomes part of another) and `move` (chosen households and units go
to another hamlet, or come back). Both say what they did, and may be repeated: what is done already counts for
nothing. A merge that is cut short is finished by the follower: the hamlet's document says all that it takes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from anyio import to_thread
from sqlalchemy import Connection, func, or_, select

from server import audit, moving
from server.admission import asking_of
from server.auth import users
from server.auth.grant import COMMUNE
from server.lists.hamlets import named, new_id
from server.lists.planning import STEP
from server.moving import NoMove
from server.parts import Parts
from server.rows import registers, tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from server.scribe import Change, NotTaken
from server.strokes import drawn
from server.whereabouts import end_of, merges
from server.words import local_day
from sync.hooks import Caller
from sync.merge import CLEARED

_hamlets, _households = table(tables.HamletRow), table(tables.HouseholdRow)
_acts, _archive, _held = table(tables.ActRow), table(tables.Archive), table(tables.UserHamlet)
_moved, _inspections = table(tables.MovedRow), table(registers.InspectionRow)
_models, _bulletins = table(registers.ModelRow), table(registers.BulletinRow)

ROWS = {
    "household": _households,
    "unit": table(registers.UnitRow),
    "pledge": table(tables.PledgeRow),
    "inspection": _inspections,
    "outreach": table(registers.OutreachRow),
    "review": table(registers.ReviewRow),
}
"""What is counted before it moves, by the type of its documents."""

FURTHEST = 999_999
"""The last place that a walk can have (`schemas/household.json`)."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What goes with households and units, ids of the hamlet's documents; others name `shared` as well."""

    ids: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What was moved, by type, and who holds the new hamlet because of it."""

    documents: Counter[str] = field(default_factory=Counter)
    people: frozenset[str] = frozenset()


async def add(parts: Parts, caller: Caller, written: str) -> str:
    """A new hamlet behind the others, by its name with its kind ("Thôn Nà Sầm"); its id.

    Raises `NotTaken`, `StoreFull`.
    """
    await parts.follower.catch_up([COMMUNE])
    taken = await to_thread.run_sync(_taken, parts)
    kind, name = named(written)
    made = new_id(name, kind, taken)
    fields = {"name": name, "kind": kind, "order": len(taken) + 1, "state": "active"}
    await parts.scribe.write(caller, {COMMUNE: [Change(f"hamlet:{made}", fields)]})
    await to_thread.run_sync(_note, parts, asking_of(caller).grant.user, "hamlet.added", made)
    return made


async def merge(parts: Parts, caller: Caller, source: str, into: str) -> Done:
    """Let the hamlet `source` become part of `into`, with all that it has and the people who walk it. Its
    households come behind those of `into` on the walk, in the order that they had.

    Raises `NoMove`, `NotTaken`, `StoreFull`.
    """
    await parts.follower.catch_up()
    await to_thread.run_sync(_check, parts, source, into)
    by, today = asking_of(caller).grant.user, local_day(parts.clock()).isoformat()
    fields = {"state": "merged", "merged": {"into": into, "since": today}}
    named = await to_thread.run_sync(_named, parts, source, into)
    if behind := await to_thread.run_sync(_behind, parts, source, into):
        with suppress(
            NotTaken
        ):  # one of a newer program cannot be written; no merge waits for the order of a walk
            await parts.scribe.write(caller, {f"hamlet-{source}": behind})
    await parts.scribe.write(caller, {COMMUNE: [*named, Change(f"hamlet:{source}", fields)]})
    people = await to_thread.run_sync(_hand_over, parts, by, source, into)
    done = await parts.mover.move(source, into, by=by)
    await parts.follower.catch_up()
    return Done(done, people)


async def move(
    parts: Parts, caller: Caller, source: str, into: str, subjects: Collection[str], *, people: bool = True
) -> Done:
    """Move households and units (`household:<ulid>`, `unit:<ulid>`) with all that is said of them.

    A hamlet `into` that had been merged away stands again. With `people`, whoever holds `source` holds `into`
    as well. Raises `NoMove`, `NotTaken`, `StoreFull`.
    """
    await parts.follower.catch_up()
    revived = await to_thread.run_sync(_check, parts, source, into, True)
    by = asking_of(caller).grant.user
    if revived:
        fields = {"state": "active", "merged": CLEARED}
        await parts.scribe.write(caller, {COMMUNE: [Change(f"hamlet:{into}", fields)]})
    going = await to_thread.run_sync(_belongings, parts, source, subjects)
    done = await parts.mover.move(source, into, going.ids, by, shared=going.shared)
    held = await to_thread.run_sync(partial(_share, parts, by, source, into)) if people else frozenset()
    await to_thread.run_sync(_note_moved, parts, by, subjects, f"hamlet-{source}", f"hamlet-{into}")
    await parts.follower.catch_up()
    return Done(done, held)


# ---- what goes with what --------------------------------------------------------------------------------


def came(connection: Connection, source: str, into: str) -> set[str]:
    """The documents of `source` that had come from `into`, and are in `source` still."""
    away = (_moved.c.db == f"hamlet-{into}", _moved.c.target == f"hamlet-{source}")
    return set(connection.execute(select(_moved.c.id).where(*away)).scalars())


def all_of(connection: Connection, hamlet: str, subjects: Collection[str]) -> Belongings:
    """What moves where these are moved: households and units with all that is theirs, others as they are."""
    going = belongings(connection, hamlet, [one for one in subjects if _is_subject(one)])
    others = frozenset(one for one in subjects if not _is_subject(one))
    return Belongings(going.ids | others, going.shared)


def belongings(connection: Connection, hamlet: str, subjects: Collection[str]) -> Belongings:
    """What goes with these households and units: households merged into them, pledges, strokes, reviews,
    inspections and what was ever said of them here, deleted or waiting."""
    db = f"hamlet-{hamlet}"
    subjects = {*subjects, *_aliases(connection, db, subjects)}
    ids, strokes, others = set(subjects), set[str](), set[str]()
    for some in chunks(sorted(subjects)):
        about = (_inspections.c.db == db, _inspections.c.subject.in_(some))
        ids |= set(connection.execute(select(_inspections.c.id).where(*about)).scalars())
    for kind in ("pledge:%", "review:%"):
        asked = select(_archive.c.id).where(_archive.c.db == db, _archive.c.id.like(kind)).distinct()
        found = connection.execute(asked).scalars()
        ids |= {one for one in found if not ids.isdisjoint(moving.anchors(one))}
    for some in chunks(sorted(one for one in ids if one.startswith("pledge:"))):
        said = select(_archive.c.body).where(_archive.c.db == db, _archive.c.id.in_(some))
        bodies = connection.execute(said).scalars()
        strokes |= {f"signature:{one.strokes}" for raw in bodies for one in drawn(raw)}
    for some in chunks(sorted(strokes)):
        named = [one.removeprefix("signature:") for one in some]
        asked = select(_acts.c.doc_id, _acts.c.signature).where(
            _acts.c.db == db, _acts.c.signature.in_(named)
        )
        others |= {f"signature:{row.signature}" for row in connection.execute(asked) if row.doc_id not in ids}
    return Belongings(frozenset(ids | strokes), frozenset(others & strokes))


def _aliases(connection: Connection, db: str, subjects: Iterable[str]) -> set[str]:
    """Households that were merged into these, and those into which these were merged."""
    found: set[str] = set()
    ahead = {one.partition(":")[2] for one in subjects}
    while ahead:
        found |= ahead
        near = or_(_households.c.into.in_(ahead), _households.c.ulid.in_(ahead))
        rows = connection.execute(
            select(_households.c.ulid, _households.c.into).where(_households.c.db == db, near)
        )
        ahead = {one for row in rows for one in (row.ulid, row.into) if one} - found
    return {f"household:{one}" for one in found}


# ---- in threads -----------------------------------------------------------------------------------------


def _taken(parts: Parts) -> set[str]:
    with readers(parts.rows).begin() as connection:
        return set(connection.execute(select(_hamlets.c.hamlet)).scalars())


def _note(parts: Parts, by: str, action: str, subject: str) -> None:
    with writing(parts.rows) as connection:
        audit.append(connection, by, action, subject, parts.clock())


def _check(parts: Parts, source: str, into: str, may_stand_again: bool = False) -> bool:
    """Whether `into` must be made to stand again first. Raises `NoMove`."""
    with readers(parts.rows).begin() as connection:
        asked = select(_hamlets.c.hamlet, _hamlets.c.state)
        states = {row.hamlet: row.state for row in connection.execute(asked)}
        merged = merges(connection)
    if source == into or not {source, into} <= states.keys():
        raise NoMove
    if states[into] == "active":
        done = end_of(merged, source) == into
        if states[source] != "active" and not done:
            raise NoMove
        return False
    if may_stand_again and states[source] == "active":
        return True
    raise NoMove


def _named(parts: Parts, source: str, into: str) -> list[Change]:
    """Models and bulletins that say where they are, or for whom: the merged hamlet is the other one now."""
    with readers(parts.rows).begin() as connection:
        found = [
            row
            for said in (_models, _bulletins)
            for row in connection.execute(select(said.c.id, said.c.hamlets)).all()
        ]
    renamed = (
        (row.id, {into if one == source else one for one in row.hamlets}, row.hamlets) for row in found
    )
    return [Change(doc_id, {"hamlets": sorted(new)}) for doc_id, new, old in renamed if source in old]


def _behind(parts: Parts, source: str, into: str) -> list[Change]:
    """The places on the walk that `source`'s households take, as one block; none where they have them.

    Written before they move: a merge that is cut and done again finds them moved, or behind.
    """
    walk = select(_households.c.id, _households.c.walk)
    with readers(parts.rows).begin() as connection:
        there = connection.execute(walk.where(_households.c.db == f"hamlet-{into}")).all()
        coming = connection.execute(walk.where(_households.c.db == f"hamlet-{source}")).all()
    last, first = max((row.walk for row in there), default=-1), min((row.walk for row in coming), default=0)
    further = last - first + STEP if first <= last else 0
    return [Change(row.id, {"order": min(row.walk + further, FURTHEST)}) for row in coming if further]


def _belongings(parts: Parts, source: str, subjects: Collection[str]) -> Belongings:
    with readers(parts.rows).begin() as connection:
        return all_of(connection, source, subjects)


def _is_subject(doc_id: str) -> bool:
    return doc_id.startswith(("household:", "unit:"))


def _hand_over(parts: Parts, by: str, source: str, into: str) -> frozenset[str]:
    """Whoever holds `source` holds `into` from now on."""
    with writing(parts.rows) as connection:
        held = _give(connection, parts, by, source, lambda theirs: theirs - {source} | {into})
        said = " ".join([source, into, *_holdings(connection, f"hamlet-{source}")])
        audit.append(connection, by, "hamlet.merged", said, parts.clock())
    return held


def _holdings(connection: Connection, db: str) -> Iterator[str]:
    """How much of what is still in a database: "household=60"."""
    for kind, rows in ROWS.items():
        asked = select(func.count()).select_from(rows).where(rows.c.db == db)
        if count := connection.execute(asked).scalar_one():
            yield f"{kind}={count}"


def _share(parts: Parts, by: str, source: str, into: str) -> frozenset[str]:
    """Whoever holds `source` holds `into` as well."""
    with writing(parts.rows) as connection:
        return _give(connection, parts, by, source, lambda theirs: theirs | {into})


Hamlets = Callable[[frozenset[str]], frozenset[str]]


def _give(connection: Connection, parts: Parts, by: str, source: str, change: Hamlets) -> frozenset[str]:
    held = connection.execute(select(_held.c.user).where(_held.c.hamlet == source)).scalars().all()
    for user in sorted(held):
        theirs = change(users.hamlets_of(connection, user))
        users.give_hamlets(connection, user, theirs, by=by, now=parts.clock())
    return frozenset(held)


def _note_moved(parts: Parts, by: str, subjects: Collection[str], source: str, target: str) -> None:
    """An entry for each household and unit: where it was, and when, can be told for good."""
    with writing(parts.rows) as connection:
        for subject in sorted(filter(_is_subject, subjects)):
            audit.append(connection, by, "household.moved", f"{source}/{subject} {target}", parts.clock())
