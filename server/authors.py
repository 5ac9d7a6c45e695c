"""Who recorded what is held, as the rows have it."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from server.rows import tables
from server.rows.engine import table
from server.rows.statements import chunks

_acts = table(tables.ActRow)


def of_acts(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """Those of these acts that some pledge holds, each with who recorded it."""
    found: dict[str, str] = {}
    for some in chunks(sorted(ids)):
        rows = connection.execute(select(_acts.c.id, _acts.c.by).where(_acts.c.id.in_(some)))
        found |= {row.id: row.by for row in rows}
    return found
