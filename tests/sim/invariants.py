"""What must hold of what a server and its phones hold, given the archive. Pure.

It knows documents only as the design describes them (acts and photographs are sets, answers wait to be chosen
from, all else is a register by stamps), in a few lines of its own and not by the product's: two programs that
agree are worth more than one.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sync.rev import Rev
from tests.sim.observe import Body, Doc, Key, Seen

Name = tuple[str, str, str]
"""A database, a document's id, a revision."""

SETS = frozenset({"acts", "photos"})
ENVELOPE = frozenset({"type", "v", "by", "stamps", "asks"})
COUNTS = frozenset({"resident", "seasonal_away"})


def settled(seen: Seen) -> list[str]:
    """No live conflict is left."""
    return [
        f"{db} {doc_id} has {len(doc.live)} live leaves"
        for (db, doc_id), doc in seen.docs.items()
        if len(doc.live) > 1
    ]


def merged(seen: Seen) -> list[str]:
    """Each document says what all that was accepted of it says together."""
    found = []
    expected = _expected(seen)
    for key, doc in seen.docs.items():
        if key not in expected or doc.body is None or is_pledge(key[1]):
            continue
        said = {name: value for name, value in doc.body.items() if name not in ENVELOPE}
        if said != expected[key]:
            found.append(f"{key[0]} {key[1]} says {said}, and not {expected[key]}")
    for subjects, acts in _acts_expected(seen).items():
        there = {
            act["id"]: act
            for (_, doc_id), doc in seen.docs.items()
            if is_pledge(doc_id) and ulid_of(doc_id) in subjects and doc.body
            for act in doc.body["acts"]
        }
        of = f"pledge of {', '.join(sorted(subjects))}"
        if there.keys() != acts.keys():
            few, many = sorted(acts.keys() - there.keys()), sorted(there.keys() - acts.keys())
            found.append(f"{of}: lacks {few}, has {many} too many")
        found += [
            f"{of}: nobody said {act}" for act in there.values() if act not in acts.get(act["id"], [act])
        ]
    return found


def unmerged(seen: Seen) -> list[str]:
    """What a later program wrote has entered nothing: nobody here can judge or merge it."""
    found = [
        f"{db} {doc_id} is of a later version" for (db, doc_id), doc in seen.docs.items() if _is_new(doc.body)
    ]
    return found + [
        f"{kept.db} {kept.id} {kept.rev} of a later version entered"
        for kept in seen.archive
        if _is_new(kept.body)
    ]


def _is_new(body: Body | None) -> bool:
    return body is not None and body.get("v", 1) > 1


def unforged(seen: Seen, mark: str) -> list[str]:
    """Nothing that was written in another's name stands anywhere."""
    return [
        f"{db} {doc_id} says what was forged: {doc.body}"
        for (db, doc_id), doc in seen.docs.items()
        if doc.body and mark in str(doc.body)
    ]


def asked(seen: Seen) -> list[str]:
    """Answers that nobody who saw them has replaced wait, no others do, and the office says so."""
    found, open_ = [], set()
    for key, bodies in _accepted(seen).items():
        doc = seen.docs[key]
        if not key[1].startswith("inspection:") or doc.body is None:
            continue
        shown, waiting = unanswered(bodies)
        there = {(one["stamp"], _text(one.get("value"))) for one in _entry(doc.body).get("others", ())}
        if there != waiting:
            found.append(
                f"{key[0]} {key[1]}: {sorted(there)} wait to be chosen from, and not {sorted(waiting)}"
            )
        if {text for _, text in waiting} - {shown}:
            open_.add(key)
    return found + [
        f"{db} {doc_id}: the office {'does not ask' if (db, doc_id) in open_ else 'asks'} to choose"
        for db, doc_id in sorted(open_ ^ {key for key in seen.asking if key[1].startswith("inspection:")})
    ]


