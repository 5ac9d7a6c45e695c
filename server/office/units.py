"""Agencies, enterprises and schools: the list with who has pledged, one unit, its form.

Circular 124 counts a unit that is in its scope (domain.md: no small enterprise, no primary school); others
may pledge too, and stand beside the count.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

import schemas
from server import past
from server.admission import caller_of
from server.clock import milliseconds
from server.office import inspections, record, records
from server.office.desk import Desk
from server.office.edit import withdrawal
from server.office.forms import shown, subject_fields, subject_wrong, tidy
from server.office.households import TONES, Tab, outcome_of, place_of
from server.office.ink import Ink
from server.office.inspections import Line, today_of
from server.office.places import Campaign, Hamlet, campaigns, current, hamlet_of, hamlets
from server.office.record import Pledge
from server.office.records import body_of
from server.office.saving import Saving, save
from server.rows import registers, tables
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.ulids import ulids
from server.words import Words
from sync.merge import CLEARED

BASE, PAGE = "/office/units", 50
TABS = ("all", "signed", "visited", "open", "uncounted")
_SCHEMA = schemas.schema("unit")["properties"]
KINDS: tuple[str, ...] = tuple(_SCHEMA["kind"]["enum"])
STATUSES: tuple[str, ...] = tuple(_SCHEMA["status"]["properties"]["is"]["enum"])

_units, _pledges = table(registers.UnitRow), table(tables.PledgeRow)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a unit as it was typed. `rev` is the revision that it was opened on."""

    rev: str = ""
    name: str = ""
    kind: str = ""
    in_scope: str = ""
    house: str = ""
    lane: str = ""
    status: str = STATUSES[0]
    since: str = ""

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = subject_wrong(self, STATUSES, "office.form.unit_name")
        if self.kind not in KINDS:
            errors["kind"] = "office.form.choose"
        if self.in_scope not in {"yes", "no"}:
            errors["in_scope"] = "office.form.choose"
        return errors

    def fields(self) -> dict[str, Any]:
        """The fields of the document that the form says, once it is not `wrong`."""
        return {**subject_fields(self), "kind": self.kind, "in_scope": self.in_scope == "yes"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A unit with its pledges, as `record.pledges_shown` wants them."""

    hamlet: Hamlet
    unit: Row[Any]
    pledges: tuple[Pledge, ...]
    inks: Mapping[str, Ink]
    people: Mapping[str, str]
    campaigns: tuple[Campaign, ...]
    inspected: tuple[Line, ...]
    in_review: tuple[records.Shown, ...]

    @property
    def base(self) -> str:
        """The address of its page."""
        return href(self.hamlet.id, self.unit.ulid)


@dataclass(frozen=True, slots=True)
class Counted:
    """The units of one kind that are in scope and active: how many there are, how many have signed."""

    kind: str
    counted: int
    signed: int


def href(hamlet: str, ulid: str) -> str:
    """The address of a unit's page."""
    return f"{BASE}/{hamlet}/{ulid}"


# ---- The list -------------------------------------------------------------------------------------------


async def show_all(desk: Desk) -> Response:
    """The units of every hamlet, filtered by outcome, kind and hamlet, by name."""
    said, held = desk.request.query_params, desk.signed_in.grant.hamlets
    tab = said.get("show", "") if said.get("show") in TABS else "all"
    kind = said.get("kind", "") if said.get("kind") in KINDS else ""

    def work(rows: Connection) -> tuple[dict[str, Hamlet], str, Campaign | None, int, int, list[Row[Any]]]:
        known, campaign = hamlets(rows, held), current(rows)
        chosen = said.get("hamlet", "") if said.get("hamlet") in known else ""
        asked = select_units([one for one in known if chosen in {"", one}], campaign, tab, kind)
        count = rows.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        ordered = asked.order_by(_units.c.sort_key, _units.c.id)
        found = list(rows.execute(ordered.limit(PAGE).offset((number - 1) * PAGE)))
        return known, chosen, campaign, count, number, found

    known, chosen, campaign, count, number, found = await desk.read(work)
    kept = {name: value for name, value in (("kind", kind), ("hamlet", chosen)) if value}
    say = desk.words.say
    tabs = [
        Tab(say(f"office.tab.{one}"), desk.pages(1, 0, 1, BASE, **kept, show=one).href(1), one == tab)
        for one in TABS
    ]
    return await desk.render(
        "units.html",
        "models",
        summary=campaign.name if campaign else "",
        tabs=tabs,
        tab=tab,
        kind=kind,
        kinds=[("", say("office.unit.every_kind")), *_kinds(desk.words)],
        hamlet=chosen,
        hamlets=[("", say("office.review.every_hamlet"))] + [(one.id, one.name) for one in known.values()],
        found=[
            (
                row,
                href(row.db.removeprefix("hamlet-"), row.ulid),
                known[row.db.removeprefix("hamlet-")].name,
                place_of(row.house, row.lane),
                TONES.get(row.outcome, ""),
            )
            for row in found
        ],
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, BASE, **kept, show=tab),
    )


