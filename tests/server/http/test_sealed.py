"""Sealed records: who may bring them, whose they are, what is refused, and that they may come again.

All in one file: every story is of what comes into the one drop box.
"""

import gzip
import hmac
import json
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, select, update

from server import keys, quarantine
from server.auth import devices, users
from server.auth.users import Person
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import table
from server.sealing import b64url
from sync.rev import Rev
from sync.store.interface import Edit
from tests.server.documents import hamlet
from tests.server.http.served import DB, HOUSEHOLD, Hands, Phone, Served

OTHERS = [f"01J8ZQ4T6N3VXK2M5R7W9Y0AB{letter}" for letter in "DEFGHJKM"]


async def is_(phone: Phone, *records: bytes) -> list[str]:
    return [receipt["is"] for receipt in await phone.hand_in(*records)]


async def held(camket: Served) -> list[Any]:
    with camket.parts.rows.begin() as rows:
        return list(rows.execute(select(table(tables.Quarantine))))


async def shown(phone: Phone) -> set[str]:
    return {row["id"] for part in await phone.exchange() for row in part.get("rows", ())}


async def test_a_courier_carries_another_phones_records(camket: Served) -> None:
    author = await camket.phone(camket.person("Lý Thị Mai"))
    courier = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    visits = [author.visit(ulid) for ulid in OTHERS[:3]]
    assert await is_(courier, *map(author.seal, visits)) == ["received"] * 3
    assert {visit["_id"] for visit in visits} <= await shown(author)


async def test_a_receipt_proves_itself_to_whoever_sent_the_record_and_to_nobody_else(camket: Served) -> None:
    author = await camket.phone(camket.person("Lý Thị Mai"))
    courier = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    good, elsewhere = author.seal(author.visit()), author.seal(author.visit(), db="hamlet-other")
    strange = author.seal(author.visit(), send="nobody")
    receipts = await courier.hand_in(good, elsewhere, strange)
    for receipt in receipts[:2]:
        said = "\n".join(["camket receipt 1", receipt["sha256"], receipt["is"], receipt.get("reason", "")])
        keyed = hmac.digest(author.joined["send"].encode(), said.encode(), "sha256")
        assert receipt["proof"] == b64url(keyed[:16])
    assert [receipt["is"] for receipt in receipts] == ["received", "forbidden", "forbidden"]
    assert "proof" not in receipts[2]


async def test_a_bundle_may_come_twice_by_halves_and_out_of_order(camket: Served) -> None:
    phone = await camket.phone()
    records = [phone.seal(phone.visit(ulid)) for ulid in OTHERS[:4]]
    assert await is_(phone, *records[2:]) == ["received"] * 2
    assert await is_(phone, *reversed(records)) == ["received"] * 4
    assert await is_(phone, records[0], records[0]) == ["received"] * 2


async def test_two_saves_of_one_document_arrive_in_one_bundle(camket: Served) -> None:
    phone = await camket.phone()
    first = phone.visit()
    second = phone.visit(
        _rev="2-" + "a" * 32, _revisions={"start": 2, "ids": ["a" * 32, first["_rev"].partition("-")[2]]}
    )
    second["acts"] = sorted([*first["acts"], *second["acts"]], key=lambda act: str(act["id"]))
    assert await is_(phone, phone.seal(first), phone.seal(second)) == ["received"] * 2
    (row,) = [
        row for part in await phone.exchange() for row in part.get("rows", ()) if row["id"] == first["_id"]
    ]
    assert row["rev"] == second["_rev"]
    assert len(row["doc"]["acts"]) == 2


async def test_a_later_save_is_judged_by_what_the_earlier_one_said(camket: Served) -> None:
    phone = await camket.phone()
    first = phone.visit()
    altered = dict(first["acts"][0], result="nobody_home")
    second = first | {
        "_rev": "2-" + "a" * 32,
        "_revisions": {"start": 2, "ids": ["a" * 32, first["_rev"].partition("-")[2]]},
        "acts": [altered],
    }
    assert await is_(phone, phone.seal(first), phone.seal(second)) == ["received", "forbidden"]


