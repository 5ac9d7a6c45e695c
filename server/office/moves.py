"""Hamlets merge and split, households move: chosen, shown with what it comes to, confirmed, done.

Three steps without scripts: from where to where; for a part of a hamlet, who; then the preview, whose form
does it. What was chosen travels in forms, never in addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server import hamlets as service
from server import selection
from server.admission import caller_of
from server.office.desk import Desk
from server.office.forms import plain, tidy, whole
from server.office.places import Hamlet, hamlets, merged
from server.scribe import NotTaken
from server.selection import Preview

HERE = "/office/moves"
HOW = ("merge", "part", "back")
"""The whole hamlet becomes part of another; some of its households go; what had come from there goes back."""
NEW = "new"
"""In place of a hamlet's id: one that is still to be made."""
MOST_WALK = 9999


@dataclass(frozen=True, slots=True)
class Wish:
    """What the first form says; `name` is of a hamlet that is to be made."""

    how: str
    source: Hamlet
    into: str
    name: str
    people: bool


async def show(desk: Desk) -> Response:
    """From where to where, and what."""
    standing, gone = await desk.read(lambda rows: (hamlets(rows), merged(rows)))
    return await desk.render("moves.html", "households", standing=standing.values(), gone=gone.values())


async def step(desk: Desk) -> Response:
    """On from one form to the next."""
    known, gone = await desk.read(lambda rows: (hamlets(rows), merged(rows)))
    wish = _wish(desk, known, gone)
    if isinstance(wish, str):
        return desk.to(HERE, wish, kind="warn")
    if wish.how == "part" and not desk.text("chosen"):
        among = await desk.read(lambda rows: selection.choosable(rows, wish.source.id))
        lanes = sorted({one.lane for one in among if one.lane})
        return await desk.render(
            "moves_choose.html",
            "households",
            wish=wish,
            target=_target(wish, known, gone),
            among=among,
            lanes=lanes,
        )
    subjects = await desk.read(lambda rows: _subjects(rows, desk, wish))
    if subjects is not None and not subjects:
        return desk.to(HERE, "office.flash.move_none", kind="warn")
    if desk.text("do") == "confirm":
        return await _carry_out(desk, wish, subjects)
    found = await desk.read(lambda rows: selection.preview(rows, wish.source.id, subjects))
    return await desk.render(
        "moves_preview.html",
        "households",
        wish=wish,
        target=_target(wish, known, gone),
        subjects=subjects or (),
        counts=_counts(found),
        found=found,
    )


def _wish(desk: Desk, known: Mapping[str, Hamlet], gone: Mapping[str, Hamlet]) -> Wish | str:
    """What is wanted, or the key of what is wrong with it."""
    how, source, into = desk.text("how"), desk.text("source", 20), desk.text("into", 20)
    if how not in HOW or (source not in known and source not in gone):
        raise HTTPException(400)
    if source not in known or source == into:
        return "office.flash.move_same"
    name = tidy(desk.text("name", 80))
    fitting = {"merge": known, "part": {**known, **gone, NEW: None}, "back": {**known, **gone}}[how]
    if into not in fitting:
        return "office.flash.move_where"
    if into == NEW and (not name or not plain(name)):
        return "office.flash.move_name"
    return Wish(how, known[source], into, name if into == NEW else "", bool(desk.text("people")))


def _target(wish: Wish, known: Mapping[str, Hamlet], gone: Mapping[str, Hamlet]) -> str:
    return wish.name or {**gone, **known}[wish.into].name


def _subjects(rows: Connection, desk: Desk, wish: Wish) -> list[str] | None:
    """The documents that are to move; None where the whole hamlet is."""
    if wish.how == "merge":
        return None
    if wish.how == "back":
        return sorted(service.came(rows, wish.source.id, wish.into))
    first, last = whole(desk.text("first", 4), MOST_WALK), whole(desk.text("last", 4), MOST_WALK)
    order = (first, last) if first is not None and last is not None else None
    among = selection.choosable(rows, wish.source.id)
    return selection.choose(among, frozenset(desk.texts("one")), order, desk.text("lane", 80))


async def _carry_out(desk: Desk, wish: Wish, subjects: list[str] | None) -> Response:
    caller = caller_of(desk.signed_in.grant, desk.words)
    try:
        if subjects is None:
            done = await service.merge(desk.parts, caller, wish.source.id, wish.into)
        else:
            into = wish.into
            if into == NEW:
                into = await service.add(desk.parts, caller, wish.name)
            done = await service.move(desk.parts, caller, wish.source.id, into, subjects, people=wish.people)
    except NotTaken as error:
        return desk.to(HERE, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    count = desk.words.number(sum(done.documents.values()))
    households = desk.words.number(done.documents["household"])
    return desk.to(HERE, "office.flash.moved", count=count, households=households)


def _counts(found: Preview) -> list[tuple[str, int]]:
    """Words and numbers, those that there are."""
    counts = {**found.documents, "photo": found.pictures, "waiting": found.waiting}
    return [(f"office.moves.count.{kind}", number) for kind, number in counts.items() if number]
