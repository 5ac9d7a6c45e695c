"""The rows follow the documents: at least once, in one commit with the position, rebuilt at will."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.projection import PROJECTED, outcome
from server.rows import tables
from server.rows.engine import table
from server.settle import ends
from sync.store.interface import Page, StoreFull
from tests.server.documents import (
    FIRST,
    LAN,
    MAI,
    NOW,
    OTHER,
    SECOND,
    THIRD,
    Doc,
    campaign,
    grant,
    hamlet,
    household,
    pledge,
    signed,
    taken_back,
    visit,
)
from tests.server.harness import Product, edit, later, product

DB = "hamlet-nasam"
lan, mai = grant(LAN), grant(MAI)


def everything(camket: Product) -> dict[str, list[Any]]:
    with camket.rows.begin() as connection:
        return {one.name: sorted(map(repr, connection.execute(one.select()))) for one in PROJECTED}


async def test_a_household_and_its_pledge_become_rows(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(place={"house": "12", "lane": "Ngõ Đá"}), "1-a"))
    await camket.send(lan, DB, edit(pledge(visit(), signed()), "1-b"))
    assert await camket.follower.catch_up() == 2
    (house,) = camket.all(tables.HouseholdRow)
    assert (house["name"], house["house"], house["walk"], house["status"]) == (
        "Hoàng Thị Mỷ",
        "12",
        10,
        "resident",
    )
    assert house["folded"] == "hoang thi my 12 ngo da"
    (row,) = camket.all(tables.PledgeRow)
    assert (row["campaign"], row["subject"], row["signed"], row["on_paper"]) == (
        "antq-2026",
        house["ulid"],
        True,
        True,
    )
    assert [act["kind"] for act in camket.all(tables.ActRow)] == ["visit", "signed"]


async def test_both_databases_sort_names_as_a_vietnamese_list(camket: Product) -> None:
    inside = [
        "Vi Văn An",
        "Lò Thị Án",
        "Bế Văn Anh",
        "Hoàng Văn Ân",
        "Lý Văn Bình",
        "Nông Văn Đá",
        "Mã Thị Ước",
    ]
    homes = [
        edit(household(f"01J8ZQ4T6N3VXK2M5R7W9Y{n:04d}", name=name), "1-a")
        for n, name in enumerate(reversed(inside))
    ]
    await camket.send(lan, DB, *homes)
    await camket.follower.catch_up()
    rows = table(tables.HouseholdRow)
    with camket.rows.begin() as connection:
        found = connection.execute(select(rows.c.name).order_by(rows.c.sort_key)).scalars().all()
    assert found == inside


async def test_the_shared_database_becomes_rows(camket: Product) -> None:
    await camket.store.graft("commune", [edit(hamlet(), "1-a"), edit(campaign(), "1-a")])
    await camket.follower.catch_up()
    (one,) = camket.all(tables.HamletRow)
    assert (one["hamlet"], one["name"], one["place"]) == ("nasam", "Nà Sầm", 1)
    (two,) = camket.all(tables.CampaignRow)
    assert (two["campaign"], two["target"], two["counts"]) == ("antq-2026", 90, ["resident", "seasonal_away"])


async def test_a_later_revision_replaces_the_rows_of_the_former(camket: Product) -> None:
    await camket.send(lan, DB, edit(pledge(visit(), signed()), "1-b"))
    await camket.follower.catch_up()
    void = pledge(visit(), signed(), taken_back("voided", SECOND), at=NOW + 1)
    await camket.send(lan, DB, edit(void, "2-b", "1-b"))
    await camket.follower.catch_up()
    (row,) = camket.all(tables.PledgeRow)
    assert not row["signed"]
    standing = {act["id"]: act["standing"] for act in camket.all(tables.ActRow)}
    assert standing == {FIRST: True, SECOND: False, THIRD: True}


async def test_a_collision_that_came_past_the_intake_is_settled(camket: Product) -> None:
    first = household()
    here = edit(later(first, LAN, NOW + 1, order=1), "2-a", "1-a")
    there = edit(later(first, MAI, NOW + 2, name="Lý Thị Cúc"), "2-b", "1-a")
    await camket.store.graft(DB, [edit(first, "1-a"), here, there])  # as replication between servers does
    await camket.follower.catch_up()
    assert len(await camket.live(DB, first["_id"])) == 1
    (row,) = camket.all(tables.HouseholdRow)
    assert (row["name"], row["walk"]) == ("Lý Thị Cúc", 1)
    assert [one["source"] for one in camket.all(tables.Archive)] == ["merged"]


async def test_an_invalid_leaf_is_neither_merged_nor_shown_and_staff_are_told(camket: Product) -> None:
    good, bad = edit(household(), "1-a"), edit(household(name=""), "1-b")
    await camket.store.graft(DB, [good, bad])
    await camket.follower.catch_up()
    (row,) = camket.all(tables.HouseholdRow)
    assert row["rev"] == "1-a"
    (told,) = camket.all(tables.AttentionRow)
    assert (told["why"], told["detail"]) == ("invalid", ["1-b"])
    assert len(await camket.live(DB, good.id)) == 2


async def test_a_newer_version_is_kept_not_merged_and_said(camket: Product) -> None:
    newer = household(extra=1) | {"v": 2}
    await camket.store.graft(DB, [edit(household(), "1-a"), edit(newer, "1-b")])
    await camket.follower.catch_up()
    (row,) = camket.all(tables.HouseholdRow)
    assert row["rev"] == "1-a"
    assert [one["why"] for one in camket.all(tables.AttentionRow)] == ["newer_version"]
    assert len(await camket.live(DB, newer["_id"])) == 2


@pytest.mark.parametrize("compacted", [False, True])
async def test_what_a_newer_version_was_written_upon_stays_in_the_rows(
    camket: Product, compacted: bool
) -> None:
    kept = pledge(signed())
    await camket.send(lan, DB, edit(household(), "1-a"), edit(kept, "1-p"))
    newer = [
        edit(doc | {"v": 2, "acts": 7}, "2-z", parent)
        for doc, parent in ((household(), "1-a"), (kept, "1-p"))
    ]
    await camket.store.graft(DB, newer)  # by a restore, or a peer
    if compacted:
        await camket.store.compact(DB)
    await camket.follower.catch_up()
    assert [(row["rev"], row["name"]) for row in camket.all(tables.HouseholdRow)] == [("1-a", "Hoàng Thị Mỷ")]
    assert [(row["rev"], row["signed"]) for row in camket.all(tables.PledgeRow)] == [("1-p", True)]
    assert [row["why"] for row in camket.all(tables.AttentionRow)] == ["newer_version"] * 2


async def test_an_edit_outlives_a_deletion_and_staff_are_told(camket: Product) -> None:
    gone = edit({"_id": household()["_id"]}, "2-d", "1-a", deleted=True)
    kept = edit(household(order=2), "2-e", "1-a")
    await camket.store.graft(DB, [edit(household(), "1-a"), gone, kept])
    await camket.follower.catch_up()
    assert [row["rev"] for row in camket.all(tables.HouseholdRow)] == ["2-e"]
    assert [one["why"] for one in camket.all(tables.AttentionRow)] == ["deleted_and_edited"]


async def test_a_deleted_document_has_no_rows(camket: Product) -> None:
    await camket.store.graft(DB, [edit(household(), "1-a")])
    await camket.follower.catch_up()
    await camket.store.graft(DB, [edit({"_id": household()["_id"]}, "2-d", "1-a", deleted=True)])
    await camket.follower.catch_up()
    assert camket.all(tables.HouseholdRow) == []


async def test_values_that_nobody_can_settle_wait_for_staff(camket: Product) -> None:
    one, other = hamlet(name="Nà Sầm"), hamlet(by=MAI, name="Nà Sâm")
    await camket.store.graft("commune", [edit(one, "1-a"), edit(other, "1-b")])
    await camket.follower.catch_up()
    (told,) = camket.all(tables.AttentionRow)
    assert (told["why"], told["detail"]) == ("asks", ["name"])


async def test_nothing_is_projected_twice_and_a_restart_goes_on(tmp_path: Path, rows_url: str | None) -> None:
    async with product(tmp_path, [DB], rows_url) as camket:
        await camket.send(lan, DB, edit(household(), "1-a"))
        assert await camket.follower.catch_up() == 1
        assert await camket.follower.catch_up() == 0
        await camket.send(lan, DB, edit(household(OTHER), "1-a"))
    async with product(tmp_path, [DB], rows_url) as camket:
        assert await camket.follower.catch_up() == 1
        assert len(camket.all(tables.HouseholdRow)) == 2


async def test_a_follower_that_was_overtaken_writes_nothing(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    read = await camket.store.read(DB, [household()["_id"]], ends)
    await camket.send(lan, DB, edit(later(household(), LAN, NOW + 1, order=2), "2-b", "1-a"))
    await camket.follower.catch_up()
    seq = (await camket.store.changes(DB, Page())).last_seq
    for stale in (0, "where it was long ago"):
        assert not camket.follower._commit(DB, read, stale, seq)
    assert [row["walk"] for row in camket.all(tables.HouseholdRow)] == [2]


async def test_two_followers_do_no_harm(tmp_path: Path, rows_url: str | None) -> None:
    async with product(tmp_path, [DB], rows_url) as one, product(tmp_path, [], rows_url) as two:
        for number in range(30):
            doc = household(f"01J8ZQ4T6N3VXK2M5R7W9Y{number:04d}")
            await one.send(lan, DB, edit(doc, "1-a"))
            await asyncio.gather(one.follower.catch_up(), two.follower.catch_up())
        assert len(one.all(tables.HouseholdRow)) == 30


async def test_the_rows_are_the_same_after_a_rebuild(camket: Product) -> None:
    await camket.store.graft("commune", [edit(hamlet(), "1-a"), edit(campaign(), "1-a")])
    await camket.send(lan, DB, edit(household(), "1-a"), edit(pledge(visit()), "1-b"))
    await camket.send(mai, DB, edit(pledge(visit(SECOND, MAI), by=MAI), "1-c"))
    await camket.follower.catch_up()
    before = everything(camket)
    with camket.rows.begin() as connection:
        connection.execute(update(table(tables.HouseholdRow)).values(name="wrong"))
    assert await camket.follower.rebuild() == 4
    assert everything(camket) == before
    assert len(camket.all(tables.Archive)) == 4  # primary data is no part of it


async def test_it_follows_by_itself_and_stops_cleanly(camket: Product) -> None:
    running = asyncio.create_task(camket.follower.run())
    await camket.send(lan, DB, edit(household(), "1-a"))
    async with asyncio.timeout(10):
        while not camket.all(tables.HouseholdRow):  # noqa: ASYNC110 - the rows are what is waited for
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_failure_is_tried_again_and_nothing_is_skipped(
    camket: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    names, failures = camket.store.names, iter([OSError(), StoreFull()])

    async def failing() -> list[str]:
        for failure in failures:
            raise failure
        return await names()

    monkeypatch.setattr(camket.store, "names", failing)
    running = asyncio.create_task(camket.follower.run())
    async with asyncio.timeout(10):
        while not camket.all(tables.HouseholdRow):  # noqa: ASYNC110 - the rows are what is waited for
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_dropped_database_stops_nobody(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    await camket.store.drop("commune")
    assert await camket.follower.catch_up() == 1


# ---- The outcome of acts --------------------------------------------------------------------------------

OUTCOMES: list[tuple[str, list[Doc], tuple[bool, bool, bool]]] = [
    ("nothing yet", [], (False, False, False)),
    ("nobody was home", [visit(result="nobody_home")], (False, False, True)),
    ("signed on paper", [signed()], (True, True, True)),
    ("acknowledged by touch", [signed(method="touch", signature="0" * 64)], (True, False, True)),
    ("signed, then voided", [signed(), taken_back("voided", SECOND)], (False, False, False)),
    ("visited, signed, then voided", [visit(), signed(), taken_back("voided", SECOND)], (False, False, True)),
    ("signed, then withdrawn", [signed(), taken_back("withdrawn", SECOND)], (False, False, True)),
    (
        "withdrawn, then signed again",
        [signed(FIRST), taken_back("withdrawn", FIRST, SECOND), signed(THIRD)],
        (True, True, True),
    ),
    (
        "signed twice, one voided",
        [signed(FIRST), signed(SECOND), taken_back("voided", SECOND)],
        (True, True, True),
    ),
    ("a visit voided", [visit(), taken_back("voided", FIRST, SECOND)], (False, False, False)),
]


@pytest.mark.parametrize(("story", "acts", "expected"), OUTCOMES, ids=[story for story, _, _ in OUTCOMES])
def test_the_outcome_is_what_the_standing_acts_say(
    story: str, acts: list[Doc], expected: tuple[bool, bool, bool]
) -> None:
    found = outcome(acts)
    assert (found["signed"], found["on_paper"], found["visited"]) == expected
