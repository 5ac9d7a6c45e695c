"""What people write at the server goes the way of everything else, and is all or nothing."""

import pytest

from server.admission import caller_of
from server.auth.grant import Role
from server.rows import tables
from server.scribe import Change, NotTaken
from server.words import words
from sync.merge import CLEARED
from sync.stamps import device_of
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    OTHER,
    QUAN,
    SECOND,
    THIRD,
    THU,
    grant,
    hamlet,
    household,
    pledge,
    signed,
    taken_back,
)
from tests.server.harness import Product, edit, later

DB = "hamlet-nasam"
HOUSE = f"household:{HOUSEHOLD}"
reviewer = caller_of(grant(THU, Role.REVIEWER), words("vi"))
admin = caller_of(grant(QUAN, Role.ADMIN), words("vi"))
NEW = {"name": "Lý Thị Cúc", "order": 1, "status": {"is": "resident", "since": "2026-01-01"}}


async def test_what_staff_write_is_in_the_rows_and_the_archive_at_once(camket: Product) -> None:
    assert await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW)]}) == 1
    assert [row["name"] for row in camket.all(tables.HouseholdRow)] == ["Lý Thị Cúc"]
    (kept,) = camket.all(tables.Archive)
    assert (kept["by"], kept["entered_by"]) == (THU, THU)
    _, body = await camket.shown(DB, HOUSE)
    assert device_of(body["stamps"]["*"]) == "officethu03"


async def test_writing_what_is_there_already_changes_nothing(camket: Product) -> None:
    await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW)]})
    assert await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW), Change(HOUSE, {"order": 1})]}) == 0
    assert len(camket.all(tables.Archive)) == 1


async def test_a_change_touches_the_fields_that_it_names(camket: Product) -> None:
    lan = grant(LAN)
    first = household(place={"house": "1"})
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.scribe.write(reviewer, {DB: [Change(HOUSE, {"order": 2, "place": CLEARED})]})
    await camket.send(lan, DB, edit(later(first, LAN, NOW + 1, name="Hoàng Văn Tú"), "2-b", "1-a"))
    _, body = await camket.shown(DB, HOUSE)
    assert (body["order"], body["name"], "place" in body) == (2, "Hoàng Văn Tú", False)


async def test_a_new_hamlet_gets_its_databases(camket: Product) -> None:
    fields = {name: hamlet()[name] for name in ("name", "kind", "order", "state")}
    changes = {"commune": [Change("hamlet:bankhu", fields)], "hamlet-bankhu": [Change(HOUSE, NEW)]}
    assert await camket.scribe.write(admin, changes) == 2
    assert {"commune", "hamlet-bankhu", "media-bankhu"} <= set(await camket.store.names())
    assert [row["hamlet"] for row in camket.all(tables.HamletRow)] == ["bankhu"]


async def test_one_bad_document_keeps_all_others_out(camket: Product) -> None:
    bad = Change(f"household:{OTHER}", {**NEW, "name": ""})
    with pytest.raises(NotTaken) as told:
        await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW)], "hamlet-bankhu": [bad]})
    assert [(one.id, one.name) for one in told.value.refused] == [(bad.id, "forbidden")]
    assert await camket.store.trees(DB, [HOUSE]) == {}
    assert camket.all(tables.HouseholdRow) == []


async def test_a_reviewer_does_not_write_what_admins_write(camket: Product) -> None:
    fields = {name: hamlet()[name] for name in ("name", "kind", "order", "state")}
    with pytest.raises(NotTaken):
        await camket.scribe.write(reviewer, {"commune": [Change("hamlet:bankhu", fields)]})


async def test_staff_confirm_a_withdrawal_with_one_more_act(camket: Product) -> None:
    await camket.send(grant(LAN), DB, edit(pledge(signed()), "1-a"))
    act = taken_back("withdrawn", SECOND, THIRD, by=THU)
    await camket.scribe.write(reviewer, {DB: [Change(pledge()["_id"], {"acts": [act]})]})
    (row,) = camket.all(tables.PledgeRow)
    assert not row["signed"]
    assert row["visited"]


async def test_a_question_is_settled_by_writing_one_of_its_values(camket: Product) -> None:
    await camket.store.graft("commune", [edit(hamlet(), "1-a"), edit(hamlet(by=MAI, name="Nà Sâm"), "1-b")])
    await camket.follower.catch_up()
    assert [row["why"] for row in camket.all(tables.AttentionRow)] == ["asks"]
    (row,) = camket.all(tables.HamletRow)
    assert await camket.scribe.write(admin, {"commune": [Change("hamlet:nasam", {"name": row["name"]})]}) == 1
    assert camket.all(tables.AttentionRow) == []


async def test_a_deleted_document_begins_anew(camket: Product) -> None:
    await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW)]})
    rev, _ = await camket.shown(DB, HOUSE)
    await camket.store.graft(DB, [edit({"_id": HOUSE}, "2-d", str(rev), deleted=True)])
    await camket.scribe.write(reviewer, {DB: [Change(HOUSE, NEW)]})
    assert [one.generation for one in await camket.live(DB, HOUSE)] == [3]


async def test_a_newer_programs_document_is_left_alone(camket: Product) -> None:
    await camket.store.graft(DB, [edit(household() | {"v": 2}, "1-a")])
    with pytest.raises(NotTaken) as told:
        await camket.scribe.write(reviewer, {DB: [Change(HOUSE, {"order": 5})]})
    assert told.value.refused[0].reason


async def test_stamps_rise_although_the_clock_stands(camket: Product) -> None:
    for order in range(3):
        await camket.scribe.write(reviewer, {DB: [Change(HOUSE, {**NEW, "order": order})]})
    stamps = [row["stamp"] for row in sorted(camket.all(tables.Archive), key=lambda row: row["generation"])]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == 3
