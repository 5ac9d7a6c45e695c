"""What staff write into a household's record: corrections and withdrawals.

Each is a document's write like a phone's (`server.scribe`): checked, archived, merged, sent to the phones.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.clock import instant, milliseconds
from server.office.desk import Desk
from server.office.forms import shown, subject_fields, subject_wrong, tidy
from server.office.record import Pledge, Record, open_record
from server.office.records import body_of
from server.office.saving import Saving, save
from server.scribe import Change, NotTaken
from server.ulids import ulids

STATUSES = ("resident", "seasonal_away", "long_absent", "moved", "dissolved", "entered_in_error")
"""What staff may choose here; `merged_into` comes with finding households that were entered twice."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a household as it was typed. `rev` is the revision that it was opened on."""

    rev: str
    name: str
    house: str
    lane: str
    order: str
    status: str
    since: str

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = subject_wrong(self, STATUSES, "office.form.name")
        if not (self.order.isascii() and self.order.isdecimal() and len(self.order) <= 6):
            errors["order"] = "office.form.order"
        return errors

    def fields(self) -> dict[str, Any]:
        """The fields of the document that the form says, once it is not `wrong`."""
        return {**subject_fields(self), "order": int(self.order)}


def form_of(rev: str, body: Mapping[str, Any]) -> Form:
    """The form with a document's values."""
    place, status = body.get("place", {}), body["status"]
    return Form(
        rev,
        body["name"],
        place.get("house", ""),
        place.get("lane", ""),
        str(body["order"]),
        status["is"],
        shown(status["since"]),
    )


async def show(desk: Desk) -> Response:
    """The form, with what stands."""
    record = await _open_editable(desk)
    await desk.noted("household.viewed", f"{record.db}/{record.id}")
    return await _page(desk, record, form_of(record.household.rev, await _body(desk, record)), {})


async def correct(desk: Desk) -> Response:
    """Write what the form changed, and nothing else of the document."""
    record = await _open_editable(desk)
    form = _typed(desk)
    if errors := form.wrong():
        return await _page(desk, record, form, errors)
    return await save(
        desk,
        Saving(
            db=record.db,
            id=record.id,
            fields=form.fields(),
            standing=record.household.rev,
            back=record.base,
            action="household.corrected",
            done="office.flash.corrected",
            section="households",
        ),
    )


async def withdraw(desk: Desk) -> Response:
    """The household withdrew: one more act, which names the signing that it takes back."""
    record = await open_record(desk)
    change = withdrawal(desk, record.pledges)
    if change is None:
        return desk.to(record.base, "office.flash.withdrawn_already", kind="warn")
    return await _write(desk, record, change, "pledge.withdrawn")


def withdrawal(desk: Desk, pledges: Collection[Pledge]) -> Change | None:
    """The act that takes back the signing which the form names; None where that was done already.

    404 where these pledges hold no such signing.
    """
    asked, target = desk.text("pledge"), desk.text("act")
    pledge = next((pledge for pledge in pledges if pledge.id == asked), None)
    if pledge is None or not any(act["id"] == target and act["kind"] == "signed" for act in pledge.acts):
        raise HTTPException(404)
    if any(act.get("target") == target for act in pledge.acts):
        return None
    act = {
        "id": next(ulids(milliseconds(desk.now), secrets.token_bytes)),
        "at": instant(desk.now),
        "by": desk.user,
        "kind": "withdrawn",
        "target": target,
    }
    return Change(pledge.id, {"acts": [act]})


async def _open_editable(desk: Desk) -> Record:
    """The record; one that was merged into another is not corrected any more."""
    record = await open_record(desk)
    if record.household.status == "merged_into":
        raise HTTPException(404)
    return record


async def _write(desk: Desk, record: Record, change: Change, action: str) -> Response:
    """Write, note it, and go back to the record with a word about what was done (or why not)."""
    caller = caller_of(desk.signed_in.grant, desk.words)
    try:
        await desk.parts.scribe.write(caller, {record.db: [change]})
    except NotTaken as error:
        return desk.to(record.base, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(action, f"{record.db}/{change.id}")
    return desk.to(record.base, f"office.flash.{action.partition('.')[2]}")


async def _body(desk: Desk, record: Record) -> Mapping[str, Any]:
    body = await desk.read(lambda rows: body_of(rows, record.db, record.id, record.household.rev))
    if body is None:
        raise HTTPException(404)
    return body


async def _page(desk: Desk, record: Record, form: Form, errors: dict[str, str]) -> Response:
    return await desk.render(
        "edit.html",
        "households",
        422 if errors else 200,
        hamlet=record.hamlet,
        base=record.base,
        form=form,
        errors=errors,
        statuses=[(status, desk.words.say(f"office.status.{status}")) for status in STATUSES],
    )


def _typed(desk: Desk) -> Form:
    texts = {name: tidy(desk.text(name)) for name in ("name", "house", "lane", "order", "status", "since")}
    return Form(rev=desk.text("rev", 60), **texts)
