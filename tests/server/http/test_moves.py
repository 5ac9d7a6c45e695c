"""A hamlet merged away while phones were out, over real HTTP: every way in leads to the new one."""

import json
from typing import Any

from server import hamlets
from server.admission import caller_of
from server.auth.grant import Grant, Role
from server.scribe import Change
from server.words import words
from sync import revtree
from tests.server.http.served import DB, HAMLET, HOUSEHOLD, Phone, Served
from tests.server.http.test_path import outcomes

NEW = "hamlet-bankhu"
ADMIN = caller_of(Grant("office01", "Office", Role.ADMIN, frozenset({HAMLET, "bankhu"})), words("vi"))
TOLD = "Xã đã nhận phiếu bác gửi, và đã chuyển sang thôn Bản Khu."
OTHERS = [f"01J8ZQ4T6N3VXK2M5R7W9Y0AB{letter}" for letter in "DEFGH"]


async def merged(camket: Served) -> Phone:
    """A phone that joined before its hamlet became part of another."""
    phone = await camket.phone()
    await phone.exchange()
    fields = {"name": "Bản Khu", "kind": "thôn", "order": 2, "state": "active"}
    await camket.parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", fields)]})
    await hamlets.merge(camket.parts, ADMIN, HAMLET, "bankhu")
    return phone


async def lives_in(camket: Served, db: str, doc_id: str) -> bool:
    return bool(revtree.live((await camket.parts.store.trees(db, [doc_id])).get(doc_id, {})))


async def lives(camket: Served, doc_id: str) -> list[str]:
    return [db for db in (DB, NEW) if await lives_in(camket, db, doc_id)]


async def test_the_exchange_says_where_it_went_and_that_the_old_hamlet_is_gone(camket: Served) -> None:
    phone = await merged(camket)
    visit = phone.visit()
    parts = await phone.exchange(visit)
    assert parts[0]["dbs"] == ["commune", NEW]
    assert outcomes(parts) == [[visit["_id"], visit["_rev"], "received", TOLD]]
    assert {"db": DB, "gone": True} in parts
    assert await lives(camket, visit["_id"]) == [NEW]
    assert f"household:{HOUSEHOLD}" in {
        row["id"] for part in await phone.exchange(db=NEW) for row in part.get("rows", ())
    }


async def test_plain_writes_of_every_kind_arrive_and_are_successes(camket: Served) -> None:
    phone = await merged(camket)
    visits = [phone.visit(ulid) for ulid in OTHERS[:3]]
    bare: list[dict[str, Any]] = [
        {name: value for name, value in one.items() if name not in {"_rev", "_revisions"}} for one in visits
    ]
    header = phone.bearer("credential")
    asked: dict[str, Any] = {"new_edits": False, "docs": visits[:1]}
    answer = await camket.http.post(f"/db/{DB}/_bulk_docs", json=asked, headers=header)
    assert (answer.status_code, answer.json()) == (201, [])
    answer = await camket.http.post(f"/db/{DB}/_bulk_docs", json={"docs": bare[1:2]}, headers=header)
    assert [row["ok"] for row in answer.json()] == [True]
    answer = await camket.http.put(f"/db/{DB}/{bare[2]['_id']}", json=bare[2], headers=header)
    assert (answer.status_code, answer.json()["ok"]) == (201, True)
    for visit in visits:
        assert await lives(camket, visit["_id"]) == [NEW]


async def test_a_sealed_record_for_the_old_hamlet_gets_its_receipt(camket: Served) -> None:
    phone = await merged(camket)
    visit = phone.visit()
    (receipt,) = await phone.hand_in(phone.seal(visit))
    assert (receipt["is"], receipt["reason"]) == ("received", TOLD)
    assert await lives(camket, visit["_id"]) == [NEW]


async def test_another_hamlets_phone_may_neither_read_nor_write_there(camket: Served) -> None:
    await merged(camket)
    stranger = await camket.phone(camket.person("Lý Thị Mai", hamlets=["other"]))
    header = stranger.bearer("credential")
    for db in (DB, NEW):
        assert (await camket.http.get(f"/db/{db}/_changes", headers=header)).status_code == 403
        asked = {"new_edits": False, "docs": [stranger.visit()]}
        assert (await camket.http.post(f"/db/{db}/_bulk_docs", json=asked, headers=header)).status_code == 403


async def test_what_was_said_to_a_hamlet_that_a_restored_server_never_founded_is_with_its_household(
    camket: Served,
) -> None:
    phone, founded = await camket.phone(), "hamlet-moi"
    (since,) = [part["position"] for part in await phone.exchange() if part.get("db") == DB]
    visit, new = phone.visit(), phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABZ")

    async def said(**asked: Any) -> list[dict[str, Any]]:
        body = {"clock": phone.now(), "dbs": {founded: asked}}
        answer = await camket.http.post("/db/_exchange", json=body, headers=phone.bearer("credential"))
        return [json.loads(line) for line in answer.text.splitlines()][1:-1]

    have = [[one["_id"], one["_rev"]] for one in (visit, new)]
    assert await said(since=None) == [{"db": founded, "gone": True}]
    assert await said(since=since) == [{"db": founded, "position_lost": True}]
    assert await said(since=None, have=have) == [], "nobody has said that files were put back: it keeps them"
    camket.restored()
    assert await said(since=since) == [{"db": founded, "position_lost": True}]
    assert await said(since=None, have=have) == [{"db": founded, "missing": have}]
    there, waits = outcomes(await said(since=None, docs=[visit, new]))
    assert there[2:] == ["received", "Xã đã nhận phiếu bác gửi, và đã chuyển sang thôn Nà Sầm."]
    assert waits[2] == "quarantined"
    assert [one[2] for one in outcomes(await said(since=None, waiting=have))] == ["received", "quarantined"]
    assert await lives_in(camket, DB, visit["_id"])
    assert await said(since=None) == [{"db": founded, "gone": True}]
