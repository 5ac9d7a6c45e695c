"""The records that staff review, from the rows: which there are, what they are called, what they said."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Case, Connection, Row, Select, Table, and_, case, func, select

from server import review
from server.auth.grant import WALKERS
from server.checklists import check
from server.review import State
from server.rows import registers, tables
from server.rows.engine import table
from server.words import Words

_records, _reviews, _users = (
    table(registers.RecordRow),
    table(registers.ReviewRow),
    table(tables.User),
)
_households, _units = table(tables.HouseholdRow), table(registers.UnitRow)
_inspections, _outreach = table(registers.InspectionRow), table(registers.OutreachRow)
_models, _checklists = table(registers.ModelRow), table(registers.ChecklistRow)
_bulletins, _campaigns = table(registers.BulletinRow), table(tables.CampaignRow)
_places, _wordings = table(tables.HamletRow), table(tables.WordingRow)
_archive, _attention = table(tables.Archive), table(tables.AttentionRow)

WAITING: tuple[State, ...] = ("received", "corrected")
"""What the office has still to look at."""

TONES = {"approved": "state-good", "returned": "state-bad", "corrected": "state-warn"}

Shown = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a list shows; empty is all. `state` may also be `waiting`."""

    state: str = "waiting"
    kind: str = ""
    hamlet: str = ""

    @property
    def query(self) -> dict[str, str]:
        """As the query of an address."""
        said = {"state": self.state, "kind": self.kind, "hamlet": self.hamlet}
        return {name: value for name, value in said.items() if value}


def filter_of(said: Mapping[str, str]) -> Filter:
    """The filter that a query or a form names; what it does not know is left out."""
    state, kind = said.get("state", "waiting"), said.get("kind", "")
    return Filter(
        state if state in {*review.STATES, "waiting", "all"} else "waiting",
        kind if kind in review.REVIEWED else "",
        said.get("hamlet", "")[:20],
    )


def state_of() -> Case[str]:
    """`server.review.state` in SQL, over a record and its review."""
    return case(
        (_reviews.c.digest.is_(None), "received"),
        (_reviews.c.digest != _records.c.digest, "corrected"),
        (_reviews.c.decided == "approved", "approved"),
        else_="returned",
    )


def select_records(among: Collection[str], chosen: Filter) -> Select[Any]:
    """The records of these hamlets that somebody of the field wrote last, as a statement, without order.

    What staff wrote last is staff's own word: imports and corrections wait for nobody.
    """
    state = state_of()
    asked = (
        select(*_records.c, state.label("state"), _users.c.name.label("who"))
        .select_from(_records.join(_users, _users.c.id == _records.c.by).outerjoin(_reviews, _is_of_record()))
        .where(_users.c.role.in_([role.value for role in WALKERS]))
        .where(_records.c.db.in_([f"hamlet-{hamlet}" for hamlet in among if chosen.hamlet in {"", hamlet}]))
    )
    if chosen.kind:
        asked = asked.where(_records.c.kind == chosen.kind)
    if chosen.state != "all":
        states = WAITING if chosen.state == "waiting" else (chosen.state,)
        asked = asked.where(state.in_(states))
    return asked


def from_the_field(rows: Connection, hamlet: str, ids: Collection[str]) -> list[Shown]:
    """Of these documents the records that staff review, in the order of the ids."""
    asked = select_records([hamlet], Filter("all")).where(_records.c.id.in_(ids))
    return list(rows.execute(asked.order_by(_records.c.id)))


def counted(rows: Connection, asked: Select[Any]) -> int:
    """How many a statement finds."""
    return rows.execute(select(func.count()).select_from(asked.subquery())).scalar_one()


def page(rows: Connection, asked: Select[Any], number: int, size: int) -> list[Shown]:
    """One page, the oldest write first: what waits longest is next."""
    ordered = asked.order_by(_records.c.stamp, _records.c.id)
    return list(rows.execute(ordered.limit(size).offset((number - 1) * size)))