async def test_a_bad_line_is_forbidden_and_the_others_go_on(camket: Served) -> None:
    phone = await camket.phone()
    good = [phone.seal(phone.visit(ulid)) for ulid in OTHERS[:2]]
    tampered = bytearray(phone.seal(phone.visit(OTHERS[2])))
    tampered[-20] ^= 1
    receipts = await phone.hand_in(good[0], bytes(tampered), b"\x01 too short", good[1])
    assert [receipt["is"] for receipt in receipts] == ["received", "forbidden", "forbidden", "received"]
    assert [receipt["line"] for receipt in receipts] == [1, 2, 3, 4]
    assert receipts[1]["reason"].startswith("Không mở được phiếu này")


def unreadable(phone: Phone) -> dict[str, bytes]:
    """Records that open, and hold no document."""
    doc, plain = phone.visit(), json.dumps
    return {
        "no gzip": phone.seal_bytes(b"no gzip"),
        "cut gzip": phone.seal_bytes(gzip.compress(b"{}")[:-4]),
        "no JSON": phone.seal_bytes(gzip.compress(b"{")),
        "no object": phone.seal_bytes(gzip.compress(b"[]")),
        "no sender": phone.seal_bytes(gzip.compress(plain({"clock": 1, "db": DB, "doc": doc}).encode())),
        "clock is text": phone.seal(doc, clock="now"),
        "clock is more than rows can hold": phone.seal(doc, clock=2**64 - 1),
        "clock is before all clocks": phone.seal(doc, clock=-(2**63)),
        "document is text": phone.seal_bytes(
            gzip.compress(plain({"send": phone.joined["send"], "clock": 1, "db": DB, "doc": "x"}).encode())
        ),
        "document without id": phone.seal({name: value for name, value in doc.items() if name != "_id"}),
        "document without history": phone.seal(doc | {"_revisions": None}),
        "floats": phone.seal(doc | {"order": 1.5}),
    }


async def test_what_opens_and_holds_no_document_is_forbidden(camket: Served) -> None:
    phone = await camket.phone()
    named = unreadable(phone)
    found = dict(zip(named, await is_(phone, *named.values()), strict=True))
    assert found == dict.fromkeys(named, "forbidden")


async def test_a_record_that_unpacks_to_more_than_a_document_may_have_is_too_large(camket: Served) -> None:
    phone = await camket.phone()
    bomb = phone.seal_bytes(gzip.compress(b"0" * 200_000_000, 9))
    large = phone.seal(phone.visit(filler="x" * 1_100_000))
    assert await is_(phone, bomb, large) == ["too_large", "too_large"]


async def test_sealed_for_another_purpose_or_key_does_not_open(camket: Served) -> None:
    phone = await camket.phone()
    plain = gzip.compress(b"{}")
    records = [
        phone.seal_bytes(plain, key_name="recovery_key"),
        phone.seal_bytes(plain, info=b"camket recovery 1"),
    ]
    assert await is_(phone, *records) == ["forbidden"] * 2


async def test_the_sender_is_whose_credential_lies_inside(camket: Served) -> None:
    mine, yours = await camket.phone(), await camket.phone(camket.person("Lý Thị Mai"))
    forged = mine.seal(yours.visit(OTHERS[0]))  # says it is yours, is sealed by me
    borrowed = mine.seal(mine.visit(OTHERS[1]), send=yours.joined["send"])
    assert await is_(mine, forged, borrowed) == ["forbidden"] * 2


@pytest.mark.parametrize("send", ["", "credential", "forged", "s.", "s.unknown.", 7, None])
async def test_a_record_without_a_sender_is_forbidden(camket: Served, send: object) -> None:
    phone = await camket.phone()
    told = {"credential": phone.joined["credential"], "forged": f"s.{phone.device}.secret"}.get(
        str(send), send
    )
    assert await is_(phone, phone.seal(phone.visit(), send=told)) == ["forbidden"]


async def rejoined(camket: Served, person: Person, send: str) -> Phone:
    before = [{"send": send, "user": person.id, "name": person.name}]
    asked = {"code": camket.invite(person), "device_name": "A", "before": before}
    return Phone(camket, (await camket.http.post("/join", json=asked)).json())


