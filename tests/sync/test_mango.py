"""Selectors match what CouchDB's match, and none takes longer than it is given."""

import json
from typing import Any

import pytest

from sync.errors import BadRequest, PeerError
from sync.mango import compile_selector


def matches(selector: Any, doc: Any) -> bool:
    return compile_selector(selector)(doc, lambda: 5.0)


# What is expected is what mango_selector of CouchDB 3 answers; it moves negations down to the operators.
TABLE: list[tuple[Any, Any, bool]] = [
    ({}, {"a": 1}, True),
    ({"a": 1}, {"a": 1}, True),
    ({"a": 1}, {}, False),
    ({"a": {}}, {"a": {}}, True),
    ({"a.b": 1}, {"a": {"b": 1}}, True),
    ({"a": {"b": {"$gt": 1}}}, {"a": {"b": 2}}, True),
    # what is not there satisfies nothing, negated or not, but that it does not exist
    ({"$not": {"a": 1}}, {}, False),
    ({"$not": {"a": 1}}, {"a": 2}, True),
    ({"$not": {"a": 1}}, {"a": 1}, False),
    ({"$nor": [{"a": 1}]}, {}, False),
    ({"$nor": [{"a": 1}, {"a": 2}]}, {"a": 3}, True),
    ({"$nor": [{"a": 1}, {"a": 2}]}, {"a": 2}, False),
    ({"a": {"$not": {"$eq": 1}}}, {}, False),
    ({"a": {"$not": {"$eq": 1}}}, {"a": 2}, True),
    ({"a": {"$not": {"$regex": "x"}}}, {}, False),
    ({"a": {"$not": {"$regex": "x"}}}, {"a": 1}, True),
    ({"a": {"$not": {"$not": {"$eq": 1}}}}, {"a": 1}, True),
    ({"$not": {"$nor": [{"a": 1}, {"a": 2}]}}, {"a": 2}, True),
    ({"$not": {"$or": [{"a": 1}, {"b": 1}]}}, {"a": 2, "b": 2}, True),
    ({"$not": {"$or": [{"a": 1}, {"b": 1}]}}, {"a": 2, "b": 1}, False),
    ({"$not": {"a": 1, "b": 1}}, {"a": 1, "b": 2}, True),
    ({"$not": {"a": 1, "b": 1}}, {"a": 1}, False),
    ({"$not": {"a": {"$exists": True}}}, {}, True),
    ({"$not": {"a": {"$exists": False}}}, {}, False),
    ({"a": {"$exists": False}}, {}, True),
    ({"a": {"$nin": [1]}}, {}, False),
    ({"$and": []}, {}, True),
    ({"$or": []}, {}, True),
    ({"$nor": []}, {}, True),
    # the remainder has the sign of what is divided
    ({"n": {"$mod": [3, -2]}}, {"n": -5}, True),
    ({"n": {"$mod": [3, 1]}}, {"n": -5}, False),
    ({"n": {"$mod": [-3, 2]}}, {"n": 5}, True),
    ({"n": {"$mod": [3, 2]}}, {"n": 5}, True),
    # arrays
    ({"a": {"$all": [[1, 2]]}}, {"a": [1, 2]}, True),
    ({"a": {"$all": [[1, 2]]}}, {"a": [[1, 2], 3]}, True),
    ({"a": {"$all": [1, 2]}}, {"a": [2, 3, 1]}, True),
    ({"a": {"$all": []}}, {"a": [1]}, False),
    ({"a": {"$in": [[1, 2]]}}, {"a": [1, 2]}, False),
    ({"a": {"$in": [2]}}, {"a": [1, 2]}, True),
    ({"a": {"$in": [2, {"b": [1]}]}}, {"a": {"b": [1]}}, True),
    ({"a": {"$nin": [[1, 2]]}}, {"a": [1, 2]}, True),
    ({"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, {"a": [0, 2]}, True),
    ({"a": {"$not": {"$elemMatch": {"$gt": 1}}}}, {"a": [0]}, True),
    ({"a": {"$allMatch": {"b": 1}}}, {"a": [{"b": 1}, {"b": 2}]}, False),
    ({"a": {"$keyMapMatch": {"$beginsWith": "x"}}}, {"a": {"xy": 1}}, True),
    ({"a": {"$size": 2}}, {"a": [1, 2]}, True),
]


@pytest.mark.parametrize(("selector", "doc", "expected"), TABLE, ids=[json.dumps(row[:2]) for row in TABLE])
def test_it_matches_as_couchdb_does(selector: Any, doc: Any, expected: bool) -> None:
    assert matches(selector, doc) is expected


@pytest.mark.parametrize(
    "selector",
    [
        {"": 1},
        {"$not": {"": 1}},
        {"$gt": 1},
        {"a": {"$size": -1}},
        {"a": {"$elemMatch": 1}},
        {"$or": [{"a": 1}] * 1001},
        {"a": {"$eq": {str(n): n for n in range(1001)}}},
    ],
    ids=lambda selector: json.dumps(selector)[:40],
)
def test_what_says_nothing_or_too_much_is_refused(selector: Any) -> None:
    with pytest.raises(PeerError):
        compile_selector(selector)


def test_a_long_list_of_values_is_no_long_selector() -> None:
    assert matches({"_id": {"$in": [f"household:{n}" for n in range(5000)]}}, {"_id": "household:4999"})


@pytest.mark.parametrize(
    "condition",
    [
        {"$elemMatch": {"$regex": "^(a|aa){2,3}c$"}},
        {"$allMatch": {"$type": "string"}},
        {"$keyMapMatch": {"$regex": "no"}},
        {"$in": ["no"]},
        {"$not": {"$elemMatch": {"$eq": "no"}}},
    ],
    ids=str,
)
def test_it_ends_within_one_document_when_its_time_is_over(condition: Any) -> None:
    looks = iter(range(100))

    def left() -> float:
        if next(looks, None) is None:
            raise BadRequest("over")
        return 1.0

    items = {str(n): n for n in range(3000)} if "$keyMapMatch" in condition else ["aaaa"] * 3000
    with pytest.raises(BadRequest, match="over"):
        compile_selector({"a": condition})({"a": items}, left)
