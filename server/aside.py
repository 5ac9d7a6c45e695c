"""Two acts by one id, of which a person at the office has said which is right. Pure.

It cannot come of honest phones alone: after a restore somebody has taken the id of an act that was lost with
it. What is held has gone out to phones, and an act is never rewritten: so the right one enters by an id that
follows from what it says, and the other one is taken back. Whoever has the right one by its first id, and
builds upon it, is understood from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import schemas
from server import ulids
from server.clock import instant
from sync import canonical
from sync.merge import Body

Act = Mapping[str, Any]
_TIME = 10
"""Characters of a ULID that tell when it was made: the new id keeps its place in the order."""


def renamed(act: Act) -> str:
    """The id by which an act enters where something else is held by its own."""
    return _name(str(act["id"]), act)


def as_taken(doc: Body, known: Sequence[Body]) -> Body:
    """The document with those of its acts that are held by another id as they are held. By an id alone none
    is: whoever has pulled an act can give the id that follows from it to one of his own."""
    held, names = _acts(known), dict[str, str]()
    if not held:
        return doc
    there = {**_acts([doc]), **held}
    for act in _aimed_last(doc.get("acts", ())):
        if (name := _free(act, names, there)) in held:
            names[act["id"]] = name
    return _with(doc, names, [held[name] for name in names.values()]) if names else doc


def taken(doc: Body, known: Sequence[Body]) -> dict[str, str]:
    """The ids of the document's acts by which something else is held, each with the one by which that act
    goes beside it: so no act is lost where two pledges become one."""
    held, names = _acts(known), dict[str, str]()
    there = {**_acts([doc]), **held}
    for act in _aimed_last(doc["acts"]):
        aimed = _named(act, names)
        if timeless(held.get(act["id"], aimed)) != timeless(aimed):
            names[act["id"]] = _free(act, names, there)
    return names


def beside(doc: Body, known: Sequence[Body]) -> Body:
    """The document with those of its acts by ids of their own by whose ids something else is held."""
    return _with(doc, names, ()) if (names := taken(doc, known)) else doc


def instead(
    doc: Body, known: Sequence[Body], authors: Mapping[str, str], by: str, now: datetime
) -> dict[str, Any]:
    """The document with its acts by ids of their own, and what is held by theirs taken back by that person.

    `authors` are who recorded those that are held of whatever document.
    """
    held = _acts(known)
    acts = [act for act in doc["acts"] if held.get(act["id"], act) != act or _is_anothers(act, authors)]
    here = [held[act["id"]] for act in acts if act["id"] in held]
    gone = {act["target"] for act in held.values() if act["kind"] == "voided"}
    voids = [
        {"at": instant(now), "by": by, "kind": "voided", "target": act["id"]}
        for act in here
        if act["kind"] in {"visit", "signed"} and act["id"] not in gone
    ]
    names, there = dict[str, str](), {**_acts([doc]), **held}
    for act in _aimed_last(acts):
        names[act["id"]] = _free(act, names, there)
    return _with(doc, names, [*here, *({"id": _name(act["target"], act), **act} for act in voids)])


def is_robbed(doc: Body, known: Sequence[Body], authors: Mapping[str, str]) -> bool:
    """Whether somebody else's act is held by the id of one that this document's author has recorded."""
    held = {**authors, **{name: act["by"] for name, act in _acts(known).items()}}
    own = (act for act in doc.get("acts", ()) if act["by"] == doc["by"])
    return any(_is_anothers(act, held) for act in own)


def _free(act: Act, names: Mapping[str, str], there: Mapping[str, Act]) -> str:
    """The first id that follows from an act by which nothing is there, or just that act."""
    said, name = _named(act, names), renamed(act)
    while name in there and timeless(there[name]) != timeless({**said, "id": name}):
        name = renamed({**act, "id": name})
    return name


def _aimed_last(acts: Iterable[Act]) -> list[Act]:
    """What is aimed at comes first."""
    return sorted(acts, key=lambda one: "target" in one)


def _is_anothers(act: Act, authors: Mapping[str, str]) -> bool:
    return bool(authors.get(act["id"], act["by"]) != act["by"])


def _with(doc: Body, names: Mapping[str, str], more: Iterable[Act]) -> dict[str, Any]:
    """The document with these of its acts by other names, and more acts."""
    acts = {act["id"]: act for act in (*(_named(act, names) for act in doc["acts"]), *more)}
    return {**doc, "acts": [acts[name] for name in sorted(acts)]}


def _named(act: Act, names: Mapping[str, str]) -> Act:
    aims = {"target": names.get(act["target"], act["target"])} if "target" in act else {}
    return {**act, "id": names.get(act["id"], act["id"]), **aims}


def timeless(act: Act) -> Act:
    """An element without when it was: the clock of one copy of an act may have been set right since."""
    return {name: value for name, value in act.items() if name != "at"}


def _name(name: str, act: Act) -> str:
    return name[:_TIME] + ulids.text(int.from_bytes(sha256(canonical.encode(act)).digest()[:16]))[_TIME:]


def _acts(known: Iterable[Body]) -> dict[str, Act]:
    return {act["id"]: act for body in known if not schemas.newer(body) for act in body.get("acts", ())}
