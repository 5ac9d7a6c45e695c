"""Inspections: what was found, by which version of a checklist, what it scores, and what is still to be done.

Scores are computed here from the answers whenever they are shown (`server.checklists.check`). The pictures
themselves lie beside the documents (`server.blobs`); the page shows those that have come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.checklists import check
from server.office import facts, photos, records
from server.office.desk import Desk
from server.office.households import Tab
from server.office.places import Hamlet, hamlet_of, hamlets
from server.office.records import checklist_of
from server.rows import registers
from server.rows.engine import table
from server.words import Words, local_day

BASE, PAGE = "/office/inspections", 50
TABS = ("all", "due", "overdue")

_inspections, _checklists = table(registers.InspectionRow), table(registers.ChecklistRow)


@dataclass(frozen=True, slots=True)
class Line:
    """An inspection in a list. `due` is the day of a follow-up that is not done."""

    href: str
    subject: str
    kind: str
    hamlet_name: str
    date: str
    checklist: str
    score: str
    findings: str
    due: str
    late: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An item with the answer now and the one before; `good` None where it carries no points."""

    label: str
    now: str
    before: str
    good: bool | None


async def show_all(desk: Desk) -> Response:
    """All inspections, the latest first, or those with something still to be done, the most urgent first."""
    tab = desk.request.query_params.get("show", "all")
    tab = tab if tab in TABS else "all"
    today, held = today_of(desk), desk.signed_in.grant.hamlets

    def work(rows: Connection) -> tuple[int, int, list[Line]]:
        known = hamlets(rows, held)
        asked = select_inspections([place.db for place in known.values()], tab, today)
        count = rows.execute(select(func.count()).select_from(asked.order_by(None).subquery())).scalar_one()
        number = min(desk.page_number(), max(1, -(-count // PAGE)))
        found = rows.execute(asked.limit(PAGE).offset((number - 1) * PAGE)).all()
        return count, number, lines(rows, list(found), known, desk.words, today)

    count, number, found = await desk.read(work)
    return await desk.render(
        "inspections.html",
        "models",
        found=found,
        tabs=[
            Tab(desk.words.say("office.inspection.tab." + one), f"{BASE}?show={one}", one == tab)
            for one in TABS
        ],
        count=desk.words.number(count),
        pages=desk.pages(number, count, PAGE, BASE, show=tab),
    )


async def show(desk: Desk) -> Response:
    """One inspection, its answers beside those of the one before it of the same subject and checklist."""
    hamlet, ulid = desk.path("hamlet"), desk.path("ulid")
    if hamlet not in desk.signed_in.grant.hamlets:
        raise HTTPException(404)
    context = await desk.read(lambda rows: find(rows, hamlet, ulid, desk.words))
    if context is None:
        raise HTTPException(404)
    pictures = await photos.of_inspection(desk, hamlet, ulid)
    return await desk.render("inspection.html", "models", photos=pictures, **context)


def today_of(desk: Desk) -> str:
    """Today by the clock on the wall here."""
    return local_day(desk.now).isoformat()


def select_inspections(dbs: list[str], tab: str, today: str) -> Select[Any]:
    """The list as a statement, in its order."""
    asked = select(_inspections).where(_inspections.c.db.in_(dbs))
    if tab == "all":
        return asked.order_by(_inspections.c.date.desc(), _inspections.c.id.desc())
    asked = asked.where(_inspections.c.due.is_not(None), _inspections.c.done.is_(None))
    if tab == "overdue":
        asked = asked.where(_inspections.c.due < today)
    return asked.order_by(_inspections.c.due, _inspections.c.id)


def of_subject(rows: Connection, subject: str, known: Mapping[str, Hamlet], words: Words) -> list[Line]:
    """The inspections of one model or unit, the latest first."""
    asked = select(_inspections).where(_inspections.c.subject == subject)
    found = rows.execute(asked.order_by(_inspections.c.date.desc(), _inspections.c.id.desc())).all()
    return lines(rows, [row for row in found if row.db.removeprefix("hamlet-") in known], known, words, "")


def last_by_subject(rows: Connection) -> dict[str, str]:
    """The day of the last inspection, by subject."""
    asked = select(_inspections.c.subject, func.max(_inspections.c.date)).group_by(_inspections.c.subject)
    return {row[0]: row[1] for row in rows.execute(asked)}


def lines(
    rows: Connection, found: list[Row[Any]], known: Mapping[str, Hamlet], words: Words, today: str
) -> list[Line]:
    """Inspections as a list shows them, scored by the version that each names."""
    subjects = records.subject_names(rows, {row.subject for row in found})
    checklists = {
        named: checklist_of(rows, *named) for named in {(row.checklist, row.version) for row in found}
    }

    def line(row: Row[Any]) -> Line:
        hamlet, checklist = known[row.db.removeprefix("hamlet-")], checklists[row.checklist, row.version]
        due = row.due if row.due and not row.done else ""
        return Line(
            href=f"{BASE}/{hamlet.id}/{row.ulid}",
            subject=subjects.get(row.subject) or words.say("office.inspection.subject_unknown"),
            kind=row.subject.partition(":")[0],
            hamlet_name=hamlet.name,
            date=row.date,
            checklist=_named(row, checklist, words),
            score=_score(row, checklist, words),
            findings=row.findings,
            due=due,
            late=bool(due) and due < today,
        )

    return [line(row) for row in found]


def find(rows: Connection, hamlet: str, ulid: str, words: Words) -> dict[str, Any] | None:
    """What the page of one inspection shows, or None."""
    here = select(_inspections).where(_inspections.c.db == f"hamlet-{hamlet}", _inspections.c.ulid == ulid)
    row, place = rows.execute(here).one_or_none(), hamlet_of(rows, hamlet)
    if row is None or place is None:
        return None
    checklist = checklist_of(rows, row.checklist, row.version)
    before = _before(rows, row)
    subject = records.subject_names(rows, [row.subject]).get(row.subject)
    older = checklist_of(rows, before.checklist, before.version) if before else None
    state = records.one(rows, row.db, row.id)
    return {
        "hamlet": place,
        "inspection": row,
        "subject": subject or words.say("office.inspection.subject_unknown"),
        "subject_href": records.page_of_subject(rows, row.subject),
        "who": records.people(rows).get(row.by) or words.say("office.somebody"),
        "checklist": _named(row, checklist, words),
        "checklist_href": f"/office/checklists/{row.checklist}?version={row.version}" if checklist else "",
        "score": _score(row, checklist, words),
        "before": before,
        "before_score": _score(before, older, words) if before else "",
        "answers": _answers((row, checklist), (before, older), words) if checklist else [],
        "follow_up": facts.follow_up_in_words(row._asdict(), words) if row.what else "",
        "state": state.state if state else "received",
        "choose": records.choice(rows, row.db, row.id),
        "review_href": f"/office/review/{hamlet}/{row.id}",
    }


def _before(rows: Connection, row: Row[Any]) -> Row[Any] | None:
    """The last one before, of the same subject by any version of the same checklist."""
    earlier = (_inspections.c.date < row.date) | (
        (_inspections.c.date == row.date) & (_inspections.c.ulid < row.ulid)
    )
    same = (_inspections.c.subject == row.subject, _inspections.c.checklist == row.checklist)
    asked = select(_inspections).where(*same, earlier)
    return rows.execute(
        asked.order_by(_inspections.c.date.desc(), _inspections.c.ulid.desc()).limit(1)
    ).first()


def _answers(
    now: tuple[Row[Any], Mapping[str, Any]],
    before: tuple[Row[Any] | None, Mapping[str, Any] | None],
    words: Words,
) -> list[Answer]:
    """The items that apply now; what was answered before to an item of the same id stands beside."""
    (row, checklist), (earlier, older) = now, before
    old = {}
    if earlier and older:
        old = {fact.key: fact.text for fact in facts.answers(older, _body(earlier), words)}
    return [
        Answer(fact.label, fact.text, old.get(fact.key, ""), fact.good)
        for fact in facts.answers(checklist, _body(row), words)
    ]


def _body(row: Row[Any]) -> dict[str, Any]:
    return {"answers": {"values": row.answers}, "photos": row.photos}


def _score(row: Row[Any], checklist: Mapping[str, Any] | None, words: Words) -> str:
    if checklist is None:
        return words.say("office.none")
    score = check.score(checklist, check.answered(row.answers, row.photos))
    earned, possible = words.number(score.earned), words.number(score.possible)
    return words.say("office.inspection.score_of", earned=earned, possible=possible)


def _named(row: Row[Any], checklist: Mapping[str, Any] | None, words: Words) -> str:
    title = checklist["title"] if checklist else row.checklist
    return words.say("office.inspection.by_version", title=title, version=row.version)
