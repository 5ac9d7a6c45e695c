"""What happened to a document, told from its archived revisions: who wrote what, when, and which values lost.

A *write* is one field's value under one stamp. A revision made the writes whose stamps its parent does not
have. A write was REPLACED knowingly if some other write was made upon it (the parent's stamp of that field
was its own); it waits as an OPEN question where the document still holds it beside the shown one; else, where
it is not what STANDS, it LOST: somebody wrote at the same time, and the later stamp won or staff chose. Sets
lose nothing. Merged revisions make no writes of their own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

import schemas
from server.moving import MARK
from sync.resolve import NO_DELETION
from sync.stamps import Stamp, device_of, order
from sync.stamps import stamp_of as stamps_of_field

Body = Mapping[str, Any]
State = Literal["stands", "replaced", "open", "lost"]

ENVELOPE = frozenset({"_id", "type", "v", "by", "stamps", "asks", "absorbed"})
ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Kept:
    """One archived revision. `source` is sent, derived, merged, released or moved; `by` of a move is who
    moved it, and `left` the database that it went from."""

    rev: str
    parent: str | None
    body: Body
    deleted: bool
    by: str | None
    stamp: str | None
    entered_at: str
    source: str
    left: str = ""
    brought: str | None = None
    """Who gave it back where that is not who is said to have written it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one entry; `before` is None where the field was not there."""

    field: str
    before: Any
    after: Any
    state: State = "stands"
    settles: bool = False
    """Whether this write chose between values of the same time."""

    @property
    def lost(self) -> bool:
        """Whether it lost against a value of the same time."""
        return self.state == "lost"


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision that a reader can tell from the one before."""

    doc_id: str
    rev: str
    at: str
    entered_at: str
    by: str | None
    source: str
    deleted: bool
    first: bool
    changes: tuple[Change, ...]
    acts: tuple[Body, ...]
    newer: bool = False
    """Whether a later program wrote it: nobody here knows what its fields mean."""
    brought: str | None = None
    way: tuple[str, str] | None = None
    """Of a move: the databases that it went from and to."""

    @property
    def lost(self) -> bool:
        """Whether a value of this entry lost against one written at the same time."""
        return any(change.lost for change in self.changes)


def stamp_of(body: Body, field: str) -> str | None:
    """When a field was last written or cleared; None where it never was."""
    stamps = body.get("stamps")
    return stamps_of_field(stamps, field, field in body) if stamps else None


