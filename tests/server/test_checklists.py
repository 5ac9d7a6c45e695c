"""Checklists: the vectors that the phone is held to as well, and those that ship."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from server.checklists import check

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "checklists.json").read_text("utf-8"))
LIBRARY = sorted((Path(check.__file__).parent / "library").glob("*.json"))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_vectors(case: dict[str, Any]) -> None:
    checklist, answers = VECTORS["checklist"], case["answers"]
    assert [item["id"] for item in check.applicable(checklist, answers)] == case["applicable"]
    assert [list(problem) for problem in check.problems(checklist, answers)] == case["problems"]
    assert list(check.score(checklist, answers)) == case["score"]


@pytest.mark.parametrize("case", VECTORS["answered"], ids=lambda case: case["name"])
def test_photographs_are_answers(case: dict[str, Any]) -> None:
    assert check.answered(case["values"], case["photos"]) == case["answers"]


def test_six_checklists_for_models_ship_and_one_for_units() -> None:
    assert len(LIBRARY) == 7


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_shipped_checklist_has_no_flaw_and_every_item_names_its_source(path: Path) -> None:
    checklist = json.loads(path.read_text("utf-8"))
    assert checklist["slug"] == path.stem
    assert check.flaws(checklist) == []
    assert all(item["source"] for item in check.items(checklist))
    assert any("points" in item for item in check.items(checklist))


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda items: items[1].update(id="bell"), ("bell", "same_id_twice")),
        (lambda items: items[0].update(when={"item": "fault", "equals": "x"}), ("bell", "looks_ahead")),
        (
            lambda items: items[0].update(when={"not": {"item": "bell", "equals": True}}),
            ("bell", "looks_ahead"),
        ),
        (lambda items: items[0].pop("good"), ("bell", "points_without_good")),
        (lambda items: items[2]["options"][1].update(id="small"), ("fault_size", "same_option_twice")),
    ],
)
def test_a_flaw_in_what_staff_wrote_is_named(change: Any, flaw: tuple[str, str]) -> None:
    checklist = copy.deepcopy(VECTORS["checklist"])
    change(checklist["sections"][0]["items"])
    assert flaw in [tuple(found) for found in check.flaws(checklist)]


def test_a_range_that_nothing_fits_is_a_flaw() -> None:
    checklist = copy.deepcopy(VECTORS["checklist"])
    checklist["sections"][1]["items"][0]["min"] = 61
    assert ("homes", "empty_range") in [tuple(found) for found in check.flaws(checklist)]
