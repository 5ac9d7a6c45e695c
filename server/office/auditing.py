"""The audit log, for admins: who saw, changed and exported what; ids only, and whether the chain is whole."""

from typing import Any

from sqlalchemy import Connection, func, select
from starlette.responses import Response

from server import audit
from server.office.desk import Desk
from server.rows import tables
from server.rows.engine import table
from server.words import Words

BASE, PAGE = "/office/audit", 100
_audit, _users, _devices = table(tables.Audit), table(tables.User), table(tables.Device)


async def show(desk: Desk) -> Response:
    """The newest entries first. Whether the chain is whole is asked for by a button: it reads every row."""

    def work(rows: Connection) -> tuple[int, int, list[dict[str, Any]]]:
        count = rows.execute(select(func.count()).select_from(_audit)).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        asked = select(_audit).order_by(_audit.c.number.desc()).limit(PAGE).offset((number - 1) * PAGE)
        people = _people(rows, desk.words)
        found = [_shown(dict(row), people, desk.words) for row in rows.execute(asked).mappings()]
        return count, number, found

    count, number, found = await desk.read(work)
    return await desk.render(
        "audit.html",
        "audit",
        found=found,
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, BASE),
    )


async def verify(desk: Desk) -> Response:
    """Go over the whole chain."""
    broken = await desk.read(_broken)
    if broken:
        return desk.to(BASE, "office.audit.broken", kind="bad", number=desk.words.number(broken))
    return desk.to(BASE, "office.audit.whole")


def _broken(rows: Connection) -> int:
    try:
        audit.verify(rows)
    except audit.ChainBroken as error:
        return error.number
    return 0


def _people(rows: Connection, words: Words) -> dict[str, str]:
    people = {row.id: row.name for row in rows.execute(select(_users.c.id, _users.c.name))}
    phones = rows.execute(select(_devices.c.id, _devices.c.user)).all()
    people[audit.CONSOLE] = words.say("office.audit.console")
    return people | {row.id: people.get(row.user, "") for row in phones}


def _shown(row: dict[str, Any], people: dict[str, str], words: Words) -> dict[str, Any]:
    key = f"office.did.{row['action'].replace('.', '_')}"
    action = words.say(key) if words.knows(key) else row["action"]
    return {**row, "who": people.get(row["actor"]) or row["actor"], "action": action}
