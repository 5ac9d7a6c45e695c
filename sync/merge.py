"""The join of documents: what several concurrent versions of one document say together.

A document is a join-semilattice (a state-based CRDT): the join is commutative, associative and idempotent, so
a merge depends on what was written and never on who merged what first, and it needs no common ancestor. Each
field is joined on its own, by one of three rules that the schemas name (`x-merge`):

`set`     grow-only set of immutable elements, sorted by id (an element that is a text is its own id). A
          removal is an element too. Two elements of one id cannot honestly differ; if they do, the greater
          bytes stay.
`latest`  register: the greatest stamp wins, equal stamps by canonical bytes. An object moves whole.
`ask`     multi-value register: values that were written without having seen each other all stay, the latest
          is shown, and the others wait under `asks` until somebody settles them.

A field without a rule (an unknown one, from a newer program) is kept, by `latest`. `stamps` is in the
normal form of `sync.stamps`. `by` goes with the greatest stamp of all.

`asks`
------
How can a merge know, without an ancestor, whether one value replaced another or was written beside it? The
write says what it replaced:

    "asks": {"state": {"seen":   ["1764547200000-0000-phone1"],
                       "others": [{"stamp": "1764547100000-0000-phone2", "value": "ended"}]}}

`seen` has, for each device, the greatest stamp of a value of this field that some write here has replaced. A
value whose stamp is not above its own device's entry is history, whoever still brings it. `others` are the
values that stand beside the shown one, the latest first; one without `value` cleared the field. A field
written once, by one device, needs no entry, and an empty part is left out.

So an `ask` is a `latest` that remembers: the shown value is the greatest stamp's; `seen` takes the greater of
each entry; `others` are all values that were ever brought, less the shown one and those that `seen` covers.
Each of the three only grows, so the join is lawful whatever a peer sends.

A write replaces every value that it had before it (`write`): so settling is writing the field, be it with a
value that is there already, and a settled question is opened again only by a value that had not seen the
settling. Who wrote a value is who holds the device in its stamp.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from sync import canonical
from sync.stamps import ALL, PATTERN, device_of, normal, order, stamp_of

Body = Mapping[str, Any]
"""A document without its `_fields`."""
Rule = Literal["set", "latest", "ask"]
Rules = Mapping[str, Rule]

ENVELOPE: Final = frozenset({"type", "v", "by", "stamps", "asks"})


class Cleared(Enum):
    """The mark of a field that is cleared; null is a value like others."""

    CLEARED = "cleared"


CLEARED: Final = Cleared.CLEARED


class Unmergeable(ValueError):
    """Bodies that cannot be joined: of different type or version, or not of a mergeable shape."""


class Value(NamedTuple):
    """One value of a field, or its clearing (`value` is then `CLEARED`), and when it was written."""

    stamp: str
    value: Any

    @property
    def rank(self) -> tuple[str, bytes]:
        """What registers compare by."""
        return order(self.stamp), b"" if self.value is CLEARED else canonical.encode(self.value)


def join(bodies: Iterable[Body], rules: Rules) -> dict[str, Any]:
    """What the bodies say together, in normal form. One body alone is brought into normal form.

    Raises Unmergeable where their `type` or `v` differ, or one is not of the shape described above;
    ValueError for no body.
    """
    first, *rest = [_read(body, rules) for body in bodies]
    for other in rest:
        _add(first, other, rules)
    return _render(first)


def write(body: Body, changes: Mapping[str, Any], stamp: str, by: str, rules: Rules) -> dict[str, Any]:
    """The body after one person's write: each changed field to its new value, or to `CLEARED`.

    For a `set` field the value is the elements to add. For an `ask` field the write settles what was open.
    `body` may be `{"type": …, "v": …}` alone: then this is the document's first write. Raises ValueError
    where `stamp` is not above the document's greatest (the writer has not received what it saw), or where a
    change names no field; Unmergeable as `join` does.
    """
    state = _read(body, rules) if "stamps" in body else _State(body.get("type"), body.get("v"))
    if not PATTERN.fullmatch(stamp) or order(stamp) <= order(state.greatest):
        raise ValueError(f"a write must be stamped above {state.greatest or 'nothing'}: {stamp!r}")
    for name, value in changes.items():
        if name in ENVELOPE or name.startswith("_"):
            raise ValueError(f"{name!r} is no field to write")
        rule = rules.get(name, "latest")
        if rule == "set":
            elements = state.sets.setdefault(name, {})
            _unite(elements, _elements(name, value))
            state.shown[name] = Value(stamp, None)
            continue
        if rule == "ask":
            state.asks[name] = _settled(state, name)
        state.shown[name] = Value(stamp, value)
    state.greatest, state.by = stamp, by
    return _render(state)


def retold(said: Body, body: Body, rules: Rules) -> dict[str, Any]:
    """`said`, with the registers that `body` says by the very same stamps as `body` says them. Nobody writes
    two things by one stamp: of two bodies of one person, one was put in that person's mouth."""

    def stamp(one: Body, name: str) -> str | None:
        return stamp_of(one["stamps"], name, name in one)

    registers = (name for name, rule in rules.items() if rule != "set")
    same = {name: it for name in registers if (it := stamp(body, name)) and it == stamp(said, name)}
    kept = {name: value for name, value in said.items() if name not in same}
    return {**kept, **{name: body[name] for name in same if name in body}, "stamps": said["stamps"] | same}


