"""A forgotten PIN: the phone sends its data key, sealed to the recovery key; an admin decides; it goes back
sealed to a key that the phone made for the answer.

The server opens the data key for the moment between, and never stores it open.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from server import audit, keys, sealing
from server.auth import tokens
from server.auth.errors import RecoveryUnknown
from server.clock import instant
from server.keys import KeyPair, Vault
from server.rows import tables
from server.rows.engine import table

_requests = table(tables.RecoveryRequest)

LONGEST = 4096
"""Bytes of what a phone sends: a data key is 32, sealed it is 126."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for an admin, who calls the person before deciding."""

    id: str
    device: str
    asked_at: str


def ask(connection: Connection, device: str, *, wrapped: bytes, reply_key: bytes, now: datetime) -> str:
    """Record a phone's request; one that was still waiting gives way. Answers its id.

    Raises `ValueError` where `reply_key` is no P-256 key.
    """
    keys.public_key(reply_key)
    waiting = (_requests.c.device == device) & (_requests.c.state == "pending")
    connection.execute(update(_requests).where(waiting).values(state="refused", decided_at=instant(now)))
    made = tokens.mint_id(16)
    connection.execute(
        insert(_requests).values(
            id=made, device=device, wrapped=wrapped, reply_key=reply_key, asked_at=instant(now)
        )
    )
    audit.append(connection, device, "recovery.asked", made, now)
    return made


def state(connection: Connection, device: str, request: str) -> tuple[str, bytes | None]:
    """Where a phone's own request stands, and the answer once approved. Raises `RecoveryUnknown`."""
    asked = select(_requests.c.state, _requests.c.answer)
    found = connection.execute(
        asked.where(_requests.c.id == request, _requests.c.device == device)
    ).one_or_none()
    if found is None:
        raise RecoveryUnknown
    return found.state, found.answer


def waiting(connection: Connection) -> list[Asked]:
    """Requests for an admin to decide, the oldest first."""
    asked = select(_requests).where(_requests.c.state == "pending").order_by(_requests.c.asked_at)
    return [Asked(row.id, row.device, row.asked_at) for row in connection.execute(asked)]


def approve(connection: Connection, vault: Vault, request: str, *, by: str, now: datetime) -> None:
    """Open the data key and seal it to the phone's reply key.

    Raises `RecoveryUnknown`, and `sealing.NotOpened` where it was sealed to another server's key.
    """
    found = connection.execute(
        select(_requests).where(_requests.c.id == request, _requests.c.state == "pending")
    ).one_or_none()
    if found is None:
        raise RecoveryUnknown
    data_key = _open(keys.all_of(connection, vault, "recovery"), found.wrapped)
    answer = sealing.seal(data_key, keys.public_key(found.reply_key), request, sealing.RECOVERY)
    _decide(connection, request, "approved", by, now, answer=answer)


def refuse(connection: Connection, request: str, *, by: str, now: datetime) -> None:
    """Say no. Raises `RecoveryUnknown`."""
    _decide(connection, request, "refused", by, now)


def _decide(
    connection: Connection,
    request: str,
    verdict: str,
    by: str,
    now: datetime,
    *,
    answer: bytes | None = None,
) -> None:
    pending = (_requests.c.id == request) & (_requests.c.state == "pending")
    decided = update(_requests).where(pending)
    values = {"state": verdict, "answer": answer, "decided_at": instant(now), "decided_by": by}
    if not connection.execute(decided.values(values)).rowcount:
        raise RecoveryUnknown
    audit.append(connection, by, f"recovery.{verdict}", request, now)


def _open(pairs: list[KeyPair], wrapped: bytes) -> bytes:
    for pair in pairs:  # a phone may have sealed to a key that was replaced since
        try:
            return sealing.unseal(wrapped, pair.private, pair.id, sealing.RECOVERY)
        except sealing.NotOpened:
            continue
    raise sealing.NotOpened
