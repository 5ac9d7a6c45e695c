"""A document moves to another hamlet's database: what to write there, and what to write here. Pure.

    old place                               new place
    1-a ── 2-b                              1-a ── 2-b              the same tree, ids and revisions
            └── 3-T {"moved_to": <there>}

Every revision goes with its body, conflicts and deleted branches included; then each live leaf of the old
place ends in a tombstone that says where it went, and says nothing else. The tombstone derives from its leaf
alone, so a move that is done twice, or on two servers, gives one tree. What is written in the old place on
top of an older revision lives there beside that tombstone: a stray, which is moved on in the same way.

A document that comes back must not be dead here because it once left:

    1-a ── 2-T {"moved_to": <there>} ── 3-R     nothing was written there meanwhile: R says what 1-a says

    1-a ── 2-T {"moved_to": <there>} ── 3-X     X absorbs: another leaf is live here, and T a leaf no more
     └──── 2-b

A leaf whose name somebody has put into the new place before, with another body, goes beside that one under a
name of its own, and both are merged; or upon it, where that was put there with no body and what was written
upon it does not know what the leaf says.

So a tombstone that says where the document went is a leaf only while it is away. R and X derive as well.

What was sent to a place and entered another one, without ever having lived where it was sent (a new household
of a merged hamlet, a new pledge of a household that is gone), leaves there what it would have left by moving:
a tombstone. Without that only the merge knew of it, and a hamlet that stood again took what its author wrote
next for something new: then it lived in both. What waits for a person beside a document that lives elsewhere
leaves that one's (`server.traces`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from sync import canonical, revtree
from sync.resolve import ABSORBED, child
from sync.rev import Rev, derive, is_derived
from sync.revtree import Tree
from sync.store.interface import Document, Edit

MARK = "moved_to"
_ABSORBED = canonical.encode(ABSORBED)


class NoMove(Exception):
    """From a hamlet to itself, or to or from one that is not there (any more)."""


class Move(NamedTuple):
    """What to write for one document, in this order or in one transaction."""

    copies: tuple[Edit, ...]
    """Into the new place, parents before their children."""
    tombstones: tuple[Edit, ...]
    """On the old one, once the copies are on disk."""

    def made(self, old: Document) -> list[Edit]:
        """What is derived here, and no copy: tombstones, and what goes on from where it was ended."""
        return [
            one
            for one in (*self.copies, *self.tombstones)
            if one.rev not in old.tree and len(one.path) > 1
            if is_derived(one.rev, one.path[1], one.deleted, one.body)
        ]


def plan(
    doc_id: str, old: Document, new: Document | None, target: str, taken: Mapping[Rev, Edit] | None = None
) -> Move | None:
    """How to move a document to the database `target`; of `old` and `new` all bodies that are held were read.
    `taken` are the live leaves whose names say something else there, or nothing that those who wrote upon
    them know, each with what says it by a free name (`beside`, `upon`).

    None where a live leaf's body is lost: what cannot be copied stays where it is.
    """
    live = revtree.live(old.tree)
    if any(rev not in old.bodies for rev in live):
        return None
    grown, taken = _Grown(doc_id, new), taken or {}
    grown.copy(old, taken)
    if live:
        grown.reopen(old, [rev for rev in live if rev not in taken], _departures(new) if new else {})
    said = _gone_to(target)
    return Move(
        tuple(grown.edits), tuple(Edit(doc_id, *child(old.tree, leaf, said, deleted=True)) for leaf in live)
    )


def _gone_to(target: str) -> bytes:
    """What a tombstone of the old place says: nothing but where to, so that two servers write the same."""
    return canonical.encode({MARK: target})


def trace(edit: Edit, target: str) -> Edit:
    """What a document that enters the database `target` leaves where it was sent to and never was."""
    said = _gone_to(target)
    return Edit(edit.id, (derive(edit.rev, True, said), *edit.path), said, deleted=True)


def departures(document: Document) -> list[str]:
    """Where a document went that is not here any more, the latest first; bodies of leaves were read.

    Databases only: a pledge that was carried over to another household names that one's document.
    """
    return list(dict.fromkeys(_departures(document).values()))


def strays(document: Document) -> bool:
    """Whether something was written here after the document had gone."""
    return bool(revtree.live(document.tree)) and bool(_departures(document))


def lives(document: Document) -> bool:
    """Whether it lives here and has not left, as far as its tombstones tell."""
    return bool(revtree.live(document.tree)) and not _departures(document)


def residence(held: Mapping[str, Document], under_way: Mapping[Rev, str], first: str | None) -> str | None:
    """Of databases that hold a document, the one where it belongs; None where no tombstone tells.

    It belongs where it lives and has not left. Of several such places, or of those that it has left where
    there is none, it is the one to which it is `under_way`, by tombstones that are to be written yet; or
    where it went last by those that are there. So two servers that moved it apart and exchange choose alike.
    Of several of which no tombstone tells it is `first`, or the least by name.
    """
    homes = {place for place, one in held.items() if lives(one)}
    left = {rev: place for one in held.values() for rev, place in _departures(one).items()}
    for told in (under_way, left):
        ends = [rev for rev, place in told.items() if place in (homes or held)]
        if ends and len(homes) != 1:
            return told[max(ends)]
    return min(homes, key=lambda place: (place != first, place), default=None)


def same(one: Document, other: Document) -> bool:
    """Whether two databases hold one document: by revisions, which tells it from what somebody has put under
    its name."""
    return not one.tree.keys().isdisjoint(other.tree)


def _departures(document: Document) -> dict[Rev, str]:
    """Tombstones that say where it went, among the leaves, the greatest first."""
    ends = ((rev, document.bodies.get(rev)) for rev in revtree.leaves(document.tree))
    told = ((rev, _told(body.json)) for rev, body in ends if body and document.tree[rev].deleted)
    return {rev: place for rev, place in told if place is not None}


def _told(body: bytes) -> str | None:
    place = orjson.loads(body).get(MARK)
    return place if isinstance(place, str) and ":" not in place else None


class _Grown:
    """The tree in the new place while it grows."""

    def __init__(self, doc_id: str, new: Document | None) -> None:
        self._id = doc_id
        self._tree: Tree = new.tree if new else {}
        self._held = set(new.bodies) if new else set()
        self.edits: list[Edit] = []

    def copy(self, old: Document, taken: Mapping[Rev, Edit]) -> None:
        """Every revision with its body; but where it went from the old place says nothing in the new one."""
        for edit in taken.values():
            self._add(edit)
        away = _departures(old)
        ends = set(revtree.leaves(old.tree))
        for rev in sorted(old.tree):  # by generation: a body is stored where its revision is a leaf
            body = old.bodies.get(rev)
            known = rev in self._held or rev in taken or (rev in self._tree and rev not in ends)
            if rev in away or known:
                continue
            if body is not None and not (old.tree[rev].deleted and rev not in ends):
                self._add(Edit(self._id, revtree.ancestry(old.tree, rev), body.json, old.tree[rev].deleted))
            elif rev in ends:  # a tombstone without a body
                self._add(Edit(self._id, revtree.ancestry(old.tree, rev), b"{}", deleted=True))

    def reopen(self, old: Document, live: list[Rev], away: Mapping[Rev, str]) -> None:
        """It lives here again, whatever tombstones are here from an earlier stay: what was ended here, and
        lived on elsewhere, goes on from where it was ended."""
        left = [rev for rev in away if revtree.is_leaf(self._tree, rev)]
        for leaf in live:
            lines = [revtree.ancestry(self._tree, end) for end in revtree.live(self._tree)]
            ends = [*left, *revtree.leaves(self._tree)]
            over = [end for end in ends if leaf in revtree.ancestry(self._tree, end)]
            if over and not any(leaf in line for line in lines):
                left = [end for end in left if end != over[0]]
                self._add(Edit(self._id, *child(self._tree, over[0], old.bodies[leaf].json, deleted=False)))
        for end in left:
            self._add(Edit(self._id, *child(self._tree, end, _ABSORBED, deleted=True)))

    def _add(self, edit: Edit) -> None:
        self._tree, _ = revtree.graft(self._tree, edit.path, edit.deleted)
        self.edits.append(edit)


def beside(doc_id: str, line: tuple[Rev, ...], body: bytes) -> Edit:
    """What a leaf says, under another name: the path is that of the leaf, by whose name there is something
    else."""
    leaf, *above = line
    rev = derive(above[0], False, body) if above else leaf._replace(digest=derive(leaf, False, body).digest)
    return Edit(doc_id, (rev, *above), body)


def upon(doc_id: str, line: tuple[Rev, ...], body: bytes) -> Edit:
    """What came by a name, as a child of it: the name is bare here, or says something else."""
    return Edit(doc_id, (derive(line[0], False, body), *line), body)


# ---- What goes with what --------------------------------------------------------------------------------


def anchors(doc_id: str, body: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The documents of the same hamlet with which this one goes, the nearest first: a pledge with its
    household or unit, a review with what it is about, an inspection of a unit with the unit."""
    kind, _, rest = doc_id.partition(":")
    if kind == "pledge":
        ulid = rest.rpartition(":")[2]
        yield f"household:{ulid}"
        yield f"unit:{ulid}"
    elif kind == "review":
        yield rest
        yield from anchors(rest)
    elif kind == "inspection" and body and str(body.get("subject", "")).startswith("unit:"):
        yield str(body["subject"])
