"""Who recorded what is held, as the rows have it."""

from collections.abc import Collection, Mapping

import orjson
from sqlalchemy import Connection, Engine, or_, select

from server import archive, bounds
from server.auth.grant import Grant
from server.rows import tables
from server.rows.engine import readers, table
from server.rows.statements import chunks
from server.settle import read_body
from sync.rev import Rev

_acts, _quarantine = table(tables.ActRow), table(tables.Quarantine)


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


def hearsay(rows: Engine, db: str, held: Collection[tuple[str, Rev]], grant: Grant) -> list[tuple[str, Rev]]:
    """Of these revisions those that say they are this person's, and that staff have let in by their own names
    as another phone gave them back, or one that nobody knew.

    Only their author can tell what they said: asked for them, the phone sends its own, which is heard
    whatever is here by that name.
    """
    waits = _quarantine.c
    other = or_(waits.why == "stranger", (waits.why == "recovered") & (waits.device != grant.device))
    here = (waits.db == db, waits.state == "released", waits.rev == waits.released_as, other)
    wanted, found = set(held), list[tuple[str, Rev]]()
    with readers(rows).begin() as connection:
        for ids in chunks(sorted({doc_id for doc_id, _ in wanted})):
            for row in connection.execute(select(_quarantine).where(*here, waits.doc_id.in_(ids))):
                key = (row.doc_id, Rev.parse(row.rev))
                if key in wanted and orjson.loads(row.body).get("by") == grant.user:
                    found.append(key)
    return found
