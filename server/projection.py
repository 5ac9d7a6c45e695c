"""What the rows say of a document: pure, from its tree and the bodies of its leaves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson
from sqlalchemy import Table

import schemas
from server import moving, names, registers, review
from server.rows import tables
from server.rows.engine import table
from server.settle import plan, read_bodies, read_body
from sync import merge, resolve, revtree
from sync.merge import Body
from sync.rev import Rev
from sync.stamps import ALL
from sync.store.interface import Document

Row = dict[str, Any]

PROJECTED: Mapping[Table, str] = {
    table(tables.HamletRow): "id",
    table(tables.CampaignRow): "id",
    table(tables.WordingRow): "id",
    table(tables.HouseholdRow): "id",
    table(tables.PledgeRow): "id",
    table(tables.ActRow): "doc_id",
    **dict.fromkeys((*registers.TABLES.values(), registers.RECORDS), "id"),
    table(tables.AttentionRow): "id",
    table(tables.MovedRow): "id",
}
"""Every table of the read model, with the column that names the document. These can be rebuilt."""


class Projected(NamedTuple):
    """A row, and the table that it belongs to."""

    table: Table
    row: Row


def project(
    db: str, doc_id: str, document: Document, earlier: Mapping[Rev, bytes] | None = None
) -> Iterator[Projected]:
    """The rows of one document as it is now; none where it is deleted.

    Shown is the greatest live leaf that is valid and of a version known here. Where a later program has
    written over all of those, shown is the last revision beneath that can be read here, among what the store
    holds and `earlier`: a household is not lost because somebody else's program is newer.
    """
    bodies = read_bodies(doc_id, document)
    shown = next((rev for rev in revtree.live(document.tree) if _readable(bodies.get(rev))), None)
    if shown is None:
        bodies |= {rev: read_body(doc_id, raw) for rev, raw in (earlier or {}).items()}
        shown = next((rev for rev in overwritten(doc_id, document) if _readable(bodies.get(rev))), None)
    for why, detail in _attention(doc_id, document, bodies, shown):
        row = {"db": db, "id": doc_id, "why": why, "detail": sorted(detail)}
        yield Projected(table(tables.AttentionRow), row)
    if away := moving.departures(document):
        yield _moved(db, doc_id, revtree.winner(document.tree), away[0], stray=moving.strays(document))
    if shown is not None:
        body = cast(Body, bodies[shown])
        key = {"db": db, "id": doc_id, "rev": str(shown)}
        yield from _project(db, doc_id, key, body)


def overwritten(doc_id: str, document: Document) -> list[Rev]:
    """The revisions beneath the live leaves, the latest first, where every leaf that can be read is of a
    version that is not known here; none else."""
    live = revtree.live(document.tree)
    held = [document.bodies[rev].json for rev in live if rev in document.bodies]
    if not any(schemas.newer(orjson.loads(raw)) for raw in held):
        return []
    bodies = read_bodies(doc_id, document)
    if any(_readable(bodies.get(rev)) for rev in live):
        return []
    newer = [rev for rev in live if (body := bodies.get(rev)) is not None and schemas.newer(body)]
    beneath = {rev for leaf in newer for rev in revtree.ancestry(document.tree, leaf)[1:]}
    return sorted((rev for rev in beneath if not document.tree[rev].deleted), reverse=True)


def _readable(body: Body | None) -> bool:
    return body is not None and not schemas.newer(body)


def _attention(
    doc_id: str, document: Document, bodies: Mapping[Rev, Body | None], shown: Rev | None
) -> Iterator[tuple[str, list[str]]]:
    """Why staff must look at a document, with revisions or fields."""
    live = revtree.live(document.tree)
    newer = [str(rev) for rev in live if (body := bodies.get(rev)) is not None and schemas.newer(body)]
    invalid = [str(rev) for rev in live if bodies.get(rev) is None]
    if newer:
        yield "newer_version", newer
    if invalid:
        yield "invalid", invalid
    planned: resolve.Plan = plan(doc_id, document)
    if planned.outlived:
        yield "deleted_and_edited", [str(rev) for rev in planned.outlived]
    if shown is not None and (asked := merge.questions(cast(Body, bodies[shown]))):
        yield "asks", list(asked)


def _project(db: str, doc_id: str, key: Row, body: Body) -> Iterator[Projected]:
    _, *parts = doc_id.split(":")
    if body["type"] in review.REVIEWED:
        yield Projected(registers.RECORDS, key | registers.record(body))
    if body["type"] in registers.TABLES:
        yield Projected(registers.TABLES[body["type"]], key | registers.row(doc_id, body))
    match body["type"]:
        case "hamlet":
            fields = {"hamlet": parts[0], "place": body["order"]}
            yield Projected(table(tables.HamletRow), key | fields | _take(body, "name", "kind", "state"))
            if body["state"] == "merged" and (merged := body.get("merged")):
                yield _moved(db, doc_id, Rev.parse(key["rev"]), f"hamlet-{merged['into']}", stray=False)
        case "campaign":
            fields = {"campaign": parts[0]}
            yield Projected(table(tables.CampaignRow), key | fields | _take(body, *schemas.rules("campaign")))
        case "clauses" | "notice":
            fields = {"kind": body["type"], "version": int(parts[0])}
            yield Projected(table(tables.WordingRow), key | fields | _take(body, "title", "items"))
        case "household":
            yield Projected(table(tables.HouseholdRow), key | {"ulid": parts[0]} | _household(body))
        case "pledge":
            fields = {"campaign": parts[0], "subject": parts[1]}
            standing = standing_acts(body["acts"])
            yield Projected(table(tables.PledgeRow), key | fields | _written(body) | outcome(body["acts"]))
            for act in body["acts"]:
                row = {"db": db, "doc_id": doc_id, "standing": act["id"] in standing} | _act(act)
                yield Projected(table(tables.ActRow), row)


def _moved(db: str, doc_id: str, rev: Rev, target: str, *, stray: bool) -> Projected:
    row = {"db": db, "id": doc_id, "rev": str(rev), "target": target, "stray": stray}
    return Projected(table(tables.MovedRow), row)


def _take(body: Body, *fields: str) -> Row:
    return {field: body[field] for field in fields}


def _written(body: Body) -> Row:
    return {"by": body["by"], "stamp": body["stamps"][ALL]}


def _household(body: Body) -> Row:
    place, status = body.get("place", {}), body["status"]
    house, lane = place.get("house", ""), place.get("lane", "")
    return _written(body) | {
        "name": body["name"],
        "house": house,
        "lane": lane,
        "walk": body["order"],
        "status": status["is"],
        "since": status["since"],
        "into": status.get("into"),
        "folded": names.fold(f"{body['name']} {house} {lane}"),
        "sort_key": names.sort_key(body["name"]),
    }


# ---- Pledges --------------------------------------------------------------------------------------------


def standing_acts(acts: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of the acts that no `voided` or `withdrawn` names."""
    taken_back = {act["target"] for act in acts if act["kind"] in {"voided", "withdrawn"}}
    return {act["id"] for act in acts} - taken_back


