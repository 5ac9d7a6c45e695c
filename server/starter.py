"""What a new installation begins with: one campaign with its clauses and its notice, for staff to change.

The law gives no form for a household's pledge; these are drafts in the words of communes' own (see the
catalogue), dated and versioned like any later ones. Without an open campaign a phone could record nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from server.auth.grant import COMMUNE
from server.parts import Parts
from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Change
from server.words import HERE, words
from sync.hooks import Caller

_campaigns = table(tables.CampaignRow)

FIRST = 1
"""Version of the first clauses and of the first notice."""


async def furnish(parts: Parts, caller: Caller) -> bool:
    """Write the first campaign where there is none; whether that was so. `caller` is an admin."""
    await parts.follower.catch_up([COMMUNE])
    with readers(parts.rows).begin() as rows:
        if _has_campaign(rows):
            return False
    await parts.scribe.write(caller, {COMMUNE: first_documents(parts.clock())})
    return True


def first_documents(now: datetime) -> list[Change]:
    """The campaign of this year, from today, with clauses and notice."""
    today, said = now.astimezone(HERE).date(), words("vi").say
    campaign: dict[str, Any] = {
        "name": said("starter.campaign", year=today.year),
        "starts": today.isoformat(),
        "ends": f"{today.year}-12-31",
        "target": 90,
        "counts": ["resident", "seasonal_away"],
        "touch_counts": True,
        "clauses": FIRST,
        "notice": FIRST,
        "state": "open",
    }
    return [
        Change(f"clauses:{FIRST}", {"title": said("starter.clauses"), "items": _lines("starter.clause")}),
        Change(f"notice:{FIRST}", {"title": said("starter.notice"), "items": _lines("starter.told")}),
        Change(f"campaign:antq-{today.year}", campaign),
    ]


def _has_campaign(rows: Connection) -> bool:
    return rows.execute(select(_campaigns.c.id).limit(1)).first() is not None


def _lines(prefix: str) -> list[str]:
    """`prefix.1`, `prefix.2` … for as long as the catalogue goes."""
    vi, found = words("vi"), list[str]()
    while vi.knows(f"{prefix}.{len(found) + 1}"):
        found.append(vi.say(f"{prefix}.{len(found) + 1}"))
    return found
