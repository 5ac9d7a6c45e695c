"""Whether what is held by a name is what somebody else has by it. Pure.

A phone mints the names of its revisions, so that a name is no proof of words: whoever knows the name of a
revision that was lost can give it others. What decides is what a revision says, or a digest of that.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress

import orjson

from sync.canonical import NotCanonical
from sync.exchange import Named, digest
from sync.rev import Rev
from sync.revtree import Tree


def same(held: bytes | None, sent: bytes) -> bool:
    """Whether a body that is held, None for none, says what was sent by its name."""
    return held is not None and (held == sent or orjson.loads(held) == orjson.loads(sent))


def digested(body: bytes) -> str | None:
    """The `exchange.digest` of a body; None where it has none."""
    with suppress(NotCanonical):
        return digest(body)
    return None


def near(tree: Tree, revs: Collection[Rev]) -> set[Rev]:
    """Those of these revisions that a tree names, and where the words stand that came by a name after others:
    in a revision beside it or upon it."""
    wanted = {rev for rev in revs if rev in tree}
    generations = {rev.generation for rev in wanted}
    return {rev for rev, node in tree.items() if rev.generation in generations or node.parent in wanted}


def unlike(says: Mapping[Named, str], bodies: Mapping[Named, bytes]) -> list[Named]:
    """Those of these revisions that have a body here, where neither that nor one that is `near` says what was
    told of it. Each body is digested once: whoever asks may ask for hundreds of branches."""
    digests = {named: said for named, body in bodies.items() if (said := digested(body)) is not None}
    here = {(doc_id, rev.generation, said) for (doc_id, rev), said in digests.items()}
    return [
        (doc_id, rev)
        for (doc_id, rev), said in says.items()
        if (doc_id, rev) in digests
        and not here & {(doc_id, rev.generation, said), (doc_id, rev.generation + 1, said)}
    ]