def after(rows: Connection, asked: Select[Any], stamp: str, doc_id: str) -> Shown | None:
    """The next one in that order; from the beginning where there is none after it."""
    ordered = asked.order_by(_records.c.stamp, _records.c.id).limit(1)
    later = (_records.c.stamp > stamp) | and_(_records.c.stamp == stamp, _records.c.id > doc_id)
    others = asked.where(_records.c.id != doc_id).order_by(_records.c.stamp, _records.c.id).limit(1)
    return rows.execute(ordered.where(later)).first() or rows.execute(others).first()


def one(rows: Connection, db: str, doc_id: str) -> Shown | None:
    """One record with its state, whoever wrote it."""
    written = _records.outerjoin(_users, _users.c.id == _records.c.by)
    asked = select(*_records.c, state_of().label("state"), _users.c.name.label("who"))
    return rows.execute(
        asked.select_from(written.outerjoin(_reviews, _is_of_record())).where(
            _records.c.db == db, _records.c.id == doc_id
        )
    ).first()


def review_of(rows: Connection, db: str, doc_id: str) -> Row[Any] | None:
    """The review of a record, standing or not."""
    asked = select(_reviews, _users.c.name.label("who")).select_from(
        _reviews.outerjoin(_users, _users.c.id == _reviews.c.by)
    )
    return rows.execute(asked.where(_reviews.c.db == db, _reviews.c.subject == doc_id)).first()


def body_with(rows: Connection, db: str, doc_id: str, digest: str) -> Mapping[str, Any] | None:
    """The archived body that had this digest: what staff looked at."""
    asked = select(_archive.c.body).where(
        _archive.c.db == db, _archive.c.id == doc_id, _archive.c.deleted.is_(False)
    )
    bodies = (json.loads(row.body) for row in rows.execute(asked.order_by(_archive.c.generation.desc())))
    return next((body for body in bodies if "stamps" in body and review.digest(body) == digest), None)


def body_of(rows: Connection, db: str, doc_id: str, rev: str) -> dict[str, Any] | None:
    """An archived body, None where none is held."""
    found = rows.execute(
        select(_archive.c.body).where(_archive.c.db == db, _archive.c.id == doc_id, _archive.c.rev == rev)
    ).scalar()
    return json.loads(found) if found is not None else None


def asks(rows: Connection, found: Iterable[Shown]) -> set[tuple[str, str]]:
    """Which of these records something must be settled about first."""
    ids = [row.id for row in found]
    held = select(_attention.c.db, _attention.c.id).where(_attention.c.id.in_(ids))
    return {(row.db, row.id) for row in rows.execute(held)}


def remarkable(rows: Connection, found: Iterable[Shown]) -> set[tuple[str, str]]:
    """Which of these records somebody must open for what was found: inspections with a picture, which nobody
    has seen yet, and those that are not all fine by their checklist, or whose checklist is not here."""
    ids = [row.id for row in found if row.kind == "inspection"]
    asked = select(_inspections).where(_inspections.c.id.in_(ids))
    inspected = rows.execute(asked).all()
    checklists = {
        named: checklist_of(rows, *named) for named in {(row.checklist, row.version) for row in inspected}
    }

    def fine(row: Row[Any]) -> bool:
        checklist, pictures = checklists[row.checklist, row.version], check.answered({}, row.photos)
        return checklist is not None and not pictures and check.fine(checklist, row.answers)

    return {(row.db, row.id) for row in inspected if not fine(row)}


def choice(rows: Connection, db: str, doc_id: str) -> str:
    """The page where somebody chooses between its values of the same time; empty where nothing is open."""
    here = (_attention.c.db == db, _attention.c.id == doc_id, _attention.c.why == "asks")
    there = rows.execute(select(_attention.c.id).where(*here)).first()
    return f"/office/choose/{db.removeprefix('hamlet-')}/{doc_id}" if there else ""


# ---- What they are called -------------------------------------------------------------------------------


