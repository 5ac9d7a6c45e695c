"""Held records upon which something was written meanwhile: which of them wait no more, and what is kept."""

from collections.abc import Collection

import orjson
import pytest

from server import quarantine
from server.admission import caller_of
from server.office.history import Kept, tell
from server.release import Ready, Warden
from server.rows import tables
from server.words import words
from sync.rev import Rev
from sync.store.interface import Edit
from tests.server.documents import FIRST, LAN, MAI, NOW, SECOND, THU, grant, household, pledge, signed, visit
from tests.server.harness import Product, edit, later, restored, revoked

DB = "hamlet-nasam"
DAY = 24 * 3_600_000
lan, mai = grant(LAN), grant(MAI)


def warden(camket: Product) -> Warden:
    return Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)


def state(camket: Product) -> list[tuple[str, str | None]]:
    return [(row["state"], row["released_as"]) for row in camket.all(tables.Quarantine)]


def archived(camket: Product, words: str) -> bool:
    return any(words.encode() in row["body"] for row in camket.all(tables.Archive))


async def by_hand(camket: Product, *edits: Edit) -> list[str]:
    """Mai's phone, of which a restored server knows nothing, hands these in."""
    restored(camket.rows)
    answers = await camket.intake.admit(caller_of(mai, words("vi"), stranger=True), DB, edits)
    return [getattr(one, "name", "received") for one in answers]


def acts_of(kinds: Collection[dict[str, str]]) -> list[str]:
    return sorted(act["id"] for act in kinds)


async def test_what_its_author_has_written_over_is_in_the_history(camket: Product) -> None:
    base = household()
    await camket.send(lan, DB, edit(base, "1-a"))
    one = later(base, LAN, NOW - DAY + 1, name="Tên một")
    two = later(one, LAN, NOW + 2, name="Tên hai")
    assert await camket.send(lan, DB, edit(one, "2-b", "1-a"), skew_ms=DAY) == ["quarantined"]
    assert await camket.send(lan, DB, edit(two, "3-c", "2-b", "1-a")) == ["received"]
    assert state(camket) == [("released", "3-c")]
    assert archived(camket, "Tên một")
    assert (await camket.shown(DB, base["_id"]))[1]["name"] == "Tên hai"
    kept = [
        Kept(row["rev"], row["parent"], orjson.loads(row["body"]), False, row["by"], row["stamp"], "", "sent")
        for row in camket.all(tables.Archive)
    ]
    told = tell(base["_id"], kept, "3-c")
    states = {change.after: change.state for one in told for change in one.changes if change.field == "name"}
    assert states["Tên một"] == "replaced", "nobody else wrote at the same time"


async def test_it_is_in_the_history_though_somebody_has_taken_its_name(camket: Product) -> None:
    held = quarantine.Held(DB, edit(household(name="Tên một"), "1-a"), "unassigned", LAN, f"phone{LAN}")
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
    assert await camket.send(mai, DB, edit(household(by=MAI, name="Của Mai"), "1-a")) == ["received"]
    two = later(household(name="Tên một"), LAN, NOW + 2, name="Tên hai")
    assert await camket.send(lan, DB, edit(two, "2-b", "1-a")) == ["received"]
    assert [became for became, _ in state(camket)] == ["released"]
    assert archived(camket, "Tên một")
    assert archived(camket, "Của Mai")


async def test_a_time_that_never_came_is_archived_as_the_one_that_it_was(camket: Product) -> None:
    far = household(at=NOW + 400 * DAY, name="Tên một")
    await camket.send(lan, DB, edit(far, "1-a"), skew_ms=-400 * DAY)
    assert await camket.send(lan, DB, edit(household(name="Tên hai"), "2-b", "1-a")) == ["received"]
    assert state(camket) == [("released", "2-b")]
    assert archived(camket, "Tên một")
    assert max(row["stamp"] for row in camket.all(tables.Archive)) < f"{NOW + DAY:013d}"


