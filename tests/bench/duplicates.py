"""How well households that were entered twice are found: precision and recall on generated lists.

Each list has ten hamlets of 150 households and 140 known second entries, written in eight ways (without
marks, initials, the given name first, a slip …), a fifth of them far away on the walk, among namesakes that
are none. What the lists look like is our own guess: a commune's real list will differ.
"""

import time
from random import Random

from server.duplicates import pairs
from tests.server.test_duplicates import commune

SEEDS = range(10)


def main() -> None:
    """Ten lists, none of them the one that the test holds its bounds to."""
    print("duplicates: precision and recall on ten generated lists of 1,640 households")
    figures, began = [], time.process_time()
    for seed in SEEDS:
        hamlets, known = commune(Random(seed))
        offered = {frozenset({pair.one.id, pair.other.id}) for there in hamlets for pair in pairs(there)}
        right = len(offered & known)
        figures.append((right / len(offered), right / len(known)))
    took = (time.process_time() - began) / len(SEEDS)
    for name, values in zip(("precision", "recall"), zip(*figures, strict=True), strict=True):
        print(f"  {name}: {sum(values) / len(values):.3f} on average, {min(values):.3f} at worst")
    print(f"  {took:.2f} s of one core a list")
