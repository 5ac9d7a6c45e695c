"""What staff make of records that could not enter by themselves.

All in one file: every story is of a record that waits.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from server import quarantine
from server.auth import users
from server.auth.grant import Role
from server.correcting import ahead, corrected
from server.release import Blocked, Ready, Warden
from server.rows import tables
from server.rows.engine import table, writing
from sync.rev import Rev
from tests.server.documents import (
    FIRST,
    LAN,
    MAI,
    NOW,
    OTHER,
    SECOND,
    THU,
    by_staff,
    grant,
    household,
    model,
    pledge,
    signed,
    stamp,
    taken_back,
    visit,
)
from tests.server.harness import Product, edit, later, revoked

DB = "hamlet-nasam"
HOUR = 3_600_000
lan, mai = grant(LAN), grant(MAI)


def warden(camket: Product) -> Warden:
    return Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)


def number(camket: Product, rev: str) -> int:
    (row,) = camket.all(tables.Quarantine, rev=rev)
    return int(row["number"])


async def outcome(camket: Product, doc_id: str, rev: str) -> str:
    """What the phone that waits for this revision is told."""
    from server.admission import caller_of
    from server.words import words

    trees = await camket.store.trees(DB, [doc_id])
    if Rev.parse(rev) in trees.get(doc_id, {}):
        return "in the tree"
    (told,) = await camket.intake.outcomes(caller_of(lan, words("vi")), DB, [(doc_id, Rev.parse(rev))])
    return told.name if told else "unknown"


# ---- Setting the clock right ------------------------------------------------------------------------------


def test_only_what_the_record_itself_brought_is_moved() -> None:
    before = pledge(visit(by=MAI), by=MAI)
    wrong = {**before, "by": LAN, "stamps": {"*": stamp(LAN, NOW + HOUR)}}
    wrong["acts"] = [*before["acts"], signed(at="2026-03-01T03:03:04Z")]
    right = corrected(wrong, -HOUR + 5000, [before])
    assert right["stamps"] == {"*": stamp(LAN, NOW + 5000)}
    assert [act["at"] for act in right["acts"]] == ["2026-03-01T02:03:04Z", "2026-03-01T02:03:09Z"]


def test_a_correction_stays_above_what_the_record_was_written_upon() -> None:
    before = household(at=NOW, by=MAI)
    wrong = later(before, LAN, NOW + HOUR, name="Hoàng Văn Tú")
    right = corrected(wrong, -2 * HOUR, [before])
    assert right["stamps"]["*"] == f"{NOW:013d}-0001-phone{LAN}"
    assert right["stamps"]["order"] == before["stamps"]["*"]


def test_a_stamp_that_followed_another_stays_where_the_clock_alone_was_behind() -> None:
    late = household()
    late = {**late, "stamps": {"*": f"{NOW:013d}-0003-phone{LAN}"}}
    year = 365 * 24 * HOUR
    assert corrected(late, year, [], received_ms=NOW + HOUR)["stamps"] == late["stamps"]
    assert corrected(late, -HOUR, [], received_ms=NOW + HOUR)["stamps"] == {
        "*": f"{NOW - HOUR:013d}-0003-phone{LAN}"
    }


def test_values_that_wait_to_be_settled_are_moved_too() -> None:
    asks = {"name": {"seen": [stamp(LAN, NOW)], "others": [{"stamp": stamp(MAI, NOW), "value": "Bản"}]}}
    hamlet = {"type": "hamlet", "v": 1, "by": LAN, "stamps": {"*": stamp(LAN, NOW + 1)}, "asks": asks}
    hamlet |= {"name": "Nà", "kind": "thôn", "order": 1, "state": "active"}
    right = corrected(hamlet, 1000, [])
    assert right["asks"]["name"]["seen"] == [stamp(LAN, NOW + 1000)]
    assert right["asks"]["name"]["others"][0]["stamp"] == stamp(MAI, NOW)


def test_a_time_that_has_not_come_is_seen() -> None:
    assert ahead(household(at=NOW + 1), NOW)
    assert ahead(pledge(visit(at="2027-01-01T00:00:00Z")), NOW)
    assert not ahead(pledge(visit()), NOW)


# ---- Letting in -------------------------------------------------------------------------------------------


async def test_a_revoked_phones_record_enters_as_it_is_once_released(camket: Product) -> None:
    sent = edit(pledge(visit()), "1-a")
    assert await camket.send(revoked(lan), DB, sent) == ["quarantined"]
    assert await outcome(camket, sent.id, "1-a") == "quarantined"
    (done,) = await warden(camket).release(THU, [number(camket, "1-a")])
    assert isinstance(done, Ready)
    rev, body = await camket.shown(DB, sent.id)
    assert (str(rev), body["acts"]) == ("1-a", [visit()])
    (kept,) = camket.all(tables.Archive)
    assert (kept["source"], kept["entered_by"], kept["by"]) == ("released", THU, LAN)
    (entry,) = camket.all(tables.Quarantine)
    assert (entry["state"], entry["released_as"], entry["decided_by"]) == ("released", "1-a", THU)
    (noted,) = camket.all(tables.Audit)
    assert (noted["actor"], noted["action"]) == (THU, "quarantine.released")
    assert noted["subject"] == f"{DB}/{sent.id}@1-a"
    assert await outcome(camket, sent.id, "1-a") == "in the tree"


async def test_a_wrong_clock_is_set_right_by_what_was_measured(camket: Product) -> None:
    day = 24 * HOUR
    wrong = pledge(visit(at="2026-02-28T02:03:04Z"), at=NOW - day)
    await camket.send(lan, DB, edit(wrong, "1-a"), skew_ms=day)
    planned = await warden(camket).preview(number(camket, "1-a"))
    await warden(camket).release(THU, [number(camket, "1-a")])
    rev, body = await camket.shown(DB, wrong["_id"])
    assert isinstance(planned, Ready)
    assert planned.edit.rev == rev, "what the page showed is what entered"
    assert body["stamps"] == {"*": stamp(LAN, NOW)}
    assert body["acts"][0]["at"] == "2026-03-01T02:03:04Z"
    assert rev != Rev.parse("1-a")
    assert await outcome(camket, wrong["_id"], "1-a") == "absorbed"


async def test_a_chosen_offset_stands_instead(camket: Product) -> None:
    await camket.send(lan, DB, edit(pledge(visit()), "1-a"), skew_ms=-24 * HOUR)
    await warden(camket).release(THU, [number(camket, "1-a")], -HOUR)
    _, body = await camket.shown(DB, pledge()["_id"])
    assert body["acts"][0]["at"] == "2026-03-01T01:03:04Z"


async def test_a_clock_may_be_wrong_by_years(camket: Product) -> None:
    days = 400 * 24 * HOUR
    await camket.send(lan, DB, edit(household(at=NOW + days), "1-a"), skew_ms=-days)
    (done,) = await warden(camket).release(THU, [number(camket, "1-a")])
    assert isinstance(done, Ready)


async def test_a_revoked_phones_clock_is_set_right_where_it_was_wrong(camket: Product) -> None:
    days = 400 * 24 * HOUR
    await camket.send(revoked(lan), DB, edit(household(at=NOW + days), "1-a"), skew_ms=-days)
    await camket.send(revoked(mai), DB, edit(pledge(visit(by=MAI), by=MAI), "1-b"), skew_ms=1000)
    held = [number(camket, rev) for rev in ("1-a", "1-b")]
    assert all(isinstance(one, Ready) for one in await warden(camket).release(THU, held))
    _, body = await camket.shown(DB, household()["_id"])
    assert body["stamps"]["*"] == stamp(LAN, NOW)
    rev, _ = await camket.shown(DB, pledge()["_id"])
    assert str(rev) == "1-b", "as it is: a second is no wrong clock"


async def test_what_nobody_could_measure_moves_back_from_what_has_not_come(camket: Product) -> None:
    """It came while this server's own clock was wrong."""
    camket.now = datetime(2020, 1, 1, tzinfo=UTC)
    first, days = pledge(visit(at="2027-04-05T02:03:04Z"), at=NOW + 400 * 24 * HOUR), -400 * 24 * HOUR
    await camket.send(revoked(lan), DB, edit(first, "1-a"))
    held = number(camket, "1-a")
    (done,) = await warden(camket).release(THU, [held])
    assert done == Blocked(done.entry, "ahead"), "this clock can still measure nothing"
    camket.now = datetime.fromtimestamp(NOW / 1000, UTC)
    assert await warden(camket).offset(held) == days
    camket.now += timedelta(minutes=10)
    assert await warden(camket).offset(held) == days, "it stays: deciding twice writes once"
    (done,) = await warden(camket).release(THU, [held])
    assert isinstance(done, Ready)
    _, body = await camket.shown(DB, first["_id"])
    assert (body["stamps"]["*"], body["acts"][0]["at"]) == (stamp(LAN, NOW), "2026-03-01T02:03:04Z")


