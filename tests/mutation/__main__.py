"""Put each fault into a copy of the tree and run the tests that must see it: `make mutate`.

`python -m tests.mutation NAME…` runs those whose names contain one of these. Ends with 1 where a fault
survives: then a test is missing. One that makes its tests hang is caught by the limit alone, and is told so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.mutation.every import FAULTS
from tests.mutation.faults import Fault
from tests.running import ROOT

LIMIT = 180
"""Seconds for the tests of one fault; they take a few."""
SURVIVED, UNFAIR = "SURVIVED", "UNFAIR"
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+?::(.+?)(?: - .*)?$|^not ok \d+ - (.+)$", re.MULTILINE)


class Verdict(NamedTuple):
    """What became of one fault: the test that caught it, or why none did."""

    fault: str
    caught: bool
    by: str
    seconds: float


class Tree:
    """A copy of the tree, in which one fault at a time is put."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        for made in ("pwa/node_modules", "pwa/dist", "tests/conformance/node_modules"):
            if (ROOT / made).exists():
                (root / made).symlink_to(ROOT / made)

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """While the fault is in. Raises ValueError where its old text does not stand exactly once."""
        file = self.root / fault.file
        sound = file.read_text("utf-8")
        if sound.count(fault.old) != 1:
            raise ValueError(f"{fault.name}: {fault.file} has its old text {sound.count(fault.old)} times")
        file.write_text(sound.replace(fault.old, fault.new), "utf-8")
        try:
            yield
        finally:
            file.write_text(sound, "utf-8")

    def run(self, tests: Sequence[str], limit: float = LIMIT) -> tuple[bool | None, str]:
        """Whether the tests passed, and the first that failed; None, and what was said, if none ran."""
        failed = ""
        for command in commands(tests):
            try:
                done = subprocess.run(
                    command,
                    cwd=self.root,
                    env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=limit,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return False, f"nothing but the limit of {limit:.0f} s"
            if done.returncode == 0:
                continue
            found = _FAILED.search(done.stdout)
            if done.returncode != 1 or not found:
                return None, done.stdout[-2000:]
            failed = failed or found[1] or found[2]
            break
        return not failed, failed


def commands(tests: Iterable[str]) -> Iterator[list[str]]:
    """What runs these tests: pytest, and the runner of `pwa/tests`."""
    python = [test for test in tests if not test.endswith(".ts")]
    node = [Path(test).name for test in tests if test.endswith(".ts")]
    if python:
        yield [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", *python]
    if node:
        yield ["node", "pwa/test.mjs", *node]


def judge(tree: Tree, fault: Fault) -> Verdict:
    """Put the fault in and run its tests."""
    begun = time.monotonic()
    with tree.broken(fault):
        passed, said = tree.run(fault.tests)
    seconds = time.monotonic() - begun
    if passed is None:
        return Verdict(fault.name, False, f"{UNFAIR}: the tests could not be run\n{said}", seconds)
    return Verdict(fault.name, not passed, said or SURVIVED, seconds)


def main(names: Sequence[str]) -> int:
    """Judge the faults whose names contain one of these, or all; the number of those that were not caught."""
    chosen = [fault for fault in FAULTS if not names or any(name in fault.name for name in names)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="camket-mutation-") as directory:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(min(os.cpu_count() or 1, 4)):
            trees.put(Tree(Path(directory) / str(number)))
        sound, said = _sound(trees, chosen)
        if not sound:
            print(f"The tests fail without any fault:\n{said}")
            return 2

        def one(fault: Fault) -> Verdict:
            tree = trees.get()
            try:
                verdict = judge(tree, fault)
            finally:
                trees.put(tree)
            print(f"{verdict.seconds:6.1f} s  {fault.name}: {verdict.by}", flush=True)
            return verdict

        with ThreadPoolExecutor(trees.qsize()) as pool:
            verdicts = list(pool.map(one, chosen))
    left = [verdict for verdict in verdicts if not verdict.caught]
    print(f"{len(verdicts) - len(left)} of {len(verdicts)} faults caught in {time.monotonic() - begun:.0f} s")
    for verdict in left:
        print(f"not caught: {verdict.fault}")
    return 1 if left else 0


def _sound(trees: "SimpleQueue[Tree]", faults: Iterable[Fault]) -> tuple[bool, str]:
    """Whether the tests pass while nothing is broken: else they prove nothing."""
    tests = sorted({test for fault in faults for test in fault.tests})
    whole = {test for test in tests if "::" not in test}
    tree = trees.get()
    try:
        passed, said = tree.run([t for t in tests if t in whole or t.partition("::")[0] not in whole], 900)
    finally:
        trees.put(tree)
    return passed is True, said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
