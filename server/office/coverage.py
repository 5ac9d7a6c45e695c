"""The first page: coverage of each hamlet against the campaign's target, now or at the end of a past day."""

from collections import Counter
from datetime import date

from sqlalchemy import Connection, case, func, select
from starlette.responses import Response

from server import past
from server.auth.grant import Role
from server.office import shares, units
from server.office.desk import Desk
from server.office.forms import day as day_of
from server.office.households import outcome_of
from server.office.places import Campaign, Hamlet, current, hamlets, named
from server.office.shares import Count
from server.rows import tables
from server.rows.engine import table
from server.words import HERE

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)


async def show(desk: Desk) -> Response:
    """The table. Observers see totals as outsiders do, and no way down to a household."""
    grant, typed = desk.signed_in.grant, desk.request.query_params.get("day", "")[:10]
    among = grant.hamlets if grant.role.staff else None
    day = day_of(typed)
    wrong = bool(typed) and (day is None or day > desk.now.astimezone(HERE).date())
    day = None if wrong or day == desk.now.astimezone(HERE).date() else day

    def work(
        rows: Connection,
    ) -> tuple[Campaign | None, dict[str, Hamlet], list[Count], list[units.Counted]]:
        campaign, known = current(rows), hamlets(rows, among)
        if campaign is None:
            return None, known, [], []
        if day is not None:
            return campaign, known, count_on(rows, campaign, day), units.count_on(rows, campaign, day)
        return campaign, known, count(rows, campaign, known), units.count(rows, campaign, known)

    campaign, known, counts, of_units = await desk.read(work)
    table = None
    if campaign:
        outside = not grant.role.staff
        table = shares.table(counts, campaign.target, campaign.counts, desk.words, outside=outside)
    return await desk.render(
        "coverage.html",
        "home",
        campaign=campaign,
        table=table,
        units=of_units,
        now=desk.now,
        day=day,
        typed=typed,
        errors={"day": "office.coverage.day_wrong"} if wrong else {},
        listed=known if grant.role.staff else (),
        may_search=grant.role.staff,
        may_import=grant.role is Role.ADMIN,
    )


def count_on(rows: Connection, campaign: Campaign, day: date) -> list[Count]:
    """The figures at the end of a past day, by the hamlets of that day under the names that they had."""
    counted, signed, visited = Counter[str](), Counter[str](), Counter[str]()
    for one in past.households(rows, campaign.id, day):
        if one.status in campaign.counts:
            counts = one.has_signed(touch_counts=campaign.touch_counts)
            counted[one.db] += 1
            signed[one.db] += counts
            visited[one.db] += not counts and (one.signed or one.visited)
    there = [(Hamlet(one.id, named(one.kind, one.name)), one.active) for one in past.hamlets(rows, day)]
    return [
        Count(one.id, one.name, counted[one.db], signed[one.db], visited[one.db])
        for one, active in there
        if active or counted[one.db]
    ]


def count(rows: Connection, campaign: Campaign, among: dict[str, Hamlet]) -> list[Count]:
    """The figures of each hamlet, in the order of the commune's lists."""
    outcome = outcome_of(campaign)
    asked = (
        select(
            _households.c.db,
            func.count().label("counted"),
            func.sum(case((outcome == "signed", 1), else_=0)).label("signed"),
            func.sum(case((outcome.in_(("visited", "acknowledged")), 1), else_=0)).label("visited"),
        )
        .select_from(
            _households.outerjoin(
                _pledges,
                (_pledges.c.db == _households.c.db)
                & (_pledges.c.subject == _households.c.ulid)
                & (_pledges.c.campaign == campaign.id),
            )
        )
        .where(_households.c.status.in_(campaign.counts))
        .group_by(_households.c.db)
    )
    found = {row.db: row for row in rows.execute(asked)}
    return [
        Count(hamlet.id, hamlet.name, row.counted, int(row.signed), int(row.visited))
        if (row := found.get(hamlet.db))
        else Count(hamlet.id, hamlet.name, 0, 0, 0)
        for hamlet in among.values()
    ]
