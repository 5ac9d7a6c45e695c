"""A hamlet whose merge was overruled stands, and its document says so, to pages and to phones.

Where a restored server was told that B goes into A, and then gets back that A had gone into B, the later word
holds (`server.whereabouts`), and both documents say "merged": nobody would see either hamlet. Whoever wrote
the later one has said that A stands. So A's document says it with that one's author and stamp: nothing is
minted, and two servers write the same.
"""

from collections.abc import Collection, Mapping

import schemas
from server.settle import read_bodies
from sync import canonical, merge, revtree
from sync.merge import CLEARED, Body
from sync.resolve import child
from sync.stamps import ALL
from sync.store.interface import Document, Edit


def again(doc_id: str, held: Mapping[str, Document], ring: Collection[str]) -> Edit | None:
    """The hamlet's document as it stands, by the latest word of the ring; None where that is not later."""
    mine = _body(doc_id, held)
    others = [body for one in ring if (body := _body(one, held)) is not None]
    if mine is None or not others:
        return None
    latest = max(others, key=lambda body: str(body["stamps"][ALL]))
    if latest["stamps"][ALL] <= mine["stamps"][ALL]:
        return None
    fields = {"state": "active", "merged": CLEARED}
    new = merge.write(mine, fields, latest["stamps"][ALL], latest["by"], schemas.rules("hamlet"))
    tree, raw = held[doc_id].tree, canonical.encode(new)
    return Edit(doc_id, *child(tree, revtree.winner(tree), raw, deleted=False))


def _body(doc_id: str, held: Mapping[str, Document]) -> Body | None:
    """What the one live leaf says, where it can be read here."""
    document = held.get(doc_id)
    live = revtree.live(document.tree) if document else []
    if document is None or len(live) != 1:
        return None
    body = read_bodies(doc_id, document).get(live[0])
    return body if body is not None and not schemas.newer(body) else None
