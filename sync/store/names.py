"""Names without their words: a tree also holds the revisions that a descendant's path has told of."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import DocStore

Named = tuple[str, Rev]


async def untold(
    store: DocStore,
    db: str,
    named: Iterable[Named],
    trees: Mapping[str, Tree],
    accepted: Callable[[Collection[Named]], Awaitable[Collection[Named]]],
) -> Collection[Named]:
    """Those of these revisions of which only the name was ever here: what they say is to be sent.

    The store is asked only of revisions that others stand upon, since no leaf is without its body, and
    `accepted` (which of these were once taken with their bodies) only of those whose body it has not.
    """
    asked = [one for one in dict.fromkeys(named) if one[1] in trees.get(one[0], {})]
    ids = {doc_id for doc_id, _ in asked}
    parents = {(doc_id, node.parent) for doc_id in ids for node in trees[doc_id].values()}
    inner = [one for one in asked if one in parents]
    held = await store.bodies(db, inner) if inner else {}
    bare = [one for one in inner if one not in held]
    return {*bare} - {*await accepted(bare)} if bare else set()
