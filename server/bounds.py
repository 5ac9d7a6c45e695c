"""How far one person's writes may carry a document, so that nobody closes it to the others. Pure.

What is held counts with what is sent: the merge of documents that each keep to a bound is to keep to it too.
So the bounds are each author's own: whoever goes beyond them is told so, and what others write still enters.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import schemas
from server.content import Doc, Refusal
from sync import canonical, merge
from sync.rev import Rev
from sync.revtree import Tree
from sync.stamps import ALL, device_of, order

AHEAD = 1_000
"""Generations that a revision may be ahead of what is held of its document, where it stands on none of it. A
phone tells the unsent ones and three before; a server restored from a backup may lack what lay between."""

HIGH = 100_000
"""No document comes so high by being written, but one could be brought, by many requests, to where numbers
end, and be closed for good. From here on nobody climbs faster than a phone that brings all that it keeps."""

UNSENT = 100
"""Revisions that a phone keeps of a path."""

ACTS = 100
"""Acts of one author in one pledge; an honest one has fewer than twenty of all authors."""

VALUES = 4
"""Values of one author that wait in one field of an inspection: a phone's later write replaces its former."""

ANSWERS = 48 * 1024
"""Bytes of one inspection's answers: the longest checklists in use fill a third."""

PHOTOS = 200
"""Photographs of one author in one inspection, those taken back included; staff may go on."""


def too_far(path: Sequence[Rev], tree: Tree) -> Refusal | None:
    """A revision far above all that is held would win, and whatever follows it would have to be above it.

    What stands on a revision that is held is not too far: a document that was once brought up goes on, by as
    much as a phone may bring.
    """
    highest = max((rev.generation for rev in tree), default=0)
    if highest > HIGH and path[0].generation > highest + UNSENT:
        return Refusal("forbidden", "too_far", {})
    if any(rev in tree for rev in path):
        return None
    far = path[0].generation > max(highest, len(path)) + AHEAD
    return Refusal("forbidden", "too_far", {}) if far else None


def held_with(doc: Doc, known: Sequence[Doc]) -> Doc | None:
    """What a document of a bounded type says together with what is held of it; None of other types."""
    if doc["type"] not in BOUNDED or schemas.newer(doc):
        return None
    alike = [body for body in known if not schemas.newer(body)]
    if doc["type"] == "pledge":  # phones send them by the hundred, and a set alone is soon united
        acts = {act["id"]: act for body in (doc, *alike) for act in body["acts"]}
        return {**doc, "acts": [*acts.values()]}
    return merge.join((doc, *alike), schemas.rules(doc["type"]))


def photographers(written: Sequence[Doc]) -> dict[str, str]:
    """Who took the photographs of an inspection, by their ids: they bear no author, but whoever shows another
    one's writes after that one did. `written` are all bodies that were accepted."""
    alike = [body for body in written if not schemas.newer(body)]
    found: dict[str, str] = {}
    for body in sorted(alike, key=lambda one: order(one["stamps"][ALL])):
        for name in _ids(body, "photos"):
            found.setdefault(name, body["by"])
    return found


def overfull(
    doc: Doc,
    joined: Doc,
    known: Sequence[Doc],
    devices: Collection[str],
    *,
    staff: bool,
    taken: Mapping[str, str] | None = None,
) -> Refusal | None:
    """The bound that a document goes beyond by what it adds to the bodies that are `known`.

    `joined` is what they say together (`held_with`), `devices` are those of whoever sends it; `taken` says by
    whom photographs are that others may have taken (`photographers`).
    """
    if doc["type"] == "pledge":
        own = {act["id"] for act in joined["acts"] if act["by"] == doc["by"]}
        return _beyond("acts", ACTS, own, _ids(doc, "acts"), _held(known, "acts"))
    photos = None
    if not staff:
        own = {one for one in _ids(joined, "photos") if (taken or {}).get(one, doc["by"]) == doc["by"]}
        photos = _beyond("photos", PHOTOS, own, _ids(doc, "photos"), _held(known, "photos"))
    return photos or _judge_answers(doc, joined, known, devices)


def _judge_answers(doc: Doc, joined: Doc, known: Sequence[Doc], devices: Collection[str]) -> Refusal | None:
    told = {one.rank for body in known if not schemas.newer(body) for one in _answers(body)}
    new = [one for one in _answers(doc) if one.rank not in told]
    if any(one.value is not merge.CLEARED and len(canonical.encode(one.value)) > ANSWERS for one in new):
        return Refusal("too_large", "answers_too_long", {"kib": ANSWERS // 1024})
    own = {str(one.rank) for one in _answers(joined) if device_of(one.stamp) in devices}
    return _beyond("answers", VALUES, own, {str(one.rank) for one in new}, set())


def _answers(body: Doc) -> Iterator[merge.Value]:
    shown = body["stamps"].get("answers", body["stamps"][ALL])
    yield merge.Value(shown, body.get("answers", merge.CLEARED))
    for other in body.get("asks", {}).get("answers", {}).get("others", ()):
        yield merge.Value(other["stamp"], other.get("value", merge.CLEARED))


def _beyond(what: str, limit: int, counted: set[str], said: set[str], held: set[str]) -> Refusal | None:
    """Whether a document adds to what is counted, which is more than may be."""
    if len(counted) <= limit or not (said & counted) - held:
        return None
    return Refusal("too_large", f"too_many.{what}", {"limit": limit})


def _held(known: Sequence[Doc], name: str) -> set[str]:
    return {one for body in known if not schemas.newer(body) for one in _ids(body, name)}


def _ids(body: Doc, name: str) -> set[str]:
    return {element["id"] for element in body.get(name, ())}


BOUNDED = frozenset({"pledge", "inspection"})
"""The types that have a `set`, or that whoever is no staff may write values of an `ask` into."""
