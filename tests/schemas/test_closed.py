"""What the schemas must never come to hold, and what no field may lack."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import schemas

NAMES = sorted(schemas.types())

RULED_OUT = re.compile(
    r"ethnic|relig|belie|opinion|politic|offen[cs]|crim|suspic|suspect|id_?num|cccd|cmnd|passport|birth|dob|age$"
    r"|member|child|phone|email|gps|lat(itude)?$|lon(gitude)?$|position|coord|refus|reason|score|rank|photo|image"
    r"|fingerprint|pressure|time|comment|note$|remark|free",
)
"""Words of fields that section 2 of the design rules out of households, pledges and signatures."""


def _objects(shape: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every sub-schema that describes an object, wherever it stands."""
    if isinstance(shape, Mapping):
        if "properties" in shape and shape.get("type") == "object":
            yield path, shape
        for key, part in shape.items():
            yield from _objects(part, f"{path}/{key}")
    elif isinstance(shape, list):
        for number, part in enumerate(shape):
            yield from _objects(part, f"{path}/{number}")


OBJECTS = [case for name in [*NAMES, "common"] for case in _objects(schemas.schema(name), name)]


@pytest.mark.parametrize(("path", "shape"), OBJECTS, ids=[path for path, _ in OBJECTS])
def test_every_object_is_closed(path: str, shape: Mapping[str, Any]) -> None:
    if path == "common/$defs/stamps":  # names of fields: which ones may stand there, server.rules says
        assert shape["additionalProperties"] == {"$ref": "#/$defs/stamp"}
    else:
        assert shape["additionalProperties"] is False


def _untyped(shape: Any, path: str) -> Iterator[str]:
    """Places that would take any value at all."""
    for name, part in shape.get("properties", {}).items():
        if isinstance(part, Mapping) and not part.keys() & {"$ref", "type", "const", "enum"}:
            yield f"{path}/{name}"
        elif isinstance(part, Mapping):
            yield from _untyped(part, f"{path}/{name}")
    items = shape.get("items")
    if shape.get("type") == "array" and not isinstance(items, Mapping):
        yield path


@pytest.mark.parametrize("name", NAMES)
def test_no_field_takes_any_value_at_all(name: str) -> None:
    assert list(_untyped(schemas.schema(name), name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_merge_rule(name: str) -> None:
    fields = schemas.schema(name)["properties"].keys() - set(schemas.ENVELOPE)
    assert fields == schemas.rules(name).keys()
    assert set(schemas.rules(name).values()) <= {"set", "latest", "ask"}


@pytest.mark.parametrize("name", NAMES)
def test_the_envelope_is_in_every_type_and_has_no_rule(name: str) -> None:
    shape = schemas.schema(name)
    assert {"_id", "type", "v", "by", "stamps"} <= set(shape["required"])
    assert shape["properties"]["type"] == {"const": name}
    assert not any("x-merge" in shape["properties"].get(field, {}) for field in schemas.ENVELOPE)


def _fields(shape: Any) -> Iterator[str]:
    if isinstance(shape, Mapping):
        for key, part in shape.items():
            if key == "properties":
                yield from part
            yield from _fields(part)
    elif isinstance(shape, list):
        for part in shape:
            yield from _fields(part)


@pytest.mark.parametrize("name", ["household", "pledge", "signature", "common"])
def test_no_field_holds_what_the_product_does_not_collect(name: str) -> None:
    assert [field for field in _fields(schemas.schema(name)) if RULED_OUT.search(field)] == []


def test_texts_are_bounded_everywhere() -> None:
    unbounded = [
        path
        for name in [*NAMES, "common"]
        for path, shape in _strings(schemas.schema(name), name)
        if not shape.keys() & {"maxLength", "const", "enum"} and not shape.get("pattern", "").startswith("^")
    ]
    assert unbounded == []


def _strings(shape: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(shape, Mapping):
        if shape.get("type") == "string":
            yield path, shape
        for key, part in shape.items():
            yield from _strings(part, f"{path}/{key}")
    elif isinstance(shape, list):
        for number, part in enumerate(shape):
            yield from _strings(part, f"{path}/{number}")


def test_a_household_has_no_free_text_beside_its_name_and_place() -> None:
    texts = {path for path, _ in _strings(schemas.schema("household"), "household")}
    assert texts == {
        "household/properties/_id",
        "household/properties/place/properties/house",
        "household/properties/place/properties/lane",
    }
