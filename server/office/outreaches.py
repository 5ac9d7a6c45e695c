"""Outreach: launch points and drives, with how many there were in the year (domain.md, rows 5 and 6)."""

from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.responses import Response

from server.office.desk import Desk
from server.office.inspections import today_of
from server.office.places import Hamlet, hamlets
from server.office.records import people
from server.rows import registers
from server.rows.engine import table

PAGE = 50
Counts = dict[str, tuple[int, int]]
"""How many, and how many people were present, by kind."""

_outreach = table(registers.OutreachRow)


async def show(desk: Desk) -> Response:
    """The list, the latest first; the counts are of this year."""
    held, year = desk.signed_in.grant.hamlets, today_of(desk)[:4]

    def work(
        rows: Connection,
    ) -> tuple[dict[str, Hamlet], dict[str, tuple[int, int]], int, int, list[Row[Any]]]:
        known = hamlets(rows, held)
        here = _outreach.c.db.in_([place.db for place in known.values()])
        counts = {
            row[0]: (row[1], row[2])
            for row in rows.execute(
                select(_outreach.c.kind, func.count(), func.sum(_outreach.c.present))
                .where(here, _outreach.c.date.startswith(year))
                .group_by(_outreach.c.kind)
            )
        }
        count = rows.execute(select(func.count()).select_from(_outreach).where(here)).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        asked = select(_outreach).where(here).order_by(_outreach.c.date.desc(), _outreach.c.id.desc())
        return known, counts, count, number, list(rows.execute(asked.limit(PAGE).offset((number - 1) * PAGE)))

    known, counts, count, number, found = await desk.read(work)
    who, words = await desk.read(people), desk.words
    return await desk.render(
        "outreach.html",
        "models",
        found=[
            (
                row,
                known[row.db.removeprefix("hamlet-")].name,
                ", ".join(words.say("office.topic." + topic) for topic in row.topics),
                who.get(row.by) or words.say("office.somebody"),
                f"/office/review/{row.db.removeprefix('hamlet-')}/{row.id}",
            )
            for row in found
        ],
        year=year,
        figures=[
            (kind, words.number(counts.get(kind, (0, 0))[0]), words.number(counts.get(kind, (0, 0))[1]))
            for kind in ("launch", "drive")
        ],
        count=words.number(count),
        pages=desk.pages(number, count, PAGE, "/office/outreach"),
    )
