"""Canonical JSON against RFC 8785's own words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.canonical import MAX_INTEGER, NotCanonical, encode

TABLE = [
    ({"b": 1, "a": [True, False, None]}, '{"a":[true,false,null],"b":1}'),
    ({"a": "\u0000\b\t\n\f\r\u001f\u007f\"\\/"}, '{"a":"\\u0000\\b\\t\\n\\f\\r\\u001f\u007f\\"\\\\/"}'),
    ({"tên": "Nguyễn Văn Đức"}, '{"tên":"Nguyễn Văn Đức"}'),
    # RFC 8785, 3.2.3: keys sort by UTF-16 units, so an astral character comes before U+FB33
    ({"\ufb33": 1, "\U0001f600": 2, "\r": 3, "1": 4, "\u0080": 5, "ö": 6, "€": 7},
     '{"\\r":3,"1":4,"\u0080":5,"ö":6,"€":7,"\U0001f600":2,"\ufb33":1}'),
    ([MAX_INTEGER, -MAX_INTEGER, 0], f"[{MAX_INTEGER},{-MAX_INTEGER},0]"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), TABLE)
def test_the_canonical_form(value: Any, text: str) -> None:
    assert encode(value).decode() == text


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": {"b": [1.5]}}, r"a\.b\[0\]: float"),
        ({"a": 1.0}, "a: float"),
        ({"a": float("nan")}, "float"),
        ({"a": MAX_INTEGER + 1}, "a: integer beyond"),
        ({1: 2}, "key that is no text"),
        ({"a": "\ud800"}, "JSON"),
        ({"\udfff": 1}, "JSON"),
        ({"ơ": "\ud800"}, "JSON"),
        ({"a": b"bytes"}, "bytes"),
        (deep(300), "nested deeper"),
    ],
)
def test_what_has_no_canonical_form_says_where(value: Any, why: str) -> None:
    with pytest.raises(NotCanonical, match=why):
        encode(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_it_is_the_same_json_and_reads_back_to_the_same_bytes(value: Any) -> None:
    data = encode(value)
    assert json.loads(data) == value
    assert encode(json.loads(data)) == data


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_depend_on_the_order_they_came_in(value: dict[str, int]) -> None:
    assert encode(dict(reversed(value.items()))) == encode(value)
    keys = [key.encode("utf-16-be") for key in json.loads(encode(value))]
    assert keys == sorted(keys)
