# ruff: noqa: F403, F405
"""What a document store is: the one narrow seam between the engine and where its documents lie.

A store keeps revision trees and bodies. It decides nothing: what to merge is `sync.resolve`'s, who may
write is the application's. Two promises carry everything else: an edit that was answered is on disk, and a
sequence becomes visible only when all lower ones are. Whatever names a database raises `DatabaseMissing`
where it is not there; a write raises `StoreFull` where the disk is full, and then nothing of it was stored.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sync.rev import Rev
from sync.revtree import Tree
from sync.store.values import *  # one import for those on either side of the seam


class DocStore(Protocol):
    """Databases, documents and their feed: what syncing needs."""

    async def names(self) -> list[str]: ...
    async def create(self, db: str) -> None: ...  # raises DatabaseExists
    async def drop(self, db: str) -> None: ...
    async def info(self, db: str) -> Info: ...

    # Of documents that exist: trees; bodies that are held, of older revisions too; both as of one moment;
    # winners whose bodies are held, which is the cheapest way to read many.
    async def trees(self, db: str, ids: Collection[str]) -> Mapping[str, Tree]: ...
    async def bodies(self, db: str, revs: Collection[tuple[str, Rev]]) -> Mapping[tuple[str, Rev], bytes]: ...
    async def current(self, db: str, ids: Collection[str]) -> Mapping[str, Current]: ...
    async def read(self, db: str, ids: Collection[str], choose: Choice) -> Mapping[str, Document]: ...
    async def listing(self, db: str, span: Span) -> Listing: ...

    # Revisions as others made them, with their ancestry, in one transaction; True where the tree grew.
    async def graft(self, db: str, edits: Sequence[Edit]) -> Sequence[bool]: ...
    async def graft_all(self, edits: Mapping[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]: ...
    # Interactive writes, in order and in one transaction; a revision is digested from what it says.
    async def write(self, db: str, writes: Sequence[Write]) -> Sequence[Rev | Conflict]: ...

    async def changes(self, db: str, page: Page) -> Changes: ...
    # Documents by keys that stay when they are edited, the last changed first, for a feed as of one moment.
    async def newest(self, db: str, ids: Collection[str] | None, instance: int) -> Sequence[int]: ...
    async def gave(self, db: str, seq: Seq, life: str) -> bool: ...  # or a store that this one goes on from
    async def wait(self, db: str, since: Seq) -> None: ...  # for a change after it, or a drop, which raises

    # `_local` documents: N of the revision `0-N`, and the body; N follows the one `seen` or the one stored.
    async def local(self, db: str, local_id: str) -> tuple[int, bytes] | None: ...
    async def put_local(self, db: str, local_id: str, body: bytes | None, seen: int | None = None) -> int: ...
    async def locals(self, db: str) -> Sequence[tuple[str, int, bytes]]: ...

    async def close(self) -> None: ...


class Attachments(Protocol):
    """The bytes of attachments: they come in with their revision, and go with the last that holds them."""

    # From `start` up to (not with) `end`; raises AttachmentMissing.
    async def attachment(self, key: int, start: int = 0, end: int | None = None) -> bytes: ...


class Housekeeping(Protocol):
    """What keeps a store small, honest and able to forget."""

    async def security(self, db: str) -> bytes: ...  # JSON, `{}` where none was set
    async def set_security(self, db: str, body: bytes) -> None: ...
    async def set_revs_limit(self, db: str, limit: int) -> None: ...  # trees shrink at the next write

    # Bytes overwritten: of leaves and what hangs on nothing else (answers what was there); of bodies alone.
    async def purge(self, db: str, leaves: Mapping[str, Collection[Rev]]) -> Mapping[str, Sequence[Rev]]: ...
    async def forget_bodies(self, db: str, ids: Collection[str]) -> None: ...
    # Drops old bodies (no leaf's, and older than the configured history), stems trees, collects attachments.
    async def compact(self, db: str) -> None: ...

    async def check(self) -> Sequence[str]: ...  # what is wrong, in words for an operator
    async def backup(self, path: Path) -> None: ...  # a consistent copy to a new file, while in use


class Store(DocStore, Attachments, Housekeeping, Protocol):
    """Everything that the HTTP part needs."""
