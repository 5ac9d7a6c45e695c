"""The commune of every season, made once and copied: `tests.commune`'s hamlets, and thirty volunteers."""

import asyncio
from pathlib import Path

from server.admission import caller_of
from server.app import opened
from server.audit import CONSOLE
from server.auth import users
from server.auth.grant import Grant, Role
from server.clock import milliseconds
from server.scribe import Change
from server.settings import Settings
from server.words import words
from tests.commune import HAMLETS, documents
from tests.sim.season import SUBJECTS, walks
from tests.sim.servers import Clock

ADMIN = "admin0001"
VOLUNTEERS = 30
CHECKLIST, PHOTO = "thu", "photo"
START = 1_772_427_600_000
"""Monday 2 March 2026, noon in Hanoi."""


def volunteer(number: int) -> str:
    """The user id of a volunteer."""
    return f"volunteer{number:02d}"


def register(subject: str, hamlet: str) -> str:
    """The id of what is inspected in a hamlet."""
    number = 1 + list(HAMLETS).index(hamlet) if subject == "unit" else 0
    return f"{subject}:01J8ZQ4T6N3VXK2M5R7W9Z{number:04d}"


def inspection(hamlet: str, key: str) -> str:
    """The ULID of an inspection, whoever begins it."""
    return f"01J8ZQ4T6N3VXK2M5R7W9X{1000 * (1 + list(HAMLETS).index(hamlet)) + int(key):04d}"


def registers() -> dict[str, list[Change]]:
    """What there is to inspect, and by what."""
    items = [
        {"id": "order", "kind": "yes_no", "label": "Còn tốt", "source": "Thử", "required": True},
        {
            "id": "count",
            "kind": "number",
            "label": "Số bình",
            "source": "Thử",
            "unit": "bình",
            "min": 0,
            "max": 9999,
        },
        {"id": PHOTO, "kind": "photo", "label": "Ảnh", "source": "Thử", "max": 10},
    ]
    assert len(SUBJECTS) == 2
    shared = [
        Change(
            f"checklist:{CHECKLIST}:1",
            {
                "title": "Thử",
                "model": "other",
                "source": "Thử",
                "sections": [{"id": "all", "title": "Thiết bị", "items": items}],
            },
        ),
        Change(
            register("model", "napo"),
            {
                "kind": "other",
                "name": "Điểm chữa cháy",
                "hamlets": [],
                "points": 1,
                "groups": 1,
                "state": {"is": "active", "since": "2026-01-01"},
            },
        ),
    ]
    units = {
        f"hamlet-{hamlet}": [
            Change(
                register("unit", hamlet),
                {
                    "name": "Trường học",
                    "kind": "school",
                    "in_scope": True,
                    "status": {"is": "active", "since": "2026-01-01"},
                },
            )
        ]
        for hamlet in HAMLETS
    }
    return {"commune": shared, **units}


def found(data: Path, clock: Path) -> None:
    """Make it."""
    data.mkdir(parents=True)
    shared = Clock(clock)
    shared.ms = START
    asyncio.run(_found(data, shared))


async def _found(data: Path, clock: Clock) -> None:
    async with opened(Settings(data=data), clock) as parts:
        now = clock()
        assert milliseconds(now) == START
        with parts.rows.begin() as rows:
            users.add(rows, "Nông Thị Hạnh", Role.ADMIN, by=CONSOLE, now=now, login="admin", person=ADMIN)
            for number in range(VOLUNTEERS):
                users.add(
                    rows,
                    f"Người {number}",
                    Role.VOLUNTEER,
                    by=CONSOLE,
                    now=now,
                    hamlets=walks(number),
                    person=volunteer(number),
                )
        grant = Grant(ADMIN, "Nông Thị Hạnh", Role.ADMIN, frozenset(HAMLETS))
        await parts.scribe.write(caller_of(grant, words("vi")), documents())
        await parts.scribe.write(caller_of(grant, words("vi")), registers())
