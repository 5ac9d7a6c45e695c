"""Households that are one by now: which became which, who said so, and whose acts have come along."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from server import archive
from server.office.history import Entry
from server.rows import tables
from server.rows.engine import table
from server.settle import read_body
from sync.merge import Body

_households, _audit = table(tables.HouseholdRow), table(tables.Audit)

Act = Mapping[str, Any]

_PLEDGE = re.compile("(review:)?pledge:")


class Joined(NamedTuple):
    """A household (its ULID) that became another one, and the user who merged the two."""

    ulid: str
    by: str


class Came(NamedTuple):
    """The household that the acts of an entry have come from, by name, and the user who merged it."""

    name: str
    by: str


class Other(NamedTuple):
    """A household that another one became, or that it became, as its page names it."""

    ulid: str
    name: str


def others(rows: Connection, db: str, household: Any) -> tuple[Other | None, list[Other]]:
    """What a household (its row) was merged into, and those that were merged into it."""
    asked = select(_households.c.ulid, _households.c.name).where(_households.c.db == db)
    merged = (_households.c.status == "merged_into", _households.c.into == household.ulid)
    those = [Other(*row) for row in rows.execute(asked.where(*merged).order_by(_households.c.ulid))]
    if household.status != "merged_into":
        return None, those
    row = rows.execute(asked.where(_households.c.ulid == household.into)).one_or_none()
    return Other(*row) if row else None, those


def came(rows: Connection, db: str, entries: Sequence[Entry]) -> dict[tuple[str, str], Came]:
    """Of the entries that the server joined, those with acts of a household that was merged away, or with
    what its pledge was sent back with, by document and revision. Writes of the same time bring no act that no
    entry before them has told."""
    pledges = [one for one in entries if one.source == "merged" and _PLEDGE.match(one.doc_id)]
    found = {(one.doc_id, one.rev): _came(rows, db, one) for one in pledges if _brought(one)}
    return {key: one for key, one in found.items() if one}


def _came(rows: Connection, db: str, entry: Entry) -> Came | None:
    campaign, _, kept = entry.doc_id.rpartition(":")
    brought = _brought(entry)
    for one in _joined(rows, kept):
        bodies = (read_body(*held) for held in archive.all_bodies(rows, db, [f"{campaign}:{one.ulid}"]))
        said = [what for body in bodies if body for what in _sayings(body)]
        name = rows.execute(select(_households.c.name).where(_households.c.ulid == one.ulid)).scalar()
        if name and any(what in said for what in brought):
            return Came(name, one.by)
    return None


def _brought(entry: Entry) -> list[Act]:
    """The acts, or the decision, that an entry adds."""
    decided = [change.after for change in entry.changes if change.field == "decision" and change.after]
    return [_said(one) for one in (*entry.acts, *decided)]


def _sayings(body: Body) -> list[Act]:
    """The acts of a pledge, or the decision of a review."""
    return [_said(one) for one in (*body.get("acts", ()), body.get("decision")) if one]


def _said(what: Act) -> Act:
    """An act or a decision without what follows from where it is (`server.aside`, `server.review`)."""
    return {name: value for name, value in what.items() if name not in {"id", "target", "digest"}}


def _joined(rows: Connection, kept: str) -> list[Joined]:
    """The households that were ever merged into this one, the nearest first: the audit log knows them for
    good, those too that were parted since, and in whichever hamlet it was."""
    asked = select(_audit.c.subject, _audit.c.actor).where(_audit.c.action == "household.merged")
    into: dict[str, list[Joined]] = {}
    for row in rows.execute(asked.order_by(_audit.c.number.desc())):
        gone, _, end = row.subject.partition(" household:")
        into.setdefault(end, []).append(Joined(gone.rpartition(":")[2], row.actor))
    found = list(into.get(kept, ()))
    for one in found:
        found += [further for further in into.get(one.ulid, ()) if further not in found]
    return found
