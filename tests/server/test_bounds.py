"""Nobody closes a document to the others, be it by how high it counts or by how much is put into it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server import bounds
from server.admission import asking_of, caller_of
from server.auth.grant import Role
from server.batches import Batch, Read, look_up
from server.release import Blocked, Warden
from server.rows import tables
from server.rows.engine import open_rows
from server.scribe import Change
from server.words import words
from sync.exchange import MAX_DOCUMENT
from sync.hooks import Refused
from sync.rev import Rev
from sync.revtree import Node
from sync.store.interface import Edit
from tests.server.documents import (
    LAN,
    MAI,
    NOW,
    THU,
    Doc,
    grant,
    household,
    inspection,
    pledge,
    signed,
    visit,
)
from tests.server.harness import Product, edit, later, revoked

DB = "hamlet-nasam"
lan, mai, staff = grant(LAN), grant(MAI), grant(THU, Role.REVIEWER)


def visits(numbers: Iterable[int], by: str = LAN) -> list[Doc]:
    return [visit(f"{number:026d}", by=by) for number in numbers]


def photos(numbers: Iterable[int]) -> list[Doc]:
    return [{"id": f"{number:064x}", "item": "picture"} for number in numbers]


# ---- How high a revision may count ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "held", "far"),
    [
        (["999999-a"], [], True),
        (["1002-a"], [], True),
        (["1001-a"], [], False),
        (["1001-a", "1000-a", "999-a"], [], False),
        (["1008-a"], ["7-b"], True),
        (["1007-a"], ["7-b"], False),
        (["1000000-a", "999999-a"], ["999999-a"], False),
        (["1000001-a", "1000000-a", "999999-a"], ["999999-a"], False),
        (["999999-a", "999998-a"], ["1-b"], True),
        (["100999-a"], ["100000-b"], False),
        (["100102-a"], ["100001-b"], True),
        (["100101-a"], ["100001-b"], False),
        ([f"{n}-a" for n in range(100_102, 100_000, -1)], ["100001-a"], True),
        (["1-a"], ["100001-b"], False),
    ],
)
def test_a_revision_is_too_far_that_stands_high_above_all_that_is_held(
    path: list[str], held: list[str], far: bool
) -> None:
    tree = {Rev.parse(rev): Node(None, False) for rev in held}
    assert bool(bounds.too_far([Rev.parse(rev) for rev in path], tree)) is far


async def test_nobody_lifts_a_document_out_of_everybody_elses_reach(camket: Product) -> None:
    first = household()
    assert await camket.send(lan, DB, edit(first, "999999-e")) == ["forbidden"]
    assert await camket.send(mai, DB, edit(household(by=MAI), "1-a")) == ["received"]
    assert await camket.send(lan, DB, edit(first, "999999-e")) == ["forbidden"]
    assert (await camket.shown(DB, first["_id"]))[0] == Rev(1, "a")


async def test_what_was_lifted_before_goes_on(camket: Product) -> None:
    first = household()
    high = edit(first, "999999-e")
    await camket.store.graft(DB, [high])
    named = later(first, MAI, NOW + 1, name="Hoàng Văn Tú")
    assert await camket.send(mai, DB, edit(named, "1000000-b", "999999-e")) == ["received"]
    old = later(first, LAN, NOW + 2, order=7)
    assert await camket.send(lan, DB, edit(old, "1-c")) == ["received"]
    reviewer = caller_of(staff, words("vi"))
    assert await camket.scribe.write(reviewer, {DB: [Change(first["_id"], {"name": "Lý Mỷ"})]}) == 1
    rev, body = await camket.shown(DB, first["_id"])
    assert (rev.generation > 1_000_000, body["name"], body["order"]) == (True, "Lý Mỷ", 7)
    assert await camket.live(DB, first["_id"]) == [rev]


async def test_a_phone_with_a_long_history_fills_a_server_that_has_lost_it(camket: Product) -> None:
    assert await camket.send(lan, DB, edit(household(), "412-d", "411-c", "410-b", "409-a")) == ["received"]


# ---- How much one person may put into a document --------------------------------------------------------


async def test_a_flood_of_acts_stops_at_its_author(camket: Product) -> None:
    limit = bounds.ACTS
    batches = [visits(range(at, at + limit - 10)) for at in (0, 1000, 2000)]
    several = [edit(pledge(*acts, at=NOW + n), f"1-{n}") for n, acts in enumerate(batches)]
    assert await camket.send(lan, DB, *several) == ["received", "too_large", "too_large"]
    assert await camket.send(lan, DB, edit(pledge(*batches[1]), "1-x")) == ["too_large"]
    rev, body = await camket.shown(DB, pledge()["_id"])
    assert len(body["acts"]) == limit - 10
    honest = pledge(*body["acts"], visit("7" * 26, by=MAI), by=MAI, at=NOW + 9)
    assert await camket.send(mai, DB, edit(honest, f"{rev.generation + 1}-m", str(rev))) == ["received"]
    by_staff = signed("8" * 26, by=THU)
    reviewer = caller_of(staff, words("vi"))
    assert await camket.scribe.write(reviewer, {DB: [Change(pledge()["_id"], {"acts": [by_staff]})]}) == 1
    _, body = await camket.shown(DB, pledge()["_id"])
    assert len(body["acts"]) == limit - 8


async def test_two_requests_at_once_do_not_each_fill_a_bound(camket: Product) -> None:
    """Both have read the pledge before either of them wrote."""
    half = bounds.ACTS // 2 + 1
    floods = [edit(pledge(*visits(range(n, n + half))), f"1-{n}") for n in (0, half)]
    read = camket.store.read
    empty = await read(DB, [one.id for one in floods], lambda _id, _tree: ())

    async def before(*_: object) -> object:
        return empty

    told: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(camket.store, "read", before)
        for flood in floods:
            told += await camket.intake.admit(caller_of(lan, words("vi")), DB, [flood])
    assert told[0] == floods[0]
    assert isinstance(told[1], Refused)
    assert told[1].name == "too_large"
    await camket.store.graft(DB, [floods[0]])
    assert await camket.send(lan, DB, floods[0]) == ["received"], "what is on its way may come again"


def test_who_looks_at_a_hamlets_pledges_waits_for_what_another_request_adds_there(
    tmp_path: Path, postgres_rows: str
) -> None:
    """SQLite has one writer; here the second request would look before the first one has written."""
    rows, now = open_rows(tmp_path, postgres_rows), datetime.fromtimestamp(NOW / 1000, UTC)
    asking, held = asking_of(caller_of(lan, words("vi"))), Read({}, {}, sane=True)
    acts, other = [edit(pledge(), "1-a")], [edit(household(), "1-h")]
    with rows.begin() as first, rows.connect() as second:
        look_up(first, Batch(asking, DB), acts, held, now=now)
        second.execute(text("SET lock_timeout = '20ms'"))
        look_up(second, Batch(asking, "hamlet-bankhu"), acts, held, now=now)
        look_up(second, Batch(asking, DB), other, held, now=now)
        with pytest.raises(OperationalError, match="lock timeout"):
            look_up(second, Batch(asking, DB), acts, held, now=now)
    rows.dispose()


async def test_a_flood_that_was_held_back_is_not_let_in_all_at_once(camket: Product) -> None:
    for at in (0, 1000, 2000):
        acts = visits(range(at, at + bounds.ACTS - 10))
        assert await camket.send(revoked(lan), DB, edit(pledge(*acts, at=NOW + at), f"1-{at}")) == [
            "quarantined"
        ]
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    held = [int(row["number"]) for row in camket.all(tables.Quarantine)]
    plans = await warden.release(THU, held)
    assert [one.obstacle if isinstance(one, Blocked) else "" for one in plans] == ["", "too_many", "too_many"]


async def test_who_has_reached_the_bound_still_passes_on_what_is_held(camket: Product) -> None:
    held = pledge(*visits(range(bounds.ACTS + 5)))
    await camket.store.graft(DB, [edit(held, "1-a")])
    assert await camket.send(
        lan, DB, edit({**held, "stamps": later(held, LAN, NOW + 1)["stamps"]}, "2-b", "1-a")
    ) == ["received"]
    more = pledge(*visits(range(bounds.ACTS + 6)), at=NOW + 2)
    assert await camket.send(lan, DB, edit(more, "2-c", "1-a")) == ["too_large"]


async def test_whichever_way_it_comes_a_document_has_a_size(camket: Product) -> None:
    large = {**household(), "v": 99, "x": "y" * MAX_DOCUMENT}
    assert await camket.send(lan, DB, edit(large, "1-a")) == ["too_large"]


async def test_every_bound_together_is_far_from_what_a_document_may_hold() -> None:
    longest = signed("8" * 26, signer="ễ" * 80)
    assert bounds.ACTS * len(edit(pledge(longest), "1-a").body) < MAX_DOCUMENT / 8
    assert bounds.VALUES * bounds.ANSWERS < MAX_DOCUMENT / 5


async def test_an_inspection_takes_so_many_photos_and_from_staff_more(camket: Product) -> None:
    first = inspection(photos=photos(range(bounds.PHOTOS)))
    assert await camket.send(lan, DB, edit(first, "1-a")) == ["received"]
    more = later(first, LAN, NOW + 1, photos=photos(range(bounds.PHOTOS + 1)))
    assert await camket.send(lan, DB, edit(more, "2-b", "1-a")) == ["too_large"]
    assert await camket.send(lan, DB, edit(later(first, LAN, NOW + 2, findings="Tốt"), "2-c", "1-a")) == [
        "received"
    ]
    reviewer = caller_of(staff, words("vi"))
    one = Change(first["_id"], {"photos": photos([bounds.PHOTOS + 7])})
    assert await camket.scribe.write(reviewer, {DB: [one]}) == 1


async def test_photos_count_for_whoever_took_them(camket: Product) -> None:
    first = inspection(by=MAI)
    assert await camket.send(mai, DB, edit(first, "1-a")) == ["received"]
    junk = later(first, LAN, NOW + 1000, photos=photos(range(bounds.PHOTOS)))
    assert await camket.send(lan, DB, edit(junk, "2-b", "1-a")) == ["received"]
    beside = later(first, MAI, NOW + 2000, photos=photos([9000]))
    assert await camket.send(mai, DB, edit(beside, "2-c", "1-a")) == ["received"]
    rev, body = await camket.shown(DB, first["_id"])
    # who takes each of them back has brought one more each, and they are their own
    removed = [{"id": f"{number:026d}", "removes": one["id"]} for number, one in enumerate(junk["photos"])]
    upon = later(body | {"_id": first["_id"]}, MAI, NOW + 3000)
    held = sorted([*body["photos"], *removed[: bounds.PHOTOS - 1]], key=lambda one: str(one["id"]))
    upon |= {"photos": held}
    path = [f"{rev.generation + 1}-d", str(rev)]
    assert await camket.send(mai, DB, edit(upon, *path)) == ["received"]
    more = later(
        upon, LAN, NOW + 4000, photos=sorted([*held, *photos([9001])], key=lambda one: str(one["id"]))
    )
    assert await camket.send(lan, DB, edit(more, f"{rev.generation + 2}-e", *path)) == ["too_large"]


def answers(text: str) -> Doc:
    return {"checklist": "thu", "version": 1, "values": {"fault": text}}


async def test_so_many_answers_of_one_person_wait_beside_each_other(camket: Product) -> None:
    def beside(number: int) -> Edit:
        return edit(inspection(at=NOW + number, answers=answers(f"số {number}")), f"1-{number}")

    sent = [beside(number) for number in range(bounds.VALUES + 1)]
    assert await camket.send(lan, DB, *sent) == ["received"] * bounds.VALUES + ["too_large"]
    assert await camket.send(lan, DB, beside(50)) == ["too_large"]
    assert await camket.send(mai, DB, edit(inspection(by=MAI, answers=answers("khác")), "1-m")) == [
        "received"
    ]


async def test_answers_have_a_length(camket: Product) -> None:
    long = {f"i{number}": "ễ" * 200 for number in range(100)}
    told = inspection(answers={"checklist": "thu", "version": 1, "values": long})
    assert await camket.send(lan, DB, edit(told, "1-a")) == ["too_large"]


async def test_a_later_answer_takes_the_place_of_the_one_before(camket: Product) -> None:
    path: list[str] = []
    body = inspection(answers=answers("0"))
    for number in range(1, 3 * bounds.VALUES):
        path.insert(0, f"{number}-a")
        assert await camket.send(lan, DB, edit(body, *path)) == ["received"]
        seen = {"answers": {"seen": [body["stamps"]["*"]]}}
        body = inspection(at=NOW + number, answers=answers(str(number)), asks=seen)
