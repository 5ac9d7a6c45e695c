"""Credentials in the `Authorization` header: the way in of phones."""

from datetime import datetime

from anyio import to_thread
from sqlalchemy import Engine
from starlette.requests import HTTPConnection

from server.auth import devices
from server.auth.grant import Grant
from server.auth.limits import Buckets, address_of
from server.clock import Clock
from server.rows.engine import readers
from server.words import words_of
from sync.errors import Forbidden, Unauthorized


class Bearer:
    """Reads `Bearer d.<device>.<secret>` and `Bearer s.<device>.<secret>`."""

    def __init__(self, rows: Engine, clock: Clock, trusted_proxies: tuple[str, ...] = ()) -> None:
        self._rows = rows
        self._clock = clock
        self._trusted_proxies = trusted_proxies
        self._known = Buckets(burst=600, rate=20)
        self._strange = Buckets(burst=100, rate=1)

    async def authenticate(self, connection: HTTPConnection) -> Grant:
        """The grant of a live phone's full credential: what everything under `/db` asks for.

        Hearing a phone for the first time spends its invitation.
        Raises `Unauthorized`, `TooManyRequests`, and `Forbidden` for a send-only credential.
        """
        grant = await self.hear(connection)
        if not grant.live:
            raise Unauthorized(words_of(connection).say("problem.unauthorized"))
        if grant.send_only:
            raise Forbidden(words_of(connection).say("problem.send_only"))
        return grant

    async def hear(self, connection: HTTPConnection) -> Grant:
        """The grant of any credential that was ever given out: send-only ones, and those not `live` any more.

        For `/sealed`, where a revoked phone still hands in. Raises `Unauthorized`, `TooManyRequests`.
        """
        now = self._clock()
        scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
        grant = None
        if scheme.lower() == "bearer":
            grant = await to_thread.run_sync(self._look_up, credential.strip(), now)
        if grant is None:
            self._strange.take(address_of(connection, self._trusted_proxies), now)
            raise Unauthorized(words_of(connection).say("problem.unauthorized"))
        self._known.take(grant.device or grant.user, now)
        return grant

    def _look_up(self, credential: str, now: datetime) -> Grant | None:
        full = credential.startswith("d.")
        with readers(self._rows).begin() as connection:
            grant = devices.grant_of(connection, credential)
            if grant is None or not grant.live:
                return grant
            if not devices.unheard(connection, grant.device, now, full=full):
                return grant
        with self._rows.begin() as connection:
            devices.heard(connection, grant.device, now, full=full)
        return grant
