"""One's own names used again, for other words: of what others said that was there by them, nothing goes.

No honest phone says two things by one name. A hostile one writes lawfully upon a colleague's record, and then
sends that name again without what she had said.
"""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from sqlalchemy import select

from server.auth import devices
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Change
from sync import revtree
from sync.rev import Rev
from sync.store.interface import StoreFull
from tests.server.documents import OTHER
from tests.server.http.served import DB, HOUSEHOLD, Phone, Served
from tests.server.http.test_moves import ADMIN, NEW
from tests.server.http.test_taken_names import PERSON, acts, at, both, outcome

FIRST, SECOND, THIRD = Rev(1, "1" * 32), Rev(2, "2" * 32), Rev(3, "3" * 32)
BANKHU = {"name": "Bản Khu", "kind": "thôn", "order": 2, "state": "active"}


async def shown(camket: Served, doc_id: str) -> dict[str, Any]:
    """What stands of a document, with its revision."""
    document = (await camket.parts.store.read(DB, [doc_id], lambda _, tree: tree))[doc_id]
    rev = revtree.winner(document.tree)
    return at({"_id": doc_id, **orjson.loads(document.bodies[rev].json)}, rev)


def stamp(phone: Phone, ms: int = 0) -> str:
    return f"{phone.now() + ms:013d}-0000-{phone.device}"


async def push(camket: Served, phone: Phone, way: str, doc: dict[str, Any]) -> None:
    if way == "sealed":
        await phone.hand_in(phone.seal(doc))
    elif way == "plain":
        asked = {"docs": [doc], "new_edits": False}
        await camket.http.post(f"/db/{DB}/_bulk_docs", json=asked, headers=phone.bearer("credential"))
    else:
        await phone.ask({"docs": [doc]})


@pytest.mark.parametrize("way", ["exchange", "plain", "sealed"])
async def test_nobody_takes_an_act_away_by_sending_his_own_name_again_without_it(
    camket: Served, way: str
) -> None:
    hers, his = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    visit = at(hers.visit(), FIRST)
    await hers.ask({"docs": [visit]})
    his.skew = timedelta(seconds=1)
    own = his.visit()
    whole = {**own, "acts": sorted([*visit["acts"], *own["acts"]], key=lambda act: str(act["id"]))}
    await push(camket, his, way, at(whole, SECOND, FIRST))
    his.skew = timedelta(seconds=2)
    await push(camket, his, way, at(his.visit(), SECOND, FIRST))
    assert visit["acts"][0] in acts(await hers.ask({"since": None}), visit["_id"])


async def test_nobody_takes_a_value_back_by_sending_his_own_name_again_with_the_old_one(
    camket: Served,
) -> None:
    hers, his = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    doc_id = f"household:{HOUSEHOLD}"
    old = await shown(camket, doc_id)
    was, root = old["stamps"]["*"], Rev.parse(old["_rev"])
    right, said = {"by": hers.user, "name": "Lý Văn Thật"}, stamp(hers)
    told = {"*": said, "order": was, "status": was}
    await hers.ask({"docs": [at({**old, **right, "stamps": told}, SECOND, root)]})
    later = {"by": his.user, "order": 20}
    stamps = {"*": stamp(his, 1), "name": said, "status": was}
    await his.ask({"docs": [at({**old, **right, **later, "stamps": stamps}, THIRD, SECOND, root)]})
    assert (await shown(camket, doc_id))["order"] == 20
    robbed = {**old, **later, "stamps": {**stamps, "name": was}}
    await his.ask({"docs": [at(robbed, THIRD, Rev(2, "e" * 32), root)]})  # as if he had not known of hers
    assert (await shown(camket, doc_id))["name"] == "Lý Văn Thật"


async def test_what_staff_merged_is_parted_by_staff_and_not_by_a_name_sent_again(camket: Served) -> None:
    his, doc_id = await camket.phone(), f"household:{HOUSEHOLD}"
    kept = {"name": "Vi Thị Giữ", "order": 11, "status": {"is": "resident", "since": "2026-01-01"}}
    merged = {"is": "merged_into", "into": OTHER, "since": "2026-02-01"}
    await camket.parts.scribe.write(ADMIN, {DB: [Change(f"household:{OTHER}", kept)]})
    await camket.parts.scribe.write(ADMIN, {DB: [Change(doc_id, {"status": merged})]})
    there = await shown(camket, doc_id)
    told = {name: there["stamps"].get(name, there["stamps"]["*"]) for name in ("name", "order", "status")}
    stamps, rev = {**told, "order": stamp(his), "*": stamp(his)}, Rev.parse(there["_rev"])
    own = Rev(rev.generation + 1, "2" * 32)
    lawful = {**there, "by": his.user, "order": 30, "stamps": stamps}
    assert outcome(await his.ask({"docs": [at(lawful, own, rev)]})) == ["received"]
    parted = {**lawful, "status": kept["status"], "stamps": {**stamps, "status": stamp(his, 1)}}
    parted["stamps"]["*"] = stamp(his, 1)
    assert outcome(await his.ask({"docs": [at(parted, own, rev)]})) == ["quarantined"]
    assert (await shown(camket, doc_id))["status"] == merged


