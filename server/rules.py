"""What a document must keep to beyond its schema: who may write what, where, and what it may say of itself.

Pure: the caller's grant, the clock and the bodies that are held already are passed in. A document that
breaks a rule is refused whole, with a key of the catalogue and what its sentence needs.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import schemas
from server.auth.grant import COMMUNE, Grant, Role
from server.words import Words
from sync import canonical
from sync.rev import Rev
from sync.stamps import ALL, SKEW, Stamp, device_of

SIGNATURE_BYTES = 600
ADMIN_TYPES = frozenset({"hamlet", "campaign", "clauses", "notice"})
"""What lies in `commune`: read by every phone, written by admins."""

OTHERS_WORK = frozenset({"forged_author", "foreign_stamp", "forged_act", "admin_only"})
"""Rules that a phone breaks which gives back what other people wrote, after this server has lost it."""

Doc = Mapping[str, Any]


_ID = re.compile(r"[a-z]{1,20}:[\x21-\x7e]{1,200}")
_DIGEST = re.compile(r"[\x21-\x7e]{1,64}")
_GENERATIONS = 1_000_000


class Refusal(NamedTuple):
    """Why a document may not enter: its outcome's name, the catalogue's key and the sentence's values."""

    name: Literal["forbidden", "clock"]
    key: str
    values: Mapping[str, object]

    def say(self, words: Words) -> str:
        """The sentence for whoever sent the document."""
        return words.say(f"rule.{self.key}", **self.values)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who sends documents, where to, and when.

    `devices` are the devices of this person; `now` is the server's clock in milliseconds, None where time
    is not judged (the server's own clock cannot be trusted, or a sealed record's goes to quarantine).
    """

    grant: Grant
    db: str
    devices: Collection[str] = field(default=frozenset())
    now: int | None = None


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

    `known` are the bodies held of the same document: its live leaves and the parent of this revision.
    """
    if problems := schemas.validate(doc):
        return _wrong(problems[0])
    return _judge_form(doc) or _judge_place(doc, asked) or _judge_writer(doc, known, asked)


def broken(doc: Doc) -> Refusal | None:
    """The first rule that a document breaks by its own content, whoever wrote it: the follower's check."""
    if problems := schemas.validate(doc):
        return _wrong(problems[0])
    return _judge_form(doc)


def _no(key: str, **values: object) -> Refusal:
    return Refusal("forbidden", key, values)


def _wrong(problem: schemas.Problem) -> Refusal:
    place = ".".join(str(part) for part in problem.path)
    known = {"required", "additionalProperties", "type"}
    key = "unknown_type" if problem.path == ("type",) else problem.key if problem.key in known else "form"
    return _no(f"schema.{key}", place=place)


# ---- The document by itself -----------------------------------------------------------------------------


def _judge_form(doc: Doc) -> Refusal | None:
    for place, text in _texts(doc):
        if not unicodedata.is_normalized("NFC", text):
            return _no("nfc", place=place)
    return None if schemas.newer(doc) else _judge_fields(doc) or _judge_content(doc)


def _judge_fields(doc: Doc) -> Refusal | None:
    """Stamps and asks name fields of this type; a value that waits under `asks` is one that could stand."""
    rules = schemas.rules(doc["type"])
    if unknown := doc["stamps"].keys() - rules.keys() - {ALL}:
        return _no("schema.additionalProperties", place=f"stamps.{min(unknown)[:40]}")
    for field_name, ask in doc.get("asks", {}).items():
        if rules.get(field_name) != "ask":
            return _no("schema.additionalProperties", place=f"asks.{field_name[:40]}")
        for other in ask.get("others", ()):
            shown = {key: value for key, value in doc.items() if key not in {"asks", field_name}}
            waiting = {field_name: other["value"]} if "value" in other else {}
            if problems := schemas.validate(shown | waiting):
                return _wrong(problems[0])
    return None


def _judge_content(doc: Doc) -> Refusal | None:
    match doc["type"]:
        case "signature":
            return _judge_signature(doc)
        case "pledge":
            return _judge_acts(doc["acts"])
        case "household":
            return _judge_dates(doc["status"], "since")
        case "campaign":
            return _judge_dates(doc, "starts", "ends")
    return None


