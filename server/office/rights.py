"""What is held about a household: looked up, given out, erased; and by when each has to be done."""

import json

from starlette.responses import Response

from server import erasing
from server.erasing import DEADLINES, Eraser
from server.office.desk import HEADERS, Desk
from server.office.record import Record, open_record


async def show(desk: Desk) -> Response:
    """The page; looking at it is noted."""
    record = await open_record(desk)
    await desk.noted("household.rights_viewed", f"{record.db}/{record.id}")
    return await _page(desk, record)


async def export(desk: Desk) -> Response:
    """Everything as a file (JSON)."""
    record = await open_record(desk)
    await desk.noted("household.exported", f"{record.db}/{record.id}")
    made = await desk.read(
        lambda rows: erasing.export(rows, erasing.about(rows, record.db, record.household.ulid), desk.now)
    )
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="camket-household.json"'}
    text = json.dumps(made, ensure_ascii=False, indent=1)
    return Response(text, media_type="application/json", headers=headers)


async def erase(desk: Desk) -> Response:
    """Erase, once the word was typed that the page asks for."""
    record = await open_record(desk)
    if desk.text("word").casefold() != desk.words.say("office.rights.word").casefold():
        return await _page(desk, record, wrong=True)
    eraser = Eraser(desk.parts.store, desk.parts.rows, desk.parts.clock)
    held = await eraser.erase(desk.user, record.db, record.household.ulid)
    await desk.parts.follower.catch_up(held.keys())
    return desk.to(f"/office/hamlets/{record.hamlet.id}", "office.flash.erased")


async def _page(desk: Desk, record: Record, *, wrong: bool = False) -> Response:
    counts = await desk.read(
        lambda rows: erasing.counted(rows, erasing.about(rows, record.db, record.household.ulid))
    )
    return await desk.render(
        "rights.html",
        "households",
        422 if wrong else 200,
        base=record.base,
        counts=[(desk.words.say(f"office.rights.held.{kind}"), number) for kind, number in counts.items()],
        deadlines=[(desk.words.say(f"office.rights.due.{what}"), days) for what, days in DEADLINES.items()],
        errors={"word": "office.rights.wrong_word"} if wrong else {},
    )
