"""The demo commune is what the issue asks for, the same every time, and enters through the intake."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, func, select

import schemas
from server import review
from server.app import build
from server.auth.grant import Role
from server.blobs import Name
from server.checklists import library
from server.content import broken
from server.demo import VOLUNTEER, accounts, fill
from server.demo.history import History, history
from server.parts import Parts
from server.rows import registers, tables
from server.rows.engine import table
from server.settings import Settings
from sync.store.interface import StoreFull

NOW = datetime(2026, 6, 1, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> History:
    return history(2026, NOW)


def documents(told: History) -> list[dict[str, Any]]:
    return [{"_id": edit.id, **orjson.loads(edit.body)} for sent in told.sent for edit in sent.edits]


def test_seventeen_hamlets_and_two_thousand_four_hundred_households(told: History) -> None:
    kinds = Counter(doc["_id"].partition(":")[0] for doc in documents(told) if doc["by"] == "demoadmin")
    assert kinds["hamlet"] == 17
    assert kinds["household"] == 2400
    assert (kinds["campaign"], kinds["clauses"], kinds["notice"]) == (1, 1, 1)


def test_every_document_keeps_to_its_schema_and_its_rules(told: History) -> None:
    for doc in documents(told):
        assert schemas.validate(doc) == [], doc["_id"]
        assert broken(doc) is None, doc["_id"]


def test_every_way_of_signing_and_of_taking_back_occurs(told: History) -> None:
    acts = [act for doc in documents(told) if doc["type"] == "pledge" for act in doc["acts"]]
    assert {act["kind"] for act in acts} == {"visit", "signed", "voided", "withdrawn"}
    signed = [act for act in acts if act["kind"] == "signed"]
    assert {act["method"] for act in signed} == {"touch", "paper_signed", "paper_thumbprint", "paper_mark"}
    assert any("meeting" in act for act in signed)
    drawn = {doc["_id"].partition(":")[2] for doc in documents(told) if doc["type"] == "signature"}
    assert {act["signature"] for act in signed if act["method"] == "touch"} == drawn


def test_nothing_lies_in_the_future_and_nothing_before_the_start(told: History) -> None:
    assert max(sent.at for sent in told.sent) <= NOW
    for doc in documents(told):
        for act in doc.get("acts", ()):
            assert "2026-04-" < act["at"] < "2026-06-01T03:04:05Z"


def test_the_same_seed_and_moment_tell_the_same_story(told: History) -> None:
    assert history(2026, NOW) == told
    assert history(2027, NOW) != told


def count(rows: Connection, model: type[Any], *where: Any) -> int:
    return rows.scalar(select(func.count()).select_from(table(model)).where(*where)) or 0


async def started(data: Path) -> Parts:
    app = await build(Settings(data=data, demo=True), lambda: NOW)
    parts = app.state.parts
    assert isinstance(parts, Parts)
    return parts


async def stopped(parts: Parts) -> None:
    await parts.store.close()
    parts.rows.dispose()


async def test_a_first_start_fills_and_a_second_one_finds_it_there(tmp_path: Path) -> None:
    parts = await started(tmp_path)
    await fill(parts, households=170)
    household, pledge = table(tables.HouseholdRow), table(tables.PledgeRow)
    with parts.rows.begin() as rows:
        assert count(rows, tables.HouseholdRow) == 170
        assert count(rows, tables.HamletRow) == 17
        assert 50 < count(rows, tables.PledgeRow, pledge.c.signed) < 170
        assert count(rows, tables.Device) == count(rows, tables.User) - 3
        logins = accounts(rows)
        before = sorted(rows.scalars(select(household.c.rev)))
    assert {one.role for one in logins} == {Role.ADMIN, Role.REVIEWER, Role.OBSERVER}
    await stopped(parts)

    parts = await started(tmp_path)
    await fill(parts, households=170)
    with parts.rows.begin() as rows:
        assert sorted(rows.scalars(select(household.c.rev))) == before
        assert accounts(rows) == logins
    await stopped(parts)


async def test_collisions_were_settled_by_the_server_and_the_history_shows_both(tmp_path: Path) -> None:
    parts = await started(tmp_path)
    await fill(parts, households=170)
    archive, act = table(tables.Archive), table(tables.ActRow)
    with parts.rows.begin() as rows:
        merged = list(rows.execute(select(archive).where(archive.c.source == "merged")))
        kinds = Counter(one.id.partition(":")[0] for one in merged)
        assert kinds["pledge"] >= 5
        assert kinds["household"] >= 3
        for one in merged:
            if one.id.startswith("model:"):
                continue  # two of the office, not two phones
            versions = select(archive.c.by).where(archive.c.id == one.id, archive.c.source == "sent")
            walkers = set(rows.scalars(versions)) - {"demoadmin"}
            assert len(walkers) == 2, "both phones' versions are kept"
        both = next(one.id for one in merged if one.id.startswith("pledge:"))
        assert {row.kind for row in rows.execute(select(act).where(act.c.doc_id == both))} == {
            "visit",
            "signed",
        }
    await stopped(parts)


async def test_a_fill_that_was_killed_is_taken_up_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = await started(tmp_path)
    real, calls = parts.store.graft_all, 0

    async def dying(edits: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise StoreFull
        return await real(edits)

    monkeypatch.setattr(type(parts.store), "graft_all", lambda _self, edits: dying(edits))
    with pytest.raises(StoreFull):
        await fill(parts, households=170)
    monkeypatch.undo()
    await stopped(parts)

    parts = await started(tmp_path)
    await fill(parts, households=170)
    with parts.rows.begin() as rows:
        assert count(rows, tables.HouseholdRow) == 170
    await stopped(parts)


def test_the_volunteer_to_invite_holds_hamlets(told: History) -> None:
    person = next(one for one in told.commune.people if one.id == VOLUNTEER)
    assert person.role is Role.VOLUNTEER
    assert len(person.hamlets) == 2


def test_models_of_every_kind_and_state_with_inspections_over_months(told: History) -> None:
    docs = documents(told)
    models = [doc for doc in docs if doc["type"] == "model"]
    assert {doc["kind"] for doc in models} == set(schemas.schema("common")["$defs"]["model_type"]["enum"])
    states = schemas.schema("model")["properties"]["state"]["properties"]["is"]["enum"]
    assert {doc["state"]["is"] for doc in models} == set(states)
    inspections = [doc for doc in docs if doc["type"] == "inspection"]
    assert len({doc["date"][:7] for doc in inspections}) >= 4, "months"
    assert any("done" in doc.get("follow_up", {}) for doc in inspections)
    assert {doc["kind"] for doc in docs if doc["type"] == "outreach"} == {"launch", "drive"}
    assert len({doc["_id"] for doc in docs if doc["type"] == "bulletin"}) == 4


async def test_reviews_of_every_state_and_open_questions(tmp_path: Path) -> None:
    parts = await started(tmp_path)
    await fill(parts, households=170)
    record, reviews = table(registers.RecordRow), table(registers.ReviewRow)
    attention, checklist = table(tables.AttentionRow), table(registers.ChecklistRow)
    with parts.rows.begin() as rows:
        decided = {row.subject: row for row in rows.execute(select(reviews))}
        states = Counter(
            review.state(row.digest, {"is": one.decided, "digest": one.digest} if one else None)
            for row in rows.execute(select(record))
            for one in [decided.get(row.id)]
        )
        asks = rows.execute(select(attention.c.id).where(attention.c.why == "asks")).scalars()
        assert {one.partition(":")[0] for one in asks} == {"model", "inspection"}
        held = {f"checklist:{row.slug}:{row.version}" for row in rows.execute(select(checklist))}
    assert all(states[state] for state in review.STATES), states
    assert held == {*library.documents(), "checklist:to-lien-gia:2"}
    await stopped(parts)


async def test_inspections_have_photographs_and_two_are_still_on_their_way(tmp_path: Path) -> None:
    parts = await started(tmp_path)
    await fill(parts, households=170)
    asked = table(registers.InspectionRow)
    with parts.rows.begin() as rows:
        named = [
            Name(row.db.removeprefix("hamlet-"), photo["id"])
            for row in rows.execute(select(asked))
            for photo in row.photos
        ]
    here = [name for name in named if parts.blobs.has(name)]
    assert len(set(named)) == len(named) > 20
    assert len(here) == len(named) - 2
    assert all(parts.blobs.thumb(name) for name in here)
    await stopped(parts)
