"""What to write where a document has several leaves: pure plans, from a closed set.

The rules (design, section 7). Live leaves of one type and version are joined. The joined revision is a
child of the greatest of them, its digest derived from that parent, the deleted flag and the canonical
body; every other gets a tombstone `{"absorbed": true}` derived from itself alone. Nothing is minted, so
the same leaves give the same revisions on every server, and carrying a plan out twice writes nothing new.
Where the join says what the greatest leaf says already, only the tombstones are written.

A leaf that deletes never beats one that lives: the edit wins, and the plan says that staff must be told.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from sync.merge import Body, Rules
from sync.rev import Rev
from sync.revtree import Tree

Policy = Mapping[tuple[str, int], Rules]
"""The merge rules of every (type, v) that this program knows."""


class Why(Enum):
    """Why a live leaf stays beside the winner."""

    UNKNOWN = "unknown"
    """Of a type and version that this program has no rules for."""
    OTHER = "other"
    """Known, but of another type or version than the winner."""
    INVALID = "invalid"
    """Not valid, or not of a mergeable shape."""


class Kept(NamedTuple):
    """A live leaf that is not merged, and why."""

    rev: Rev
    why: Why


class Derived(NamedTuple):
    """A revision to graft: its path (newest first), canonical body, and whether it deletes."""

    path: tuple[Rev, ...]
    body: bytes
    deleted: bool


class Settled(NamedTuple):
    """Nothing to write: at most one live leaf."""

    outlived: tuple[Rev, ...]
    """Deletions that an edit has outlived: staff are to be told."""


class Write(NamedTuple):
    """Graft these, all in one batch; some leaves may stay beside the winner even so."""

    revisions: tuple[Derived, ...]
    kept: tuple[Kept, ...]
    outlived: tuple[Rev, ...]


class Keep(NamedTuple):
    """Nothing can be merged, and several live leaves stay: staff are to be told."""

    kept: tuple[Kept, ...]
    outlived: tuple[Rev, ...]


Plan = Settled | Write | Keep


def plan(tree: Tree, bodies: Mapping[Rev, Body | None], policy: Policy) -> Plan:
    """How to settle a document.

    `bodies` holds every live leaf's body, None for one that is not valid, and of deleted leaves those that
    the caller has at hand: without its body a deleted leaf counts as a deletion unless it is a derived
    tombstone.
    Raises KeyError where a live leaf's body is not given.
    """
    raise NotImplementedError


def deletion(tree: Tree, bodies: Mapping[Rev, Body | None], policy: Policy) -> tuple[Derived, ...]:
    """What to graft, in one batch, to delete a document: settle it, then delete every live leaf."""
    raise NotImplementedError


def inline(sent: Derived, parent: Body, policy: Policy) -> Derived | None:
    """The child to write under a revision that came in line, where it left out what its parent says.

    An old app, or a form that was opened before a sync, undoes nothing by accident: what was sent is
    joined with its parent's body, and where the join says more than what was sent it is written as a
    derived child. None where it does not, where the revision deletes, or where the two are not of one
    known type and version.
    """
    raise NotImplementedError


ABSORBED: Mapping[str, Any] = {"absorbed": True}
"""The body of the tombstone on a leaf that was merged into another."""
