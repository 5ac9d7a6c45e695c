"""Which revisions of a document are meant. Pure."""

from collections.abc import Iterable, Sequence

from sync import revtree
from sync.rev import Rev
from sync.revtree import Tree


class Ends:
    """The leaves that revisions of one tree lead to: found in one walk of it."""

    def __init__(self, tree: Tree) -> None:
        self._rank = {leaf: rank for rank, leaf in enumerate(revtree.leaves(tree))}
        below: dict[Rev | None, list[Rev]] = {}
        for rev, node in tree.items():
            below.setdefault(node.parent if node.parent in tree else None, []).append(rev)
        self._leaves: list[Rev] = []  # each revision's stand together
        self._span: dict[Rev, tuple[int, int]] = {}
        todo: list[tuple[Rev, int]] = [(root, -1) for root in below.get(None, [])]
        while todo:
            rev, start = todo.pop()
            if start >= 0:
                self._span[rev] = (start, len(self._leaves))
            elif rev in below:
                todo += [(rev, len(self._leaves)), *((child, -1) for child in below[rev])]
            else:
                self._leaves.append(rev)

    def of(self, rev: Rev) -> list[Rev]:
        """The winner first; a revision that is not there, or a leaf, stays as it is."""
        if rev not in self._span:
            return [rev]
        start, end = self._span[rev]
        return sorted(self._leaves[start:end], key=self._rank.__getitem__)


def latest(tree: Tree, revs: Iterable[Rev]) -> list[Rev]:
    """The leaves that these revisions lead to, each once; a revision that is not there stays as it is."""
    if len(tree) == 1:
        return list(dict.fromkeys(revs))
    ends = Ends(tree)
    found: dict[Rev, None] = {}
    for rev in dict.fromkeys(revs):
        if rev not in found:
            found.update(dict.fromkeys(ends.of(rev)))
    return list(found)


def newest_common(tree: Tree, rev: Rev, known: Sequence[Rev]) -> int:
    """The generation of the newest ancestor of `rev` that a peer knows, 0 where there is none."""
    line = set(revtree.ancestry(tree, rev))
    return max((there.generation for there in known if there in line), default=0)
