"""After a restore: until when phones that nobody here knows are taken for such as were known before."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from server import restores
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import readers, table
from sync import exchange
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
    named = {way: [[true["_id"], true["_rev"], says(true)]]}
    asked = [[true["_id"], true["_rev"]]]
    assert await missing(other, named) == asked
    await other.ask({"docs": [{**true, "name": "Giả"}]})
    parts = camket.parts
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    (done,) = await warden.release("office01", [1])
    assert isinstance(done, Ready)
    forged = {way: [[*asked[0], says({**true, "name": "Giả"})]]}
    assert await missing(other, forged) == [], "it is here as he said it"
    assert await missing(hers, named) == asked
    answer = await hers.ask({"docs": [true]})
    assert outcome(answer) == ["received"]
    rows = {row["id"]: row["doc"] for part in await other.ask({}) for row in part.get("rows", ())}
    assert rows[true["_id"]]["name"] == PERSON["name"]
    assert await missing(other, named) == [], "her words are here, upon the others"


@pytest.mark.parametrize("way", ["have", "waiting"])
async def test_a_name_that_a_colleague_gave_other_words_after_a_restore_hides_no_work(
    camket: Served, way: str
) -> None:
    """He knows the name from before, when he pulled her visit; hers was lost, and his came first."""
    hers, other = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    third = await camket.phone(camket.person("Vi Thị Nọi"))
    visit = hers.visit()
    camket.restored()
    named = {way: [[visit["_id"], visit["_rev"], says(visit)]]}
    taken = {**other.visit(), "_rev": visit["_rev"], "_revisions": visit["_revisions"]}
    assert outcome(await other.ask({"docs": [taken]})) == ["received"]
    for phone in (third, hers):
        assert await missing(phone, named) == [[visit["_id"], visit["_rev"]]]
    assert outcome(await third.ask({"docs": [visit]})) == ["quarantined"]
    assert await missing(third, named) == [], "that waits"
    (became,) = outcome(await hers.ask({"docs": [visit]}))
    assert became in {"received", "absorbed"}, "by which of the two digests is the greater"
    assert await missing(hers, named) == []
    rows = {row["id"]: row["doc"] for part in await other.ask({}) for row in part.get("rows", ())}
    acts = {act["id"]: act["by"] for act in rows[visit["_id"]]["acts"]}
    assert acts == {act["id"]: act["by"] for act in (*visit["acts"], *taken["acts"])}
    with readers(camket.parts.rows).begin() as rows_:
        assert rows_.execute(select(table(tables.Quarantine).c.state)).scalars().all() == ["released"]


def says(doc: dict[str, Any]) -> str:
    """As a phone digests what a document says."""
    return exchange.digest(orjson.dumps({name: it for name, it in doc.items() if name[0] != "_"}))


def outcome(answer: list[dict[str, Any]]) -> list[str]:
    return [one[2] for part in answer for one in part.get("outcomes", ())]


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
