"""Pairs of households at the office: one merge for each, or told apart for good.

All in one file: whoever parts a pair must know every way in which it can have been merged.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import delete, select

from server import archive, audit, quarantine
from server.admission import caller_of
from server.carrying import given_back, of_parting, voiding
from server.projection import standing_acts
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.scribe import Change
from server.words import words
from sync import revtree
from sync.store.interface import Edit
from sync.store.sqlite import SqliteStore
from tests.server.documents import FIRST, NOW, SECOND, THIRD, pledge, signature, signed, taken_back, visit
from tests.server.harness import edit, later
from tests.server.office.test_edits import document
from tests.server.office.village import FIVE, SIGNED_ULID, Browser, Village, ulid

TWIN = ulid(9, 1)
UNSIGNED, THIRD_ULID = ulid(9, 2), ulid(9, 3)
_audit, _pledges = table(tables.Audit), table(tables.PledgeRow)
_archive = table(tables.Archive)


async def twin(made: Village) -> None:
    """Somebody enters the signed household once more, without marks."""
    _, body = await document(made, f"household:{SIGNED_ULID}")
    fields = {"name": "vi thi dung", "order": body["order"], "status": body["status"]}
    fields |= {"place": body["place"]} if "place" in body else {}
    await made.office({"hamlet-nasam": [Change(f"household:{TWIN}", fields)]})


FORM = {"hamlet": "nasam", "one": SIGNED_ULID, "other": TWIN}


async def test_a_pair_is_offered_once_and_merged_with_one_click(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office/duplicates")).text
        assert f'value="{SIGNED_ULID}" checked' in page, "the one that has signed is kept by default"
        page = (await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})).text
        assert "Đã gộp." in page
        assert f'name="other" value="{TWIN}"' not in page
    _, body = await document(made, f"household:{TWIN}")
    assert body["status"]["into"] == SIGNED_ULID


async def test_what_is_merged_and_parted_at_five_in_the_morning_is_so_from_that_day_on(made: Village) -> None:
    made.now = FIVE
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})).text
        assert "ngày 02/03/2026" in page
        _, body = await document(made, f"household:{TWIN}")
        assert body["status"]["since"] == "2026-03-02"
        with writing(made.parts.rows) as rows:  # nothing tells any more how it stood before
            rows.execute(delete(_archive).where(_archive.c.id == f"household:{TWIN}"))
        await browser.send("/office/duplicates", {**FORM, "one": TWIN, "do": "part"})
    _, body = await document(made, f"household:{TWIN}")
    assert body["status"] == {"is": "resident", "since": "2026-03-02"}


async def test_a_pair_told_apart_does_not_come_again(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.send("/office/duplicates", {**FORM, "do": "apart"})).text
        assert f'name="one" value="{SIGNED_ULID}"><input' not in page
        assert f'name="other" value="{TWIN}"' not in page
        assert (await document(made, f"household:{TWIN}"))[1]["status"]["is"] == "resident"


async def test_what_is_settled_is_not_settled_again(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})
        for form in ({"keep": TWIN, "do": "merge"}, {"do": "apart"}, {"other": SIGNED_ULID, "do": "apart"}):
            page = await browser.send("/office/duplicates", {**FORM, **form})
            assert "Cặp này đã được xử lý." in page.text
    assert (await document(made, f"household:{SIGNED_ULID}"))[1]["status"]["is"] == "resident"


async def test_what_was_merged_by_mistake_is_parted_and_each_act_is_where_it_was_made(made: Village) -> None:
    await twin(made)
    theirs, ours = f"pledge:antq-2026:{TWIN}", f"pledge:antq-2026:{SIGNED_ULID}"
    by = made.people["volunteer2"]
    visited = pledge(visit(THIRD, by=by), by=by, ulid=TWIN)
    await made.phone("volunteer2", "nasam", edit(visited, f"1-{'c' * 32}"))
    async with made.signed_in("reviewer") as browser:
        await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})
        # a phone that has not heard of it goes on in the old place, and is carried over
        signing = signed("01J8ZQ5A000000000000000A77", by=by)
        more = pledge(visit(THIRD, by=by), signing, by=by, at=NOW + 5000, ulid=TWIN)
        await made.phone("volunteer2", "nasam", edit(more, f"2-{'d' * 32}", f"1-{'c' * 32}"))
        await made.parts.follower.catch_up()
        carried = (await document(made, ours))[1]["acts"]
        page = (await browser.get("/office/duplicates")).text
        assert "vi thi dung" in page
        parting = {"hamlet": "nasam", "one": TWIN, "do": "part"}
        assert "Đã tách thành hai hộ." in (await browser.send("/office/duplicates", parting)).text
        again = await browser.send("/office/duplicates", parting)
        assert "Cặp này đã được xử lý." in again.text
        assert f'value="{TWIN}"' not in again.text, "they are not offered as one again"
    status = (await document(made, f"household:{TWIN}"))[1]["status"]
    assert (status["is"], "into" in status) == ("resident", False)
    assert {act["id"] for act in (await document(made, theirs))[1]["acts"]} == {THIRD, signing["id"]}
    acts = (await document(made, ours))[1]["acts"]
    voided = {act["target"] for act in acts if act["kind"] == "voided"}
    assert {act["id"] for act in carried} == {act["id"] for act in acts if act["kind"] != "voided"}, (
        "none is lost"
    )
    assert voided == {THIRD, signing["id"]}, "what came over counts here no more"
    assert all(of_parting(act) for act in acts if act["kind"] == "voided")
    await made.parts.follower.catch_up()
    assert (await document(made, theirs))[1]["acts"], "and nothing is carried over again"


async def merge(made: Village, one: str, into: str) -> None:
    async with made.signed_in("reviewer") as browser:
        form = {"hamlet": "nasam", "one": one, "other": into, "keep": into, "do": "merge"}
        assert "Đã gộp." in (await browser.send("/office/duplicates", form)).text
    await made.parts.follower.catch_up()


async def part(made: Village, one: str) -> None:
    async with made.signed_in("reviewer") as browser:
        form = {"hamlet": "nasam", "one": one, "do": "part"}
        assert "Đã tách thành hai hộ." in (await browser.send("/office/duplicates", form)).text
    await made.parts.follower.catch_up()


async def signed_ones(made: Village) -> set[str]:
    asked = select(_pledges.c.subject).where(_pledges.c.db == "hamlet-nasam", _pledges.c.signed)
    with readers(made.parts.rows).begin() as rows:
        return set(rows.execute(asked).scalars()) & {TWIN, THIRD_ULID, UNSIGNED}


@pytest.mark.parametrize(
    "way", ["the same way", "the other way round", "by way of a third one", "parted twice"]
)
async def test_what_is_merged_parted_and_merged_again_is_signed_as_before(made: Village, way: str) -> None:
    await twin(made)
    status = {"is": "resident", "since": "2026-01-01"}
    news = [
        Change(f"household:{one}", {"name": "Vi Thị Dung", "order": 900, "status": status})
        for one in (UNSIGNED, THIRD_ULID)
    ]
    await made.office({"hamlet-nasam": news})
    by = made.people["volunteer2"]
    signing = pledge(signed(THIRD, by=by), by=by, ulid=TWIN)
    beside = pledge(visit(SECOND, by=by), by=by, at=NOW + 1, ulid=TWIN)
    await made.phone("volunteer2", "nasam", edit(signing, f"1-{'c' * 32}"), edit(beside, f"1-{'d' * 32}"))
    await merge(made, TWIN, UNSIGNED)
    assert await signed_ones(made) == {UNSIGNED}
    await part(made, TWIN)
    assert await signed_ones(made) == {TWIN}
    match way:
        case "the other way round":
            await merge(made, UNSIGNED, TWIN)
            assert await signed_ones(made) == {TWIN}
            return
        case "by way of a third one":
            await merge(made, TWIN, THIRD_ULID)
            await merge(made, THIRD_ULID, UNSIGNED)
        case _:
            await merge(made, TWIN, UNSIGNED)
    assert await signed_ones(made) == {UNSIGNED}
    acts = (await document(made, f"pledge:antq-2026:{UNSIGNED}"))[1]["acts"]
    (anew,) = [act for act in acts if act["kind"] == "signed" and act["id"] != THIRD]
    assert (anew["signer"], anew["at"]) == (signed()["signer"], signed()["at"])
    if way == "parted twice":
        await part(made, TWIN)
        assert await signed_ones(made) == {TWIN}, "and the other is as unsigned as it was"


async def test_what_a_peer_has_brought_into_the_store_is_given_back_too(made: Village) -> None:
    await twin(made)
    by = made.people["volunteer2"]
    own = edit(pledge(signed(THIRD, by=by), by=by, ulid=TWIN), f"1-{'c' * 32}")
    await made.parts.store.graft("hamlet-nasam", [own])
    await made.parts.follower.catch_up()
    await merge(made, TWIN, SIGNED_ULID)
    await part(made, TWIN)
    assert [act["id"] for act in (await document(made, own.id))[1]["acts"]] == [THIRD]


async def test_what_a_late_phone_wrote_comes_back_with_the_household_that_its_own_became(
    made: Village,
) -> None:
    """One was merged into another and that into a third; then the other two are parted from the third."""
    await twin(made)
    status = {"is": "resident", "since": "2026-01-01"}
    fields = {"name": "Vi Thị Dung", "order": 900, "status": status}
    await made.office({"hamlet-nasam": [Change(f"household:{THIRD_ULID}", fields)]})
    await merge(made, THIRD_ULID, TWIN)
    await merge(made, TWIN, SIGNED_ULID)
    by = made.people["volunteer2"]
    late = pledge(signed(THIRD, by=by), by=by, ulid=THIRD_ULID)
    await made.phone("volunteer2", "nasam", edit(late, f"1-{'c' * 32}"))
    await made.parts.follower.catch_up()
    await part(made, TWIN)
    acts = (await document(made, f"pledge:antq-2026:{TWIN}"))[1]["acts"]
    assert [act["id"] for act in acts] == [THIRD]
    kept = (await document(made, f"pledge:antq-2026:{SIGNED_ULID}"))[1]["acts"]
    assert [act["kind"] for act in kept if act.get("target") == THIRD] == ["voided"]


async def test_a_pledge_whose_campaign_is_unknown_here_is_given_back_too(made: Village) -> None:
    await twin(made)
    by = made.people["volunteer2"]
    other = f"pledge:antq-2031:{TWIN}"
    there = {**pledge(visit(THIRD, by=by), by=by, ulid=TWIN), "_id": other}
    await made.phone("volunteer2", "nasam", edit(there, f"1-{'c' * 32}"))
    await merge(made, TWIN, SIGNED_ULID)
    await part(made, TWIN)
    assert [act["id"] for act in (await document(made, other))[1]["acts"]] == [THIRD]


class Cut(Exception):
    """The process dies here."""


def cut(at: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Die before the write of this number, or after the last; the writes that there were."""
    done: list[str] = []

    def reach(name: str) -> None:
        if len(done) == at:
            raise Cut
        done.append(name)

    def patch(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        @wraps(real)
        def instead(*given: Any, **named: Any) -> Any:
            reach(name)
            return real(*given, **named)

        monkeypatch.setattr(owner, name, instead)

    for owner, name in (
        (archive, "keep"),
        (audit, "append"),
        (SqliteStore, "graft_all"),
        (SqliteStore, "graft"),
    ):
        patch(owner, name)
    return done


@pytest.mark.parametrize("at", range(5))
async def test_a_parting_that_is_cut_short_is_done_or_can_be_done_again(
    made: Village, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    await twin(made)
    theirs, ours = f"pledge:antq-2026:{TWIN}", f"pledge:antq-2026:{SIGNED_ULID}"
    by = made.people["volunteer2"]
    await made.phone(
        "volunteer2", "nasam", edit(pledge(visit(THIRD, by=by), by=by, ulid=TWIN), f"1-{'c' * 32}")
    )
    parting = {"hamlet": "nasam", "one": TWIN, "do": "part"}
    async with made.signed_in("reviewer") as browser:
        await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})
        await browser.get("/office/duplicates")
        with monkeypatch.context() as patched:
            done = cut(at, patched)
            answer = await browser.post("/office/duplicates", parting)
            assert (answer.status_code, len(done)) == (500 if at < 4 else 303, at), "all four are cut once"
        await made.parts.follower.catch_up()  # as a server does that starts again
        await browser.send("/office/duplicates", parting)
        assert f'value="{TWIN}"' not in (await browser.get("/office/duplicates")).text
    await made.parts.follower.catch_up()
    assert (await document(made, f"household:{TWIN}"))[1]["status"]["is"] == "resident"
    assert {act["id"] for act in (await document(made, theirs))[1]["acts"]} == {THIRD}
    acts = (await document(made, ours))[1]["acts"]
    assert {act["target"] for act in acts if act["kind"] == "voided"} == {THIRD}
    with readers(made.parts.rows).begin() as rows:
        told = rows.execute(select(_audit.c.subject).where(_audit.c.action == "household.parted")).scalars()
        assert {*told} == {f"hamlet-nasam/household:{TWIN} household:{SIGNED_ULID}"}


