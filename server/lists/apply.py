"""Carrying a plan out: hamlets and households as documents, all of them or none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from server.clock import milliseconds
from server.lists.plan import Plan, Progress
from server.ulids import Entropy, ulids
from server.words import HERE
from sync.stamps import Stamp, advance

Doc = Mapping[str, Any]
COMMUNE = "commune"


class Blocked(Exception):
    """The plan waits for decisions (`Plan.blocked`); nothing was written."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Author:
    """Who imports: the person's id and the office's device id, which stamps carry."""

    by: str
    device: str


class Writer(Protocol):
    """The server's intake, as staff: checks each document, archives it, stores it."""

    async def add_hamlets(self, hamlets: Sequence[Doc]) -> None:
        """Write hamlet documents and make their databases."""
        ...

    async def add(self, documents: Mapping[str, Sequence[Doc]]) -> None:
        """Write new documents by database, all of them or none."""
        ...


def documents(
    plan: Plan, author: Author, now: datetime, entropy: Entropy, *, hamlets: int
) -> tuple[list[Doc], dict[str, list[Doc]]]:
    """The hamlet documents of a plan, and its household documents by database. Pure.

    `hamlets` is how many there are already: new ones go behind them. Raises `Blocked`.
    """
    if plan.blocked:
        raise Blocked(plan.blocked)
    stamps = _stamps(author.device, milliseconds(now))
    new_hamlets: list[Doc] = [
        {
            "_id": f"hamlet:{hamlet.id}",
            "type": "hamlet",
            "v": 1,
            "by": author.by,
            "stamps": {"*": next(stamps)},
            "name": hamlet.name,
            "kind": hamlet.kind,
            "order": hamlets + place,
            "state": "active",
        }
        for place, hamlet in enumerate((one for one in plan.hamlets if one.new), start=1)
    ]
    ids = ulids(milliseconds(now), entropy)
    since = now.astimezone(HERE).date().isoformat()
    households: dict[str, list[Doc]] = {}
    for one in plan.new:
        place = {key: text for key, text in (("house", one.house), ("lane", one.lane)) if text}
        households.setdefault(f"hamlet-{one.hamlet}", []).append(
            {
                "_id": f"household:{next(ids)}",
                "type": "household",
                "v": 1,
                "by": author.by,
                "stamps": {"*": next(stamps)},
                "name": one.name,
                **({"place": place} if place else {}),
                "order": one.order,
                "status": {"is": "resident", "since": since},
            }
        )
    return new_hamlets, households


async def apply(
    plan: Plan,
    author: Author,
    now: datetime,
    entropy: Entropy,
    writer: Writer,
    *,
    hamlets: int,
    progress: Progress = lambda _stage, _done, _of: None,
) -> int:
    """Write a plan; how many households were made. Raises `Blocked`."""
    new_hamlets, households = documents(plan, author, now, entropy, hamlets=hamlets)
    progress("write", 0, len(plan.new))
    if new_hamlets:
        await writer.add_hamlets(new_hamlets)
    if households:
        await writer.add(households)
    progress("write", len(plan.new), len(plan.new))
    return len(plan.new)


def _stamps(device: str, ms: int) -> Iterator[str]:
    last: Stamp | None = None
    while True:
        last = advance(last, ms, device)
        yield str(last)
