"""Bulletins: what the office tells its volunteers, on their phones from one day to another."""

import secrets
import unicodedata
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.auth.grant import COMMUNE
from server.clock import milliseconds
from server.office.desk import Desk
from server.office.forms import day, plain, shown, tidy
from server.office.inspections import today_of
from server.office.places import Hamlet, hamlets
from server.office.records import people
from server.office.saving import Saving, save
from server.rows import registers
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.ulids import ulids

BASE, LONGEST = "/office/bulletins", 2000
TONES = {"now": "state-good", "later": "state-warn", "past": ""}

_bulletins = table(registers.BulletinRow)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a bulletin as it was typed. `rev` is the revision that it was opened on."""

    rev: str = ""
    title: str = ""
    text: str = ""
    starts: str = ""
    until: str = ""

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = {}
        if not 1 <= len(self.title) <= 80 or not plain(self.title):
            errors["title"] = "office.form.title"
        if not 1 <= len(self.text) <= LONGEST:
            errors["text"] = "office.form.bulletin_text"
        starts, until = day(self.starts), day(self.until)
        errors |= {
            name: "office.form.date" for name, one in (("starts", starts), ("until", until)) if one is None
        }
        if starts and until and until < starts:
            errors["until"] = "office.form.days"
        return errors

    def fields(self) -> dict[str, Any]:
        """The fields of the document that the form says, once it is not `wrong`."""
        starts, until = day(self.starts), day(self.until)
        assert starts
        assert until
        days = {"from": starts.isoformat(), "until": until.isoformat()}
        return {"title": self.title, "text": self.text, **days}


def standing(starts: str, until: str, today: str) -> str:
    """Whether phones show it: later, now, past."""
    return "later" if today < starts else "past" if today > until else "now"


async def show_all(desk: Desk) -> Response:
    """All bulletins, the latest first."""
    today = today_of(desk)

    def work(rows: Connection) -> tuple[list[Row[Any]], dict[str, Hamlet], dict[str, str]]:
        asked = select(_bulletins).order_by(_bulletins.c.starts.desc(), _bulletins.c.id.desc())
        return list(rows.execute(asked.limit(200))), hamlets(rows), people(rows)

    found, known, who = await desk.read(work)
    return await desk.render(
        "bulletins.html",
        "bulletins",
        found=[
            (
                row,
                standing(row.starts, row.until, today),
                ", ".join(known[one].name for one in row.hamlets if one in known),
                who.get(row.by) or desk.words.say("office.somebody"),
            )
            for row in found
        ],
        tones=TONES,
    )


async def show_new(desk: Desk) -> Response:
    """An empty form, from today."""
    return await _page(desk, "", Form(starts=shown(today_of(desk))), [], {})


async def add(desk: Desk) -> Response:
    """A new bulletin."""
    form, places = _typed(desk), desk.texts("hamlets")
    if errors := form.wrong():
        return await _page(desk, "", form, places, errors)
    ulid = next(ulids(milliseconds(desk.now), secrets.token_bytes))
    said = form.fields() | {"hamlets": await _known(desk, places)}
    return await _write(desk, Change(f"bulletin:{ulid}", said), "bulletin.added")


async def show_edit(desk: Desk) -> Response:
    """The form, with what stands."""
    row = await _find(desk)
    form = Form(row.rev, row.title, row.text, shown(row.starts), shown(row.until))
    return await _page(desk, row.ulid, form, row.hamlets, {})


async def correct(desk: Desk) -> Response:
    """Write what the form changed; a bulletin is taken back by ending it."""
    row = await _find(desk)
    form, places = _typed(desk), desk.texts("hamlets")
    if errors := form.wrong():
        return await _page(desk, row.ulid, form, places, errors)
    saving = Saving(
        db=COMMUNE,
        id=row.id,
        fields=form.fields() | {"hamlets": await _known(desk, places)},
        standing=row.rev,
        back=BASE,
        action="bulletin.corrected",
        done="office.flash.bulletin_saved",
        section="bulletins",
    )
    return await save(desk, saving)


async def _find(desk: Desk) -> Row[Any]:
    asked = select(_bulletins).where(_bulletins.c.ulid == desk.path("ulid"))
    row = await desk.read(lambda rows: rows.execute(asked).one_or_none())
    if row is None:
        raise HTTPException(404)
    return row


async def _known(desk: Desk, places: list[str]) -> list[str]:
    """Those of the ids that are hamlets; all of them are none, for new hamlets too."""
    known = await desk.read(hamlets)
    chosen = [hamlet for hamlet in known if hamlet in places]
    return [] if len(chosen) == len(known) else chosen


async def _write(desk: Desk, change: Change, action: str) -> Response:
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {COMMUNE: [change]})
    except NotTaken as error:
        return desk.to(BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(action, f"{COMMUNE}/{change.id}")
    return desk.to(BASE, "office.flash.bulletin_saved")


async def _page(desk: Desk, ulid: str, form: Form, places: list[str], errors: dict[str, str]) -> Response:
    known = await desk.read(hamlets)
    return await desk.render(
        "bulletin_form.html",
        "bulletins",
        422 if errors else 200,
        action=f"{BASE}/{ulid}/edit" if ulid else f"{BASE}/new",
        new=not ulid,
        form=form,
        errors=errors,
        places=places,
        hamlets=list(known.values()),
        longest=LONGEST,
    )


def _typed(desk: Desk) -> Form:
    texts = {field.name: tidy(desk.text(field.name, 400)) for field in fields(Form) if field.name != "text"}
    lines = desk.text("text", 2 * LONGEST).replace("\r\n", "\n")
    return Form(text=unicodedata.normalize("NFC", lines), **texts)
