"""The right to be forgotten: nothing that a household said is found afterwards, and nothing comes back."""

from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, insert

from server.admission import caller_of
from server.auth.grant import Role
from server.erasing import Eraser, about, export
from server.release import Warden
from server.rows import tables
from server.rows.engine import readers, table
from server.scribe import Change
from server.words import words
from sync import revtree
from sync.rev import Rev
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    NOW,
    OTHER,
    SECOND,
    THIRD,
    THU,
    grant,
    household,
    pledge,
    signature,
    signed,
    visit,
)
from tests.server.harness import Product, edit, later, revoked

DB = "hamlet-nasam"
NAME = "Hoàng Thị Mỷ"
lan = grant(LAN)
PLEDGE = f"pledge:antq-2026:{HOUSEHOLD}"


async def lived(camket: Product) -> str:
    """A household with a pledge signed by touch, a change that waits, and a neighbour."""
    ink = signature()
    digest = ink["_id"].partition(":")[2]
    signing = signed(SECOND, method="touch", signature=digest)
    first = household()
    await camket.send(
        lan,
        DB,
        edit(first, "1-a"),
        edit(pledge(visit(), signing), "1-b"),
        edit(ink, "1-c"),
        edit(household(OTHER, name="Lý Văn Tư"), "1-d"),
    )
    await camket.send(lan, DB, edit(later(first, LAN, NOW + 1, order=7), "2-a", "1-a"))
    await camket.send(revoked(lan), DB, edit(later(first, LAN, NOW + 2, order=8), "2-e", "1-a"))
    await camket.follower.catch_up()
    return f"signature:{digest}"


def files_that_say(data: Path, text: str) -> list[str]:
    files = [path for path in data.rglob("*") if path.is_file()]
    return [path.name for path in files if text.encode() in path.read_bytes()]


def eraser(camket: Product) -> Eraser:
    return Eraser(camket.store, camket.rows, lambda: camket.now)


async def test_nothing_is_left_of_it_in_store_archive_quarantine_and_rows(
    camket: Product, tmp_path: Path
) -> None:
    ink = await lived(camket)
    held = await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert {f"household:{HOUSEHOLD}", PLEDGE, ink} <= set(held[DB])
    for doc_id in (f"household:{HOUSEHOLD}", PLEDGE, ink):
        document = (await camket.store.read(DB, [doc_id], lambda _id, tree: list(tree)))[doc_id]
        assert revtree.live(document.tree) == []
        assert {body.json for body in document.bodies.values()} == {b"{}"}
    await camket.follower.catch_up()
    for model in (tables.Archive, tables.Quarantine, tables.HouseholdRow, tables.PledgeRow, tables.ActRow):
        assert HOUSEHOLD not in str(camket.all(model)).replace(OTHER, "")
    assert len(camket.all(tables.HouseholdRow)) == 1, "the neighbour stays"
    assert files_that_say(tmp_path, NAME) == []


@pytest.mark.parametrize("sent_away", [True, False])
async def test_nothing_of_it_waits_or_was_sent_away_in_any_hamlet(
    camket: Product, *, sent_away: bool
) -> None:
    """Staff keep what they have sent away, to answer for it; not of who is to be forgotten."""
    there = "hamlet-bandau"
    other, since = grant(LAN, hamlets=("bandau",)), pledge(visit(THIRD), ulid=HOUSEHOLD)
    await camket.store.create(there)
    await lived(camket)
    late = {**since, "_id": f"pledge:antq-2027:{HOUSEHOLD}"}
    for place, hand in ((DB, lan), (there, other)):
        sent = edit(household(order=77), "1-7"), edit(late, "1-8")
        assert await camket.send(revoked(hand), place, *sent) == ["quarantined"] * 2
    numbers = [row["number"] for row in camket.all(tables.Quarantine)]
    if sent_away:
        warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
        assert await warden.discard(THU, numbers) == len(numbers)
    held = await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert camket.all(tables.Quarantine) == []
    assert late["_id"] in {row["id"] for row in camket.all(tables.Ledger, kind="erased")}
    assert {*held} == {DB, there}


async def test_what_a_peer_has_replicated_into_the_store_is_erased_too(camket: Product) -> None:
    ink = signature()
    act = signed(method="touch", signature=ink["_id"].partition(":")[2])
    came = [edit(doc, rev) for doc, rev in ((household(), "1-a"), (pledge(act), "1-b"), (ink, "1-c"))]
    await camket.store.graft(DB, came)
    await camket.follower.catch_up()
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert [await camket.live(DB, one.id) for one in came] == [[], [], []]


async def test_it_is_in_the_ledger_and_the_audit_log_by_ids_alone(camket: Product) -> None:
    await lived(camket)
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert PLEDGE in {row["id"] for row in camket.all(tables.Ledger, kind="erased", db=DB)}
    (noted,) = camket.all(tables.Audit)
    assert (noted["action"], noted["subject"]) == ("household.erased", f"{DB}/household:{HOUSEHOLD}")


async def test_what_was_erased_in_one_hamlet_comes_back_in_no_other(camket: Product) -> None:
    """It had moved there, and the server was restored to before that."""
    there = "hamlet-bandau"
    await camket.store.create(there)
    await lived(camket)
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    both = grant(LAN, hamlets=("nasam", "bandau"))
    sent = edit(household(), "1-a"), edit(pledge(visit(SECOND)), "1-f")
    assert await camket.send(both, there, *sent) == ["erased", "erased"]
    await camket.store.graft(there, sent)
    await camket.follower.catch_up()
    assert [await camket.live(there, one.id) for one in sent] == [[], []]