@pytest.mark.parametrize(("device", "year"), [(f"phone{LAN}", "2026"), (f"phone{MAI}", "2027")])
async def test_of_what_was_recovered_the_clock_of_its_own_writer_is_set_right(
    camket: Product, device: str, year: str
) -> None:
    before = visit(OTHER, by=MAI)
    doc = pledge(before, visit(at="2027-03-31T02:03:04Z"), at=NOW + 395 * 24 * HOUR)
    held = quarantine.Held(DB, edit(doc, "2-b", "1-a"), "recovered", LAN, device, -395 * 24 * HOUR)
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
    (done,) = await warden(camket).release(THU, [number(camket, "2-b")])
    if year == "2027":
        assert done == Blocked(done.entry, "ahead"), "another's clock says nothing of it"
        return
    _, body = await camket.shown(DB, doc["_id"])
    assert [act["at"] for act in body["acts"]] == [before["at"], "2026-03-01T02:03:04Z"]


async def test_a_record_from_tomorrow_is_not_released_as_it_is(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(at=NOW + 24 * HOUR), "1-a"), skew_ms=-24 * HOUR)
    held = number(camket, "1-a")
    (done,) = await warden(camket).release(THU, [held], 0)
    assert done == Blocked(done.entry, "ahead")
    assert camket.all(tables.Archive) == []
    assert camket.all(tables.Quarantine)[0]["state"] == "waiting"
    (done,) = await warden(camket).release(THU, [held])
    assert isinstance(done, Ready)


