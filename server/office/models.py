"""The register of community models: the list with its two counts, one model, its form."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

import schemas
from server.admission import caller_of
from server.auth.grant import COMMUNE
from server.clock import milliseconds
from server.office import inspections, records
from server.office.desk import Desk
from server.office.forms import day, plain, shown, tidy, whole
from server.office.inspections import today_of
from server.office.places import Hamlet, hamlets
from server.office.records import body_of
from server.office.saving import Saving, save
from server.rows import registers
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.ulids import ulids
from server.words import Words
from sync.merge import CLEARED

BASE = "/office/models"
KINDS: tuple[str, ...] = tuple(schemas.schema("common")["$defs"]["model_type"]["enum"])
STATES: tuple[str, ...] = tuple(schemas.schema("model")["properties"]["state"]["properties"]["is"]["enum"])
TONES = {"active": "state-good", "needs_strengthening": "state-warn", "ended": "state-bad"}
MOST = 9999

_models = table(registers.ModelRow)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a model as it was typed. `rev` is the revision that it was opened on."""

    rev: str = ""
    kind: str = ""
    name: str = ""
    decision_number: str = ""
    decision_date: str = ""
    points: str = "1"
    groups: str = "1"
    state: str = STATES[0]
    since: str = ""
    note: str = ""

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = {}
        if not 1 <= len(self.name) <= 80 or not plain(self.name):
            errors["name"] = "office.form.name"
        if self.kind not in KINDS:
            errors["kind"] = "office.form.choose"
        if self.state not in STATES:
            errors["state"] = "office.form.status"
        errors |= {name: "office.form.count" for name in ("points", "groups") if self._count(name) is None}
        if day(self.since) is None:
            errors["since"] = "office.form.date"
        if bool(self.decision_number) != bool(self.decision_date):
            errors["decision_date" if self.decision_number else "decision_number"] = "office.form.decision"
        elif self.decision_date and day(self.decision_date) is None:
            errors["decision_date"] = "office.form.date"
        if len(self.decision_number) > 40 or not plain(self.decision_number):
            errors["decision_number"] = "office.form.text"
        if len(self.note) > 200 or not plain(self.note):
            errors["note"] = "office.form.text"
        return errors

    def fields(self) -> dict[str, Any]:
        """The fields of the document that the form says, once it is not `wrong`."""
        since, decided = day(self.since), day(self.decision_date)
        assert since
        return {
            "kind": self.kind,
            "name": self.name,
            "decision": {"number": self.decision_number, "date": decided.isoformat()} if decided else CLEARED,
            "points": self._count("points"),
            "groups": self._count("groups"),
            "state": {"is": self.state, "since": since.isoformat()},
            "note": self.note or CLEARED,
        }

    def _count(self, name: str) -> int | None:
        return whole(getattr(self, name), MOST)


def form_of(rev: str, body: Mapping[str, Any]) -> Form:
    """The form with a document's values."""
    decision, state = body.get("decision", {}), body["state"]
    return Form(
        rev,
        body["kind"],
        body["name"],
        decision.get("number", ""),
        shown(decision["date"]) if decision else "",
        str(body["points"]),
        str(body["groups"]),
        state["is"],
        shown(state["since"]),
        body.get("note", ""),
    )


# ---- Pages ----------------------------------------------------------------------------------------------


async def show_all(desk: Desk) -> Response:
    """The register, filtered by kind and state; điểm and tổ are totalled apart. What has ended stands behind,
    and counts only where it is asked for."""
    said = desk.request.query_params
    kind = said.get("kind", "") if said.get("kind") in KINDS else ""
    state = said.get("state", "") if said.get("state") in STATES else ""

    def work(rows: Connection) -> tuple[list[Row[Any]], dict[str, Hamlet], dict[str, Any]]:
        asked = select(_models).order_by(_models.c.kind, _models.c.sort_key, _models.c.id)
        asked = asked.where(_models.c.kind == kind) if kind else asked
        asked = asked.where(_models.c.state == state) if state else asked
        return list(rows.execute(asked)), hamlets(rows), inspections.last_by_subject(rows)

    found, known, last = await desk.read(work)

    def listed(row: Row[Any]) -> tuple[Row[Any], str, str | None]:
        return row, places_of(row.hamlets, known, desk.words), last.get(f"model:{row.ulid}")

    ended = [row for row in found if row.state == "ended" != state]
    counted = [row for row in found if row.state != "ended" or state == "ended"]
    return await desk.render(
        "models.html",
        "models",
        kinds=[
            ("", desk.words.say("office.model.every_kind")),
            *_options("office.model.kind.", KINDS, desk.words),
        ],
        states=[
            ("", desk.words.say("office.model.every_state")),
            *_options("office.model.state.", STATES, desk.words),
        ],
        kind=kind,
        state=state,
        found=[listed(row) for row in counted],
        ended=[listed(row) for row in ended],
        tones=TONES,
        points=desk.words.number(sum(row.points for row in counted)),
        groups=desk.words.number(sum(row.groups for row in counted)),
        count=desk.words.number(len(counted)),
    )


