"""Checklists: the list, one version with its sources, and a form with a preview that makes the next version.

A version is never altered: inspections name the one that they were made with. Phones take the highest.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.auth.grant import COMMUNE, Role
from server.checklists import check, library
from server.names import fold
from server.office import checklist_draft
from server.office.checklist_draft import KINDS, TESTS, Draft, Wrong, content_of, draft_of, typed, wrongs
from server.office.desk import Desk
from server.office.models import KINDS as MODELS
from server.office.records import people
from server.rows import registers
from server.rows.engine import table
from server.scribe import Change, NotTaken
from server.words import Words

BASE = "/office/checklists"
FIELDS = ("title", "model", "source", "sections")

_checklists = table(registers.ChecklistRow)


async def show_all(desk: Desk) -> Response:
    """The newest version of each checklist."""
    found, who = await desk.read(newest), await desk.read(people)
    missing = {name.split(":")[1] for name in library.documents()} - found.keys()
    return await desk.render(
        "checklists.html",
        "models",
        found=[
            (
                row,
                sum(1 for _ in check.items(row._asdict())),
                who.get(row.by) or desk.words.say("office.somebody"),
            )
            for row in found.values()
        ],
        missing=len(missing) if _may_edit(desk) else 0,
        may_edit=_may_edit(desk),
    )


async def add_library(desk: Desk) -> Response:
    """Write the shipped checklists that the commune has no version of."""
    held = await desk.read(newest)
    changes = [
        Change(name, fields) for name, fields in library.documents().items() if name.split(":")[1] not in held
    ]
    if not changes:
        return desk.to(BASE, "office.flash.unchanged", kind="warn")
    return await _write(desk, changes, BASE, "checklist.library_added")


async def show(desk: Desk) -> Response:
    """One version, the newest unless another is asked for."""
    slug, asked = desk.path("slug"), desk.request.query_params.get("version", "")
    versions = await desk.read(lambda rows: _versions(rows, slug))
    row = next((one for one in versions if str(one.version) == asked or not asked), None)
    if row is None:
        raise HTTPException(404)
    return await desk.render(
        "checklist.html",
        "models",
        checklist=row,
        versions=[one.version for one in versions],
        sections=sections_shown(row._asdict(), desk.words),
        may_edit=_may_edit(desk),
    )


async def show_new(desk: Desk) -> Response:
    """The form of a checklist that there is not yet."""
    return await _page(desk, None, Draft())


async def show_edit(desk: Desk) -> Response:
    """The form with the newest version."""
    row = await _newest(desk)
    return await _page(desk, row, draft_of(row._asdict()))


async def edit_new(desk: Desk) -> Response:
    """What a button of that form asks for."""
    return await _edit(desk, None)


async def edit(desk: Desk) -> Response:
    """What a button of the form asks for: one item more, a preview, or the new version."""
    return await _edit(desk, await _newest(desk))


async def _edit(desk: Desk, row: Row[Any] | None) -> Response:
    deed = desk.text("do", 20)
    draft = checklist_draft.changed(
        typed(lambda name: desk.text(name, 8000)), deed, desk.text(f"kind-{deed.partition(':')[2]}", 20)
    )
    if deed not in {"preview", "publish"}:
        return await _page(desk, row, draft)
    content = content_of(draft)
    found = wrongs(content)
    if deed == "preview" or found:
        return await _page(desk, row, draft, content=content, found=found)
    if row and all(row._asdict()[name] == content[name] for name in FIELDS):
        return desk.to(f"{BASE}/{row.slug}", "office.flash.unchanged", kind="warn")
    slug = row.slug if row else slug_of(draft.title, (await desk.read(newest)).keys())
    # the version after the one that the form was opened on: who was quicker keeps it, and the other is told
    version = int(desk.text("version", 4) or 0) + 1 if desk.text("version", 4).isdecimal() or not row else 0
    if row and version != row.version + 1:
        return await _page(desk, row, draft, content=content, overtaken=True)
    change = Change(f"checklist:{slug}:{version}", content)
    return await _write(desk, [change], f"{BASE}/{slug}", "checklist.published")


def newest(rows: Connection) -> dict[str, Row[Any]]:
    """The newest version of each checklist, by slug, in order of title."""
    found = {row.slug: row for row in rows.execute(select(_checklists).order_by(_checklists.c.version))}
    return dict(sorted(found.items(), key=lambda one: fold(one[1].title)))


def slug_of(title: str, taken: Any, most: int = 32) -> str:
    """A slug from a title that is not taken: `most` characters, and a number where it must be."""
    words = ("".join(one for one in word if one.isascii()) for word in fold(title).split())
    stem = "-".join(words)[:most].strip("-")
    held = {*taken, "new", "library", ""}
    stem = stem if len(stem) >= 2 else "danh-muc"
    return next(one for n in range(1, 10_000) if (one := stem if n == 1 else f"{stem}-{n}") not in held)


def sections_shown(content: Mapping[str, Any], words: Words) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each section's title and its items in words."""
    labels = {item["id"]: item for item in check.items(content)}
    return [
        (section["title"], [_shown(item, labels, words) for item in section["items"]])
        for section in content["sections"]
    ]


