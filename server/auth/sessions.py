"""Signed-in browsers of the office: a cookie, a token for forms, an end.

The cookie holds a random secret, the rows its digest. Every form carries the session's CSRF token as the
field `csrf`; with SameSite=Lax and the Origin check in `server/app.py` that is the third of three doors.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, update
from starlette.responses import Response

from server import audit
from server.auth import limits, tokens, totp, users
from server.auth.errors import CodeNeeded, FormStale, SignInNeeded, SignInRefused
from server.auth.grant import Grant, Role
from server.auth.users import Person
from server.clock import instant
from server.keys import Vault
from server.rows import tables
from server.rows.engine import table

_sessions = table(tables.OfficeSession)

COOKIE = "camket_session"
IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""A working day: whoever forgets to sign out has done so by the next morning."""

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Who sits at the browser. `id` names the session in the rows (the digest of its cookie).

    `unnoted` says that the rows should hear of it (`note`); that is not done for every click.
    """

    id: str
    csrf: str
    grant: Grant
    unnoted: bool = False

    @property
    def role(self) -> Role:
        """The role of whoever is signed in."""
        return self.grant.role


def sign_in(
    engine: Engine,
    vault: Vault,
    login: str,
    password: str,
    *,
    code: str,
    address: str,
    now: datetime,
    browser: str | None = None,
) -> tuple[Person, str]:
    """Sign in with a password, and with a code where the account has a second factor: (who, cookie).

    `browser` is how this login's own browser is counted (`server.auth.browsers`); any other is counted by
    its address and by the name.

    Raises `SignInRefused`, `CodeNeeded` (the password was right), `TooManyAttempts`.
    """
    keys = {limits.LOGIN_BY_ADDRESS: address, limits.LOGIN_BY_NAME: users.normal_login(login)}
    if browser:
        keys = {limits.LOGIN_BY_BROWSER: browser}
    with limits.counted(engine, keys, now, (SignInRefused,)), engine.begin() as connection:
        person = users.by_password(connection, login, password)
        if person.has_second_factor:
            if not code.strip():
                raise CodeNeeded
            totp.check(connection, vault, person.id, code=code, now=now)
        return person, start(connection, person.id, now)


def start(connection: Connection, user: str, now: datetime) -> str:
    """A new session; answers the cookie's value. Always a new one: a value from before is never kept."""
    cookie = tokens.mint_secret()
    connection.execute(delete(_sessions).where(_sessions.c.expires_at <= instant(now)))
    connection.execute(
        insert(_sessions).values(
            token=tokens.digest(cookie),
            user=user,
            csrf=tokens.mint_secret(),
            created_at=instant(now),
            seen_at=instant(now),
            expires_at=instant(now + LONGEST),
        )
    )
    audit.append(connection, user, "session.started", user, now)
    return cookie


def find(connection: Connection, cookie: str | None, now: datetime) -> Session:
    """Whose session this cookie is; only reads. Raises `SignInNeeded`."""
    token = tokens.digest(cookie or "")
    found = connection.execute(select(_sessions).where(_sessions.c.token == token)).one_or_none()
    if found is None or found.expires_at <= instant(now) or found.seen_at <= instant(now - IDLE):
        raise SignInNeeded
    person = users.find(connection, found.user)
    if not person.active:
        raise SignInNeeded
    hamlets = users.reach(connection, person.id, person.role)
    grant = Grant(person.id, person.name, person.role, hamlets)
    return Session(token, found.csrf, grant, unnoted=found.seen_at <= instant(now - _NOTED_EVERY))


def note(connection: Connection, session: Session, now: datetime) -> None:
    """The person is still there: the session goes on for as long as it may be idle."""
    noted = update(_sessions).where(_sessions.c.token == session.id)
    connection.execute(noted.values(seen_at=instant(now)))


def check_form(session: Session, csrf: object) -> None:
    """A form must carry its session's token. Raises `FormStale`."""
    if not isinstance(csrf, str) or not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
        raise FormStale


def sign_out(connection: Connection, session: Session) -> None:
    """End this session."""
    connection.execute(delete(_sessions).where(_sessions.c.token == session.id))


def end_all(connection: Connection, user: str) -> None:
    """End every session of a person."""
    connection.execute(delete(_sessions).where(_sessions.c.user == user))


def set_cookie(response: Response, cookie: str, *, https: bool) -> None:
    """Hand the cookie to the browser; it lasts as long as the browser's window, and the rows decide."""
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=https, path="/")


def drop_cookie(response: Response, *, https: bool) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=https, path="/")
