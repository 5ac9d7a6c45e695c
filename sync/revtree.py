"""The revision tree of one document: everything that was ever said of it, and what said it after having
seen what.

Theory
------
A revision names its parent: the revision that its writer had seen. One writer makes a line,

    1-a ─ 2-b ─ 3-c

and two writers who both saw 2-b, but not each other, make a tree with two **leaves**:

    1-a ─ 2-b ┬ 3-c
              └ 3-d

That is a conflict. Nothing is lost by it: all replicas hold both leaves, and all of them show the same one,
the **winner**, since which one wins depends on the leaves alone: a live leaf beats a deleted one, then the
longest history wins, then the greater digest by byte (CouchDB's `couch_doc:sort`).

A peer sends a revision with its **path**: itself, its parent, its parent's parent, as far back as the
sender remembers. `graft` puts a path onto a tree. A tree only ever grows, so that grafting commutes (order
does not matter), repeats (twice is once) and loses nothing; this is all that makes replication converge.

Old history is forgotten: `stem` keeps so many revisions up from every leaf, after which the oldest kept
ones have no parent that we know, and a tree may have several roots. A longer path that comes later gives a
root its parent back, and two stems that turn out to be one line are joined: a leaf that gains a child is a
leaf no more.

Representation
--------------
Flat: a mapping from each revision to its parent (None: a first revision, or a forgotten parent) and to
whether it deletes. All that CouchDB keeps in nested triples follows from it, and no function here mutates
a tree that it was given.

Rules that every function keeps:

1. A revision has one parent. A path that contradicts what is known is followed only as far as it agrees.
2. Only a leaf's `deleted` matters. A leaf was named by a sender, so its flag is known, and stays: nobody
   deletes a document by sending a known revision again with another flag.
3. A parent's generation is its child's less one, so there is no cycle.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from sync.rev import Rev


class Node(NamedTuple):
    """What a tree knows of one revision."""

    parent: Rev | None
    deleted: bool


Tree = Mapping[Rev, Node]


class Grafted(Enum):
    """What a graft did to a tree."""

    NEW_LEAF = "new leaf"
    """The revision went on from a leaf, or is the first of its document."""
    NEW_BRANCH = "new branch"
    """The revision is one more leaf beside those there were."""
    INNER = "inner"
    """No new leaf: the path only told more of the history."""
    KNOWN = "known"
    """Nothing was new; the tree is the one that was given."""


def graft(tree: Tree, path: Sequence[Rev], deleted: bool = False) -> tuple[Tree, Grafted]:
    """Add the revision `path[0]` with its ancestry, newest first.

    >>> tree, _ = graft({}, [Rev(2, "b"), Rev(1, "a")])
    >>> graft(tree, [Rev(2, "c"), Rev(1, "a")])[1]
    <Grafted.NEW_BRANCH: 'new branch'>

    Raises ValueError where the path is empty or its generations do not fall one by one to 1 or above.
    """
    growing = Growing(tree)
    grafted = growing.graft(path, deleted)
    return (tree if grafted is Grafted.KNOWN else growing.tree), grafted


class Growing:
    """A tree of one's own while many revisions come onto it, each of which costs no more than its path.

    The one thing here that changes in place: the tree that it was made of stays as it is.
    """

    __slots__ = ("_parents", "_winner", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree = dict(tree)
        self._parents = {node.parent for node in tree.values()} if tree else set()
        self._winner: Rev | None = None

    def graft(self, path: Sequence[Rev], deleted: bool = False) -> Grafted:
        """What the function of that name does. Raises ValueError likewise."""
        _check(path)
        tree, parents, first = self.tree, self._parents, path[0]
        self._winner = None
        if not tree and len(path) == 1:
            tree[first] = Node(None, deleted)
            return Grafted.NEW_LEAF
        before, goes_on = tree.get(first), not tree
        grew = met = False
        for rev, parent in zip(path, (*path[1:], None), strict=True):
            known = tree.get(rev)
            if known is None:
                tree[rev] = Node(parent, False)
                if not met and parent in tree:
                    met, goes_on = True, parent not in parents
            elif known.parent is None and parent is not None:
                tree[rev] = known._replace(parent=parent)
            elif parent is not None and known.parent != parent:
                # rule 1: what is known of this revision stands, and the rest of the path is of another line
                break
            else:
                continue
            parents.add(parent)
            grew = True
        if deleted and (before is None or first in parents) and not tree[first].deleted:
            tree[first] = tree[first]._replace(deleted=True)  # rule 2: a known leaf's flag stands
            grew = True
        if not grew:
            return Grafted.KNOWN
        if before is not None or first in parents:
            return Grafted.INNER
        return Grafted.NEW_LEAF if goes_on else Grafted.NEW_BRANCH

    def is_leaf(self, rev: Rev) -> bool:
        """Whether nobody went on from a revision."""
        return rev not in self._parents

    def follows(self, asked: Rev | None) -> tuple[Rev | None, bool]:
        """Where an edit hangs, and whether it may: on a leaf, or after the deletion of the whole document."""
        if asked is not None:
            return asked, asked in self.tree and self.is_leaf(asked)
        if not self.tree:
            return None, True
        if self._winner is None:
            self._winner = winner(self.tree)
        return self._winner, self.tree[self._winner].deleted


def _check(path: Sequence[Rev]) -> None:
    if not path:
        raise ValueError("an empty path")
    start = path[0].generation
    if any(rev.generation != start - back for back, rev in enumerate(path)) or path[-1].generation < 1:
        raise ValueError(f"generations that do not fall one by one, at {path[0]}")


def leaves(tree: Tree) -> list[Rev]:
    """The revisions that nobody went on from, the winner first: live before deleted, then greatest first."""
    if len(tree) == 1:
        return list(tree)
    parents = {node.parent for node in tree.values()}
    ends = [rev for rev in tree if rev not in parents]
    return sorted(ends, key=lambda rev: (not tree[rev].deleted, rev), reverse=True)


def live(tree: Tree) -> list[Rev]:
    """The leaves that do not delete, the winner first: more than one is a conflict."""
    return [rev for rev in leaves(tree) if not tree[rev].deleted]


def winner(tree: Tree) -> Rev:
    """The one leaf that every replica shows. Raises IndexError for an empty tree."""
    return leaves(tree)[0]


def is_leaf(tree: Tree, rev: Rev) -> bool:
    """Whether nobody went on from a revision."""
    return all(node.parent != rev for node in tree.values())


def missing(tree: Tree, revs: Iterable[Rev]) -> list[Rev]:
    """Which of these the tree does not hold, in their order (what `_revs_diff` answers)."""
    return [rev for rev in revs if rev not in tree]


def possible_ancestors(tree: Tree, absent: Collection[Rev]) -> list[Rev]:
    """Leaves from which an absent revision may descend: those of a lower generation than one of them."""
    highest = max((rev.generation for rev in absent), default=0)
    return [leaf for leaf in leaves(tree) if leaf.generation < highest]


def ancestry(tree: Tree, rev: Rev) -> tuple[Rev, ...]:
    """The path of `rev`: itself, its parent, and so on as far as is known. Raises KeyError if it is not
    there."""
    path = [rev]
    parent = tree[rev].parent
    while parent is not None:
        path.append(parent)
        parent = tree[parent].parent
    return tuple(path)


def stem(tree: Tree, limit: int) -> Tree:
    """Forget ancestors that are `limit` or more steps up from every leaf below them.

    Counted from each leaf and not from the winner: a branch that lags far behind keeps its own line, so a
    revision that is sent again within the limit, or goes on from anything within it, meets the revision it
    knows and makes no conflict that was not there. Every leaf stays.

    What every leaf has forgotten is as unknown as what never was: whether a path comes from an ancestor or
    from an edit beside the line cannot be told, and to take it for an ancestor would lose an edit. So it is
    grafted as a leaf, as CouchDB does; its merge writes nothing but a tombstone (`sync.resolve`), and the
    leaf goes by itself when a peer with a longer memory sends the line.

    Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("a tree keeps at least its leaves")
    kept: set[Rev] = set()
    for leaf in leaves(tree):
        kept.update(ancestry(tree, leaf)[:limit])
    if len(kept) == len(tree):
        return tree
    return {
        rev: node if node.parent is None or node.parent in kept else node._replace(parent=None)
        for rev, node in tree.items()
        if rev in kept
    }
