"""A few seasons; and that each thing that must hold of one can be seen not to."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sync.replicate import Report, replicate
from sync.rev import Rev
from sync.revtree import Node
from tests.sim import invariants, pair
from tests.sim.breaking import (
    FIRST,
    NAPO,
    SECOND,
    Break,
    a_conflict_is_left,
    a_document_is_lost,
    a_history_has_a_gap,
    a_household_is_miscounted,
    a_photograph_is_altered,
    a_photograph_is_lost,
    a_revision_is_lost,
    a_revoked_one_enters,
    a_revoked_one_is_back,
    a_value_comes_from_nowhere,
    acts_are_lost,
    an_act_is_altered,
    an_answer_is_dropped,
    an_erased_name_is_in_a_file,
    an_erased_one_is_back,
    an_erased_one_is_held,
    an_erased_one_is_in_the_history,
    an_erased_photograph_is_back,
    nothing,
    the_office_does_not_ask,
    the_rows_do_not_follow,
    the_server_breaks,
    what_is_newer_enters,
    what_is_newer_is_in_the_history,
    what_is_newer_is_lost,
    what_was_forged_stands,
)
from tests.sim.fleet import Fleet, Told
from tests.sim.found import FOUND, at, change, together
from tests.sim.lane import Lane, lane
from tests.sim.observe import Doc, Kept, Seen
from tests.sim.pair import Replicate
from tests.sim.proxy import Fault
from tests.sim.runner import Runner
from tests.sim.scene import Handset, Scene
from tests.sim.season import HOUR, Season, Step, generate
from tests.sim.shrink import shrink
from tests.sim.story import tell

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here() -> AsyncIterator[Lane]:
    async with lane() as made:
        yield made


SIGNED = Step("sign", 0, args=at(method="paper_signed", signer="Nông S1X"))
SYNCED = Step("sync", 0, args={"faults": []})
HELD = Step("sync", 0, args={"faults": [Fault("hold")]})
SMALL = Season(1, (0, 2, 4), (
    Step("join", 0),
    Step("join", 1),
    Step("join", 2),
    SIGNED,
    Step("edit", 0, args=at(change={"name": "Vi Văn S2X"})),
    Step("edit", 1, args=at(change={"name": "Vi Văn S3X"})),
    Step("edit", 0, args=at("1", change={"name": "Vi Văn S4X"})),
    SYNCED,
    Step("sync", 1, args={"faults": [Fault("deaf")]}),
    Step("visit", 2, HOUR, at("1", result="met")),
    Step("attack", 2, args=at(kind="author", mark="S9X")),
    Step("revoke", 2),
    Step("attack", 2, args=at(kind="sealed", mark="S9X")),
    Step("erase", args=at("1")),
))  # fmt: skip


@pytest.mark.parametrize("seed", [1, 4, 5])
async def test_a_season_holds(here: Lane, seed: int) -> None:
    result = await here.run(generate(seed))
    assert result.problems == ()
    assert result.tally["sync"] > 3


async def test_the_small_season_holds_as_long_as_nobody_breaks_it(here: Lane) -> None:
    assert (await here.run(SMALL)).problems == ()


@pytest.mark.parametrize("story", FOUND)
async def test_a_story_that_once_failed_holds(here: Lane, story: str) -> None:
    assert (await here.run(FOUND[story])).problems == ()


# --- broken on purpose -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (a_revision_is_lost, "is received: it is gone"),
        (acts_are_lost, "lacks ['"),
        (an_act_is_altered, "nobody said {"),
        (an_erased_one_is_in_the_history, "was erased and is in the archive"),
        (an_erased_one_is_held, "was erased and is in quarantine"),
        (an_erased_name_is_in_a_file, "was erased and stands in rows.sqlite"),
        (a_revoked_one_enters, "of the revoked"),
        (the_rows_do_not_follow, "the rows are behind"),
        (the_server_breaks, "the server's log:"),
        (a_history_has_a_gap, "camket check:"),
        (a_document_is_lost, "the server does not know it"),
        (a_value_comes_from_nowhere, "and not {"),
        (a_value_comes_from_nowhere, f"of {NAPO} household:{FIRST}, the server"),
        (what_was_forged_stands, "says what was forged"),
        (a_conflict_is_left, "live leaves"),
        (a_household_is_miscounted, "the office counts"),
        (an_erased_one_is_back, "was erased and lives"),
        (a_revoked_one_is_back, "is not revoked any more"),
    ],
)
async def test_what_does_not_hold_is_seen(here: Lane, broken: Break, said: str) -> None:
    def prepare(runner: Runner) -> None:
        runner.before_quiet = broken

    assert said in "\n".join((await here.run(SMALL, prepare)).problems)


def inspects(phone: int, count: int, *photos: int) -> Step:
    answers = {"inspection": "0", "subject": "model", "count": count, "photos": photos, "drops": False}
    return Step("inspect", phone, args={"hamlet": "napo", **answers})


ANSWERS = Season(1, (0, 2), (
    Step("join", 0),
    Step("join", 1),
    inspects(0, 1, 1, 2),
    inspects(1, 2),
    SYNCED,
    Step("sync", 1, args={"faults": [Fault("deaf")], "weak": True}),
    Step("erase_photo", args={"hamlet": "napo", "inspection": "0"}),
))  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (what_is_newer_is_lost, "of a later version for held; the server has it not"),
        (what_is_newer_enters, f"{NAPO} household:{SECOND} is of a later version"),
        (what_is_newer_is_in_the_history, "of a later version entered"),
    ],
)
async def test_what_does_not_hold_of_a_later_version_is_seen(here: Lane, broken: Break, said: str) -> None:
    def prepare(runner: Runner) -> None:
        runner.before_quiet = broken

    later = Season(1, (0,), (Step("join", 0), Step("newer", 0, args=at(name="Đinh S1X")), SYNCED))
    assert (await here.run(later)).problems == ()
    assert said in "\n".join((await here.run(later, prepare)).problems)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (nothing, ""),
        (an_answer_is_dropped, "wait to be chosen from, and not"),
        (the_office_does_not_ask, "the office does not ask to choose"),
        (a_photograph_is_lost, "the server has it not"),
        (a_photograph_is_altered, "is not what it was"),
        (an_erased_photograph_is_back, "was erased and is in napo"),
    ],
)
async def test_what_does_not_hold_of_an_inspection_is_seen(here: Lane, broken: Break, said: str) -> None:
    def prepare(runner: Runner) -> None:
        runner.before_quiet = broken

    problems = "\n".join((await here.run(ANSWERS, prepare)).problems)
    assert said in problems
    assert bool(said) == bool(problems)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("received", "is received: it is gone"),
        ("forbidden", "was refused: forbidden (because)"),
        ("clock", "no rest after"),
    ],
)
async def test_a_link_that_answers_by_itself_is_seen(here: Lane, lie: str, said: str) -> None:
    def prepare(runner: Runner) -> None:
        lying(runner, lie, times=1 if lie == "received" else 1000)

    assert said in "\n".join((await here.run(SMALL, prepare)).problems)


TWO = Season(1, (0, 2), (
    Step("join", 0),
    Step("join", 1),
    Step("part", args={"phones": [1]}),
    change(0, "Vi Văn S4X"),
    change(1, "Vi Văn S5X"),
    together(0, 1),
    Step("meet"),
))  # fmt: skip


async def deaf(http: httpx.AsyncClient, source: str, target: str, **how: Any) -> Report:
    """Two servers that tell each other nothing of one hamlet."""
    return Report() if target.endswith(NAPO) else await replicate(http, source, target, **how)


async def restless(http: httpx.AsyncClient, source: str, target: str, **how: Any) -> Report:
    """A server that writes something new each time."""
    await http.post(target, json={"type": "review"})
    return await replicate(http, source, target, **how)


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (replicate, ""),
        (deaf, f"{NAPO} household:{FIRST}: the servers hold different trees"),
        (restless, "two servers exchange and do not come to rest"),
    ],
)
async def test_servers_that_do_not_agree_are_seen(
    here: Lane, exchange: Replicate, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair, "EXCHANGES", 2)

    def prepare(runner: Runner) -> None:
        runner.replicate = exchange

    assert "\n".join((await here.run(TWO, prepare)).problems) == said


async def test_a_phone_that_saves_and_denies_it_is_seen(here: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Fleet.tell

    async def denying(fleet: Fleet, phone: int, do: str, now: int, **more: Any) -> Told:
        told = await tell(fleet, phone, do, now, **more)
        return replace(told, error="storage_full") if do == "edit" else told

    monkeypatch.setattr(Fleet, "tell", denying)
    assert "said that nothing was saved, and kept" in "\n".join((await here.run(SMALL)).problems)


LATER = Season(1, (0, 2), (
    Step("join", 0),
    Step("backup"),
    Step("join", 1),
    change(1, "Vi Văn S4X"),
    Step("sync", 1, args={"faults": []}),
    Step("restore", args={"unknown": "wait"}),
    Step("visit", 1, HOUR, at("1", result="met")),
    Step("rejoin", 1, args={"moment": 3}),
))  # fmt: skip


async def test_a_phone_that_the_backup_does_not_know_brings_everything_back(here: Lane) -> None:
    result = await here.run(LATER)
    assert (result.problems, result.tally["phones rejoined"]) == ((), 1)


async def test_a_phone_that_begins_anew_instead_is_seen(here: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    async def begin_anew(scene: Runner, phone: Handset) -> None:
        await scene.fleet.tell(phone.number, "lose", 0)
        phone.device, phone.strange = "", False

    monkeypatch.setattr(Scene, "rejoin", begin_anew)
    short = replace(LATER, steps=LATER.steps[:-1])
    assert "is received: it is gone" in "\n".join((await here.run(short)).problems)


BY_HAND = Season(1, (0, 2), (
    Step("join", 0),
    Step("join", 1),
    Step("keep"),
    change(1, "Vi Văn S4X"),
    Step("sync", 1, args={"faults": []}),
    SYNCED,
    Step("put_back", args={"unsaid": True, "unknown": "rejoin"}),
    change(0, "Vi Văn S5X"),
    SYNCED,
))  # fmt: skip


async def test_files_that_were_put_back_by_hand_cost_nothing_once_that_is_said(here: Lane) -> None:
    result = await here.run(BY_HAND)
    assert (result.problems, result.tally["put back by hand, and said"]) == ((), 1)


async def test_a_failing_season_is_made_short_and_told(here: Lane) -> None:
    async def fails(season: Season) -> bool:
        return any("it is gone" in problem for problem in (await here.run(season, lying)).problems)

    long = Season(1, (0, 2), (Step("join", 0), Step("backup"), SIGNED, HELD))
    short = await shrink(long, fails, attempts=15)
    assert [step.do for step in short.steps] == ["join", "sign"]
    assert tell(short).endswith("2. Phone 0 records a signature (paper_signed) at napo/0.")


async def test_what_came_by_the_bare_engine_counts_wherever_it_has_gone_to() -> None:
    """It was archived by the server that it came from, under the hamlet that it was in there."""
    here, there, doc_id = "hamlet-napo", "hamlet-khuoilan", "household:x"
    first, second = Rev(1, "a"), Rev(2, "b")
    tree = {first: Node(None, deleted=False), second: Node(first, deleted=False)}
    old = {"type": "household", "name": "A", "stamps": {"*": "1"}}
    new = {**old, "name": "B", "stamps": {"*": "2"}}
    archive = [Kept(db, doc_id, str(first), old, deleted=False, source="sent") for db in (here, there)]
    archive.append(Kept(there, doc_id, str(second), new, deleted=False, source="sent"))
    docs = {(here, doc_id): Doc(tree, (second,), new)}
    none = frozenset[Any]()
    seen = Seen(docs, tuple(archive), (), none, none, none, none, none, none, {})
    assert invariants.merged(seen) == []
    lost = {(here, doc_id): Doc(tree, (second,), old)}
    assert invariants.merged(seen._replace(docs=lost)), "nor may it be lost there"


async def test_a_season_follows_from_its_seed() -> None:
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)
    await asyncio.sleep(0)


def lying(runner: Runner, lie: str = "received", times: int = 1) -> None:
    """So many times, a phone hears this of all that it sends, and the server never hears of it."""
    lies = iter([True] * times)

    def forge(request: bytes) -> bytes | None:
        head, _, body = request.partition(b"\r\n\r\n")
        if not head.startswith(b"POST /db/_exchange") or not body:
            return None
        asked = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        sent = {db: part["docs"] for db, part in asked["dbs"].items() if part.get("docs")}
        if not sent or not next(lies, False):
            return None
        parts: list[Any] = [{"clock": asked["clock"], "dbs": list(asked["dbs"]), "user": {}}]
        for db, docs in sent.items():
            parts.append({"db": db, "outcomes": [[doc["_id"], doc["_rev"], lie, "because"] for doc in docs]})
        told = "".join(f"{json.dumps(part)}\n" for part in [*parts, {"done": True}]).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(told), told)

    runner.proxy.forge = forge