@pytest.mark.parametrize("live", [True, False], ids=["a late phone", "a revoked phone"])
async def test_a_status_that_is_let_in_for_a_merged_household_gives_it_back_its_signature(
    made: Village, *, live: bool
) -> None:
    """And what is said of the other one is erased without it."""
    await twin(made)
    theirs, by = f"pledge:antq-2026:{TWIN}", made.people["volunteer2"]
    ink = signature(by=by)
    drawn = signed(THIRD, by=by, method="touch", signature=ink["_id"].partition(":")[2])
    await made.phone(
        "volunteer2",
        "nasam",
        edit(pledge(drawn, by=by, ulid=TWIN), f"1-{'c' * 32}"),
        edit(ink, f"1-{'e' * 32}"),
    )
    rev, body = await document(made, f"household:{TWIN}")
    await merge(made, TWIN, SIGNED_ULID)
    away = {"is": "seasonal_away", "since": "2026-02-09"}
    late = later({"_id": f"household:{TWIN}", **body}, by, NOW + 60_000, status=away)
    caller = caller_of(replace(made.grant("volunteer2"), live=live), words("vi"))
    (held,) = await made.parts.intake.admit(caller, "hamlet-nasam", [edit(late, f"2-{'d' * 32}", rev)])
    assert getattr(held, "name", "") == "quarantined"
    async with made.signed_in("admin") as browser:
        page = (await browser.get("/office/quarantine/1")).text
        assert "nhận vào thì hộ được tách ra</p>" in page
        assert "tự khép" not in page, "recorded anew, it waits once more"
        done = await browser.send("/office/quarantine", {"number": "1", "do": "release"})
        assert "Đã nhận 1 phiếu." in done.text
        assert (await document(made, f"household:{TWIN}"))[1]["status"] == away
        assert [act["id"] for act in (await document(made, theirs))[1]["acts"]] == [THIRD]
        await erase(browser, SIGNED_ULID)
    assert [act["id"] for act in (await document(made, theirs))[1]["acts"]] == [THIRD]
    assert (await document(made, ink["_id"]))[1]["strokes"] == ink["strokes"]


