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


MAPS = {
    "common/$defs/asks": "names of fields: server.content",
    "inspection/properties/answers/properties/values": "names of items: the checklist, server.rules",
}
"""Objects whose names are data, and who says which names may stand there."""


def test_an_object_with_names_of_its_own_is_one_of_those_above() -> None:
    found = {path for name in [*NAMES, "common"] for path in _maps(schemas.schema(name), name)}
    assert found == MAPS.keys()


def _maps(shape: Any, path: str) -> Iterator[str]:
    if isinstance(shape, Mapping):
        if shape.get("type") == "object" and "properties" not in shape:
            yield path
        for key, part in shape.items():
            yield from _maps(part, f"{path}/{key}")


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


@pytest.mark.parametrize("name", ["household", "unit", "pledge", "signature", "photo", "common"])
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


def _lines(name: str) -> set[str]:
    """The fields of a type that hold free text: a line, a paragraph, or a text of the schema itself."""
    found = set()
    for field, shape in schemas.schema(name)["properties"].items():
        texts = {path for path, _ in _strings(shape, field)}
        if field not in schemas.ENVELOPE and (
            texts or _refers(shape) & {"line", "text", "label", "answer", "place"}
        ):
            found.add(field)
    return found


def _refers(shape: Any) -> set[str]:
    if isinstance(shape, list):
        return set().union(*map(_refers, shape))
    if not isinstance(shape, Mapping):
        return set()
    own = {shape["$ref"].rpartition("/")[2]} if "$ref" in shape else set()
    return own.union(*(_refers(part) for part in shape.values()))


def test_free_text_stands_only_where_the_design_allows_it() -> None:
    """Equipment, model, outreach, review (design, section 2); a place; what the office tells everybody."""
    assert {name: fields for name in NAMES if (fields := _lines(name))} == {
        "bulletin": {"text"},
        "checklist": {"source"},
        "clauses": {"items"},
        "household": {"place"},
        "inspection": {"subject", "answers", "findings", "follow_up"},
        "model": {"decision", "note"},
        "notice": {"items"},
        "outreach": {"place", "note"},
        "review": {"decision"},
        "unit": {"place"},
    }


def test_a_place_is_a_house_and_a_lane() -> None:
    texts = {path for path, _ in _strings(schemas.schema("common")["$defs"]["place"], "place")}
    assert texts == {"place/properties/house", "place/properties/lane"}
