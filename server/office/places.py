"""Hamlets and campaigns as the office's pages need them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from server.rows import tables
from server.rows.engine import table

_hamlets, _campaigns = table(tables.HamletRow), table(tables.CampaignRow)


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A hamlet by its id; `name` begins with the word for its kind: "Thôn Nà Lại"."""

    id: str
    name: str

    @property
    def db(self) -> str:
        """The database of its documents."""
        return f"hamlet-{self.id}"


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is pledged when, and how it is counted (schemas/campaign.json)."""

    id: str
    name: str
    starts: str
    ends: str
    target: int
    counts: tuple[str, ...]
    touch_counts: bool
    clauses: int
    notice: int
    state: str


def hamlets(rows: Connection, among: Collection[str] | None = None) -> dict[str, Hamlet]:
    """Active hamlets in the order of the commune's lists, by id; `among` leaves out all others."""
    asked = select(_hamlets).where(_hamlets.c.state == "active").order_by(_hamlets.c.place, _hamlets.c.hamlet)
    found = (_hamlet(row) for row in rows.execute(asked))
    return {hamlet.id: hamlet for hamlet in found if among is None or hamlet.id in among}


def merged(rows: Connection) -> dict[str, Hamlet]:
    """Hamlets that were merged away or split, by id: they may stand again."""
    asked = select(_hamlets).where(_hamlets.c.state != "active").order_by(_hamlets.c.place, _hamlets.c.hamlet)
    return {hamlet.id: hamlet for hamlet in map(_hamlet, rows.execute(asked))}


def hamlet_of(rows: Connection, hamlet: str) -> Hamlet | None:
    """One hamlet, merged ones too."""
    found = rows.execute(select(_hamlets).where(_hamlets.c.hamlet == hamlet)).one_or_none()
    return _hamlet(found) if found else None


def names(hamlets: Mapping[str, Hamlet], ids: Collection[str]) -> str:
    """The hamlets of a person in one line."""
    return ", ".join(hamlet.name for hamlet in hamlets.values() if hamlet.id in ids)


def campaigns(rows: Connection) -> list[Campaign]:
    """All campaigns: the open ones first, then the latest."""
    found = [_campaign(row) for row in rows.execute(select(_campaigns))]
    found.sort(key=lambda campaign: (campaign.state == "open", campaign.starts, campaign.id), reverse=True)
    return found


def current(rows: Connection) -> Campaign | None:
    """The campaign that the pages count: the latest open one, else the latest."""
    return next(iter(campaigns(rows)), None)


def named(kind: str, name: str) -> str:
    """A hamlet's name as pages say it: "Thôn Nà Lại"."""
    return f"{kind[:1].upper()}{kind[1:]} {name}"


def _hamlet(row: Row[tuple[object, ...]]) -> Hamlet:
    return Hamlet(row.hamlet, named(row.kind, row.name))


def _campaign(row: Row[tuple[object, ...]]) -> Campaign:
    return Campaign(
        row.campaign,
        row.name,
        row.starts,
        row.ends,
        row.target,
        tuple(row.counts),
        row.touch_counts,
        row.clauses,
        row.notice,
        row.state,
    )
