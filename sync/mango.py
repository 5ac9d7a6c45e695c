"""Mango selectors: a JSON object becomes a function that says whether a document matches. Pure.

Comparison is CouchDB's collation order over types (null, booleans, numbers, text, arrays, objects); text is
compared by byte, not by ICU. As in CouchDB, a negation goes down to the operators: a field that is not there
satisfies none of them, negated or not, but `$exists`.

A few letters of a selector can ask for more work than there is time, so every step of a match first looks at
how much is left.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import regex

from sync import wire
from sync.errors import BadRequest, InvalidOperator

Left = Callable[[], float]
"""The seconds that are left, more than 0. Raises where none are."""
Matches = Callable[[Any, Left], bool]

_DEEPEST = 50
_MOST_TERMS = 1000
"""Fields, operators and combinations in one selector."""
_SLOWEST = 0.1
"""Seconds that one regular expression may take on one value: some never end."""
_MOST_PATTERNS = 16
"""Regular expressions in one selector."""
_LONGEST_PATTERN = 50_000
"""Letters of a regular expression with its counted repetitions written out, as the compiler does: two dozen
letters can ask for more memory than there is."""
_COUNTED = re.compile(r"\{[^{}]*\}")


class _Missing:
    """The value of a field that is not there."""


MISSING = _Missing()


def compile_selector(selector: object) -> Matches:
    """A function of a document and of the time that it may take. Raises BadRequest, InvalidOperator."""
    if not isinstance(selector, dict):
        raise BadRequest("Selector error: expected a JSON object")
    if wire.to_json(selector).count(b'"$regex"') > _MOST_PATTERNS:  # which refuses what nests too deep, too
        raise BadRequest("The selector has too many regular expressions.")
    if _terms(selector) > _MOST_TERMS:
        raise BadRequest(f"The selector has more than {_MOST_TERMS} terms.")
    matches = _object(selector, 0, negated=False)
    if any(name.startswith("$") and name not in _COMBINING for name in selector):
        raise BadRequest("One or more conditions is missing a field name.")
    return matches


def _terms(value: object) -> int:
    """How many members and nested values there are. Plain values in a list (of `$in`) are not counted."""
    if isinstance(value, dict):
        return sum(1 + _terms(item) for item in value.values())
    if isinstance(value, list):
        return sum(1 + _terms(item) for item in value if isinstance(item, dict | list))
    return 0


def _object(selector: Mapping[str, Any], depth: int, *, negated: bool) -> Matches:
    """Fields and combinations, all of which must hold of the value; negated: one of which must not."""
    if depth > _DEEPEST:
        raise BadRequest("The selector nests too deep.")
    tests = [
        _combination(name, argument, depth, negated=negated)
        if name in _COMBINING
        else _field(name, argument, depth, negated=negated)
        for name, argument in selector.items()
    ]
    return _one_of(tests) if negated else _every(tests)


def _every(tests: Sequence[Matches]) -> Matches:
    return lambda value, left: all(test(value, left) for test in tests)


def _one_of(tests: Sequence[Matches]) -> Matches:
    """Of none at all everything holds, as CouchDB has it."""
    return lambda value, left: not tests or any(test(value, left) for test in tests)


def _field(name: str, argument: Any, depth: int, *, negated: bool) -> Matches:
    if name.startswith("$"):
        return _operator(name, argument, depth, negated=negated)
    if not name:
        raise BadRequest("One or more conditions is missing a field name.")
    path = _path(name)
    test = _condition(argument, depth + 1, negated=negated)
    return lambda value, left: test(_at(value, path), left)


def _condition(argument: Any, depth: int, *, negated: bool = False) -> Matches:
    """What a field must satisfy: operators, fields within it, or a value that it equals."""
    if not isinstance(argument, dict) or not argument:
        return _operator("$eq", argument, depth, negated=negated)
    return _object(argument, depth, negated=negated)


def _path(name: str) -> list[str]:
    """`a.b` is a field in a field; `a\\.b` is one name."""
    parts = [""]
    letters = iter(name)
    for letter in letters:
        if letter == ".":
            parts.append("")
        elif letter == "\\":
            follows = next(letters, "")
            parts[-1] += follows if follows in ".$" else "\\" + follows
        else:
            parts[-1] += letter
    return parts


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif (
            isinstance(value, list)
            and name.isascii()
            and name.isdigit()
            and len(name) < 9
            and int(name) < len(value)
        ):
            value = value[int(name)]
        else:
            return MISSING
    return value


# --- combining ----------------------------------------------------------------------------------------------

_COMBINING = frozenset({"$and", "$or", "$nor", "$not"})


def _combination(name: str, argument: Any, depth: int, *, negated: bool) -> Matches:
    if name == "$not":
        if not isinstance(argument, dict):
            raise BadRequest("Argument of $not must be an object")
        return _condition(argument, depth + 1, negated=not negated)
    if not isinstance(argument, list):
        raise BadRequest(f"Argument of {name} must be an array")
    tests = [_condition(part, depth + 1, negated=negated != (name == "$nor")) for part in argument]
    return _every(tests) if (name == "$or") == negated else _one_of(tests)


# --- operators ----------------------------------------------------------------------------------------------


def _operator(name: str, argument: Any, depth: int, *, negated: bool) -> Matches:
    if name == "$exists":
        return _exists(argument, negated=negated)
    make = _OPERATORS.get(name)
    if make is None:
        raise InvalidOperator(f"Invalid operator: {name[:40]}")
    test = make(argument, depth)

    def matches(value: Any, left: Left) -> bool:
        if value is MISSING:
            return False
        left()
        return test(value, left) != negated

    return matches


def _exists(argument: Any, *, negated: bool) -> Matches:
    if not isinstance(argument, bool):
        raise BadRequest("Argument of $exists must be a boolean")
    return lambda value, _: (value is not MISSING) == (argument != negated)


def _comparing(holds: Callable[[Any, Any], bool]) -> Callable[[Any, int], Matches]:
    def make(argument: Any, _: int) -> Matches:
        key = _key(argument)
        return lambda value, _: holds(_key(value), key)

    return make


def _in(argument: Any, _: int) -> Matches:
    keys = frozenset(_key(item) for item in _array("$in", argument))
    return lambda value, left: any(
        _key(item) in keys for item in _timed(value if isinstance(value, list) else [value], left)
    )


def _nin(argument: Any, depth: int) -> Matches:
    among = _in(_array("$nin", argument), depth)
    return lambda value, left: not among(value, left)


def _all(argument: Any, _: int) -> Matches:
    keys = frozenset(_key(item) for item in _array("$all", argument))
    itself = frozenset([_key(argument[0])] if len(argument) == 1 else [])

    def matches(value: Any, left: Left) -> bool:
        if not isinstance(value, list) or not keys:
            return False
        return keys <= {_key(item) for item in _timed(value, left)} or _key(value) in itself

    return matches


def _element(argument: Any, depth: int) -> Matches:
    test = _condition(_members("$elemMatch", argument), depth + 1)
    return lambda value, left: (
        isinstance(value, list) and any(test(item, left) for item in _timed(value, left))
    )


def _every_element(argument: Any, depth: int) -> Matches:
    test = _condition(_members("$allMatch", argument), depth + 1)
    return lambda value, left: (
        isinstance(value, list) and bool(value) and all(test(item, left) for item in _timed(value, left))
    )


def _key_matches(argument: Any, depth: int) -> Matches:
    test = _condition(_members("$keyMapMatch", argument), depth + 1)
    return lambda value, left: isinstance(value, dict) and any(test(key, left) for key in _timed(value, left))


def _timed(items: Iterable[Any], left: Left) -> Iterator[Any]:
    """The items, as long as there is time."""
    for item in items:
        left()
        yield item


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _type(argument: Any, _: int) -> Matches:
    if not isinstance(argument, str) or argument not in _TYPES:
        raise BadRequest("Argument of $type must be the name of a JSON type")
    of_type = _TYPES[argument]
    return lambda value, _: of_type(value)


def _size(argument: Any, _: int) -> Matches:
    if not _is_whole(argument) or argument < 0:
        raise BadRequest("Argument of $size must be an integer from 0 up")
    return lambda value, _: isinstance(value, list) and len(value) == argument


def _mod(argument: Any, _: int) -> Matches:
    if not (isinstance(argument, list) and len(argument) == 2 and all(_is_whole(part) for part in argument)):
        raise BadRequest("Argument of $mod must be an array of two integers")
    divisor, rest = argument
    if divisor == 0:
        raise BadRequest("The divisor of $mod must not be 0")
    return lambda value, _: _is_whole(value) and _remainder(value, divisor) == rest


def _remainder(value: int, divisor: int) -> int:
    """What is left of a division towards 0, as Erlang's `rem`: it has the sign of what is divided."""
    rest = abs(value) % abs(divisor)
    return -rest if value < 0 else rest