async def test_a_phone_by_its_own_word_lets_nothing_in_until_an_admin_has_it_in_hand(camket: Served) -> None:
    """Then what it handed in meanwhile is asked for, and enters. Whose id it may have taken is heard too."""
    camket.restored()
    mai = camket.person("Lý Thị Mai")
    phone = await rejoined(camket, mai, "s.0dph0ne001.junk")
    visit, theirs = phone.visit(), phone.visit(OTHERS[0])
    assert await is_(phone, phone.seal(visit)) == ["quarantined"]
    other = await rejoined(camket, mai, "s.0dph0ne001.true")
    assert other.device != "0dph0ne001"
    assert await is_(other, phone.seal(theirs, send="s.0dph0ne001.true")) == ["quarantined"]
    assert (await phone.ask_exchange()).status_code == 403
    with camket.parts.rows.begin() as rows:
        devices.confirm(rows, phone.device, by="admin1", now=camket.parts.clock())
    asked = {"clock": phone.now(), "dbs": {DB: {"waiting": [[visit["_id"], visit["_rev"]]]}}}
    answer = await camket.http.post("/db/_exchange", json=asked, headers=phone.bearer("credential"))
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["missing"] for line in lines if "missing" in line] == [[[visit["_id"], visit["_rev"]]]]
    (told,) = [line for line in await phone.exchange(visit) if "outcomes" in line]
    assert told["outcomes"][0][2] == "received"


async def test_an_invitation_is_not_spent_by_what_a_phone_had_sealed_before_it_was_opened_again(
    camket: Served,
) -> None:
    """Its person has an account on it, and closes the app before the PIN: the same invitation is good."""
    phone = await camket.phone()
    await phone.exchange()
    with camket.parts.rows.begin() as rows:
        rows.execute(update(table(tables.Device)).values(created_at="2026-01-01T00:00:00Z"))
    before = [{"send": phone.joined["send"], "user": phone.user, "name": camket.volunteer.name}]
    asked = {"code": camket.invite(), "device_name": "A", "before": before}
    for _ in range(2):
        again = Phone(camket, (await camket.http.post("/join", json=asked)).json())
        assert again.device == phone.device
        (told,) = await is_(phone, phone.seal(phone.visit()))
        assert told in {"received", "absorbed"}, "it is locked, and hands in"
    await again.exchange()
    assert (await camket.http.post("/join", json=asked)).status_code == 410


async def test_what_was_recorded_on_a_phone_that_a_restored_server_never_knew_waits_for_a_person(
    camket: Served,
) -> None:
    courier = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    lost = await camket.phone(camket.person("Lý Thị Mai"))
    visit = lost.visit()
    record = lost.seal(visit)
    with camket.parts.rows.begin() as rows:  # a backup from before both the phone and the person
        rows.execute(update(table(tables.Invitation)).values(device=None))
        for of in (tables.Device, tables.Invitation, tables.UserHamlet):
            rows.execute(delete(table(of)).where(table(of).c.user == lost.user))
        rows.execute(delete(table(tables.User)).where(table(tables.User).c.id == lost.user))
    assert await is_(courier, record) == ["forbidden"], "nothing was lost here"
    camket.restored()
    receipts = [*await courier.hand_in(record), *await courier.hand_in(record)]
    assert [receipt["is"] for receipt in receipts] == ["quarantined"] * 2
    assert receipts[0]["proof"]
    (one,) = await held(camket)
    assert (one.why, one.user, one.device) == ("stranger", lost.user, lost.device)
    warden = Warden(camket.parts.store, camket.parts.rows, camket.parts.intake, camket.parts.clock)
    (planned,) = await warden.release("admin1", [one.number])
    assert isinstance(planned, Ready)
    assert visit["_id"] in await shown(await camket.phone())


@pytest.mark.parametrize("db", ["hamlet-other", "commune", "hamlet-nasam/../x", "_users", ""])
async def test_a_record_for_a_database_that_is_not_the_senders_is_forbidden(camket: Served, db: str) -> None:
    phone = await camket.phone()
    (receipt,) = await phone.hand_in(phone.seal(phone.visit(), db=db))
    assert receipt["is"] == "forbidden"
    assert receipt["reason"]


