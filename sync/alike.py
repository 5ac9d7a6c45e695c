"""Whether what is held by a name is what somebody else has by it. Pure.

A phone mints the names of its revisions, so that a name is no proof of words: whoever knows the name of a
revision that was lost can give it others. What decides is what a revision says, or a digest of that.
"""

from collections.abc import Mapping
from contextlib import suppress

import orjson

from sync.canonical import NotCanonical
from sync.exchange import Named, digest
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Document


def same(held: bytes | None, sent: bytes) -> bool:
    """Whether a body that is held, None for none, says what was sent by its name."""
    return held is not None and (held == sent or orjson.loads(held) == orjson.loads(sent))


def unlike(documents: Mapping[str, Document], says: Mapping[Named, str]) -> list[Named]:
    """Those of these revisions that have a body here, where neither it nor what stands beside it or upon it
    says what was told."""
    found = []
    for (doc_id, rev), said in says.items():
        tree, bodies = documents[doc_id].tree, documents[doc_id].bodies
        near = [body.json for one in about(rev, tree) if (body := bodies.get(one))]
        with suppress(NotCanonical):  # nobody can have digested that
            if rev in bodies and said not in map(digest, near):
                found.append((doc_id, rev))
    return found


def about(rev: Rev, tree: Tree) -> list[Rev]:
    """A revision, those beside it and those upon it; none of a revision that the tree does not name."""
    parents = (rev, tree[rev].parent) if rev in tree else ()
    return [one for one, node in tree.items() if one == rev or node.parent in parents]