def _judge_dates(shape: Doc, *names: str) -> Refusal | None:
    wrong = [name for name in names if name in shape and not _real(shape[name])]
    return _no("schema.form", place=wrong[0]) if wrong else None


def _judge_signature(doc: Doc) -> Refusal | None:
    strokes = canonical.encode(doc["strokes"])
    if len(strokes) > SIGNATURE_BYTES:
        return _no("signature_too_long", limit=SIGNATURE_BYTES)
    if doc["_id"] != f"signature:{sha256(strokes).hexdigest()}":
        return _no("signature_id")
    return None


def _judge_acts(acts: Sequence[Doc]) -> Refusal | None:
    ids = [act["id"] for act in acts]
    if any(one >= other for one, other in pairwise(ids)):
        return _no("acts_order")
    kinds = {act["id"]: act["kind"] for act in acts}
    for act in acts:
        if wrong := _judge_dates(act, "at") or _judge_dates(act.get("meeting", {}), "date"):
            return wrong
        aims = {"voided": {"visit", "signed"}, "withdrawn": {"signed"}}.get(act["kind"])
        if aims and kinds.get(act["target"]) not in aims:
            return _no("act_target")
    return None


def _real(text: str) -> bool:
    """Whether a date or an instant of the right form is in the calendar: 31 February is not."""
    try:
        if len(text) == len("2026-01-31"):
            date.fromisoformat(text)
        else:
            datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a document with its place, names of fields included."""
    match value:
        case str():
            yield place, value
        case Mapping():
            for name, part in value.items():
                yield place, name
                yield from _texts(part, f"{place}.{name}" if place else str(name))
        case list():
            for number, part in enumerate(value):
                yield from _texts(part, f"{place}.{number}")


# ---- Where it lies --------------------------------------------------------------------------------------


def _judge_place(doc: Doc, asked: Asked) -> Refusal | None:
    shared = doc["type"] in ADMIN_TYPES
    if shared != (asked.db == COMMUNE) or not asked.db.startswith((COMMUNE, "hamlet-")):
        return _no("wrong_database")
    if shared and asked.grant.role is not Role.ADMIN:
        return _no("admin_only")
    if not (asked.grant.role.walks or asked.grant.role.staff):
        return _no("reads_only")
    return None


# ---- Who writes it --------------------------------------------------------------------------------------


def _judge_writer(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    if doc["by"] != asked.grant.user:
        return _no("forged_author")
    if refused := _judge_stamps(doc, known, asked):
        return refused
    if schemas.newer(doc):
        return None
    if doc["type"] == "pledge":
        return _judge_new_acts(doc["acts"], known, asked)
    if doc["type"] == "household" and doc["status"]["is"] == "merged_into" and not asked.grant.role.staff:
        held = any(body.get("status") == doc["status"] for body in known)
        return None if held else _no("merge_by_staff")
    return None


def _judge_stamps(doc: Doc, known: Sequence[Doc], asked: Asked) -> Refusal | None:
    if device_of(doc["stamps"][ALL]) not in asked.devices:
        return _no("foreign_stamp")  # `by` goes with the latest stamp
    seen = {stamp for body in known for stamp in body["stamps"].values()}
    for stamp in set(doc["stamps"].values()) - seen:
        if device_of(stamp) not in asked.devices:
            return _no("foreign_stamp")
        if asked.now is not None and Stamp.parse(stamp).ms > asked.now + SKEW:
            return Refusal("clock", "future", {})
    return None


def _judge_new_acts(acts: Sequence[Doc], known: Sequence[Doc], asked: Asked) -> Refusal | None:
    held = {act["id"]: act for body in known if not schemas.newer(body) for act in body["acts"]}
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
    if asked.now is not None and datetime.fromisoformat(act["at"]).timestamp() * 1000 > asked.now + SKEW:
        return Refusal("clock", "future", {})
    if act["kind"] == "withdrawn" and not asked.grant.role.staff:
        return _no("withdrawn_by_staff")
    if act["kind"] == "voided" and not asked.grant.role.staff and authors[act["target"]] != act["by"]:
        return _no("void_own_only")
    return None