def unanswered(bodies: Iterable[Body]) -> tuple[str, set[tuple[str, str]]]:
    """The latest answers; and those beside them that were written by somebody who had not seen the later
    ones, and that no later one had seen. Each with its stamp."""
    values: set[tuple[str, str]] = set()
    replaced: dict[str, str] = {}
    for body in bodies:
        stamps, entry = body["stamps"], _entry(body)
        values.add((stamps.get("answers") or stamps["*"], _text(body["answers"])))
        values |= {(one["stamp"], _text(one.get("value"))) for one in entry.get("others", ())}
        for stamp in entry.get("seen", ()):
            device = stamp.rpartition("-")[2]
            replaced[device] = max(stamp, replaced.get(device, ""))
    latest = max(values)
    return latest[1], {
        one for one in values - {latest} if one[0] > replaced.get(one[0].rpartition("-")[2], "")
    }


def placed(seen: Seen) -> list[str]:
    """Each act is with its household, or with the one that this has become: not where it was for a while."""
    into = {
        ulid_of(doc_id): doc.body["status"]["into"]
        for (_, doc_id), doc in seen.docs.items()
        if doc_id.startswith("household:")
        and doc.body
        and doc.body.get("status", {}).get("is") == "merged_into"
    }
    there: dict[str, set[str]] = defaultdict(set)
    for (_, doc_id), doc in seen.docs.items():
        if is_pledge(doc_id) and doc.body:
            there[doc_id] |= {act["id"] for act in doc.body["acts"]}
    gone, found = erased_subjects(seen), []
    for (db, doc_id), bodies in _accepted(seen).items():
        end = _end(ulid_of(doc_id), into)
        if is_pledge(doc_id) and end is not None and not {ulid_of(doc_id), end} & gone:
            home = f"{doc_id.rpartition(':')[0]}:{end}"
            lacks = {act["id"] for body in bodies for act in body["acts"]} - there[home]
            found += [f"{db} {doc_id}: {home} lacks {sorted(lacks)}"] if lacks else []
    return found


def _end(ulid: str, into: Mapping[str, str]) -> str | None:
    """What a household has become in the end; None where that goes round in a circle."""
    passed: set[str] = set()
    while ulid in into and ulid not in passed:
        passed.add(ulid)
        ulid = into[ulid]
    return None if ulid in into else ulid


def counted(seen: Seen) -> list[str]:
    """The office's figures are those of the documents, as the oracle reads them."""
    expected = _expected(seen)
    figures: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (db, doc_id), doc in seen.docs.items():
        if not doc_id.startswith("household:") or not doc.live or (db, doc_id) not in expected:
            continue
        if expected[db, doc_id]["status"]["is"] in COUNTS:
            signed = any(
                _signed(pledge.body["acts"])
                for (place, other), pledge in seen.docs.items()
                if place == db and is_pledge(other) and ulid_of(other) == ulid_of(doc_id) and pledge.body
            )
            figures[db.removeprefix("hamlet-")][0] += 1
            figures[db.removeprefix("hamlet-")][1] += signed
    return [
        f"{hamlet}: the office counts {told}, and it is {tuple(figures[hamlet])}"
        for hamlet, told in seen.counts.items()
        if told != tuple(figures[hamlet])
    ]


def stays_erased(seen: Seen, tokens: Collection[str], files: Mapping[str, bytes]) -> list[str]:
    """Nothing that was erased is back: no body, no new document about it, no trace in the files."""
    gone = erased_subjects(seen)
    signatures = {doc_id for _, doc_id in seen.erased if doc_id.startswith(("signature:", "photo:"))}
    found = [
        f"{key[0]} {key[1]} was erased and lives"
        for key, doc in seen.docs.items()
        if doc.live and (key in seen.erased or ulid_of(key[1]) in gone or key[1] in signatures)
    ]
    found += [
        f"{kept.db} {kept.id} {kept.rev} was erased and is in the archive"
        for kept in seen.archive
        if not kept.deleted and ((kept.db, kept.id) in seen.erased or ulid_of(kept.id) in gone)
    ]
    found += [
        f"{one.db} {one.id} {one.rev} was erased and is in quarantine ({one.state})"
        for one in seen.quarantine
        if (one.db, one.id) in seen.erased or ulid_of(one.id) in gone
    ]
    found += [
        f"the photograph {name} was erased and is in {hamlet}"
        for hamlet, name in seen.pictures
        if f"photo:{name}" in signatures
    ]
    found += [f"the photograph {name} is not what it was" for name in seen.spoiled]
    return found + [
        f"{token!r} was erased and stands in {name}"
        for token in tokens
        for name, content in files.items()
        if token.encode() in content
    ]


