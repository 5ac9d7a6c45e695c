"""People with an account: who they are, what they do here, which hamlets are theirs, their passwords."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Row, delete, insert, select, update

from server import audit, ledger
from server.auth import tokens
from server.auth.errors import PasswordTooShort, PersonExists, PersonUnknown, SignInRefused
from server.auth.grant import Role
from server.clock import instant
from server.rows import tables
from server.rows.engine import table

_users, _hamlets = table(tables.User), table(tables.UserHamlet)
_hamlet_row = table(tables.HamletRow)
_devices, _sessions = table(tables.Device), table(tables.OfficeSession)

LEAST_PASSWORD = 12  # OWASP ASVS 5.0, 6.2.1 asks for 8 and strongly recommends 15; nobody here has a token
LONGEST_PASSWORD = 256

# Argon2id with OWASP's parameters for a small machine: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class Person:
    """An account. `hamlets` are those given to a person of the field; staff hold all of them anyway."""

    id: str
    name: str
    role: Role
    login: str | None
    hamlets: frozenset[str]
    created_at: str
    disabled_at: str | None
    has_password: bool
    has_second_factor: bool

    @property
    def active(self) -> bool:
        """Not revoked."""
        return self.disabled_at is None


def add(
    connection: Connection,
    name: str,
    role: Role,
    *,
    by: str,
    now: datetime,
    login: str | None = None,
    hamlets: Collection[str] = (),
    person: str | None = None,
) -> Person:
    """A new person, without a password as yet, under a new id or the given one.

    Raises `PersonExists` for a login name that is taken.
    """
    login = login and normal_login(login)
    if login and connection.execute(select(_users.c.id).where(_users.c.login == login)).first():
        raise PersonExists
    person = person or tokens.mint_id(8)
    connection.execute(
        insert(_users).values(
            id=person, name=tidy(name), role=role.value, login=login, created_at=instant(now)
        )
    )
    audit.append(connection, by, "user.added", person, now)
    give_hamlets(connection, person, hamlets, by=by, now=now)
    return find(connection, person)


def find(connection: Connection, who: str) -> Person:
    """A person by id or by login name. Raises `PersonUnknown`."""
    found = connection.execute(
        select(_users).where((_users.c.id == who) | (_users.c.login == normal_login(who)))
    ).one_or_none()
    if found is None:
        raise PersonUnknown
    return _person(found, hamlets_of(connection, found.id))


def everyone(connection: Connection) -> list[Person]:
    """All people, revoked ones too, in the order in which they came."""
    given: dict[str, set[str]] = {}
    for user, hamlet in connection.execute(select(_hamlets.c.user, _hamlets.c.hamlet)):
        given.setdefault(user, set()).add(hamlet)
    found = connection.execute(select(_users).order_by(_users.c.created_at, _users.c.id))
    return [_person(row, frozenset(given.get(row.id, ()))) for row in found]


def hamlets_of(connection: Connection, user: str) -> frozenset[str]:
    """The hamlets that were given to a person."""
    return frozenset(connection.scalars(select(_hamlets.c.hamlet).where(_hamlets.c.user == user)))


def reach(connection: Connection, user: str, role: Role) -> frozenset[str]:
    """The hamlets that a person's grant names: one's own, or for staff all that there are."""
    if role.staff:
        return frozenset(connection.scalars(select(_hamlet_row.c.hamlet)))
    return hamlets_of(connection, user) if role.walks else frozenset()


def give_hamlets(
    connection: Connection, user: str, hamlets: Collection[str], *, by: str, now: datetime
) -> None:
    """From now on these hamlets are the person's, and no others."""
    if hamlets_of(connection, user) == frozenset(hamlets):
        return
    audit.append(connection, by, "user.hamlets", " ".join([user, *sorted(set(hamlets))]), now)
    connection.execute(delete(_hamlets).where(_hamlets.c.user == user))
    for hamlet in sorted(set(hamlets)):
        connection.execute(insert(_hamlets).values(user=user, hamlet=hamlet))


def change(connection: Connection, user: str, *, name: str, role: Role, by: str, now: datetime) -> None:
    """A new name and role. Raises `PersonUnknown`."""
    changed = update(_users).where(_users.c.id == user).values(name=tidy(name), role=role.value)
    if not connection.execute(changed).rowcount:
        raise PersonUnknown
    audit.append(connection, by, "user.changed", f"{user} {role}", now)


def revoke(connection: Connection, user: str, *, by: str, now: datetime) -> None:
    """Shut a person out: the account, the sessions and every phone. Raises `PersonUnknown`."""
    at = instant(now)
    found = connection.execute(update(_users).where(_users.c.id == user).values(disabled_at=at))
    if not found.rowcount:
        raise PersonUnknown
    connection.execute(delete(_sessions).where(_sessions.c.user == user))
    live = (_devices.c.user == user) & _devices.c.revoked_at.is_(None)
    phones = connection.execute(select(_devices.c.id).where(live)).scalars().all()
    connection.execute(update(_devices).where(live).values(revoked_at=at))
    ledger.note_revoked(connection, [("", phone) for phone in phones] + [(ledger.USERS, user)], at, by)
    audit.append(connection, by, "user.revoked", user, now)


def restore(connection: Connection, user: str, *, by: str, now: datetime) -> None:
    """Let a revoked person back in; the phones stay revoked and are enrolled anew."""
    if not connection.execute(update(_users).where(_users.c.id == user).values(disabled_at=None)).rowcount:
        raise PersonUnknown
    ledger.let_return(connection, user, instant(now), by)
    audit.append(connection, by, "user.restored", user, now)


def set_password(connection: Connection, user: str, password: str, *, by: str, now: datetime) -> None:
    """A new password; every session of the person ends. Raises `PasswordTooShort`, `PersonUnknown`."""
    plain = _plain(password)
    if not LEAST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
        raise PasswordTooShort(LEAST_PASSWORD)
    hashed = _hasher.hash(plain)
    if not connection.execute(update(_users).where(_users.c.id == user).values(password=hashed)).rowcount:
        raise PersonUnknown
    connection.execute(delete(_sessions).where(_sessions.c.user == user))
    audit.append(connection, by, "user.password", user, now)


def by_password(connection: Connection, login: str, password: str) -> Person:
    """The active person with this login and password, in the same time whatever was wrong.

    Raises `SignInRefused`.
    """
    found = connection.execute(select(_users).where(_users.c.login == normal_login(login))).one_or_none()
    usable = found is not None and found.password is not None and found.disabled_at is None
    stored = str(found.password) if found is not None and usable else _NOBODY
    try:
        _hasher.verify(stored, _plain(password)[:LONGEST_PASSWORD])
    except (VerifyMismatchError, InvalidHashError) as error:
        raise SignInRefused from error
    if found is None or not usable:
        raise SignInRefused
    return _person(found, hamlets_of(connection, found.id))


def normal_login(login: str) -> str:
    """Login names ignore case and outer spaces."""
    return unicodedata.normalize("NFC", login).strip().lower()


def _person(row: Row[tuple[object, ...]], hamlets: frozenset[str]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        login=row.login,
        hamlets=hamlets,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        has_password=row.password is not None,
        has_second_factor=row.totp is not None,
    )


def tidy(name: str) -> str:
    """A name as it is kept."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _plain(password: str) -> str:
    # One password typed on two keyboards is the same password: composed and decomposed Vietnamese.
    return unicodedata.normalize("NFKC", password)
