"""Filling an empty installation with the demo commune, through the same intake that phones meet."""

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from anyio import to_thread
from sqlalchemy import Connection, insert, select

from server.admission import caller_of
from server.auth import users
from server.auth.grant import COMMUNE, Grant
from server.clock import instant
from server.demo import wording
from server.demo.commune import ADMIN, HOUSEHOLDS, OBSERVER, REVIEWER, VOLUNTEER, Commune, Person
from server.demo.history import History, Sent, history
from server.intake import Intake
from server.parts import Parts
from server.rows import tables
from server.rows.engine import table
from server.words import words
from sync.hooks import Refused
from sync.store.interface import DatabaseExists, Edit

_users, _user_hamlets = table(tables.User), table(tables.UserHamlet)
_devices, _meta = table(tables.Device), table(tables.Meta)

SEED = 2026
FILLED, BEGUN, PASSWORD = "demo.filled", "demo.begun", "demo.password"


@dataclass(frozen=True, slots=True)
class Account:
    """A way into the demo's office."""

    role: str
    login: str
    password: str


def mint_password() -> str:
    """48 bits, easy to type: what the terminal shows."""
    return f"{secrets.token_hex(3)}-{secrets.token_hex(3)}"


async def fill(
    parts: Parts,
    *,
    seed: int = SEED,
    households: int = HOUSEHOLDS,
    mint: Callable[[], str] = mint_password,
) -> None:
    """Make the demo commune, up to now by the parts' clock; at once where it is there already.

    A run that was killed half-way is taken up by the next one: what is made follows from the seed and the
    moment at which the first run began, so that nothing comes twice.
    """
    began = await to_thread.run_sync(_begin, parts, mint)
    if began is None:
        return
    found = await to_thread.run_sync(history, seed, began, households)
    await to_thread.run_sync(_people, parts, found.commune, began)
    for db in _databases(found.commune):
        with suppress(DatabaseExists):
            await parts.store.create(db)
    await _send(parts, found)
    await to_thread.run_sync(_show, parts, found)
    await parts.follower.catch_up()
    await to_thread.run_sync(_note, parts, FILLED, instant(began))


def accounts(rows: Connection) -> list[Account]:
    """One login per role of the office; none before the demo is filled."""
    password = rows.scalar(select(_meta.c.value).where(_meta.c.key == PASSWORD))
    staff = select(_users.c.role, _users.c.login).where(_users.c.id.in_((ADMIN, REVIEWER, OBSERVER)))
    return [Account(row.role, row.login, password) for row in rows.execute(staff) if password]


def _begin(parts: Parts, mint: Callable[[], str]) -> datetime | None:
    """When the first run began; None where one has ended."""
    with parts.rows.begin() as rows:
        asked = select(_meta.c.key, _meta.c.value).where(_meta.c.key.in_((FILLED, BEGUN)))
        said = {row.key: row.value for row in rows.execute(asked)}
        if FILLED in said:
            return None
        if BEGUN not in said:
            said[BEGUN] = instant(parts.clock())
            # Nobody but whoever reads the terminal gets in, even where the demo is put on a public address.
            rows.execute(insert(_meta).values(key=PASSWORD, value=mint()))
            rows.execute(insert(_meta).values(key=BEGUN, value=said[BEGUN]))
            rows.execute(insert(_meta).values(key="commune", value=wording.COMMUNE))
        return datetime.fromisoformat(said[BEGUN])


def _people(parts: Parts, commune: Commune, began: datetime) -> None:
    with parts.rows.begin() as rows:
        if rows.scalar(select(_users.c.id).where(_users.c.id == VOLUNTEER)):
            return
        password = rows.scalar(select(_meta.c.value).where(_meta.c.key == PASSWORD))
        assert password is not None
        rows.execute(insert(_users), [_user_row(person, began) for person in commune.people])
        held = [{"user": one.id, "hamlet": hamlet} for one in commune.people for hamlet in one.hamlets]
        rows.execute(insert(_user_hamlets), held)
        rows.execute(insert(_devices), [_phone(one, began) for one in commune.people if one.role.walks])
        for person in commune.staff:
            users.set_password(rows, person.id, password, by=person.id, now=began)


def _user_row(person: Person, began: datetime) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role.value,
        "login": person.login,
        "created_at": instant(began),
    }


def _phone(person: Person, began: datetime) -> dict[str, object]:
    """A phone whose history is told; its credentials are nobody's."""
    nobody = sha256(secrets.token_bytes(32)).hexdigest()
    return {
        "id": person.phone,
        "user": person.id,
        "name": "Điện thoại mẫu",
        "credential": nobody,
        "send": nobody,
        "created_at": instant(began),
        "first_exchange_at": instant(began),
        "last_seen_at": instant(began),
    }


def _databases(commune: Commune) -> Iterable[str]:
    yield COMMUNE
    for hamlet in commune.hamlets:
        yield hamlet.db
        yield f"media-{hamlet.id}"


ON_ITS_WAY = 2
"""Photographs that still wait for Wi-Fi."""


def _show(parts: Parts, found: History) -> None:
    """The pictures, by the way of those that phones send."""
    for name, picture in list(found.pictures.items())[:-ON_ITS_WAY]:
        if not parts.blobs.has(name):
            parts.blobs.append(name, "demo", 0, picture)
            parts.blobs.finish(name, "demo")


async def _send(parts: Parts, found: History) -> None:
    """Everything through the intake, by a clock that goes along; one write to the store a day."""
    moment = [found.sent[0].at]
    intake = Intake(parts.store, parts.rows, lambda: moment[0], parts.bearer, parts.follower)
    day: dict[str, list[Edit]] = {}
    for one in (*found.sent, None):
        if one is None or one.at != moment[0]:
            await parts.store.graft_all(day)
            for db, edits in day.items():
                await intake.observe(db, {edit.id for edit in edits})
            day = {}
        if one:
            moment[0] = one.at
            day.setdefault(one.db, []).extend(await _admit(intake, one))


async def _admit(intake: Intake, sent: Sent) -> list[Edit]:
    person = sent.person
    device = person.phone if person.role.walks else None
    grant = Grant(person.id, person.name, person.role, frozenset(person.hamlets), device)
    answers = await intake.admit(caller_of(grant, words("vi")), sent.db, sent.edits)
    if refused := [one for one in answers if isinstance(one, Refused)]:
        raise AssertionError(f"the demo breaks a rule: {refused[0].name} {refused[0].id} {refused[0].reason}")
    return [one for one in answers if isinstance(one, Edit)]


def _note(parts: Parts, key: str, value: str) -> None:
    with parts.rows.begin() as rows:
        rows.execute(insert(_meta).values(key=key, value=value))
