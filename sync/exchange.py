"""The exchange on the wire: everything of one phone's sync in one request and one streamed answer.

Request: one JSON object.

    {"clock": ms,
     "dbs": {name: {"since":   position or null,
                    "docs":    [whole documents with _id, _rev, _revisions {start, ids}],
                    "waiting": [[id, rev, says?], …], whose outcome is not known yet
                    "have":    [[id, rev, says?], …]}}}   after `position_lost`: what the phone holds

`says` is the `digest` of what the revision says to the phone: names are minted, and prove nothing.

Answer: newline-delimited JSON, in parts of at most 32 kB that the phone commits one by one.

    {"clock": ms, "dbs": [names], "user": {…}}        or {"clock": ms, "skew": ms} and nothing else
    {"db": n, "outcomes": [[id, rev, status, reason?], …]}
    {"db": n, "missing": [[id, rev], …]}              what this server has never had: send it
    {"db": n, "rows": [{…}, …], "position": text}
    {"db": n, "position_lost": true}                  start again from null, with `have`
    {"db": n, "gone": true}                           the caller does not hold it (any more)
    {"done": true, "later": reason?}                  without it the stream was cut; `later`: what came and
                                                      has no outcome was not taken now, and may come again

This module reads and writes these; it does nothing. What a phone sends is judged document by document: one
that cannot be stored becomes that document's outcome; only a request that cannot be understood is an error.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

import orjson

from sync import canonical, revtree
from sync.errors import BadRequest, InvalidJSON
from sync.position import UNREADABLE, Position, decode_position, encode_position
from sync.resolve import absorbed
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Edit

MAX_REQUEST = 16 * 1024 * 1024
MAX_DOCUMENT = 1024 * 1024
MAX_PATH = 1000
"""Revisions of a path that are read; older ones would be stemmed anyway."""
PART = 32 * 1024
"""Bytes of one part before compression; only a single row that is larger may exceed it."""
MAX_NAMED = 50_000
"""Revisions that a request asks about in one database; a phone with ten thousand households has fewer."""
_FRAME = 400
"""Bytes kept free in a part for what stands around its items: the names, the position."""

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
    LATER = "later"
    """Not on disk, for no fault of its own: the caller keeps it and sends it again by itself. The exchange
    tells no outcome of such a revision, only the reason, once, with `done`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one revision, with a reason that its author can read."""

    id: str
    rev: Rev
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of one database. `edits` can be stored, `refused` cannot whoever sends them."""

    since: Position | None = None
    edits: Sequence[Edit] = ()
    refused: Sequence[Outcome] = ()
    waiting: Sequence[Named] = ()
    have: Sequence[Named] = ()
    says: Mapping[Named, str] = field(default_factory=dict)
    """The `digest` of what these say, those of `waiting` and `have` of which the caller told it."""


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


# --- the request ------------------------------------------------------------------------------------------


def parse(data: bytes) -> Request:
    """Read a request. Raises InvalidJSON, or BadRequest (which says where) for what is not as above."""
    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        whole = _without_spoilt(data)
    fields = _object(whole, "request", {"clock", "dbs"})
    clock = fields.get("clock")
    if type(clock) is not int or clock < 0:
        raise BadRequest("clock: milliseconds since 1970 are expected")
    dbs = _object(fields.get("dbs"), "dbs")
    return Request(clock, {name: _asked(asked, f"dbs.{name[:40]}") for name, asked in dbs.items()})


_SPOILT = "_unreadable"


def _without_spoilt(data: bytes) -> Any:
    """JSON in which a document holds what UTF-8 cannot (a lone surrogate): that document alone is spoilt.

    Raises InvalidJSON for what is no JSON, and for such text anywhere else.
    """
    try:
        whole = json.loads(data.decode())
        for asked in whole["dbs"].values():
            sent = asked.get("docs", [])
            asked["docs"] = [
                doc if _sound(doc) else {"_id": doc["_id"], "_rev": doc["_rev"], _SPOILT: True}
                for doc in sent
            ]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise InvalidJSON from None
    if not _sound(whole):
        raise InvalidJSON
    return whole


