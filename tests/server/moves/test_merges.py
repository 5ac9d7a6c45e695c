"""A whole hamlet goes into another: with everything, in order, once, and cut anywhere."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count

import orjson
import pytest

from server import hamlets, past
from server.auth import users
from server.blobs import Name
from server.checking import problems
from server.parts import Parts
from server.rows import tables
from server.rows.engine import readers
from server.scribe import Change
from server.words import HERE
from sync.store.interface import Edit, StoreFull
from tests.server.documents import LAN, NOW, household
from tests.server.harness import edit
from tests.server.moves.ground import (
    ADMIN,
    ALL,
    DAY,
    PHOTO,
    PLEDGE,
    SHOWN,
    A,
    B,
    C,
    Hands,
    X,
    furnish,
    lan,
    living,
    mai,
    rows_of,
    send,
    walk,
    where,
)


async def test_a_merge_takes_everything_along_with_the_people_and_says_so(commune: Parts) -> None:
    await furnish(commune)
    picture = Name("nasam", SHOWN)
    for path in (f"media/nasam/{picture.sha256}", f"media/nasam/{picture.sha256}.thumb"):
        (commune.settings.data / path).parent.mkdir(parents=True, exist_ok=True)
        (commune.settings.data / path).write_bytes(b"bytes")
    done = await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    once = ("pledge", "signature", "review", "unit", "outreach", "inspection", "photo")
    assert done.documents == {"household": 2} | dict.fromkeys(once, 1)
    assert done.people == {LAN}
    assert await where(commune) == {one: [B] for one in ALL}
    assert await where(commune, [PHOTO]) == {PHOTO: ["media-bankhu"]}
    assert commune.blobs.whole(Name("bankhu", picture.sha256)) == b"bytes"
    assert commune.blobs.thumb(Name("bankhu", picture.sha256)) == b"bytes"
    assert not commune.blobs.has(picture)
    with readers(commune.rows).begin() as connection:
        assert users.hamlets_of(connection, LAN) == {"bankhu"}
    assert {row["db"] for row in rows_of(commune, tables.PledgeRow)} == {B}
    assert await problems(commune) == []


async def test_a_hamlet_that_is_merged_at_five_in_the_morning_is_so_from_that_day_on(commune: Parts) -> None:
    await furnish(commune)
    clock = commune.clock
    assert isinstance(clock, Hands)
    clock.ms = int(datetime(2026, 3, 2, 5, tzinfo=HERE).timestamp() * 1000)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    merged = (await living(commune, "hamlet:nasam"))["commune"]["merged"]
    assert merged == {"into": "bankhu", "since": "2026-03-02"}


async def test_the_history_of_what_moved_is_in_both_places(commune: Parts) -> None:
    await furnish(commune)
    before = rows_of(commune, tables.Archive, db=A, id=PLEDGE)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    old = rows_of(commune, tables.Archive, db=A, id=PLEDGE)
    assert [row["source"] for row in old] == ["sent", "moved"]
    assert old[:1] == before
    assert orjson.loads(old[1]["body"]) == {"moved_to": B}
    assert [row | {"db": A} for row in rows_of(commune, tables.Archive, db=B, id=PLEDGE)] == old


async def test_where_a_household_was_on_a_day_can_be_told_for_good(commune: Parts) -> None:
    await furnish(commune)
    clock = commune.clock
    assert isinstance(clock, Hands)
    for source, into in (("nasam", "pomo"), ("pomo", "nasam"), ("nasam", "bankhu"), ("bankhu", "pomo")):
        clock.ms += DAY
        await hamlets.move(commune, ADMIN, source, into, [X])
    first = datetime.fromtimestamp(NOW / 1000, HERE).date()
    with readers(commune.rows).begin() as connection:
        days = [past.households(connection, "antq-2026", first + timedelta(days=n)) for n in range(5)]
        found = [Counter(one.db for one in day) for day in days]
    assert found == [{A: 2}, {A: 1, C: 1}, {A: 2}, {A: 1, B: 1}, {A: 1, C: 1}]


async def test_the_households_of_a_merged_hamlet_come_behind_on_the_walk_in_their_order(
    commune: Parts,
) -> None:
    for who, db, names in ((lan, A, ["a1", "a2", "a3"]), (mai, B, ["b1", "b2"])):
        for n, name in enumerate(names, start=1):
            one = household(f"01J8ZQ4T6N3VXK2M5R7W9Y0{name.upper()}0", who.user, name=name, order=n * 10)
            assert await send(commune, who, db, edit(one, f"1-{name}")) == ["received"]
    await commune.follower.catch_up()
    before = {row["id"]: row for row in rows_of(commune, tables.HouseholdRow, db=B)}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert walk(commune, B) == ["b1", "b2", "a1", "a2", "a3"]
    once = {row["id"]: row["rev"] for row in rows_of(commune, tables.HouseholdRow, db=B)}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert {row["id"]: row["rev"] for row in rows_of(commune, tables.HouseholdRow, db=B)} == once
    with readers(commune.rows).begin() as rows:
        back = hamlets.came(rows, "bankhu", "nasam")
    await hamlets.move(commune, ADMIN, "bankhu", "nasam", back)
    assert walk(commune, A) == ["a1", "a2", "a3"]
    assert {row["id"]: row for row in rows_of(commune, tables.HouseholdRow, db=B)} == before


async def test_a_late_new_household_of_a_merged_hamlet_stands_where_its_number_says(commune: Parts) -> None:
    """It has the old hamlet's number, which another one may have here: they stand side by side, by id."""
    for who, db, names in ((lan, A, ["a1", "a2"]), (mai, B, ["b1", "b2"])):
        for n, name in enumerate(names, start=1):
            one = household(f"01J8ZQ4T6N3VXK2M5R7W9Y0{name.upper()}0", who.user, name=name, order=n * 10)
            assert await send(commune, who, db, edit(one, f"1-{name}")) == ["received"]
    await commune.follower.catch_up()
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    late = household("01J8ZQ4T6N3VXK2M5R7W9Y0Z90", name="new", order=20)
    assert await send(commune, lan, A, edit(late, "1-d")) == ["received"]
    assert walk(commune, B) == ["b1", "b2", "new", "a1", "a2"]


async def test_a_merge_that_was_cut_after_it_was_declared_is_finished_by_the_follower(commune: Parts) -> None:
    await furnish(commune)
    said = {"state": "merged", "merged": {"into": "bankhu", "since": "2026-11-22"}}
    await commune.scribe.write(ADMIN, {"commune": [Change("hamlet:nasam", said)]})
    await commune.follower.catch_up()
    assert await where(commune) == {one: [B] for one in ALL}
    with readers(commune.rows).begin() as connection:
        assert users.hamlets_of(connection, LAN) == {"bankhu"}
    assert await problems(commune) == []


async def test_a_merge_may_be_done_again_and_changes_nothing(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    before = {db: (await commune.store.info(db)).update_seq for db in await commune.store.names()}
    assert not (await hamlets.merge(commune, ADMIN, "nasam", "bankhu")).documents
    assert {db: (await commune.store.info(db)).update_seq for db in await commune.store.names()} == before


async def test_a_move_that_a_full_disk_stops_midway_ends_nothing(
    commune: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(commune)
    graft_all, times = commune.store.graft_all, count()

    async def filling(edits: Mapping[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]:
        if next(times):
            raise StoreFull
        return await graft_all(edits)

    with monkeypatch.context() as patch, suppress(StoreFull):
        patch.setattr(commune.store, "graft_all", filling)
        await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    assert len(await living(commune, X)) == 1
    assert len(await living(commune, PLEDGE)) == 1
