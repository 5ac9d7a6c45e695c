"""The households of a hamlet, or of all: searched, filtered, sorted by name, in pages.

What is searched for may be a person's name, so it never stands in an address: the form is posted, the text
stays with the browser (a cookie until it closes), and the list is read with it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Case, Connection, Select, and_, case, func, or_, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.names import fold
from server.office.desk import Desk, own_address
from server.office.places import Campaign, Hamlet, current, hamlets
from server.rows import tables
from server.rows.engine import table

PAGE = 50
SEARCH_COOKIE = "camket_search"
TABS = ("all", "signed", "visited", "open", "uncounted")
TONES = {"signed": "state-good", "acknowledged": "state-warn", "visited": "state-warn"}

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)


@dataclass(frozen=True, slots=True)
class Listed:
    """A household in the list. `outcome`: signed, acknowledged (touch that does not count), visited, open."""

    href: str
    name: str
    hamlet_name: str
    place: str
    status: str
    outcome: str
    tone: str
    last_at: str | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter of the list."""

    text: str
    href: str
    current: bool


async def show_all(desk: Desk) -> Response:
    """The households of every hamlet."""
    return await _show(desk, None)


async def show_hamlet(desk: Desk) -> Response:
    """The households of one hamlet."""
    return await _show(desk, desk.path("hamlet"))


async def search(desk: Desk) -> Response:
    """Keep what is searched for with the browser, and go (back) to the list from its first page."""
    back = own_address(desk.text("back")).split("?")[0]
    listed = back == "/office/households" or back.startswith("/office/hamlets/")
    response = desk.to(back if listed else "/office/households")
    desk.keep(response, SEARCH_COOKIE, "" if desk.text("clear") else desk.text("q", 80))
    return response


async def _show(desk: Desk, chosen: str | None) -> Response:
    query, tab = desk.kept(SEARCH_COOKIE)[:80], desk.request.query_params.get("show", "all")
    tab = tab if tab in TABS else "all"
    held = desk.signed_in.grant.hamlets

    def work(rows: Connection) -> tuple[dict[str, Hamlet], Campaign | None, int, list[Listed], int]:
        known = hamlets(rows, held)
        campaign = current(rows)
        among = [hamlet for hamlet in known if chosen in (None, hamlet)]
        asked = select_households(among, campaign, tab, query)
        count = rows.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        return known, campaign, count, _page(rows, asked, number, known), number

    known, campaign, count, found, number = await desk.read(work)
    if chosen is not None and chosen not in known:
        raise HTTPException(404)
    base = f"/office/hamlets/{chosen}" if chosen else "/office/households"
    return await desk.render(
        "households.html",
        "households",
        heading=known[chosen].name if chosen else desk.words.say("office.households.title"),
        hamlet=chosen,
        summary=campaign.name if campaign else "",
        query=query,
        tabs=[Tab(desk.words.say(f"office.tab.{t}"), f"{base}?show={t}", t == tab) for t in TABS],
        found=found,
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, base, show=tab),
    )


def select_households(
    among: Collection[str], campaign: Campaign | None, tab: str, query: str
) -> Select[tuple[object, ...]]:
    """The list as a statement, without order. `query` is matched word by word, without marks or case."""
    outcome = outcome_of(campaign)
    asked = select(
        *(
            _households.c[name]
            for name in ("db", "ulid", "name", "house", "lane", "status", "sort_key", "id")
        ),
        outcome.label("outcome"),
        _pledges.c.last_at,
    ).select_from(
        _households.outerjoin(
            _pledges,
            and_(
                _pledges.c.db == _households.c.db,
                _pledges.c.subject == _households.c.ulid,
                _pledges.c.campaign == (campaign.id if campaign else ""),
            ),
        )
    )
    asked = asked.where(_households.c.db.in_([f"hamlet-{hamlet}" for hamlet in among]))
    for word in fold(query).split():
        asked = asked.where(_households.c.folded.contains(word))
    counted = _households.c.status.in_(campaign.counts if campaign else ())
    match tab:
        case "signed":
            return asked.where(counted, outcome == "signed")
        case "visited":
            return asked.where(counted, or_(outcome == "visited", outcome == "acknowledged"))
        case "open":
            return asked.where(counted, outcome == "open")
        case "uncounted":
            return asked.where(~counted)
    return asked


def outcome_of(campaign: Campaign | None) -> Case[str]:
    """The outcome of a household's pledge as the campaign counts it, in SQL."""
    counts = _pledges.c.signed if campaign and campaign.touch_counts else _pledges.c.on_paper
    return case(
        (counts, "signed"), (_pledges.c.signed, "acknowledged"), (_pledges.c.visited, "visited"), else_="open"
    )


def place_of(house: str, lane: str) -> str:
    """House and lane in one line."""
    return ", ".join(part for part in (house, lane) if part)


def _page(
    rows: Connection, asked: Select[tuple[object, ...]], number: int, known: dict[str, Hamlet]
) -> list[Listed]:
    ordered = asked.order_by(_households.c.sort_key, _households.c.id)
    found = []
    for row in rows.execute(ordered.limit(PAGE).offset((number - 1) * PAGE)):
        hamlet = known[row.db.removeprefix("hamlet-")]
        found.append(
            Listed(
                href=f"/office/households/{hamlet.id}/{row.ulid}",
                name=row.name,
                hamlet_name=hamlet.name,
                place=place_of(row.house, row.lane),
                status=row.status,
                outcome=row.outcome,
                tone=TONES.get(row.outcome, ""),
                last_at=row.last_at,
            )
        )
    return found
