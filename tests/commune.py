"""A commune on disk, for tests and benchmarks that need a whole server: hamlets, households, people.

`seed` makes one of any size. `python -m tests.commune DIR` makes the small one, for phones that run in Node:
two hamlets (Nà Pò and Khuổi Lạn), one open campaign, twelve households in each, two volunteers of Nà Pò. It
prints what a test needs to know as one JSON object: invitation codes, user ids and the households' ULIDs.
"""

import argparse
import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server import backup, recovery
from server.admission import caller_of
from server.app import opened
from server.audit import CONSOLE
from server.auth import devices, invitations, users
from server.auth.grant import Grant, Role
from server.clock import system
from server.keys import open_vault
from server.rows import tables
from server.rows.engine import open_rows, table
from server.scribe import Change
from server.settings import Settings
from server.words import words

HAMLETS = {"napo": "Nà Pò", "khuoilan": "Khuổi Lạn"}
CAMPAIGN = "antq-2026"
HOUSEHOLDS = 12
PASSWORD = "mot-hai-ba-bon-nam"
STAFF = (
    ("quantri", "Hoàng Thị Lan", Role.ADMIN),
    ("canbo", "Nông Văn Hải", Role.REVIEWER),
    ("giamsat", "Lý Thị Hoa", Role.OBSERVER),
)
FAMILY = ("Hoàng", "Nông", "Lý", "Vi", "Triệu", "Hứa", "Đinh", "Lương", "Nguyễn", "Bế")
GIVEN = ("Văn An", "Thị Bình", "Văn Cường", "Thị Dung", "Văn Đạt", "Thị Hà", "Văn Long", "Thị Mai", "Văn Sơn")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commune:
    """Its volunteers by name: an invitation code and the user id of each."""

    codes: Mapping[str, str]
    users: Mapping[str, str]


def household_id(hamlet: str, number: int) -> str:
    """A ULID that follows from hamlet and number, so that a test can name a household."""
    digits = hashlib.sha256(f"{hamlet}/{number}".encode()).digest()
    return "01" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32] for byte in digits[:24])


def name_of(number: int) -> str:
    """The head of the household with that number on the walk, in a commune that was seeded."""
    return f"{FAMILY[number % len(FAMILY)]} {GIVEN[number // len(FAMILY) % len(GIVEN)]}"


async def seed(data: Path, hamlets: Mapping[str, int], volunteers: Mapping[str, list[str]]) -> Commune:
    """Fill `data`: so many households in each hamlet, and volunteers with the hamlets that each may walk.

    `khuoi1`, `khuoi2` … are all called Khuoi: each test of a shared server walks one of its own.
    """
    names = {hamlet: hamlet.rstrip("0123456789").title() for hamlet in hamlets}
    lists = {hamlet: _many(hamlet, count) for hamlet, count in hamlets.items()}
    return await _found(data, documents(names, lists), volunteers)


def households(hamlet: str) -> dict[str, Fields]:
    """The fields of the small commune's households in a hamlet, by ULID."""
    start = 1000 * (1 + list(HAMLETS).index(hamlet))
    return {
        f"01J8ZQ4T6N3VXK2M5R7W9Y{start + n:04d}": _household(f"Hoàng Văn {n}", n)
        for n in range(1, HOUSEHOLDS + 1)
    }


def documents(
    names: Mapping[str, str] = HAMLETS, lists: Mapping[str, Mapping[str, Fields]] | None = None
) -> dict[str, list[Change]]:
    """Everything that the commune's admin has written, by database; by default of the small one."""
    shared = [
        Change(f"hamlet:{hid}", {"name": name, "kind": "thôn", "order": n, "state": "active"})
        for n, (hid, name) in enumerate(names.items())
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
    if lists is None:
        lists = {hid: households(hid) for hid in names}
    of_hamlets = {
        f"hamlet-{hid}": [Change(f"household:{ulid}", fields) for ulid, fields in listed.items()]
        for hid, listed in lists.items()
    }
    return {"commune": shared, **of_hamlets}


def _many(hamlet: str, count: int) -> dict[str, Fields]:
    return {
        household_id(hamlet, n): {**_household(name_of(n), n + 1), "place": {"house": str(n + 1)}}
        for n in range(count)
    }


def _household(name: str, number: int) -> Fields:
    return {"name": name, "order": number * 10, "status": {"is": "resident", "since": "2026-01-01"}}


async def _found(
    data: Path, changes: Mapping[str, list[Change]], volunteers: Mapping[str, list[str]]
) -> Commune:
    now = system()
    async with opened(Settings(data=data)) as parts:
        with parts.rows.begin() as rows:
            staff = {
                login: users.add(rows, name, role, by=CONSOLE, now=now, login=login).id
                for login, name, role in STAFF
            }
            for user in staff.values():
                users.set_password(rows, user, PASSWORD, by=CONSOLE, now=now)
        hamlets = frozenset(db.removeprefix("hamlet-") for db in changes if db != "commune")
        admin = caller_of(Grant(staff["quantri"], "", Role.ADMIN, hamlets), words("vi"))
        for db, written in changes.items():
            await parts.scribe.write(admin, {db: written})
        with parts.rows.begin() as rows:
            walkers = {
                name: users.add(rows, name, Role.VOLUNTEER, by=CONSOLE, now=now, hamlets=walks).id
                for name, walks in volunteers.items()
            }
            codes = {
                name: invitations.invite(rows, user, by=CONSOLE, now=now).code
                for name, user in walkers.items()
            }
    return Commune(codes, walkers)


def small(data: Path) -> dict[str, Any]:
    """Make the small commune; what there is to know of it."""
    volunteers = {"Lý Thị Mai": ["napo"], "Vi Văn Lan": ["napo"]}
    made = asyncio.run(_found(data, documents(), volunteers))
    return {
        "codes": list(made.codes.values()),
        "users": list(made.users.values()),
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


def confirm(data: Path) -> None:
    """What an admin does after a restore who has all phones in hand."""
    rows = open_rows(data)
    with rows.begin() as connection:
        for phone in devices.listing(connection):
            if phone.send_only_at:
                devices.confirm(connection, phone.id, by=CONSOLE, now=system())
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
    arguments.add_argument("--restored", action="store_true", help="begin anew with files put back by hand")
    arguments.add_argument("--confirm", action="store_true", help="confirm every phone")
    arguments.add_argument("--take", metavar="USER", help="take all hamlets from a person")
    asked = arguments.parse_args()
    data: Path = asked.data
    if asked.approve_recovery:
        approve_recovery(data)
        return
    if asked.waiting:
        print(json.dumps(waiting(data)))
        return
    if asked.restored or asked.confirm:
        if asked.restored:
            backup.begin_by_hand(data, None, system())
        confirm(data)
        return
    if asked.take:
        take_hamlets(data, asked.take)
        return
    data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(small(data)))


if __name__ == "__main__":
    main()
