"""Who may write what, where, and what it may say of other people's work. What a document must keep to whoever
wrote it is `server.content`.

Pure: the caller's grant, the clock and the bodies that are held already are passed in. A document that
breaks a rule is refused whole, with a key of the catalogue and what its sentence needs.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import schemas
from server.auth.grant import COMMUNE, Grant, Role
from server.checklists import check
from server.content import Doc, Refusal, broken
from server.content import forbidden as _no
from sync import merge
from sync.rev import Rev
from sync.stamps import ALL, Stamp, bound, device_of, order, stamp_of

ADMIN_TYPES = frozenset({"hamlet", "campaign", "clauses", "notice", "checklist"})
"""What only admins write: how the commune is made up, and what is pledged and asked."""

STAFF_TYPES = frozenset({"model", "bulletin", "review"})
"""What the office writes and phones read."""

COMMUNE_TYPES = ADMIN_TYPES | {"model", "bulletin"}
"""What lies in `commune`: read by every phone."""

MEDIA_TYPES = frozenset({"photo"})
"""What lies beside the pictures, so that text always travels before them."""

OTHERS_WORK = frozenset({"forged_author", "foreign_stamp", "forged_act", "admin_only", "staff_only"})
"""Rules that a phone breaks which gives back what other people wrote, after this server has lost it."""

_ID = re.compile(r"[a-z]{1,20}:[\x21-\x7e]{1,200}")
_DIGEST = re.compile(r"[\x21-\x7e]{1,64}")
_GENERATIONS = 2**31
"""PostgreSQL's integers end here. How far a revision may be ahead of its document is `bounds.too_far`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who sends documents, where to, and when.

    `devices` are the devices of this person; `now` is the server's clock in milliseconds, None where it
    cannot be trusted. `held`: time is not judged at all, since a person is to decide about the document.
    `checklists` are the checklist documents that are held of those which the batch names, by id.
    """

    grant: Grant
    db: str
    devices: Collection[str] = field(default=frozenset())
    now: int | None = None
    checklists: Mapping[str, Doc] = field(default_factory=dict)
    authors: Mapping[str, str] = field(default_factory=dict)
    """Who recorded those acts of the batch that are held of whatever document, by the act's id."""
    held: bool = False


def well_named(doc_id: str, path: Sequence[Rev] = ()) -> bool:
    """Whether an id and revisions are such as phones, CouchDB and this server make.

    The engine takes any text (CouchDB does); what is looked up and kept in rows is bounded and without NUL,
    which PostgreSQL has no place for.
    """
    return _ID.fullmatch(doc_id) is not None and all(
        rev.generation < _GENERATIONS and _DIGEST.fullmatch(rev.digest) for rev in path
    )


