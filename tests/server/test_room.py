"""Nobody fills the disk or the staff's list with records that wait: each sender has a bound."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server import quarantine
from server.admission import caller_of
from server.rows import tables
from server.rows.engine import open_rows
from server.words import words
from sync.hooks import Refused
from sync.store.interface import Edit
from tests.server.documents import LAN, MAI, Doc, grant, household
from tests.server.harness import Product, edit, revoked

DB = "hamlet-nasam"
DAY = 24 * 3_600_000
lan, mai = grant(LAN), grant(MAI)


def newer(numbers: range, by: str = LAN, **fields: object) -> list[Edit]:
    """Records of a later program: nothing here can judge what they say, so they wait."""
    docs = [{**household(f"01J8ZQ4T6N3VXK2M5R7W{n:06d}", by=by), "v": 99, **fields} for n in numbers]
    return [edit(doc, f"1-{n:x}") for n, doc in zip(numbers, docs, strict=True)]


def waiting(camket: Product) -> int:
    return len(camket.all(tables.Quarantine, state="waiting"))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "MOST", 5)


async def test_what_is_beyond_the_bound_stays_on_its_phone_and_is_taken_later(camket: Product) -> None:
    assert await camket.send(lan, DB, *newer(range(8))) == ["quarantined"] * 5 + ["later"] * 3
    assert waiting(camket) == 5
    (told,) = await camket.intake.admit(caller_of(lan, words("vi")), DB, newer(range(8, 9)))
    assert isinstance(told, Refused)
    assert told.reason.startswith("Xã còn 5 phiếu của máy này chờ xem")
    asked = [(one.id, one.rev) for one in newer(range(7, 8))]
    assert await camket.intake.outcomes(caller_of(lan, words("vi")), DB, asked) == [None], "it is asked for"
    with camket.rows.begin() as rows:
        first = quarantine.waiting(rows, [camket.all(tables.Quarantine)[0]["number"]])[0]
        quarantine.decide(rows, first, None, "thu03", "2026-03-01T02:03:04Z")
    assert await camket.send(lan, DB, *newer(range(5, 8))) == ["quarantined", "later", "later"]


async def test_what_is_held_already_is_told_so_however_full_it_is(camket: Product) -> None:
    again = newer(range(3), by=MAI)  # given back by another phone than its own: judged anew each time
    copies = [edit(dict(household(f"01J8ZQ4T6N3VXK2M5R7X{n:06d}", by=LAN)), f"1-{n:x}") for n in range(7)]
    assert await camket.send(revoked(lan), DB, *copies) == ["quarantined"] * 5 + ["later"] * 2
    assert await camket.send(revoked(lan), DB, *copies) == ["quarantined"] * 5 + ["later"] * 2
    assert await camket.send(mai, DB, *again) == ["quarantined"] * 3, "another's are counted apart"


async def test_what_waits_already_is_judged_anew_and_finds_its_own_room(camket: Product) -> None:
    stranger = caller_of(mai, words("vi"), stranger=True, carrier="phonelan01")
    given = [edit(household(f"01J8ZQ4T6N3VXK2M5R7Y{n:06d}", by=MAI), f"1-{n:x}") for n in range(6)]
    for _ in range(2):
        told = await camket.intake.admit(stranger, DB, given)
        assert [getattr(one, "name", "") for one in told] == ["quarantined"] * 5 + ["later"]


async def test_whatever_the_reason_one_sender_has_one_bound(camket: Product) -> None:
    assert await camket.send(lan, DB, *newer(range(4))) == ["quarantined"] * 4
    wrong = [edit(household(f"01J8ZQ4T6N3VXK2M5R7Z{n:06d}"), f"1-{n:x}") for n in range(3)]
    assert await camket.send(lan, DB, *wrong, skew_ms=-DAY) == ["quarantined", "later", "later"]
    fine = edit(household("01J8ZQ4T6N3VXK2M5R7Z000009"), "1-9")
    assert await camket.send(lan, DB, fine) == ["received"], "what enters by itself enters"


async def test_few_large_records_are_bounded_too(camket: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "MOST_BYTES", 100_000)
    large = newer(range(3), x="y" * 40_000)
    assert await camket.send(lan, DB, *large) == ["quarantined", "quarantined", "later"]
    assert await camket.send(lan, DB, *newer(range(3, 4))) == ["quarantined"], "a small one fits"


async def test_a_long_history_takes_room_as_well(camket: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "MOST_BYTES", 100_000)
    doc = {**household(), "v": 99}
    history = [f"{n}-{n:064x}" for n in range(1000, 0, -1)]
    long = [edit(doc, f"1001-{n}", *history) for n in "ab"]
    assert await camket.send(lan, DB, *long) == ["quarantined", "later"]


def test_of_two_requests_at_once_the_second_one_waits_for_what_the_first_one_adds(
    tmp_path: Path, postgres_rows: str
) -> None:
    """SQLite has one writer; here the second one would count before the first has written."""
    rows = open_rows(tmp_path, postgres_rows)
    held = [quarantine.Held(DB, one, "newer", LAN, f"phone{LAN}") for one in newer(range(8))]
    other = [quarantine.Held(DB, one, "newer", MAI, f"phone{MAI}") for one in newer(range(8), by=MAI)]
    with rows.begin() as first:
        assert quarantine.beyond(first, held[:5]) == ((), 0)
        quarantine.hold(first, held[:5], "2026-03-01T02:03:04Z")
        with rows.connect() as second:
            second.execute(text("SET lock_timeout = '20ms'"))
            assert quarantine.beyond(second, other[:5]) == ((), 0), "whoever else sends does not wait"
            with pytest.raises(OperationalError, match="lock timeout"):
                quarantine.beyond(second, held[5:])
    with rows.begin() as second:
        left, count = quarantine.beyond(second, held[5:])
        assert (len(left), count) == (3, 5)
    rows.dispose()


async def test_a_strangers_records_count_with_whoever_hands_them_in(camket: Product) -> None:
    def strangers(n: int, carrier: str) -> tuple[object, Edit]:
        who = grant(f"khach{n}")
        caller = caller_of(who, words("vi"), stranger=True, carrier=carrier)
        doc: Doc = household(f"01J8ZQ4T6N3VXK2M5R7Y{n:06d}", by=who.user)
        return caller, edit(doc, f"1-{n:x}")

    told = []
    for n in range(7):
        caller, one = strangers(n, "phonelan01")
        (answer,) = await camket.intake.admit(caller, DB, [one])  # type: ignore[arg-type]
        told.append(getattr(answer, "name", ""))
    assert told == ["quarantined"] * 5 + ["later"] * 2
    caller, one = strangers(9, "office")
    (answer,) = await camket.intake.admit(caller, DB, [one])  # type: ignore[arg-type]
    assert getattr(answer, "name", "") == "quarantined", "by another's hand"
    assert {row["sender"] for row in camket.all(tables.Quarantine)} == {"phonelan01", "office"}
