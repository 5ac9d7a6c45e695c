"""Phones: one user on one phone, with a full and a send-only credential, revocable one by one."""

import hmac
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, insert, select, update

from server import archive, audit, ledger, restores
from server.auth import tokens, users
from server.auth.errors import DeviceUnknown, PersonUnknown
from server.auth.grant import Grant, Role
from server.clock import FIRST_DAY, instant
from server.rows import tables
from server.rows.engine import table

_devices, _users = table(tables.Device), table(tables.User)
_invitations, _claims = table(tables.Invitation), table(tables.Claim)

SEEN_EVERY = timedelta(hours=1)
"""How exactly "last seen" is known: a write for each request would cost more than it tells. Pages say so
(`office.people.seen_after`)."""

LONGEST_NAME = 60

SEND_ONLY = re.compile(r"s\.([a-z0-9]{4,16})\.([\w-]{1,100})", re.ASCII)
"""A send-only credential: the phone's id, the secret."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A phone that was just enrolled. The credentials are shown this once."""

    device: str
    credential: str
    send: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as staff see it."""

    id: str
    user: str
    name: str
    created_at: str
    last_seen_at: str | None
    revoked_at: str | None
    send_only_at: str | None
    claim: "Claim | None" = None
    """Where it says that it was this phone before the server was restored, and no admin has looked at it."""


Claim = Literal["unproven", "contested"]


@dataclass(frozen=True, slots=True)
class Before:
    """What a phone was, as it says, until this server was restored to before it joined: its send-only
    credential, the id and the name of its person."""

    send: str
    user: str
    name: str


def enrol(  # noqa: PLR0917
    connection: Connection,
    person: users.Person,
    name: str,
    invitation: str,
    now: datetime,
    before: Iterable[Before] = (),
) -> Issued:
    """A phone of a person, by an invitation: a new one, or the first of these that it was before.

    That keeps its id, which stands in the stamps of what the server has lost, and its send-only credential,
    which lies in the records that it has sealed. Nobody knows when it had joined, nor whether it was that
    phone: until an admin confirms it, it only hands in, and that waits for a person (`server.sealed`).
    """
    full = tokens.mint_secret()
    values = {
        "name": " ".join(name.split())[:LONGEST_NAME],
        "credential": tokens.digest(full),
        "invitation": invitation,
    }
    claims = (_again(connection, one, person, invitation, now) for one in before)
    again = next(filter(None, claims), None)
    device, send = again or (tokens.mint_id(), tokens.mint_secret())
    send_only = instant(now) if claim_of(connection, device) else None
    fresh = {"replaced_at": None, "send_only_at": send_only, "first_exchange_at": None}
    known = update(_devices).where(_devices.c.id == device)
    if not connection.execute(known.values(**values, **fresh)).rowcount:
        at = instant(now)
        values |= {"id": device, "user": person.id, "send": tokens.digest(send), "created_at": at}
        if again:
            values |= {"created_at": instant(FIRST_DAY), "send_only_at": at}
        connection.execute(insert(_devices).values(**values))
        if again:
            connection.execute(insert(_claims).values(device=device, claimed_at=at))
    audit.append(connection, person.id, "device.enrolled", device, now)
    return Issued(device, f"d.{device}.{full}", f"s.{device}.{send}")


def _again(
    connection: Connection, before: Before, person: users.Person, invitation: str, now: datetime
) -> tuple[str, str] | None:
    """The id and the send-only secret with which a phone goes on; None where it must be a new one.

    Of a phone that is not known here nobody can tell whether it says the truth. This server must have been
    restored lately; the id be such as phones get, one for an invitation, neither revoked nor in the stamps of
    anybody else; and the person be the same, by name where the person, too, came after the backup.
    """
    named = SEND_ONLY.fullmatch(before.send)
    if named is None or ledger.revoked(connection, named[1]):
        return None
    device, secret = named[1], named[2]
    known = connection.execute(select(_devices).where(_devices.c.id == device)).one_or_none()
    if known is not None:
        if not hmac.compare_digest(known.send, tokens.digest(secret)):
            _contest(connection, device, now)
            return None
        return (device, secret) if known.user == person.id and known.revoked_at is None else None
    may_be = (
        restores.lately(connection, now)
        and tokens.is_minted(device)
        and not archive.writers(connection, device) - {person.id}
        and not _has_claimed(connection, invitation)
        and _is_person(connection, before, person)
    )
    return (device, secret) if may_be else None


def _is_person(connection: Connection, before: Before, person: users.Person) -> bool:
    with suppress(PersonUnknown):
        return users.find(connection, before.user).id == person.id
    return users.tidy(before.name) == person.name


def _has_claimed(connection: Connection, invitation: str) -> bool:
    """Whether this invitation was used for another phone from before."""
    asked = select(_claims.c.device).join(_devices, _devices.c.id == _claims.c.device)
    return connection.execute(asked.where(_devices.c.invitation == invitation)).first() is not None


def _contest(connection: Connection, device: str, now: datetime) -> None:
    """Two say that they were one phone: an admin sees it, and settles it with both in hand."""
    here = (_claims.c.device == device, _claims.c.contested_at.is_(None))
    connection.execute(update(_claims).where(*here).values(contested_at=instant(now)))


def claim_of(connection: Connection, device: str | None) -> Claim | None:
    """What is doubtful about a phone: nobody has looked whether it is the one that it says."""
    here = (_claims.c.device == device, _claims.c.confirmed_at.is_(None))
    found = connection.execute(select(_claims.c.contested_at).where(*here)).one_or_none()
    if found is None:
        return None
    return "contested" if found.contested_at else "unproven"


def was_claimed(connection: Connection, device: str) -> bool:
    """Whether the phone of this id is here by its own word: another may be the one that had it."""
    return connection.execute(select(_claims.c.device).where(_claims.c.device == device)).first() is not None


def grant_of(connection: Connection, credential: str) -> Grant | None:
    """Who a `d.<device>.<secret>` or `s.<device>.<secret>` speaks for; None where nobody.

    A revoked or replaced phone, and one whose owner was revoked, has a grant that is not `live`.
    """
    kind, _, rest = credential.partition(".")
    device, _, secret = rest.partition(".")
    if kind not in {"d", "s"} or not secret or not device.isascii():
        return None
    found = connection.execute(
        select(_devices, _users.c.name.label("person"), _users.c.role, _users.c.disabled_at)
        .join(_users, _users.c.id == _devices.c.user)
        .where(_devices.c.id == device)
    ).one_or_none()
    if found is None:
        return None
    stored = found.credential if kind == "d" else found.send
    if not hmac.compare_digest(stored, tokens.digest(secret)):
        return None
    return _grant(connection, found, send_only=kind == "s" or found.send_only_at is not None)


def goes_on(connection: Connection, device: str | None) -> bool:
    """Whether a phone is by its invitation once more what it was before that: then by its send-only
    credential nobody can tell whether its PIN was entered since."""
    asked = select(_devices.c.id).join(_invitations, _invitations.c.id == _devices.c.invitation)
    before = (_devices.c.id == device, _devices.c.created_at < _invitations.c.created_at)
    return connection.execute(asked.where(*before)).first() is not None


def unheard(connection: Connection, device: str | None, now: datetime, *, full: bool = True) -> bool:
    """Whether there is something for `heard` to note of this phone."""
    asked = select(_devices.c.last_seen_at, _devices.c.first_exchange_at).where(_devices.c.id == device)
    found = connection.execute(asked).one_or_none()
    if found is None or found.last_seen_at is None or found.last_seen_at <= instant(now - SEEN_EVERY):
        return True
    return full and found.first_exchange_at is None


def heard(connection: Connection, device: str | None, now: datetime, *, full: bool = True) -> None:
    """A phone spoke: the hour is noted, and with the first time its invitation is spent.

    Not where it has shown no more than what it had before it joined (`full` is false): a phone that goes on
    as who it was and has forgotten its PIN may be closed meanwhile, and joins by the same invitation again.
    """
    at, this = instant(now), _devices.c.id == device
    connection.execute(update(_devices).where(this).values(last_seen_at=at))
    first = update(_devices).where(this, _devices.c.first_exchange_at.is_(None))
    if full and connection.execute(first.values(first_exchange_at=at)).rowcount:
        spent = update(_invitations).where(_invitations.c.device == device, _invitations.c.spent_at.is_(None))
        connection.execute(spent.values(spent_at=at))


def revoke(connection: Connection, device: str, *, by: str, now: datetime) -> None:
    """Shut one phone out, for good: a restored backup does not bring it back. Raises `DeviceUnknown`."""
    at = instant(now)
    live = (_devices.c.id == device) & _devices.c.revoked_at.is_(None)
    if not connection.execute(update(_devices).where(live).values(revoked_at=at)).rowcount:
        find(connection, device)
        return
    ledger.note_revoked(connection, [("", device)], at, by)
    audit.append(connection, by, "device.revoked", device, now)


def confirm(connection: Connection, device: str, *, by: str, now: datetime) -> None:
    """After a restore: an admin has the phone in hand, and it is a full one again."""
    confirmed = update(_devices).where(_devices.c.id == device).values(send_only_at=None)
    if not connection.execute(confirmed).rowcount:
        raise DeviceUnknown
    claim = update(_claims).where(_claims.c.device == device).values(confirmed_at=instant(now))
    connection.execute(claim)
    audit.append(connection, by, "device.confirmed", device, now)


def is_known(connection: Connection, device: str) -> bool:
    """Whether there is, or was, a phone of this id here."""
    return connection.execute(select(_devices.c.id).where(_devices.c.id == device)).first() is not None


def find(connection: Connection, device: str) -> Phone:
    """One phone. Raises `DeviceUnknown`."""
    found = connection.execute(select(_devices).where(_devices.c.id == device)).one_or_none()
    if found is None:
        raise DeviceUnknown
    return _phone(connection, found)


def listing(connection: Connection, user: str | None = None) -> list[Phone]:
    """Phones, of one person or of all, the newest first; replaced ones are left out."""
    asked = select(_devices).where(_devices.c.replaced_at.is_(None))
    if user is not None:
        asked = asked.where(_devices.c.user == user)
    found = connection.execute(asked.order_by(_devices.c.created_at.desc(), _devices.c.id))
    return [_phone(connection, row) for row in found.all()]


def _grant(connection: Connection, row: Row[tuple[object, ...]], *, send_only: bool) -> Grant:
    role = Role(row.role)
    return Grant(
        user=row.user,
        name=row.person,
        role=role,
        hamlets=users.reach(connection, row.user, role),
        device=row.id,
        send_only=send_only,
        live=row.revoked_at is None and row.replaced_at is None and row.disabled_at is None,
    )


def _phone(connection: Connection, row: Row[tuple[object, ...]]) -> Phone:
    return Phone(
        row.id,
        row.user,
        row.name,
        row.created_at,
        row.last_seen_at,
        row.revoked_at,
        row.send_only_at,
        claim_of(connection, row.id),
    )
