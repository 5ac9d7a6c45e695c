"""What is pledged, when, how it is counted, and what households are told: to read."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from server.office.desk import Desk
from server.office.places import Campaign, campaigns
from server.rows import tables
from server.rows.engine import table
from server.words import Words

_wordings = table(tables.WordingRow)


async def show(desk: Desk) -> Response:
    """Every campaign, with its clauses and its notice."""
    found = await desk.read(lambda rows: [_shown(rows, one, desk.words) for one in campaigns(rows)])
    return await desk.render("campaign.html", "campaign", campaigns=found)


def _shown(rows: Connection, campaign: Campaign, words: Words) -> dict[str, Any]:
    wordings = (_wording(rows, kind, getattr(campaign, kind)) for kind in ("clauses", "notice"))
    return {
        "id": campaign.id,
        "name": campaign.name,
        "starts": campaign.starts,
        "ends": campaign.ends,
        "target": campaign.target,
        "counts": ", ".join(words.say(f"office.status.{status}") for status in campaign.counts),
        "touch_counts": campaign.touch_counts,
        "state": campaign.state,
        "wordings": [wording for wording in wordings if wording],
    }


def _wording(rows: Connection, kind: str, version: int) -> dict[str, Any] | None:
    asked = select(_wordings).where(_wordings.c.kind == kind, _wordings.c.version == version)
    found = rows.execute(asked).one_or_none()
    return {"title": found.title, "version": found.version, "texts": found.items} if found else None
