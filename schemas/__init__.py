"""The documents: what each may hold, and by which rule each field merges.

One JSON Schema (2020-12) per type lies beside this file; they are read by Python and by TypeScript. What JSON
Schema cannot say (an id that digests its content, who may add which act) is `server.rules`.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind

Rule = Literal["set", "latest", "ask"]
ENVELOPE = ("_id", "type", "v", "by", "stamps", "asks")
"""What every document carries; these have no merge rule of their own."""

_HERE = Path(__file__).parent
_COMMON = "common"


class Problem(NamedTuple):
    """Something wrong with a document: where, and which keyword of the schema says so.

    `key` is the JSON Schema keyword (`pattern`, `required`, `additionalProperties`, `enum` …), or `type`/`v`
    for a document that no schema here describes. The catalogue words it for people.
    """

    path: tuple[str | int, ...]
    key: str


@cache
def types() -> frozenset[str]:
    """The types of document that there are."""
    return frozenset(path.stem for path in _HERE.glob("*.json")) - {_COMMON}


@cache
def schema(name: str) -> Mapping[str, Any]:
    """One schema as it lies in its file; `common` holds the shared shapes. KeyError where there is none."""
    if name != _COMMON and name not in types():
        raise KeyError(name)
    return cast(dict[str, Any], json.loads((_HERE / f"{name}.json").read_text("utf-8")))


@cache
def rules(name: str) -> Mapping[str, Rule]:
    """The merge rule of each field of a type. KeyError where there is no such type.

    >>> dict(rules("pledge"))
    {'acts': 'set'}
    """
    fields = schema(name)["properties"].items()
    return MappingProxyType({field: shape["x-merge"] for field, shape in fields if "x-merge" in shape})


def version(name: str) -> int:
    """The version of a type that this program knows. KeyError where there is no such type."""
    return cast(int, schema(name)["properties"]["v"]["const"])


def newer(doc: Mapping[str, Any]) -> bool:
    """Whether a document of a known type was written by a later program: kept whole, but not merged."""
    name, v = doc.get("type"), doc.get("v")
    return isinstance(name, str) and name in types() and type(v) is int and v > version(name)


def validate(doc: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with a document (its body and `_id`); [] where nothing is.

    Of a newer version only the envelope is checked: what it holds beside is for later programs to judge.
    """
    name = doc.get("type")
    if not isinstance(name, str) or name not in types():
        return [Problem(("type",), "type")]
    checker = _envelope(name) if newer(doc) else _validator(name)
    return [_problem(error) for error in checker.iter_errors(dict(doc))]


def _problem(error: ValidationError) -> Problem:
    path = tuple(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            return Problem((*path, name), "required")
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            return Problem((*path, names[0][:40]), "additionalProperties")
        case ValidationErrorKind.OneOfNotValid(context=branches):
            # what is wrong with an act is what is wrong with it as the kind that it says it is
            meant = [branch for branch in branches if not any(_at_kind(e, path) for e in branch)]
            return _problem(meant[0][0]) if meant and meant[0] else Problem(path, "oneOf")
    return Problem(path, error.kind.name)


def _at_kind(error: ValidationError, path: tuple[str | int, ...]) -> bool:
    return tuple(error.instance_path) == (*path, "kind") or (
        isinstance(error.kind, ValidationErrorKind.Required) and error.kind.property == "kind"
    )


@cache
def _registry() -> Registry:
    common = schema(_COMMON)
    return Registry([(common["$id"], dict(common))])


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(dict(schema(name)), registry=_registry())


@cache
def _envelope(name: str) -> Draft202012Validator:
    whole = schema(name)
    kept = {field: shape for field, shape in whole["properties"].items() if field in ENVELOPE}
    return Draft202012Validator(
        {
            "$schema": whole["$schema"],
            "$id": whole["$id"].replace(".json", ".envelope.json"),
            "type": "object",
            "properties": kept | {"v": {"type": "integer"}, "asks": {"type": "object"}},
            "required": ["_id", "type", "v", "by", "stamps"],
        },
        registry=_registry(),
    )
