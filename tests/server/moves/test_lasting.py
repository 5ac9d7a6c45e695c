"""After a move: what must not come back, what must not be forgotten."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from server import audit, backup, erasing, hamlets, ledger
from server.admission import caller_of
from server.app import opened
from server.checking import problems
from server.clock import instant
from server.parts import Parts
from server.quarantine import Held, hold
from server.rows import registers, tables
from server.rows.engine import readers, table, writing
from server.scribe import Change
from server.settings import Settings
from server.words import words
from sync import revtree
from sync.store.interface import StoreFull
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    MAI,
    OTHER,
    QUAN,
    THIRD,
    household,
    pledge,
    signature,
    signed,
    visit,
)
from tests.server.harness import edit
from tests.server.moves.ground import (
    ADMIN,
    ALL,
    PLEDGE,
    SIGNED,
    A,
    B,
    C,
    X,
    furnish,
    lan,
    living,
    mai,
    rows_of,
    send,
    where,
)


async def test_what_was_erased_stays_erased_when_its_hamlet_moves(commune: Parts) -> None:
    await furnish(commune)
    await erasing.Eraser(commune.store, commune.rows, commune.clock).erase(QUAN, A, HOUSEHOLD)
    await commune.follower.catch_up()
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert await send(commune, lan, A, edit(household(), "2-late", "1-h")) == ["erased"]
    assert await send(commune, mai, B, edit(household(by=MAI), "1-again")) == ["erased"]
    with readers(commune.rows).begin() as connection:
        assert ledger.erased(connection, [X, PLEDGE]) == {X, PLEDGE}
    assert rows_of(commune, tables.Archive, db=B, id=PLEDGE) == []


async def test_a_household_that_moved_is_erased_in_both_places(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await erasing.Eraser(commune.store, commune.rows, commune.clock).erase(QUAN, B, HOUSEHOLD)
    await commune.follower.catch_up()
    assert rows_of(commune, tables.Archive, id=X) == rows_of(commune, tables.Archive, id=PLEDGE) == []
    assert await send(commune, lan, A, edit(household(), "2-late", "1-h")) == ["erased"]
    assert await problems(commune) == []


async def test_a_peer_can_be_given_what_is_left_of_strokes_that_came_late(commune: Parts) -> None:
    """They left a trace where they were sent to, and were erased where they entered, with their pledge."""
    await furnish(commune)
    await erasing.Eraser(commune.store, commune.rows, commune.clock).erase(QUAN, A, HOUSEHOLD)
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    ink = signature([[5, 6, 7, 8]])
    late = pledge(signed(THIRD, method="touch", signature=ink["_id"].partition(":")[2]))
    assert (await send(commune, lan, A, edit(late, "1-late"), edit(ink, "1-k")))[0] == "erased"
    await commune.follower.catch_up()
    for db in (A, B):
        left = await commune.store.read(db, [ink["_id"]], lambda _id, tree: revtree.leaves(tree))
        assert [body.json for body in left[ink["_id"]].bodies.values()] == [b"{}"]


async def test_what_waits_goes_with_its_household(commune: Parts) -> None:
    await furnish(commune)
    waiting = [edit(pledge(visit(THIRD)), "2-w", "1-p"), edit(household(OTHER), "2-stay", "1-n")]
    with writing(commune.rows) as connection:
        hold(
            connection,
            [Held(A, one, "revoked", LAN, "phonelan01") for one in waiting],
            "2026-03-01T02:03:04Z",
        )
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    found = {row["doc_id"]: row["db"] for row in rows_of(commune, tables.Quarantine)}
    assert found == {PLEDGE: B, f"household:{OTHER}": A}
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    assert {row["db"] for row in rows_of(commune, tables.Quarantine)} == {B}


async def test_check_finds_what_lives_in_two_hamlets_and_what_is_in_none(commune: Parts) -> None:
    await furnish(commune)
    await commune.store.graft(B, [edit(household(by=MAI), "1-x")])  # another one, under its name
    gone = edit({"_id": PLEDGE, "moved_to": C}, "2-t", "1-p", deleted=True)
    await commune.store.graft(A, [gone])
    found = await problems(commune)
    assert f"{X} lives in {B} and in {A}" in found
    assert f"{PLEDGE} was moved to {C} and is not there" in found


async def test_a_restore_brings_back_the_commune_as_it_was_and_the_move_can_be_done_again(
    commune: Parts, tmp_path: Path
) -> None:
    await furnish(commune)
    data, kept = commune.settings.data, tmp_path / "kept"
    before = backup.make(data, None, kept, None, commune.clock())
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    after = backup.make(data, None, kept, None, commune.clock() + timedelta(hours=1))
    for file, place in ((before, A), (after, B)):
        copy = tmp_path / file.stem
        backup.restore(file, copy, None, None, commune.clock())
        async with opened(Settings(data=copy), commune.clock) as restored:
            await restored.follower.catch_up()
            assert await where(restored) == {one: [place] for one in ALL}
            late = edit(pledge(visit(), SIGNED, visit(THIRD)), "2-late", "1-p")
            assert await send(restored, lan, A, late) == ["received"]
            assert list(await living(restored, PLEDGE)) == [place]
            await hamlets.merge(restored, ADMIN, "nasam", "bankhu")
            assert await where(restored) == {one: [B] for one in ALL}
            assert await problems(restored) == []


async def test_a_phone_that_lived_through_a_restore_hands_in_what_it_may_have_held(commune: Parts) -> None:
    def enrol(device: str, **row: Any) -> None:
        now = commune.clock()
        with commune.rows.begin() as rows:
            values = {"id": device, "name": "", "user": LAN, "created_at": instant(now), **row}
            rows.execute(insert(table(tables.Device)).values(**values))
            audit.append(rows, LAN, "device.enrolled", device, now)

    async def heard(device: str) -> bool:
        who = caller_of(replace(lan, device=device), words("vi"))
        return await commune.intake.hears(who, [B]) == {B}

    enrol(lan.device or "", credential="c", send="s")
    held = edit(household(), "1-h")
    assert await send(commune, lan, B, held) == ["forbidden"]
    assert not await heard(lan.device or "")
    with commune.rows.begin() as rows:
        backup.begin_anew(rows, [], QUAN, commune.clock() + timedelta(hours=1))
    assert await send(commune, lan, B, held) == ["quarantined"]
    assert await heard(lan.device or "")
    enrol("lan2", credential="d", send="t")
    assert not await heard("lan2")


@pytest.mark.parametrize("forged", [False, True])
async def test_what_phones_give_back_of_a_move_that_a_restored_server_forgot_is_where_the_backup_has_it(
    commune: Parts, tmp_path: Path, forged: bool
) -> None:
    await furnish(commune)
    before = backup.make(commune.settings.data, None, tmp_path / "kept", None, commune.clock())
    backup.restore(before, tmp_path / "copy", None, None, commune.clock() + timedelta(hours=1))
    async with opened(
        Settings(data=tmp_path / "copy"), lambda: commune.clock() + timedelta(hours=2)
    ) as parts:
        held = household() | {"by": MAI} if forged else household()
        new = pledge(visit(), SIGNED, visit(THIRD))
        await parts.store.graft(B, [edit(held, "1-x" if forged else "1-h"), edit(new, "2-q", "1-p")])
        await parts.follower.catch_up()
        places = [B, A] if forged else [A]
        assert sorted(await living(parts, X)) == sorted(places)
        assert (f"{X} lives in {B} and in {A}" in await problems(parts)) is forged
        if not forged:
            assert [len(one["acts"]) for one in (await living(parts, PLEDGE)).values()] == [3]


async def test_a_full_disk_moves_nothing_and_the_next_try_moves_all(
    commune: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(commune)

    async def full(edits: object) -> None:
        raise StoreFull

    with monkeypatch.context() as broken:
        broken.setattr(commune.store, "graft_all", full)
        with pytest.raises(StoreFull):
            await commune.mover.move("nasam", "bankhu")
    assert await where(commune) == {one: [A] for one in ALL}
    await commune.mover.move("nasam", "bankhu")
    assert await where(commune) == {one: [B] for one in ALL}
    assert await problems(commune) == []


async def test_models_and_bulletins_of_a_merged_hamlet_are_the_other_ones(commune: Parts) -> None:
    told = {"title": "Phát động", "text": "Sáng thứ bảy.", "hamlets": ["nasam", "pomo"]}
    days = {"from": "2026-03-01", "until": "2026-03-08"}
    await commune.scribe.write(ADMIN, {"commune": [Change(f"bulletin:{OTHER}", told | days)]})
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")
    (body,) = (await living(commune, f"bulletin:{OTHER}")).values()
    assert body["hamlets"] == ["bankhu", "pomo"]


async def test_a_form_that_was_open_in_the_old_place_is_saved_in_the_new_one(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    await commune.scribe.write(ADMIN, {A: [Change(X, {"name": "Hoàng Thị Mới"})]})
    assert {db: body["name"] for db, body in (await living(commune, X)).items()} == {B: "Hoàng Thị Mới"}


async def test_the_rows_of_a_move_can_be_built_again(commune: Parts) -> None:
    await furnish(commune)
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    models = (tables.MovedRow, tables.HouseholdRow, tables.PledgeRow, registers.ReviewRow)
    before = [sorted(map(str, rows_of(commune, model))) for model in models]
    await commune.follower.rebuild()
    assert [sorted(map(str, rows_of(commune, model))) for model in models] == before
