"""Choosing between values that were written at the same time: all of them side by side, one click settles.

The rule `ask` (`sync.merge`) keeps such values until a person decides. The choice is a write that has seen
every value the page showed, so it stays however often a phone brings them again; a value that nobody has
seen opens the question anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of
from server.auth.grant import COMMUNE, Role
from server.office import records, said, story
from server.office.desk import Desk
from server.office.facts import Fact
from server.office.history import instant_of
from server.office.places import Hamlet
from server.office.said import Known
from server.office.saving import known_of, writers_of
from server.rows import tables
from server.rows.engine import table
from server.rules import ADMIN_TYPES
from server.scribe import Change, NotTaken, Overtaken
from server.words import Words
from sync.merge import CLEARED, Value, questions

BASE = "/office/choose"
SHOWN = 50

_attention = table(tables.AttentionRow)


@dataclass(frozen=True, slots=True)
class Version:
    """One of the values: whose, from when, and the number that a button says."""

    number: int
    who: str
    at: str
    latest: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of all versions beside each other. `item` names a question that may be mixed, else empty."""

    label: str
    texts: tuple[str, ...]
    differs: bool
    item: str


@dataclass(frozen=True, slots=True)
class Question:
    """A field that waits for a choice."""

    field: str
    label: str
    versions: tuple[Version, ...]
    rows: tuple[Row, ...]
    may_mix: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that somebody must look at: what it is, why, and where that is done."""

    title: str
    kind: str
    place: str
    why: str
    href: str


# ---- The list -------------------------------------------------------------------------------------------


def waiting(rows: Connection, known: Mapping[str, Hamlet], words: Words) -> list[Waiting]:
    """What no rule could settle, in these hamlets and the commune: choices first."""
    dbs = {place.db: place.name for place in known.values()} | {COMMUNE: words.say("office.choose.commune")}
    asked = select(_attention).where(_attention.c.db.in_(dbs)).order_by(_attention.c.why, _attention.c.id)
    found = rows.execute(asked.limit(SHOWN)).all()
    inside = [(row.db, row.id) for row in found if row.db != COMMUNE]
    titles = records.titles(rows, inside, words)
    return [
        Waiting(
            title=titles.get((row.db, row.id)) or records.title_in_commune(rows, row.id) or row.id,
            kind=kind_in_words(row.id, words),
            place=dbs[row.db],
            why=words.say(f"office.choose.why.{row.why}"),
            href=f"{BASE if row.why == 'asks' else story.BASE}/{row.db.removeprefix('hamlet-')}/{row.id}",
        )
        for row in found
    ]


def kind_in_words(doc_id: str, words: Words) -> str:
    """What kind of record an id names."""
    key = f"office.kind.{doc_id.partition(':')[0]}"
    return words.say(key if words.knows(key) else "office.kind.other")


# ---- One record -----------------------------------------------------------------------------------------


async def show(desk: Desk) -> Response:
    """All values of each open field; where nothing is open any more, the record's history."""
    return await _page(desk)


async def choose(desk: Desk) -> Response:
    """Take one of the values, or an inspection's answers question by question."""
    db, doc_id = story.named(desk)
    seen = await _seen(desk, db, doc_id)
    field, _, number = desk.text("take", 80).partition(":")
    values = questions(seen).get(field, ()) if seen else ()
    if seen is None or not values or not (number == "mix" or _within(number, values)):
        raise HTTPException(400)
    value = _mixed(desk, field, values) if number == "mix" else values[int(number)].value
    change = Change(doc_id, {field: value}, seen)
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {db: [change]})
    except Overtaken:
        return await _page(desk, overtaken=True)
    except NotTaken as error:
        return await _page(desk, refused=error.refused[0].reason)
    await desk.noted("record.chosen", f"{db}/{doc_id}")
    standing = await story.standing_of(desk, db, doc_id)
    again = bool(questions(standing.body)) if standing else False
    return desk.to(_here(desk) if again else story.page_of(db, doc_id), "office.flash.chosen")


