"""After a restore: names of lost revisions by which somebody else has said something else meanwhile.

Whoever pulled a colleague's work knows how it was named. By that name alone nothing may be taken for here, or
for waiting, or for moved: its author is asked, and hers is kept beside what came first.
"""

from collections import Counter
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from sqlalchemy import select

from server import hamlets, quarantine
from server.archive import Entry, Taken, keep
from server.aside import renamed
from server.auth import users
from server.mover import Mover
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Change
from sync import alike, canonical, exchange
from sync.rev import Rev, derive
from sync.store.interface import Edit, StoreFull
from tests.server.documents import OTHER
from tests.server.http.served import DB, HAMLET, Phone, Served
from tests.server.http.test_moves import ADMIN, NEW

PERSON = {"name": "Lý Văn Thật", "order": 3, "status": {"is": "resident", "since": "2026-01-01"}}

WAYS = ["have", "waiting"]


def says(doc: dict[str, Any]) -> str:
    """As a phone digests what a document says."""
    return exchange.digest(orjson.dumps({name: it for name, it in doc.items() if name[0] != "_"}))


def named(doc: dict[str, Any]) -> list[str]:
    return [doc["_id"], doc["_rev"]]


def outcome(answer: list[dict[str, Any]]) -> list[str]:
    return [one[2] for part in answer for one in part.get("outcomes", ())]


def acts(answer: list[dict[str, Any]], doc_id: str) -> list[dict[str, Any]]:
    rows = {row["id"]: row["doc"] for part in answer for row in part.get("rows", ())}
    return list(rows[doc_id]["acts"])


async def missing(phone: Phone, part: dict[str, Any]) -> list[Any]:
    return [one for answer in await phone.ask(part) for one in answer.get("missing", ())]


async def both(camket: Served) -> tuple[Phone, Phone, dict[str, Any], dict[str, Any]]:
    """Hers and another phone, her lost visit, and his own by its name."""
    hers, other = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    visit = hers.visit()
    camket.restored()
    return hers, other, visit, {**other.visit(), "_rev": visit["_rev"], "_revisions": visit["_revisions"]}


@pytest.mark.parametrize("way", WAYS)
async def test_an_author_is_asked_for_what_staff_let_in_as_hers_by_anothers_word(
    camket: Served, way: str
) -> None:
    """It has her revision's name, so that nothing would tell her phone that it says something else."""
    hers, other = await camket.phone(), await camket.phone(camket.person("Hứa Văn Dỏng"))
    true = {**hers.visit(), "_id": f"household:{OTHER}", "type": "household"} | PERSON
    del true["acts"]
    camket.restored()
    told = {way: [[*named(true), says(true)]]}
    asked = [named(true)]
    assert await missing(other, told) == asked
    await other.ask({"docs": [{**true, "name": "Ỷ Văn Giả"}]})
    parts = camket.parts
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    (done,) = await warden.release("office01", [1])
    assert isinstance(done, Ready)
    forged = {way: [[*asked[0], says({**true, "name": "Ỷ Văn Giả"})]]}
    assert await missing(other, forged) == [], "it is here as he said it"
    assert await missing(hers, told) == asked
    answer = await hers.ask({"docs": [true]})
    assert outcome(answer) == ["received"]
    rows = {row["id"]: row["doc"] for part in await other.ask({}) for row in part.get("rows", ())}
    assert rows[true["_id"]]["name"] == PERSON["name"]
    assert await missing(other, told) == [], "her words are here, upon the others"


