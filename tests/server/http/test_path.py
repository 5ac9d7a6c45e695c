"""The way of a phone through the real server: invited, joined, synced, sealed, revoked."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.auth import devices
from tests.server.http.served import DB, HOUSEHOLD, Hands, Served

DAY = timedelta(days=1)


def outcomes(parts: list[dict[str, Any]]) -> list[Any]:
    return [outcome for part in parts for outcome in part.get("outcomes", ())]


def rows(parts: list[dict[str, Any]], db: str = DB) -> dict[str, Any]:
    return {row["id"]: row for part in parts if part.get("db") == db for row in part.get("rows", ())}


async def test_a_server_with_a_dead_battery_tells_who_joins_no_time(camket: Served, clock: Hands) -> None:
    clock.by -= 5 * 365 * DAY
    assert "clock" not in (await camket.phone()).joined


async def test_a_phone_from_its_invitation_to_its_end(camket: Served) -> None:
    phone = await camket.phone()
    assert phone.joined["user"] == {
        "id": camket.volunteer.id,
        "name": camket.volunteer.name,
        "role": "volunteer",
    }
    assert phone.joined["dbs"] == ["commune", DB]
    assert abs(phone.joined["clock"] - phone.now()) < 60_000
    assert phone.joined["demo"] is False

    first = await phone.exchange()
    assert first[-1] == {"done": True}
    assert f"household:{HOUSEHOLD}" in rows(first)

    visit = phone.visit()
    pushed = await phone.exchange(visit)
    assert outcomes(pushed) == [[visit["_id"], visit["_rev"], "received"]]

    more = phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABD")
    (receipt,) = await phone.hand_in(phone.seal(more))
    assert receipt["is"] == "received"
    assert more["_id"] in rows(await phone.exchange())

    with camket.parts.rows.begin() as connection:
        devices.revoke(connection, phone.device, by="console", now=camket.parts.clock())
    refused = await phone.ask_exchange()
    assert refused.status_code == 401
    assert refused.json()["error"] == "unauthorized"
    last = phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABE")
    (receipt,) = await phone.hand_in(phone.seal(last))
    assert receipt["is"] == "quarantined"
    assert receipt["reason"]


async def test_the_first_exchange_spends_the_invitation(camket: Served) -> None:
    asked = {"code": camket.invite(), "device_name": "Oppo"}
    first, second = [(await camket.http.post("/join", json=asked)).json() for _ in range(2)]
    assert first["device"] != second["device"]
    phone = await camket.phone()
    phone.joined = first
    assert (await phone.ask_exchange()).status_code == 401
    phone.joined = second
    await phone.exchange()
    gone = await camket.http.post("/join", json=asked)
    assert (gone.status_code, gone.json()["error"]) == (410, "gone")


async def test_a_send_only_credential_reads_nothing(camket: Served) -> None:
    phone = await camket.phone()
    phone.joined["credential"] = phone.joined["send"]
    answer = await phone.ask_exchange()
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


async def test_a_wrong_clock_is_answered_with_the_offset_and_stores_nothing(camket: Served) -> None:
    phone, other = await camket.phone(), await camket.phone()
    phone.skew += (Hands().by.resolution) * 10**6 * 3600 * 5
    visit = phone.visit()
    (told,) = await phone.exchange(visit)
    assert -5.1 < told["skew"] / 3_600_000 < -4.9
    assert visit["_id"] not in rows(await other.exchange())


async def test_without_the_exchange_plain_replication_goes_the_same_way(camket: Served) -> None:
    phone, http = await camket.phone(), camket.http
    headers = phone.bearer("credential")
    assert (await http.get("/db/", headers=headers)).json()["couchdb"] == "Welcome"
    visit, foreign = phone.visit(), phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABD", by="another1")
    pushed = {"docs": [visit, foreign], "new_edits": False}
    (refused,) = (await http.post(f"/db/{DB}/_bulk_docs", json=pushed, headers=headers)).json()
    assert (refused["id"], refused["error"]) == (foreign["_id"], "forbidden")
    changes = (await http.get(f"/db/{DB}/_changes?include_docs=true", headers=headers)).json()
    assert {row["id"] for row in changes["results"]} == {f"household:{HOUSEHOLD}", visit["_id"]}
    assert visit["_id"] in rows(await phone.exchange())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/db/_all_dbs", 404),
        ("PUT", "/db/hamlet-new", 405),
        ("DELETE", f"/db/{DB}", 405),
        ("POST", f"/db/{DB}/_purge", 400),
        ("POST", f"/db/{DB}/_find", 400),
        ("POST", f"/db/{DB}/_compact", 400),
        ("GET", f"/db/{DB}/_security", 400),
        ("PUT", f"/db/{DB}/_design/x", 403),
        ("GET", "/db/hamlet-other", 403),
        ("GET", "/db/hamlet-other/_changes", 403),
    ],
)
async def test_what_no_phone_may_do(camket: Served, method: str, path: str, status: int) -> None:
    phone = await camket.phone()
    content = None if method in {"GET", "DELETE"} else b"{}"
    headers = phone.bearer("credential") | {"Content-Type": "application/json"}
    answer = await camket.http.request(method, path, headers=headers, content=content)
    assert answer.status_code == status
    stranger = await camket.http.request(method, path)
    assert stranger.status_code in {401, status}
    assert "basic" not in stranger.headers.get("www-authenticate", "").lower()


async def test_reasons_come_in_the_readers_language(camket: Served) -> None:
    asked = {"code": "ZZZZZ-ZZZZZ", "device_name": "x"}
    vi = await camket.http.post("/join", json=asked)
    en = await camket.http.post("/join", json=asked, headers={"Accept-Language": "en"})
    assert vi.json()["error"] == en.json()["error"] == "not_found"
    assert vi.json()["reason"].startswith("Mã mời không đúng")
    assert en.json()["reason"].startswith("This code is not right")


async def test_fifty_phones_join_and_sync_at_once(camket: Served) -> None:
    async def whole_day(number: int) -> str:
        phone = await camket.phone()
        visit = phone.visit(f"01J8ZQ4T6N3VXK2M5R7W9Y0{number:03d}")
        return str(outcomes(await phone.exchange(visit))[0][2])

    assert await asyncio.gather(*(whole_day(number) for number in range(50))) == ["received"] * 50
