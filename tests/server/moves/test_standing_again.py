"""A hamlet that was merged stands again: what came in between, or waits still, lives in one place."""

from dataclasses import replace

import pytest

from server import hamlets
from server.blobs import Name
from server.checking import problems
from server.parts import Parts
from server.quarantine import Held, hold
from server.release import Ready, Warden
from server.rows import tables
from server.rows.engine import readers, writing
from sync.store.interface import Edit
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    NOW,
    OTHER,
    QUAN,
    THIRD,
    grant,
    household,
    photo,
    pledge,
    signature,
    visit,
)
from tests.server.harness import edit
from tests.server.moves.ground import (
    ADMIN,
    PHOTO,
    PLEDGE,
    SHOWN,
    SIGNED,
    STROKES,
    A,
    B,
    X,
    furnish,
    lan,
    living,
    rows_of,
    send,
    where,
)

NEIGHBOUR = f"household:{OTHER}"
both = grant(LAN, hamlets=["bankhu", "nasam"])
NEW, LATE = edit(household(), "1-h"), edit(pledge(visit()), "1-p")


async def merged(commune: Parts) -> None:
    await send(commune, lan, A, edit(household(OTHER), "1-n"))
    await hamlets.merge(commune, ADMIN, "nasam", "bankhu")


async def stands_again(commune: Parts) -> None:
    """By one household that comes back."""
    await hamlets.move(commune, ADMIN, "bankhu", "nasam", [NEIGHBOUR])


def warden(commune: Parts) -> Warden:
    return Warden(commune.store, commune.rows, commune.intake, commune.clock, commune.blobs)


async def let_in(commune: Parts) -> None:
    waiting = rows_of(commune, tables.Quarantine, state="waiting")
    plans = await warden(commune).release(QUAN, [row["number"] for row in waiting])
    assert plans
    assert all(isinstance(one, Ready) for one in plans)
    await commune.follower.catch_up()


def held(commune: Parts, *edits: Edit, skew: int | None = None, db: str = A) -> None:
    with writing(commune.rows) as rows:
        records = [Held(db, one, "clock", LAN, lan.device, skew) for one in edits]
        hold(rows, records, "2026-03-01T02:03:04Z")


async def test_a_household_that_was_entered_while_its_hamlet_was_merged_goes_on_where_it_is(
    commune: Parts,
) -> None:
    await merged(commune)
    assert await send(commune, lan, A, NEW) == ["received"]
    await stands_again(commune)
    late = edit(household(name="Hoàng Văn Mới", at=NOW + 60_000), "2-h", "1-h")
    assert await send(commune, both, A, late, LATE) == ["received", "received"]
    assert {db: said["name"] for db, said in (await living(commune, X)).items()} == {B: "Hoàng Văn Mới"}
    assert await where(commune, [PLEDGE, NEIGHBOUR]) == {PLEDGE: [B], NEIGHBOUR: [A]}
    assert await problems(commune) == []


async def test_what_was_entered_while_its_hamlet_was_merged_comes_back_with_it(commune: Parts) -> None:
    await merged(commune)
    assert await send(commune, lan, A, NEW, edit(pledge(SIGNED), "1-p")) == ["received", "received"]
    with readers(commune.rows).begin() as connection:
        back = hamlets.came(connection, "bankhu", "nasam")
    await hamlets.move(commune, ADMIN, "bankhu", "nasam", back)
    assert await where(commune, [X, PLEDGE, NEIGHBOUR]) == {X: [A], PLEDGE: [A], NEIGHBOUR: [A]}
    late = edit(pledge(SIGNED, visit(THIRD)), "2-p", "1-p")
    assert await send(commune, lan, A, late) == ["received"]
    assert await where(commune, [PLEDGE]) == {PLEDGE: [A]}
    assert await problems(commune) == []


@pytest.mark.parametrize("skew", [None, -3_600_000], ids=["as it is", "corrected"])
async def test_a_record_that_waited_while_its_hamlet_was_merged_is_one_with_its_authors(
    commune: Parts, skew: int | None
) -> None:
    held(commune, NEW, skew=skew)
    await merged(commune)
    await stands_again(commune)
    sender = replace(both, live=False)  # what it sends now is held as well
    await send(commune, sender, A, NEW, LATE)
    await let_in(commune)
    assert await where(commune, [X, PLEDGE]) == {X: [A], PLEDGE: [A]}
    assert await problems(commune) == []


async def test_a_record_that_is_let_in_while_its_hamlet_is_merged_leaves_word_where_it_was_sent(
    commune: Parts,
) -> None:
    held(commune, NEW, LATE, skew=-3_600_000)
    await merged(commune)
    await let_in(commune)
    assert await where(commune, [X, PLEDGE]) == {X: [B], PLEDGE: [B]}
    await stands_again(commune)
    another = edit(pledge(visit(THIRD)) | {"_id": f"pledge:khac-2026:{HOUSEHOLD}"}, "1-q")
    assert await send(commune, both, A, another) == ["received"]
    assert await send(commune, both, A, edit(household(order=7, at=NOW + 60_000), "2-h", "1-h")) == [
        "received"
    ]
    assert await where(commune, [X, PLEDGE, another.id]) == {X: [B], PLEDGE: [B], another.id: [B]}
    assert await problems(commune) == []


async def test_a_record_of_a_household_that_moved_while_it_waited_enters_where_that_is(
    commune: Parts,
) -> None:
    await furnish(commune)
    held(commune, edit(pledge(visit(), SIGNED, visit(THIRD)), "2-w", "1-p"))
    await hamlets.move(commune, ADMIN, "nasam", "bankhu", [X])
    late = edit(pledge(visit(THIRD)) | {"_id": f"pledge:khac-2026:{HOUSEHOLD}"}, "1-q")
    assert await send(commune, replace(lan, live=False), A, late) == ["quarantined"]
    await let_in(commune)
    assert await where(commune, [PLEDGE, late.id]) == {PLEDGE: [B], late.id: [B]}
    assert await problems(commune) == []


async def test_a_picture_that_waited_enters_with_its_bytes_where_its_hamlet_is(commune: Parts) -> None:
    await merged(commune)
    held(commune, edit(photo() | {"_id": PHOTO}, "1-f"), db="media-nasam")
    picture = Name("nasam", SHOWN)
    for path in (f"media/nasam/{SHOWN}", f"media/nasam/{SHOWN}.thumb"):
        (commune.settings.data / path).parent.mkdir(parents=True, exist_ok=True)
        (commune.settings.data / path).write_bytes(b"bytes")
    await let_in(commune)
    assert await where(commune, [PHOTO]) == {PHOTO: ["media-bankhu"]}
    assert commune.blobs.whole(Name("bankhu", SHOWN)) == b"bytes"
    assert not commune.blobs.has(picture)
    assert await problems(commune) == []


async def test_strokes_that_come_after_their_pledge_are_with_it(commune: Parts) -> None:
    await merged(commune)
    assert await send(commune, lan, A, NEW, edit(pledge(SIGNED), "1-p")) == ["received", "received"]
    await stands_again(commune)
    assert await send(commune, both, A, edit(signature(), "1-s")) == ["received"]
    assert await where(commune, [STROKES]) == {STROKES: [B]}