@pytest.mark.parametrize("way", WAYS)
async def test_a_name_that_a_colleague_gave_other_words_hides_no_work(camket: Served, way: str) -> None:
    hers, other, visit, taken = await both(camket)
    third = await camket.phone(camket.person("Vi Thị Nọi"))
    told = {way: [[*named(visit), says(visit)]]}
    assert outcome(await other.ask({"docs": [taken]})) == ["received"]
    for phone in (third, hers):
        assert await missing(phone, told) == [named(visit)]
    assert outcome(await third.ask({"docs": [visit]})) == ["quarantined"]
    assert await missing(third, told) == [], "that waits"
    (became,) = outcome(await hers.ask({"docs": [visit]}))
    assert became in {"received", "absorbed"}, "by which of the two digests is the greater"
    assert await missing(hers, told) == []
    held = {act["id"]: act["by"] for act in acts(await other.ask({}), visit["_id"])}
    assert held == {act["id"]: act["by"] for act in (*visit["acts"], *taken["acts"])}
    with readers(camket.parts.rows).begin() as rows:
        assert rows.execute(select(table(tables.Quarantine).c.state)).scalars().all() == ["released"]


@pytest.mark.parametrize("decided", ["waits", "discarded"])
@pytest.mark.parametrize("why", ["newer", "clock"])
@pytest.mark.parametrize("way", WAYS)
async def test_what_waits_by_a_lost_name_or_was_sent_away_hides_no_work(
    camket: Served, way: str, why: str, decided: str
) -> None:
    hers, other, visit, taken = await both(camket)
    if why == "newer":
        assert outcome(await other.ask({"docs": [{**taken, "v": 9}]})) == ["quarantined"]
    else:
        other.skew = timedelta(hours=5)
        wrong = {**taken, "stamps": other.visit()["stamps"]}
        assert [one["is"] for one in await other.hand_in(other.seal(wrong))] == ["quarantined"]
    if decided == "discarded":
        parts = camket.parts
        await Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs).discard("office01", [1])
    told = {way: [[*named(visit), says(visit)]]}
    assert await missing(hers, told) == [named(visit)]
    assert outcome(await hers.ask({"docs": [visit]})) == ["received"]
    assert await missing(hers, told) == []
    assert acts(await hers.ask({}), visit["_id"]) == visit["acts"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_lost_name_that_was_taken_and_has_moved_hides_no_work(camket: Served, way: str) -> None:
    hers, other, visit, taken = await both(camket)
    assert outcome(await other.ask({"docs": [taken]})) == ["received"]
    fields = {"name": "Bản Khu", "kind": "thôn", "order": 2, "state": "active"}
    await camket.parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", fields)]})
    await hamlets.merge(camket.parts, ADMIN, HAMLET, "bankhu")
    told = {way: [[*named(visit), says(visit)]]}
    assert await missing(hers, told) == [named(visit)]
    (became,) = outcome(await hers.ask({"docs": [visit]}))
    assert became in {"received", "absorbed"}
    assert await missing(hers, told) == []
    held = acts(await hers.ask({}, db=NEW), visit["_id"])
    assert {act["id"] for act in held} == {act["id"] for act in (*visit["acts"], *taken["acts"])}


async def test_an_act_that_came_in_by_an_id_of_its_own_is_not_given_its_first_one_again(
    camket: Served,
) -> None:
    """He took her revision's name and her act's id; staff let hers in instead, and her phone sends again."""
    hers, other, visit, taken = await both(camket)
    stolen = {**taken, "acts": [{**visit["acts"][0], "by": other.user, "result": "nobody_home"}]}
    assert outcome(await other.ask({"docs": [stolen]})) == ["received"]
    assert outcome(await hers.ask({"docs": [visit]})) == ["quarantined"]
    parts = camket.parts
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    assert [type(one) for one in await warden.release("office01", [1], instead=True)] == [Ready]
    first = acts(await other.ask({}), visit["_id"])
    await hers.ask({"waiting": [[*named(visit), says(visit)]], "docs": [visit]})
    assert acts(await other.ask({"since": None}), visit["_id"]) == first


def raw(doc: dict[str, Any]) -> bytes:
    return canonical.encode({name: it for name, it in doc.items() if name[0] != "_"})


def at(doc: dict[str, Any], *revs: Rev) -> dict[str, Any]:
    """The document by another name, with these ancestors."""
    path = {"start": revs[0].generation, "ids": [rev.digest for rev in revs]}
    return {**doc, "_rev": str(revs[0]), "_revisions": path}


def bodies(camket: Served, of: type) -> list[bytes]:
    with readers(camket.parts.rows).begin() as rows:
        return [*rows.execute(select(table(of).c.body)).scalars()]


@pytest.mark.parametrize("where", ["beside", "upon", "waiting"])
async def test_the_name_that_the_server_would_give_hers_is_taken_and_hides_no_work(
    camket: Served, where: str
) -> None:
    """It follows from what she said, which he has pulled."""
    hers, other, visit, taken = await both(camket)
    rev = Rev.parse(visit["_rev"])
    apart, child = quarantine.apart_as(rev, raw(visit)), derive(rev, False, raw(visit))
    if where == "waiting":  # hers would wait too, as she says otherwise what he said by her act's id
        taken = {**taken, "acts": [{**visit["acts"][0], "by": other.user, "result": "nobody_home"}]}
        await other.ask({"docs": [taken]})
        await other.ask({"docs": [{**at(other.visit(), apart), "v": 9}]})
    elif where == "beside":
        await other.ask({"docs": [taken, at(other.visit(), apart)]})
    else:
        await other.ask({"docs": [at(taken, child, rev)]})
    told = {"have": [[*named(visit), says(visit)]]}
    assert await missing(hers, told) == [named(visit)]
    for _ in range(2):
        (became,) = outcome(await hers.ask({"docs": [visit]}))
        assert (became == "quarantined") is (where == "waiting")
    if where == "waiting":
        assert bodies(camket, tables.Quarantine).count(raw(visit)) == 1
        assert await missing(hers, told) == []
        return
    assert visit["acts"][0] in acts(await other.ask({}), visit["_id"])
    assert raw(visit) in bodies(camket, tables.Archive)


@pytest.mark.parametrize("taken_with", ["a name", "words"])
async def test_all_names_that_a_release_would_give_hers_are_taken_and_hide_no_work(
    camket: Served, taken_with: str
) -> None:
    """Hers waits, since the hamlet is hers no more; the server is cut off once while it lets it in."""
    hers, other, visit, taken = await both(camket)
    parts, rev = camket.parts, Rev.parse(visit["_rev"])
    apart = quarantine.apart_as(rev, raw(visit))
    again = quarantine.apart_as(apart, raw(visit))
    upon = [derive(again, False, raw(visit)), again]
    ends = upon if taken_with == "words" else [Rev(3, "a" * 32), *upon]
    await other.ask({"docs": [taken, at(other.visit(), apart), at(other.visit(), *ends)]})
    with parts.rows.begin() as rows:
        users.give_hamlets(rows, hers.user, ["other"], by="x", now=parts.clock())
    assert outcome(await hers.ask({"docs": [visit]})) == ["quarantined"]
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    with patch.object(parts.intake, "enter", side_effect=StoreFull), pytest.raises(StoreFull):
        await warden.release("office01", [1])
    assert [type(one) for one in await warden.release("office01", [1])] == [Ready]
    assert visit["acts"][0] in acts(await other.ask({}), visit["_id"])
    assert bodies(camket, tables.Archive).count(raw(visit)) == 1


@pytest.mark.parametrize("taken_by", ["words", "a name"])
@pytest.mark.parametrize("twice", [False, True])
async def test_an_inspections_name_that_is_taken_where_it_moves_hides_no_work(
    camket: Served, taken_by: str, twice: bool
) -> None:
    """He is in both hamlets; `twice`: also by the name that it would get then. The move is cut off once."""
    fields = {"name": "Bản Khu", "kind": "thôn", "order": 2, "state": "active"}
    parts, ulid = camket.parts, "01J8ZQ4T6N3VXK2M5R7W9Y0NSP"
    await parts.scribe.write(ADMIN, {"commune": [Change("hamlet:bankhu", fields)]})
    hers = await camket.phone()
    other = await camket.phone(camket.person("Hứa Văn Dỏng", hamlets=[HAMLET, "bankhu"]))

    def inspection(phone: Phone, photo: str, *revs: Rev) -> dict[str, Any]:
        answers = {"checklist": "ban-thu", "version": 1, "values": {"bell": True}}
        said = {"type": "inspection", "v": 1, "by": phone.user, "subject": f"model:{OTHER}"}
        stamps = {"*": f"{phone.now():013d}-0000-{phone.device}"}
        shown = {"photos": [{"id": photo * 64, "item": "picture"}], "date": "2026-03-01"}
        return at({"_id": f"inspection:{ulid}", **said, **shown, "stamps": stamps, "answers": answers}, *revs)

    up, rev = Rev(1, "1" * 32), Rev(2, "2" * 32)
    mine = inspection(hers, "a", rev, up)
    assert outcome(await hers.ask({"docs": [mine]})) == ["received"]
    if taken_by == "words":
        docs = [inspection(other, "b", rev, up)]
        docs += [inspection(other, "c", derive(up, False, raw(mine)), up)] if twice else []
    else:
        upon = derive(rev, False, raw(mine)) if twice else Rev(3, "3" * 32)
        docs = [inspection(other, "b", upon, rev, up)]
    await other.ask({"docs": docs}, db=NEW)
    mover = Mover(parts.store, parts.rows, parts.clock)
    with patch.object(parts.store, "graft_all", side_effect=StoreFull), pytest.raises(StoreFull):
        await mover.move(HAMLET, "bankhu", {mine["_id"]})
    await mover.move(HAMLET, "bankhu", {mine["_id"]})
    await parts.intake.observe(NEW, {mine["_id"]})
    rows = {row["id"]: row["doc"] for part in await other.ask({}, db=NEW) for row in part.get("rows", ())}
    photos = [one["id"][0] for one in rows[mine["_id"]]["photos"]]
    assert photos == sorted({one["photos"][0]["id"][0] for one in (mine, *docs)})
    there = select(table(tables.Archive).c.rev).where(table(tables.Archive).c.db == NEW)
    with readers(parts.rows).begin() as connection:
        hers_there = there.where(table(tables.Archive).c.body == raw(mine))
        names = {Rev.parse(name) for name in connection.execute(hers_there).scalars()}
    assert len(names - {rev}) == 1, "the second attempt goes on from the first"


async def test_what_was_let_in_and_is_not_there_still_waits(camket: Served) -> None:
    hers, other, visit, taken = await both(camket)
    parts = camket.parts
    assert outcome(await other.ask({"docs": [taken]})) == ["received"]
    with parts.rows.begin() as rows:
        users.give_hamlets(rows, hers.user, ["other"], by="x", now=parts.clock())
    await hers.ask({"docs": [visit]})
    warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
    with patch.object(parts.intake, "enter"), pytest.raises(Taken):
        await warden.release("office01", [1])
    with readers(parts.rows).begin() as rows:
        assert rows.execute(select(table(tables.Quarantine).c.state)).scalars().all() == ["waiting"]


async def test_other_words_by_a_name_that_is_kept_are_no_silent_loss(camket: Served) -> None:
    hers, _, visit, taken = await both(camket)
    mine, his = (
        Entry(DB, visit["_id"], Rev.parse(visit["_rev"]), None, raw(one), False, "sent")
        for one in (visit, taken)
    )
    with camket.parts.rows.begin() as rows:
        for _ in range(2):
            keep(rows, [his], "2026-03-01T00:00:00Z", None, whole=True)
        with pytest.raises(Taken):
            keep(rows, [mine], "2026-03-01T00:00:00Z", hers.user, whole=True)


async def test_what_another_request_is_just_putting_there_by_her_name_hides_no_work(camket: Served) -> None:
    hers, _, visit, taken = await both(camket)
    entry = Entry(DB, visit["_id"], Rev.parse(visit["_rev"]), None, raw(taken), False, "sent")
    with camket.parts.rows.begin() as rows:  # it is not in the tree yet
        keep(rows, [entry], "2026-03-01T00:00:00Z", None)
    await hers.ask({"docs": [visit]})
    assert raw(visit) in bodies(camket, tables.Archive)
    assert acts(await hers.ask({"since": None}), visit["_id"]) == visit["acts"]


async def test_what_somebody_said_in_her_phones_name_decides_nothing_about_hers(camket: Served) -> None:
    """A record of a phone that nobody knows says itself which phone that is."""
    hers, _, visit, taken = await both(camket)
    rev = Rev.parse(visit["_rev"])
    forged = Edit(visit["_id"], (rev,), raw(taken), False)
    with camket.parts.rows.begin() as rows:
        held = quarantine.Held(DB, forged, "stranger", hers.user, hers.device)
        quarantine.hold(rows, [held], "2026-03-01T00:00:00Z")
    parts = camket.parts
    await Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs).discard("office01", [1])
    assert await missing(hers, {"waiting": [[*named(visit), says(visit)]]}) == [named(visit)]
    assert outcome(await hers.ask({"docs": [visit]})) == ["received"]