def select_units(
    among: Collection[str], campaign: Campaign | None, tab: str, kind: str
) -> Select[tuple[object, ...]]:
    """The list as a statement, without order."""
    outcome = outcome_of(campaign)
    asked = select(*_units.c, outcome.label("outcome"), _pledges.c.last_at).select_from(
        _with_pledge(campaign)
    )
    asked = asked.where(_units.c.db.in_([f"hamlet-{hamlet}" for hamlet in among]))
    if kind:
        asked = asked.where(_units.c.kind == kind)
    counted = and_(_units.c.in_scope, _units.c.status == "active")
    match tab:
        case "signed" | "open":
            return asked.where(counted, outcome == tab)
        case "visited":
            return asked.where(counted, outcome.in_(("visited", "acknowledged")))
        case "uncounted":
            return asked.where(~counted)
    return asked


def count(rows: Connection, campaign: Campaign, among: Collection[str]) -> list[Counted]:
    """Those that Circular 124 counts, by kind; a kind that the commune has none of is left out."""
    counted = select_units(among, campaign, "all", "").where(_units.c.in_scope, _units.c.status == "active")
    found = counted.subquery()
    asked = select(
        found.c.kind,
        func.count().label("counted"),
        func.count().filter(found.c.outcome == "signed").label("signed"),
    ).group_by(found.c.kind)
    by_kind = {row.kind: Counted(row.kind, row.counted, row.signed) for row in rows.execute(asked)}
    return [by_kind[kind] for kind in KINDS if kind in by_kind]


def count_on(rows: Connection, campaign: Campaign, day: date) -> list[Counted]:
    """The same at the end of a past day."""
    counted, signed = Counter[str](), Counter[str]()
    for kind, one in past.units(rows, campaign.id, day):
        if one.status == "active":
            counted[kind] += 1
            signed[kind] += one.has_signed(touch_counts=campaign.touch_counts)
    return [Counted(kind, counted[kind], signed[kind]) for kind in KINDS if kind in counted]


# ---- One unit -------------------------------------------------------------------------------------------


async def show(desk: Desk) -> Response:
    """What it is, what it pledged, how it was inspected, and where its records stand in review."""
    opened = await _open(desk)
    await desk.noted("unit.viewed", f"{opened.unit.db}/{opened.unit.id}")
    return await desk.render(
        "unit.html",
        "models",
        unit=opened.unit,
        hamlet=opened.hamlet,
        base=opened.base,
        place=place_of(opened.unit.house, opened.unit.lane),
        pledges=record.pledges_shown(opened, desk.words),
        inspected=opened.inspected,
        in_review=[(row, records.TONES.get(row.state, "")) for row in opened.in_review],
    )


async def withdraw(desk: Desk) -> Response:
    """The unit withdrew: one more act, which names the signing that it takes back."""
    opened = await _open(desk)
    change = withdrawal(desk, opened.pledges)
    if change is None:
        return desk.to(opened.base, "office.flash.withdrawn_already", kind="warn")
    return await _write(desk, opened.hamlet, change, "pledge.withdrawn")


async def show_new(desk: Desk) -> Response:
    """An empty form."""
    return await _page(desk, None, Form(since=shown(today_of(desk))), {})


async def add(desk: Desk) -> Response:
    """A new unit."""
    form, chosen = _typed(desk), desk.text("hamlet", 20)
    known = await desk.read(lambda rows: hamlets(rows, desk.signed_in.grant.hamlets))
    errors = form.wrong() | ({} if chosen in known else {"hamlet": "office.form.choose"})
    if errors:
        return await _page(desk, None, form, errors)
    ulid = next(ulids(milliseconds(desk.now), secrets.token_bytes))
    said = {name: value for name, value in form.fields().items() if value is not CLEARED}
    return await _write(desk, known[chosen], Change(f"unit:{ulid}", said), "unit.added")


async def show_edit(desk: Desk) -> Response:
    """The form, with what stands."""
    opened = await _open(desk)
    return await _page(desk, opened, form_of(opened.unit.rev, await _body(desk, opened)), {})


