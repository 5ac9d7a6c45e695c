"""The embedded store: the contract on a file and in memory, and what only a file can get wrong."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.rows.engine import open_rows
from sync.store import housekeeping, schema, sqlite
from sync.store.interface import DatabaseMissing, File, Page, Store, StoreError, StoreFull
from sync.store.sqlite import SqliteStore
from tests.store.contract import StoreContract, edit, every, rev


class TestFile(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        store = await SqliteStore.open(tmp_path / "documents.sqlite")
        yield store
        await store.close()


class TestMemory(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = await SqliteStore.open(None)
        yield store
        await store.close()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "data" / "documents.sqlite"
    store = await SqliteStore.open(path)
    await store.create("a")
    await store.graft("a", [edit("x", "2-b", "1-a")])
    await store.put_local("a", "_local/x", b'{"n":1}')
    before = await store.changes("a", Page(bodies=True))
    await store.close()
    store = await SqliteStore.open(path)
    assert await store.changes("a", Page(bodies=True)) == before
    assert await store.local("a", "_local/x") == (1, b'{"n":1}')
    await asyncio.wait_for(store.wait("a", 0), 5)
    await store.close()


async def test_three_hundred_writers_share_their_transactions(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    commits: list[str] = []
    store._conn.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await asyncio.gather(*(store.graft("a", [edit(f"x{n}", "1-a")]) for n in range(300)))
    assert len(commits) < 30
    assert (await store.info("a")).doc_count == 300
    await store.close()


async def test_one_job_that_fails_undoes_itself_alone(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    answers = await asyncio.gather(
        store.graft("a", [edit("x", "1-a")]),
        store.graft_all({"a": [edit("lost", "1-a")], "nowhere": [edit("x", "1-a")]}),
        store.graft("a", [edit("y", "1-a")]),
        return_exceptions=True,
    )
    assert answers[0] == answers[2] == [True]
    assert isinstance(answers[1], DatabaseMissing)
    assert set(await store.trees("a", ["x", "y", "lost"])) == {"x", "y"}
    assert await store.check() == []
    await store.close()


async def test_savepoints_that_copy_every_page_are_taken_only_once_a_job_has_failed(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    savepoints: list[str] = []
    store._conn.set_trace_callback(lambda sql: savepoints.append(sql) if sql == "SAVEPOINT job" else None)
    await asyncio.gather(*(store.graft("a", [edit(f"x{n}", "1-a")]) for n in range(30)))
    assert savepoints == []
    with pytest.raises(DatabaseMissing):
        await store.graft("nowhere", [edit("x", "1-a")])
    assert savepoints
    await store.close()


async def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    await store.graft("a", [edit("x", "1-a")])
    pages = store._conn.execute("PRAGMA page_count").fetchone()[0]
    store._conn.execute(f"PRAGMA max_page_count = {pages + 4}")
    before = await store.changes("a", Page())
    with pytest.raises(StoreFull):
        await store.graft("a", [edit(f"y{n}", "1-a", body=b'"%b"' % (b"x" * 5000)) for n in range(50)])
    assert await store.changes("a", Page()) == before
    store._conn.execute("PRAGMA max_page_count = 100000")
    assert await store.graft("a", [edit("z", "1-a")]) == [True]
    assert await store.check() == []
    await store.close()


async def test_a_disk_that_is_full_when_the_log_is_emptied_is_said_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A connection to a disk without room for a checkpoint."""

        def __init__(self, conn: sqlite3.Connection) -> None:
            self._conn = conn

        def __getattr__(self, name: str) -> Any:
            return getattr(self._conn, name)

        def execute(self, sql: str, *values: Any) -> Any:
            if "wal_checkpoint" in sql:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return self._conn.execute(sql, *values)

    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    monkeypatch.setattr(store._writer, "_conn", Full(store._conn))
    with pytest.raises(StoreFull):
        await store.compact("a")
    await store.close()


