"""How often somebody may fail or ask, and who "somebody" is before we know them.

Failures are counted in the rows, so that several servers count together. Only failures count: an office
where thirty phones join behind one address is no attack. Requests are counted by device, and by address only
where the credential was none.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network

from sqlalchemy import Engine, delete, func, insert, select
from starlette.requests import HTTPConnection

from server.auth.errors import AuthError, TooManyAttempts
from server.clock import instant
from server.rows import tables
from server.rows.engine import table
from sync.errors import TooManyRequests

_attempt = table(tables.Attempt)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `failures` within `window` for one key of this `kind`."""

    kind: str
    failures: int
    window: timedelta


CODE_BY_ADDRESS = Limit("code", 10, timedelta(minutes=15))
LOGIN_BY_ADDRESS = Limit("address", 30, timedelta(minutes=15))
LOGIN_BY_NAME = Limit("login", 10, timedelta(minutes=15))
LOGIN_BY_BROWSER = Limit("browser", 10, timedelta(minutes=15))
PASSWORD_BY_USER = Limit("password", 10, timedelta(minutes=15))


class Buckets:
    """How many requests one caller may make: `burst` at once, `rate` a second in the long run.

    Kept in memory, by each server for itself: it guards this process, not a secret.
    """

    def __init__(self, burst: int, rate: float, most: int = 10_000) -> None:
        """`most`: callers that are remembered; whoever was quiet longest is forgotten first."""
        self._burst = burst
        self._rate = rate
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: datetime) -> None:
        """One request of this caller. Raises `sync.errors.TooManyRequests`."""
        at = now.timestamp()
        left, before = self._left.pop(key, (float(self._burst), at))
        left = min(self._burst, left + max(0.0, at - before) * self._rate)
        self._left[key] = (left - 1 if left >= 1 else left, at)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        if left < 1:
            raise TooManyRequests


@contextmanager
def counted(
    engine: Engine, keys: dict[Limit, str], now: datetime, failures: tuple[type[AuthError], ...]
) -> Iterator[None]:
    """Run an attempt: refused where a key is over its limit, and counted where it ends in `failures`.

    The count is a transaction of its own, since a failed attempt rolls its own back.
    Raises `TooManyAttempts`.
    """
    named = {limit: f"{limit.kind}:{_pseudonym(value)}" for limit, value in keys.items()}
    with engine.begin() as connection:
        for limit, key in named.items():
            since = instant(now - limit.window)
            count, oldest = connection.execute(
                select(func.count(), func.min(_attempt.c.at)).where(
                    _attempt.c.key == key, _attempt.c.at > since
                )
            ).one()
            if count >= limit.failures:
                frees = datetime.fromisoformat(oldest) + limit.window
                raise TooManyAttempts(max(1, round((frees - now).total_seconds())))
    try:
        yield
    except failures:
        with engine.begin() as connection:
            longest = max(limit.window for limit in keys)
            connection.execute(delete(_attempt).where(_attempt.c.at <= instant(now - longest)))
            for key in named.values():
                connection.execute(insert(_attempt).values(key=key, at=instant(now)))
        raise


def address_of(connection: HTTPConnection, trusted: tuple[str, ...]) -> str:
    """The address that a request came from; `X-Forwarded-For` is believed from `trusted` proxies only.

    `trusted`: addresses and networks (`10.0.0.0/8`). Read from the near end: each proxy vouches for one hop.
    """
    address = connection.client.host if connection.client else ""
    hops = [hop.strip() for hop in connection.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    while hops and _is_among(address, trusted):
        address = hops.pop()
    return address


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:  # what a proxy wrote may be anything
        return False


def _pseudonym(value: str) -> str:
    # An address or a login name is about a person; to be counted it need not be readable.
    return sha256(value.encode()).hexdigest()[:32]
