"""Names without their words, since a tree also holds what a descendant's path has told of; and names by which
there are other words than somebody has by them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress

from anyio import to_thread

from sync import alike
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import DatabaseMissing, DocStore, Document

Named = tuple[str, Rev]
Accepted = Callable[[Collection[Named]], Awaitable[Mapping[Named, bytes]]]
"""Which of some revisions were once taken with their bodies, and those bodies."""


async def untold(
    store: DocStore,
    db: str,
    named: Iterable[Named],
    trees: Mapping[str, Tree],
    accepted: Accepted,
) -> Collection[Named]:
    """Those of these revisions of which only the name was ever here: what they say is to be sent.

    The store is asked only of revisions that others stand upon, since no leaf is without its body, and
    `accepted` only of those whose body it has not.
    """
    asked = [one for one in dict.fromkeys(named) if one[1] in trees.get(one[0], {})]
    ids = {doc_id for doc_id, _ in asked}
    parents = {(doc_id, node.parent) for doc_id in ids for node in trees[doc_id].values()}
    inner = [one for one in asked if one in parents]
    held = await store.bodies(db, inner) if inner else {}
    bare = [one for one in inner if one not in held]
    return {*bare} - {*await accepted(bare)} if bare else set()


async def unlike(
    store: DocStore, db: str, says: Mapping[Named, str], accepted: Accepted
) -> Collection[Named]:
    """Those of these revisions that have a body here, and say something else to whoever digested them so
    (`sync.exchange.digest`), by their names and by what is near them."""
    if not says:
        return ()
    wanted: dict[str, set[Rev]] = {}
    for doc_id, rev in says:
        wanted.setdefault(doc_id, set()).add(rev)
    found: Mapping[str, Document] = {}
    with suppress(DatabaseMissing):
        found = await store.read(db, wanted, lambda doc_id, tree: alike.near(tree, wanted[doc_id]))
    bodies = {(doc_id, rev): body.json for doc_id, one in found.items() for rev, body in one.bodies.items()}
    near = {(doc_id, rev) for doc_id, one in found.items() for rev in alike.near(one.tree, wanted[doc_id])}
    if bare := near - bodies.keys():
        bodies |= await accepted(bare)
    return await to_thread.run_sync(alike.unlike, says, bodies)
