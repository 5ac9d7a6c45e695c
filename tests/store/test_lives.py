"""The lives of a database: what tells a store's own past from that of the files that it was copied from."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sync.store.interface import Page
from sync.store.sqlite import SqliteStore
from tests.store.contract import edit


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    yield store
    await store.close()


async def test_a_sequence_is_of_the_past_of_those_files_alone_that_went_on_from_it(tmp_path: Path) -> None:
    async def life(store: SqliteStore, *ids: str) -> tuple[int, str]:
        for doc_id in ids:
            await store.graft("a", [edit(doc_id, "1-a")])
        page = await store.changes("a", Page())
        return int(page.last_seq), page.life

    async with opened(tmp_path / "one.sqlite") as store, opened(tmp_path / "one.sqlite") as process:
        await store.create("a")
        given = [await life(store, "x"), await life(process, "y"), await life(store, "z")]
        await store.backup(tmp_path / "copy.sqlite")
        later = await life(store, "later")
        assert [await store.gave("a", *one) for one in (*given, later)] == [True] * 4
        assert given[1][1] == given[2][1] != given[0][1]
        assert not await store.gave("a", 3, given[0][1])  # by then the other process had begun
        await store.drop("a")
        await store.create("a")
        await life(store, *"1234")
        assert [await store.gave("a", *one) for one in (*given, later)] == [False] * 4
        assert not await store.gave("a", 1, "")  # nor what was kept before there were lives
    async with opened(tmp_path / "copy.sqlite") as store:
        assert [await store.gave("a", *one) for one in (*given, later)] == [True, True, True, False]
        await life(store, *"1234")
        assert [await store.gave("a", *one) for one in (*given, later)] == [True, True, True, False]
        assert [await store.gave("a", 3, name) for name in ("", "unknown")] == [False, False]


async def test_sequences_of_before_there_were_lives_are_known_until_the_first(tmp_path: Path) -> None:
    async with opened(tmp_path / "one.sqlite") as store:
        await store.create("a")
        await store.graft("a", [edit("x", "1-a"), edit("y", "1-a")])
    with closing(sqlite3.connect(tmp_path / "one.sqlite")) as conn:
        conn.executescript("DROP TABLE life; DROP TABLE past; PRAGMA user_version = 1")
    async with opened(tmp_path / "one.sqlite") as store:
        assert (await store.changes("a", Page())).life == ""
        await store.graft("a", [edit("z", "1-a")])
        assert [await store.gave("a", seq, "") for seq in (2, 3)] == [True, False]
