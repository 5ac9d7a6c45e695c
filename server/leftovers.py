"""What follows a household or a hamlet that moved, beside documents: records that wait, people, erased ids.

All of it follows from what the rows say already, so it may be done late, and again.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Update, and_, exists, select, update

from server import moving
from server.auth import users
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks, insert_new

_quarantine, _ledger = table(tables.Quarantine), table(tables.Ledger)
_apart, _hamlets = table(tables.Apart), table(tables.UserHamlet)
_moved = table(tables.MovedRow)
_there = _quarantine.alias("there")


def carry_waiting(connection: Connection, db: str, moved: Mapping[str, str]) -> None:
    """Records in quarantine go with what they are about; `moved`: documents that left `db`, and where to."""
    here = select(_quarantine.c.number, _quarantine.c.doc_id).where(_quarantine.c.db == db)
    going: dict[str, list[int]] = {}
    for row in connection.execute(here):
        gone = [one for one in (row.doc_id, *moving.anchors(row.doc_id)) if one in moved]
        if gone:
            going.setdefault(_last(connection, db, gone[0]), []).append(row.number)
    for target, numbers in going.items():
        for some in chunks(numbers):
            connection.execute(_sent_on(target).where(_quarantine.c.number.in_(some)))
    _copy_apart(connection, db, moved)


def carry_hamlet(connection: Connection, hamlet: str, into: str, by: str, now: datetime) -> None:
    """All that is left of a hamlet that was merged: who walks it, what was erased of it. Records that wait of
    documents which are nowhere yet wait where they were sent: it may stand again before they enter."""
    for kind in ("hamlet", "media"):
        erased = select(_ledger).where(_ledger.c.kind == "erased", _ledger.c.db == f"{kind}-{hamlet}")
        rows = [{**row, "db": f"{kind}-{into}"} for row in connection.execute(erased).mappings()]
        insert_new(connection, _ledger, rows)
    held = select(_hamlets.c.user).where(_hamlets.c.hamlet == hamlet)
    for user in connection.execute(held).scalars().all():
        theirs = users.hamlets_of(connection, user)
        users.give_hamlets(connection, user, theirs - {hamlet} | {into}, by=by, now=now)


def is_left(connection: Connection, hamlet: str, into: str) -> bool:
    """Whether `carry_hamlet` has anything to do."""
    kept = _ledger.alias("kept")
    there = and_(kept.c.kind == "erased", kept.c.id == _ledger.c.id, kept.c.db == f"hamlet-{into}")
    asked = (
        select(_hamlets.c.user).where(_hamlets.c.hamlet == hamlet),
        select(_ledger.c.id).where(
            _ledger.c.kind == "erased", _ledger.c.db == f"hamlet-{hamlet}", ~exists().where(there)
        ),
    )
    return any(connection.execute(one.limit(1)).first() is not None for one in asked)


def _last(connection: Connection, db: str, doc_id: str) -> str:
    """Where a document went in the end."""
    seen = {db}
    while True:
        here = (_moved.c.db == db, _moved.c.id == doc_id)
        further = connection.execute(select(_moved.c.target).where(*here)).scalar()
        if further is None or further in seen:
            return db
        seen.add(further)
        db = further


def _sent_on(target: str) -> Update:
    return update(_quarantine).where(~_is_there(target)).values(db=target)


def _is_there(target: str) -> ColumnElement[bool]:
    same = (_there.c.doc_id == _quarantine.c.doc_id, _there.c.rev == _quarantine.c.rev)
    return exists().where(_there.c.db == target, *same)


def _copy_apart(connection: Connection, db: str, moved: Mapping[str, str]) -> None:
    """Two households that were told apart stay told apart where both are by now."""
    told = connection.execute(select(_apart).where(_apart.c.db == db)).mappings()
    rows = [
        {**row, "db": target}
        for row in told
        if (target := moved.get(f"household:{row['one']}")) is not None
        and target == moved.get(f"household:{row['other']}", target)
    ]
    insert_new(connection, _apart, rows)
