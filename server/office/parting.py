"""Two households of one again: what was merged gets back its status and the acts that were its own."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from server.admission import caller_of
from server.carrying import Carrier, aliases, voiding
from server.clock import instant
from server.office import story
from server.office.desk import Desk
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import insert_new
from server.scribe import Change
from server.words import local_day

_households, _apart = table(tables.HouseholdRow), table(tables.Apart)


async def part(desk: Desk, db: str, gone: str, status: Mapping[str, Any] | None = None) -> bool:
    """Part a household (its ULID) from the one that it was merged into; False where it is not merged.

    It gets this status, else the one that it had, and the acts that it had; the two are not offered as one
    again. Noted before it is done, and done in one write: cut short, the page offers it still, or it is done.
    Raises `NotTaken`, `StoreFull`.
    """
    into = await desk.read(lambda rows: _into(rows, db, gone))
    if into is None:
        return False
    parts, caller = desk.parts, caller_of(desk.signed_in.grant, desk.words)
    status = status or await desk.read(lambda rows: _status_before(rows, db, f"household:{gone}"))
    status = status or {"is": "resident", "since": local_day(desk.now).isoformat()}
    kept = await desk.read(lambda rows: aliases(rows, db, {gone}).get(gone, into))
    back = await Carrier(parts.store, parts.rows, parts.clock).give_back(db, gone, kept)
    await note_apart(desk, db, "household.parted", gone, kept)
    voids = [_void(desk, pledge, acts) for pledge, acts in back.to_void.items() if acts]
    changes = [Change(f"household:{gone}", {"status": status}), *voids]
    await parts.scribe.write(caller, {db: changes}, {db: back.edits})
    return True


async def note_apart(desk: Desk, db: str, action: str, one: str, other: str) -> None:
    """The two are two, and who said so."""

    def work(rows: Connection) -> None:
        first, second = sorted((one, other))
        row = {"db": db, "one": first, "other": second, "at": instant(desk.now), "by": desk.user}
        insert_new(rows, _apart, [row])
        desk.note(rows, action, f"{db}/household:{one} household:{other}")

    await desk.write(work)


def _into(rows: Connection, db: str, ulid: str) -> str | None:
    merged = (_households.c.db == db, _households.c.ulid == ulid, _households.c.status == "merged_into")
    return rows.execute(select(_households.c.into).where(*merged)).scalar()


def _status_before(rows: Connection, db: str, doc_id: str) -> Any:
    """The status that the household had when it was merged."""
    told = story.told(rows, db, doc_id)
    statuses = [change for entry in told for change in entry.changes if change.field == "status"]
    merged = [change for change in statuses if (change.after or {}).get("is") == "merged_into"]
    return merged[-1].before if merged else None


def _void(desk: Desk, pledge: str, acts: Collection[str]) -> Change:
    return Change(pledge, {"acts": [voiding(act, desk.user, instant(desk.now)) for act in acts]})