def condition_in_words(when: Mapping[str, Any], items: Mapping[str, Any], words: Words) -> str:
    """When an item is asked."""
    for name in ("all", "any"):
        if name in when:
            glue = words.say(f"office.checklist.glue_{name}")
            return glue.join(condition_in_words(part, items, words) for part in when[name])
    if "not" in when:
        return words.say("office.checklist.not", what=condition_in_words(when["not"], items, words))
    item = items.get(when["item"], {"label": when["item"]})
    return words.say("office.checklist.item_is", item=item["label"], test=_test_in_words(when, item, words))


def _test_in_words(test: Mapping[str, Any], item: Mapping[str, Any], words: Words) -> str:
    options = {option["id"]: option["label"] for option in item.get("options", [])}
    said = []
    if "equals" in test:
        value = test["equals"]
        yes = words.say("office.yes" if value else "office.no")
        said.append(yes.lower() if isinstance(value, bool) else options.get(value, str(value)))
    if "at_least" in test:
        said.append(words.say("office.checklist.at_least", number=words.number(test["at_least"])))
    if "at_most" in test:
        said.append(words.say("office.checklist.at_most", number=words.number(test["at_most"])))
    if "one_of" in test:
        said.append(words.say("office.checklist.or").join(options.get(one, one) for one in test["one_of"]))
    return ", ".join(said) or words.say("office.checklist.answered")


def _shown(item: Mapping[str, Any], items: Mapping[str, Any], words: Words) -> dict[str, Any]:
    details = [words.say("office.checklist.kind." + item["kind"])]
    if item["kind"] == "number":
        span = {
            name: words.number(item[name]) if isinstance(item[name], int) else "?" for name in ("min", "max")
        }
        details.append(words.say("office.checklist.range", unit=item["unit"], **span))
    if item["kind"] == "photo":
        details.append(words.say("office.checklist.most_photos", max=item["max"]))
    if item.get("required"):
        details.append(words.say("office.checklist.required"))
    score = ""
    if "points" in item and "good" in item:
        good = _test_in_words(item["good"], item, words)
        score = words.say("office.checklist.scores", points=item["points"], good=good)
    return {
        "label": item["label"],
        "details": ", ".join(details),
        "options": [option["label"] for option in item.get("options", [])],
        "when": condition_in_words(item["when"], items, words) if "when" in item else "",
        "score": score,
        "source": item["source"],
    }


def _said(wrong: Wrong, words: Words) -> str:
    part = f"office.checklist.part.{wrong.part}"
    named = words.say(part) if words.knows(part) else words.say("office.checklist.part.other")
    return words.say(wrong.key, item=wrong.item, part=named)


def _versions(rows: Connection, slug: str) -> list[Row[Any]]:
    asked = select(_checklists).where(_checklists.c.slug == slug).order_by(_checklists.c.version.desc())
    return list(rows.execute(asked))


async def _newest(desk: Desk) -> Row[Any]:
    versions = await desk.read(lambda rows: _versions(rows, desk.path("slug")))
    if not versions:
        raise HTTPException(404)
    return versions[0]


async def _write(desk: Desk, changes: list[Change], back: str, action: str) -> Response:
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {COMMUNE: changes})
    except NotTaken as error:
        return desk.to(BASE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)

    def note(rows: Connection) -> None:
        for change in changes:
            desk.note(rows, action, f"{COMMUNE}/{change.id}")

    await desk.write(note)
    return desk.to(back, "office.flash.checklist_published")


async def _page(
    desk: Desk,
    row: Row[Any] | None,
    draft: Draft,
    *,
    content: Mapping[str, Any] | None = None,
    found: list[Wrong] | None = None,
    overtaken: bool = False,
) -> Response:
    words = desk.words
    items = [item for section in draft.sections for item in section.items if item.id]
    opened = desk.text("version", 4) if desk.request.method == "POST" else str(row.version) if row else "0"
    return await desk.render(
        "checklist_form.html",
        "models",
        409 if overtaken else 422 if found else 200,
        action=f"{BASE}/{row.slug}/edit" if row else f"{BASE}/new",
        back=f"{BASE}/{row.slug}" if row else BASE,
        row=row,
        version=opened,
        next_version=row.version + 1 if row else 1,
        draft=draft,
        wrongs=[_said(one, words) for one in found or ()],
        preview=sections_shown(content, words) if content and not found else [],
        overtaken=overtaken,
        models=[(kind, words.say("office.model.kind." + kind)) for kind in MODELS],
        kinds=[(kind, words.say("office.checklist.kind." + kind)) for kind in KINDS],
        tests=[(test, words.say("office.checklist.test." + (test or "always"))) for test in TESTS[:-1]],
        kept=words.say("office.checklist.test.kept"),
        earlier=[("", words.say("office.none")), *((item.id, item.label) for item in items)],
        goods=[
            ("", words.say("office.checklist.good_none")),
            ("yes", words.say("office.yes")),
            ("no", words.say("office.no")),
        ],
    )


def _may_edit(desk: Desk) -> bool:
    return desk.signed_in.role is Role.ADMIN
