"""What a document must keep to by its own content, whoever wrote it. Pure.

JSON Schema says most of it (`schemas.validate`); here is the rest: dates that are in the calendar, text in
one normal form, ids that digest what they name, acts that aim at acts, checklists that can be answered. The
phone judges its own types alike (`pwa/src/core/rules.ts`, `tests/vectors/rules.json`).
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import schemas
from server.checklists import check
from server.words import Words
from sync import canonical
from sync.stamps import ALL

SIGNATURE_BYTES = 600

Doc = Mapping[str, Any]


class Refusal(NamedTuple):
    """Why a document may not enter: its outcome's name, the catalogue's key and the sentence's values."""

    name: Literal["forbidden", "clock", "too_large"]
    key: str
    values: Mapping[str, object]

    def say(self, words: Words) -> str:
        """The sentence for whoever sent the document."""
        return words.say(f"rule.{self.key}", **self.values)


def forbidden(key: str, **values: object) -> Refusal:
    """A rule that is broken for good."""
    return Refusal("forbidden", key, values)


def broken(doc: Doc) -> Refusal | None:
    """The first rule that a document (body and `_id`) breaks by its own content: the follower's check too."""
    if problems := schemas.validate(doc):
        return _wrong(problems[0])
    return _judge_form(doc)


def _wrong(problem: schemas.Problem) -> Refusal:
    place = ".".join(str(part) for part in problem.path)
    known = {"required", "additionalProperties", "type"}
    key = "unknown_type" if problem.path == ("type",) else problem.key if problem.key in known else "form"
    return forbidden(f"schema.{key}", place=place)


def _judge_form(doc: Doc) -> Refusal | None:
    newer = schemas.newer(doc)
    for place, text in _texts(doc):
        if not unicodedata.is_normalized("NFC", text):
            return forbidden("nfc", place=place)
        if "\0" in text or (not newer and not text.isprintable() and any(map(_unseen, text))):
            return forbidden("unseen", place=place)
        if text and not text.strip():
            return forbidden("blank", place=place)
    return None if newer else _judge_fields(doc) or _judge_content(doc)


def _unseen(letter: str) -> bool:
    """A control or format character (zero-width, bidi), or a line separator: what people cannot see.

    Line feeds and tabs pass here; the schemas keep them out of what is one line."""
    return letter not in "\n\t" and unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}


def _judge_fields(doc: Doc) -> Refusal | None:
    """Stamps and asks name fields of this type; a value that waits under `asks` is one that could stand."""
    rules = schemas.rules(doc["type"])
    if unknown := doc["stamps"].keys() - rules.keys() - {ALL}:
        return forbidden("schema.additionalProperties", place=f"stamps.{min(unknown)[:40]}")
    for field_name, ask in doc.get("asks", {}).items():
        if rules.get(field_name) != "ask":
            return forbidden("schema.additionalProperties", place=f"asks.{field_name[:40]}")
        for other in ask.get("others", ()):
            shown = {key: value for key, value in doc.items() if key not in {"asks", field_name}}
            waiting = {field_name: other["value"]} if "value" in other else {}
            if problems := schemas.validate(shown | waiting):
                return _wrong(problems[0])
    return None


def _judge_content(doc: Doc) -> Refusal | None:
    judge = _CONTENT.get(doc["type"])
    return judge(doc) if judge else None


def _judge_dates(shape: Doc, *names: str) -> Refusal | None:
    wrong = [name for name in names if name in shape and not _real(shape[name])]
    return forbidden("schema.form", place=wrong[0]) if wrong else None


def _judge_signature(doc: Doc) -> Refusal | None:
    strokes = canonical.encode(doc["strokes"])
    if len(strokes) > SIGNATURE_BYTES:
        return forbidden("signature_too_long", limit=SIGNATURE_BYTES)
    if doc["_id"] != f"signature:{sha256(strokes).hexdigest()}":
        return forbidden("signature_id")
    return None


def _in_order(elements: Sequence[Doc]) -> bool:
    """Whether a set is in its normal form: by id, each once."""
    return all(one["id"] < other["id"] for one, other in pairwise(elements))


def _judge_acts(acts: Sequence[Doc]) -> Refusal | None:
    if not _in_order(acts):
        return forbidden("acts_order")
    kinds = {act["id"]: act["kind"] for act in acts}
    for act in acts:
        if wrong := _judge_dates(act, "at") or _judge_dates(act.get("meeting", {}), "date"):
            return wrong
        aims = {"voided": {"visit", "signed"}, "withdrawn": {"signed"}}.get(act["kind"])
        if aims and kinds.get(act["target"]) not in aims:
            return forbidden("act_target")
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


def _judge_model(doc: Doc) -> Refusal | None:
    return _judge_dates(doc.get("decision", {}), "date") or _judge_dates(doc["state"], "since")


def _judge_bulletin(doc: Doc) -> Refusal | None:
    if wrong := _judge_dates(doc, "from", "until"):
        return wrong
    return forbidden("bulletin_days") if doc["until"] < doc["from"] else None


def _judge_inspection(doc: Doc) -> Refusal | None:
    if wrong := _judge_dates(doc, "date") or _judge_dates(doc.get("follow_up", {}), "due", "done"):
        return wrong
    photos = doc["photos"]
    added = {photo["id"] for photo in photos if "item" in photo}
    if not _in_order(photos) or any(photo.get("removes", photo["id"]) not in added for photo in photos):
        return forbidden("photos")
    return None


def _judge_checklist(doc: Doc) -> Refusal | None:
    flaw = next(iter(check.flaws(doc)), None)
    return forbidden(f"checklist.{flaw.key}", item=flaw.item) if flaw else None


_CONTENT: Mapping[str, Callable[[Doc], Refusal | None]] = {
    "signature": _judge_signature,
    "pledge": lambda doc: _judge_acts(doc["acts"]),
    "household": lambda doc: _judge_dates(doc["status"], "since"),
    "campaign": lambda doc: _judge_dates(doc, "starts", "ends"),
    "model": _judge_model,
    "bulletin": _judge_bulletin,
    "checklist": _judge_checklist,
    "unit": lambda doc: _judge_dates(doc["status"], "since"),
    "inspection": _judge_inspection,
    "outreach": lambda doc: _judge_dates(doc, "date"),
}
