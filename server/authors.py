"""Who recorded what is held, as the rows have it."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from server import archive, bounds
from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks
from server.settle import read_body

_acts = table(tables.ActRow)


def of_acts(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """Those of these acts that some pledge holds, each with who recorded it."""
    found: dict[str, str] = {}
    for some in chunks(sorted(ids)):
        rows = connection.execute(select(_acts.c.id, _acts.c.by).where(_acts.c.id.in_(some)))
        found |= {row.id: row.by for row in rows}
    return found


def of_photos(connection: Connection, db: str, ids: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """Who took the photographs of these inspections, by the inspection's id."""
    written = [
        (doc_id, body)
        for doc_id, raw in (archive.all_bodies(connection, db, ids) if ids else ())
        if (body := read_body(doc_id, raw)) is not None
    ]
    return {doc_id: bounds.photographers([body for one, body in written if one == doc_id]) for doc_id in ids}