@pytest.mark.parametrize("first", ["free", "taken too"])
async def test_the_id_by_which_her_lost_act_would_stand_aside_is_taken_and_hides_no_work(
    camket: Served, first: str
) -> None:
    hers, other, visit, taken = await both(camket)
    (act,) = visit["acts"]
    his = [{**taken["acts"][0], "id": renamed(act), "result": "nobody_home"}]
    if first == "taken too":
        his.append({**his[0], "id": act["id"]})
    aside = at(taken, Rev(1, "a" * 32)) | {"acts": sorted(his, key=lambda one: str(one["id"]))}
    assert outcome(await other.ask({"docs": [aside]})) == ["received"]
    (became,) = outcome(await hers.ask({"docs": [visit]}))
    if first == "taken too":
        assert became == "quarantined"
        parts = camket.parts
        warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
        assert [type(one) for one in await warden.release("office01", [1], instead=True)] == [Ready]
    for _ in range(2):
        held = acts(await other.ask({"since": None}), visit["_id"])
        assert [one for one in his if one in held] == his
        assert [{**one, "id": act["id"]} for one in held if one["by"] == hers.user] == [act]
        await hers.ask({"docs": [visit]})


async def test_nobody_closes_what_was_given_back_as_theirs_and_holds_others_work(
    camket: Served,
) -> None:
    hers, other, visit, taken = await both(camket)
    joined = {**taken, "acts": sorted([*visit["acts"], *taken["acts"]], key=lambda act: str(act["id"]))}
    told = {"have": [[*named(joined), says(joined)]]}
    assert await missing(hers, told) == [named(joined)]
    assert outcome(await hers.ask({"docs": [joined]})) == ["quarantined"]
    assert outcome(await other.ask({"docs": [taken]})) == ["received"]
    with readers(camket.parts.rows).begin() as rows:
        assert rows.execute(select(table(tables.Quarantine).c.state)).scalars().all() == ["waiting"]
    assert outcome(await other.ask({"docs": [joined]})) != ["quarantined"]


async def test_hundreds_of_branches_are_digested_once_each(camket: Served) -> None:
    hers = await camket.phone()
    visits = [hers.visit() for _ in range(400)]
    bodies = {(f"x:{n % 2}", Rev.parse(one["_rev"])): orjson.dumps(one) for n, one in enumerate(visits)}
    told, digests = dict.fromkeys(bodies, "0" * 16), Counter[bytes]()

    def counted(body: bytes) -> str:
        digests[body] += 1
        return exchange.digest(body)

    with patch.object(alike, "digest", counted):
        assert set(alike.unlike(told, bodies)) == bodies.keys()
    assert {*digests.values()} == {1}