async def test_what_nobody_could_measure_waits(camket: Product) -> None:
    far = household(at=NOW + 400 * DAY)
    held = quarantine.Held(DB, edit(far, "1-a"), "unassigned", LAN, f"phone{LAN}")
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
    assert await camket.send(lan, DB, edit(household(), "2-b", "1-a")) == ["received"]
    assert state(camket) == [("waiting", None)]


@pytest.mark.parametrize("why", ["stranger", "revoked", "clock"])
async def test_somebody_elses_descendant_closes_nothing(camket: Product, why: str) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    hers = edit(later(household(), MAI, NOW + 1, name="Tên của Mai"), "2-b", "1-a")
    if why == "stranger":
        assert await by_hand(camket, hers) == ["quarantined"]
    else:
        sender, skew = (revoked(mai), 0) if why == "revoked" else (mai, DAY)
        assert await camket.send(sender, DB, hers, skew_ms=skew) == ["quarantined"]
    his = later(household(), LAN, NOW + 2, name="Tên của Lan")
    assert await camket.send(lan, DB, edit(his, "3-c", "2-b", "1-a")) == ["received"]
    assert state(camket) == [("waiting", None)]
    asked = [(hers.id, hers.rev)]
    assert await camket.intake.accepted(caller_of(mai, words("vi")), DB, asked) == {}, "its name alone"
    (done,) = await warden(camket).release(THU, [row["number"] for row in camket.all(tables.Quarantine)])
    assert isinstance(done, Ready)
    assert archived(camket, "Tên của Mai")


async def test_of_a_doubtful_phone_staff_alone_close_what_it_has_written_over(camket: Product) -> None:
    one, two = household(name="Tên một"), later(household(), LAN, NOW + 1, name="Tên hai")
    await camket.send(revoked(lan), DB, edit(one, "1-a"))
    assert await camket.send(lan, DB, edit(two, "2-b", "1-a")) == ["received"]
    assert state(camket) == [("waiting", None)]
    three = later(two, LAN, NOW + 2, name="Tên ba")
    await camket.send(revoked(lan), DB, edit(three, "3-c", "2-b", "1-a"))
    await warden(camket).release(THU, [camket.all(tables.Quarantine, rev="3-c")[0]["number"]])
    assert state(camket) == [("released", "3-c"), ("released", "3-c")]
    assert archived(camket, "Tên một")


async def test_acts_that_a_descendant_leaves_out_keep_the_entry_open_and_come_in_with_it(
    camket: Product,
) -> None:
    held = edit(pledge(signed(by=MAI), by=MAI), "2-b", "1-a")
    assert await camket.send(revoked(mai), DB, held) == ["quarantined"]
    assert await camket.send(lan, DB, edit(pledge(visit()), "3-c", "2-b", "1-a")) == ["received"]
    assert state(camket) == [("waiting", None)]
    (done,) = await warden(camket).release(THU, [camket.all(tables.Quarantine)[0]["number"]])
    assert isinstance(done, Ready)
    assert acts_of((await camket.shown(DB, held.id))[1]["acts"]) == [FIRST, SECOND]
    assert len(await camket.live(DB, held.id)) == 1


async def test_an_authors_own_descendant_without_an_act_closes_nothing(camket: Product) -> None:
    await camket.send(
        lan, DB, edit(pledge(visit(at="2026-02-28T02:03:04Z"), at=NOW - DAY), "1-a"), skew_ms=DAY
    )
    assert await camket.send(lan, DB, edit(pledge(signed()), "2-b", "1-a")) == ["received"]
    assert state(camket) == [("waiting", None)]


async def test_what_comes_by_a_name_that_is_here_brings_its_acts(camket: Product) -> None:
    """A restore has lost it; whoever wrote upon it, by mistake or on purpose, does not say what it said."""
    hers = edit(pledge(signed(by=MAI), by=MAI), "2-b", "1-a")
    assert await by_hand(camket, hers) == ["quarantined"]
    assert await camket.send(lan, DB, edit(pledge(visit()), "3-c", "2-b", "1-a")) == ["received"]
    for _ in range(2):
        assert await camket.send(mai, DB, hers) == ["received"]
        assert acts_of((await camket.shown(DB, hers.id))[1]["acts"]) == [FIRST, SECOND]
    assert [one for one, _ in state(camket)] == ["released"]
    assert len(await camket.live(DB, hers.id)) == 1
    assert len(camket.all(tables.Archive)) == 4, "hers, his, hers upon hers, both"


