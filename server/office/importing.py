"""The commune's own list of households: upload, a preview of what will happen, decisions, confirmation.

Nothing is written before the last step; what the preview showed is what is written, or the preview comes
again. What the list means is `server.lists`'.
"""

import re
import secrets
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from anyio import to_thread
from starlette.responses import Response

from server.admission import caller_of
from server.lists import NEW, Choices, Known, Plan, Refused, apply, commune, preview
from server.lists.headers import ROLES
from server.lists.plan import HamletPlanned, SheetSeen
from server.office.desk import Desk
from server.office.uploads import Settled, Shelf, Upload, UploadGone, own_name
from server.scribe import NotTaken
from server.words import Words

SHOWN = 200
"""Lines of one kind on the page; the rest is counted."""

_COLUMN = re.compile(r"column-([0-9a-f]{16})-(\d{1,3})")


async def show(desk: Desk) -> Response:
    """The form."""
    return await _form(desk)


async def upload(desk: Desk) -> Response:
    """Take a file and go on to its preview; a file that cannot be read is refused in words at once."""
    file = desk.file("file")
    if file is None:
        return await _form(desk, wrong=desk.words.say("office.import.no_file"))
    data, filename = await file.read(), own_name(file.filename or "")
    settled = Settled(hamlet=" ".join(desk.text("hamlet", 80).split()))
    try:
        plan, _ = await _plan(desk, Upload("", desk.user, "", filename, data, settled))
    except Refused as error:
        return await _form(desk, wrong=desk.words.say(f"lists.refused.{error.code}", **error.facts))
    shelf = _shelf(desk)
    token = await to_thread.run_sync(shelf.add, desk.user, filename, data, desk.now, settled)
    await desk.noted("list.previewed", plan.digest)
    return desk.to(f"/office/import/{token}")


async def show_preview(desk: Desk) -> Response:
    """What the import would do."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to("/office/import", "office.flash.upload_gone", kind="warn")
    plan, known = await _plan(desk, kept)
    return await desk.render(
        "import_preview.html",
        "import",
        token=kept.token,
        plan=plan,
        settled=kept.settled,
        print_of=fingerprint(plan),
        known=known.hamlets,
        new_by_hamlet=_new_by_hamlet(plan),
        mappable=_mappable(plan),
        choosable=[
            (f"hamlet-{place}", one, _options(one, known, desk.words))
            for place, one in _open(plan, kept.settled)
        ],
        roles=[("", desk.words.say("office.import.not_taken"))]
        + [(role, desk.words.say(f"lists.role.{role}")) for role in ROLES],
        shown=SHOWN,
    )


async def settle(desk: Desk) -> Response:
    """Keep what was decided, and show what would happen now."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to("/office/import", "office.flash.upload_gone", kind="warn")
    plan, _ = await _plan(desk, kept)
    chosen = {
        one.written: desk.text(f"hamlet-{place}", 20)
        for place, one in _open(plan, kept.settled)
        if desk.text(f"hamlet-{place}")
    }
    answers = {one.id: desk.text(f"answer-{one.id}") for one in plan.questions}
    settled = Settled(
        hamlet=" ".join(desk.text("hamlet", 80).split()),
        hamlets=kept.settled.hamlets | chosen,
        answers=kept.settled.answers
        | {name: "same" if said == "same" else "new" for name, said in answers.items() if said},
        leave_bad_rows=bool(desk.text("leave_bad_rows")),
        headless=[one.fingerprint for one in _mappable(plan) if desk.text(f"headless-{one.fingerprint}")],
    )
    await _remember(desk, plan)
    await to_thread.run_sync(_shelf(desk).put, replace(kept, settled=settled))
    return desk.to(f"/office/import/{kept.token}")


