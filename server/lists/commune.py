"""What a plan is made against: the commune's hamlets and households, and the columns people named before."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from server.lists.headers import ROLES
from server.lists.plan import HamletKnown, HouseholdKnown, Known
from server.rows import tables
from server.rows.engine import table

_hamlets, _households, _meta = table(tables.HamletRow), table(tables.HouseholdRow), table(tables.Meta)

ENDED = frozenset({"moved", "dissolved", "merged_into", "entered_in_error"})
COLUMNS = "columns."


def known(connection: Connection) -> Known:
    """Read what there is. Merged and split hamlets take no new households."""
    hamlets = tuple(
        HamletKnown(row.hamlet, row.name, row.kind)
        for row in connection.execute(
            select(_hamlets.c.hamlet, _hamlets.c.name, _hamlets.c.kind)
            .where(_hamlets.c.state == "active")
            .order_by(_hamlets.c.place, _hamlets.c.hamlet)
        )
    )
    there = {f"hamlet-{hamlet.id}": hamlet.id for hamlet in hamlets}
    households = tuple(
        HouseholdKnown(row.ulid, there[row.db], row.name, row.house, row.lane, row.walk, row.status in ENDED)
        for row in connection.execute(select(_households).where(_households.c.db.in_(there)))
    )
    return Known(hamlets, households)


def remembered(connection: Connection) -> dict[str, dict[int, str]]:
    """For `Choices.columns`: what people said of headers that were not recognised."""
    found = connection.execute(select(_meta.c.key, _meta.c.value).where(_meta.c.key.startswith(COLUMNS)))
    return {
        key.removeprefix(COLUMNS): {int(column): role for column, role in json.loads(value).items()}
        for key, value in found
    }


def remember(connection: Connection, fingerprint: str, roles: Mapping[int, str]) -> None:
    """Keep what a person said of a header, for this file and the next one with the same header."""
    kept = {str(column): role for column, role in sorted(roles.items()) if role in ROLES}
    connection.execute(delete(_meta).where(_meta.c.key == COLUMNS + fingerprint))
    connection.execute(insert(_meta).values(key=COLUMNS + fingerprint, value=json.dumps(kept)))
