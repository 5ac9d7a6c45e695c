"""The shortest season that still fails: delta debugging over its steps, then over what each step says.

Real processes are not quite the same twice, so an attempt that passes proves little, and one that fails
proves that the story is enough: what comes out fails, and may not be the shortest there is.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from tests.sim.proxy import Fault
from tests.sim.season import Season, Step

Fails = Callable[[Season], Awaitable[bool]]


async def shrink(season: Season, fails: Fails, attempts: int = 150) -> Season:
    """A season of fewer and plainer steps of which `fails` says that it fails as well."""
    left = attempts

    async def still(steps: Sequence[Step]) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and await fails(replace(season, steps=tuple(steps)))

    steps = await _fewer(list(season.steps), still)
    for place in range(len(steps)):
        for plainer in _plainer(steps[place]):
            tried = [*steps[:place], plainer, *steps[place + 1 :]]
            if await still(tried):
                steps = tried
    return replace(season, steps=tuple(steps))


async def _fewer(steps: list[Step], still: Callable[[Sequence[Step]], Awaitable[bool]]) -> list[Step]:
    """`ddmin` (Zeller and Hildebrandt, 2002), complements only: a part that goes is usually many."""
    size = max(1, len(steps) // 2)
    while True:
        start, removed = 0, False
        while start < len(steps):
            tried = [*steps[:start], *steps[start + size :]]
            if await still(tried):
                steps, removed = tried, True
            else:
                start += size
        if size == 1 and not removed:
            return steps
        size = size if removed and size == 1 else max(1, size // 2)


def _plainer(step: Step) -> list[Step]:
    """The same step with one thing less."""
    found = []
    for name in ("moment", "full", "plain"):
        if name in step.args:
            found.append(step._replace(args={key: value for key, value in step.args.items() if key != name}))
    faults = step.args.get("faults")
    if step.do == "together":
        empty: list[list[Fault]] = [[] for _ in faults or ()]
        if faults != empty:
            found.append(step._replace(args={**step.args, "faults": empty}))
    elif faults:
        found += [step._replace(args={**step.args, "faults": faults[:left]}) for left in (0, 1)]
    return found


def kind(problem: str) -> str:
    """What sort of problem it is: its words without ids, revisions and figures."""
    return re.sub(r"\S*[0-9:{]\S*", "…", problem.splitlines()[0])[:120]
