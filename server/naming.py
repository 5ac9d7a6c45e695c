"""Names for what the server itself writes: free ones.

They are digests of what is said, so that writing twice writes one. But whoever has pulled that can take the
name before, for other words or for none; and what comes by a name that is there is not written. So where one
is taken, what is said gets a name that nobody can know before.
"""

from collections.abc import Iterable, Mapping
from secrets import token_hex

from sqlalchemy import Connection

from server import archive
from sync import alike
from sync.rev import Rev
from sync.store.interface import Document, Edit

Names = Mapping[tuple[str, Rev], Rev]
"""By document and name that is taken: the name to write by."""


def free(
    connection: Connection,
    db: str,
    given: Mapping[tuple[str, Rev], bytes],
    documents: Mapping[str, Document],
) -> Names:
    """Other names for those of these that are taken; the same one for the same words, where a first attempt
    was cut. `documents` with the bodies that the store has of the names given."""
    kept = archive.bodies(connection, db, given)
    names: dict[tuple[str, Rev], Rev] = {}
    for (doc_id, rev), body in given.items():
        if _is_taken(documents.get(doc_id), rev, body, kept.get((doc_id, rev))):
            same = archive.named(connection, db, doc_id, rev.generation, body)
            names[doc_id, rev] = same or Rev(rev.generation, token_hex(16))
    return names


def renamed(
    edit: Edit, entries: Iterable[archive.Entry], names: Names
) -> tuple[Edit, tuple[archive.Entry, ...]]:
    """The edit, and what to archive of it, by these other names."""

    def other(rev: Rev) -> Rev:
        return names.get((edit.id, rev), rev)

    def entry(one: archive.Entry) -> archive.Entry:
        rev, parent = other(one.rev), one.parent and other(one.parent)
        if one.source == "derived" and (rev, parent) != (one.rev, one.parent):
            one = one._replace(source="sent")  # it is no digest any more of what it was made from
        return one._replace(rev=rev, parent=parent)

    return edit._replace(path=tuple(map(other, edit.path))), tuple(map(entry, entries))


def _is_taken(document: Document | None, rev: Rev, body: bytes, kept: bytes | None) -> bool:
    """Whether something else is here by this name, or nothing but the name."""
    if kept is not None:
        return not alike.same(kept, body)
    there = document.bodies.get(rev) if document else None
    return bool(document and rev in document.tree and not alike.same(there and there.json, body))
