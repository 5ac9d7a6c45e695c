"""What a document store is: the one narrow seam between the engine and where its documents lie.

A store keeps revision trees and bodies. It decides nothing: what to merge is `sync.resolve`'s, who may
write is the application's. Two promises carry everything else: an edit that was answered is on disk, and a
sequence becomes visible only when all lower ones are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.rev import Rev
from sync.revtree import Tree

# Bodies travel as canonical JSON bytes of the document without its `_fields`; `{}` for a plain tombstone.
Seq = int | str
"""Opaque outside of the store that gave it; compared for equality only."""


class StoreError(Exception):
    """Something a caller can get wrong, or a store that cannot go on."""


class DatabaseMissing(StoreError):
    """There is no database of that name."""


class DatabaseExists(StoreError):
    """There is a database of that name already."""


class StoreFull(StoreError):
    """The disk is full: nothing of the call was written."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One revision as a peer sends it (`new_edits: false`): its path, newest first, and its body."""

    id: str
    path: tuple[Rev, ...]
    body: bytes
    deleted: bool = False

    @property
    def rev(self) -> Rev:
        """The revision that this edit adds."""
        return self.path[0]


@dataclass(frozen=True, slots=True)
class Write:
    """One interactive write (`new_edits: true`): a child of `parent`, or a first revision."""

    id: str
    parent: Rev | None
    body: bytes
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """An interactive write whose parent is not a leaf any more; nothing of it was stored."""

    id: str


@dataclass(frozen=True, slots=True)
class Info:
    """What `GET /db` tells."""

    name: str
    update_seq: Seq
    doc_count: int
    deleted_count: int
    revs_limit: int = 1000


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end of a revision tree."""

    rev: Rev
    deleted: bool


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of one document: its leaves, the winner first."""

    seq: Seq
    id: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed: rows in order, the position after the last, and how many are left."""

    rows: tuple[Change, ...]
    last_seq: Seq
    pending: int


@dataclass(frozen=True, slots=True)
class Page:
    """What to read of a feed."""

    since: Seq = 0
    limit: int | None = None
    descending: bool = False
    ids: Collection[str] | None = field(default=None)


class DocStore(Protocol):
    """Every method that names a database raises `DatabaseMissing` where it is not there."""

    async def names(self) -> list[str]: ...
    async def create(self, db: str) -> None: ...
    async def drop(self, db: str) -> None: ...
    async def info(self, db: str) -> Info: ...

    async def trees(self, db: str, ids: Collection[str]) -> Mapping[str, Tree]:
        """The trees of those documents that exist."""
        ...

    async def bodies(self, db: str, revs: Collection[tuple[str, Rev]]) -> Mapping[tuple[str, Rev], bytes]:
        """The bodies that are held, of leaves and of older revisions."""
        ...

    async def graft(self, db: str, edits: Sequence[Edit]) -> Sequence[bool]:
        """Add revisions with their ancestry in one transaction; True where the tree grew. Idempotent."""
        ...

    async def write(self, db: str, writes: Sequence[Write]) -> Sequence[Rev | Conflict]:
        """Interactive writes in order, in one transaction; the revision is digested from the content."""
        ...

    async def changes(self, db: str, page: Page) -> Changes: ...

    async def wait(self, db: str, since: Seq) -> None:
        """Return when the database has gone past `since` (or was dropped: then raises)."""
        ...

    async def local(self, db: str, local_id: str) -> tuple[int, bytes] | None:
        """A `_local` document: N of its revision `0-N`, and its body."""
        ...

    async def put_local(self, db: str, local_id: str, body: bytes | None) -> int:
        """Write (or with None remove) a `_local` document; answers N of its revision `0-N`."""
        ...

    async def close(self) -> None: ...