async def _seen(desk: Desk, db: str, doc_id: str) -> Mapping[str, Any] | None:
    """The body that the page had shown."""
    rev, standing = desk.text("seen", 90), await story.standing_of(desk, db, doc_id)
    if standing and standing.rev == rev:
        return standing.body
    return await desk.read(lambda rows: records.body_of(rows, db, doc_id, rev))


def _within(number: str, values: Sequence[Value]) -> bool:
    return number.isascii() and number.isdecimal() and len(number) < 4 and int(number) < len(values)


def _mixed(desk: Desk, field: str, values: Sequence[Value]) -> dict[str, Any]:
    """Answers of one checklist, each question from the version ticked for it, else from the first."""
    if not _may_mix(field, values):
        raise HTTPException(400)
    base: dict[str, Any] = dict(values[0].value)
    mixed = dict(base["values"])
    for item in sorted({key for value in values for key in value.value["values"]}):
        number = desk.text(f"item-{item}", 4)
        if not _within(number, values):
            continue
        taken = values[int(number)].value["values"]
        if item in taken:
            mixed[item] = taken[item]
        else:
            mixed.pop(item, None)
    return {**base, "values": mixed}


def _may_mix(field: str, values: Sequence[Value]) -> bool:
    """Whether the values are answers to one version of one checklist."""
    if field != "answers" or any(value.value is CLEARED for value in values):
        return False
    return len({(value.value["checklist"], value.value["version"]) for value in values}) == 1


async def _page(desk: Desk, *, overtaken: bool = False, refused: str = "") -> Response:
    db, doc_id = story.named(desk)
    standing = await story.standing_of(desk, db, doc_id)
    if standing is None:
        raise HTTPException(404)
    asked = questions(standing.body)
    if not asked:
        return desk.to(
            f"{story.BASE}/{desk.path('place')}/{doc_id}", "office.flash.chosen_already", kind="warn"
        )
    kind = doc_id.partition(":")[0]

    def work(rows: Connection) -> list[Question]:
        known = known_of(rows, desk.words)
        stamps = {value.stamp for values in asked.values() for value in values}
        writers = writers_of(rows, stamps, desk.words)
        return [_question(kind, field, values, known, writers) for field, values in asked.items()]

    found = await desk.read(work)
    await desk.noted("record.viewed", f"{db}/{doc_id}")
    return await desk.render(
        "choose.html",
        "review",
        409 if overtaken else 422 if refused else 200,
        title=await story.title(desk, db, doc_id),
        page_href=story.page_of(db, doc_id),
        history_href=f"{story.BASE}/{desk.path('place')}/{doc_id}",
        action=_here(desk),
        seen=standing.rev,
        questions=found,
        overtaken=overtaken,
        refused=refused,
        may_choose=kind not in ADMIN_TYPES or desk.signed_in.role is Role.ADMIN,
    )


def _here(desk: Desk) -> str:
    return f"{BASE}/{desk.path('place')}/{desk.path('record')}"


def _question(
    kind: str, field: str, values: Sequence[Value], known: Known, writers: Mapping[str, str]
) -> Question:
    lines = [{line.key: line for line in said.lines(kind, field, value.value, known)} for value in values]
    keys = list(dict.fromkeys(key for one in lines for key in one))
    mix = _may_mix(field, values)
    rows = tuple(_row(key, [one.get(key) for one in lines], known.words, mix=mix) for key in keys)
    return Question(
        field=field,
        label=said.name(kind, field, known.words),
        versions=tuple(
            Version(number, writers[value.stamp], known.words.time(instant_of(value.stamp)), number == 0)
            for number, value in enumerate(values)
        ),
        rows=tuple(sorted(rows, key=lambda row: not row.differs)),
        may_mix=mix and sum(row.differs for row in rows) > 1,
    )


def _row(key: str, lines: Sequence[Fact | None], words: Words, *, mix: bool) -> Row:
    label = next(line.label for line in lines if line)
    texts = tuple(line.text if line else words.say("office.none") for line in lines)
    differs = len(set(texts)) > 1
    return Row(label, texts, differs, key if mix and differs else "")
