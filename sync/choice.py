"""Which revisions of a document are meant. Pure."""

from collections.abc import Iterable, Sequence

from sync import revtree
from sync.rev import Rev
from sync.revtree import Tree


def latest(tree: Tree, revs: Iterable[Rev]) -> list[Rev]:
    """The leaves that these revisions lead to, each once; a revision that is not there stays as it is."""
    if len(tree) == 1:
        return list(dict.fromkeys(revs))
    found: dict[Rev, None] = {}
    parents = {node.parent for node in tree.values()}
    for rev in revs:
        if rev in parents:
            found.update((leaf, None) for leaf in revtree.leaves(tree) if rev in revtree.ancestry(tree, leaf))
        else:
            found[rev] = None
    return list(found)


def newest_common(tree: Tree, rev: Rev, known: Sequence[Rev]) -> int:
    """The generation of the newest ancestor of `rev` that a peer knows, 0 where there is none."""
    line = set(revtree.ancestry(tree, rev))
    return max((there.generation for there in known if there in line), default=0)
