"""The way in for whoever has the machine: the first admin, and an admin who is locked out."""

from datetime import datetime

from sqlalchemy import Connection

from server.audit import CONSOLE
from server.auth import invitations, totp, users
from server.auth.grant import Role
from server.auth.users import Person
from server.words import words

FIRST_LOGIN = "admin"


def admins(connection: Connection) -> list[Person]:
    """The admins that are not revoked, the first one first."""
    return [person for person in users.everyone(connection) if person.role is Role.ADMIN and person.active]


def is_open(connection: Connection) -> bool:
    """Whether an admin can sign in already."""
    return any(person.has_password for person in admins(connection))


def way_in(connection: Connection, who: str | None, url: str, now: datetime) -> str:
    """A one-time link for `who`, else for the first admin, who is made where there is none.

    It also switches the account's second factor off: it may be what was lost. Raises `PersonUnknown`.
    """
    person = users.find(connection, who) if who else _first_admin(connection, now)
    if person.has_second_factor:
        totp.disable(connection, person.id, by=CONSOLE, now=now)
    return invitations.staff_link(connection, person.id, by=CONSOLE, now=now, url=url)


def _first_admin(connection: Connection, now: datetime) -> Person:
    found = admins(connection)
    if found:
        return found[0]
    name = words("vi").say("console.first_admin")
    return users.add(connection, name, Role.ADMIN, by=CONSOLE, now=now, login=FIRST_LOGIN)
