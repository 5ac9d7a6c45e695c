"""The whole history of any record, in words, and bringing a value back: on a page of its own, and in others.

It is told from the archive, so it holds what was compacted, stemmed or merged away. Bringing a value back is
a new write that has seen all others (`server.scribe`), so it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

import schemas
from server import archive, quarantine
from server.admission import caller_of
from server.auth.grant import COMMUNE, Role
from server.moving import MARK
from server.office import acts, history, joined, records, said
from server.office.acts import Who
from server.office.desk import Desk, own_address
from server.office.facts import Difference
from server.office.history import Change, Entry, Kept
from server.office.joined import Came
from server.office.places import campaigns, hamlet_of
from server.office.said import Known
from server.office.saving import known_of
from server.review import REVIEWED
from server.rows import tables
from server.rows.engine import table
from server.rules import ADMIN_TYPES
from server.scribe import Change as Write
from server.scribe import NotTaken, Overtaken
from server.settle import read_body
from server.words import Words
from sync import revtree
from sync.merge import CLEARED
from sync.store.interface import DatabaseMissing, Document

BASE = "/office/history"

_archive, _households = table(tables.Archive), table(tables.HouseholdRow)


_BY_SERVER = frozenset({"merged", "derived", "moved"})
"""Sources of entries that nobody has written himself."""


class Standing(NamedTuple):
    """What stands of one document: revision and body; both empty where it is gone."""

    rev: str
    body: Mapping[str, Any]


async def show(desk: Desk) -> Response:
    """The page; looking at it is noted in the audit log."""
    db, doc_id = named(desk)
    told = await tell(desk, db, doc_id)
    if not told:
        raise HTTPException(404)
    await desk.noted("record.viewed", f"{db}/{doc_id}")
    hamlet = desk.path("place")
    place = await desk.read(lambda rows: hamlet_of(rows, hamlet))
    return await desk.render(
        "history.html",
        "households" if db != COMMUNE else "models",
        title=await title(desk, db, doc_id),
        place=place,
        page_href=page_of(db, doc_id),
        story=told,
        story_href=f"{BASE}/{hamlet}/{doc_id}",
    )


async def restore(desk: Desk) -> Response:
    """Bring a value back: one new write, of that field alone, and only over what the page had shown."""
    db, subject = named(desk)
    back = own_address(desk.text("back", 200) or f"{BASE}/{desk.path('place')}/{subject}")
    doc_id, field = desk.text("id", 200), desk.text("field", 60)
    standing, entries = await _read(desk, db, subject)
    change = history.brought_back(entries.get(doc_id, ()), desk.text("rev", 90), field)
    if change is None or doc_id not in standing:
        return desk.to(back, "office.flash.restored_already", kind="warn")
    seen = await desk.read(lambda rows: records.body_of(rows, db, doc_id, desk.text("seen", 90)))
    value = CLEARED if change.after is None else change.after
    write = Write(doc_id, {field: value}, seen or standing[doc_id].body)
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {db: [write]})
    except Overtaken:
        return desk.to(back, "office.flash.look_again", kind="warn")
    except NotTaken as error:
        return desk.to(back, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted("record.restored", f"{db}/{doc_id}")
    return desk.to(back, "office.flash.restored")


async def tell(desk: Desk, db: str, doc_id: str) -> list[dict[str, Any]]:
    """The history of a record and of what belongs to it, the newest first, as pages show it."""
    standing, entries = await _read(desk, db, doc_id)

    def work(rows: Connection) -> list[dict[str, Any]]:
        known, people = known_of(rows, desk.words), records.people(rows)
        every_act = [act for one in standing.values() for act in _acts_of(one.body)]

        def who(user: str | None) -> str:
            return people.get(user or "") or desk.words.say("office.somebody")

        told = history.merge(entries.values())
        came = joined.came(rows, db, told)
        admin = desk.signed_in.role is Role.ADMIN
        return [
            _shown(entry, standing, every_act, known, who, admin=admin)
            | {"what": _what(entry, came.get((entry.doc_id, entry.rev)), known, who)}
            for entry in told
        ]

    return await desk.read(work)


def page_of(db: str, doc_id: str) -> str:
    """The page where a record is at home, empty where it has none."""
    kind, *parts = doc_id.split(":")
    address = _PAGES.get(kind, "")
    return address.format(hamlet=db.removeprefix("hamlet-"), id=doc_id, ulid=parts[-1], slug=parts[0])


_REVIEW = "/office/review/{hamlet}/{id}"
_PAGES = {
    "household": "/office/households/{hamlet}/{ulid}",
    "inspection": "/office/inspections/{hamlet}/{ulid}",
    "unit": "/office/units/{hamlet}/{ulid}",
    **dict.fromkeys(("outreach", "pledge"), _REVIEW),
    "model": "/office/models/{ulid}",
    "bulletin": "/office/bulletins/{ulid}/edit",
    "checklist": "/office/checklists/{slug}",
    **dict.fromkeys(("campaign", "clauses", "notice"), "/office/campaign"),
}


# ---- What belongs together ------------------------------------------------------------------------------


def family(rows: Connection, db: str, doc_id: str) -> list[str]:
    """The documents that one history tells of: a household or unit with its pledges, and their reviews."""
    kind, ulid = doc_id.partition(":")[0], doc_id.rpartition(":")[2]
    if db == COMMUNE:
        return [doc_id]
    ids = [doc_id]
    if kind in {"household", "unit", "pledge"}:
        subjects = [f"{one}:{ulid}" for one in ("household", "unit")]
        pledges = [f"pledge:{campaign.id}:{ulid}" for campaign in campaigns(rows)]
        ids = list(dict.fromkeys([doc_id, *subjects, *pledges]))
    return [*ids, *(f"review:{one}" for one in ids)]


async def _read(desk: Desk, db: str, doc_id: str) -> tuple[dict[str, Standing], dict[str, Sequence[Entry]]]:
    ids = await desk.read(lambda rows: family(rows, db, doc_id))
    try:
        documents = await desk.parts.store.read(db, ids, lambda _id, tree: revtree.live(tree))
    except DatabaseMissing:
        documents = {}
    standing = {one: _standing(one, document) for one, document in documents.items()}

    def work(rows: Connection) -> dict[str, Sequence[Entry]]:
        return {
            one: history.tell(one, kept, standing[one].rev if one in standing else None)
            for one, kept in _kept(rows, db, ids).items()
        }

    return standing, await desk.read(work)


def told(rows: Connection, db: str, doc_id: str) -> Sequence[Entry]:
    """The entries of one document alone, oldest first."""
    return history.tell(doc_id, _kept(rows, db, [doc_id]).get(doc_id, []), None)


def _standing(doc_id: str, document: Document) -> Standing:
    """The greatest live leaf that can be read here: what the pages show."""
    for rev in revtree.live(document.tree):
        held = document.bodies.get(rev)
        body = read_body(doc_id, held.json) if held else None
        if body is not None and not schemas.newer(body):
            return Standing(str(rev), body)
    return Standing("", {})


def _kept(rows: Connection, db: str, ids: Sequence[str]) -> dict[str, list[Kept]]:
    """The archived revisions of each document; its moves between hamlets too that other databases tell."""
    held: dict[str, list[Kept]] = {}
    brought = quarantine.bringers(rows, db, ids)
    for row in rows.execute(select(_archive).where(_archive.c.db == db, _archive.c.id.in_(ids))):
        if row.source == "moved" and row.deleted:
            continue
        body = orjson.loads(row.body)
        kept = Kept(row.rev, row.parent, body, row.deleted, row.by, row.stamp, row.entered_at, row.source)
        if row.source == "released" and (who := brought.get((row.id, row.rev))) != row.by:
            kept = replace(kept, brought=who)
        held.setdefault(row.id, []).append(kept)
    for one in archive.departures(rows, ids):
        kept = Kept(str(one.rev), None, {MARK: one.target}, True, one.by, None, one.at, "moved", one.source)
        held.setdefault(one.id, []).append(kept)
    return held


def named(desk: Desk) -> tuple[str, str]:
    """Database and id of the record that the address names; 404 where this person may not see it."""
    place, doc_id = desk.path("place"), desk.path("record")
    if place == COMMUNE:
        return COMMUNE, doc_id
    if place not in desk.signed_in.grant.hamlets:
        raise HTTPException(404)
    return f"hamlet-{place}", doc_id


async def standing_of(desk: Desk, db: str, doc_id: str) -> Standing | None:
    """What stands of a document; None where nothing can be read of it."""
    try:
        documents = await desk.parts.store.read(db, [doc_id], lambda _id, tree: revtree.live(tree))
    except DatabaseMissing:
        return None
    found = _standing(doc_id, documents[doc_id]) if doc_id in documents else None
    return found if found and found.rev else None


async def title(desk: Desk, db: str, doc_id: str) -> str:
    """What a record is and what it is called."""

    def work(rows: Connection) -> str | None:
        if db == COMMUNE:
            return records.title_in_commune(rows, doc_id)
        kind = doc_id.partition(":")[0]
        return records.titles(rows, [(db, doc_id)], desk.words)[db, doc_id] if kind in REVIEWED else None

    words, key = desk.words, f"office.kind.{doc_id.partition(':')[0]}"
    label = words.say(key if words.knows(key) else "office.kind.other")
    called = await desk.read(work)
    return f"{label}: {called}" if called else label


# ---- In words -------------------------------------------------------------------------------------------


def _shown(
    entry: Entry,
    standing: Mapping[str, Standing],
    every_act: Sequence[Mapping[str, Any]],
    known: Known,
    who: Who,
    *,
    admin: bool,
) -> dict[str, Any]:
    kind, words = entry.doc_id.partition(":")[0], known.words
    there = standing.get(entry.doc_id)
    open_to_all = kind not in ADMIN_TYPES or admin
    may = bool(there and there.rev) and open_to_all and not entry.newer
    return {
        "id": entry.doc_id,
        "rev": entry.rev,
        "seen": there.rev if there else "",
        "lost": entry.lost,
        "who": _byline(entry, who, words),
        "changes": [
            _change(kind, change, known, may=may and not _is_merged(there and there.body.get(change.field)))
            for change in entry.changes
        ],
        "acts": [_act(entry, act, who, words, every_act) for act in entry.acts],
    }


def _change(kind: str, change: Change, known: Known, *, may: bool) -> dict[str, Any]:
    lines = said.differences(kind, change.field, change.before, change.after, known)
    whole = said.line(kind, change.field, change.after, known)
    if not lines:  # chosen as it stood, or written without saying anything else
        lines = [Difference(said.name(kind, change.field, known.words), None, whole)]
    return {
        "name": change.field,
        "field": said.name(kind, change.field, known.words),
        "value": whole,
        "lines": lines,
        "state": change.state,
        "settles": change.settles,
        "may_restore": may and change.state in {"lost", "replaced"} and not _is_merged(change.after),
    }


def _is_merged(value: Any) -> bool:
    """A household is merged, and parted again, on a page of its own: its pledges go with it."""
    return isinstance(value, dict) and value.get("is") == "merged_into"


def _headline(entry: Entry, words: Words) -> str:
    kind = entry.doc_id.partition(":")[0]
    if entry.deleted:
        return "office.history.deleted"
    if entry.newer:
        return "office.history.newer"
    if entry.source in _BY_SERVER:
        return f"office.history.{entry.source}"
    if any(change.settles for change in entry.changes):
        return "office.history.settled"
    key = f"office.history.{kind}_{'first' if entry.first else 'changed'}"
    return key if words.knows(key) else f"office.history.{'first' if entry.first else 'changed'}"


def _what(entry: Entry, came: Came | None, known: Known, who: Who) -> str:
    if came:
        return known.words.say("office.history.came", name=came.name, who=who(came.by))
    return _went(entry.way, known) if entry.way else known.words.say(_headline(entry, known.words))


def _act(entry: Entry, act: Mapping[str, Any], who: Who, words: Words, every: Sequence[Any]) -> str:
    """An act in words; with its author and time, where the entry tells of none."""
    what = acts.short(act, who, words, every)
    if entry.source not in _BY_SERVER:
        return what
    return words.say("office.history.act_by", what=what, who=who(act["by"]), at=words.time(act["at"]))


def _went(way: tuple[str, str], known: Known) -> str:
    source, target = (known.hamlets.get(db.removeprefix("hamlet-"), db) for db in way)
    return known.words.say("office.history.went", source=source, target=target)


def _byline(entry: Entry, who: Who, words: Words) -> str:
    if entry.source in _BY_SERVER and not (entry.way and entry.by):
        return words.time(entry.entered_at)
    same = entry.at[:16] == entry.entered_at[:16]
    key = "office.history.by_at" if same else "office.history.by_at_received"
    said = words.say(key, who=who(entry.by), at=words.time(entry.at), received=words.time(entry.entered_at))
    return f"{said}. {words.say('office.history.brought', who=who(entry.brought))}" if entry.brought else said


def _acts_of(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = body.get("acts", ())
    return found
