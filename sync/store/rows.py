"""Fetching many rows by id or key in few statements."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_MOST = 512


def select_in(
    conn: sqlite3.Connection, sql: str, fixed: Sequence[object], values: Iterable[object]
) -> Iterator[tuple[Any, ...]]:
    """Run `sql`, which ends in `IN`, for all values, some hundreds at a time.

    Each list is filled up to a power of two with its last value, so that few statements are ever prepared.
    (`json_each` would be shorter, but cuts ids at a NUL.)
    """
    rest = list(values)
    while rest:
        part, rest = rest[:_MOST], rest[_MOST:]
        size = 1 << (len(part) - 1).bit_length()
        part += part[-1:] * (size - len(part))
        yield from conn.execute(f"{sql} ({','.join('?' * size)})", (*fixed, *part))
