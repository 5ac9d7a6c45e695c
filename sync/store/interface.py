"""What a document store is: the one narrow seam between the engine and where its documents lie.

A store keeps revision trees and bodies. It decides nothing: what to merge is `sync.resolve`'s, who may
write is the application's. Two promises carry everything else: an edit that was answered is on disk, and a
sequence becomes visible only when all lower ones are.

`DocStore` is what syncing needs, `Attachments` and `Housekeeping` are their own concerns, `Store` is all
three. Every method that names a database raises `DatabaseMissing` where it is not there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
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


class AttachmentMissing(StoreError):
    """A stub names an attachment that the document does not have: nothing of the call was written."""


class StoreFull(StoreError):
    """The disk is full: nothing of the call was written."""


# --- what goes in -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """An attachment with its bytes; `revpos` is None where the revision it comes with is its first."""

    content_type: str
    data: bytes
    revpos: int | None = None


@dataclass(frozen=True, slots=True)
class Stub:
    """An attachment that the document already has, by the name that it stands under."""

    revpos: int | None = None
    digest: str | None = None


Files = Mapping[str, File | Stub]
NO_FILES: Files = {}


@dataclass(frozen=True, slots=True)
class Edit:
    """One revision as a peer sends it (`new_edits: false`): its path, newest first, and its body."""

    id: str
    path: tuple[Rev, ...]
    body: bytes
    deleted: bool = False
    files: Files = field(default_factory=lambda: NO_FILES)

    @property
    def rev(self) -> Rev:
        """The revision that this edit adds."""
        return self.path[0]


@dataclass(frozen=True, slots=True)
class Write:
    """One interactive write (`new_edits: true`): a child of `parent`, or a first revision.

    Without a parent it follows the winner of a deleted document, as in CouchDB. `path` are the revisions to
    add after exactly that parent, newest first, where they are settled already; without it one is minted.
    """

    id: str
    parent: Rev | None
    body: bytes
    deleted: bool = False
    files: Files = field(default_factory=lambda: NO_FILES)
    path: tuple[Rev, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """An interactive write whose parent is not a leaf any more; nothing of it was stored."""

    id: str


# --- what comes out -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Info:
    """What `GET /db` tells; sizes in bytes."""

    name: str
    update_seq: Seq
    doc_count: int
    deleted_count: int
    revs_limit: int = 1000
    size: int = 0


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end of a revision tree."""

    rev: Rev
    deleted: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of an attachment without its bytes; `key` is the store's own."""

    content_type: str
    digest: str
    length: int
    revpos: int
    key: int


@dataclass(frozen=True, slots=True)
class Body:
    """What is held of one revision."""

    json: bytes
    attachments: Mapping[str, Attachment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was at one moment: its tree, and those bodies that were chosen and are held."""

    tree: Tree
    bodies: Mapping[Rev, Body]
    seq: Seq = 0


Choice = Callable[[str, Tree], Collection[Rev]]
"""Which bodies to read of a document; pure, called inside the store's snapshot."""


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of one document: its leaves, the winner first; its winner's body where asked for."""

    seq: Seq
    id: str
    leaves: tuple[Leaf, ...]
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed: rows in order, the position after the last, and how many are left."""

    rows: tuple[Change, ...]
    last_seq: Seq
    pending: int


@dataclass(frozen=True, slots=True)
class Page:
    """What to read of a feed. A `since` that the store never gave reads from the start."""

    since: Seq = 0
    limit: int | None = None
    descending: bool = False
    ids: Collection[str] | None = field(default=None)
    bodies: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Which documents to list, by id (by byte); deleted ones are left out."""

    start: str | None = None
    end: str | None = None
    inclusive_end: bool = True
    descending: bool = False
    skip: int = 0
    limit: int | None = None
    bodies: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of `_all_docs`, how many documents there are, how many stand before the first row, as of when."""

    rows: tuple[Change, ...]
    total: int
    offset: int
    update_seq: Seq


# --- what a store can do ------------------------------------------------------------------------------------


class DocStore(Protocol):
    """Databases, documents and their feed."""

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

    async def read(self, db: str, ids: Collection[str], choose: Choice) -> Mapping[str, Document]:
        """Trees and the chosen bodies of those documents that exist, as of one moment."""
        ...

    async def listing(self, db: str, span: Span) -> Listing:
        """Documents in the order of their ids."""
        ...

    async def graft(self, db: str, edits: Sequence[Edit]) -> Sequence[bool]:
        """Add revisions with their ancestry in one transaction; True where the tree grew. Idempotent."""
        ...

    async def graft_all(self, edits: Mapping[str, Sequence[Edit]]) -> Mapping[str, Sequence[bool]]:
        """`graft` into several databases in one transaction: all or nothing."""
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

    async def put_local(self, db: str, local_id: str, body: bytes | None, seen: int | None = None) -> int:
        """Write (or with None remove) a `_local` document; answers N of its revision `0-N`.

        N is one more than the one `seen` by the writer, or without that, than the one stored.
        """
        ...

    async def close(self) -> None: ...


class Attachments(Protocol):
    """The bytes of attachments: they come in with their revision, and go with the last that holds them."""

    async def attachment(self, key: int, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to (not with) `end`. Raises `AttachmentMissing`."""
        ...


class Housekeeping(Protocol):
    """What keeps a store small, honest and able to forget."""

    async def locals(self, db: str) -> Sequence[tuple[str, int, bytes]]:
        """Every `_local` document: id, N of its revision `0-N`, body."""
        ...

    async def security(self, db: str) -> bytes:
        """The `_security` object, as JSON; `{}` where none was set."""
        ...

    async def set_security(self, db: str, body: bytes) -> None: ...

    async def set_revs_limit(self, db: str, limit: int) -> None:
        """How many generations of a branch to remember; trees shrink at their next write or compaction."""
        ...

    async def purge(self, db: str, leaves: Mapping[str, Collection[Rev]]) -> Mapping[str, Sequence[Rev]]:
        """Forget these leaves and what hangs on nothing else, bytes overwritten; answers what was there."""
        ...

    async def forget_bodies(self, db: str, ids: Collection[str]) -> None:
        """Overwrite every body and attachment of these documents; their trees stay."""
        ...

    async def compact(self, db: str) -> None:
        """Drop old bodies, stem the trees, collect attachments nobody holds.

        Old is what is no leaf and lies more than the store's configured history before every live one.
        """
        ...

    async def check(self) -> Sequence[str]:
        """What is wrong with the store, in words for an operator; empty where all is well."""
        ...

    async def backup(self, path: Path) -> None:
        """Write a consistent copy of the whole store to a new file while it is in use."""
        ...


class Store(DocStore, Attachments, Housekeeping, Protocol):
    """Everything that the HTTP part needs."""
