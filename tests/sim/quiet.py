"""Quiet points: everybody syncs until nothing moves, and then everything that must hold is asked for."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any

from tests.sim import commands, invariants, pair, servers
from tests.sim.observe import Seen, observe, sequences
from tests.sim.office import FORGED
from tests.sim.scene import Broken, Scene
from tests.sim.season import MINUTE

ROUNDS = 14
"""Syncs of everybody after which everything must be at rest."""


async def quiet(scene: Scene) -> None:
    """Let everybody sync until nothing moves, and see what holds. Raises `Broken`."""
    await meet(scene)
    scene.proxy.faults.clear()
    scene.server_wrong = 0
    scene.set_clock()
    if scene.said.unsaid:
        await scene.say_by_hand()
        await scene.start_server()
    for phone in scene.phones:
        if phone.strange:
            await scene.rejoin(phone)
    for _ in range(ROUNDS):
        scene.true += MINUTE
        scene.set_clock()
        await scene.confirm()
        before = sequences(scene.data)
        states = [await scene.sync(phone) for phone in scene.phones]
        await scene.rest()
        waiting = [one for one in scene.office.waiting() if not one.newer]
        if waiting:
            forged = [one.number for one in waiting if one.forged]
            await scene.office.decide(forged, "discard")
            scene.tally["forgeries discarded"] += len(forged)
            await scene.office.confirm_clock()
            await scene.office.decide([one.number for one in waiting if not one.forged], "release")
            scene.tally["records released"] += len(waiting) - len(forged)
            await scene.rest()
        calm = all([state is None or await _is_calm(scene, n, state) for n, state in enumerate(states)])
        if calm and not waiting and before == sequences(scene.data):
            break
    else:
        calls = [(n, state) for n, state in enumerate(states) if state]
        problems = [f"phone {n}: {state}" for n, state in calls if not await _is_calm(scene, n, state)]
        raise Broken([f"no rest after {ROUNDS} rounds", *problems, *(f"{one} waits" for one in waiting)])
    if scene.before_quiet:
        await scene.before_quiet(scene)
    seen = observe(scene.data)
    whole = seen._replace(archive=(*seen.archive, *scene.history), erased=seen.erased | scene.buried)
    # What a second server kept is gone with it.
    erased = invariants.stays_erased(seen, scene.tokens, _files(scene))
    problems = [*await _problems(scene, whole), *scene.said.shut_out(seen), *erased]
    if problems:
        raise Broken(problems)


async def meet(scene: Scene) -> None:
    """Where there are two servers, they exchange until nothing moves, and there is one. Raises `Broken`."""
    if scene.other is None:
        return
    scene.server_wrong = 0
    scene.set_clock()
    scene.proxy.elsewhere.clear()
    other, scene.other = scene.other, None
    await asyncio.to_thread(other.kill)
    await scene.kill_server()
    there = scene.place / "other"
    held = await pair.exchange(scene.data, there, scene.settle, scene.replicate)
    ended = observe(there)
    scene.history += ended.archive
    scene.buried |= ended.erased
    pair.carry(there, scene.data)
    found = ["two servers exchange and do not come to rest"] if held is None else invariants.same(*held)
    shutil.rmtree(there)
    if found:
        raise Broken(found)
    await scene.start_server()


async def check_own(scene: Scene) -> None:
    """What `camket check` says of the data, as a killed server leaves them."""
    await scene.kill_server()
    found = await servers.run(commands.check, scene.data, scene.clock.path)
    if scene.history:  # what came by the bare engine came behind the product's back, and it says so
        found = [text for text in found if "archive" not in text]
    if found:
        raise Broken([f"camket check: {text}" for text in found])


def check_log(scene: Scene) -> None:
    """The server meets nothing that it did not foresee."""
    log = (scene.place / servers.LOG).read_text("utf-8")
    found = [line for line in log.splitlines() if "unexpected" in line or "Traceback" in line]
    if found:
        raise Broken([f"the server's log: {log[log.index(found[0]) :][:3000]}"])


def _files(scene: Scene) -> dict[str, bytes]:
    """Every byte of the databases. The office lets go of them first: whoever closes a file drops all locks
    that its process has on it, and a server that stops then takes the log away from under the office."""
    scene.office.close()
    return {path.name: path.read_bytes() for path in scene.data.glob("*.sqlite*")} if scene.tokens else {}


async def _problems(scene: Scene, seen: Seen) -> list[str]:
    found = [
        *scene.said.kept(seen),
        *scene.said.unrefused(),
        *invariants.unmerged(seen),
        *invariants.unforged(seen, FORGED),
        *invariants.settled(seen),
        *invariants.merged(seen),
        *invariants.placed(seen),
        *invariants.asked(seen),
        *invariants.counted(seen),
    ]
    for phone in scene.phones:
        if phone.joined and not phone.revoked:
            look = (await scene.tell(phone, "look")).result
            held = ["commune", *(f"hamlet-{hamlet}" for hamlet in scene.office.hamlets(phone.volunteer))]
            found += invariants.agrees(phone.number, look, seen, held, scene.said.is_newer)
            found += scene.said.unread(phone.number, look, seen)
            found += invariants.pictured(phone.number, look, seen, scene.said.unpictured)
    return found


async def _is_calm(scene: Scene, number: int, state: Mapping[str, Any]) -> bool:
    """Whether a phone has nothing left to do: what it wrote for a later program waits as long as it takes."""
    if state["problem"] is not None or state["waiting"]:
        return False
    own = (await scene.tell(scene.phones[number], "look")).result["own"] if state["held"] else ()
    return all(scene.said.is_newer(db, doc_id, rev) for db, doc_id, rev, state, _ in own if state == "held")
