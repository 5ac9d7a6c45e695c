"""Several documents under one seal: each is admitted, held or refused by itself, and has its own receipt."""

import gzip
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from server.auth import devices
from server.rows import tables
from server.rows.engine import table
from server.sealing import b64url
from tests.server.http.served import DB, Phone, Served

OTHERS = [f"01J8ZQ4T6N3VXK2M5R7W9Y0AB{letter}" for letter in "DEFGHJKM"]


async def told(phone: Phone, *records: bytes) -> list[dict[str, Any]]:
    """The receipts for these records; there may be more of them than records."""
    answer = await phone.ask_sealed(phone.bundle(*records))
    assert answer.status_code == 200, answer.text
    receipts: list[dict[str, Any]] = answer.json()["receipts"]
    return receipts


async def is_(phone: Phone, *records: bytes) -> list[str]:
    return [receipt["is"] for receipt in await told(phone, *records)]


def name(doc: dict[str, Any], db: str = DB) -> str:
    return sha256(f"camket document 1\n{db}\n{doc['_id']}\n{doc['_rev']}".encode()).hexdigest()


async def held(camket: Served) -> list[Any]:
    with camket.parts.rows.begin() as rows:
        return list(rows.execute(select(table(tables.Quarantine))))


async def test_documents_under_one_seal_enter_and_each_has_a_receipt_that_proves_itself(
    camket: Served,
) -> None:
    author = await camket.phone(camket.person("Lý Thị Mai"))
    courier = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    visits = [author.visit(ulid) for ulid in OTHERS]
    record = author.seal_several(*map(author.entry, visits))
    receipts = await told(courier, record)
    assert [receipt["is"] for receipt in receipts] == ["received"] * len(visits)
    assert [receipt["sha256"] for receipt in receipts] == [name(visit) for visit in visits]
    assert {receipt["of"] for receipt in receipts} == {sha256(record).hexdigest()}
    assert {receipt["line"] for receipt in receipts} == {1}
    for receipt in receipts:
        said = f"camket receipt 1\n{receipt['sha256']}\nreceived\n"
        keyed = hmac.digest(author.joined["send"].encode(), said.encode(), "sha256")
        assert receipt["proof"] == b64url(keyed[:16])
    shown = {row["id"] for part in await author.exchange() for row in part.get("rows", ())}
    assert {visit["_id"] for visit in visits} <= shown


async def test_what_is_bad_among_them_stops_no_other(camket: Served) -> None:
    phone, other = await camket.phone(), await camket.phone(camket.person("Lý Thị Mai"))
    good = [phone.visit(ulid) for ulid in OTHERS[:4]]
    entries = [
        phone.entry(good[0]),
        "no entry",
        phone.entry(good[1]),
        phone.entry(phone.visit(), clock="now"),
        phone.entry(other.visit(OTHERS[5])),  # says that somebody else wrote it
        phone.entry(good[2]),
        phone.entry(phone.visit(OTHERS[6]), db="hamlet-other"),
        phone.entry(phone.visit(OTHERS[7], acts=1.5)),
        phone.entry({"_id": 7}),
        phone.entry(good[3]),
    ]
    receipts = await told(phone, phone.seal_several(*entries), phone.seal(phone.visit()))
    bad, ok = "forbidden", "received"
    found = [receipt["is"] for receipt in receipts]
    assert found == [ok, bad, ok, bad, bad, ok, bad, bad, bad, ok, ok]
    assert [receipt["line"] for receipt in receipts] == [1] * 10 + [2]
    assert all(receipt["reason"] for receipt in receipts if receipt["is"] == bad)
    named = [receipt["sha256"] for receipt in receipts if receipt["is"] == ok]
    assert named[:4] == [name(doc) for doc in good]


async def test_the_same_documents_come_twice_under_other_seals_and_one_by_one(camket: Served) -> None:
    phone = await camket.phone()
    visits = [phone.visit(ulid) for ulid in OTHERS[:4]]
    first, again = (phone.seal_several(*map(phone.entry, visits)) for _ in range(2))
    once = await told(phone, first)
    assert await is_(phone, first, again, *map(phone.seal, visits)) == ["received"] * 12
    twice = await told(phone, again)
    assert [one["sha256"] for one in twice] == [one["sha256"] for one in once]
    assert [one["proof"] for one in twice] == [one["proof"] for one in once]
    seen = [row for part in await phone.exchange() for row in part.get("rows", ())]
    assert sorted(len(row["doc"]["acts"]) for row in seen if row["id"].startswith("pledge:")) == [1] * 4


