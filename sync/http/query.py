"""Reading query parameters as CouchDB does."""

from collections.abc import Collection, Mapping

from sync import wire
from sync.errors import BadRequest, QueryInvalid
from sync.rev import Rev

_LARGEST = 2**53


def whole_number(query: Mapping[str, str], name: str) -> int | None:
    """A number from 0 up, None where it is not there. Raises QueryInvalid."""
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > _LARGEST:
        raise QueryInvalid(f'Invalid value for integer: "{text[:40]}"')
    return int(text)


def flags(query: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """Those of the booleans that are there, as `true` or `false`; they come in any case, and as text.

    Raises QueryInvalid.
    """
    found = {name: query[name].strip('"').lower() for name in names if name in query}
    for name, value in found.items():
        if value not in {"true", "false"}:
            raise QueryInvalid(f"Invalid boolean parameter: {name}")
    return found


def json_value(query: Mapping[str, str], *names: str) -> object:
    """A parameter in JSON under the first of its names that is there, else None. Raises InvalidJSON."""
    text = next((query[name] for name in names if name in query), None)
    return None if text is None else wire.parse_json(text.encode())


def revs(query: Mapping[str, str], name: str) -> list[Rev] | None:
    """A JSON array of revisions, None where it is not there. Raises BadRequest."""
    value = json_value(query, name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise BadRequest(f"`{name}` must be a JSON array")
    return [wire.parse_rev(text) for text in value]