def _sound(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _asked(value: Any, place: str) -> Asked:
    fields = _object(value, place, {"since", "docs", "waiting", "have"})
    edits: list[Edit] = []
    refused: list[Outcome] = []
    for index, doc in enumerate(_list(fields, "docs", place)):
        read = document(doc, f"{place}.docs[{index}]")
        (edits if isinstance(read, Edit) else refused).append(read)  # type: ignore[arg-type] # by its type
    waiting, have = _named(fields, "waiting", place), _named(fields, "have", place)
    return Asked(
        since=_since(fields.get("since"), place),
        edits=edits,
        refused=refused,
        waiting=[*waiting],
        have=[*have],
        says={named: says for named, says in (waiting | have).items() if says is not None},
    )


def _object(value: Any, place: str, names: Iterable[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{place}: an object is expected")
    if names is not None and (others := value.keys() - set(names)):
        raise BadRequest(f"{place}: there is no {min(others)[:40]!r}")
    return value


def _list(fields: Mapping[str, Any], name: str, place: str) -> list[Any]:
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise BadRequest(f"{place}.{name}: a list is expected")
    return value


def _since(text: Any, place: str) -> Position | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise BadRequest(f"{place}.since: a position or null is expected")
    try:
        return decode_position(text)
    except ValueError:
        return UNREADABLE


def _named(fields: Mapping[str, Any], name: str, place: str) -> dict[Named, str | None]:
    """Revisions, each once, with what they say where that is told."""
    named: dict[Named, str | None] = {}
    items = _list(fields, name, place)
    if len(items) > MAX_NAMED:
        raise BadRequest(f"{place}.{name}: more than {MAX_NAMED}")
    for index, item in enumerate(items):
        match item:
            case [str(doc_id), str(rev)]:
                named[doc_id, _rev(rev, f"{place}.{name}[{index}]")] = None
            case [str(doc_id), str(rev), str(says)] if _DIGEST.fullmatch(says):
                named[doc_id, _rev(rev, f"{place}.{name}[{index}]")] = says
            case _:
                raise BadRequest(f"{place}.{name}[{index}]: an id, a revision, and what it says are expected")
    return named


def digest(body: bytes) -> str:
    """What a body (JSON) says, in short: 64 bits of the SHA-256 of its canonical form, in hex.

    So many that nobody finds other words with the same digest. Raises `canonical.NotCanonical`.
    """
    return sha256(canonical.encode(orjson.loads(body))).hexdigest()[:16]


_DIGEST = re.compile(r"[0-9a-f]{16}")


def _rev(text: str, place: str) -> Rev:
    try:
        return Rev.parse(text)
    except ValueError:
        raise BadRequest(f"{place}: not a revision") from None


def document(doc: Any, place: str) -> Edit | Outcome:
    """One document. Only what has no id and revision to answer by is an error of the whole request."""
    fields = _object(doc, place)
    doc_id, rev_text = fields.get("_id"), fields.get("_rev")
    if not isinstance(doc_id, str) or not doc_id:
        raise BadRequest(f"{place}._id: text is expected")
    if not isinstance(rev_text, str):
        raise BadRequest(f"{place}._rev: text is expected")
    rev = _rev(rev_text, f"{place}._rev")
    body = {name: value for name, value in fields.items() if not name.startswith("_")}
    try:
        path = _path(fields, rev)
        encoded = canonical.encode(body)
    except ValueError as error:
        return Outcome(doc_id, rev, Status.FORBIDDEN.value, str(error))
    if len(encoded) > MAX_DOCUMENT:
        return Outcome(doc_id, rev, Status.TOO_LARGE.value, f"more than {MAX_DOCUMENT} bytes")
    return Edit(doc_id, path, encoded, bool(fields.get("_deleted", False)))


def _path(fields: Mapping[str, Any], rev: Rev) -> tuple[Rev, ...]:
    """The revision's ancestry. Raises ValueError for what the replication protocol does not have."""
    if _SPOILT in fields:
        raise ValueError("text that is no Unicode, or nested too deep")
    if others := [name for name in fields if name.startswith("_") and name not in _REPLICATED]:
        raise ValueError(f"{min(others)[:40]} is not taken here")
    if fields["_id"].startswith("_"):
        raise ValueError("an id that begins with _ is not taken here")
    if type(fields.get("_deleted", False)) is not bool:
        raise ValueError("_deleted: true or false is expected")
    match fields.get("_revisions"):
        case {"start": int(start), "ids": [*ids]} if ids and all(type(part) is str for part in ids):
            path = tuple(Rev(start - back, digest) for back, digest in enumerate(ids[:MAX_PATH]))
        case _:
            raise ValueError("_revisions: start and ids are expected")
    if path[0] != rev or len(ids) > start:
        raise ValueError("_revisions: not the history of _rev")
    return path


_REPLICATED = frozenset({"_id", "_rev", "_revisions", "_deleted"})


# --- the answer -------------------------------------------------------------------------------------------


def outcome_of(doc_id: str, rev: Rev, tree: Tree) -> Outcome:
    """What became of a revision that the store holds."""
    if len(tree) == 1 or rev in revtree.ancestry(tree, revtree.winner(tree)):
        return Outcome(doc_id, rev, Status.RECEIVED.value)
    alive = any(rev in revtree.ancestry(tree, leaf) for leaf in revtree.live(tree))
    merged = not alive and any(rev in revtree.ancestry(tree, end) for end in absorbed(tree))
    return Outcome(doc_id, rev, (Status.ABSORBED if merged else Status.RECEIVED).value)


def line(**parts: Any) -> bytes:
    """One part of the answer; null fields are left out."""
    return orjson.dumps({name: part for name, part in parts.items() if part is not None}) + b"\n"


def outcome_parts(db: str, outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """Outcomes, in as many parts as they need."""
    for items in _packed(map(_outcome, outcomes)):
        yield _part(db, b"outcomes", items)


def missing_parts(db: str, missing: Iterable[Named]) -> Iterator[bytes]:
    """What this server has never had, in as many parts as it needs."""
    for items in _packed(orjson.dumps([doc_id, str(rev)]) for doc_id, rev in missing):
        yield _part(db, b"missing", items)


class RowParts:
    """Fills parts with rows as they are read, whatever the pages they come in.

    Each part carries the position of its last row, so that a phone which committed it goes on from there; a
    row that the caller may not see moves the position all the same.
    """

    def __init__(self, db: str) -> None:
        self._db = db
        self._rows: list[bytes] = []
        self._size = _FRAME
        self._position: Position | None = None

    def add(self, position: Position, row: Row | None) -> Iterator[bytes]:
        """Take a row (None: not for the caller's eyes); the part before it, where that is full now."""
        item = b"" if row is None else _row(row)
        if self._rows and self._size + len(item) + 1 > PART:
            yield from self.flush()
        if item:
            self._rows.append(item)
            self._size += len(item) + 1
        self._position = position

    def flush(self) -> Iterator[bytes]:
        """The part so far; none where there is nothing."""
        if self._position is not None:
            position = b',"position":%b' % orjson.dumps(encode_position(self._position))
            yield _part(self._db, b"rows", self._rows, position)
            self._rows, self._size, self._position = [], _FRAME, None


def _row(row: Row) -> bytes:
    head: dict[str, Any] = {
        "id": row.id,
        "rev": str(row.path[0]),
        "revs": [rev.digest for rev in row.path],
    }
    if row.deleted:
        head["deleted"] = True
    if row.absorbed:
        head["absorbed"] = [str(rev) for rev in row.absorbed]
    if row.body is None:
        return orjson.dumps(head)
    return b'%b,"doc":%b}' % (orjson.dumps(head)[:-1], row.body)


def _outcome(outcome: Outcome) -> bytes:
    said = [outcome.id, str(outcome.rev), outcome.status]
    return orjson.dumps(said if outcome.reason is None else [*said, outcome.reason])


def _packed(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Items in order, in lists that fit into a part."""
    pack: list[bytes] = []
    size = _FRAME
    for item in items:
        if pack and size + len(item) + 1 > PART:
            yield pack
            pack, size = [], _FRAME
        pack.append(item)
        size += len(item) + 1
    if pack:
        yield pack


def _part(db: str, name: bytes, items: Sequence[bytes], rest: bytes = b"") -> bytes:
    # Bodies lie canonical in the store, so an answer is bytes joined, never parsed.
    return b'{"db":%b,"%b":[%b]%b}\n' % (orjson.dumps(db), name, b",".join(items), rest)
