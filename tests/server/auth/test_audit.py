"""The audit log shows what was done to it."""

import pytest
from sqlalchemy import Connection

from server import audit
from server.audit import ChainBroken
from server.auth.users import Person
from tests.server.auth.conftest import Hands


@pytest.fixture
def log(rows: Connection, clock: Hands) -> Connection:
    for number in range(5):
        audit.append(rows, "console", "device.revoked", f"device{number}", clock())
        clock.move(seconds=1)
    return rows


def test_an_untouched_log_is_in_order(log: Connection) -> None:
    assert audit.verify(log) == 5
    assert audit.last(log)[0] == 5


def test_an_empty_log_is_in_order(rows: Connection) -> None:
    assert audit.verify(rows) == 0
    assert audit.last(rows) == (0, audit.START)


@pytest.mark.parametrize(
    ("tampering", "seen_at"),
    [
        ("UPDATE audit SET subject = 'another' WHERE number = 2", 2),
        ("UPDATE audit SET actor = 'another' WHERE number = 3", 3),
        ("UPDATE audit SET action = 'device.seen' WHERE number = 3", 3),
        ("UPDATE audit SET at = '2026-01-01T00:00:00Z' WHERE number = 5", 5),
        ("UPDATE audit SET hash = 'f' WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 4", 4),
    ],
)
def test_tampering_is_seen_where_it_happened(log: Connection, tampering: str, seen_at: int) -> None:
    log.exec_driver_sql(tampering)
    with pytest.raises(ChainBroken) as broken:
        audit.verify(log)
    assert broken.value.number == seen_at


def test_a_row_that_was_rewritten_with_a_hash_of_its_own_breaks_the_next(
    log: Connection, clock: Hands
) -> None:
    asked = "SELECT at, actor, action, subject, hash FROM audit WHERE number > 2 ORDER BY number"
    later = log.exec_driver_sql(asked).all()
    log.exec_driver_sql("DELETE FROM audit WHERE number >= 2")
    audit.append(log, "console", "device.seen", "another", clock())
    for number, row in enumerate(later, start=3):
        previous = audit.last(log)[1]
        log.exec_driver_sql(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (number, *row[:4], previous, row.hash)
        )
    with pytest.raises(ChainBroken) as broken:
        audit.verify(log)
    assert broken.value.number == 3


def test_what_is_done_to_people_is_in_the_log_by_id_and_never_by_name(
    rows: Connection, volunteer: Person, admin: Person
) -> None:
    found = rows.exec_driver_sql("SELECT actor, action, subject FROM audit").all()
    assert ("console", "user.added", volunteer.id) in found
    assert ("console", "user.hamlets", f"{volunteer.id} nahinh pacngam") in found
    assert ("console", "user.password", admin.id) in found
    assert volunteer.name not in repr(found)
    assert audit.verify(rows) == len(found)