def refusal(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    """The first rule that `doc` (body and `_id`) breaks, or None.

    `known` are the bodies held of the same document: its live leaves and the revision's nearest ancestor.
    """
    return broken(doc) or _judge_place(doc, asked) or _judge_writer(doc, known, asked)


def refusal_of_type(doc: Doc, known: Sequence[Doc], author: Asked) -> Refusal | None:
    """What `refusal` could not say of a document while it was newer than this program: whether its author may
    write this type here, and the rules of the type. Stamps and clock were judged when it came."""
    judge = _OF_TYPE.get(doc["type"])
    return _judge_place(doc, author) or (judge(doc, known, author) if judge else None)


# ---- Where it lies --------------------------------------------------------------------------------------


def _judge_place(doc: Doc, asked: Asked) -> Refusal | None:
    kind, role = doc["type"], asked.grant.role
    if asked.db.partition("-")[0] != _home(kind):
        return _no("wrong_database")
    if kind in ADMIN_TYPES and role is not Role.ADMIN:
        return _no("admin_only")
    if kind in STAFF_TYPES and not role.staff:
        return _no("staff_only")
    if not (role.walks or role.staff):
        return _no("reads_only")
    return None


def _home(kind: str) -> str:
    """The kind of database that a type of document lies in."""
    return COMMUNE if kind in COMMUNE_TYPES else "media" if kind in MEDIA_TYPES else "hamlet"


# ---- Who writes it --------------------------------------------------------------------------------------


def _judge_writer(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    if doc["by"] != asked.grant.user:
        return _no("forged_author")
    if refused := _judge_stamps(doc, known, asked):
        return refused
    if schemas.newer(doc):
        return None  # `refusal_of_type`, once this program knows what it says
    judge = _OF_TYPE.get(doc["type"])
    return judge(doc, known, asked) if judge else None


def _judge_stamps(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    if device_of(doc["stamps"][ALL]) not in asked.devices:
        return _no("foreign_stamp")  # `by` goes with the latest stamp
    told = {stamp for body in known for stamp in _stamps(body)}
    # What follows a time that has not come, and was accepted when the clock was wrong, must be after it.
    latest = bound(asked.now, told)
    for stamp in _stamps(doc) - told:
        if device_of(stamp) not in asked.devices:
            return _no("foreign_stamp")
        if not asked.held and Stamp.parse(stamp).ms > latest:
            return Refusal("clock", "future", {})
    if schemas.newer(doc):
        return None
    others = [(name, one) for name, one in _values(doc) if device_of(one.stamp) not in asked.devices]
    held = [body for body in known if not schemas.newer(body)]
    forged = any(not any(_holds(body, name, one) for body in held) for name, one in others)
    if forged:
        return _no("foreign_stamp")
    return _no("stamp_altered") if any(_denies(held, name, one) for name, one in _values(doc)) else None


def _stamps(doc: Doc) -> set[str]:
    """All stamps in a document: of what it says, of what waits beside that, and of what was replaced."""
    asks = () if schemas.newer(doc) else doc.get("asks", {}).values()
    waiting = {other["stamp"] for ask in asks for other in ask.get("others", ())}
    return {*doc["stamps"].values(), *waiting, *(stamp for ask in asks for stamp in ask.get("seen", ()))}


def _values(doc: Doc) -> Iterator[tuple[str, merge.Value]]:
    """What somebody wrote, by field: the values of registers, and those that wait beside them."""
    for name, rule in schemas.rules(doc["type"]).items():
        stamp = stamp_of(doc["stamps"], name, name in doc)
        if rule != "set" and stamp is not None:
            yield name, merge.Value(stamp, doc.get(name, merge.CLEARED))
        for other in doc.get("asks", {}).get(name, {}).get("others", ()):
            yield name, merge.Value(other["stamp"], other.get("value", merge.CLEARED))


def _holds(body: Doc, name: str, value: merge.Value) -> bool:
    """Whether a document says this by the same stamp: nobody writes two things by one stamp."""
    return any(
        (field, one.stamp) == (name, value.stamp) and one.rank == value.rank for field, one in _values(body)
    )


def _denies(known: Sequence[Doc], name: str, value: merge.Value) -> bool:
    """Whether something else is held under the stamp of a value, and the value is not."""
    held = {
        one.rank
        for body in known
        for field, one in _values(body)
        if (field, one.stamp) == (name, value.stamp)
    }
    return bool(held) and value.rank not in held


def altered(doc: Doc, known: Sequence[Doc]) -> bool:
    """Whether a document says otherwise what an act says that is held of it."""
    held = _held_acts(known)
    return any(act != held.get(act["id"], act) for act in doc.get("acts", ()))


def as_held(doc: Doc, known: Sequence[Doc]) -> Doc:
    """The document with its writer's own acts as they are held, where they differ by their times alone: the
    clock was set right between the two."""
    held = _held_acts(known)

    def kept(act: Doc) -> Doc:
        here = held.get(act["id"])
        same = here is not None and act["by"] == doc["by"] and {**act, "at": here["at"]} == here
        return here if same and here is not None else act

    return {**doc, "acts": [kept(act) for act in doc["acts"]]} if "acts" in doc else doc


def photos_as_held(doc: Doc, known: Sequence[Doc]) -> Doc:
    """The document with its photographs under the items under which they are held: two people may have sent
    one picture, and nobody moves another's, be the name of an item greater or not."""
    held = {one["id"]: one for body in _readable(known) for one in body.get("photos", ())}
    return {**doc, "photos": [held.get(one["id"], one) for one in doc["photos"]]} if "photos" in doc else doc


def _held_acts(known: Sequence[Doc]) -> dict[str, Doc]:
    return {act["id"]: act for body in known if not schemas.newer(body) for act in body.get("acts", ())}


def _judge_new_acts(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    acts, held = doc["acts"], _held_acts(known)
    authors = {act["id"]: act["by"] for act in (*acts, *held.values())}
    for act in acts:
        if act["id"] not in held:
            if refused := _judge_new_act(act, authors, asked):
                return refused
        elif act != held[act["id"]]:
            return _no("act_altered")
    return None


def _judge_new_act(act: Doc, authors: Mapping[str, str], asked: Asked) -> Refusal | None:
    if act["by"] != asked.grant.user:
        return _no("forged_act")
    if asked.authors.get(act["id"], act["by"]) != act["by"]:
        return _no("act_altered")  # two pledges may become one, and of two acts of one id one would be lost
    if not asked.held and datetime.fromisoformat(act["at"]).timestamp() * 1000 > bound(asked.now, ()):
        return Refusal("clock", "future", {})
    if act["kind"] == "withdrawn" and not asked.grant.role.staff:
        return _no("withdrawn_by_staff")
    if act["kind"] == "voided" and not asked.grant.role.staff and authors[act["target"]] != act["by"]:
        return _no("void_own_only")
    return None


def _judge_merged_into(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    """Only as staff have written it, by its stamp too: said anew it would join what they parted since."""
    if doc["status"]["is"] != "merged_into" or asked.grant.role.staff:
        return None
    said = (_status_stamp(doc), doc["status"])
    held = any((_status_stamp(body), body["status"]) == said for body in _readable(known))
    return None if held else _no("merge_by_staff")


def _readable(known: Sequence[Doc]) -> list[Doc]:
    return [body for body in known if not schemas.newer(body)]


def parts_merged(doc: Doc, known: Sequence[Doc], role: Role) -> bool:
    """Whether a volunteer gives another status to a household that staff have merged meanwhile."""
    if doc["type"] != "household" or role.staff or schemas.newer(doc):
        return False
    latest = max(_readable(known), key=_status_stamp, default=doc)
    return (
        latest["status"]["is"] == "merged_into"
        and doc["status"] != latest["status"]
        and _status_stamp(doc) > _status_stamp(latest)
    )


def _status_stamp(doc: Doc) -> str:
    return order(stamp_of(doc["stamps"], "status", present=True) or "")


def _judge_version(doc: Doc, known: Sequence[Doc], _: Asked) -> Refusal | None:
    """A version stays as inspections were made and pledges were signed with it; only an open question is
    settled."""
    fields = schemas.rules(doc["type"])
    for body in known:
        settles = merge.questions(body).keys() if not schemas.newer(body) else ()
        if any(body.get(name) != doc.get(name) for name in fields if name not in settles):
            return _no("version_altered")
    return None


def _judge_answers(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    """New answers are held to the version that they name. Those held already stand, whatever came of their
    photographs since; so does a version that this server does not have (it was restored from a backup)."""
    answers = doc["answers"]
    checklist = asked.checklists.get(checklist_id(answers))
    if checklist is None or any(body.get("answers") == answers for body in known):
        return None
    wrong = check.problems(checklist, check.answered(answers["values"], doc["photos"]))
    if not wrong:
        return None
    labels = {item["id"]: item["label"] for item in check.items(checklist)}
    return _no(f"answer.{wrong[0].key}", item=labels.get(wrong[0].item, wrong[0].item))


def _judge_photo(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    """A photograph is whose it is: its document follows it to its inspection, and says of its bytes what they
    are. They are looked at for themselves (`server.media`), so a false one that came first closes nothing."""
    held = _readable(known)
    others = any(body["by"] != doc["by"] for body in held)
    facts = ("mime", "bytes", "width", "height")
    altered = any(body[name] != doc[name] for body in held for name in facts)
    return _no("photo_of_other") if (others or altered) and not asked.grant.role.staff else None


_OF_TYPE: Mapping[str, Callable[[Doc, Sequence[Doc], Asked], Refusal | None]] = {
    "pledge": _judge_new_acts,
    "household": _judge_merged_into,
    **dict.fromkeys(("checklist", "clauses", "notice"), _judge_version),
    "inspection": _judge_answers,
    "photo": _judge_photo,
}


def checklist_id(answers: Mapping[str, Any]) -> str:
    """The id of the checklist document that answers name."""
    return f"checklist:{answers['checklist']}:{answers['version']}"
