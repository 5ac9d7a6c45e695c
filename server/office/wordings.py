"""What households pledge and what they are told: an admin writes the next version, after a preview.

A version is never altered: acts name the one that was read to whoever signed. The campaign says which version
is read from now on; the form offers to say so at once.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.auth.grant import COMMUNE
from server.office import campaign
from server.office.desk import Desk
from server.office.forms import plain, tidy
from server.office.places import Campaign, campaigns
from server.scribe import Change, NotTaken

KINDS = ("clauses", "notice")
MOST, LONGEST = 30, 500
"""Points of a version, and characters of a point (schemas/clauses.json)."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it was typed; `version` was the newest one when it was opened, `use` is a campaign's id."""

    version: int
    title: str
    items: tuple[str, ...]
    use: str = ""

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = {}
        if not 1 <= len(self.title) <= 80 or not plain(self.title):
            errors["title"] = "office.form.title"
        fits = all(len(item) <= LONGEST and plain(item) for item in self.items)
        if not 1 <= len(self.items) <= MOST or not fits:
            errors["items"] = "office.form.points"
        return errors


async def show(desk: Desk) -> Response:
    """The form, with the newest version."""
    kind, (newest, known) = _kind(desk), await _read(desk)
    form = Form(
        newest.version if newest else 0,
        newest.title if newest else "",
        tuple(newest.items) if newest else (),
        known[0].id if known else "",
    )
    return await _page(desk, kind, form, {})


async def edit(desk: Desk) -> Response:
    """A preview of the next version, or the version."""
    kind, form = _kind(desk), _typed(desk)
    if errors := form.wrong():
        return await _page(desk, kind, form, errors)
    newest, known = await _read(desk)
    standing = newest.version if newest else 0
    if form.version != standing:  # who was quicker has this number: the other looks at what that says first
        return await _page(desk, kind, form, {}, overtaken=True)
    if desk.text("do") != "save":
        return await _page(desk, kind, form, {}, preview=True)
    if newest and (newest.title, tuple(newest.items)) == (form.title, form.items):
        return desk.to(campaign.BASE, "office.flash.unchanged", kind="warn")
    version = standing + 1
    changes = [Change(f"{kind}:{version}", {"title": form.title, "items": list(form.items)})]
    if form.use in {one.id for one in known}:
        changes.append(Change(f"campaign:{form.use}", {kind: version}))
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {COMMUNE: changes})
    except NotTaken as error:
        return desk.to(campaign.BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)

    def note(rows: Connection) -> None:
        desk.note(rows, f"{kind}.published", f"{COMMUNE}/{changes[0].id}")
        for change in changes[1:]:
            desk.note(rows, "campaign.corrected", f"{COMMUNE}/{change.id}")

    await desk.write(note)
    return desk.to(campaign.BASE, "office.flash.wording_published", version=version)


def _kind(desk: Desk) -> str:
    kind = desk.path("kind")
    if kind not in KINDS:
        raise HTTPException(404)
    return kind


async def _read(desk: Desk) -> tuple[Row[Any] | None, list[Campaign]]:
    """The newest version, and the campaigns that are open."""
    kind = _kind(desk)

    def work(rows: Connection) -> tuple[Row[Any] | None, list[Campaign]]:
        there = campaign.versions(rows)[kind]
        found = campaign.wording(rows, kind, there[0]) if there else None
        return found, [one for one in campaigns(rows) if one.state == "open"]

    return await desk.read(work)


async def _page(
    desk: Desk,
    kind: str,
    form: Form,
    errors: dict[str, str],
    *,
    preview: bool = False,
    overtaken: bool = False,
) -> Response:
    newest, known = await _read(desk)
    none = ("", desk.words.say("office.wording.use_none"))
    return await desk.render(
        "wording_form.html",
        "campaign",
        409 if overtaken else 422 if errors else 200,
        action=f"/office/wordings/{kind}",
        kind=kind,
        form=form,
        standing=newest.version if newest else 0,
        errors=errors,
        preview=preview,
        overtaken=overtaken,
        campaigns=[none, *((one.id, one.name) for one in known)],
    )


def _typed(desk: Desk) -> Form:
    version = desk.text("version", 4)
    text = unicodedata.normalize("NFC", desk.text("items", (MOST + 1) * (LONGEST + 1)))
    points = tuple(filter(None, (tidy(line) for line in text.splitlines())))
    return Form(
        int(version) if version.isascii() and version.isdecimal() else 0,
        tidy(desk.text("title", 400)),
        points,
        desk.text("use", 40),
    )