async def test_what_is_of_a_hamlet_that_a_restored_server_forgot_waits_whatever_its_clock_said(
    camket: Served, clock: Hands
) -> None:
    phone = await camket.phone(camket.person("Lý Thị Mai", hamlets=["other"]))
    assert await is_(phone, phone.seal(phone.visit())) == ["forbidden"], "it was never theirs"
    clock.by -= timedelta(days=2190)
    camket.restored()
    clock.by += timedelta(days=2190)
    assert await is_(phone, phone.seal(phone.visit(OTHERS[0]))) == ["quarantined"]
    later = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    assert await is_(later, later.seal(later.visit(OTHERS[1]))) == ["forbidden"], "it joined since"
    assert [one.why for one in await held(camket)] == ["unassigned"]


async def test_what_is_of_a_hamlet_that_was_founded_after_the_backup_comes_in_once_that_is_back(
    camket: Served,
) -> None:
    """Its document comes back from a phone; until it is let in, each way leaves all on the phone."""
    phone = await camket.phone()
    camket.restored()
    db = "hamlet-moi1"
    record = phone.seal(phone.visit(OTHERS[0]), db=db)
    answer = await phone.ask_sealed(phone.bundle(record))
    assert (answer.status_code, answer.json()["receipts"]) == (200, [])
    assert answer.json()["later"].startswith("Máy chủ đã được khôi phục")
    header = phone.bearer("credential")
    assert (await camket.http.get(f"/db/{db}/_changes", headers=header)).status_code == 404
    back = orjson.dumps({name: value for name, value in hamlet("moi1").items() if name != "_id"})
    rev = Rev(1, "a" * 32)
    await camket.parts.intake.enter("commune", [Edit("hamlet:moi1", (rev,), back)], "commune")
    await camket.parts.follower.catch_up()
    assert {db, "media-moi1"} <= {*await camket.parts.store.names()}
    assert await is_(phone, record) == ["quarantined"]
    assert [(one.db, one.why) for one in await held(camket)] == [(db, "unassigned")]


async def test_a_revoked_phone_hands_in_for_a_person_to_look_at(camket: Served) -> None:
    phone = await camket.phone()
    with camket.parts.rows.begin() as rows:
        devices.revoke(rows, phone.device, by="console", now=camket.parts.clock())
    record = phone.seal(phone.visit())
    assert await is_(phone, record) == ["quarantined"]
    assert await is_(phone, record) == ["quarantined"]
    (one,) = await held(camket)
    assert (one.why, one.user, one.device) == ("revoked", phone.user, phone.device)


async def test_a_revoked_phone_waits_for_no_hamlet_that_a_restore_has_lost(camket: Served) -> None:
    """What it hands in waits for a person in any case, who may take it into another hamlet."""
    phone = await camket.phone()
    camket.restored()
    with camket.parts.rows.begin() as rows:
        devices.revoke(rows, phone.device, by="console", now=camket.parts.clock())
    assert await is_(phone, phone.seal(phone.visit(OTHERS[0]), db="hamlet-moi1")) == ["quarantined"]
    assert [(one.db, one.why) for one in await held(camket)] == [("hamlet-moi1", "revoked")]


async def test_a_revoked_person_is_still_heard_here_and_told_so(camket: Served) -> None:
    phone = await camket.phone()
    assert (await phone.ask_sealed(phone.bundle())).json() == {"receipts": []}
    with camket.parts.rows.begin() as rows:
        users.revoke(rows, phone.user, by="console", now=camket.parts.clock())
    assert (await phone.ask_sealed(phone.bundle())).json() == {"receipts": [], "revoked": True}
    assert await is_(phone, phone.seal(phone.visit())) == ["quarantined"]


@pytest.mark.parametrize(
    ("off", "outcome"),
    [
        (timedelta(minutes=4), "received"),
        (timedelta(hours=2), "quarantined"),
        (timedelta(days=-400), "quarantined"),
    ],
)
async def test_a_record_whose_clock_cannot_have_been_right_is_held(
    camket: Served, off: timedelta, outcome: str
) -> None:
    phone = await camket.phone()
    phone.skew = off
    assert await is_(phone, phone.seal(phone.visit())) == [outcome]
    found = await held(camket)
    assert [one.why for one in found] == (["clock"] if outcome == "quarantined" else [])


async def test_a_record_may_be_on_its_way_for_months(camket: Served, clock: Hands) -> None:
    phone = await camket.phone()
    record = phone.seal(phone.visit())
    clock.by += timedelta(days=200)
    assert await is_(phone, record) == ["received"]


