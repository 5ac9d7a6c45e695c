"""One household: what it is, what it pledged, and everything that happened to its record."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.office import acts, ink, joined, records, story
from server.office.acts import Act, Who
from server.office.desk import Desk
from server.office.households import TONES
from server.office.places import Campaign, Hamlet, campaigns, hamlet_of
from server.rows import tables
from server.rows.engine import table
from server.words import Words

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)
_acts, _archive, _users = table(tables.ActRow), table(tables.Archive), table(tables.User)
_attention = table(tables.AttentionRow)


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge document as it stands: its id, revision, campaign, and acts in order of their ids."""

    id: str
    rev: str
    campaign: str
    acts: tuple[Act, ...]


class Pledged(Protocol):
    """A household or a unit with its pledges, and what it takes to read them."""

    @property
    def pledges(self) -> tuple[Pledge, ...]: ...
    @property
    def inks(self) -> Mapping[str, ink.Ink]: ...
    @property
    def people(self) -> Mapping[str, str]: ...
    @property
    def campaigns(self) -> tuple[Campaign, ...]: ...


@dataclass(frozen=True, slots=True)
class Record:
    """All that the rows know of one household."""

    db: str
    hamlet: Hamlet
    household: Row[tuple[object, ...]]
    pledges: tuple[Pledge, ...]
    inks: Mapping[str, ink.Ink]
    people: Mapping[str, str]
    campaigns: tuple[Campaign, ...]
    newer: bool = False
    """Whether a later program has written to it, or to a pledge, what cannot be read here."""
    in_review: tuple[records.Shown, ...] = ()
    """Of the record and its pledges, those that staff review."""

    @property
    def id(self) -> str:
        """The document's id."""
        return f"household:{self.household.ulid}"

    @property
    def base(self) -> str:
        """The address of its page."""
        return f"/office/households/{self.hamlet.id}/{self.household.ulid}"


async def show(desk: Desk) -> Response:
    """The page; looking at it is noted in the audit log."""
    if elsewhere := await moved_on(desk):
        return elsewhere
    record = await open_record(desk)
    await desk.noted("household.viewed", f"{record.db}/{record.id}")
    campaign = next(iter(record.campaigns), None)
    into, aliases = await desk.read(lambda rows: joined.others(rows, record.db, record.household))
    return await desk.render(
        "household.html",
        "households",
        hamlet=record.hamlet,
        household=record.household,
        base=record.base,
        into=into,
        aliases=aliases,
        counted=bool(campaign and record.household.status in campaign.counts),
        pledges=pledges_shown(record, desk.words),
        story=await story.tell(desk, record.db, record.id),
        story_href=f"{story.BASE}/{record.hamlet.id}/{record.id}",
        newer=record.newer,
        in_review=[(row, records.TONES.get(row.state, "")) for row in record.in_review],
    )


async def open_record(desk: Desk) -> Record:
    """The household that the address names; 404 where there is none, or not for this person."""
    hamlet, ulid = desk.path("hamlet"), desk.path("ulid")
    record = None
    if hamlet in desk.signed_in.grant.hamlets:
        record = await desk.read(lambda rows: find(rows, hamlet, ulid))
    if record is None:
        raise HTTPException(404)
    return record


async def moved_on(desk: Desk) -> Response | None:
    """On to where a household is that has left the hamlet of the address; None where it has not."""
    hamlet, ulid = desk.path("hamlet"), desk.path("ulid")
    home = await desk.parts.intake.where.home(f"hamlet-{hamlet}", f"household:{ulid}")
    if home is None or hamlet not in desk.signed_in.grant.hamlets:
        return None
    return desk.to(f"/office/households/{home.removeprefix('hamlet-')}/{ulid}")


