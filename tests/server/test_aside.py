"""Two acts by one id: after a restore somebody has taken the id of an act that was lost with it."""

import pytest

from server.projection import outcome
from server.release import Blocked, Ready, Warden
from server.rows import tables
from tests.server.documents import (
    FIRST,
    LAN,
    MAI,
    OTHER,
    SECOND,
    THIRD,
    THU,
    grant,
    household,
    pledge,
    signed,
    taken_back,
    visit,
)
from tests.server.harness import Product, edit, restored

DB = "hamlet-nasam"
lan, mai = grant(LAN), grant(MAI)


async def waiting_on(camket: Product) -> Warden:
    """A server that has lost what came after its backup; Mai's household is in it."""
    await camket.send(mai, DB, edit(household(by=MAI), "1-h"))
    await camket.follower.catch_up([DB])
    restored(camket.rows)
    return Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)


async def test_who_was_robbed_of_an_act_is_heard_and_let_in(camket: Product) -> None:
    warden, hers = await waiting_on(camket), signed(by=MAI)
    assert await camket.send(lan, DB, edit(pledge(signed(signer="Không Có")), "1-e")) == ["received"]
    await camket.follower.catch_up([DB])
    true = edit(pledge(hers, by=MAI), "2-7", "1-6")
    assert await camket.send(mai, DB, true) == ["quarantined"]
    (entry,) = camket.all(tables.Quarantine)
    assert entry["why"] == "altered"
    (done,) = await warden.release(THU, [entry["number"]])
    assert isinstance(done, Blocked), "not by the dozen"
    (done,) = await warden.release(THU, [entry["number"]], instead=True)
    assert isinstance(done, Ready)
    acts = (await camket.shown(DB, true.id))[1]["acts"]
    stands = [act for act in acts if act["by"] == MAI]
    assert [{**act, "id": SECOND} for act in stands] == [hers]
    assert [(act["kind"], act["target"]) for act in acts if act["by"] == THU] == [("voided", SECOND)]
    assert outcome(acts)["signed"]
    assert len(await camket.live(DB, true.id)) == 1

    # what she, and who has pulled it, write upon the act that they have enters by itself from then on
    upon = edit(pledge(visit(FIRST, by=MAI), hers, by=MAI), "3-b", "2-7", "1-6")
    assert await camket.send(mai, DB, upon) == ["received"]
    taken = edit(pledge(visit(FIRST, by=MAI), hers, visit(THIRD)), "4-c", "3-b", "2-7", "1-6")
    assert await camket.send(lan, DB, taken) == ["received"]
    undone = edit(pledge(taken_back("voided", SECOND, OTHER, by=MAI), hers, by=MAI), "3-d", "2-7", "1-6")
    assert await camket.send(mai, DB, undone) == ["received"]
    after = (await camket.shown(DB, true.id))[1]["acts"]
    assert len(after) == 6
    assert all(act in after for act in acts)
    assert not outcome(after)["signed"]
    assert len(await camket.live(DB, true.id)) == 1


async def test_of_one_authors_two_words_the_forged_one_makes_way(camket: Product) -> None:
    warden, true = await waiting_on(camket), pledge(signed(by=MAI), by=MAI)
    fake = edit(pledge(signed(by=MAI, signer="Giả Mạo"), by=MAI), "2-a", "1-9")
    assert await camket.send(lan, DB, fake) == ["quarantined"]
    await warden.release(THU, [row["number"] for row in camket.all(tables.Quarantine)])
    later = {**true, "acts": [visit(FIRST, by=MAI), *true["acts"]]}
    assert await camket.send(mai, DB, edit(true, "2-a", "1-9")) == ["quarantined"]
    assert await camket.send(mai, DB, edit(later, "3-b", "2-a", "1-9")) == ["quarantined"]
    for row in camket.all(tables.Quarantine, state="waiting"):
        await warden.release(THU, [row["number"]], instead=True)
    acts = (await camket.shown(DB, fake.id))[1]["acts"]
    assert sorted(act.get("signer", act["kind"]) for act in acts) == [
        "Giả Mạo",
        "Hoàng Thị Mỷ",
        "visit",
        "voided",
    ]


@pytest.mark.parametrize("send_twice", [False, True])
async def test_an_id_that_was_taken_in_another_household_is_given_way(
    camket: Product, send_twice: bool
) -> None:
    warden, hers = await waiting_on(camket), pledge(signed(by=MAI), by=MAI)
    await camket.send(mai, DB, edit(household(OTHER, MAI), "1-i"))
    assert await camket.send(lan, DB, edit(pledge(signed(), ulid=OTHER), "1-e")) == ["received"]
    await camket.follower.catch_up([DB])
    assert await camket.send(mai, DB, edit(hers, "2-7", "1-6")) == ["quarantined"]
    (entry,) = camket.all(tables.Quarantine)
    (done,) = await warden.release(THU, [entry["number"]], instead=True)
    assert isinstance(done, Ready)
    (act,) = (await camket.shown(DB, hers["_id"]))[1]["acts"]
    assert (act["id"] != SECOND, act["by"]) == (True, MAI)
    if send_twice:
        upon = edit(pledge(visit(FIRST, by=MAI), *hers["acts"], by=MAI), "3-b", "2-7", "1-6")
        assert await camket.send(mai, DB, upon) == ["received"]
        assert len((await camket.shown(DB, hers["_id"]))[1]["acts"]) == 2
