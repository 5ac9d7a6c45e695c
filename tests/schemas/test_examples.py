"""Every example gets the verdict of its folder; the PWA's validator is held to the same files."""

import json
from pathlib import Path
from typing import Any

import pytest

import schemas

EXAMPLES = Path(schemas.__file__).parent / "examples"


def _load(folder: str) -> list[Any]:
    paths = sorted((EXAMPLES / folder).glob("*.json"))
    return [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in paths]


@pytest.mark.parametrize("doc", _load("valid"))
def test_a_valid_document_has_no_problem(doc: dict[str, Any]) -> None:
    assert schemas.validate(doc) == []


@pytest.mark.parametrize("doc", _load("invalid"))
def test_an_invalid_document_is_told_what_is_wrong(doc: dict[str, Any]) -> None:
    assert schemas.validate(doc)


def test_every_type_has_an_example_of_both_kinds() -> None:
    for folder in ("valid", "invalid"):
        names = {
            case.values[0].get("type")
            for case in _load(folder)
            if isinstance(case.values[0].get("type"), str)
        }
        assert schemas.types() <= names


def test_a_newer_version_is_judged_by_its_envelope_alone() -> None:
    doc = json.loads((EXAMPLES / "valid" / "household.json").read_text("utf-8"))
    later = doc | {"v": 2, "name": {"given": "Mỷ"}, "added": True}
    assert schemas.newer(later)
    assert schemas.validate(later) == []
    assert schemas.validate(later | {"by": "?"}) == [schemas.Problem(("by",), "pattern")]
    assert not schemas.newer(doc)


PLACES: list[tuple[str, schemas.Problem]] = [
    ("household-with-phone", schemas.Problem(("phone",), "additionalProperties")),
    ("household-without-name", schemas.Problem(("name",), "required")),
    ("household-of-an-unknown-type", schemas.Problem(("type",), "type")),
    ("household-with-status-refused", schemas.Problem(("status", "is"), "enum")),
    ("visit-with-a-comment", schemas.Problem(("acts", 0, "comment"), "additionalProperties")),
    ("signed-by-touch-without-signature", schemas.Problem(("acts", 0, "signature"), "required")),
    ("act-of-an-unknown-kind", schemas.Problem(("acts", 0), "oneOf")),
    ("signature-off-the-grid", schemas.Problem(("strokes", 0, 1), "maximum")),
]


@pytest.mark.parametrize(("example", "problem"), PLACES, ids=[name for name, _ in PLACES])
def test_a_problem_names_the_place_and_the_reason(example: str, problem: schemas.Problem) -> None:
    doc = json.loads((EXAMPLES / "invalid" / f"{example}.json").read_text("utf-8"))
    assert schemas.validate(doc) == [problem]