async def show(desk: Desk) -> Response:
    """One model, with what its inspections came to."""
    row = await _find(desk)

    def work(rows: Connection) -> tuple[dict[str, Hamlet], list[inspections.Line]]:
        known = hamlets(rows)
        return known, inspections.of_subject(rows, f"model:{row.ulid}", known, desk.words)

    known, inspected = await desk.read(work)
    return await desk.render(
        "model.html",
        "models",
        model=row,
        base=f"{BASE}/{row.ulid}",
        choose=await desk.read(lambda rows: records.choice(rows, COMMUNE, row.id)),
        tone=TONES.get(row.state, ""),
        places=places_of(row.hamlets, known, desk.words),
        inspected=inspected,
    )


async def show_new(desk: Desk) -> Response:
    """An empty form."""
    return await _page(desk, None, Form(since=shown(today_of(desk))), [], {})


async def add(desk: Desk) -> Response:
    """A new model."""
    form, places = _typed(desk), desk.texts("hamlets")
    if errors := form.wrong():
        return await _page(desk, None, form, places, errors)
    ulid = next(ulids(milliseconds(desk.now), secrets.token_bytes))
    said = {name: value for name, value in form.fields().items() if value is not CLEARED}
    change = Change(f"model:{ulid}", said | {"hamlets": await _known(desk, places)})
    return await _write(desk, change, f"{BASE}/{ulid}", "model.added")


async def show_edit(desk: Desk) -> Response:
    """The form, with what stands."""
    row = await _find(desk)
    body = await _body(desk, row)
    return await _page(desk, row, form_of(row.rev, body), body["hamlets"], {})


async def correct(desk: Desk) -> Response:
    """Write what the form changed."""
    row = await _find(desk)
    form, places = _typed(desk), desk.texts("hamlets")
    if errors := form.wrong():
        return await _page(desk, row, form, places, errors)
    saving = Saving(
        db=COMMUNE,
        id=row.id,
        fields=form.fields() | {"hamlets": await _known(desk, places)},
        standing=row.rev,
        back=f"{BASE}/{row.ulid}",
        action="model.corrected",
        done="office.flash.saved",
        section="models",
    )
    return await save(desk, saving)


def places_of(ids: list[str], known: Mapping[str, Hamlet], words: Words) -> str:
    """The hamlets of a model in one line; none is the whole commune."""
    return ", ".join(known[one].name if one in known else one for one in ids) or words.say(
        "office.model.everywhere"
    )


async def _find(desk: Desk) -> Row[Any]:
    ulid = desk.path("ulid")
    row = await desk.read(
        lambda rows: rows.execute(select(_models).where(_models.c.ulid == ulid)).one_or_none()
    )
    if row is None:
        raise HTTPException(404)
    return row


async def _body(desk: Desk, row: Row[Any]) -> dict[str, Any]:
    body = await desk.read(lambda rows: body_of(rows, COMMUNE, row.id, row.rev))
    if body is None:
        raise HTTPException(404)
    return body


async def _known(desk: Desk, places: list[str]) -> list[str]:
    """Those of the ids that are hamlets, in the commune's order."""
    return [hamlet for hamlet in await desk.read(hamlets) if hamlet in places]


async def _write(desk: Desk, change: Change, back: str, action: str) -> Response:
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {COMMUNE: [change]})
    except NotTaken as error:
        return desk.to(BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(action, f"{COMMUNE}/{change.id}")
    return desk.to(back, "office.flash.saved")


async def _page(
    desk: Desk,
    row: Row[Any] | None,
    form: Form,
    places: list[str],
    errors: dict[str, str],
) -> Response:
    known = await desk.read(hamlets)
    return await desk.render(
        "model_form.html",
        "models",
        422 if errors else 200,
        action=f"{BASE}/{row.ulid}/edit" if row else f"{BASE}/new",
        back=f"{BASE}/{row.ulid}" if row else BASE,
        new=row is None,
        form=form,
        errors=errors,
        places=places,
        hamlets=list(known.values()),
        kinds=_options("office.model.kind.", KINDS, desk.words),
        states=_options("office.model.state.", STATES, desk.words),
    )


def _options(prefix: str, values: tuple[str, ...], words: Words) -> list[tuple[str, str]]:
    return [(value, words.say(prefix + value)) for value in values]


def _typed(desk: Desk) -> Form:
    texts = {field.name: tidy(desk.text(field.name, 400)) for field in fields(Form)}
    return Form(**texts)
