"""The bare engine's application: anybody, or one administrator by cookie or password."""

import base64
import binascii
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network

from starlette.requests import HTTPConnection
from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest, Forbidden, TooManyRequests, Unauthorized
from sync.hooks import Action, Caller, Refused
from sync.http import bodies
from sync.http.answers import render
from sync.http.routing import Call, Route, parse_query
from sync.rev import Rev
from sync.store.interface import Edit

COOKIE = "AuthSession"
LASTS = 600
"""Seconds that a cookie is good for, as in CouchDB."""
MOST_WRONG, WITHIN = 30, 900
"""Wrong passwords that one address may send, within so many seconds; more are not looked at."""
_MOST_ADDRESSES = 10_000
ANYBODY = Caller("")
_PORT = re.compile(r":[0-9]+$")


@dataclass(frozen=True, slots=True)
class Administrator:
    """The one account that there may be."""

    name: str
    secret: str


class Guesses:
    """Counts wrong passwords by the address of the connection: behind a proxy, all of them together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Raises TooManyRequests."""
        wrong = self._wrong.get(address)
        if wrong and len(wrong) == MOST_WRONG and wrong[0] > self._clock() - WITHIN:
            raise TooManyRequests

    def count(self, address: str) -> None:
        """One more; where there are too many, whoever was quiet longest and must not wait is forgotten."""
        wrong = self._wrong.pop(address, None) or deque(maxlen=MOST_WRONG)
        wrong.append(self._clock())
        self._wrong[address] = wrong
        if len(self._wrong) > _MOST_ADDRESSES:
            first = next(iter(self._wrong))
            del self._wrong[next((one for one, of in self._wrong.items() if len(of) < MOST_WRONG), first)]


class Bare:
    """Implements `sync.hooks.Application`. Without an administrator everybody is one."""

    def __init__(
        self, admin: Administrator | None, hosts: Collection[str], clock: Callable[[], float], key: bytes
    ) -> None:
        self._admin = admin
        self._hosts = hosts
        self._clock = clock
        self._key = key
        self._guesses = Guesses(clock)

    async def identify(self, connection: HTTPConnection) -> Caller:
        """By basic authentication or cookie.

        Raises Unauthorized, TooManyRequests, or Forbidden for a name that is not ours.

        A page of another site can point its own name at this address, and would then be let in as this site.
        """
        name = _PORT.sub("", connection.headers.get("host", "localhost")).strip("[]").lower()
        if name not in self._hosts:
            raise Forbidden("This server does not answer to that host name.")
        header = connection.headers.get("authorization", "")
        if header.lower().startswith("basic "):
            return self._check(_address(connection), *_basic(header[6:]))
        cookie = connection.cookies.get(COOKIE)
        return self._by_cookie(cookie) if cookie else ANYBODY

    def _check(self, address: str, name: str, secret: str) -> Caller:
        """Raises Unauthorized, TooManyRequests."""
        if self._admin is None:
            return ANYBODY
        self._guesses.check(address)
        known = f"{self._admin.name}:{self._admin.secret}"
        if not hmac.compare_digest(f"{name}:{secret}".encode(), known.encode()):
            self._guesses.count(address)
            raise Unauthorized("Name or password is incorrect.")
        return Caller(name)

    def _by_cookie(self, cookie: str) -> Caller:
        try:
            name, until, seal = base64.urlsafe_b64decode(cookie + "==").decode().rsplit(":", 2)
            good = hmac.compare_digest(seal.encode(), self._seal(name, until).encode())
            fresh = int(until) > self._clock()
        except (ValueError, binascii.Error) as error:
            raise BadRequest("Malformed AuthSession cookie.") from error
        return Caller(name) if good and fresh else ANYBODY

    def _seal(self, name: str, until: str) -> str:
        return hmac.new(self._key, f"{name}:{until}".encode(), hashlib.sha256).hexdigest()

    def cookie(self, address: str, name: str, secret: str) -> str:
        """A fresh cookie's value for whoever asks from this address. Raises Unauthorized, TooManyRequests."""
        if self._admin is None:
            raise Unauthorized("Name or password is incorrect.")
        self._check(address, name, secret)
        until = str(int(self._clock()) + LASTS)
        whole = f"{name}:{until}:{self._seal(name, until)}"
        return base64.urlsafe_b64encode(whole.encode()).decode().rstrip("=")

    async def authorise(self, caller: Caller, action: Action, db: str | None) -> None:
        """The greeting and the session are for all; all else is the administrator's, where there is one."""
        if self._admin is not None and caller is ANYBODY and not (db is None and action is Action.READ):
            raise Unauthorized

    def is_admin(self, caller: Caller) -> bool:
        """Whether nothing is closed to the caller."""
        return self._admin is None or caller is not ANYBODY

    def shows(self, caller: Caller, db: str, doc_id: str) -> bool:  # noqa: ARG002
        """Everything."""
        return True

    async def admit(
        self,
        caller: Caller,  # noqa: ARG002
        db: str,  # noqa: ARG002
        edits: Sequence[Edit],
    ) -> Sequence[Edit | Refused]:
        """Everything."""
        return edits

    async def observe(self, db: str, doc_ids: Collection[str]) -> None:
        """Nobody needs to know."""

    async def accepted(
        self,
        caller: Caller,  # noqa: ARG002
        db: str,  # noqa: ARG002
        named: Collection[tuple[str, Rev]],
    ) -> Mapping[tuple[str, Rev], bytes]:
        """All, whatever they said: a CouchDB asks for no revision whose name it has."""
        return dict.fromkeys(named, b"{}")


