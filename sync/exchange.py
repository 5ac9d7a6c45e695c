"""The exchange on the wire: everything of one phone's sync in one request and one streamed answer.

Request: one JSON object.

    {"clock": ms,
     "dbs": {name: {"since":   position or null,
                    "docs":    [whole documents with _id, _rev, _revisions {start, ids}],
                    "waiting": [[id, rev], …],        whose outcome is not known yet
                    "have":    [[id, rev], …]}}}      after `position_lost`: what the phone holds

Answer: newline-delimited JSON, in parts of at most 32 kB that the phone commits one by one.

    {"clock": ms, "dbs": [names], "user": {…}}        or {"clock": ms, "skew": ms} and nothing else
    {"db": n, "outcomes": [[id, rev, status, reason?], …]}
    {"db": n, "missing": [[id, rev], …]}              what this server has never had: send it
    {"db": n, "rows": [{…}, …], "position": text, "more": true?}
    {"db": n, "position_lost": true}                  start again from null, with `have`
    {"db": n, "gone": true}                           the caller does not hold it (any more)
    {"done": true}                                    without it the stream was cut

This module reads and writes these; it does nothing. What a phone sends is judged document by document: one
that cannot be stored becomes that document's outcome; only a request that cannot be understood is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sync.rev import Rev
from sync.store.interface import Edit, Seq

MAX_REQUEST = 16 * 1024 * 1024
MAX_DOCUMENT = 1024 * 1024
PART = 32 * 1024
"""Bytes of one part before compression; only a single row that is larger may exceed it."""

Named = tuple[str, Rev]
"""One revision of one document."""


class Status(Enum):
    """What became of a revision."""

    RECEIVED = "received"
    """On disk."""
    ABSORBED = "absorbed"
    """On disk, and merged into another revision."""
    FORBIDDEN = "forbidden"
    QUARANTINED = "quarantined"
    CLOCK = "clock"
    ERASED = "erased"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one revision, with a reason that its author can read."""

    id: str
    rev: str
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a phone has read a database: the last row it was given."""

    seq: Seq
    id: str
    rev: Rev


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of one database. `edits` can be stored, `refused` cannot whoever sends them."""

    since: Position | None
    edits: Sequence[Edit]
    refused: Sequence[Outcome]
    waiting: Sequence[Named]
    have: Sequence[Named]


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request: the phone's clock in milliseconds, and what it wants of each database."""

    clock: int
    dbs: Mapping[str, Asked]


@dataclass(frozen=True, slots=True)
class Row:
    """The present state of one document: its winner, and the revisions that were merged into others.

    `body` is None where the caller has it (it came in this request) or there is none (a plain tombstone).
    """

    id: str
    path: tuple[Rev, ...]
    deleted: bool
    body: bytes | None
    absorbed: Sequence[Rev]


def parse(data: bytes) -> Request:
    """Read a request. Raises BadRequest (which says where) for anything that is not as above."""
    raise NotImplementedError


def encode_position(position: Position) -> str:
    """A position as the opaque text that a phone keeps."""
    raise NotImplementedError


def decode_position(text: Any) -> Position:
    """The inverse of `encode_position`. Raises ValueError for any other text."""
    raise NotImplementedError
