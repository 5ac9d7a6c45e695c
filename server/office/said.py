"""What the fields of any document say, in words: pure. For histories, choices and forms that met.

`line` is a value in one line. `differences` tells two values apart as a reader would: an inspection question
by question, a checklist item by item, everything else as one line each. A value of a shape that only a later
program knows is named as such; nobody is shown what the wire looks like.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.checklists import check
from server.office.facts import Difference, Fact, answer, changed, follow_up_in_words, status_in_words
from server.office.households import place_of
from server.words import Words
from sync.merge import CLEARED

Checklists = Callable[[str, int], Mapping[str, Any] | None]
"""A version of a checklist as its document has it, None where this server has none."""


@dataclass(frozen=True, slots=True)
class Known:
    """What it takes to put values into words: what hamlets, subjects and households are called."""

    words: Words
    checklist: Checklists = lambda _slug, _version: None
    hamlets: Mapping[str, str] = field(default_factory=dict)
    called: Callable[[str], str | None] = lambda _id: None
    """What a model, a unit or a household is called, by document id."""


def name(kind: str, field: str, words: Words) -> str:
    """What a field of a type of document is called; one that only a later program knows, its plain name."""
    key = f"office.field.{kind}.{field}"
    return words.say(key) if words.knows(key) else field.replace("_", " ")


def line(kind: str, field: str, value: Any, known: Known) -> str:
    """A value in one line."""
    if value is None or value is CLEARED:
        return known.words.say("office.none")
    try:
        return _line(kind, field, value, known) or known.words.say("office.none")
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return known.words.say("office.field.unreadable")


def differences(kind: str, field: str, before: Any, after: Any, known: Known) -> list[Difference]:
    """What differs between two values of a field; nothing where they read alike."""
    old, new = lines(kind, field, before, known), lines(kind, field, after, known)
    if len(old) == len(new) == 1 and before is None:
        return [Difference(new[0].label, None, new[0].text)]
    return changed(old, new)


def lines(kind: str, field: str, value: Any, known: Known) -> list[Fact]:
    """A value line by line, with keys by which two values are compared."""
    parts = _PARTS.get((kind, field))
    if parts and value is not None and value is not CLEARED:
        try:
            return parts(value, known)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            pass
    if parts and (value is None or value is CLEARED):
        return []
    return [Fact(field, name(kind, field, known.words), line(kind, field, value, known))]


# ---- Values in one line -----------------------------------------------------------------------------------


def _line(kind: str, field: str, value: Any, known: Known) -> str:
    worded = _WORDED.get((kind, field)) or _WORDED.get(("", field))
    if worded:
        return worded(value, known)
    match value:
        case bool():
            return known.words.say("office.yes" if value else "office.no")
        case int():
            return known.words.number(value)
        case str():
            return value
        case [*many] if all(isinstance(one, str) for one in many):
            return "; ".join(many)
    raise ValueError(field)


def _place(value: Mapping[str, str], _: Known) -> str:
    return place_of(value.get("house", ""), value.get("lane", ""))


def _status(value: Mapping[str, str], known: Known) -> str:
    said = status_in_words(f"office.status.{value['is']}", value["since"], known.words)
    into = known.called(f"household:{value['into']}") if "into" in value else None
    return f"{said} ({into})" if into else said


def _since(prefix: str) -> "Worded":
    return lambda value, known: status_in_words(f"{prefix}{value['is']}", value["since"], known.words)


def _keyed(prefix: str) -> "Worded":
    return lambda value, known: known.words.say(f"{prefix}{value}")


def _listed(prefix: str) -> "Worded":
    return lambda value, known: ", ".join(known.words.say(f"{prefix}{one}") for one in value)


def _counted(key: str, name: str) -> "Worded":
    return lambda value, known: known.words.say(key, **{name: known.words.number(value)})


def _numbered(value: Mapping[str, str], known: Known) -> str:
    words = known.words
    return words.say("office.field.numbered_of", number=value["number"], date=words.date(value["date"]))


def _decided(value: Mapping[str, str], known: Known) -> str:
    said = known.words.say(f"office.review.state.{value['is']}")
    return f"{said}: {value['comment']}" if value.get("comment") else said


def _subject(value: str, known: Known) -> str:
    return known.called(value) or known.words.say("office.inspection.subject_unknown")


def _follow_up(value: Mapping[str, str], known: Known) -> str:
    return follow_up_in_words(value, known.words)


def _photos(value: Sequence[Any], known: Known) -> str:
    return known.words.say("office.inspection.photos_count", count=known.words.number(len(value)))


def _items(value: Sequence[Mapping[str, Any]], known: Known) -> str:
    count = sum(len(section["items"]) for section in value)
    return known.words.say("office.field.items_count", count=known.words.number(count))


def _hamlets(value: Sequence[str], known: Known) -> str:
    return ", ".join(known.hamlets.get(one, one) for one in value) or known.words.say(
        "office.model.everywhere"
    )


def _day(value: str, known: Known) -> str:
    return known.words.date(value)


def _which(answers: Mapping[str, Any], known: Known) -> str:
    checklist = known.checklist(answers["checklist"], answers["version"])
    title = checklist["title"] if checklist else answers["checklist"]
    return known.words.say("office.inspection.by_version", title=title, version=answers["version"])


# ---- Values of many lines ---------------------------------------------------------------------------------


def _answers(value: Mapping[str, Any], known: Known) -> list[Fact]:
    """The checklist that was used, and each answer under its question; photographs are another field."""
    words, given = known.words, value["values"]
    used = Fact("checklist", words.say("office.inspection.checklist"), _which(value, known))
    checklist = known.checklist(value["checklist"], value["version"])
    if checklist is None:
        unread = [Fact(key, key, _plain(given[key], words)) for key in sorted(given)]
        return [used, *unread]
    asked = [item for item in check.items(checklist) if item["id"] in given]
    return [used, *(Fact(one["id"], one["label"], answer(one, given[one["id"]], words)) for one in asked)]


def _plain(value: Any, words: Words) -> str:
    if isinstance(value, bool):
        return words.say("office.yes" if value else "office.no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return words.number(value) if isinstance(value, int) else str(value)


def _sections(value: Sequence[Mapping[str, Any]], known: Known) -> list[Fact]:
    words = known.words
    return [
        Fact(
            item["id"],
            section["title"],
            f"{item['label']} ({words.say('office.checklist.kind.' + item['kind']).lower()})",
        )
        for section in value
        for item in section["items"]
    ]


def _clauses(value: Sequence[str], known: Known) -> list[Fact]:
    label = known.words.say("office.field.clause")
    return [Fact(str(place), f"{label} {place}", text) for place, text in enumerate(value, start=1)]


_PARTS: Mapping[tuple[str, str], Callable[[Any, Known], list[Fact]]] = {
    ("inspection", "answers"): _answers,
    ("checklist", "sections"): _sections,
    ("clauses", "items"): _clauses,
    ("notice", "items"): _clauses,
}

Worded = Callable[[Any, Known], str]

_WORDED: Mapping[tuple[str, str], Worded] = {
    ("household", "place"): _place,
    ("household", "status"): _status,
    ("unit", "place"): _place,
    ("unit", "status"): _since("office.unit.status."),
    ("unit", "kind"): _keyed("office.unit.kind."),
    ("model", "kind"): _keyed("office.model.kind."),
    ("model", "decision"): _numbered,
    ("model", "state"): _since("office.model.state."),
    ("outreach", "kind"): _keyed("office.outreach."),
    ("outreach", "topics"): _listed("office.topic."),
    ("review", "decision"): _decided,
    ("inspection", "subject"): _subject,
    ("inspection", "follow_up"): _follow_up,
    ("inspection", "photos"): _photos,
    ("inspection", "answers"): _which,
    ("checklist", "model"): _keyed("office.model.kind."),
    ("checklist", "sections"): _items,
    ("campaign", "counts"): _listed("office.status."),
    ("campaign", "target"): _counted("office.campaign.above", "target"),
    ("campaign", "clauses"): _counted("office.campaign.version", "version"),
    ("campaign", "notice"): _counted("office.campaign.version", "version"),
    ("campaign", "state"): _keyed("office.field.state."),
    ("hamlet", "state"): _keyed("office.field.state."),
    ("", "hamlets"): _hamlets,
    **dict.fromkeys([("", field) for field in ("date", "from", "until", "starts", "ends")], _day),
}
"""By type and field, or by field alone; what is not here reads as it is."""