def _address(connection: HTTPConnection) -> str:
    """Whom wrong passwords are counted for: an address, or of IPv6 the /64 that one customer has."""
    host = connection.client.host if connection.client else ""
    try:
        return str(IPv6Network((host.partition("%")[0], 64), strict=False)) if ":" in host else host
    except ValueError:
        return host


def _basic(encoded: str) -> tuple[str, str]:
    """Raises Unauthorized."""
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise Unauthorized("Name or password is incorrect.") from error
    if not colon:
        raise Unauthorized("Name or password is incorrect.")
    return name, secret


def session_routes(application: Bare) -> list[Route]:
    """`/_session`: who am I, log in, log out."""

    async def tell(call: Call) -> Response:
        roles = ["_admin"] if application.is_admin(call.caller) else []
        return render(
            {
                "ok": True,
                "userCtx": {"name": call.caller.id or None, "roles": roles},
                "info": {"authentication_handlers": ["cookie", "default"]},
            }
        )

    async def log_in(call: Call) -> Response:
        name, secret = await _credentials(call)
        cookie = application.cookie(_address(call.request), name, secret)
        return _session({"ok": True, "name": name, "roles": ["_admin"]}, cookie, LASTS)

    async def log_out(_: Call) -> Response:
        return _session({"ok": True}, "", 0)

    return [
        Route("GET", "/_session", Action.READ, tell),
        Route("POST", "/_session", Action.READ, log_in),
        Route("DELETE", "/_session", Action.READ, log_out),
    ]


async def _credentials(call: Call) -> tuple[str, str]:
    """Name and password, as JSON or as a form. Raises BadRequest."""
    body = await bodies.read(call.request, 10_000)
    is_form = "x-www-form-urlencoded" in call.request.headers.get("content-type", "")
    given = dict(parse_query(body)) if is_form else wire.parse_object(body)
    name, secret = given.get("name", given.get("username")), given.get("password")
    if not isinstance(name, str) or not isinstance(secret, str):
        raise BadRequest("request body must contain a username and a password")
    return name, secret


def _session(body: dict[str, object], cookie: str, lasts: int) -> Response:
    value = f"{COOKIE}={cookie}; Version=1; Max-Age={lasts}; Path=/; HttpOnly; SameSite=Strict"
    return render(body, headers={"Set-Cookie": value})
