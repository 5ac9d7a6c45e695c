"""One record in review: what it says, what changed since the last look, approve or return it.

Works without scripts and with the keyboard: the buttons have access keys, every template of a comment is a
line of its own that can be edited, and after a decision the next record of the queue is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Row
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.office import facts, photos, queue, records, story
from server.office.desk import Desk
from server.office.facts import Context, Difference, Fact
from server.office.forms import tidy
from server.office.history import instant_of
from server.office.places import Hamlet, hamlet_of, hamlets
from server.office.records import Shown, body_of, filter_of
from server.scribe import NotTaken, Overtaken
from server.words import Words

LONGEST = 200
OTHER = "other"
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "household": ("name", "twice", "status"),
    "pledge": ("signer", "witness", "sheet", "day"),
    "unit": ("name", "scope"),
    "inspection": ("incomplete", "photo", "follow_up"),
    "outreach": ("present", "place"),
}
"""Comments to begin from, by kind: `office.review.template.<kind>.<key>`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A record with its review, and both as lines. `differences` is None where nobody has looked yet."""

    hamlet: Hamlet
    row: Shown
    title: str
    lines: tuple[Fact, ...]
    review: Row[Any] | None
    differences: tuple[Difference, ...] | None
    asks: bool
    choose: str
    """Where to choose between values of the same time, empty where there is no choice."""
    page: str
    """Where the record is at home, empty where that is here."""
    history: str
    """The page with the record's whole history."""

    @property
    def href(self) -> str:
        """The address of its page."""
        return f"{queue.BASE}/{self.hamlet.id}/{self.row.id}"


async def show(desk: Desk) -> Response:
    """The record; looking at it is noted in the audit log."""
    opened = await _open(desk)
    await desk.noted("record.viewed", f"{opened.row.db}/{opened.row.id}")
    return await _page(desk, opened)


