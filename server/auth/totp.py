"""The second factor: a code from an authenticator app (RFC 6238), or one of ten recovery codes."""

from datetime import datetime

import pyotp
from sqlalchemy import Connection, delete, insert, select, update

from server import audit
from server.auth import tokens
from server.auth.errors import PersonUnknown, SignInRefused
from server.keys import Vault
from server.rows import tables
from server.rows.engine import table

_users, _codes = table(tables.User), table(tables.RecoveryCode)

RECOVERY_CODES = 10
STEP = 30
"""Seconds that a code lasts. The one before and the one after are taken too: clocks of phones differ."""


def new_secret() -> str:
    """A secret to show as a QR code, and to store once a code from it was typed back (`enable`)."""
    return pyotp.random_base32()


def address(secret: str, login: str, commune: str) -> str:
    """The `otpauth:` address that authenticator apps scan."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=commune)


def enable(
    connection: Connection, vault: Vault, user: str, *, secret: str, code: str, now: datetime
) -> list[str]:
    """Switch the second factor on, proved by a first code; answers new recovery codes, shown this once.

    Raises `SignInRefused` where the code does not fit, `PersonUnknown`.
    """
    step = _step(secret, code, now)
    if step is None:
        raise SignInRefused
    sealed = vault.seal(secret.encode(), _purpose(user))
    changed = update(_users).where(_users.c.id == user).values(totp=sealed, totp_step=step)
    if not connection.execute(changed).rowcount:
        raise PersonUnknown
    audit.append(connection, user, "totp.enabled", user, now)
    return new_recovery_codes(connection, user)


def new_recovery_codes(connection: Connection, user: str) -> list[str]:
    """Ten fresh recovery codes; those from before stop working."""
    connection.execute(delete(_codes).where(_codes.c.user == user))
    codes = [tokens.mint_code() for _ in range(RECOVERY_CODES)]
    for code in codes:
        connection.execute(insert(_codes).values(user=user, code=tokens.digest(code)))
    return [tokens.show_code(code) for code in codes]


def disable(connection: Connection, user: str, *, by: str, now: datetime) -> None:
    """Switch the second factor off, its recovery codes with it."""
    connection.execute(update(_users).where(_users.c.id == user).values(totp=None, totp_step=None))
    connection.execute(delete(_codes).where(_codes.c.user == user))
    audit.append(connection, by, "totp.disabled", user, now)


def check(connection: Connection, vault: Vault, user: str, *, code: str, now: datetime) -> None:
    """Take a code, once: no code works twice. Raises `SignInRefused`."""
    found = connection.execute(select(_users.c.totp, _users.c.totp_step).where(_users.c.id == user)).one()
    secret = vault.open(found.totp, _purpose(user)).decode()
    step = _step(secret, code, now)
    if step is not None and step > (found.totp_step or 0):
        connection.execute(update(_users).where(_users.c.id == user).values(totp_step=step))
        return
    recovery = (_codes.c.user == user) & (_codes.c.code == tokens.digest(tokens.read_code(code)))
    if not connection.execute(delete(_codes).where(recovery)).rowcount:
        raise SignInRefused


def _step(secret: str, code: str, now: datetime) -> int | None:
    digits, counter = "".join(code.split()), int(now.timestamp()) // STEP
    machine = pyotp.HOTP(secret)
    return next((step for step in (counter, counter - 1, counter + 1) if machine.verify(digits, step)), None)


def _purpose(user: str) -> bytes:
    return f"totp {user}".encode()
