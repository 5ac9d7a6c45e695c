"""The acts of a pledge in words: pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.office.ink import Ink
from server.words import Words

Act = Mapping[str, Any]
Who = Callable[[str | None], str]
"""A person's name by id."""

UNDOING = frozenset({"voided", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Line:
    """One act as the page of a household shows it. `undone` says by whom and when it was taken back."""

    id: str
    text: str
    who: str
    at: str
    tone: str
    details: tuple[str, ...]
    undone: tuple[str, ...]
    signer: str
    ink: Ink | None
    ink_awaited: bool
    may_withdraw: bool


def lines(
    acts: Sequence[Act], who: Who, words: Words, inks: Mapping[str, Ink], *, may_withdraw: bool = False
) -> tuple[Line, ...]:
    """Visits and signings, the newest first, each with what took it back."""
    undone: dict[str, list[Act]] = {}
    for act in acts:
        if act["kind"] in UNDOING:
            undone.setdefault(act["target"], []).append(act)
    shown = [act for act in acts if act["kind"] not in UNDOING]
    shown.sort(key=lambda act: (act["at"], act["id"]), reverse=True)
    return tuple(
        _line(act, undone.get(act["id"], []), who, words, inks, may_withdraw=may_withdraw) for act in shown
    )


def outcome(acts: Sequence[Act]) -> str:
    """signed, visited or open, as the documents define it (schemas/pledge.json)."""
    gone = {act["target"] for act in acts if act["kind"] in UNDOING}
    kinds = {act["kind"] for act in acts if act["id"] not in gone}
    return "signed" if "signed" in kinds else "visited" if kinds - UNDOING else "open"


def short(act: Act, who: Who, words: Words, acts: Sequence[Act] = ()) -> str:
    """One act as a line of history; `acts` holds what a taking back names."""
    match act["kind"]:
        case "visit":
            return words.say(f"office.act.visit.{act['result']}")
        case "signed":
            method = words.say(f"office.method.{act['method']}")
            role = words.say(f"office.signer.{act['role']}")
            return words.say("office.act.signed", signer=act["signer"], role=role, method=method)
    target = next((other for other in acts if other["id"] == act["target"]), None)
    what = short(target, who, words) if target else words.say("office.act.unknown")
    return words.say(f"office.act.{act['kind']}_what", what=what)


def _line(
    act: Act,
    undone: Sequence[Act],
    who: Who,
    words: Words,
    inks: Mapping[str, Ink],
    *,
    may_withdraw: bool,
) -> Line:
    signed = act["kind"] == "signed"
    return Line(
        id=act["id"],
        text=short(act, who, words),
        who=who(act["by"]),
        at=act["at"],
        tone="fallen" if undone else "stands" if signed else "",
        details=details(act, words) if signed else (),
        undone=tuple(
            words.say(f"office.act.{other['kind']}", who=who(other["by"]), at=words.time(other["at"]))
            for other in sorted(undone, key=lambda other: (other["at"], other["id"]))
        ),
        signer=act.get("signer", ""),
        ink=inks.get(act.get("signature", "")),
        ink_awaited="signature" in act and act["signature"] not in inks,
        may_withdraw=may_withdraw and signed and not undone,
    )


def details(act: Act, words: Words) -> tuple[str, ...]:
    """What a signing says beside who and how."""
    found = [
        words.say("office.act.versions", clauses=act["clauses"], notice=act["notice"]),
        words.say("office.act.read_aloud" if act["read_aloud"] else "office.act.read_by_self"),
    ]
    if act.get("title"):
        found.append(words.say("office.act.title", title=act["title"]))
    if act["assisted"]:
        found.append(words.say("office.act.assisted"))
    if act.get("witness"):
        found.append(words.say("office.act.witness", role=words.say(f"office.witness.{act['witness']}")))
    if meeting := act.get("meeting"):
        sheet, date = meeting.get("sheet"), words.date(meeting["date"])
        key = "office.act.meeting_sheet" if sheet else "office.act.meeting"
        found.append(words.say(key, date=date, sheet=sheet))
    return tuple(found)
