"""The first page: coverage of each hamlet against the campaign's target."""

from sqlalchemy import Connection, case, func, select
from starlette.responses import Response

from server.auth.grant import Role
from server.office import shares, units
from server.office.desk import Desk
from server.office.households import outcome_of
from server.office.places import Campaign, Hamlet, current, hamlets
from server.office.shares import Count
from server.rows import tables
from server.rows.engine import table

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)


async def show(desk: Desk) -> Response:
    """The table. Observers see totals as outsiders do, and no way down to a household."""
    grant = desk.signed_in.grant
    among = grant.hamlets if grant.role.staff else None

    def work(rows: Connection) -> tuple[Campaign | None, list[Count], list[units.Counted]]:
        campaign, known = current(rows), hamlets(rows, among)
        if campaign is None:
            return None, [], []
        return campaign, count(rows, campaign, known), units.count(rows, campaign, known)

    campaign, counts, of_units = await desk.read(work)
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
        may_search=grant.role.staff,
        may_import=grant.role is Role.ADMIN,
    )


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
