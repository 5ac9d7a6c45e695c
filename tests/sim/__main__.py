"""Many seasons, in lanes side by side: `make sim SEASONS=20`, `python -m tests.sim --seasons 2000`.

A season that fails is made short and told in words; the seed replays it: `python -m tests.sim --seed N`.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from tests.running import ROOT
from tests.sim.lane import Lane, Result, lane
from tests.sim.season import Season, generate
from tests.sim.shrink import kind, shrink
from tests.sim.story import tell

SHRUNK = 3
"""Failing seasons that are made short; the others are named by their seed."""


def main() -> int:
    """The command; 1 where a season failed."""
    asked = _arguments()
    if asked.lane is not None:
        asyncio.run(_lane(range(asked.first + asked.lane, asked.first + asked.seasons, asked.lanes)))
        return 0
    if asked.seed is not None:
        return asyncio.run(_one(asked.seed, tell_it=not asked.quiet))
    return asyncio.run(_all(asked))


def _arguments() -> argparse.Namespace:
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("--seasons", type=int, default=20)
    command.add_argument("--first", type=int, default=1, help="the first seed")
    command.add_argument("--lanes", type=int, default=min(2, os.cpu_count() or 1), help="seasons at once")
    command.add_argument("--seed", type=int, help="run this season alone, and make it short where it fails")
    command.add_argument("--quiet", action="store_true", help="do not tell a single season before it runs")
    command.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    return command.parse_args()


async def _lane(seeds: Sequence[int]) -> None:
    """Run these seasons one after the other, and print each result as a line of JSON."""
    async with lane() as here:
        for seed in seeds:
            print(json.dumps(await here.run(generate(seed))), flush=True)


async def _all(asked: argparse.Namespace) -> int:
    begun = time.monotonic()
    tally: Counter[str] = Counter()
    failed: list[Result] = []
    done = 0
    async for result in _results(asked):
        done += 1
        tally.update(result.tally)
        if result.problems:
            failed.append(result)
            print(f"season {result.seed} fails:", *result.problems[:8], sep="\n    ", flush=True)
        if done % 50 == 0:
            print(f"{done} seasons, {len(failed)} failed, {time.monotonic() - begun:.0f} s", flush=True)
    print(_table(tally))
    print(f"{done} seasons in {time.monotonic() - begun:.0f} s: {len(failed)} failed.", flush=True)
    for result in failed[:SHRUNK]:
        await _one(result.seed, tell_it=False)
    return 1 if failed or done < asked.seasons else 0


async def _results(asked: argparse.Namespace) -> AsyncIterator[Result]:
    """What the lanes say, as they say it."""
    heard: asyncio.Queue[Result | None] = asyncio.Queue()

    async def listen(number: int) -> None:
        words = ["--seasons", asked.seasons, "--first", asked.first, "--lanes", asked.lanes, "--lane", number]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.sim",
            *map(str, words),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        assert process.stdout is not None
        while line := await process.stdout.readline():
            heard.put_nowait(Result(*json.loads(line)))
        if await process.wait():
            print(f"lane {number} ended with {process.returncode}", flush=True)
        heard.put_nowait(None)

    listening = [asyncio.create_task(listen(number)) for number in range(asked.lanes)]
    open_lanes = len(listening)
    while open_lanes:
        result = await heard.get()
        if result is None:
            open_lanes -= 1
        else:
            yield result
    await asyncio.gather(*listening)


async def _one(seed: int, *, tell_it: bool) -> int:
    """One season; where it fails, the shortest story that still does."""
    season = generate(seed)
    if tell_it:
        print(tell(season), flush=True)
    async with lane() as here:
        result = await here.run(season)
        if not result.problems:
            print(f"Season {seed} passes, in {result.seconds:.1f} s.")
            return 0
        print(f"Season {seed} fails:", *result.problems, sep="\n    ", flush=True)
        short = await shrink(season, lambda one: _fails_alike(here, one, kind(result.problems[0])))
        again = await here.run(short)
        print(f"The shortest story found, {len(short.steps)} steps of {len(season.steps)}:")
        print(tell(short))
        print("It ends with:", *again.problems, sep="\n    ", flush=True)
        return 1


async def _fails_alike(here: Lane, season: Season, sort: str) -> bool:
    return any(kind(problem) == sort for problem in (await here.run(season)).problems)


def _table(tally: Counter[str]) -> str:
    """What happened how often, in columns."""
    cells = [f"{count:>9,} {what}" for what, count in sorted(tally.items())]
    height = -(-len(cells) // 3)
    rows = [cells[place::height] for place in range(height)]
    return "\n".join("".join(f"{cell:<36}" for cell in row).rstrip() for row in rows)


if __name__ == "__main__":
    sys.exit(main())