def questions(body: Body) -> dict[str, tuple[Value, ...]]:
    """The fields of a valid body that wait to be settled, each with its values, the shown one first.

    Devices that wrote the same value without having seen each other have not asked anything.
    """
    found: dict[str, tuple[Value, ...]] = {}
    for name, entry in body.get("asks", {}).items():
        shown = Value(body["stamps"].get(name, body["stamps"][ALL]), body.get(name, CLEARED))
        values = (
            shown,
            *(Value(other["stamp"], other.get("value", CLEARED)) for other in entry.get("others", ())),
        )
        if len({value.rank[1] for value in values}) > 1:
            found[name] = values
    return found


# --- a document as a state of the lattice -------------------------------------------------------------------


@dataclass(slots=True)
class _Ask:
    """What an `ask` remembers beside its shown value; `seen` by device."""

    seen: dict[str, str] = field(default_factory=dict)
    others: dict[tuple[str, bytes], Value] = field(default_factory=dict)

    def see(self, stamps: Iterable[str]) -> None:
        """Values of these stamps are replaced."""
        for stamp in stamps:
            device = device_of(stamp)
            self.seen[device] = max(stamp, self.seen.get(device, stamp), key=order)

    def drop_history(self, shown: Value | None) -> None:
        """Drop what `seen` covers, and the shown value itself."""
        if shown is not None and self.others:
            self.others.pop(shown.rank, None)
        for rank, value in list(self.others.items()):
            covered = self.seen.get(device_of(value.stamp))
            if covered is not None and order(value.stamp) <= order(covered):
                del self.others[rank]


@dataclass(slots=True)
class _State:
    """`shown` holds every field's register; of a set only its stamp matters, its elements are in `sets`."""

    type: Any
    v: Any
    by: Any = CLEARED
    greatest: str = ""
    shown: dict[str, Value] = field(default_factory=dict)
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    asks: dict[str, _Ask] = field(default_factory=dict)


def _read(body: Body, rules: Rules) -> _State:
    stamps = body.get("stamps")
    if not isinstance(stamps, dict) or ALL not in stamps or not all(map(_is_stamp, stamps.values())):
        raise Unmergeable("no stamps to merge by")
    if not isinstance(body.get("type"), str) or type(body.get("v")) is not int:
        raise Unmergeable("no type and version to merge by")
    state = _State(body["type"], body["v"], body.get("by", CLEARED), max(stamps.values(), key=order))
    for name in {*body, *stamps} - ENVELOPE - {ALL}:
        present = name in body
        stamp = stamp_of(stamps, name, present)
        assert stamp is not None  # it is present, or among the entries
        if rules.get(name) == "set":
            state.sets[name] = _elements(name, body[name]) if present else {}
            state.shown[name] = Value(stamp, None if present else CLEARED)
        else:
            state.shown[name] = Value(stamp, body[name] if present else CLEARED)
    for name, entry in _entries(body.get("asks", {})):
        state.asks[name] = _ask(entry)
        state.asks[name].drop_history(state.shown.get(name))
    return state


def _is_stamp(text: object) -> bool:
    return isinstance(text, str) and PATTERN.fullmatch(text) is not None


def _entries(asks: object) -> Iterable[tuple[str, Any]]:
    if not isinstance(asks, dict):
        raise Unmergeable("asks is no object")
    return asks.items()


