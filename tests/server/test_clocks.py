"""A phone's clock jumps between what it writes and what it hands in: staff can always let it in, in order."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from itertools import product as every
from pathlib import Path
from typing import NamedTuple

import pytest

from server.clock import instant, milliseconds
from server.release import Ready, Warden
from server.rows import tables
from server.sealed import skew_of
from server.ulids import text
from sync.stamps import SKEW, Stamp, advance
from tests.server.documents import LAN, NOW, THU, Doc, grant, pledge, visit
from tests.server.harness import Product, edit, product, revoked

DB = "hamlet-nasam"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = [timedelta(0), -6 * 365 * DAY, 3 * HOUR, 2 * 365 * DAY]
"""Not hours back: a record that comes by hand may be that old."""
JOINED = datetime.fromtimestamp(NOW / 1000, UTC)


class Written(NamedTuple):
    """What the phone has after a write, with what its clock said then, and when that really was."""

    doc: Doc
    path: tuple[str, ...]
    clock: int
    at: datetime


def phone(household: int, start: datetime, jumps: Sequence[timedelta]) -> Iterator[Written]:
    """A phone that writes an act every hour, its clock wrong by one after another of these."""
    acts: list[Doc] = []
    path: tuple[str, ...] = ()
    last: Stamp | None = None
    for n, wrong in enumerate(jumps, 1):
        at = start + n * HOUR
        wall = at + wrong
        ms = milliseconds(wall)
        last = advance(last, ms, f"phone{LAN}")
        acts = [*acts, visit(text((ms << 80) + household * 10 + n), at=instant(wall), result=RESULTS[n])]
        doc = pledge(*sorted(acts, key=lambda act: str(act["id"])), ulid=text((NOW << 80) + household)) | {
            "stamps": {"*": str(last)}
        }
        path = (f"{n}-{household:031x}{n}", *path)
        yield Written(doc, path, ms, at)


RESULTS = {1: "nobody_home", 2: "come_back", 3: "met"}


async def hand_in(camket: Product, one: Written, *, live: bool) -> list[str]:
    """A sealed record comes half an hour after it was written."""
    camket.now = max(camket.now, one.at + HOUR / 2)
    skew = skew_of(one.clock, milliseconds(JOINED), milliseconds(camket.now))
    sender = grant(LAN) if live else revoked(grant(LAN))
    told = await camket.send(sender, DB, edit(one.doc, *one.path), skew_ms=skew)
    assert told in (["received"], ["quarantined"]) or (live and told == ["clock"])
    return told


async def holds(camket: Product, ids: set[str], last: Written) -> None:
    """Everything that waits is let in: it stands as it was written, with no time after that it came."""
    came = camket.now
    camket.now += HOUR  # whoever lets it in has time
    entries = [
        row["number"] for row in camket.all(tables.Quarantine, state="waiting") if row["doc_id"] in ids
    ]
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    for entry in entries:
        for done in await warden.release(THU, [entry]):
            assert isinstance(done, Ready), done
    (leaf,) = await camket.live(DB, last.doc["_id"])
    _, body = await camket.shown(DB, last.doc["_id"])
    assert leaf
    told = sorted(body["acts"], key=lambda act: (act["at"], act["id"]))
    assert [act["result"] for act in told] == [RESULTS[n] for n in range(1, len(told) + 1)]
    assert len(told) == len(last.doc["acts"])
    times = [Stamp.parse(stamp).ms for stamp in body["stamps"].values()]
    times += [milliseconds(datetime.fromisoformat(act["at"])) for act in told]
    assert max(times) <= milliseconds(came) + SKEW


@pytest.fixture
async def camket(tmp_path: Path) -> Product:  # type: ignore[misc]
    async with product(tmp_path, ["commune", DB]) as made:
        yield made


@pytest.mark.parametrize("live", [True, False], ids=["live", "revoked"])
async def test_two_writes_in_one_record_enter_in_their_order(camket: Product, live: bool) -> None:
    for number, jumps in enumerate(every(JUMPS, JUMPS)):
        *_, last = phone(number, camket.now, jumps)
        if await hand_in(camket, last, live=live) != ["clock"]:  # a live phone moves those itself
            await holds(camket, {last.doc["_id"]}, last)


@pytest.mark.parametrize("live", [True, False], ids=["live", "revoked"])
async def test_three_records_that_were_handed_in_one_by_one_enter_in_their_order(
    camket: Product, live: bool
) -> None:
    for number, jumps in enumerate(permutations(JUMPS, 3)):
        written = list(phone(number, camket.now, jumps))
        told = [outcome for one in written for outcome in await hand_in(camket, one, live=live)]
        # what comes by a right clock takes in what it stands on, as the phone says it
        if "clock" not in told and sorted(told, reverse=True) == told:
            await holds(camket, {written[0].doc["_id"]}, written[-1])