@pytest.mark.parametrize("way", ["sent", "by hand"])
async def test_what_comes_by_a_name_that_is_here_says_what_nobody_has_said_since(
    camket: Product, way: str
) -> None:
    """A restore has lost it; what was written upon it, by an old form or on purpose, says what was before."""
    first = household(at=NOW - DAY, order=10)
    assert await camket.send(lan, DB, edit(first, "1-a")) == ["received"]
    hers, his = later(first, MAI, NOW - 2, order=3), later(first, LAN, NOW - 1, name="Lý Mỷ")
    assert await camket.send(lan, DB, edit(his, "3-c", "2-b", "1-a")) == ["received"]
    if way == "by hand":
        assert await by_hand(camket, edit(hers, "2-b", "1-a")) == ["quarantined"]
        (done,) = await warden(camket).release(THU, [camket.all(tables.Quarantine)[0]["number"]])
        assert isinstance(done, Ready)
    for _ in range(2):
        told = await camket.send(mai, DB, edit(hers, "2-b", "1-a"))
        assert told == ["received" if way == "sent" else "absorbed"]
        _, body = await camket.shown(DB, first["_id"])
        assert (body["order"], body["name"]) == (3, "Lý Mỷ")
    assert len(await camket.live(DB, first["_id"])) == 1


async def test_a_late_copy_from_before_its_clock_was_set_right_brings_nothing_back(camket: Product) -> None:
    wrong, right = household(at=NOW - 1, name="Tên một"), household(at=NOW - DAY, name="Tên hai")
    assert await camket.send(lan, DB, edit(right, "2-b", "1-a"), edit(wrong, "1-a")) == ["received"] * 2
    assert await camket.send(lan, DB, edit(wrong, "1-a")) == ["received"]
    assert (await camket.shown(DB, right["_id"]))[1]["name"] == "Tên hai"
    assert archived(camket, "Tên một")


async def test_of_what_others_gave_back_its_author_is_asked_for_the_own(camket: Product) -> None:
    """What was let in may be another's forgery, and under another name: hers was never here."""
    fake, hers = household(by=MAI, name="Giả"), edit(household(by=MAI, name="Thật"), "1-b")
    held = quarantine.Held(DB, edit(fake, "1-b"), "recovered", LAN, f"phone{LAN}")
    with camket.rows.begin() as rows:
        quarantine.hold(rows, [held], "2026-03-01T02:03:04Z")
        (entry,) = quarantine.waiting(rows, [1])
        quarantine.decide(rows, entry, Rev.parse("1-c"), THU, "2026-03-01T02:03:04Z")
    asked = [(hers.id, hers.rev)]
    assert await camket.intake.outcomes(caller_of(mai, words("vi")), DB, asked) == [None]
    (told,) = await camket.intake.outcomes(caller_of(lan, words("vi")), DB, asked)
    assert told
    assert told.name == "absorbed", "his, as he gave it back"


async def test_who_takes_the_name_of_what_waits_does_not_take_its_place(camket: Product) -> None:
    hers = edit(pledge(signed(by=MAI), by=MAI), "1-b")
    assert await camket.send(revoked(mai), DB, hers) == ["quarantined"]
    assert await camket.send(lan, DB, edit(pledge(visit()), "1-b")) == ["received"]
    assert state(camket) == [("waiting", None)]
    (done,) = await warden(camket).release(THU, [camket.all(tables.Quarantine)[0]["number"]])
    assert isinstance(done, Ready)
    assert done.edit.rev != Rev.parse("1-b")
    assert acts_of((await camket.shown(DB, hers.id))[1]["acts"]) == [FIRST, SECOND]