async def test_two_saves_of_one_document_lie_under_one_seal(camket: Served) -> None:
    phone = await camket.phone()
    first = phone.visit()
    altered = dict(first["acts"][0], result="nobody_home")
    revised = {
        "_rev": "2-" + "a" * 32,
        "_revisions": {"start": 2, "ids": ["a" * 32, first["_rev"].partition("-")[2]]},
    }
    good = (
        first
        | revised
        | {"acts": sorted([*first["acts"], *phone.visit()["acts"]], key=lambda act: act["id"])}
    )
    bad = first | revised | {"acts": [altered]}
    other = await camket.phone(camket.person("Lý Thị Mai"))
    mine = other.visit(OTHERS[0])
    assert await is_(phone, phone.seal_several(phone.entry(first), phone.entry(bad))) == [
        "received",
        "forbidden",
    ]
    assert await is_(phone, phone.seal_several(phone.entry(first), phone.entry(good))) == ["received"] * 2
    assert await is_(phone, other.seal_several(other.entry(mine), other.entry(mine))) == ["received"] * 2


async def test_a_revoked_phones_documents_are_held_one_by_one(camket: Served) -> None:
    phone = await camket.phone()
    with camket.parts.rows.begin() as rows:
        devices.revoke(rows, phone.device, by="console", now=camket.parts.clock())
    visits = [phone.visit(ulid) for ulid in OTHERS[:3]]
    record = phone.seal_several(*map(phone.entry, visits))
    assert await is_(phone, record) == ["quarantined"] * 3
    assert await is_(phone, record) == ["quarantined"] * 3
    assert {(one.why, one.doc_id, one.device) for one in await held(camket)} == {
        ("revoked", visit["_id"], phone.device) for visit in visits
    }


async def test_documents_of_a_phone_that_a_restored_server_does_not_know_wait_one_by_one(
    camket: Served,
) -> None:
    camket.restored()
    phone = await camket.phone()
    visits = [phone.visit(ulid) for ulid in OTHERS[:3]]
    record = phone.seal_several(*map(phone.entry, visits), send="s.unknown1.c2VjcmV0c2VjcmV0")
    receipts = await told(phone, record)
    assert [receipt["is"] for receipt in receipts] == ["quarantined"] * 3
    assert [receipt["sha256"] for receipt in receipts] == [name(visit) for visit in visits]
    assert {one.doc_id for one in await held(camket)} == {visit["_id"] for visit in visits}


@pytest.mark.parametrize("send", ["s.of", "credential", "forged", "", 7])
async def test_nothing_enters_from_what_is_no_senders_credential(camket: Served, send: object) -> None:
    phone = await camket.phone()
    forged = {"credential": phone.joined["credential"], "forged": f"s.{phone.device}.secret"}
    who = forged.get(str(send), send)
    record = phone.seal_several(*(phone.entry(phone.visit(ulid)) for ulid in OTHERS), send=who)
    (receipt,) = await told(phone, record)
    assert (receipt["is"], receipt["sha256"]) == ("forbidden", sha256(record).hexdigest())
    assert "proof" not in receipt


async def test_only_what_was_saved_by_a_wrong_clock_is_held(camket: Served) -> None:
    phone = await camket.phone()
    entries = []
    for ulid, off in zip(OTHERS, (0, 2 * 3600, 0, -400 * 86400), strict=False):
        phone.skew = timedelta(seconds=off)
        entries.append(phone.entry(phone.visit(ulid)))
    phone.skew = timedelta()
    assert await is_(phone, phone.seal_several(*entries)) == [
        *("received", "quarantined"),
        *("received", "quarantined"),
    ]
    assert [one.why for one in await held(camket)] == ["clock", "clock"]


async def test_too_many_or_too_large_or_other_than_the_head_says_is_refused_whole(camket: Served) -> None:
    phone = await camket.phone()
    one = phone.entry(phone.visit())
    plain = gzip.compress(json.dumps({"send": phone.joined["send"], "docs": []}).encode())
    records = {
        "too_large": [
            phone.seal_several(*[one] * 101),
            phone.seal_several(*(phone.entry(phone.visit(filler="x" * 400_000)) for _ in range(3))),
            phone.seal_bytes(gzip.compress(b"0" * 200_000_000, 9), info=b"camket sealed 2", head=b"\2\1"),
        ],
        "forbidden": [
            phone.seal_several(*[one] * 100, send="s.no.one"),  # not too many
            phone.seal_several(*[one] * 300),  # 44, says the head, and 300 no byte can say
            phone.seal_several(one, one, says=1),
            phone.seal_several(one, says=2),
            phone.seal_several(says=0),
            phone.seal_several(one, docs={"0": one}),
            phone.seal_bytes(plain, info=b"camket sealed 2", head=b"\2"),
            phone.seal_bytes(plain, info=b"camket sealed 1", head=b"\2\0"),
            b"\2\1" + phone.seal(phone.visit())[1:],  # another version's seal
            b"\1" + phone.seal_several(one)[2:],
            b"\3" + phone.seal_several(one)[1:],
            b"\2",
        ],
    }
    changed = bytearray(phone.seal_several(one, one))
    changed[1] = 1  # whoever carried it changed how many the head says
    records["forbidden"].append(bytes(changed))
    for outcome, those in records.items():
        receipts = await told(phone, *those)
        assert [(receipt["is"], receipt["line"]) for receipt in receipts] == [
            (outcome, n) for n in range(1, len(those) + 1)
        ]
