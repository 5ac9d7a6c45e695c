"""A checklist as the office's form holds it, and the way from a document to the form and back: pure.

The form has no scripts, so everything is text in fields, and buttons that add, move or take out come back
with the same form. A condition that the form has no fields for (several tests together) is kept as it is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import schemas
from server.checklists import check
from server.names import fold
from server.office.forms import tidy

KINDS = ("yes_no", "number", "choice", "multi", "text", "photo")
SCORED = frozenset({"yes_no", "number", "choice", "multi"})
TESTS = ("", "is_yes", "is_no", "at_least", "at_most", "one_of", "none_of", "kept")
MOST_ITEMS, MOST_SECTIONS = 60, 20

Content = dict[str, Any]
Says = Callable[[str], str]
"""What a field of the form says."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it was typed. `options`: one a line, a star before those that are good."""

    id: str = ""
    kind: str = "yes_no"
    label: str = ""
    source: str = ""
    required: str = ""
    unit: str = ""
    min: str = ""
    max: str = ""
    options: str = ""
    ids: str = ""
    """The ids of the options that came with the form, so that editing a label keeps the answers given."""
    good: str = ""
    good_min: str = ""
    good_max: str = ""
    points: str = ""
    when_item: str = ""
    when_test: str = ""
    when_value: str = ""
    when_kept: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its items."""

    id: str = ""
    title: str = ""
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole form."""

    title: str = ""
    model: str = "other"
    source: str = ""
    sections: tuple[Section, ...] = field(default=(Section(items=(Item(),)),))


@dataclass(frozen=True, slots=True)
class Wrong:
    """What cannot be taken: the key of a sentence, the item that it is about, and the part of it."""

    key: str
    item: str = ""
    part: str = ""


def draft_of(content: Mapping[str, Any]) -> Draft:
    """The form with a checklist's values."""
    labels = {item["id"]: item for item in check.items(content)}
    return Draft(
        content["title"],
        content["model"],
        content["source"],
        tuple(
            Section(one["id"], one["title"], tuple(_item_of(item, labels) for item in one["items"]))
            for one in content["sections"]
        ),
    )


def typed(says: Says) -> Draft:
    """The form as it came back, without what was taken out."""
    sections = []
    for s in range(min(_int(says("sections")) or 0, MOST_SECTIONS)):
        items = []
        for i in range(min(_int(says(f"s{s}-items")) or 0, MOST_ITEMS)):
            if not says(f"s{s}-{i}-gone"):
                items.append(Item(**{name: _said(says, f"s{s}-{i}-{name}", name) for name in Item.__slots__}))
        if not says(f"s{s}-gone"):
            sections.append(Section(says(f"s{s}-id"), tidy(says(f"s{s}-title")), tuple(items)))
    return Draft(tidy(says("title")), says("model"), tidy(says("source")), tuple(sections))


def changed(draft: Draft, deed: str, kind: str) -> Draft:
    """The form after a button: `section`, `item:<section>`, `up:<section>:<item>`; else as it is."""
    what, *at = deed.split(":")
    places = [_int(one) for one in at]
    match what, places:
        case "section", []:
            return replace(draft, sections=(*draft.sections, Section(items=(Item(),))))
        case "item", [int(s)] if s < len(draft.sections):
            new = Item(kind=kind if kind in KINDS else KINDS[0])
            return _with(draft, s, (*draft.sections[s].items, new))
        case "up", [int(s), int(i)] if s < len(draft.sections) and 0 < i < len(draft.sections[s].items):
            items = list(draft.sections[s].items)
            items[i - 1], items[i] = items[i], items[i - 1]
            return _with(draft, s, tuple(items))
    return draft


def content_of(draft: Draft) -> Content:
    """The fields of the document. What was not typed well is left out or kept as text: `wrongs` tells."""
    taken: set[str] = {item.id for section in draft.sections for item in section.items if item.id}
    named = [
        [replace(item, id=item.id or _new_id(item.label, taken)) for item in section.items]
        for section in draft.sections
    ]
    known = {item.id: item for items in named for item in items}
    headings: set[str] = {section.id for section in draft.sections if section.id}
    return {
        "title": draft.title,
        "model": draft.model,
        "source": draft.source,
        "sections": [
            {
                "id": section.id or _new_id(section.title, headings),
                "title": section.title,
                "items": [_content(item, known) for item in items],
            }
            for section, items in zip(draft.sections, named, strict=True)
        ],
    }


def wrongs(content: Content) -> list[Wrong]:
    """What the schema and `check.flaws` have against a checklist, each thing once."""
    envelope = {"_id": "checklist:new:1", "type": "checklist", "v": 1, "by": "office"}
    doc = {**envelope, "stamps": {"*": "0000000000000-0000-office"}, **content}
    found = [_wrong(problem.path, content) for problem in schemas.validate(doc)]
    if not found:
        labels = {item["id"]: item["label"] for item in check.items(content)}
        found = [Wrong(f"rule.checklist.{flaw.key}", labels[flaw.item]) for flaw in check.flaws(content)]
    return list(dict.fromkeys(found))


# ---- From a document ------------------------------------------------------------------------------------


