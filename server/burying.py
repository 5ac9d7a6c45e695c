"""Ends documents that were erased: a body-free tombstone on every leaf."""

import logging
from collections.abc import Collection, Mapping

from sync import revtree
from sync.resolve import child
from sync.revtree import Tree
from sync.store.interface import Edit, Store

_NOTHING = b"{}"
_log = logging.getLogger(__name__)


async def bury(store: Store, db: str, ids: Collection[str]) -> int:
    """End every leaf that lives of these documents, and what comes meanwhile; how many of them were alive."""
    buried = set[str]()
    while edits := _ends(await store.trees(db, ids)):
        buried |= {edit.id for edit in edits}
        if not any(await store.graft(db, edits)):
            _log.error("%s: cannot be ended: %s", db, ", ".join(sorted({edit.id for edit in edits})))
            break
    return len(buried)


def _ends(trees: Mapping[str, Tree]) -> list[Edit]:
    return [
        Edit(doc_id, *child(tree, leaf, _NOTHING, deleted=True))
        for doc_id, tree in trees.items()
        for leaf in revtree.live(tree)
    ]