def instant_of(stamp: str) -> str:
    """The time in a stamp, as UTC text."""
    return datetime.fromtimestamp(Stamp.parse(stamp).ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tell(doc_id: str, revisions: Iterable[Kept], current: str | None) -> tuple[Entry, ...]:
    """The entries of one document, oldest first. `current` is the revision that stands now, None where the
    document is gone: then nothing lost."""
    ordered = sorted(revisions, key=lambda kept: (kept.stamp or "", kept.entered_at, kept.rev))
    held = {kept.rev: kept for kept in ordered}
    fate = _Fate(doc_id, held[current].body if current in held else None, _overwritten(ordered, held))
    seen_writes: set[tuple[str, str | None, bytes]] = set()
    seen_acts: set[str] = set()
    entries = []
    for kept in ordered:
        parent = held.get(kept.parent or "")
        changes = tuple(
            Change(
                field,
                before,
                kept.body.get(field),
                fate.of(kept.body, field),
                settles=_settles(parent, field),
            )
            for field, before in _writes(kept, parent, seen_writes)
        )
        acts = _new_acts(kept.body, parent.body if parent else {}, seen_acts)
        if changes or acts or _deletes(kept) or kept.source == "merged" or _moves(doc_id, kept):
            entries.append(_entry(doc_id, kept, changes, acts))
    return tuple(entries)


def merge(stories: Iterable[Sequence[Entry]]) -> tuple[Entry, ...]:
    """The entries of several documents as one, newest first."""
    return tuple(sorted((e for story in stories for e in story), key=lambda e: (e.at, e.rev), reverse=True))


def brought_back(entries: Iterable[Entry], rev: str, field: str) -> Change | None:
    """The value that a page offered to bring back: one that lost or was replaced; None where it is not."""
    found = (c for e in entries if e.rev == rev for c in e.changes if c.field == field)
    return next((change for change in found if change.state in {"lost", "replaced"}), None)


def _entry(doc_id: str, kept: Kept, changes: tuple[Change, ...], acts: tuple[Body, ...]) -> Entry:
    return Entry(
        doc_id=doc_id,
        rev=kept.rev,
        at=instant_of(kept.stamp) if kept.stamp else kept.entered_at,
        entered_at=kept.entered_at,
        by=kept.by,
        source=kept.source,
        deleted=_deletes(kept),
        first=kept.parent is None,
        changes=changes,
        acts=acts,
        newer=schemas.newer(kept.body),
        brought=kept.brought,
        way=(kept.left, kept.body[MARK]) if _moves(doc_id, kept) else None,
    )


def _deletes(kept: Kept) -> bool:
    """Absorbed leaves and those of a place that was left are tombstones too, but nobody deleted a thing."""
    return kept.deleted and not NO_DELETION & kept.body.keys()


def _moves(doc_id: str, kept: Kept) -> bool:
    """Whether it went to another hamlet: told once, of the household and not of each of its records."""
    told = doc_id.startswith(("household:", "unit:"))
    return told and kept.source == "moved" and kept.deleted and MARK in kept.body


def _fields(body: Body) -> Collection[str]:
    """Fields with a value or with a stamp of their own: a cleared field has only the latter."""
    stamped = set(body.get("stamps", {})) - {"*"}
    return sorted((set(body) | stamped) - ENVELOPE - {ACTS})


def _writes(
    kept: Kept, parent: Kept | None, seen: set[tuple[str, str | None, bytes]]
) -> Iterable[tuple[str, Any]]:
    """Field and value before, of each write that no earlier entry showed. A stamp has one value; where two
    revisions say otherwise, both are told."""
    for field in _fields(kept.body):
        stamp = stamp_of(kept.body, field)
        value = _value(kept.body, field)
        if stamp is None or (field, stamp, value) in seen:
            continue
        if parent and stamp_of(parent.body, field) == stamp and _value(parent.body, field) == value:
            continue
        seen.add((field, stamp, value))
        before = parent.body.get(field) if parent else None
        if before != kept.body.get(field) or _settles(parent, field):
            yield field, before


def _value(body: Body, field: str) -> bytes:
    """What a register says, to compare; of a set, whose elements have their own ids, and of what a later
    program wrote, nothing."""
    kind = body.get("type", "")
    register = not schemas.newer(body) and kind in schemas.types() and schemas.rules(kind).get(field) != "set"
    return orjson.dumps(body.get(field), option=orjson.OPT_SORT_KEYS) if register else b""


def _settles(parent: Kept | None, field: str) -> bool:
    """Whether there were several values to choose from."""
    return parent is not None and bool(_open(parent.body, field))


def _open(body: Body, field: str) -> set[str]:
    """The stamps of the values that wait beside the shown one."""
    others = body.get("asks", {}).get(field, {}).get("others", ())
    return {other["stamp"] for other in others}


def _overwritten(ordered: Sequence[Kept], held: Mapping[str, Kept]) -> set[tuple[str, str | None]]:
    found = set[tuple[str, str | None]]()
    for kept in ordered:
        parent = held.get(kept.parent or "")
        if parent is None and kept.parent:  # it waited until this closed it, and has another name since
            found |= {
                (field, one) for field in _fields(kept.body) for one in _own_before(ordered, kept, field)
            }
        if parent is None or kept.source in {"merged", "derived"}:
            continue
        for field in _fields(kept.body):
            before, after = stamp_of(parent.body, field), stamp_of(kept.body, field)
            if before != after and not _settles(parent, field):  # whom a choice went against has lost
                found.add((field, before))
    return found


def _own_before(told: Iterable[Kept], kept: Kept, field: str) -> Iterator[str]:
    """The stamps of what the device that wrote a field last had said in it before."""
    after = stamp_of(kept.body, field)
    for one in told:
        before = stamp_of(one.body, field)
        if before and after and device_of(before) == device_of(after) and order(before) < order(after):
            yield before


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of the writes of one document: by its type's rules, what stands, what was written over."""

    doc_id: str
    standing: Body | None
    overwritten: Collection[tuple[str, str | None]]

    def of(self, body: Body, field: str) -> State:
        kind, stamp = self.doc_id.partition(":")[0], stamp_of(body, field)
        if self.standing is None or schemas.newer(body):
            return "stands"  # it lost against nobody: it waits for a server that can read it
        if stamp == stamp_of(self.standing, field) or body.get(field) == self.standing.get(field):
            return "stands"
        if kind in schemas.types() and schemas.rules(kind).get(field) == "set":
            return "stands"
        if stamp in _open(self.standing, field):
            return "open"
        return "replaced" if (field, stamp) in self.overwritten else "lost"


def _new_acts(body: Body, before: Body, seen: set[str]) -> tuple[Body, ...]:
    old = {act["id"] for act in _acts(before)} | seen
    new = tuple(act for act in _acts(body) if act["id"] not in old)
    seen.update(act["id"] for act in new)
    return new


def _acts(body: Body) -> Sequence[Body]:
    return () if schemas.newer(body) else body.get(ACTS, ())
