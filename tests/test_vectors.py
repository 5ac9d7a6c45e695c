"""Python's side of the tables that both languages must agree on."""

from typing import Any

import pytest

import schemas
from server import review
from server.content import broken
from server.projection import outcome
from sync import canonical, merge
from sync.stamps import Stamp, advance
from tests.vectors import acts, table, whole


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["story"]) for case in table(name)]


@pytest.mark.parametrize("case", cases("canonical"))
def test_canonical_text(case: dict[str, Any]) -> None:
    if case["text"] is None:
        with pytest.raises(canonical.NotCanonical):
            canonical.encode(case["value"])
    else:
        assert canonical.encode(case["value"]).decode() == case["text"]


@pytest.mark.parametrize("case", cases("stamps"))
def test_the_next_stamp(case: dict[str, Any]) -> None:
    last = Stamp.parse(case["last"]) if case["last"] else None
    assert str(advance(last, case["now"], "phone1")) == case["next"]


@pytest.mark.parametrize("case", cases("writes"))
def test_a_write(case: dict[str, Any]) -> None:
    changes = dict(case["fields"]) | dict.fromkeys(case.get("clear", ()), merge.CLEARED)
    if case["acts"]:
        changes["acts"] = case["acts"]
    before = case["before"] or {"type": case["type"], "v": 1}
    after = merge.write(before, changes, case["stamp"], case["by"], schemas.rules(case["type"]))
    assert after == case["after"]


@pytest.mark.parametrize("case", cases("outcomes"))
def test_what_acts_come_to(case: dict[str, Any]) -> None:
    assert outcome(acts(case["acts"]))["signed"] is case["signed"]


@pytest.mark.parametrize("case", cases("rules"))
def test_a_rule_of_content(case: dict[str, Any]) -> None:
    refused = broken(case["doc"])
    assert (refused and refused.key) == case["key"]


def test_the_digest_of_what_is_reviewed() -> None:
    for case in whole("reviews")["digests"]:
        assert canonical.encode(review.reviewed(case["doc"])).decode() == case["text"], case["story"]
        assert review.digest(case["doc"]) == case["digest"], case["story"]


def test_what_a_review_comes_to() -> None:
    for case in whole("reviews")["states"]:
        assert review.state(case["now"], case["decision"]) == case["is"], case["story"]
