"""A small commune on disk, for tests that talk to a real server: `python -m tests.commune DIR`.

Two hamlets (Nà Pò and Khuổi Lạn), one open campaign, twelve households in each, two volunteers of Nà Pò.
Prints what a test needs to know as one JSON object: invitation codes, user ids and the households' ULIDs.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server import recovery
from server.admission import caller_of
from server.app import build
from server.audit import CONSOLE
from server.auth import invitations, users
from server.auth.grant import Grant, Role
from server.clock import system
from server.keys import open_vault
from server.parts import Parts
from server.rows import tables
from server.rows.engine import open_rows, table
from server.scribe import Change
from server.settings import Settings
from server.words import words

HAMLETS = {"napo": "Nà Pò", "khuoilan": "Khuổi Lạn"}
CAMPAIGN = "antq-2026"
HOUSEHOLDS = 12
PASSWORD = "đường về bản xa"


def households(hamlet: str) -> dict[str, dict[str, Any]]:
    """The fields of a hamlet's households, by ULID."""
    start = 1000 * (1 + list(HAMLETS).index(hamlet))
    return {
        f"01J8ZQ4T6N3VXK2M5R7W9Y{start + n:04d}": {
            "name": f"Hoàng Văn {n}",
            "order": n * 10,
            "status": {"is": "resident", "since": "2026-01-01"},
        }
        for n in range(1, HOUSEHOLDS + 1)
    }


def documents() -> dict[str, list[Change]]:
    """Everything that the commune's admin has written, by database."""
    shared = [
        Change(f"hamlet:{hid}", {"name": name, "kind": "thôn", "order": n, "state": "active"})
        for n, (hid, name) in enumerate(HAMLETS.items())
    ]
    shared += [
        Change(
            f"campaign:{CAMPAIGN}",
            {
                "name": "Cam kết 2026",
                "starts": "2026-01-01",
                "ends": "2026-12-31",
                "target": 90,
                "counts": ["resident", "seasonal_away"],
                "touch_counts": True,
                "clauses": 1,
                "notice": 1,
                "state": "open",
            },
        ),
        Change("clauses:1", {"title": "Cam kết", "items": ["Không đốt pháo.", "Giữ an toàn về lửa."]}),
        Change("notice:1", {"title": "Thông báo", "items": ["Chỉ ghi tên người ký."]}),
    ]
    lists = {
        f"hamlet-{hid}": [Change(f"household:{ulid}", fields) for ulid, fields in households(hid).items()]
        for hid in HAMLETS
    }
    return {"commune": shared, **lists}


async def found(data: Path) -> dict[str, Any]:
    """Make the commune; what there is to know of it."""
    app = await build(Settings(data=data))
    parts: Parts = app.state.parts
    now = system()
    with parts.rows.begin() as rows:
        admin = users.add(rows, "Nông Thị Hạnh", Role.ADMIN, by=CONSOLE, now=now, login="admin")
        users.set_password(rows, admin.id, PASSWORD, by=CONSOLE, now=now)
        people = [
            users.add(rows, name, Role.VOLUNTEER, by=CONSOLE, now=now, hamlets=["napo"])
            for name in ("Lý Thị Mai", "Vi Văn Lan")
        ]
        invited = [invitations.invite(rows, person.id, by=CONSOLE, now=now) for person in people]
    grant = Grant(admin.id, admin.name, Role.ADMIN, frozenset(HAMLETS))
    await parts.scribe.write(caller_of(grant, words("vi")), documents())
    await parts.store.close()
    parts.rows.dispose()
    return {
        "codes": [one.code for one in invited],
        "users": [person.id for person in people],
        "password": PASSWORD,
        "campaign": CAMPAIGN,
        "households": {hid: list(households(hid)) for hid in HAMLETS},
    }


def approve_recovery(data: Path) -> None:
    """What an admin does who has called the person: give every phone that asks its data key."""
    rows = open_rows(data)
    vault = open_vault(data, None)
    with rows.begin() as connection:
        for asked in recovery.waiting(connection):
            recovery.approve(connection, vault, asked.id, by=CONSOLE, now=system())
    rows.dispose()


def waiting(data: Path) -> list[str]:
    """The pledges that wait for a person to decide."""
    rows, source = open_rows(data), table(tables.Quarantine)
    with rows.begin() as connection:
        pledges = source.c.doc_id.like("pledge:%")
        found = connection.execute(select(source.c.db, source.c.doc_id).where(pledges)).all()
    rows.dispose()
    return [f"{row.db}/{row.doc_id}" for row in found]


def take_hamlets(data: Path, user: str) -> None:
    """What an admin does when somebody walks no longer."""
    rows = open_rows(data)
    with rows.begin() as connection:
        users.give_hamlets(connection, user, [], by=CONSOLE, now=system())
    rows.dispose()


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--approve-recovery", action="store_true")
    arguments.add_argument("--waiting", action="store_true", help="name the pledges in quarantine")
    arguments.add_argument("--take", metavar="USER", help="take all hamlets from a person")
    asked = arguments.parse_args()
    data: Path = asked.data
    if asked.approve_recovery:
        approve_recovery(data)
        return
    if asked.waiting:
        print(json.dumps(waiting(data)))
        return
    if asked.take:
        take_hamlets(data, asked.take)
        return
    data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(found(data))))


if __name__ == "__main__":
    main()
