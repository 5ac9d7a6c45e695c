"""The shape of the whole: the names at the top, who may import whom, and how long a file may grow."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

TOP = {"server", "pwa", "sync", "schemas", "tests", "pyproject.toml", "README.md"}
"""The customer's closed list."""

FOR_TOOLS = {
    ".ci", ".gitattributes", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile",
    "requirements.lock", "requirements-dev.lock", "requirements-node.lock",
}  # fmt: skip
LONGEST = 400
SOURCE = {".py", ".ts", ".tsx", ".mjs", ".css", ".html"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [Path(name.decode()) for name in listed.split(b"\0") if name]


def test_nothing_stands_at_the_top_but_the_customers_names_and_what_tools_need() -> None:
    assert {path.parts[0] for path in tracked()} - TOP - FOR_TOOLS == set()


def test_the_seam_to_a_store_fits_one_screen() -> None:
    assert len((ROOT / "sync/store/interface.py").read_text("utf-8").splitlines()) <= 80


def test_a_file_past_four_hundred_lines_gives_its_reason_at_its_head() -> None:
    long = [
        path
        for path in tracked()
        if path.suffix in SOURCE
        and "generated" not in path.parts
        and len(lines := (ROOT / path).read_text("utf-8").splitlines()) > LONGEST
        and not any("one file" in line for line in lines[:20])
    ]
    assert long == []


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("sync/merge.py", "import time", "The pure core of sync"),
        ("sync/rev.py", "import random", "The pure core of sync"),
        ("sync/store/sqlite.py", "import server.settings", "Imports run downwards only"),
        ("schemas/__init__.py", "import sync.rev", "Imports run downwards only"),
        ("sync/http/__init__.py", "import sync.store.sqlite", "Routes see the store's interface"),
    ],
)
def test_an_import_that_runs_upwards_breaks_its_contract(
    tmp_path: Path, file: str, line: str, contract: str
) -> None:
    for part in ("schemas", "sync", "server"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 1, linted.stdout
    assert any(contract in said and "BROKEN" in said for said in linted.stdout.splitlines()), linted.stdout