async def test_records_that_build_on_one_another_are_corrected_together(camket: Product) -> None:
    day = 24 * HOUR
    first = pledge(visit(at="2026-02-28T02:03:04Z"), at=NOW - day)
    second = pledge(*first["acts"], signed(at="2026-02-28T02:04:04Z"), at=NOW - day + 60_000)
    await camket.send(lan, DB, edit(first, "1-a"), skew_ms=day)
    await camket.send(lan, DB, edit(second, "2-b", "1-a"), skew_ms=day)
    numbers = [number(camket, rev) for rev in ("2-b", "1-a")]
    assert all(isinstance(one, Ready) for one in await warden(camket).release(THU, numbers))
    (rev,) = await camket.live(DB, first["_id"])
    _, body = await camket.shown(DB, first["_id"])
    assert rev.generation == 2, "one line, no branch"
    assert [act["at"] for act in body["acts"]] == ["2026-03-01T02:03:04Z", "2026-03-01T02:04:04Z"]


async def test_a_later_record_keeps_the_correction_of_the_one_before_it(camket: Product) -> None:
    day = 24 * HOUR
    first = household(at=NOW - day)
    second = later(first, LAN, NOW - day + 60_000, name="Hoàng Văn Tú")
    await camket.send(lan, DB, edit(first, "1-a"), skew_ms=day)
    await camket.send(lan, DB, edit(second, "2-b", "1-a"), skew_ms=day)
    await warden(camket).release(THU, [number(camket, "1-a")], day)
    await warden(camket).release(THU, [number(camket, "2-b")], day // 2)
    _, body = await camket.shown(DB, first["_id"])
    assert body["stamps"]["order"] == stamp(LAN, NOW), "as the first one was released"
    assert body["name"] == "Hoàng Văn Tú"


async def test_a_released_record_merges_with_what_came_meanwhile(camket: Product) -> None:
    first = household()
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(revoked(lan), DB, edit(later(first, LAN, NOW + 1000, order=3), "2-b", "1-a"))
    await camket.send(mai, DB, edit(later(first, MAI, NOW + 2000, name="Hoàng Văn Tú"), "2-c", "1-a"))
    await warden(camket).release(THU, [number(camket, "2-b")])
    _, body = await camket.shown(DB, first["_id"])
    assert (body["name"], body["order"]) == ("Hoàng Văn Tú", 3)
    assert len(await camket.live(DB, first["_id"])) == 1


async def test_releasing_twice_writes_once(camket: Product) -> None:
    await camket.send(lan, DB, edit(pledge(visit()), "1-a"), skew_ms=-24 * HOUR)
    held = number(camket, "1-a")
    await warden(camket).release(THU, [held])
    assert list(await warden(camket).release(THU, [held])) == []
    assert len(camket.all(tables.Audit)) == 1
    assert len(camket.all(tables.Archive)) == 1


async def test_of_two_decisions_at_once_the_first_stands(camket: Product) -> None:
    sent = edit(pledge(visit()), "1-a")
    await camket.send(revoked(lan), DB, sent)
    with writing(camket.rows) as connection:
        (entry,) = quarantine.waiting(connection, [number(camket, "1-a")])  # both have read it
        quarantine.decide(connection, entry, sent.rev, THU, "2026-03-01T00:00:00Z")
        quarantine.decide(connection, entry, None, MAI, "2026-03-01T00:00:01Z")
    (row,) = camket.all(tables.Quarantine)
    assert (row["state"], row["decided_by"]) == ("released", THU)


async def test_a_record_that_alters_a_held_act_is_not_released(camket: Product) -> None:
    await camket.send(revoked(mai), DB, edit(pledge(visit(by=MAI, result="nobody_home"), by=MAI), "1-b"))
    await camket.send(mai, DB, edit(pledge(visit(by=MAI), by=MAI), "1-a"))
    (done,) = await warden(camket).release(THU, [number(camket, "1-b")])
    assert isinstance(done, Blocked)
    assert done.obstacle == "altered"


async def test_a_record_with_an_own_act_that_is_held_at_another_time_enters(camket: Product) -> None:
    """The phone set its clock right between the two copies, and was revoked."""
    await camket.send(
        revoked(lan), DB, edit(pledge(visit(at="2026-03-01T01:03:04Z"), signed()), "2-b", "1-a")
    )
    await camket.send(lan, DB, edit(pledge(visit()), "1-c"))
    (done,) = await warden(camket).release(THU, [number(camket, "2-b")])
    assert isinstance(done, Ready)
    assert (await camket.shown(DB, pledge()["_id"]))[1]["acts"] == [visit(), signed()]


async def test_a_discarded_record_is_told_to_the_phone_and_noted(camket: Product) -> None:
    sent = edit(pledge(visit()), "1-a")
    await camket.send(revoked(lan), DB, sent)
    assert await warden(camket).discard(THU, [number(camket, "1-a")]) == 1
    assert await warden(camket).discard(THU, [number(camket, "1-a")]) == 0
    assert await outcome(camket, sent.id, "1-a") == "forbidden"
    assert await camket.send(lan, DB, sent) == ["forbidden"]  # sent again, it is not decided anew
    assert camket.all(tables.Audit)[0]["action"] == "quarantine.discarded"
    assert list(await warden(camket).release(THU, [number(camket, "1-a")])) == []


async def test_a_corrected_descendant_closes_the_entry(camket: Product) -> None:
    wrong = pledge(visit(at="2026-02-28T02:03:04Z"), at=NOW - 24 * HOUR)
    await camket.send(lan, DB, edit(wrong, "1-a"), skew_ms=24 * HOUR)
    assert await camket.send(lan, DB, edit(pledge(visit()), "2-b", "1-a")) == ["received"]
    (entry,) = camket.all(tables.Quarantine)
    assert (entry["state"], entry["released_as"]) == ("released", "2-b")
    assert await outcome(camket, wrong["_id"], "1-a") == "in the tree"


async def test_what_was_recovered_waits_for_its_place_in_the_history(camket: Product) -> None:
    """Its descendant says something else, and is not its author's."""
    await camket.send(lan, DB, edit(household(name="Lý"), "1-a"))
    lost = later(household(name="Lý"), THU, NOW + 1, name="Lý Văn Tư")
    held = quarantine.Held(DB, edit(lost, "2-b", "1-a"), "recovered", LAN, f"phone{LAN}")
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
    then = edit(later(household(name="Lý"), LAN, NOW + 2, name="Lý Văn Năm"), "3-c", "2-b", "1-a")
    assert await camket.send(lan, DB, then) == ["received"]
    (done,) = await warden(camket).release(THU, [number(camket, "2-b")])
    assert isinstance(done, Ready)
    assert {row["rev"] for row in camket.all(tables.Archive)} == {"1-a", "2-b", "3-c"}
    assert (await camket.shown(DB, lost["_id"]))[1]["name"] == "Lý Văn Năm"


async def test_a_record_of_another_document_closes_nothing(camket: Product) -> None:
    await camket.send(revoked(lan), DB, edit(pledge(visit()), "1-a"))
    await camket.send(lan, DB, edit(later(household(), LAN, NOW + 1, order=3), "2-b", "1-a"))
    (entry,) = camket.all(tables.Quarantine)
    assert entry["state"] == "waiting"


@pytest.mark.parametrize("offset", [0, HOUR])
async def test_a_clock_in_the_archive_never_runs_ahead_of_the_server(camket: Product, offset: int) -> None:
    await camket.send(lan, DB, edit(household(at=NOW + HOUR), "1-a"), skew_ms=-HOUR)
    await warden(camket).release(THU, [number(camket, "1-a")], offset)
    camket.now = datetime.fromtimestamp(NOW / 1000, UTC)
    assert await camket.intake.clock_is_sane(NOW)
    assert FIRST not in str(camket.all(tables.Archive))


# ---- What a newer program wrote, once this one can read it -------------------------------------------------


async def hold_newer(camket: Product, doc: dict[str, Any]) -> int:
    """Held when this server could not read it; meanwhile it was updated."""
    held = quarantine.Held(DB, edit(doc, "1-n"), "newer", LAN, f"phone{LAN}")
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
        users.add(rows, "Lan", Role.VOLUNTEER, by="console", now=camket.now)
        rows.execute(update(table(tables.User)).values(id=LAN))
    return number(camket, "1-n")


@pytest.mark.parametrize(
    ("doc", "obstacle"),
    [
        (pledge(visit()), None),
        (pledge(visit(by=MAI)), "not_allowed"),
        (pledge(signed(), taken_back("withdrawn", SECOND)), "not_allowed"),
        (household(status={"is": "merged_into", "since": "2026-01-01", "into": OTHER}), "not_allowed"),
        (by_staff(model(), LAN), "not_allowed"),
    ],
)
async def test_a_newer_record_is_held_to_its_authors_rules_before_it_is_let_in(
    camket: Product, doc: dict[str, Any], obstacle: str | None
) -> None:
    held = await hold_newer(camket, doc)
    (done,) = await warden(camket).release(THU, [held])
    assert getattr(done, "obstacle", None) == obstacle
    (entry,) = camket.all(tables.Quarantine)
    assert entry["state"] == ("waiting" if obstacle else "released")
