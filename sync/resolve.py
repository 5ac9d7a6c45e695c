"""What to write where a document has several leaves: pure plans, from a closed set.

The rules (design, section 7). Live leaves of one type and version are joined. The joined revision is a
child of the greatest of them, its digest derived from that parent, the deleted flag and the canonical
body; every other gets a tombstone `{"absorbed": true}` derived from itself alone. Nothing is minted, so
the same leaves give the same revisions on every server, and carrying a plan out twice writes nothing new.
A name that somebody has put elsewhere in the tree before gives way to the next one (`child`).
Where the join says what the greatest leaf says already, only the tombstones are written.

A leaf that deletes never beats one that lives: the edit wins, and the plan says that staff must be told.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

import orjson

from sync import canonical, revtree
from sync.merge import Body, Rules, Unmergeable, join
from sync.rev import Rev, derive, derived
from sync.revtree import Tree

Policy = Mapping[tuple[str, int], Rules]
"""The merge rules of every (type, v) that this program knows."""

ABSORBED: Final[Mapping[str, Any]] = {"absorbed": True}
"""The body of the tombstone on a leaf that was merged into another."""

NO_DELETION: Final = frozenset({"absorbed", "erased", "moved_to"})
"""A tombstone that carries one of these marks ends a branch without saying that the document is gone."""

_ABSORBED: Final = canonical.encode(ABSORBED)
_DELETED: Final = b"{}"


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
    tombstone. Raises KeyError where a live leaf's body is not given.
    """
    live = revtree.live(tree)
    outlived = _deletions(tree, bodies) if live else ()
    if len(live) < 2:
        return Settled(outlived)
    kinds = {rev: _kind(bodies[rev], policy) for rev in live}
    revisions: list[Derived] = []
    for kind in dict.fromkeys(kinds.values()):
        group = [rev for rev in live if kinds[rev] == kind]
        if not isinstance(kind, Why) and len(group) > 1:
            revisions += _merged(tree, group, bodies, policy[kind])
    kept = _kept(live, kinds)
    if revisions:
        return Write(tuple(revisions), kept, outlived)
    return Keep(kept, outlived)


def deletion(tree: Tree, bodies: Mapping[Rev, Body | None], policy: Policy) -> tuple[Derived, ...]:
    """What to graft, in one batch, to delete a document: settle it, then delete every live leaf.

    `bodies` as for `plan`. Nothing where no leaf lives.
    """
    settling = plan(tree, bodies, policy)
    revisions = settling.revisions if isinstance(settling, Write) else ()
    for revision in revisions:
        tree, _ = revtree.graft(tree, revision.path, revision.deleted)
    return (*revisions, *(child(tree, leaf, _DELETED, deleted=True) for leaf in revtree.live(tree)))


def inline(sent: Derived, parent: Body, policy: Policy) -> Derived | None:
    """The child to write under a revision that came in line, where it left out what its parent says.

    An old app, or a form that was opened before a sync, undoes nothing by accident: what was sent is joined
    with its parent's body, and where the join says more than what was sent it is written as a derived child.
    None where it does not, where the revision deletes, or where the two are not of one known type and
    version.
    """
    body = orjson.loads(sent.body)
    kind = _kind(body, policy)
    if sent.deleted or isinstance(kind, Why) or kind != _kind(parent, policy):
        return None
    joined = canonical.encode(join((body, parent), policy[kind]))
    if joined == canonical.encode(join((body,), policy[kind])):
        return None
    return Derived((derive(sent.path[0], False, joined), *sent.path), joined, False)


def child(tree: Tree, leaf: Rev, body: bytes, *, deleted: bool) -> Derived:
    """The revision that a server derives from a leaf, by the first of its names that is free (`sync.rev`).

    A name that is in the tree is somebody else's, since a leaf has no child: grafted by that one the revision
    would come to nothing, and a leaf that is to end would live for ever. But a tombstone whose own parent the
    tree has forgotten is this leaf's, which came again, and takes it back.
    """
    names = derived(leaf, deleted, body)
    rev = next(one for one in names if one not in tree or (deleted and tree[one].parent is None))
    return Derived((rev, *revtree.ancestry(tree, leaf)), body, deleted)


def absorbed(tree: Tree) -> list[Rev]:
    """The revisions whose branch ended because they were merged into another."""
    ends = ((rev, tree[rev].parent) for rev in revtree.leaves(tree))
    return [parent for rev, parent in ends if parent is not None and _absorbs(tree, rev)]


Kind = tuple[str, int] | Why
"""The type and version of a leaf that can be merged, or why it cannot."""


def _kind(body: Body | None, policy: Policy) -> Kind:
    if body is None:
        return Why.INVALID
    name, v = body.get("type"), body.get("v")
    if not isinstance(name, str) or type(v) is not int:
        return Why.INVALID
    if (name, v) not in policy:
        return Why.UNKNOWN
    try:
        canonical.encode(join((body,), policy[name, v]))
    except (Unmergeable, canonical.NotCanonical):
        return Why.INVALID
    return name, v


def _merged(
    tree: Tree, group: Sequence[Rev], bodies: Mapping[Rev, Body | None], rules: Rules
) -> list[Derived]:
    """The joined child of the greatest leaf, if it says more than that leaf, and tombstones on the others."""
    held = [body for rev in group if (body := bodies[rev]) is not None]
    joined = canonical.encode(join(held, rules))
    tombstones = [child(tree, rev, _ABSORBED, deleted=True) for rev in group[1:]]
    if joined == canonical.encode(join(held[:1], rules)):
        return tombstones
    return [child(tree, group[0], joined, deleted=False), *tombstones]


def _kept(live: Sequence[Rev], kinds: Mapping[Rev, Kind]) -> tuple[Kept, ...]:
    """Of each kind that merges its greatest leaf, of others every leaf; but not the winner."""
    kept = []
    told: set[Kind] = {kinds[live[0]]}
    for rev in live[1:]:
        kind = kinds[rev]
        if isinstance(kind, Why):
            kept.append(Kept(rev, kind))
        elif kind not in told:
            kept.append(Kept(rev, Why.OTHER))
            told.add(kind)
    return tuple(kept)


def _deletions(tree: Tree, bodies: Mapping[Rev, Body | None]) -> tuple[Rev, ...]:
    ends = ((rev, tree[rev]) for rev in revtree.leaves(tree))
    return tuple(
        rev
        for rev, node in ends
        if node.deleted and not _absorbs(tree, rev) and not NO_DELETION & (bodies.get(rev) or {}).keys()
    )


def _absorbs(tree: Tree, rev: Rev) -> bool:
    """Whether this is the derived tombstone of its parent: known without reading its body."""
    parent, deleted = tree[rev]
    if not deleted or parent is None:
        return False
    names = derived(parent, True, _ABSORBED)
    return rev == next(one for one in names if one == rev or one not in tree)