async def correct(desk: Desk) -> Response:
    """Write what the form changed."""
    opened, form = await _open(desk), _typed(desk)
    if errors := form.wrong():
        return await _page(desk, opened, form, errors)
    saving = Saving(
        db=opened.hamlet.db,
        id=opened.unit.id,
        fields=form.fields(),
        standing=opened.unit.rev,
        back=opened.base,
        action="unit.corrected",
        done="office.flash.saved",
        section="models",
    )
    return await save(desk, saving)


def form_of(rev: str, body: Mapping[str, Any]) -> Form:
    """The form with a document's values."""
    place, status = body.get("place", {}), body["status"]
    return Form(
        rev,
        body["name"],
        body["kind"],
        "yes" if body["in_scope"] else "no",
        place.get("house", ""),
        place.get("lane", ""),
        status["is"],
        shown(status["since"]),
    )


def find(rows: Connection, hamlet: str, ulid: str, words: Words) -> Opened | None:
    """Read a unit, or None."""
    db, place = f"hamlet-{hamlet}", hamlet_of(rows, hamlet)
    unit = rows.execute(select(_units).where(_units.c.db == db, _units.c.ulid == ulid)).one_or_none()
    if unit is None or place is None:
        return None
    pledges = record.pledges_of(rows, db, ulid)
    strokes = [act["signature"] for pledge in pledges for act in pledge.acts if "signature" in act]
    return Opened(
        hamlet=place,
        unit=unit,
        pledges=pledges,
        inks=record.inks_of(rows, db, strokes),
        people=records.people(rows),
        campaigns=tuple(campaigns(rows)),
        inspected=tuple(inspections.of_subject(rows, unit.id, hamlets(rows), words)),
        in_review=tuple(records.from_the_field(rows, hamlet, [unit.id, *(one.id for one in pledges)])),
    )


async def _open(desk: Desk) -> Opened:
    """The unit that the address names; 404 where there is none, or not for this person."""
    hamlet, ulid = desk.path("hamlet"), desk.path("ulid")
    found = None
    if hamlet in desk.signed_in.grant.hamlets:
        found = await desk.read(lambda rows: find(rows, hamlet, ulid, desk.words))
    if found is None:
        raise HTTPException(404)
    return found


async def _body(desk: Desk, opened: Opened) -> Mapping[str, Any]:
    unit = opened.unit
    body = await desk.read(lambda rows: body_of(rows, unit.db, unit.id, unit.rev))
    if body is None:
        raise HTTPException(404)
    return body


async def _write(desk: Desk, hamlet: Hamlet, change: Change, action: str) -> Response:
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {hamlet.db: [change]})
    except NotTaken as error:
        return desk.to(BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(action, f"{hamlet.db}/{change.id}")
    said = "withdrawn" if action == "pledge.withdrawn" else "saved"
    return desk.to(href(hamlet.id, change.id.rpartition(":")[2]), f"office.flash.{said}")


async def _page(desk: Desk, opened: Opened | None, form: Form, errors: dict[str, str]) -> Response:
    known = await desk.read(lambda rows: hamlets(rows, desk.signed_in.grant.hamlets))
    say = desk.words.say
    choose = ("", say("office.import.choose"))
    return await desk.render(
        "unit_form.html",
        "models",
        422 if errors else 200,
        action=f"{opened.base}/edit" if opened else f"{BASE}/new",
        back=opened.base if opened else BASE,
        new=opened is None,
        form=form,
        errors=errors,
        hamlet=desk.text("hamlet", 20),
        hamlets=[choose, *((one.id, one.name) for one in known.values())],
        kinds=[choose, *_kinds(desk.words)],
        scopes=[choose, ("yes", say("office.yes")), ("no", say("office.no"))],
        statuses=[(one, say(f"office.unit.status.{one}")) for one in STATUSES],
    )


def _with_pledge(campaign: Campaign | None) -> Any:
    return _units.outerjoin(
        _pledges,
        and_(
            _pledges.c.db == _units.c.db,
            _pledges.c.subject == _units.c.ulid,
            _pledges.c.campaign == (campaign.id if campaign else ""),
        ),
    )


def _kinds(words: Words) -> list[tuple[str, str]]:
    return [(kind, words.say(f"office.unit.kind.{kind}")) for kind in KINDS]


def _typed(desk: Desk) -> Form:
    return Form(**{field.name: tidy(desk.text(field.name, 400)) for field in fields(Form)})