async def confirm(desk: Desk) -> Response:
    """Write it: all of it, or nothing. Where the preview is not true any more, it comes again."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to("/office/import", "office.flash.upload_gone", kind="warn")
    back = f"/office/import/{kept.token}"
    plan, known = await _plan(desk, kept)
    if plan.blocked:
        return desk.to(back, f"lists.blocked.{plan.blocked[0]}", kind="warn")
    if desk.text("print") != fingerprint(plan):
        return desk.to(back, "office.flash.preview_changed", kind="warn")
    caller, shelf = caller_of(desk.signed_in.grant, desk.words), _shelf(desk)
    try:
        await to_thread.run_sync(shelf.take, kept.token)  # a second click must not write it twice
        made = await apply(
            plan, desk.parts.scribe, caller, desk.now, secrets.token_bytes, hamlets=len(known.hamlets)
        )
    except UploadGone:
        return desk.to("/office/import", "office.flash.upload_gone", kind="warn")
    except NotTaken as error:
        await to_thread.run_sync(shelf.put_back, kept.token)
        return desk.to(back, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted("list.imported", f"{plan.digest} {made}")
    await to_thread.run_sync(shelf.drop, kept.token)
    said = {"new": desk.words.number(made), "filled": desk.words.number(len(plan.filled))}
    return desk.to("/office", "lists.written_filled" if plan.filled else "lists.written", **said)


async def cancel(desk: Desk) -> Response:
    """Forget the file."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to("/office/import")
    await to_thread.run_sync(_shelf(desk).drop, kept.token)
    return desk.to("/office/import", "office.flash.upload_dropped")


def fingerprint(plan: Plan) -> str:
    """What a person agrees to: the same for the same file, decisions and commune."""
    said = repr((plan.digest, plan.hamlets, plan.new, plan.filled, plan.questions, plan.bad, plan.bad_left))
    return sha256(said.encode()).hexdigest()


async def _form(desk: Desk, wrong: str = "") -> Response:
    known = await desk.read(commune.known)
    status = 422 if wrong else 200
    return await desk.render("import.html", "import", status, known=known.hamlets, wrong=wrong)


async def _kept(desk: Desk) -> Upload:
    return await to_thread.run_sync(_shelf(desk).get, desk.path("token"), desk.user, desk.now)


async def _plan(desk: Desk, kept: Upload) -> tuple[Plan, Known]:
    known, columns = await desk.read(lambda rows: (commune.known(rows), commune.remembered(rows)))
    settled = kept.settled
    choices = Choices(
        hamlet=settled.hamlet or None,
        hamlets=settled.hamlets,
        answers=settled.answers,
        columns=columns,
        leave_bad_rows=settled.leave_bad_rows,
        headless=frozenset(settled.headless),
    )
    return await to_thread.run_sync(partial(preview, kept.data, kept.filename, known, choices)), known


def _mappable(plan: Plan) -> list[SheetSeen]:
    """The sheets whose columns a person may name: one of each header."""
    return list({sheet.fingerprint: sheet for sheet in plan.sheets if sheet.headers}.values())


async def _remember(desk: Desk, plan: Plan) -> None:
    """Keep which columns of a header are what, where a person said other than what was understood: for this
    list and the next of its kind."""
    named: dict[str, dict[int, str]] = {}
    for name in desk.form:
        if (found := _COLUMN.fullmatch(name)) and desk.text(name) in ROLES:
            named.setdefault(found[1], {})[int(found[2])] = desk.text(name)
    understood = {sheet.fingerprint: sheet.columns for sheet in _mappable(plan)}
    for fingerprinted, roles in named.items():
        if roles == understood.get(fingerprinted):
            continue
        await desk.write(partial(commune.remember, fingerprint=fingerprinted, roles=roles))


def _shelf(desk: Desk) -> Shelf:
    return Shelf(desk.parts.settings.data, desk.parts.vault)


def _open(plan: Plan, settled: Settled) -> list[tuple[int, HamletPlanned]]:
    """The hamlets whose name is nearly another's: a person says which they are, and may think again."""
    return [
        (place, one) for place, one in enumerate(plan.hamlets) if one.like or one.written in settled.hamlets
    ]


def _options(one: HamletPlanned, known: Known, words: Words) -> list[tuple[str, str, bool]]:
    there = {hamlet.id: hamlet for hamlet in (*one.like, *known.hamlets)}
    options: list[tuple[str, str, bool]] = (
        [("", words.say("office.import.choose"), True)] if one.undecided else []
    )
    options += [
        (hamlet.id, f"{hamlet.kind} {hamlet.name}", not one.new and hamlet.id == one.id)
        for hamlet in there.values()
    ]
    new = words.say("office.import.new_hamlet", kind=one.kind, name=one.name)
    return [*options, (NEW, new, one.new and not one.undecided)]


def _new_by_hamlet(plan: Plan) -> list[dict[str, Any]]:
    names = {one.id: f"{one.kind} {one.name}" for one in plan.hamlets}
    found: dict[str, list[str]] = {}
    for one in plan.new:
        found.setdefault(one.hamlet, []).append(one.name)
    return [
        {"name": names.get(hamlet, hamlet), "count": len(new), "some": new[:5]}
        for hamlet, new in found.items()
    ]
