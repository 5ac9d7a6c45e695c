"""The way in, once: a code for a phone, a link for staff to set a password.

An invitation lasts 72 hours. A phone's may be opened again until the phone has spoken for the first time
(the page was closed, the wrong browser opened it): each time replaces the phone before. Then it is spent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Row, insert, select, update

from server import audit
from server.auth import devices, limits, tokens, users
from server.auth.errors import InvitationGone, InvitationUnknown
from server.auth.users import Person
from server.clock import instant
from server.rows import tables
from server.rows.engine import table

_invitations, _devices = table(tables.Invitation), table(tables.Device)

LASTS = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made. The code (`XXXXX-XXXXX`) is shown this once."""

    id: str
    code: str
    expires_at: str

    def link(self, url: str) -> str:
        """What the QR code says: the code is in the fragment, which no server and no log ever sees."""
        return f"{url}/join#{self.code}"


@dataclass(frozen=True, slots=True)
class Pending:
    """An invitation that still works, as staff see it."""

    id: str
    user: str
    purpose: str
    created_at: str
    expires_at: str


def invite(connection: Connection, user: str, *, by: str, now: datetime) -> Invited:
    """Invite a person to join with a phone. Raises `PersonUnknown`."""
    code = tokens.mint_code()
    made, expires = _record(connection, users.find(connection, user), code, by=by, now=now)
    return Invited(made, tokens.show_code(code), expires)


def staff_link(connection: Connection, user: str, *, by: str, now: datetime, url: str) -> str:
    """A one-time address at which a member of staff sets a password; earlier ones stop working.

    Raises `PersonUnknown`.
    """
    token, person = tokens.mint_secret(), users.find(connection, user)
    _spend_staff_links(connection, person.id, now)
    _record(connection, person, token, by=by, now=now, purpose="staff")
    return f"{url}/office/first?token={token}"


def redeem(  # noqa: PLR0917
    engine: Engine,
    code: str,
    device_name: str,
    address: str,
    now: datetime,
    before: Iterable[devices.Before] = (),
) -> tuple[Person, devices.Issued]:
    """Enrol a phone by a typed or scanned code, `before` as one that it was.

    Raises `InvitationUnknown`, `InvitationGone`, `TooManyAttempts`.
    """
    with (
        limits.counted(engine, {limits.CODE_BY_ADDRESS: address}, now, (InvitationUnknown,)),
        engine.begin() as connection,
    ):
        found = _usable(connection, "device", tokens.read_code(code), now)
        at = instant(now)
        if found.device is not None:
            connection.execute(update(_devices).where(_devices.c.id == found.device).values(replaced_at=at))
        person = users.find(connection, found.user)
        if not person.active:
            raise InvitationGone
        issued = devices.enrol(connection, person, device_name, found.id, now, before)
        connection.execute(
            update(_invitations).where(_invitations.c.id == found.id).values(device=issued.device)
        )
        return person, issued


def holder(connection: Connection, token: str, now: datetime) -> Person:
    """Whose staff link this is, without spending it. Raises `InvitationUnknown`, `InvitationGone`."""
    return users.find(connection, _usable(connection, "staff", token, now).user)


def first_password(connection: Connection, token: str, password: str, now: datetime) -> Person:
    """Spend a staff link: the person gets this password.

    Raises `InvitationUnknown`, `InvitationGone`, `PasswordTooShort`.
    """
    found = _usable(connection, "staff", token, now)
    users.set_password(connection, found.user, password, by=found.user, now=now)
    _spend_staff_links(connection, found.user, now)
    return users.find(connection, found.user)


def pending(connection: Connection, now: datetime) -> list[Pending]:
    """Invitations that still work, the newest first."""
    asked = select(_invitations).where(
        _invitations.c.spent_at.is_(None), _invitations.c.expires_at > instant(now)
    )
    return [
        Pending(row.id, row.user, row.purpose, row.created_at, row.expires_at)
        for row in connection.execute(asked.order_by(_invitations.c.created_at.desc(), _invitations.c.id))
    ]


def void(connection: Connection, invitation: str, *, by: str, now: datetime) -> None:
    """Withdraw an invitation; one that is spent stays as it is."""
    unspent = (_invitations.c.id == invitation) & _invitations.c.spent_at.is_(None)
    if connection.execute(update(_invitations).where(unspent).values(spent_at=instant(now))).rowcount:
        audit.append(connection, by, "invitation.voided", invitation, now)


def _spend_staff_links(connection: Connection, user: str, now: datetime) -> None:
    # A link stands in terminals and logs: whoever finds an old one must not set a password with it.
    standing = (_invitations.c.user == user) & (_invitations.c.purpose == "staff")
    unspent = standing & _invitations.c.spent_at.is_(None)
    connection.execute(update(_invitations).where(unspent).values(spent_at=instant(now)))


def _record(
    connection: Connection, person: Person, code: str, *, by: str, now: datetime, purpose: str = "device"
) -> tuple[str, str]:
    made, expires = tokens.mint_id(12), instant(now + LASTS)
    connection.execute(
        insert(_invitations).values(
            id=made,
            purpose=purpose,
            user=person.id,
            code=tokens.digest(code),
            created_at=instant(now),
            created_by=by,
            expires_at=expires,
        )
    )
    audit.append(connection, by, f"invitation.{purpose}", f"{made} {person.id}", now)
    return made, expires


def _usable(connection: Connection, purpose: str, code: str, now: datetime) -> Row[tuple[object, ...]]:
    # Locked, so that of two who redeem it at once the second replaces the first.
    found = connection.execute(
        select(_invitations)
        .with_for_update()
        .where(_invitations.c.code == tokens.digest(code), _invitations.c.purpose == purpose)
    ).one_or_none()
    if found is None:
        raise InvitationUnknown
    if found.spent_at is not None or found.expires_at <= instant(now):
        raise InvitationGone
    return found