def erased_subjects(seen: Seen) -> frozenset[str]:
    """The ULIDs of households that were erased."""
    return frozenset(ulid_of(doc_id) for _, doc_id in seen.erased if doc_id.startswith("household:"))


def agrees(
    number: int,
    phone: Mapping[str, Any],
    seen: Seen,
    held: Collection[str],
    is_newer: Callable[[str, str, str], bool],
) -> list[str]:
    """A phone shows what the server holds, knows nothing that the server does not, and has nothing left."""
    found = []
    for db in held:
        there = {
            doc_id: (str(doc.live[0]), doc.body)
            for (place, doc_id), doc in seen.docs.items()
            if place == db and doc.live and not doc_id.startswith("signature:")
        }
        here = {
            doc_id: (rev, body)
            for doc_id, (rev, body) in phone["databases"].get(db, {}).get("docs", {}).items()
        }
        for doc_id in sorted(there.keys() | here.keys()):
            if there.get(doc_id) != here.get(doc_id):
                ours, theirs = here.get(doc_id, ("nothing",))[0], there.get(doc_id, ("nothing",))[0]
                found.append(f"phone {number} has {ours} of {db} {doc_id}, the server {theirs}")
    for db, doc_id, rev, state, _ in phone["own"]:
        if state != "refused" and not is_newer(db, doc_id, rev):
            found.append(f"phone {number} still has {db} {doc_id} {rev}: {state}")
    for db, doc_id, rev, _ in phone["heads"]:
        doc = seen.docs.get((db, doc_id))
        if (doc is None or Rev.parse(rev) not in doc.tree) and (db, doc_id) not in seen.erased:
            found.append(
                f"phone {number} holds {db} {doc_id} {rev} for received; the server does not know it"
            )
    found += [
        f"phone {number} still has {db} {doc_id} {rev}, which was erased"
        for db, doc_id, rev, *_ in [*phone["heads"], *phone["own"], *phone["outbox"]]
        if (db, doc_id) in seen.erased and (db, doc_id, rev) not in _dead_heads(phone)
    ]
    return found


def pictured(number: int, phone: Mapping[str, Any], seen: Seen, gone: Collection[str]) -> list[str]:
    """The server has each photograph that a phone holds for received."""
    erased = {doc_id.removeprefix("photo:") for _, doc_id in seen.erased if doc_id.startswith("photo:")}
    whole = {name for hamlet, name in seen.pictures if _is_live(seen, f"media-{hamlet}", f"photo:{name}")}
    return [
        f"phone {number} holds the photograph {name} for received; the server has it not"
        for name, _, state in phone["photos"]
        if state == "received" and name not in whole | erased | set(gone)
    ]


def photographs(seen: Seen) -> frozenset[str]:
    """The photographs that came here: those that are here, and those that were erased."""
    erased = {doc_id.removeprefix("photo:") for _, doc_id in seen.erased if doc_id.startswith("photo:")}
    return frozenset({name for _, name in seen.pictures} | erased)


def _is_live(seen: Seen, db: str, doc_id: str) -> bool:
    doc = seen.docs.get((db, doc_id))
    return doc is not None and bool(doc.live)


def same(one: Mapping[Key, Any], other: Mapping[Key, Any]) -> list[str]:
    """Two servers hold the same trees."""
    return [
        f"{key[0]} {key[1]}: the servers hold different trees"
        for key in sorted(one.keys() | other.keys())
        if (one[key].tree if key in one else None) != (other[key].tree if key in other else None)
    ]