def titles(rows: Connection, keys: Collection[tuple[str, str]], words: Words) -> dict[tuple[str, str], str]:
    """A record's title by (db, id): the household's or unit's name; what was inspected; where people met."""
    ulids = {doc_id.rpartition(":")[2] for _, doc_id in keys}
    named = _field(rows, _households, "name", ulids) | _field(rows, _units, "name", ulids)
    inspected = _field(rows, _inspections, "subject", ulids)
    met = _field(rows, _outreach, "place", ulids)
    subjects = subject_names(rows, inspected.values())

    def title(db: str, doc_id: str) -> str:
        key = db, doc_id.rpartition(":")[2]
        match doc_id.partition(":")[0]:
            case "inspection":
                unknown = words.say("office.inspection.subject_unknown")
                return subjects.get(inspected.get(key, "")) or unknown
            case "outreach":
                return met.get(key) or words.say("office.none")
        return named.get(key) or words.say("office.review.subject_unknown")

    return {key: title(*key) for key in keys}


def _field(rows: Connection, source: Table, name: str, ulids: Collection[str]) -> dict[tuple[str, str], str]:
    asked = select(source.c.db, source.c.ulid, source.c[name]).where(source.c.ulid.in_(ulids))
    return {(row[0], row[1]): row[2] for row in rows.execute(asked)}


def subject_names(rows: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """What is inspected, by `model:<ulid>` or `unit:<ulid>`."""
    ulids = {subject.partition(":")[2] for subject in subjects}
    found: dict[str, str] = {}
    for kind, source in (("model", _models), ("unit", _units)):
        asked = select(source.c.ulid, source.c.name).where(source.c.ulid.in_(ulids))
        found |= {f"{kind}:{row.ulid}": row.name for row in rows.execute(asked)}
    return found


def title_in_commune(rows: Connection, doc_id: str) -> str | None:
    """What a document of the commune is called; None where there is none, or it has no name."""
    source = _TITLED.get(doc_id.partition(":")[0])
    return rows.execute(select(source[1]).where(source[0].c.id == doc_id)).scalar() if source else None


_TITLED = {
    "model": (_models, _models.c.name),
    "checklist": (_checklists, _checklists.c.title),
    "bulletin": (_bulletins, _bulletins.c.title),
    "campaign": (_campaigns, _campaigns.c.name),
    "hamlet": (_places, _places.c.name),
    "clauses": (_wordings, _wordings.c.title),
    "notice": (_wordings, _wordings.c.title),
}


def called(rows: Connection, doc_id: str) -> str | None:
    """What a household, a unit or a model is called, by its id; None where there is none."""
    kind, _, ulid = doc_id.partition(":")
    source = {"household": _households, "unit": _units, "model": _models}[kind]
    return rows.execute(select(source.c.name).where(source.c.ulid == ulid).limit(1)).scalar()


def page_of(rows: Connection, db: str, ulid: str) -> str:
    """The address of the page of a household or a unit; empty where there is none of this id."""
    hamlet = db.removeprefix("hamlet-")
    for source, base in ((_households, "/office/households"), (_units, "/office/units")):
        asked = select(source.c.ulid).where(source.c.db == db, source.c.ulid == ulid)
        if rows.execute(asked).first():
            return f"{base}/{hamlet}/{ulid}"
    return ""


def page_of_subject(rows: Connection, subject: str) -> str:
    """The address of the page of what was inspected; empty where it is not here."""
    kind, _, ulid = subject.partition(":")
    source = _models if kind == "model" else _units
    found = rows.execute(select(source.c.db).where(source.c.ulid == ulid)).scalar()
    if found is None:
        return ""
    return f"/office/models/{ulid}" if kind == "model" else page_of(rows, found, ulid)


def checklist_of(rows: Connection, slug: str, version: int) -> Mapping[str, Any] | None:
    """A version of a checklist as its document has it."""
    asked = select(_checklists).where(_checklists.c.slug == slug, _checklists.c.version == version)
    row = rows.execute(asked).mappings().first()
    return dict(row) if row else None


def people(rows: Connection) -> dict[str, str]:
    """Names by user id."""
    return {row.id: row.name for row in rows.execute(select(_users.c.id, _users.c.name))}


def _is_of_record() -> Any:
    return and_(_reviews.c.db == _records.c.db, _reviews.c.subject == _records.c.id)
