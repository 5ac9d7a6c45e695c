"""The review queue: what volunteers have sent, what was corrected, and ordinary records approved in bulk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from server import review
from server.admission import caller_of
from server.office import choosing, records
from server.office.desk import Desk
from server.office.history import instant_of
from server.office.places import Hamlet, hamlets
from server.office.records import Filter, Shown, filter_of
from server.scribe import Change, NotTaken, Overtaken
from server.words import Words

PAGE = 50
BASE = "/office/review"
STATES = ("waiting", *review.STATES, "all")


@dataclass(frozen=True, slots=True)
class Line:
    """A record in the list. `pick` is what a form says to approve it, empty where it must be opened."""

    href: str
    title: str
    kind: str
    hamlet_name: str
    who: str
    at: str
    state: str
    tone: str
    asks: bool
    pick: str


async def show(desk: Desk) -> Response:
    """The queue, the oldest first."""
    chosen, held = filter_of(desk.request.query_params), desk.signed_in.grant.hamlets

    def work(rows: Connection) -> tuple[dict[str, Hamlet], int, int, list[Line]]:
        known = hamlets(rows, held)
        asked = records.select_records(known, chosen)
        count = records.counted(rows, asked)
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        return (
            known,
            count,
            number,
            lines(rows, records.page(rows, asked, number, PAGE), known, chosen, desk.words),
        )

    known, count, number, found = await desk.read(work)
    waiting = await desk.read(lambda rows: choosing.waiting(rows, known, desk.words))
    say = desk.words.say
    return await desk.render(
        "review_queue.html",
        "review",
        waiting=waiting,
        chosen=chosen,
        states=[(state, say(f"office.review.state.{state}")) for state in STATES],
        kinds=[("", say("office.review.every_kind"))]
        + [(kind, say(f"office.kind.{kind}")) for kind in review.REVIEWED],
        hamlets=[("", say("office.review.every_hamlet"))]
        + [(hamlet.id, hamlet.name) for hamlet in known.values()],
        found=found,
        ordinary=sum(bool(line.pick) for line in found),
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, BASE, **chosen.query),
    )


async def approve(desk: Desk) -> Response:
    """Approve what was ticked, or every ordinary record of the page that was shown.

    Only what may be approved unopened, and as it was shown: what changed meanwhile stays in the queue.
    """
    chosen = filter_of({name: desk.text(name) for name in ("state", "kind", "hamlet")})
    picked = desk.texts("shown" if desk.text("all") else "record")
    fresh = await desk.read(lambda rows: _as_shown(rows, desk.signed_in.grant.hamlets, picked))
    back = f"{BASE}?{urlencode(chosen.query)}"
    if not fresh:
        return desk.to(back, "office.flash.none_picked", kind="warn")
    changes: dict[str, list[Change]] = {}
    for db, doc_id, digest in fresh:
        changes.setdefault(db, []).append(decision(doc_id, "approved", digest, seen={}))
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), changes)
    except Overtaken:
        return await approve(desk)  # a colleague was quicker with one of them: it is not among the fresh now
    except NotTaken as error:
        return desk.to(back, "office.flash.refused", kind="bad", reason=error.refused[0].reason)

    def note(rows: Connection) -> None:
        for db, doc_id, _ in fresh:
            desk.note(rows, "record.approved", f"{db}/{doc_id}")

    await desk.write(note)
    left = len(set(picked)) - len(fresh)
    key = "office.flash.approved_some" if left else "office.flash.approved_all"
    return desk.to(back, key, count=desk.words.number(len(fresh)), left=desk.words.number(left))


def decision(
    doc_id: str,
    what: str,
    digest: str,
    comment: str = "",
    template: str = "",
    *,
    seen: Mapping[str, Any],
) -> Change:
    """The write that reviews a record as it was when it had this digest. `seen` is the review that whoever
    decides had before them, empty where there was none: a colleague's decision is not overwritten."""
    said: dict[str, Any] = {"is": what, "digest": digest}
    if comment:
        said["comment"] = comment
    if template:
        said["template"] = template
    return Change(f"review:{doc_id}", {"decision": said}, seen)


def lines(
    rows: Connection, found: list[Shown], known: Mapping[str, Hamlet], chosen: Filter, words: Words
) -> list[Line]:
    """Records as the list shows them."""
    titles = records.titles(rows, [(row.db, row.id) for row in found], words)
    asked, plain = records.asks(rows, found), _unopened(rows, found)
    return [
        _line(
            row,
            titles[row.db, row.id],
            known,
            chosen,
            asks=(row.db, row.id) in asked,
            plain=(row.db, row.id) in plain,
        )
        for row in found
    ]


def _unopened(rows: Connection, found: list[Shown]) -> set[tuple[str, str]]:
    """Those that may be approved without opening them."""
    plain = {(row.db, row.id) for row in found if row.ordinary and row.state == "received"}
    return plain - records.asks(rows, found) - records.remarkable(rows, found)


def _line(
    row: Shown, title: str, known: Mapping[str, Hamlet], chosen: Filter, *, asks: bool, plain: bool
) -> Line:
    hamlet = row.db.removeprefix("hamlet-")
    return Line(
        href=f"{BASE}/{hamlet}/{row.id}?{urlencode(chosen.query)}",
        title=title,
        kind=row.kind,
        hamlet_name=known[hamlet].name,
        who=row.who,
        at=instant_of(row.stamp),
        state=row.state,
        tone=records.TONES.get(row.state, ""),
        asks=asks,
        pick=f"{hamlet}/{row.id}/{row.digest}" if plain else "",
    )


def _as_shown(rows: Connection, held: frozenset[str], picked: list[str]) -> list[tuple[str, str, str]]:
    """Those of the picked that are ordinary, unreviewed, and still what the page showed."""
    found = []
    for hamlet, doc_id, digest in (one.split("/") for one in dict.fromkeys(picked) if one.count("/") == 2):
        row = records.one(rows, f"hamlet-{hamlet}", doc_id) if hamlet in held else None
        if row and row.digest == digest and _unopened(rows, [row]):
            found.append((row.db, row.id, digest))
    return found
