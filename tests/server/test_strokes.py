"""Whose strokes are they: who knows a hash may read a pledge, and has no right over what was drawn."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from server import strokes
from server.auth.grant import Grant
from server.rows import tables
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    MAI,
    OTHER,
    SECOND,
    THIRD,
    THU,
    Doc,
    grant,
    household,
    pledge,
    signature,
    signed,
)
from tests.server.harness import Product, edit, revoked
from tests.server.test_erasing import DB, eraser

THERE = "hamlet-bandau"
lan, mai = grant(LAN), grant(MAI)
INK = signature(((7, 7, 9, 9),), by=MAI)
HASH = INK["_id"].removeprefix("signature:")


def touched(act_id: str = SECOND, by: str = LAN, of: str = HASH) -> Doc:
    return signed(act_id, by, method="touch", signature=of)


async def neighbours(camket: Product) -> None:
    """Two households; of the other one there is a signature by Mai."""
    await camket.send(lan, DB, edit(household(), "1-a"), edit(household(OTHER), "1-b"))
    await camket.send(mai, DB, edit(pledge(touched(by=MAI), by=MAI, ulid=OTHER), "1-c"), edit(INK, "1-d"))
    await camket.follower.catch_up()


async def stands(camket: Product) -> bool:
    await camket.follower.catch_up()
    noted = camket.all(tables.Ledger, id=INK["_id"], kind="erased")
    return len(await camket.live(DB, INK["_id"])) == 1 and not noted


@pytest.mark.parametrize("sender", [lan, revoked(lan), grant(LAN, hamlets=("nasam", "bandau"))])
@pytest.mark.parametrize("said", [pledge(touched(THIRD)), {**pledge(), "acts": [{"signature": HASH}]}])
@pytest.mark.parametrize("erased_in", [DB, THERE])
async def test_a_pledge_of_an_erased_household_takes_no_strokes_that_its_sender_did_not_draw(
    camket: Product, sender: Grant, said: Doc, erased_in: str
) -> None:
    await camket.store.create(THERE)
    await neighbours(camket)
    await eraser(camket).erase(THU, erased_in, HOUSEHOLD)
    assert await camket.send(sender, DB, edit(said, "1-e")) == ["erased"]
    assert await stands(camket)


async def test_a_late_pledge_takes_no_strokes_whose_own_pledge_is_still_on_its_way(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"), edit(household(OTHER), "1-b"))
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert await camket.send(mai, DB, edit(INK, "1-d")) == ["received"]
    assert await camket.send(lan, DB, edit(pledge(touched(THIRD)), "1-e")) == ["erased"]
    assert await stands(camket)


async def test_who_names_strokes_before_they_come_keeps_nobody_from_sending_them(
    camket: Product,
) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert await camket.send(lan, DB, edit(pledge(touched()), "1-e")) == ["erased"]
    assert await camket.send(mai, DB, edit(INK, "1-d")) == ["received"]
    assert await stands(camket)


async def test_strokes_that_another_household_names_as_well_come_whoever_sends_them(camket: Product) -> None:
    await neighbours(camket)
    ink = signature(((1, 1, 2, 2),))
    named = ink["_id"].removeprefix("signature:")
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    late, other = pledge(touched(of=named)), pledge(touched(THIRD, of=named), ulid=OTHER)
    assert await camket.send(lan, DB, edit(late, "1-e"), edit(other, "1-f")) == ["erased", "received"]
    assert await camket.send(lan, DB, edit(ink, "1-1")) == ["received"]


@pytest.mark.parametrize("where", ["accepted", "waiting", "elsewhere", "replaced"])
async def test_the_erasing_of_a_household_takes_no_strokes_that_anothers_pledge_names(
    camket: Product, where: str
) -> None:
    await camket.store.create(THERE)
    await camket.send(lan, DB, edit(household(), "1-a"))
    theirs = edit(pledge(touched(by=MAI), by=MAI, ulid=OTHER), "1-c")
    both = grant(MAI, hamlets=("nasam", "bandau"))
    await camket.send(
        revoked(mai) if where == "waiting" else both, THERE if where == "elsewhere" else DB, theirs
    )
    await camket.send(mai, DB, edit(INK, "1-d"))
    assert await camket.send(lan, DB, edit(pledge(touched(THIRD)), "1-e")) == ["received"]
    if where == "replaced":
        void = {
            "id": THIRD[:-1] + "9",
            "at": "2026-03-01T02:03:04Z",
            "by": MAI,
            "kind": "voided",
            "target": SECOND,
        }
        gone = pledge(touched(by=MAI), void, by=MAI, ulid=OTHER)
        assert await camket.send(mai, DB, edit(gone, "2-c", "1-c")) == ["received"]
    await camket.follower.catch_up()
    held = await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert f"pledge:antq-2026:{HOUSEHOLD}" in held[DB]
    assert await stands(camket)


@pytest.mark.parametrize(
    "acts",
    [
        [{"signature": f"{number:064x}"} for number in range(20_000)],
        [{**touched(), "signature": "\0"}],
        [{**touched(), "signature": 5}],
        5,
        [5, [], None],
        {},
    ],
)
async def test_a_refused_pledge_that_is_no_pledge_leaves_nothing_in_the_ledger(
    camket: Product, acts: Any
) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    before = camket.all(tables.Ledger)
    assert await camket.send(lan, DB, edit({**pledge(), "acts": acts}, "1-e")) == ["erased"]
    assert camket.all(tables.Ledger) == before


async def test_what_one_person_can_have_noted_is_bounded(
    camket: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strokes, "LATE", 5)
    await camket.send(lan, DB, edit(household(), "1-a"))
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    for attempt in range(3):
        acts = [touched(f"{SECOND[:-2]}{attempt}{n}", of=f"{attempt}{n}" * 32) for n in range(4)]
        assert await camket.send(lan, DB, edit(pledge(*acts), f"1-e{attempt}")) == ["erased"]
    assert len(camket.all(tables.Ledger, kind="late")) == 5


@pytest.mark.parametrize(("days", "left"), [(399, True), (401, False)])
async def test_strokes_that_no_pledge_names_are_forgotten_after_a_long_time(
    camket: Product, days: int, *, left: bool
) -> None:
    await neighbours(camket)
    lost = signature(((1, 1, 2, 2),))
    assert await camket.send(lan, DB, edit(lost, "1-f")) == ["received"]
    camket.now += timedelta(days=days)
    assert await eraser(camket).collect() == (0 if left else 1)
    await camket.follower.catch_up()
    assert (len(await camket.live(DB, lost["_id"])) == 1, await stands(camket)) == (left, True)
    assert [row["id"] for row in _archived(camket) if row["id"] == lost["_id"]] == [lost["_id"]] * left


def _archived(camket: Product) -> list[Mapping[str, Any]]:
    return camket.all(tables.Archive, db=DB)