def _regex(argument: Any, _: int) -> Matches:
    try:
        if not isinstance(argument, str):
            raise TypeError
        if _written_out(argument) > _LONGEST_PATTERN:
            raise BadRequest("The regular expression of the selector is too long, or repeats too much.")
        pattern = regex.compile(argument, cache_pattern=False)
    except (TypeError, regex.error, RecursionError) as error:
        raise BadRequest("Argument of $regex must be a regular expression") from error

    def matches(value: Any, left: Left) -> bool:
        if not isinstance(value, str):
            return False
        try:
            return pattern.search(value, timeout=min(_SLOWEST, left()), concurrent=True) is not None
        except TimeoutError as error:
            raise BadRequest("The regular expression of the selector takes too long.") from error

    return matches


def _written_out(pattern: str) -> int:
    """At most how long a pattern is with its repetitions written out, as if each stood in all the others."""
    counts = (re.findall("[0-9]+", braces) for braces in _COUNTED.findall(pattern))
    return len(pattern) * prod(max(int(number[:9]) for number in [*numbers, "1"]) for numbers in counts)


def _begins(argument: Any, _: int) -> Matches:
    if not isinstance(argument, str):
        raise BadRequest("Argument of $beginsWith must be a string")
    return lambda value, _: isinstance(value, str) and value.startswith(argument)


