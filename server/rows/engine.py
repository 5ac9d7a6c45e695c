"""Open the rows: a SQLite file of its own, or PostgreSQL from CAMKET_DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from server.rows import tables
from sync.store.interface import StoreFull

_DISK_FULL: Final = "53100"  # PostgreSQL's error code


class RowsTooNew(Exception):
    """The data was written by a newer Camket than this one."""


class RowsUnreachable(Exception):
    """The database of the rows does not let us in. Its own words, the first line: they name no password."""


def open_rows(data: Path, url: str | None = None) -> Engine:
    """The engine of the rows, tables made: `url` (PostgreSQL), else `rows.sqlite` in the directory `data`.

    Every transaction of this engine takes SQLite's write lock when it begins, so that reading before
    writing cannot fail half-way; for pages that only read, see `readers`. Raises `RowsTooNew`,
    `RowsUnreachable`.
    """
    engine = _postgresql(url) if url else _sqlite(data / "rows.sqlite")
    try:
        engine.connect().close()
    except OperationalError as error:
        engine.dispose()
        raise RowsUnreachable(str(error.orig).partition("\n")[0]) from error
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # several servers may start at once
            connection.execute(select(func.pg_advisory_xact_lock(0x63616D)))
        SQLModel.metadata.create_all(connection)
        meta = table(tables.Meta)
        found = connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar()
        if found is None:
            connection.execute(insert(meta).values(key="schema", value=str(tables.SCHEMA_VERSION)))
        elif int(found) > tables.SCHEMA_VERSION:
            raise RowsTooNew(f"rows of schema {found}, this program knows {tables.SCHEMA_VERSION}")
        elif int(found) < tables.SCHEMA_VERSION:
            connection.execute(delete(table(tables.Cursor)))  # the followers read everything again
            raised = update(meta).where(meta.c.key == "schema")
            connection.execute(raised.values(value=str(tables.SCHEMA_VERSION)))
    return engine.execution_options(beside=data)


def readers(engine: Engine) -> Engine:
    """The same pool for transactions that only read: they take no write lock."""
    return engine.execution_options(reads=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes. Raises `StoreFull` where the disk is full: nothing of it was written."""
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        full = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"
        if full or getattr(error.orig, "sqlstate", "") == _DISK_FULL:
            raise StoreFull("rows") from error
        raise


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model: the hot paths write statements, not objects."""
    return SQLModel.metadata.tables[cast(str, model.__tablename__)]


def _sqlite(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    # autocommit mode of the driver: SQLAlchemy's own BEGIN decides, not the driver's guess at the statement
    engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None, "timeout": 30})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # what was answered is on disk, also when the power goes
            "foreign_keys=ON",
            "secure_delete=ON",  # an erased name must not be found in free pages
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: str) -> Engine:
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    return create_engine(url, pool_pre_ping=True)