# --- the parts of it ---


def _dead_heads(phone: Mapping[str, Any]) -> set[Name]:
    return {(db, doc_id, rev) for db, doc_id, rev, live in phone["heads"] if not live}


def groups(seen: Seen) -> list[set[str]]:
    """The households that were ever merged with each other, one way or another."""
    found: list[set[str]] = []
    for kept in seen.archive:
        into = kept.body.get("status", {}).get("into") if kept.id.startswith("household:") else None
        if into:
            joined = {ulid_of(kept.id), into}
            for group in [group for group in found if group & joined]:
                found.remove(group)
                joined |= group
            found.append(joined)
    return found


def _expected(seen: Seen) -> dict[Key, dict[str, Any]]:
    """What the archived bodies of each document say together, the envelope left out."""
    return {key: joined(bodies) for key, bodies in _accepted(seen).items()}


def _accepted(seen: Seen) -> Mapping[Key, list[Body]]:
    """What came from somebody and is in a tree: a body that was archived as the server died may not be.

    What came by the bare engine is in the archive of the server that it came from alone, and a move here can
    bring no archive along: it counts wherever it has gone to.
    """
    places: dict[str, list[tuple[str, Doc]]] = defaultdict(list)
    for (db, doc_id), doc in seen.docs.items():
        places[doc_id].append((db, doc))
    archived = {(kept.db, kept.id, kept.rev) for kept in seen.archive}
    bodies: dict[Key, list[Body]] = defaultdict(list)
    for kept in seen.archive:
        for db, doc in places[kept.id] if not kept.deleted and kept.source != "merged" else ():
            is_here = db == kept.db or (db, kept.id, kept.rev) not in archived
            if is_here and Rev.parse(kept.rev) in doc.tree:
                bodies[db, kept.id].append(kept.body)
    return bodies


def _acts_expected(seen: Seen) -> dict[frozenset[str], dict[str, list[Any]]]:
    """The acts that were accepted of each group of merged households, in whatever hamlet, by their ids."""
    group_of = {ulid: frozenset(group) for group in groups(seen) for ulid in group}
    gone = erased_subjects(seen)
    found: dict[frozenset[str], dict[str, list[Any]]] = defaultdict(dict)
    for (_, doc_id), bodies in _accepted(seen).items():
        if is_pledge(doc_id) and ulid_of(doc_id) not in gone:
            group = group_of.get(ulid_of(doc_id), frozenset({ulid_of(doc_id)}))
            for act in (act for body in bodies for act in body["acts"]):
                found[group].setdefault(act["id"], []).append(act)
    return found


def joined(bodies: Iterable[Body]) -> dict[str, Any]:
    """Registers by the greatest stamp, acts and photographs as sets."""
    best: dict[str, tuple[str, Any]] = {}
    sets: dict[str, dict[str, Any]] = defaultdict(dict)
    for body in bodies:
        stamps = body["stamps"]
        for name in SETS & body.keys():
            sets[name] |= {one["id"]: one for one in body[name]}
        for name in {*body, *stamps} - ENVELOPE - SETS - {"*"}:
            stamp = stamps.get(name) or stamps["*"]
            if name not in best or stamp > best[name][0]:
                best[name] = (stamp, body.get(name))
    said = {name: value for name, (_, value) in best.items() if value is not None}
    return said | {name: [of[one] for one in sorted(of)] for name, of in sets.items()}


def _signed(acts: Iterable[Mapping[str, Any]]) -> bool:
    acts = list(acts)
    back = {act["target"] for act in acts if "target" in act}
    return any(act["kind"] == "signed" and act["id"] not in back for act in acts)


def _entry(body: Body) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = body.get("asks", {}).get("answers", {})
    return entry


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def is_pledge(doc_id: str) -> bool:
    """Whether an id is that of a pledge."""
    return doc_id.startswith("pledge:")


def ulid_of(doc_id: str) -> str:
    """Whose document it is."""
    return doc_id.rpartition(":")[2]
