"""What a document brings to another hamlet by names that somebody has taken there before.

Whoever is in both hamlets can put words of his by the name of a colleague's record into the other one, or
write upon that name. When the hamlets are merged, hers goes beside his words, or upon the bare name.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

import schemas
from server import moving, naming, superseding
from server.settle import read_body
from sync import alike, merge, revtree
from sync.rev import Rev
from sync.store.interface import Document, Edit

Kept = Mapping[tuple[str, Rev], bytes]


def taken(doc_id: str, old: Document, new: Document | None, kept: Kept) -> dict[Rev, Edit]:
    """The live leaves of which the new place has the name and not the words, each with what to write for it.
    `kept` is what the archive of that place has by their names. Pure.

    What the archive alone has may be of an attempt at this move that was cut.
    """
    found: dict[Rev, Edit] = {}
    for rev in (rev for rev in revtree.live(old.tree) if rev in old.bodies):
        raw, line = old.bodies[rev].json, revtree.ancestry(old.tree, rev)
        there = new.bodies.get(rev) if new else None
        said = there.json if there else kept.get((doc_id, rev))
        parent = old.bodies.get(line[1]) if len(line) > 1 else None
        if said is not None and not alike.same(said, raw):
            found[rev] = moving.beside(doc_id, line, raw)
        elif new and rev in new.tree and not there and _adds(doc_id, raw, parent and parent.json, new):
            found[rev] = moving.upon(doc_id, line, raw)
    return found


def named(
    connection: Connection, db: str, doc_id: str, edits: Mapping[Rev, Edit], new: Document | None
) -> dict[Rev, Edit]:
    """These by names that are free themselves in the database `db`."""
    given = {(doc_id, edit.rev): edit.body for edit in edits.values()}
    names = naming.free(connection, db, given, {doc_id: new} if new else {})
    return {rev: naming.renamed(edit, (), names)[0] for rev, edit in edits.items()}


def _adds(doc_id: str, raw: bytes, parent: bytes | None, new: Document) -> bool:
    """Whether a body says what those do not know who wrote upon its name. Where nothing lives any more, the
    document has left, and comes back as any other."""
    ends = (new.bodies[rev].json for rev in revtree.live(new.tree) if rev in new.bodies)
    live = [body for one in ends if (body := _legible(doc_id, one))]
    body, before = _legible(doc_id, raw), _legible(doc_id, parent) if parent is not None else None
    return bool(body and live and superseding.adds(body, live, before))


def _legible(doc_id: str, raw: bytes) -> merge.Body | None:
    body = read_body(doc_id, raw)
    return None if body is None or schemas.newer(body) else body