async def test_two_bodies_by_one_name_in_one_request_are_not_received(camket: Served) -> None:
    hers = await camket.phone()
    one, two = at(hers.visit(), FIRST), at(hers.visit(), FIRST)
    assert outcome(await hers.ask({"docs": [one, two]})) == ["forbidden"]
    for doc in (one, two):
        assert outcome(await hers.ask({"docs": [doc, doc]})) == ["received"], "said twice, it is one"
    held = acts(await hers.ask({"since": None}), one["_id"])
    assert sorted(act["id"] for act in held) == sorted(doc["acts"][0]["id"] for doc in (one, two))


async def test_what_was_cut_by_her_name_leaves_her_in_no_doubt_about_hers(camket: Served) -> None:
    """It is kept, and not in the tree: her words stand by another name, of a name that is nowhere."""
    hers, other, visit, taken = await both(camket)
    with patch.object(camket.parts.store, "graft_all", side_effect=StoreFull):
        await other.ask_exchange(taken)
    assert outcome(await hers.ask({"docs": [visit]})) == ["received"]
    assert acts(await hers.ask({"since": None}), visit["_id"]) == visit["acts"]


async def test_what_a_revoked_phone_hands_in_again_of_a_lost_hamlet_waits(camket: Served) -> None:
    """That it was received once proves nothing of what is here, and that phone waits for nothing."""
    await camket.parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", BANKHU)]})
    hers = await camket.phone(camket.person("Hứa Văn Dỏng", hamlets=["bankhu"]))
    visit = hers.visit(OTHER)
    assert outcome(await hers.ask({"docs": [visit]}, db=NEW)) == ["received"]
    await camket.parts.follower.catch_up()
    await camket.parts.store.drop(NEW)
    camket.restored()
    with camket.parts.rows.begin() as rows:
        devices.revoke(rows, hers.device, by="console", now=camket.parts.clock())
    assert [one["is"] for one in await hers.hand_in(hers.seal(visit, db=NEW))] == ["quarantined"]


async def test_two_that_wait_in_two_hamlets_and_belong_in_one_enter_one_after_the_other(
    camket: Served,
) -> None:
    parts = camket.parts
    await parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", BANKHU)]})
    hers = await camket.phone()
    other = await camket.phone(camket.person("Hứa Văn Dỏng", hamlets=["bankhu"]))
    mine, his = at(hers.visit(), FIRST), at(other.visit(), FIRST)
    with parts.rows.begin() as rows:
        for phone in (hers, other):
            devices.revoke(rows, phone.device, by="console", now=parts.clock())
    await hers.hand_in(hers.seal(mine))
    await other.hand_in(other.seal(his, db=NEW))
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    done = [one for one in await warden.release("office01", [1, 2]) if isinstance(one, Ready)]
    assert len(done) == 2
    with readers(parts.rows).begin() as rows:
        assert {*rows.execute(select(table(tables.Quarantine).c.state)).scalars()} == {"released"}


async def test_an_act_that_stands_aside_comes_again_by_a_name_that_is_taken_too(camket: Served) -> None:
    """Both the name of her record and the id of her act are somebody else's by now."""
    hers, other, visit, taken = await both(camket)
    (act,) = visit["acts"]
    earlier = {"id": act["id"], "at": "2026-03-01T00:00:00Z"}  # of two by one id the greater would stay
    robbed = {**taken, "acts": [{**taken["acts"][0], **earlier}]}
    assert outcome(await other.ask({"docs": [robbed]})) == ["received"]
    assert outcome(await hers.ask({"docs": [visit]})) == ["quarantined"]
    parts = camket.parts
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    assert [type(one) for one in await warden.release("office01", [1], instead=True)] == [Ready]
    before = acts(await other.ask({"since": None}), visit["_id"])
    assert [{**one, "id": act["id"]} for one in before if one["by"] == hers.user] == [act]
    again = {
        **hers.visit(),
        "acts": sorted([*visit["acts"], *hers.visit()["acts"]], key=lambda one: str(one["id"])),
    }
    await hers.ask({"docs": [at(again, Rev.parse(visit["_rev"]))]})
    after = acts(await other.ask({"since": None}), visit["_id"])
    assert [one for one in after if one in before] == before
    assert len(after) == len(before) + 1


@pytest.mark.parametrize(
    ("name", "became"), [("1-" + "0" * 32, "received"), ("1-" + "f" * 32, "absorbed")]
)  # which of the two branches goes on, the greater name decides
async def test_whose_words_lose_to_others_by_their_name_is_shown_those(
    camket: Served, name: str, became: str
) -> None:
    """Not told that she has them herself: she has something else by that name, and would show it for ever."""
    hers, other = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    made = {**hers.visit(), "_id": f"household:{OTHER}", "type": "household"} | PERSON
    del made["acts"]
    true = {**made, "_rev": name, "_revisions": {"start": 1, "ids": [name[2:]]}}
    camket.restored()
    stamps = {"*": f"{other.now() + 1000:013d}-0000-{other.device}"}
    later = {"by": other.user, "stamps": stamps, "name": "Lý Văn Sau"}
    assert outcome(await other.ask({"docs": [{**true, **later}]})) == ["received"]
    answer = await hers.ask({"docs": [true]})
    assert outcome(answer) == [became]
    (shown,) = (row for part in answer for row in part.get("rows", ()) if row["id"] == true["_id"])
    assert shown["doc"]["name"] == "Lý Văn Sau"