def _array(name: str, argument: Any) -> list[Any]:
    if not isinstance(argument, list):
        raise BadRequest(f"Argument of {name} must be an array")
    return argument


def _members(name: str, argument: Any) -> dict[str, Any]:
    if not isinstance(argument, dict):
        raise BadRequest(f"Argument of {name} must be an object")
    return argument


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_OPERATORS: Mapping[str, Callable[[Any, int], Matches]] = {
    "$eq": _comparing(lambda value, argument: bool(value == argument)),
    "$ne": _comparing(lambda value, argument: bool(value != argument)),
    "$lt": _comparing(lambda value, argument: bool(value < argument)),
    "$lte": _comparing(lambda value, argument: bool(value <= argument)),
    "$gt": _comparing(lambda value, argument: bool(value > argument)),
    "$gte": _comparing(lambda value, argument: bool(value >= argument)),
    "$in": _in,
    "$nin": _nin,
    "$all": _all,
    "$elemMatch": _element,
    "$allMatch": _every_element,
    "$keyMapMatch": _key_matches,
    "$type": _type,
    "$size": _size,
    "$mod": _mod,
    "$regex": _regex,
    "$beginsWith": _begins,
}


def _key(value: Any) -> tuple[Any, ...]:  # noqa: PLR0911 - a table
    """A value that compares as CouchDB collates."""
    match value:
        case None:
            return (0,)
        case bool():
            return (1, value)
        case int() | float():
            return (2, value)
        case str():
            return (3, value.encode())
        case list():
            return (4, tuple([_key(item) for item in value]))
        case dict():
            return (5, tuple([(_key(name), _key(item)) for name, item in sorted(value.items())]))
        case _:
            return (9,)
