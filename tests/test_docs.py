"""What the README says of commands, settings and make targets is there; what is there is in the README."""

import re

from typer.main import get_command

from server.__main__ import command_line
from server.settings import VARIABLES
from tests.running import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def commands() -> set[str]:
    return set(getattr(get_command(command_line()), "commands", {}))


def test_every_command_is_in_the_readme() -> None:
    assert {name for name in commands() if f"camket {name}" not in README} == set()


def test_every_command_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )*camket ([a-z]+)", README))
    assert named - commands() == set()


def test_every_setting_is_in_the_readme_and_none_is_invented() -> None:
    there = set(VARIABLES.values())
    ours = {"CAMKET_TEST_COUCHDB", "CAMKET_TEST_DATABASE_URL", "CAMKET_BENCH_COUCHDB", "CAMKET_HYPOTHESIS"}
    named = set(re.findall(r"CAMKET_[A-Z_]+", README))
    assert there - named == set()
    assert named - there - ours == set()


def test_every_make_target_that_the_readme_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) - targets == set()


def test_every_link_inside_the_readme_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) - anchors == set()