async def test_a_key_that_was_replaced_still_opens(camket: Served) -> None:
    phone = await camket.phone()
    record = phone.seal(phone.visit())
    with camket.parts.rows.begin() as rows:
        keys.rotate(rows, camket.parts.vault, "seal", camket.parts.clock())
    assert await is_(phone, record) == ["received"]
    assert (await camket.phone()).joined["seal_key"] != phone.joined["seal_key"]


async def test_handing_in_spends_the_invitation_too(camket: Served) -> None:
    asked = {"code": camket.invite(), "device_name": "Oppo"}
    phone = await camket.phone()
    phone.joined = (await camket.http.post("/join", json=asked)).json()
    assert await is_(phone, phone.seal(phone.visit())) == ["received"]
    assert (await camket.http.post("/join", json=asked)).status_code == 410


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "bad_request"),
        (b"hello", 400, "bad_request"),
        (b"camket-bundle 2 abc\n", 400, "bad_request"),
        (b"camket-bundle 1 unknownkey\nAAAA\n", 400, "bad_request"),
        ("camket-bundle 1 đ\n".encode(), 400, "bad_request"),
        (b"\xff\xfe\x00", 400, "bad_request"),
        (b"camket-bundle 1 abc\n" + b"A\n" * 10_001, 413, "too_large"),
    ],
)
async def test_what_is_no_bundle_of_this_server_is_refused_whole(
    camket: Served, body: bytes, status: int, error: str
) -> None:
    phone = await camket.phone()
    answer = await phone.ask_sealed(body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_windows_line_ends_and_gzip_are_taken(camket: Served) -> None:
    phone = await camket.phone()
    body = phone.bundle(phone.seal(phone.visit())).replace(b"\n", b"\r\n")
    answer = await phone.ask_sealed(gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert [receipt["is"] for receipt in answer.json()["receipts"]] == ["received"]


async def test_strangers_may_not_hand_in(camket: Served) -> None:
    phone = await camket.phone()
    for credential in (None, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer s.unknown.secret"):
        headers = {"Authorization": credential} if credential else {}
        answer = await camket.http.post("/sealed", content=phone.bundle(), headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_a_full_credential_carries_too(camket: Served) -> None:
    phone = await camket.phone()
    answer = await camket.http.post(
        "/sealed", content=phone.bundle(phone.seal(phone.visit())), headers=phone.bearer("credential")
    )
    assert [receipt["is"] for receipt in answer.json()["receipts"]] == ["received"]


async def test_the_same_bundle_at_once_from_two_couriers(camket: Served) -> None:
    import asyncio

    phone, other = await camket.phone(), await camket.phone()
    records = [phone.seal(phone.visit(ulid)) for ulid in [HOUSEHOLD, *OTHERS]]
    found = await asyncio.gather(*(is_(courier, *records) for courier in (phone, other, phone)))
    assert found == [["received"] * len(records)] * 3


async def test_beyond_its_bound_a_phone_is_told_to_keep_its_records_and_gets_no_receipt(
    camket: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MOST", 2)
    phone = await camket.phone()
    newer = [phone.visit(ulid, v=99) for ulid in OTHERS[:4]]
    *parts, done = await phone.exchange(*newer[:3])
    told = [outcome for part in parts for outcome in part.get("outcomes", ())]
    assert [outcome[:3] for outcome in told] == [
        [doc["_id"], doc["_rev"], "quarantined"] for doc in newer[:2]
    ]
    assert done["done"] is True
    assert done["later"].startswith("Xã còn 2 phiếu của máy này chờ xem")
    fine, sealed = phone.visit(), phone.seal(newer[3])
    answer = (await phone.ask_sealed(phone.bundle(phone.seal(fine), sealed, phone.seal(newer[0])))).json()
    assert [(one["line"], one["is"]) for one in answer["receipts"]] == [(1, "received"), (3, "quarantined")]
    assert answer["later"] == done["later"]
    courier = await camket.phone(camket.person("Triệu Văn Quân", hamlets=["other"]))
    assert (await courier.ask_sealed(courier.bundle(sealed))).json()["receipts"] == [], "by whatever hand"
    assert len(await held(camket)) == 2
