"""Which items of a checklist apply, what is wrong with a set of answers, and what they score.

A **test** looks at one value: `{"equals": true}`, `{"at_least": 5, "at_most": 15}`, `{"one_of": ["few"]}`;
all its parts must hold. A **condition** is a test with the `item` that it looks at, or `{"all": […]}`,
`{"any": […]}`, `{"not": …}`. A missing answer passes no test. There are no expression strings: a condition is
JSON that a form can edit and that cannot run anything.

The score is computed whenever it is shown and stored nowhere: it would be one more thing to merge.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Item = Mapping[str, Any]
Checklist = Mapping[str, Any]
Answers = Mapping[str, Any]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXT_LIMIT = 200


class Problem(NamedTuple):
    """What is wrong with the answer to an item: a key of the catalogues (`checklist.<key>`)."""

    item: str
    key: str


class Score(NamedTuple):
    """Points earned of those that the applicable items offer."""

    earned: int
    possible: int


def items(checklist: Checklist) -> Iterator[Item]:
    """All items, in the order in which they are asked."""
    for section in checklist["sections"]:
        yield from section["items"]


def passes(test: Mapping[str, Any], value: Any) -> bool:
    """Whether a value passes a test. A list passes `one_of` where it holds any of them."""
    if value is None:
        return False
    if "equals" in test and (value != test["equals"] or type(value) is not type(test["equals"])):
        return False
    if "at_least" in test and not (type(value) is int and value >= test["at_least"]):
        return False
    if "at_most" in test and not (type(value) is int and value <= test["at_most"]):
        return False
    return "one_of" not in test or any(
        one in test["one_of"] for one in (value if isinstance(value, list) else [value])
    )


def holds(condition: Mapping[str, Any], answers: Answers) -> bool:
    """Whether a condition holds for the answers to the items that apply."""
    if "all" in condition:
        return all(holds(part, answers) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, answers) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], answers)
    return passes(condition, answers.get(condition["item"]))


def answered(values: Answers, photos: Sequence[Mapping[str, Any]]) -> Answers:
    """The answers of an inspection: its `values`, and for each item its photographs that nobody removed."""
    removed = {photo["removes"] for photo in photos if "removes" in photo}
    shown: dict[str, list[str]] = {}
    for photo in photos:
        if "item" in photo and photo["id"] not in removed:
            shown.setdefault(photo["item"], []).append(photo["id"])
    return {**values, **shown}


def applicable(checklist: Checklist, answers: Answers) -> list[Item]:
    """The items that apply. What was answered to an item that no longer applies counts as not answered."""
    shown: list[Item] = []
    counted: dict[str, Any] = {}
    for item in items(checklist):
        if "when" not in item or holds(item["when"], counted):
            shown.append(item)
            if item["id"] in answers:
                counted[item["id"]] = answers[item["id"]]
    return shown


def problems(checklist: Checklist, answers: Answers) -> list[Problem]:
    """All that is wrong with the answers, in the order of the items; unknown items last."""
    shown = applicable(checklist, answers)
    found = [
        Problem(item["id"], key)
        for item in shown
        if (key := _wrong(item, answers.get(item["id"]))) is not None
    ]
    known = {item["id"] for item in items(checklist)}
    return found + [Problem(name, "unknown_item") for name in sorted(answers.keys() - known)]


def score(checklist: Checklist, answers: Answers) -> Score:
    """Points earned and possible over the items that apply and carry points."""
    counted = [item for item in applicable(checklist, answers) if "points" in item]
    earned = sum(item["points"] for item in counted if passes(item["good"], answers.get(item["id"])))
    return Score(earned, sum(item["points"] for item in counted))


def fine(checklist: Checklist, answers: Answers) -> bool:
    """Whether every item with a good answer has it, and nothing was written in words."""
    return all(
        answers.get(item["id"]) is None
        if item["kind"] == "text"
        else "good" not in item or passes(item["good"], answers.get(item["id"]))
        for item in applicable(checklist, answers)
    )


def flaws(checklist: Checklist) -> list[Problem]:
    """What JSON Schema cannot say of a checklist that staff wrote: each item with the key of its flaw."""
    found: list[Problem] = []
    seen: set[str] = set()
    for item in items(checklist):
        name = item["id"]
        if name in seen:
            found.append(Problem(name, "same_id_twice"))
        if "when" in item and not _looks_at(item["when"]) <= seen:
            found.append(Problem(name, "looks_ahead"))
        if item["kind"] == "number" and item["min"] > item["max"]:
            found.append(Problem(name, "empty_range"))
        if ("points" in item) != ("good" in item):
            found.append(Problem(name, "points_without_good"))
        options = [option["id"] for option in item.get("options", [])]
        if len(set(options)) != len(options):
            found.append(Problem(name, "same_option_twice"))
        seen.add(name)
    return found


def _looks_at(condition: Mapping[str, Any]) -> set[str]:
    parts: Sequence[Mapping[str, Any]] = condition.get("all") or condition.get("any") or []
    if "not" in condition:
        parts = [condition["not"]]
    return set().union(*map(_looks_at, parts)) if "item" not in condition else {condition["item"]}


def _wrong(item: Item, value: Any) -> str | None:
    """The key of what is wrong with one value, None where nothing is."""
    if value is None or value in ("", []):
        return "required" if item.get("required") else (None if value is None else "empty")
    return _WRONG[item["kind"]](item, value)


def _wrong_number(item: Item, value: Any) -> str | None:
    if type(value) is not int:
        return "not_a_number"
    return None if item["min"] <= value <= item["max"] else "out_of_range"


def _wrong_option(item: Item, value: Any) -> str | None:
    chosen = value if item["kind"] == "multi" and isinstance(value, list) else [value]
    options = [option["id"] for option in item["options"]]
    twice = any(chosen.count(one) > 1 for one in chosen)
    return "not_an_option" if twice or any(one not in options for one in chosen) else None


def _wrong_text(_: Item, value: Any) -> str | None:
    return None if isinstance(value, str) and len(value) <= _TEXT_LIMIT else "too_long"


def _wrong_photo(item: Item, value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > item["max"]:
        return "not_a_photo"
    return None if all(isinstance(one, str) and _SHA256.fullmatch(one) for one in value) else "not_a_photo"


_WRONG: Mapping[str, Callable[[Item, Any], str | None]] = {
    "yes_no": lambda _, value: None if type(value) is bool else "not_yes_no",
    "number": _wrong_number,
    "choice": _wrong_option,
    "multi": _wrong_option,
    "text": _wrong_text,
    "photo": _wrong_photo,
}
