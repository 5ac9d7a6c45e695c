"""Canonical JSON: RFC 8785 (JCS), integers only.

Everybody who digests a document, in Python and in TypeScript, must get the same bytes. RFC 8785 leaves one
hard thing, the printing of binary fractions; no document of ours has one, so a float is refused.
"""

from typing import Any

import orjson

MAX_INTEGER = 2**53 - 1
"""What every JSON reader holds exactly (RFC 7493, I-JSON)."""

MAX_DEPTH = 200
"""Deeper nesting is refused here, before it can exhaust anybody's stack."""


class NotCanonical(ValueError):
    """A value without a canonical form; the text says where and why."""


def encode(value: Any) -> bytes:
    """The canonical bytes of a JSON value.

    Raises NotCanonical for floats, integers beyond 53 bits, lone surrogates, keys that are no text, nesting
    deeper than `MAX_DEPTH`, and whatever else JSON cannot say.
    """
    plain = _check(value, "", 0)
    try:
        if plain:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return orjson.dumps(_sorted(value))
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise NotCanonical(f"cannot be written as JSON: {error}") from None


def _check(value: Any, place: str, depth: int) -> bool:
    """Whether orjson's order of keys (by code point) is RFC 8785's (by UTF-16 unit) all through `value`."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical(f"{place or 'value'}: integer beyond 53 bits")
        return True
    if depth >= MAX_DEPTH:
        raise NotCanonical(f"{place[:80]}…: nested deeper than {MAX_DEPTH}")
    plain = True
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotCanonical(f"{place or 'value'}: a key that is no text")
            plain &= key.isascii()
            plain &= _check(item, f"{place}.{key}" if place else key, depth + 1)
        return plain
    if kind is list or kind is tuple:
        for index, item in enumerate(value):
            plain &= _check(item, f"{place}[{index}]", depth + 1)
        return plain
    raise NotCanonical(f"{place or 'value'}: {kind.__name__} (only integers, text, lists and objects)")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
