"""After a restore: until when phones that nobody here knows are taken for such as were known before."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from server import restores
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import table
from tests.server.documents import OTHER
from tests.server.http.served import Phone, Served

PERSON = {"name": "Lý Văn Thật", "order": 3, "status": {"is": "resident", "since": "2026-01-01"}}


def strange(phone: Phone) -> bytes:
    """A record of a phone that is not known here."""
    return phone.seal(phone.visit(), send=phone.joined["send"].replace(phone.device, "9zzzzzzzzz"))


@pytest.mark.parametrize("way", ["have", "waiting"])
async def test_an_author_is_asked_for_what_staff_let_in_as_hers_by_anothers_word(
    camket: Served, way: str
) -> None:
    """It has her revision's name, so that nothing would tell her phone that it says something else."""
    hers, other = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    true = {**hers.visit(), "_id": f"household:{OTHER}", "type": "household"} | PERSON
    del true["acts"]
    camket.restored()
    named = {way: [[true["_id"], true["_rev"]]]}
    assert await missing(other, named) == named[way]
    await other.ask({"docs": [{**true, "name": "Giả"}]})
    parts = camket.parts
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    (done,) = await warden.release("office01", [1])
    assert isinstance(done, Ready)
    assert await missing(hers, named) == named[way]
    assert await missing(other, named) == [], "it is not his"
    answer = await hers.ask({"docs": [true]})
    assert [part["outcomes"][0][2] for part in answer if "outcomes" in part] == ["received"]
    rows = {row["id"]: row["doc"] for part in await other.ask({}) for row in part.get("rows", ())}
    assert rows[true["_id"]]["name"] == PERSON["name"]


async def missing(phone: Phone, part: dict[str, Any]) -> list[Any]:
    return [one for answer in await phone.ask(part) for one in answer.get("missing", ())]


async def came(courier: Phone) -> list[str]:
    return [receipt["is"] for receipt in await courier.hand_in(strange(courier))]


async def test_once_all_phones_are_back_strangers_are_strangers_until_the_next_restore(
    camket: Served,
) -> None:
    courier = await camket.phone()
    now, meta = camket.parts.clock(), table(tables.Meta)
    with camket.parts.rows.begin() as rows:
        assert not restores.end(rows, "admin1", now), "nothing was restored"
    camket.restored()
    assert await came(courier) == ["quarantined"]
    with camket.parts.rows.begin() as rows:
        assert restores.lately(rows, now + timedelta(days=1))
        assert restores.end(rows, "admin1", now)
        assert not restores.lately(rows, now + timedelta(days=1)), "nor does one join as who it was"
        assert not restores.end(rows, "admin1", now), "it is over"
    assert await came(courier) == ["forbidden"]
    with camket.parts.rows.begin() as rows:
        rows.execute(update(meta).where(meta.c.key == "epoch").values(value="4fa9c1"))
    assert await came(courier) == ["quarantined"]