def outcome(acts: Sequence[Mapping[str, Any]]) -> Row:
    """What the acts of a pledge come to: signed if a `signed` act stands (design, section 6)."""
    standing = standing_acts(acts)
    voided = {act["target"] for act in acts if act["kind"] == "voided"}
    signings = [act for act in acts if act["kind"] == "signed" and act["id"] in standing]
    visits = [act for act in acts if act["kind"] == "visit" and act["id"] in standing]
    last = max(visits, key=lambda act: (act["at"], act["id"]), default=None)
    return {
        "signed": bool(signings),
        "on_paper": any(act["method"] != "touch" for act in signings),
        # a household that withdrew was visited all the same; a mistake that was voided is no visit
        "visited": any(act["kind"] in {"visit", "signed"} and act["id"] not in voided for act in acts),
        "last_result": last and last["result"],
        "first_signed_at": min((act["at"] for act in signings), default=None),
        "last_at": max((act["at"] for act in acts), default=None),
    }


_ACT_FIELDS = (
    *("id", "kind", "at", "by", "result", "target", "signer", "role", "title", "method"),
    *("assisted", "witness", "clauses", "notice", "read_aloud", "signature"),
)


def _act(act: Mapping[str, Any]) -> Row:
    meeting = act.get("meeting", {})
    row = {field: act.get(field) for field in _ACT_FIELDS}
    return row | {"meeting_date": meeting.get("date"), "sheet": meeting.get("sheet")}
