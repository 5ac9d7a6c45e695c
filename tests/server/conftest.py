"""What the tests of the server share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from server.rows.engine import open_rows
from tests.server import postgres
from tests.server.harness import Product, product

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server."""
    with ExitStack() as stack:
        url = postgres.server_url()
        if url is None:
            if not postgres.installed():
                pytest.skip("no PostgreSQL here: install it, or set CAMKET_TEST_DATABASE_URL")
            url = stack.enter_context(postgres.started())
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def rows_url(request: pytest.FixtureRequest) -> str | None:
    """Where the rows of one test lie: None is SQLite in the test's directory."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("postgres_rows"))


@pytest.fixture(scope="session")
def postgres_made(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the tables as `open_rows` makes them, and nothing in them."""
    name = "camket_test_made"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        open_rows(tmp_path_factory.mktemp("made"), _database(postgres_url, name)).dispose()
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_rows(postgres_url: str, postgres_made: str) -> Iterator[str]:
    """An empty database of PostgreSQL, copied: its tables are there in a fifth of the time of making them."""
    name = f"camket_test_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_made}")
        yield _database(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@pytest.fixture
async def camket(tmp_path: Path, rows_url: str | None) -> AsyncIterator[Product]:
    """A product with the shared database and one hamlet's, once for each place of the rows."""
    async with product(tmp_path, ["commune", "hamlet-nasam", "media-nasam"], rows_url) as made:
        yield made