async def decide(desk: Desk) -> Response:
    """Approve or return the record as it was shown, and go on to the next one.

    Where it changed meanwhile, the decision would be about something nobody saw; where a colleague decided
    meanwhile, two people would differ without knowing: the page comes back.
    """
    opened = await _open(desk)
    if desk.text("digest", 64) != opened.row.digest:
        return await _page(desk, opened, overtaken=True)
    what, template = desk.text("decision"), desk.text("template", 40)
    comment = tidy(desk.text(f"comment-{template}", 400)) if what == "returned" else ""
    if what not in {"approved", "returned"} or (what == "returned" and not 1 <= len(comment) <= LONGEST):
        return await _page(desk, opened, wrong=True)
    template = template if comment and template != OTHER else ""
    seen = await desk.read(
        lambda rows: body_of(rows, opened.row.db, f"review:{opened.row.id}", desk.text("review", 60))
    )
    change = queue.decision(opened.row.id, what, opened.row.digest, comment, template, seen=seen or {})
    caller = caller_of(desk.signed_in.grant, desk.words)
    try:
        await desk.parts.scribe.write(caller, {opened.row.db: [change]})
    except Overtaken:
        return await _page(desk, await _open(desk), met=True)
    except NotTaken as error:
        return desk.to(opened.href, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(f"record.{what}", f"{opened.row.db}/{opened.row.id}")
    return desk.to(await _next(desk, opened), f"office.flash.record_{what}")


async def _next(desk: Desk, opened: Opened) -> str:
    """The address of the next record of the same queue, else of the queue."""
    chosen = filter_of({name: desk.text(name) for name in ("state", "kind", "hamlet")})
    held, query = desk.signed_in.grant.hamlets, urlencode(chosen.query)

    def work(rows: Connection) -> Shown | None:
        asked = records.select_records(hamlets(rows, held), chosen)
        return records.after(rows, asked, opened.row.stamp, opened.row.id)

    found = await desk.read(work)
    return (
        f"{queue.BASE}/{found.db.removeprefix('hamlet-')}/{found.id}?{query}"
        if found
        else f"{queue.BASE}?{query}"
    )


async def _open(desk: Desk) -> Opened:
    """The record that the address names; 404 where there is none, or not for this person."""
    hamlet, doc_id = desk.path("hamlet"), desk.path("record")
    found = None
    if hamlet in desk.signed_in.grant.hamlets:
        found = await desk.read(lambda rows: find(rows, hamlet, doc_id, desk.words))
    if found is None:
        raise HTTPException(404)
    return found


def find(rows: Connection, hamlet: str, doc_id: str, words: Words) -> Opened | None:
    """Read a record, or None."""
    db, place = f"hamlet-{hamlet}", hamlet_of(rows, hamlet)
    row = records.one(rows, db, doc_id)
    body = body_of(rows, db, doc_id, row.rev) if row else None
    if row is None or place is None or body is None:
        return None
    lines = read(rows, body, words)
    decided = records.review_of(rows, db, doc_id)
    seen = records.body_with(rows, db, doc_id, decided.digest) if decided else None
    differences = facts.changed(read(rows, seen, words), lines) if seen else None
    return Opened(
        hamlet=place,
        row=row,
        title=records.titles(rows, [(db, doc_id)], words)[db, doc_id],
        lines=tuple(lines),
        review=decided,
        differences=None if differences is None else tuple(differences),
        asks=bool(records.asks(rows, [row])),
        choose=records.choice(rows, db, doc_id),
        page=_page_of(rows, hamlet, doc_id),
        history=f"{story.BASE}/{hamlet}/{doc_id}",
    )


def read(rows: Connection, body: Mapping[str, Any], words: Words) -> list[Fact]:
    """A body as lines, with what the rows know about what it names."""
    people = records.people(rows)
    checklist, subjects = None, {}
    if body["type"] == "inspection":
        named = body["answers"]
        checklist = records.checklist_of(rows, named["checklist"], named["version"])
        subjects = records.subject_names(rows, [body["subject"]])

    def who(user: str | None) -> str:
        return people.get(user or "") or words.say("office.somebody")

    return facts.facts(body, Context(words, who, checklist, subjects))


async def _page(
    desk: Desk, opened: Opened, *, wrong: bool = False, overtaken: bool = False, met: bool = False
) -> Response:
    words, kind = desk.words, opened.row.kind
    said = desk.request.query_params if desk.request.method == "GET" else {}
    chosen = filter_of({name: desk.text(name) or said.get(name, "") for name in ("state", "kind", "hamlet")})
    keys = [*TEMPLATES[kind], OTHER]
    comments = {
        key: words.say(f"office.review.template.{kind}.{key}") if key != OTHER else "" for key in keys
    }
    typed = {key: desk.text(f"comment-{key}", 400) for key in keys} if wrong or met else {}
    ulid = opened.row.id.rpartition(":")[2]
    pictures = await photos.of_inspection(desk, opened.hamlet.id, ulid) if kind == "inspection" else []
    return await desk.render(
        "review_record.html",
        "review",
        409 if overtaken or met else 422 if wrong else 200,
        photos=pictures,
        opened=opened,
        chosen=chosen,
        queue_href=f"{queue.BASE}?{urlencode(chosen.query)}",
        at=instant_of(opened.row.stamp),
        reviewed_at=instant_of(opened.review.stamp) if opened.review else "",
        tone=records.TONES.get(opened.row.state, ""),
        templates=[(key, typed.get(key) or comments.get(key, "")) for key in keys],
        picked=desk.text("template", 40) or keys[0],
        longest=LONGEST,
        wrong=wrong,
        overtaken=overtaken,
        met=met,
    )


def _page_of(rows: Connection, hamlet: str, doc_id: str) -> str:
    kind, ulid = doc_id.partition(":")[0], doc_id.rpartition(":")[2]
    if kind == "inspection":
        return f"/office/inspections/{hamlet}/{ulid}"
    return records.page_of(rows, f"hamlet-{hamlet}", ulid) if kind in {"household", "unit", "pledge"} else ""