def _ask(entry: object) -> _Ask:
    match entry:
        case {**parts} if parts.keys() <= {"seen", "others"}:
            seen, others = parts.get("seen", []), parts.get("others", [])
        case _:
            raise Unmergeable("asks: an entry is not of its shape")
    if not isinstance(seen, list) or not all(map(_is_stamp, seen)) or not isinstance(others, list):
        raise Unmergeable("asks: an entry is not of its shape")
    ask = _Ask()
    ask.see(seen)
    for other in others:
        if not isinstance(other, dict) or not _is_stamp(other.get("stamp")):
            raise Unmergeable("asks: another value without its stamp")
        value = Value(other["stamp"], other.get("value", CLEARED))
        ask.others[value.rank] = value
    return ask


def _elements(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, list | tuple):
        raise Unmergeable(f"{name}: no list")
    elements: dict[str, Any] = {}
    for element in value:
        key = element.get("id") if isinstance(element, dict) else element
        if not isinstance(key, str):
            raise Unmergeable(f"{name}: an element without an id")
        _unite(elements, {key: element})
    return elements


def _unite(into: dict[str, Any], elements: Mapping[str, Any]) -> None:
    for key, element in elements.items():
        if key not in into or (
            into[key] is not element and canonical.encode(into[key]) < canonical.encode(element)
        ):
            into[key] = element


def _add(into: _State, other: _State, rules: Rules) -> None:
    if (into.type, into.v) != (other.type, other.v):
        raise Unmergeable("different types or versions")
    for name in into.asks.keys() | other.asks.keys() | other.shown.keys():
        _add_field(into, other, name, rules.get(name, "latest"))
    into.by = max(
        Value(into.greatest, into.by), Value(other.greatest, other.by), key=lambda value: value.rank
    ).value
    into.greatest = max(into.greatest, other.greatest, key=order)


def _add_field(into: _State, other: _State, name: str, rule: Rule) -> None:
    values = [state.shown[name] for state in (into, other) if name in state.shown]
    if values:
        into.shown[name] = _later(values)
    if rule == "set":
        _add_set(into, other, name, values)
    ask, more = into.asks.get(name, _Ask()), other.asks.get(name, _Ask())
    ask.see(more.seen.values())
    ask.others.update(more.others)
    if rule == "ask" and len({value.rank for value in values}) > 1:
        ask.others.update((value.rank, value) for value in values)
    ask.drop_history(into.shown.get(name))
    into.asks[name] = ask


def _add_set(into: _State, other: _State, name: str, values: list[Value]) -> None:
    _unite(into.sets.setdefault(name, {}), other.sets.get(name, {}))
    if values:
        there = any(value.value is not CLEARED for value in values)
        into.shown[name] = Value(
            max((value.stamp for value in values), key=order), None if there else CLEARED
        )


def _later(values: list[Value]) -> Value:
    """The greatest; bytes are compared only where stamps are equal, since they cost the most."""
    if len(values) == 1 or order(values[0].stamp) > order(values[1].stamp):
        return values[0]
    if order(values[0].stamp) < order(values[1].stamp):
        return values[1]
    return max(values, key=lambda value: value.rank)


def _settled(state: _State, name: str) -> _Ask:
    """What an `ask` remembers once every value that it has is replaced."""
    before = state.asks.get(name, _Ask())
    after = _Ask(before.seen)
    after.see(value.stamp for value in before.others.values())
    if (shown := state.shown.get(name)) is not None:
        after.see((shown.stamp,))
    return after


def _render(state: _State) -> dict[str, Any]:
    body: dict[str, Any] = {"type": state.type, "v": state.v}
    if state.by is not CLEARED:
        body["by"] = state.by
    written = {name: (value.stamp, value.value is not CLEARED) for name, value in state.shown.items()}
    body["stamps"] = normal(written, state.greatest)
    asks = {name: entry for name, ask in sorted(state.asks.items()) if (entry := _render_ask(ask))}
    if asks:
        body["asks"] = asks
    for name, value in sorted(state.shown.items()):
        if value.value is not CLEARED:
            elements = state.sets.get(name)
            body[name] = value.value if elements is None else [elements[key] for key in sorted(elements)]
    return body


def _render_ask(ask: _Ask) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if ask.seen:
        entry["seen"] = sorted(ask.seen.values())
    if ask.others:
        entry["others"] = [
            {"stamp": value.stamp} if value.value is CLEARED else {"stamp": value.stamp, "value": value.value}
            for _, value in sorted(ask.others.items(), reverse=True)
        ]
    return entry