@pytest.mark.parametrize("how", ["purge", "forget", "drop and compact"])
async def test_what_is_forgotten_is_in_no_file(tmp_path: Path, how: str) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    for db in ("a", "b"):
        await store.create(db)
    said = b"what nobody may read again"
    file = File("text/plain", b"attached: " + said * 500)
    kept = [edit(f"k{n}", "1-a", body=b'{"kept":"%b"}' % (b"x" * 300)) for n in range(50)]
    await store.graft("a", [*kept, edit("x", "1-a", body=b'{"said":"%b"}' % said, f=file)])
    await store._empty_log()
    assert _files_with(tmp_path, said) == ["documents.sqlite"]
    match how:
        case "purge":
            await store.purge("a", {"x": [rev("1-a")]})
        case "forget":
            await store.forget_bodies("a", ["x"])
        case _:
            await store.drop("a")
            await store.compact("b")
    assert not _files_with(tmp_path, said)
    await store.close()


async def test_a_reader_holds_up_forgetting_but_nobody_who_writes(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    said = b"what nobody may read again"
    await store.graft("a", [edit("x", "1-a", body=b'{"said":"%b"}' % said)])
    reader = sqlite3.connect(tmp_path / "documents.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM doc").fetchone()
    purging = asyncio.create_task(store.purge("a", {"x": [rev("1-a")]}))
    for n in range(5):
        await store.graft("a", [edit(f"y{n}", "1-a")])
    assert not purging.done()
    reader.execute("ROLLBACK")
    reader.close()
    await purging
    assert _files_with(tmp_path, said) == []
    await store.close()


def _files_with(folder: Path, text: bytes) -> list[str]:
    return [file.name for file in folder.iterdir() if text in file.read_bytes()]


class Failing:
    """A connection to a disk that fails when it is asked to keep something."""

    def __init__(self, conn: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._conn = conn
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql == "COMMIT":
            # whoever waits would have heard by now, if somebody had told them already
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(5)
            raise sqlite3.OperationalError("disk I/O error")
        return self._conn.execute(sql, *values)


async def test_what_could_not_be_committed_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "_conn", Failing(store._conn, asyncio.get_running_loop()))
        with pytest.raises(StoreError):
            await store.graft("a", [edit("x", "1-a")])
    assert await store.graft("a", [edit("x", "1-a")]) == [True]
    await store.close()


async def test_a_commit_waits_for_the_disk_itself(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    assert store._conn.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    rows = open_rows(tmp_path)
    with rows.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    rows.dispose()
    await store.close()


def holding(directory: Path, text: bytes) -> list[Path]:
    return [path for path in directory.iterdir() if text in path.read_bytes()]


async def test_what_is_purged_is_nowhere_in_the_files(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    secret = b"Ho Thi Bi Xoa"
    await store.graft("a", [edit("x", "1-a", body=b'{"name":"%b"}' % secret), edit("y", "1-a")])
    assert holding(tmp_path, secret)
    await store.purge("a", {"x": [rev("1-a")]})
    assert not holding(tmp_path, secret)
    await store.close()


@pytest.mark.parametrize(
    ("history", "held"),
    [(0, {"4-d", "2-f"}), (1, {"4-d", "3-c", "2-f"}), (9, {"4-d", "3-c", "2-b", "1-a", "2-f"})],
)
async def test_a_compaction_keeps_the_bodies_of_a_configured_history(
    tmp_path: Path, history: int, held: set[str]
) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite", history=history)
    await store.create("a")
    path = ["4-d", "3-c", "2-b", "1-a"]
    await store.graft("a", [edit("x", *path[n:], body=b'{"at":%d}' % n) for n in (3, 2, 1, 0)])
    # What a deletion left behind is not history of anything that lives.
    await store.graft("a", [edit("x", "2-f", "1-a", body=b'{"gone":1}', deleted=True)])
    await store.graft("a", [edit("y", "1-a", body=b'{"old":1}'), edit("y", "2-b", "1-a", deleted=True)])
    await store.compact("a")
    found = await store.read("a", ["x", "y"], every)
    assert set(found["x"].bodies) == {rev(text) for text in held}
    assert set(found["y"].bodies) == {rev("2-b")}
    assert await store.check() == []
    await store.close()


async def test_a_backup_taken_in_use_is_whole(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "documents.sqlite")
    await store.create("a")
    await store.graft("a", [edit("x", "1-a")])
    await store.backup(tmp_path / "copy.sqlite")
    with pytest.raises(StoreError):
        await store.backup(tmp_path / "copy.sqlite")
    await store.close()
    copy = await SqliteStore.open(tmp_path / "copy.sqlite")
    assert set((await copy.read("a", ["x"], every))["x"].bodies) == {rev("1-a")}
    assert await copy.check() == []
    await copy.close()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE doc SET deleted = 1", "disagree"),
        ("UPDATE database SET live = 7", "counts 7"),
        ("DELETE FROM body", "is missing"),
        ("INSERT INTO body (key, json) VALUES (99, x'7b7d')", "belongs to nothing"),
        ("UPDATE doc SET seq = 99", "lies beyond"),
        ("INSERT INTO blob (sha256, bytes) VALUES (x'00', x'01')", "its bytes changed"),
    ],
)
async def test_check_finds_what_is_wrong(tmp_path: Path, statement: str, problem: str) -> None:
    path = tmp_path / "documents.sqlite"
    store = await SqliteStore.open(path)
    await store.create("a")
    await store.graft("a", [edit("x", "1-a")])
    await store.close()
    with sqlite3.connect(path) as conn:
        conn.execute(statement)
    conn.close()
    store = await SqliteStore.open(path)
    assert any(problem in found for found in await store.check())
    await store.close()


async def test_files_of_others_and_of_the_future_are_left_alone(tmp_path: Path) -> None:
    for name, statements in {
        "other": "CREATE TABLE x (y)",
        "newer": f"CREATE TABLE x (y); PRAGMA application_id = {schema.APPLICATION_ID};"
        "PRAGMA user_version = 99",
    }.items():
        path = tmp_path / name
        conn = sqlite3.connect(path)
        conn.executescript(statements)
        conn.close()
        before = path.read_bytes()
        with pytest.raises(StoreError):
            await SqliteStore.open(path)
        assert path.read_bytes() == before
    text = tmp_path / "text"
    text.write_text("not a database at all, but long enough to be looked at as one" * 40)
    with pytest.raises(StoreError):
        await SqliteStore.open(text)


async def test_what_another_process_writes_wakes_those_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0.02)
    path = tmp_path / "documents.sqlite"
    ours = await SqliteStore.open(path)
    await ours.create("a")
    theirs = await SqliteStore.open(path)  # as `camket import` does while `camket serve` runs
    await theirs.graft("a", [edit("x", "1-a")])
    await asyncio.wait_for(ours.wait("a", 0), 20)
    waiting = asyncio.ensure_future(ours.wait("a", 1))
    await asyncio.sleep(0)
    await theirs.graft("a", [edit("x", "2-b", "1-a")])
    await asyncio.wait_for(waiting, 20)
    await theirs.create("b")
    waiting = asyncio.ensure_future(ours.wait("b", 0))
    await theirs.graft("b", [edit("x", "1-a")])
    await asyncio.wait_for(waiting, 20)
    waiting = asyncio.ensure_future(ours.wait("b", 1))
    await asyncio.sleep(0)
    await theirs.drop("b")
    with pytest.raises(DatabaseMissing):
        await asyncio.wait_for(waiting, 20)
    await ours.close()
    await theirs.close()


async def test_a_large_drop_lets_others_write_between_and_is_finished_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "documents.sqlite"
    store = await SqliteStore.open(path)
    monkeypatch.setattr(housekeeping, "AT_ONCE", 10)
    for db in ("a", "b"):
        await store.create(db)
        await store.graft(db, [edit(f"x{n}", "1-a", body=b'{"secret":%d}' % n) for n in range(45)])
    commits: list[str] = []
    store._conn.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await store.drop("a")
    assert len(commits) > 4
    assert await store.names() == ["b"]
    await store.create("a")
    assert (await store.info("a")).doc_count == 0
    monkeypatch.setattr(housekeeping, "clear_some", _crash)
    with pytest.raises(RuntimeError):
        await store.drop("b")
    await store.close()
    monkeypatch.undo()
    store = await SqliteStore.open(path)
    assert await store.names() == ["a"]
    assert await store.check() == []
    for table in ("doc", "body"):
        assert store._conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    await store.close()


def _crash(_: object) -> None:
    raise RuntimeError("the power went")
