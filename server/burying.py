"""Ends documents that were erased: a body-free tombstone on every leaf."""

from collections.abc import Collection

from sync import revtree
from sync.rev import derive
from sync.store.interface import Edit, Store

_NOTHING = b"{}"


async def bury(store: Store, db: str, ids: Collection[str]) -> int:
    """End every leaf that lives of these documents; how many of them were alive."""
    trees = await store.trees(db, ids)
    edits = [
        Edit(doc_id, (derive(leaf, True, _NOTHING), *revtree.ancestry(tree, leaf)), _NOTHING, deleted=True)
        for doc_id, tree in trees.items()
        for leaf in revtree.live(tree)
    ]
    if edits:
        await store.graft(db, edits)
    return len({edit.id for edit in edits})
