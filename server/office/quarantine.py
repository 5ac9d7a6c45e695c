"""Records that could not enter by themselves: to look at. (Releasing them comes with review.)"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.responses import Response

from server.office.desk import Desk
from server.office.places import Hamlet, hamlets
from server.rows import tables
from server.rows.engine import table
from server.words import Words

PAGE = 50
_quarantine, _users, _households = table(tables.Quarantine), table(tables.User), table(tables.HouseholdRow)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A revision in quarantine, in words."""

    record: str
    href: str
    hamlet_name: str
    why: str
    who: str
    received_at: str


async def show(desk: Desk) -> Response:
    """What waits, the oldest first."""
    held = desk.signed_in.grant.hamlets

    def work(rows: Connection) -> tuple[int, int, list[Waiting]]:
        known = hamlets(rows, held)
        asked = select(_quarantine).where(
            _quarantine.c.state == "waiting", _quarantine.c.db.in_([place.db for place in known.values()])
        )
        count = rows.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        page = asked.order_by(_quarantine.c.number).limit(PAGE).offset((number - 1) * PAGE)
        return count, number, [_waiting(rows, row, known, desk.words) for row in rows.execute(page).all()]

    count, number, found = await desk.read(work)
    return await desk.render(
        "quarantine.html",
        "quarantine",
        found=found,
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, "/office/quarantine"),
    )


def _waiting(rows: Connection, row: Row[Any], known: dict[str, Hamlet], words: Words) -> Waiting:
    hamlet = row.db.removeprefix("hamlet-")
    kind, _, rest = row.doc_id.partition(":")
    ulid = rest.rpartition(":")[2]
    there = rows.execute(
        select(_households.c.ulid).where(_households.c.db == row.db, _households.c.ulid == ulid)
    ).first()
    name = rows.execute(select(_users.c.name).where(_users.c.id == (row.user or ""))).scalar()
    return Waiting(
        record=words.say(
            f"office.kind.{kind}" if words.knows(f"office.kind.{kind}") else "office.kind.other"
        ),
        href=f"/office/households/{hamlet}/{ulid}" if there else "",
        hamlet_name=known[hamlet].name,
        why=words.say(f"office.quarantine.because.{row.why}"),
        who=name or words.say("office.somebody"),
        received_at=row.received_at,
    )
