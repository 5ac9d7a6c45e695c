"""A record as lines that people read, and what two states of it differ in: pure.

Every reviewed type becomes a list of `Fact`s with keys that stay the same from one revision to the next, so
that one comparison tells what changed in any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.checklists import check
from server.office import acts
from server.office.acts import Who
from server.office.households import place_of
from server.words import Words

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: `key` is the same in every revision; `good` says whether an answer earned its points."""

    key: str
    label: str
    text: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that is not what it was; None where there was none, or is none any more."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """What it takes to read a body: words, people's names, the checklist named, what subjects are called."""

    words: Words
    who: Who
    checklist: Mapping[str, Any] | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)


def facts(body: Body, context: Context) -> list[Fact]:
    """The lines of a body of one of `server.review.REVIEWED`."""
    match body["type"]:
        case "household":
            return _household(body, context.words)
        case "pledge":
            return _pledge(body, context)
        case "unit":
            return _unit(body, context.words)
        case "inspection":
            return _inspection(body, context)
        case "outreach":
            return _outreach(body, context.words)
    raise ValueError(body["type"])


def changed(before: Sequence[Fact], after: Sequence[Fact]) -> list[Difference]:
    """What differs, in the order of the later state; what is gone comes last."""
    old = {fact.key: fact for fact in before}
    new = {fact.key: fact for fact in after}
    found = [
        Difference(fact.label, old[fact.key].text if fact.key in old else None, fact.text)
        for fact in after
        if fact.key not in old or old[fact.key].text != fact.text
    ]
    return found + [Difference(fact.label, fact.text, None) for fact in before if fact.key not in new]


def answers(checklist: Mapping[str, Any], body: Body, words: Words) -> list[Fact]:
    """The items that apply, each with its answer in words."""
    given = check.answered(body["answers"]["values"], body["photos"])
    return [
        Fact(
            f"item:{item['id']}",
            item["label"],
            answer(item, given.get(item["id"]), words),
            check.passes(item["good"], given.get(item["id"])) if "points" in item else None,
        )
        for item in check.applicable(checklist, given)
    ]


def answer(item: Mapping[str, Any], value: Any, words: Words) -> str:
    """One answer in words."""
    if value is None:
        return words.say("office.none")
    match item["kind"]:
        case "yes_no":
            return words.say("office.yes" if value else "office.no")
        case "number":
            return f"{words.number(value)} {item['unit']}"
        case "photo":
            return words.say("office.inspection.photos_count", count=words.number(len(value)))
        case "choice" | "multi":
            labels = {option["id"]: option["label"] for option in item["options"]}
            chosen = value if isinstance(value, list) else [value]
            return ", ".join(labels.get(one, str(one)) for one in chosen)
    return str(value)


def status_in_words(key: str, since: str, words: Words) -> str:
    """A status, by the key of its word, and the day since which it holds."""
    return f"{words.say(key)}, {words.say('office.household.since', date=words.date(since))}"


def _household(body: Body, words: Words) -> list[Fact]:
    place, status = body.get("place", {}), body["status"]
    now = status_in_words("office.status." + status["is"], status["since"], words)
    return [
        Fact("name", words.say("office.household.name"), body["name"]),
        Fact("place", words.say("office.household.place"), _or_none(_place(place), words)),
        Fact("status", words.say("office.household.status"), now),
    ]


def _pledge(body: Body, context: Context) -> list[Fact]:
    words, found = context.words, []
    for act in sorted(body["acts"], key=lambda act: (act["at"], act["id"])):
        label = words.say("office.act.by_at", who=context.who(act["by"]), at=words.time(act["at"]))
        details = acts.details(act, words) if act["kind"] == "signed" else ()
        text = ". ".join((acts.short(act, context.who, words, body["acts"]), *details))
        found.append(Fact(f"act:{act['id']}", label, text))
    return found


def _unit(body: Body, words: Words) -> list[Fact]:
    in_scope, status = "office.yes" if body["in_scope"] else "office.no", body["status"]
    now = status_in_words("office.unit.status." + status["is"], status["since"], words)
    return [
        Fact("name", words.say("office.unit.name"), body["name"]),
        Fact("kind", words.say("office.unit.kind_label"), words.say(f"office.unit.kind.{body['kind']}")),
        Fact("in_scope", words.say("office.unit.in_scope"), words.say(in_scope)),
        Fact("place", words.say("office.household.place"), _or_none(_place(body.get("place", {})), words)),
        Fact("status", words.say("office.household.status"), now),
    ]


def _inspection(body: Body, context: Context) -> list[Fact]:
    words, named = context.words, body["answers"]
    subject = context.subjects.get(body["subject"]) or words.say("office.inspection.subject_unknown")
    found = [
        Fact("subject", words.say("office.inspection.subject"), subject),
        Fact("date", words.say("office.inspection.date"), words.date(body["date"])),
    ]
    if context.checklist:
        found += answers(context.checklist, body, words)
        score = check.score(context.checklist, check.answered(named["values"], body["photos"]))
        said = words.say("office.inspection.score_of", earned=score.earned, possible=score.possible)
        found.append(Fact("score", words.say("office.inspection.score"), said))
    follow_up = body.get("follow_up")
    return [
        *found,
        Fact(
            "findings",
            words.say("office.inspection.findings"),
            body.get("findings") or words.say("office.none"),
        ),
        Fact(
            "follow_up",
            words.say("office.inspection.follow_up"),
            follow_up_in_words(follow_up, words) if follow_up else words.say("office.none"),
        ),
    ]


def follow_up_in_words(follow_up: Mapping[str, Any], words: Words) -> str:
    """What is to be done by when, or when it was done."""
    key = "office.inspection.done" if follow_up.get("done") else "office.inspection.to_do"
    day = words.date(follow_up.get("done") or follow_up["due"])
    return words.say(key, what=follow_up["what"], day=day)


def _outreach(body: Body, words: Words) -> list[Fact]:
    topics = ", ".join(words.say(f"office.topic.{topic}") for topic in body["topics"])
    return [
        Fact("kind", words.say("office.outreach.kind"), words.say(f"office.outreach.{body['kind']}")),
        Fact("date", words.say("office.inspection.date"), words.date(body["date"])),
        Fact("place", words.say("office.outreach.place"), body["place"]),
        Fact("present", words.say("office.outreach.present"), words.number(body["present"])),
        Fact("topics", words.say("office.outreach.topics"), topics),
        Fact("note", words.say("office.outreach.note"), body.get("note") or words.say("office.none")),
    ]


def _place(place: Mapping[str, str]) -> str:
    return place_of(place.get("house", ""), place.get("lane", ""))


def _or_none(text: str, words: Words) -> str:
    return text or words.say("office.none")
