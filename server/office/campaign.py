"""What is pledged, when, and how it is counted: to read, and for admins to edit after a preview.

The preview says what would change and what the commune's share would be, before anything is written. Signed
acts name the versions that they were signed with, so a campaign that moves on leaves them as they are.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

import schemas
from server.admission import caller_of
from server.auth.grant import COMMUNE, Role
from server.office import coverage, records, said
from server.office.checklists import slug_of
from server.office.desk import Desk
from server.office.facts import Difference
from server.office.forms import day, plain, shown, tidy, whole
from server.office.places import Campaign, campaigns, hamlets
from server.office.saving import Saving, known_of, save
from server.rows import tables
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.words import Words, local_day

BASE = "/office/campaign"
_SCHEMA = schemas.schema("campaign")["properties"]
COUNTS: tuple[str, ...] = tuple(_SCHEMA["counts"]["items"]["enum"])
STATES: tuple[str, ...] = tuple(_SCHEMA["state"]["enum"])

_wordings, _campaigns = table(tables.WordingRow), table(tables.CampaignRow)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a campaign as it was typed. `rev` is the revision that it was opened on."""

    rev: str = ""
    name: str = ""
    starts: str = ""
    ends: str = ""
    target: str = ""
    counts: tuple[str, ...] = ()
    touch_counts: str = "no"
    clauses: str = ""
    notice: str = ""
    state: str = STATES[0]

    def wrong(self, versions: dict[str, list[int]]) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words. `versions` are those that there are."""
        errors = {}
        if not 1 <= len(self.name) <= 80 or not plain(self.name):
            errors["name"] = "office.form.title"
        starts, ends = day(self.starts), day(self.ends)
        errors |= {
            name: "office.form.date" for name, one in (("starts", starts), ("ends", ends)) if one is None
        }
        if starts and ends and ends < starts:
            errors["ends"] = "office.form.days"
        if not 1 <= (whole(self.target, 100) or 0) <= 100:
            errors["target"] = "office.form.percent"
        if not self.counts:
            errors["counts"] = "office.form.choose"
        if self.state not in STATES:
            errors["state"] = "office.form.choose"
        if self.touch_counts not in {"yes", "no"}:
            errors["touch_counts"] = "office.form.choose"
        for kind in ("clauses", "notice"):
            if whole(getattr(self, kind), 9999) not in versions[kind]:
                errors[kind] = "office.form.choose"
        return errors

    def fields(self) -> dict[str, Any]:
        """The fields of the document that the form says, once it is not `wrong`."""
        starts, ends = day(self.starts), day(self.ends)
        assert starts
        assert ends
        return {
            "name": self.name,
            "starts": starts.isoformat(),
            "ends": ends.isoformat(),
            "target": int(self.target),
            "counts": [status for status in COUNTS if status in self.counts],
            "touch_counts": self.touch_counts == "yes",
            "clauses": int(self.clauses),
            "notice": int(self.notice),
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """What a form would do: the fields that change, and the share of the commune now and then."""

    changes: tuple[Difference, ...]
    share: tuple[str, str]


async def show(desk: Desk) -> Response:
    """Every campaign, with its clauses and its notice."""
    found = await desk.read(lambda rows: [_shown(rows, one, desk.words) for one in campaigns(rows)])
    may_edit = desk.signed_in.role is Role.ADMIN
    return await desk.render("campaign.html", "campaign", campaigns=found, may_edit=may_edit)


async def show_new(desk: Desk) -> Response:
    """The form of another campaign: what the newest one says, from today to the end of the year."""
    newest = next(iter(await desk.read(campaigns)), None)
    form = _form_of("", newest) if newest else Form()
    today = local_day(desk.now)
    last = f"31/12/{today.year}"
    form = replace(form, name="", state=STATES[0], starts=shown(today.isoformat()), ends=last)
    return await _page(desk, None, form, {})


async def edit_new(desk: Desk) -> Response:
    """A preview of another campaign, or the campaign."""
    form = _typed(desk)
    if errors := form.wrong(await desk.read(versions)):
        return await _page(desk, None, form, errors)
    if desk.text("do") != "save":
        return await _page(desk, None, form, {}, await _effect(desk, None, form))
    held = {one.id for one in await desk.read(campaigns)}
    change = Change(f"campaign:{slug_of(form.name, held, most=26)}", form.fields())
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {COMMUNE: [change]})
    except NotTaken as error:
        return desk.to(BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted("campaign.added", f"{COMMUNE}/{change.id}")
    return desk.to(BASE, "office.flash.saved")


async def show_edit(desk: Desk) -> Response:
    """The form, with what stands."""
    row = await _find(desk)
    return await _page(desk, row, _form_of(row.rev, row), {})


async def edit(desk: Desk) -> Response:
    """A preview of what the form would change, or the change."""
    row, form = await _find(desk), _typed(desk)
    if errors := form.wrong(await desk.read(versions)):
        return await _page(desk, row, form, errors)
    if desk.text("do") != "save":
        return await _page(desk, row, form, {}, await _effect(desk, row, form))
    saving = Saving(
        db=COMMUNE,
        id=row.id,
        fields=form.fields(),
        standing=row.rev,
        back=BASE,
        action="campaign.corrected",
        done="office.flash.saved",
        section="campaign",
    )
    return await save(desk, saving)


def versions(rows: Connection) -> dict[str, list[int]]:
    """The versions that there are of clauses and notice, the newest first."""
    found: dict[str, list[int]] = {"clauses": [], "notice": []}
    for row in rows.execute(select(_wordings).order_by(_wordings.c.version.desc())):
        found[row.kind].append(row.version)
    return found


def wording(rows: Connection, kind: str, version: int) -> Row[Any] | None:
    """One version of the clauses or of the notice."""
    asked = select(_wordings).where(_wordings.c.kind == kind, _wordings.c.version == version)
    return rows.execute(asked).one_or_none()


async def _effect(desk: Desk, row: Row[Any] | None, form: Form) -> Effect:
    fields = form.fields()

    def work(rows: Connection) -> Effect:
        known, places = known_of(rows, desk.words), hamlets(rows)
        before = records.body_of(rows, COMMUNE, row.id, form.rev or row.rev) if row else None
        changes = [
            one
            for name, value in fields.items()
            for one in said.differences("campaign", name, (before or {}).get(name), value, known)
        ]

        def share(campaign: Campaign | None) -> str:
            if campaign is None:
                return desk.words.say("office.none")
            counts = coverage.count(rows, campaign, places)
            signed, counted = sum(one.signed for one in counts), sum(one.counted for one in counts)
            percent = desk.words.percent(signed / counted) if counted else desk.words.say("office.none")
            numbers = {"signed": desk.words.number(signed), "counted": desk.words.number(counted)}
            return desk.words.say("office.campaign.share", share=percent, **numbers)

        now = next((one for one in campaigns(rows) if row and one.id == row.campaign), None)
        then = Campaign(id=row.campaign if row else "", **{**fields, "counts": tuple(fields["counts"])})
        return Effect(tuple(changes), (share(now), share(then)))

    return await desk.read(work)


async def _find(desk: Desk) -> Row[Any]:
    asked = select(_campaigns).where(_campaigns.c.campaign == desk.path("campaign"))
    row = await desk.read(lambda rows: rows.execute(asked).one_or_none())
    if row is None:
        raise HTTPException(404)
    return row


async def _page(
    desk: Desk, row: Row[Any] | None, form: Form, errors: dict[str, str], effect: Effect | None = None
) -> Response:
    say, there = desk.words.say, await desk.read(versions)
    return await desk.render(
        "campaign_form.html",
        "campaign",
        422 if errors else 200,
        action=f"{BASE}/{row.campaign}/edit" if row else f"{BASE}/new",
        new=row is None,
        form=form,
        errors=errors,
        effect=effect,
        counts=[(status, say(f"office.status.{status}")) for status in COUNTS],
        states=[(state, say(f"office.campaign.{state}")) for state in STATES],
        yes_no=[("yes", say("office.yes")), ("no", say("office.no"))],
        versions={
            kind: [(str(one), say("office.campaign.version", version=one)) for one in found]
            for kind, found in there.items()
        },
    )


def _form_of(rev: str, campaign: Any) -> Form:
    """The form with a campaign's values, from its row or as the pages know it."""
    return Form(
        rev,
        campaign.name,
        shown(campaign.starts),
        shown(campaign.ends),
        str(campaign.target),
        tuple(campaign.counts),
        "yes" if campaign.touch_counts else "no",
        str(campaign.clauses),
        str(campaign.notice),
        campaign.state,
    )


def _typed(desk: Desk) -> Form:
    names = ("rev", "name", "starts", "ends", "target", "touch_counts", "clauses", "notice", "state")
    texts = {name: tidy(desk.text(name, 400)) for name in names}
    return Form(counts=tuple(one for one in desk.texts("counts") if one in COUNTS), **texts)


def _shown(rows: Connection, campaign: Campaign, words: Words) -> dict[str, Any]:
    wordings = ((kind, wording(rows, kind, getattr(campaign, kind))) for kind in ("clauses", "notice"))
    return {
        "id": campaign.id,
        "name": campaign.name,
        "starts": campaign.starts,
        "ends": campaign.ends,
        "target": campaign.target,
        "counts": ", ".join(words.say(f"office.status.{status}") for status in campaign.counts),
        "touch_counts": campaign.touch_counts,
        "state": campaign.state,
        "wordings": [(kind, one) for kind, one in wordings if one],
    }