async def test_a_late_phone_is_told_erased_and_brings_nothing_back(camket: Product) -> None:
    await lived(camket)
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    late = edit(later(household(), LAN, NOW + 5, order=9), "3-f", "2-a", "1-a")
    assert await camket.send(lan, DB, late) == ["erased"]
    assert await camket.send(revoked(lan), DB, late) == ["erased"]
    assert camket.all(tables.Archive, id=late.id) == []


async def test_what_was_on_its_way_in_meanwhile_is_erased_by_the_follower(camket: Product) -> None:
    await lived(camket)
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    # admitted before, grafted after
    await camket.store.graft(DB, [edit(later(household(), LAN, NOW + 5, order=9), "3-f", "2-a", "1-a")])
    await camket.follower.catch_up()
    assert await camket.live(DB, f"household:{HOUSEHOLD}") == []
    held = await camket.store.bodies(DB, [(f"household:{HOUSEHOLD}", Rev.parse("3-f"))])
    assert held == {}
    assert len(camket.all(tables.HouseholdRow)) == 1


async def test_a_pledge_that_nobody_had_heard_of_is_erased_with_its_strokes(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    ink, late = signature(), signature([[9, 9, 8, 8]])
    named = [ink["_id"].partition(":")[2], late["_id"].partition(":")[2]]
    acts = [
        signed(SECOND, method="touch", signature=named[0]),
        signed(THIRD, method="touch", signature=named[1]),
    ]
    assert await camket.send(lan, DB, edit(ink, "1-c")) == ["received"], "nobody can tell whose it is"
    assert await camket.send(lan, DB, edit(pledge(*acts), "1-b")) == ["erased"]
    assert await camket.send(lan, DB, edit(late, "1-d")) == ["erased"]
    await camket.follower.catch_up()
    assert await camket.live(DB, ink["_id"]) == []
    assert {row["id"] for row in camket.all(tables.Archive)} == set()


async def test_what_staff_said_of_it_is_erased_too(camket: Product) -> None:
    await lived(camket)
    said = {"decision": {"is": "returned", "digest": "0" * 64, "comment": "Xem lại tên."}}
    caller = caller_of(grant(THU, Role.REVIEWER), words("vi"))
    changes = [Change(f"review:{doc_id}", said) for doc_id in (f"household:{HOUSEHOLD}", PLEDGE)]
    await camket.scribe.write(caller, {DB: changes})
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert [row["id"] for row in camket.all(tables.Archive)] == [f"household:{OTHER}"]


async def test_erasing_twice_is_erasing_once(camket: Product) -> None:
    await lived(camket)
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    before = await camket.store.trees(DB, [PLEDGE])
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert await camket.store.trees(DB, [PLEDGE]) == before


async def test_an_export_holds_all_that_is_held(camket: Product) -> None:
    ink = await lived(camket)
    with readers(camket.rows).begin() as rows:
        made = export(rows, about(rows, DB, HOUSEHOLD), camket.now)
    assert {one["id"] for one in made["revisions"]} == {f"household:{HOUSEHOLD}", PLEDGE, ink}
    assert NAME in str(made["revisions"])
    assert [one["rev"] for one in made["waiting"]] == ["2-e"]
    assert "Lý Văn Tư" not in str(made)


async def test_what_a_later_program_has_written_is_erased_with_the_rest(camket: Product) -> None:
    await lived(camket)
    strange = {**pledge(visit(THIRD)), "v": 2, "acts": 7}
    assert await camket.send(lan, DB, edit(strange, "2-f", "1-b")) == ["quarantined"]
    await eraser(camket).erase(THU, DB, HOUSEHOLD)
    assert camket.all(tables.Quarantine) == []
    assert await camket.live(DB, PLEDGE) == []


@pytest.mark.parametrize("doc_id", [f"household:{OTHER}"])
async def test_a_household_that_was_merged_is_erased_with_the_one_that_was_kept(
    camket: Product, doc_id: str
) -> None:
    await lived(camket)
    status = {"is": "merged_into", "since": "2026-03-01", "into": HOUSEHOLD}
    caller = caller_of(grant(THU, Role.REVIEWER), words("vi"))
    await camket.scribe.write(caller, {DB: [Change(doc_id, {"status": status})]})
    await eraser(camket).erase(THU, DB, OTHER)
    await camket.follower.catch_up()
    assert camket.all(tables.HouseholdRow) == []
    assert await camket.live(DB, PLEDGE) == []


async def test_what_sqlite_has_moved_within_its_file_is_gone_too(camket: Product, tmp_path: Path) -> None:
    """It leaves a row that it moves to another page where the row lay, until something is written over it."""
    order, sizes = Random(2), Random(2)
    ulids = [f"01J8ZQ4T6N3VXK2M5R7W9Y{n:04d}" for n in range(400)]
    order.shuffle(ulids)
    source = table(tables.Archive)
    for ulid in ulids:
        row = {"db": DB, "id": f"household:{ulid}", "rev": "1-a", "generation": 1, "source": "sent"}
        said = f"Ten{ulid}".encode() + b"x" * sizes.randint(50, 700)
        with camket.rows.begin() as rows:
            rows.execute(insert(source).values(**row, body=said, deleted=False, entered_at="2026-03-01"))
            if sizes.random() < 0.3:
                rows.execute(delete(source).where(source.c.id == f"household:{sizes.choice(ulids)}"))
    for ulid in ulids[:199]:
        with camket.rows.begin() as rows:
            rows.execute(delete(source).where(source.c.id == f"household:{ulid}"))
    await eraser(camket).erase(THU, DB, ulids[199])
    assert [ulid for ulid in ulids[:200] if files_that_say(tmp_path, f"Ten{ulid}")] == []