async def test_a_merge_and_its_parting_that_are_let_in_at_once_leave_each_act_where_it_was_made(
    made: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore has lost both, an act has come since, and the follower is as quick as it can be."""
    enter = made.parts.intake.enter

    async def entered(place: str, edits: Sequence[Edit], sent_to: str) -> None:
        await enter(place, edits, sent_to)
        await made.parts.follower.catch_up()

    monkeypatch.setattr(made.parts.intake, "enter", entered)
    await twin(made)
    theirs, by = f"pledge:antq-2026:{TWIN}", made.people["volunteer2"]
    await made.phone("volunteer2", "nasam", edit(pledge(visit(THIRD, by=by), by=by, ulid=TWIN), "1-c"))
    rev, body = await document(made, f"household:{TWIN}")
    into = {"is": "merged_into", "since": "2026-02-09", "into": SIGNED_ULID}
    gone = later({"_id": f"household:{TWIN}", **body}, made.people["admin"], NOW + 1, status=into)
    back = later(gone, made.people["admin"], NOW + 2, status=body["status"])
    lost = [edit(gone, "2-d", rev), edit(back, "3-e", "2-d", rev)]
    with writing(made.parts.rows) as rows:
        held = [quarantine.Held("hamlet-nasam", one, "recovered", by, None) for one in lost]
        quarantine.hold(rows, held, "2026-03-01T02:03:04Z")
    async with made.signed_in("admin") as browser:
        done = await browser.send("/office/quarantine", {"number": ["1", "2"], "do": "release"})
    assert "Đã nhận 2 phiếu." in done.text
    assert (await document(made, f"household:{TWIN}"))[1]["status"] == body["status"]
    assert [act["id"] for act in (await document(made, theirs))[1]["acts"]] == [THIRD]


@pytest.mark.parametrize("order", [*permutations(("merge", "pledges", "parting"))], ids=" ".join)
async def test_of_what_is_let_in_one_by_one_each_act_ends_where_it_was_made(
    made: Village, order: Sequence[str]
) -> None:
    """A restore has lost all of it: two households became one, with their pledges, and were parted again."""
    await twin(made)
    by, admin = made.people["volunteer2"], made.people["admin"]
    theirs, ours = f"pledge:antq-2026:{TWIN}", f"pledge:antq-2026:{SIGNED_ULID}"
    rev, body = await document(made, f"household:{TWIN}")
    into = {"is": "merged_into", "since": "2026-02-09", "into": SIGNED_ULID}
    gone = later({"_id": f"household:{TWIN}", **body}, admin, NOW + 1, status=into)
    back = later(gone, admin, NOW + 2, status=body["status"])
    visited = visit(THIRD, by=by)
    above, kept = await document(made, ours)
    voided = voiding(THIRD, admin, "2026-03-01T02:03:05Z")
    acts = sorted([*kept["acts"], visited, voided], key=lambda act: str(act["id"]))
    carried = later({"_id": ours, **kept}, admin, NOW + 2) | {"acts": acts}
    lost = {
        "merge": [edit(gone, "2-d", rev)],
        "pledges": [edit(pledge(visited, by=by, ulid=TWIN), "1-c"), edit(carried, "3-f", "2-b", above)],
        "parting": [edit(back, "3-e", "2-d", rev)],
    }
    with writing(made.parts.rows) as rows:
        held = [
            quarantine.Held("hamlet-nasam", one, "recovered", by, None)
            for some in lost.values()
            for one in some
        ]
        quarantine.hold(rows, held, "2026-03-01T02:03:04Z")
    numbers = {"merge": ["1"], "pledges": ["2", "3"], "parting": ["4"]}
    async with made.signed_in("admin") as browser:
        for one in order:
            done = await browser.send("/office/quarantine", {"number": numbers[one], "do": "release"})
            assert f"Đã nhận {len(lost[one])} phiếu." in done.text
    assert (await document(made, f"household:{TWIN}"))[1]["status"] == body["status"]
    assert [act["id"] for act in (await document(made, theirs))[1]["acts"]] == [THIRD], "nobody has voided it"
    standing = standing_acts((await document(made, ours))[1]["acts"])
    assert standing >= {act["id"] for act in kept["acts"]}
    assert THIRD not in standing


async def test_a_parted_household_is_erased_with_its_strokes(made: Village) -> None:
    await twin(made)
    ink = signature(by=made.people["volunteer2"])
    drawn = signed(THIRD, by=ink["by"], method="touch", signature=ink["_id"].partition(":")[2])
    theirs = pledge(drawn, by=ink["by"], ulid=TWIN)
    await made.phone("volunteer2", "nasam", edit(theirs, f"1-{'c' * 32}"), edit(ink, f"1-{'e' * 32}"))
    await merge(made, TWIN, SIGNED_ULID)
    await part(made, TWIN)
    async with made.signed_in("admin") as browser:
        await erase(browser, TWIN)
    ids = [theirs["_id"], ink["_id"]]
    trees = await made.parts.store.trees("hamlet-nasam", ids)
    assert [revtree.live(trees[one]) for one in ids] == [[], []]


async def erase(browser: Browser, household: str) -> None:
    path = f"/office/households/nasam/{household}/rights/erase"
    await browser.send(path, {"word": words("vi").say("office.rights.word")})


async def test_what_was_taken_back_after_the_merge_stays_taken_back(made: Village) -> None:
    own = pledge(signed(), ulid=TWIN)
    gone = {**taken_back("withdrawn", SECOND, FIRST), "by": "thu03"}
    kept = pledge(visit("01J8ZQ5A000000000000000A99"), signed(), gone)
    back = given_back([own], kept)
    assert back
    assert [act["id"] for act in back.body["acts"]] == [FIRST, SECOND]
    assert back.came_over == (), "what does not stand need not be voided"