def find(rows: Connection, hamlet: str, ulid: str) -> Record | None:
    """Read the record, or None."""
    db = f"hamlet-{hamlet}"
    household = rows.execute(
        select(_households).where(_households.c.db == db, _households.c.ulid == ulid)
    ).one_or_none()
    place = hamlet_of(rows, hamlet)
    if household is None or place is None:
        return None
    pledges = pledges_of(rows, db, ulid)
    revisions = {household.id: household.rev, **{pledge.id: pledge.rev for pledge in pledges}}
    return Record(
        db=db,
        hamlet=place,
        household=household,
        pledges=pledges,
        inks=inks_of(rows, db, [act["signature"] for p in pledges for act in p.acts if "signature" in act]),
        people={row.id: row.name for row in rows.execute(select(_users.c.id, _users.c.name))},
        campaigns=tuple(campaigns(rows)),
        newer=_written_by_newer(rows, db, revisions),
        in_review=tuple(records.from_the_field(rows, hamlet, list(revisions))),
    )


# ---- As the page shows it ---------------------------------------------------------------------------------


def pledges_shown(record: Pledged, words: Words) -> list[dict[str, Any]]:
    """The pledges, the current campaign's first; one may be withdrawn while it stands."""
    names = {campaign.id: campaign.name for campaign in record.campaigns}
    order = {campaign.id: number for number, campaign in enumerate(record.campaigns)}
    who = _who(record.people, words)
    found = []
    for pledge in sorted(record.pledges, key=lambda pledge: order.get(pledge.campaign, len(order))):
        outcome = acts.outcome(pledge.acts)
        found.append(
            {
                "id": pledge.id,
                "campaign": names.get(pledge.campaign, pledge.campaign),
                "outcome": outcome,
                "tone": TONES.get(outcome, ""),
                "acts": acts.lines(pledge.acts, who, words, record.inks, may_withdraw=True),
            }
        )
    return found


def _who(people: Mapping[str, str], words: Words) -> Who:
    return lambda user: people.get(user or "") or words.say("office.somebody")


# ---- From the rows ----------------------------------------------------------------------------------------


def pledges_of(rows: Connection, db: str, ulid: str) -> tuple[Pledge, ...]:
    """The pledges of a household or a unit, of every campaign."""
    found = rows.execute(select(_pledges).where(_pledges.c.db == db, _pledges.c.subject == ulid)).all()
    return tuple(Pledge(row.id, row.rev, row.campaign, _acts_of(rows, db, row.id)) for row in found)


def _acts_of(rows: Connection, db: str, pledge: str) -> tuple[Act, ...]:
    asked = select(_acts).where(_acts.c.db == db, _acts.c.doc_id == pledge).order_by(_acts.c.id)
    return tuple(_act(dict(row)) for row in rows.execute(asked).mappings())


def _act(row: dict[str, Any]) -> Act:
    """The act as its document has it (schemas/common.json)."""
    date, sheet = row.pop("meeting_date"), row.pop("sheet")
    act = {name: value for name, value in row.items() if value is not None}
    if date:
        act["meeting"] = {"date": date} | ({"sheet": sheet} if sheet else {})
    return act


def _written_by_newer(rows: Connection, db: str, ids: Collection[str]) -> bool:
    asked = select(_attention.c.id).where(
        _attention.c.db == db, _attention.c.id.in_(ids), _attention.c.why == "newer_version"
    )
    return rows.execute(asked).first() is not None


def inks_of(rows: Connection, db: str, hashes: Collection[str]) -> Mapping[str, ink.Ink]:
    """Those of the signatures whose strokes are here, drawn, by digest."""
    asked = select(_archive.c.id, _archive.c.body).where(
        _archive.c.db == db,
        _archive.c.id.in_([f"signature:{digest}" for digest in hashes]),
        _archive.c.deleted.is_(False),
    )
    return {
        row.id.removeprefix("signature:"): ink.draw(_strokes(json.loads(row.body)))
        for row in rows.execute(asked)
    }


def _strokes(body: Mapping[str, Any]) -> Sequence[Sequence[int]]:
    strokes: Sequence[Sequence[int]] = body["strokes"]
    return strokes
