"""Times that have not come, and were accepted while the server's clock was wrong, do not stop it for good."""

from datetime import timedelta

from sqlalchemy import Connection

from server import floor
from server.clock import FIRST_DAY, milliseconds
from server.rows import tables
from server.rows.engine import table
from tests.server.auth.conftest import Hands, clock, engine, rows

__all__ = ["clock", "engine", "rows"]

DAY = timedelta(days=1)


def accept(rows: Connection, clock: Hands, late: timedelta, doc_id: str) -> None:
    """A record with a stamp so much later than the clock."""
    stamp = f"{milliseconds(clock() + late):013d}-0000-dev1"
    rows.execute(
        table(tables.Archive)
        .insert()
        .values(
            db="hamlet-a",
            id=doc_id,
            rev="1-a",
            generation=1,
            body=b"{}",
            stamp=stamp,
            entered_at="x",
            source="sent",
        )
    )


def sane(rows: Connection, clock: Hands) -> bool:
    return floor.is_sane(milliseconds(clock()), floor.latest(rows))


def test_one_time_from_the_future_stops_the_clock_until_an_admin_has_looked_at_it(
    rows: Connection, clock: Hands
) -> None:
    accept(rows, clock, timedelta(0), "now")
    accept(rows, clock, DAY * 5000, "of a dead battery")
    assert not sane(rows, clock)
    assert floor.confirm(rows, "admin1", clock())
    assert sane(rows, clock)
    # it is still known when the clock falls back, to before that moment and to before what came since
    clock.move(days=2)
    accept(rows, clock, timedelta(0), "later")
    clock.move(hours=-1)
    assert not sane(rows, clock)
    clock.move(days=-2)
    assert not sane(rows, clock)


def test_a_second_lie_counts_until_it_is_confirmed_too_and_the_first_does_not_come_back(
    rows: Connection, clock: Hands
) -> None:
    for number, late in enumerate([DAY * 5000, DAY * 9000, DAY * 100]):
        accept(rows, clock, late, str(number))
        assert not sane(rows, clock)
        floor.confirm(rows, "admin1", clock())
        assert sane(rows, clock)


def test_a_clock_that_cannot_be_right_and_one_that_is_are_not_confirmed(
    rows: Connection, clock: Hands
) -> None:
    assert not floor.confirm(rows, "admin1", clock())
    clock.at = FIRST_DAY - DAY
    accept(rows, clock, DAY * 500, "1")
    assert not floor.confirm(rows, "admin1", clock())
