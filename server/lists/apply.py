"""Carrying a plan out: hamlets and households as documents, all of them or none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.auth.grant import COMMUNE
from server.clock import milliseconds
from server.lists.plan import Plan
from server.scribe import Change, Scribe
from server.ulids import Entropy, ulids
from server.words import HERE
from sync.hooks import Caller


class Blocked(Exception):
    """The plan waits for decisions (`Plan.blocked`); nothing was written."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = tuple(reasons)


def changes(plan: Plan, now: datetime, entropy: Entropy, *, hamlets: int) -> dict[str, list[Change]]:
    """The documents of a plan, by database. Pure.

    `hamlets` is how many there are already: new ones go behind them. Raises `Blocked`.
    """
    if plan.blocked:
        raise Blocked(plan.blocked)
    made: dict[str, list[Change]] = {}
    fresh = [hamlet for hamlet in plan.hamlets if hamlet.new]
    if fresh:
        made[COMMUNE] = [
            Change(
                f"hamlet:{hamlet.id}",
                {"name": hamlet.name, "kind": hamlet.kind, "order": hamlets + place, "state": "active"},
            )
            for place, hamlet in enumerate(fresh, start=1)
        ]
    ids = ulids(milliseconds(now), entropy)
    status = {"is": "resident", "since": now.astimezone(HERE).date().isoformat()}
    for one in plan.new:
        fields: dict[str, Any] = {"name": one.name, "order": one.order, "status": status}
        if place := {key: text for key, text in (("house", one.house), ("lane", one.lane)) if text}:
            fields["place"] = place
        made.setdefault(f"hamlet-{one.hamlet}", []).append(Change(f"household:{next(ids)}", fields))
    for known in plan.filled:
        place = {key: text for key, text in (("house", known.house), ("lane", known.lane)) if text}
        made.setdefault(f"hamlet-{known.hamlet}", []).append(
            Change(f"household:{known.id}", {"place": place})
        )
    return made


async def apply(
    plan: Plan, scribe: Scribe, caller: Caller, now: datetime, entropy: Entropy, *, hamlets: int
) -> int:
    """Write a plan as `caller`, an admin where it makes hamlets; how many households were made.

    One write, so all or nothing. Raises `Blocked`, `server.scribe.NotTaken`, `StoreFull`.
    """
    made = changes(plan, now, entropy, hamlets=hamlets)
    if made:
        await scribe.write(caller, made)
    return len(plan.new)