def _item_of(item: Mapping[str, Any], others: Mapping[str, Any]) -> Item:
    good = item.get("good", {})
    options = item.get("options", [])
    star = set(good.get("one_of", ())) | ({good["equals"]} if isinstance(good.get("equals"), str) else set())
    yes_no = good.get("equals")
    when_item, when_test, when_value, kept = _when_of(item.get("when"), others)
    return Item(
        id=item["id"],
        kind=item["kind"],
        label=item["label"],
        source=item["source"],
        required="1" if item.get("required") else "",
        unit=item.get("unit", ""),
        min=str(item.get("min", "")),
        max=str(item.get("max", "")),
        options="\n".join(f"{'* ' if one['id'] in star else ''}{one['label']}" for one in options),
        ids=json.dumps({one["label"]: one["id"] for one in options}, ensure_ascii=False) if options else "",
        good="" if not isinstance(yes_no, bool) else "yes" if yes_no else "no",
        good_min=str(good.get("at_least", "")),
        good_max=str(good.get("at_most", "")),
        points=str(item.get("points", "")),
        when_item=when_item,
        when_test=when_test,
        when_value=when_value,
        when_kept=kept,
    )


def _when_of(when: Mapping[str, Any] | None, others: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Item, test and value of a condition that the form has fields for; else the condition itself."""
    if when is None:
        return "", "", "", ""
    negated = when.keys() == {"not"}
    test: Mapping[str, Any] = when["not"] if negated else when
    about = test.get("item", "")
    if about in others and len(test) == 2:
        if "one_of" in test:
            said = _labels(test["one_of"], others[about])
            return about, "none_of" if negated else "one_of", said, ""
        if isinstance(test.get("equals"), bool) and not negated:
            return about, "is_yes" if test["equals"] else "is_no", "", ""
        bound = next((name for name in ("at_least", "at_most") if name in test), "")
        if bound and not negated:
            return about, bound, str(test[bound]), ""
    return "", "kept", "", json.dumps(when, ensure_ascii=False)


def _labels(values: Sequence[str], item: Mapping[str, Any]) -> str:
    known = {option["id"]: option["label"] for option in item.get("options", [])}
    return "; ".join(known.get(value, value) for value in values)


# ---- To a document --------------------------------------------------------------------------------------


def _content(item: Item, known: Mapping[str, Item]) -> Content:
    made: Content = {"id": item.id, "kind": item.kind, "label": item.label, "source": item.source}
    if item.required:
        made["required"] = True
    if when := _when(item, known):
        made["when"] = when
    options, stars = _options(item)
    if item.kind == "number":
        made |= {"unit": item.unit, "min": _number(item.min), "max": _number(item.max)}
    elif item.kind in {"choice", "multi"}:
        made["options"] = options
    elif item.kind == "photo":
        made["max"] = _number(item.max) if item.max else 1
    if item.kind in SCORED:
        if good := _good(item, stars):
            made["good"] = good
        if item.points:
            made["points"] = _number(item.points)
    return made


def _good(item: Item, stars: list[str]) -> Content:
    match item.kind:
        case "yes_no":
            return {"equals": item.good == "yes"} if item.good else {}
        case "number":
            bounds = {"at_least": item.good_min, "at_most": item.good_max}
            return {name: _number(said) for name, said in bounds.items() if said}
    return {"one_of": stars} if stars else {}


def _options(item: Item) -> tuple[list[Content], list[str]]:
    """The options of a choice with their ids, and the ids of those with a star."""
    before: dict[str, str] = _object(item.ids)
    lines = [tidy(line) for line in item.options.splitlines() if line.strip()]
    taken = set(before.values())
    options, stars = [], []
    for line in lines:
        label = line.removeprefix("*").strip()
        name = before.get(label) or _new_id(label, taken)
        options.append({"id": name, "label": label})
        stars += [name] if line.startswith("*") else []
    return options, stars


def _when(item: Item, known: Mapping[str, Item]) -> Content:
    if item.when_test == "kept":
        return _object(item.when_kept)
    if not item.when_item or item.when_test not in TESTS[1:]:
        return {}
    about: Content = {"item": item.when_item}
    match item.when_test:
        case "is_yes" | "is_no":
            return about | {"equals": item.when_test == "is_yes"}
        case "at_least" | "at_most":
            return about | {item.when_test: _number(item.when_value)}
    other = known.get(item.when_item)
    ids = {option["label"]: option["id"] for option in _options(other)[0]} if other else {}
    said = [tidy(one) for one in item.when_value.split(";") if one.strip()]
    one_of = about | {"one_of": [ids.get(one, one) for one in said]}
    return one_of if item.when_test == "one_of" else {"not": one_of}


def _new_id(label: str, taken: set[str]) -> str:
    """An id from a label that nothing else has; added to `taken`."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in fold(label))
    stem = letters.strip("_")[:32] or "item"
    name = next(one for n in range(1, 10_000) if (one := stem if n == 1 else f"{stem}_{n}") not in taken)
    taken.add(name)
    return name


def _wrong(path: Sequence[str | int], content: Content) -> Wrong:
    """A problem of the schema by the item and the part that it is about."""
    match path:
        case ["sections", int(s), "items", int(i), *rest]:
            item = content["sections"][s]["items"][i]
            part = str(rest[0]) if rest else "kind"
            return Wrong("office.checklist.wrong_item", item["label"] or item["id"], part)
        case ["sections", int(s), *_]:
            return Wrong("office.checklist.wrong_section", content["sections"][s]["title"] or str(s + 1))
        case ["sections"]:
            return Wrong("office.checklist.wrong_section", "1")
    return Wrong("office.checklist.wrong_head", part=str(path[0]))


def _with(draft: Draft, place: int, items: tuple[Item, ...]) -> Draft:
    sections = list(draft.sections)
    sections[place] = replace(sections[place], items=items)
    return replace(draft, sections=tuple(sections))


def _said(says: Says, name: str, part: str) -> str:
    text = says(name)
    return (
        text.replace("\r\n", "\n")
        if part == "options"
        else text
        if part in {"ids", "when_kept"}
        else tidy(text)
    )


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _int(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def _number(text: str) -> Any:
    """A whole number, else the text: the schema refuses it by name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else text
