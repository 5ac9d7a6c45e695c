"""The values that pass through the seam: what goes into a store, what comes out, what can go wrong.

Bodies travel as canonical JSON bytes of the document without its `_fields`; `{}` for a plain tombstone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.rev import Rev
from sync.revtree import Tree

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


class Edit(NamedTuple):
    """One revision as a peer sends it (`new_edits: false`): its path, newest first, and its body."""

    id: str
    path: tuple[Rev, ...]
    body: bytes
    deleted: bool = False
    files: Files = NO_FILES

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
# What there is one of for every row is a tuple: a frozen dataclass costs thrice as much to make.


@dataclass(frozen=True, slots=True)
class Info:
    """What `GET /db` tells; sizes in bytes."""

    name: str
    update_seq: Seq
    doc_count: int
    deleted_count: int
    revs_limit: int = 1000
    size: int = 0
    instance: int = 0
    """Which database of that name it is: one that is made again is another."""


class Leaf(NamedTuple):
    """An end of a revision tree."""

    rev: Rev
    deleted: bool


NO_ATTACHMENTS: "Mapping[str, Attachment]" = {}


class Attachment(NamedTuple):
    """What is known of an attachment without its bytes; `key` is the store's own."""

    content_type: str
    digest: str
    length: int
    revpos: int
    key: int


class Body(NamedTuple):
    """What is held of one revision."""

    json: bytes
    attachments: Mapping[str, Attachment] = NO_ATTACHMENTS


class Document(NamedTuple):
    """One document as it was at one moment: its tree, and those bodies that were chosen and are held."""

    tree: Tree
    bodies: Mapping[Rev, Body]
    seq: Seq = 0


class Current(NamedTuple):
    """A document's winner; its line are the digests from it up, as far as they are known."""

    id: str
    rev: str
    deleted: bool
    body: Body
    line: Sequence[str]


Choice = Callable[[str, Tree], Collection[Rev]]
"""Which bodies to read of a document; pure, called inside the store's snapshot."""


class Change(NamedTuple):
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
    life: str = ""
    """The life of the database in which the page was read (`sync.position`)."""
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What to read of a feed. A `since` that the store never gave reads from the start.

    `descending` goes down from the newest change or, with a `since`, from below that. `keys` are of
    `DocStore.newest`, and the page is of those documents in that order; `pending` are then the keys left.
    """

    since: Seq = 0
    limit: int | None = None
    descending: bool = False
    ids: Collection[str] | None = field(default=None)
    bodies: bool = False
    keys: Sequence[int] | None = None
    room: int | None = None
    """Bytes that the bodies of a page may have, one row aside: it is shorter where they have more."""
    instance: int | None = None
    """The database of the pages before; of another one of that name there is nothing to be had."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which documents to list, by id (by byte); deleted ones are left out.

    `after` goes on behind the last id of a page, where `start` does not matter and no offset is counted.
    `room` and `instance` are those of `Page`.
    """

    start: str | None = None
    end: str | None = None
    inclusive_end: bool = True
    descending: bool = False
    skip: int = 0
    limit: int | None = None
    bodies: bool = False
    after: str | None = None
    room: int | None = None
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of `_all_docs`, how many documents there are, how many stand before the first row, as of when."""

    rows: tuple[Change, ...]
    total: int
    offset: int
    update_seq: Seq
    more: bool = False
    """Whether the limit or the room ended it."""
    instance: int = 0
