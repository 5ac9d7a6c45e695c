"""Empty rows, and a clock that only the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from server.auth import users
from server.auth.grant import Role
from server.auth.users import Person
from server.keys import Vault
from server.rows.engine import open_rows


class Hands:
    """A clock: call it for the time, move it by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_rows(tmp_path)
    yield made
    made.dispose()


@pytest.fixture
def rows(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """One transaction for the whole test; the people it asks for are there before it takes the lock."""
    for person in ("volunteer", "admin"):
        if person in request.fixturenames:
            request.getfixturevalue(person)
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def vault() -> Vault:
    return Vault(b"a secret of this test")


@pytest.fixture
def volunteer(engine: Engine, clock: Hands) -> Person:
    with engine.begin() as rows:
        return users.add(
            rows, "Nông Thị Bích", Role.VOLUNTEER, by="console", now=clock(), hamlets=["pacngam", "nahinh"]
        )


@pytest.fixture
def admin(engine: Engine, clock: Hands) -> Person:
    with engine.begin() as rows:
        made = users.add(rows, "Hoàng Văn Cường", Role.ADMIN, by="console", now=clock(), login="Cuong ")
        users.set_password(rows, made.id, PASSWORD, by="console", now=clock())
        return users.find(rows, made.id)


PASSWORD = "đường về bản xa"
