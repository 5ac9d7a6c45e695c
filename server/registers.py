"""The rows of registers and reviews: pure, from a document's body (`server.projection` calls)."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table

from server import names, review
from server.rows import registers as tables
from server.rows.engine import table
from sync.merge import Body
from sync.stamps import ALL

Row = dict[str, Any]

TABLES: Mapping[str, Table] = {
    "model": table(tables.ModelRow),
    "checklist": table(tables.ChecklistRow),
    "bulletin": table(tables.BulletinRow),
    "unit": table(tables.UnitRow),
    "inspection": table(tables.InspectionRow),
    "outreach": table(tables.OutreachRow),
    "review": table(tables.ReviewRow),
}
"""The table of each type that has one row for a document."""

RECORDS = table(tables.RecordRow)


def row(doc_id: str, body: Body) -> Row:
    """The row of a document whose type is in `TABLES`, without its key."""
    return _written(body) | _ROWS[body["type"]](doc_id, body)


def record(body: Body) -> Row:
    """The row of a document that staff review, without its key."""
    fields = {"kind": body["type"], "digest": review.digest(body), "ordinary": review.ordinary(body)}
    return _written(body) | fields


def _written(body: Body) -> Row:
    return {"by": body["by"], "stamp": body["stamps"][ALL]}


def _take(body: Body, *fields: str) -> Row:
    return {field: body[field] for field in fields}


def _ulid(doc_id: str) -> Row:
    return {"ulid": doc_id.partition(":")[2]}


def _model(doc_id: str, body: Body) -> Row:
    decision, state = body.get("decision", {}), body["state"]
    return {
        **_ulid(doc_id),
        **_take(body, "kind", "name", "hamlets", "points", "groups"),
        "decision_number": decision.get("number"),
        "decision_date": decision.get("date"),
        "state": state["is"],
        "since": state["since"],
        "note": body.get("note", ""),
        "sort_key": names.title_key(body["name"]),
    }


def _checklist(doc_id: str, body: Body) -> Row:
    _, slug, version = doc_id.split(":")
    return {"slug": slug, "version": int(version), **_take(body, "title", "model", "source", "sections")}


def _bulletin(doc_id: str, body: Body) -> Row:
    return {**_ulid(doc_id), "starts": body["from"], **_take(body, "title", "text", "until", "hamlets")}


def _unit(doc_id: str, body: Body) -> Row:
    place, status = body.get("place", {}), body["status"]
    return {
        **_ulid(doc_id),
        **_take(body, "name", "kind", "in_scope"),
        "house": place.get("house", ""),
        "lane": place.get("lane", ""),
        "status": status["is"],
        "since": status["since"],
        "sort_key": names.title_key(body["name"]),
    }


def _inspection(doc_id: str, body: Body) -> Row:
    answers, follow_up = body["answers"], body.get("follow_up", {})
    return {
        **_ulid(doc_id),
        **_take(body, "subject", "date", "photos"),
        "checklist": answers["checklist"],
        "version": answers["version"],
        "answers": answers["values"],
        "findings": body.get("findings", ""),
        **{name: follow_up.get(name) for name in ("what", "due", "done")},
    }


def _outreach(doc_id: str, body: Body) -> Row:
    fields = _take(body, "kind", "date", "place", "present", "topics")
    return {**_ulid(doc_id), **fields, "note": body.get("note", "")}


def _review(doc_id: str, body: Body) -> Row:
    decision = body["decision"]
    return {
        "subject": review.subject(doc_id),
        "decided": decision["is"],
        "digest": decision["digest"],
        "comment": decision.get("comment", ""),
    }


_ROWS: Mapping[str, Callable[[str, Body], Row]] = {
    "model": _model,
    "checklist": _checklist,
    "bulletin": _bulletin,
    "unit": _unit,
    "inspection": _inspection,
    "outreach": _outreach,
    "review": _review,
}
