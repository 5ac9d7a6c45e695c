"""What must hold of every join: its laws over anything a peer may send, and validity over our own schemas."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import schemas
from sync.canonical import encode
from sync.merge import CLEARED, Rules, join, questions, write
from sync.stamps import ALL, device_of

RULES: Rules = {
    "name": "latest",
    "place": "latest",
    "acts": "set",
    "photos": "set",
    "state": "ask",
    "score": "ask",
}

# Few devices, instants and values, so that equal stamps, equal values and lies about what was seen all
# happen.
STAMPS = st.builds(
    "{:013d}-{:04x}-dev{}".format, st.integers(1, 5), st.integers(0, 1), st.integers(1, 3)
)  # fmt: skip
VALUES = st.sampled_from(["a", "b", True, 1, None, {"lane": "1"}, [2, 1]])
ELEMENTS = st.builds(
    lambda key, kind: {"id": key, "kind": kind}, st.sampled_from("AB"), st.sampled_from("xy")
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Any body of a mergeable shape: not only what honest writers make."""
    fields: dict[str, Any] = {}
    for name in ("name", "place", "state", "score", "unknown"):
        if draw(st.booleans()):
            fields[name] = draw(VALUES)
    if draw(st.integers(0, 3)):
        fields["acts"] = draw(st.lists(ELEMENTS, min_size=1, max_size=3))
    if draw(st.booleans()):
        fields["photos"] = draw(st.lists(st.sampled_from("abc"), max_size=3))
    entries = draw(st.dictionaries(st.sampled_from([*RULES, "unknown"]), STAMPS, max_size=4))
    other = st.builds(lambda stamp, value: {"stamp": stamp} | value, STAMPS,
                      st.just({}) | st.builds(lambda value: {"value": value}, VALUES))  # fmt: skip
    entry = st.fixed_dictionaries(
        {}, optional={"seen": st.lists(STAMPS, max_size=3), "others": st.lists(other, max_size=3)}
    )
    asks = draw(st.dictionaries(st.sampled_from(["state", "score", "name", "unknown"]), entry, max_size=2))
    by = draw(st.sampled_from(["lan01", "minh1"]))
    body = {"type": "thing", "v": 1, "by": by, "stamps": {**entries, ALL: draw(STAMPS)}, **fields}
    return {**body, "asks": asks} if asks else body


def joined(*some: dict[str, Any]) -> bytes:
    return encode(join(some, RULES))


@given(bodies(), bodies())
def test_the_join_is_commutative(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert joined(a, b) == joined(b, a)


@given(bodies(), bodies(), bodies())
def test_the_join_is_associative(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    whole = joined(a, b, c)
    assert joined(join([a, b], RULES), c) == whole
    assert joined(a, join([b, c], RULES)) == whole


@given(bodies(), bodies())
def test_the_join_is_idempotent(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert joined(a) == joined(a, a) == joined(join([a], RULES))
    both = join([a, b], RULES)
    assert joined(both) == joined(both, a) == joined(both, b, both) == encode(both)


@given(bodies(), bodies())
def test_a_set_loses_nothing_even_to_a_clearing(a: dict[str, Any], b: dict[str, Any]) -> None:
    both = join([a, b], RULES)
    for name in ("acts", "photos"):
        ids = [{x["id"] if isinstance(x, dict) else x for x in one.get(name, ())} for one in (a, b, both)]
        assert ids[0] | ids[1] == ids[2]


@given(bodies(), bodies())
def test_the_join_changes_neither_side(a: dict[str, Any], b: dict[str, Any]) -> None:
    before = encode([a, b])
    join([a, b], RULES)
    assert encode([a, b]) == before


# --- honest writers -----------------------------------------------------------------------------------------


@st.composite
def written(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, dict[str, tuple[str, Any]]]]:
    """Replicas of one document after honest writes and merges, and every write: field, stamp, value, what
    it saw."""
    replicas: list[dict[str, Any]] = []
    writes: dict[str, dict[str, tuple[str, Any]]] = {"name": {}, "place": {}, "state": {}, "score": {}}
    seen: list[set[str]] = []
    last = {f"dev{index}": 0 for index in range(3)}
    for index in range(3):
        stamp = f"{index + 1:013d}-0000-dev{index}"
        replicas.append(write({"type": "thing", "v": 1}, {"name": f"n{index}"}, stamp, "lan01", RULES))
        writes["name"][stamp] = (f"dev{index}", f"n{index}")
        seen.append({stamp})
        last[f"dev{index}"] = index + 1
    for step in range(draw(st.integers(1, 12))):
        here = draw(st.integers(0, 2))
        if draw(st.booleans()):
            there = draw(st.integers(0, 2))
            replicas[here] = join([replicas[here], replicas[there]], RULES)
            seen[here] |= seen[there]
            continue
        name = draw(st.sampled_from(sorted(writes)))
        device = f"dev{here}"
        greatest = int(replicas[here]["stamps"][ALL][:13])
        last[device] = max(greatest, last[device]) + draw(st.integers(1, 3))
        stamp = f"{last[device]:013d}-0000-{device}"
        value = draw(st.just(CLEARED) | st.just(f"v{step}")) if name != "name" else f"v{step}"
        replicas[here] = write(replicas[here], {name: value}, stamp, "lan01", RULES)
        writes[name][stamp] = (" ".join(sorted(seen[here] & writes[name].keys())), value)
        seen[here] = seen[here] | {stamp}
    return replicas, writes


@given(written())
def test_registers_show_the_latest_write_and_asks_exactly_those_that_none_had_seen(case: Any) -> None:
    replicas, writes = case
    body = join(replicas, RULES)
    for name, history in writes.items():
        if not history:
            continue
        latest = max(history)
        assert body.get(name, CLEARED) == history[latest][1]
        replaced = {old for before, _ in history.values() for old in before.split()}
        if RULES[name] == "ask":
            entry = body.get("asks", {}).get(name, {})
            waiting = {other["stamp"]: other.get("value", CLEARED) for other in entry.get("others", ())}
            unseen = history.keys() - replaced - {latest}
            assert waiting == {stamp: history[stamp][1] for stamp in unseen}
            assert {device_of(stamp) for stamp in entry.get("seen", ())} == {
                device_of(old) for old in replaced
            }


@given(written(), st.data())
def test_a_settling_write_stands_against_everything_it_had_seen(case: Any, data: st.DataObject) -> None:
    replicas, _ = case
    both = join(replicas, RULES)
    settled = write(both, {"state": "settled"}, f"{9999:013d}-0000-staff", "staff1", RULES)
    assert "state" not in questions(settled)
    stale = data.draw(st.lists(st.sampled_from(replicas)))
    assert encode(join([*stale, settled, both], RULES)) == encode(settled)


# --- our own documents --------------------------------------------------------------------------------------

ULIDS = st.sampled_from([f"01J8ZQ4T6N3VXK2M5R7W9Y0AB{letter}" for letter in "ABCDEFG"])
DEVICES = st.builds(
    "17645472{:05d}-{:04x}-{}".format, st.integers(0, 99999), st.integers(0, 9), st.sampled_from(["phone1",
    "phone2"])
)  # fmt: skip
USERS = st.sampled_from(["lan01", "minh1"])
VISITS = st.builds(
    lambda key, by, result: {
        "id": key,
        "at": "2026-03-01T02:03:04Z",
        "by": by,
        "kind": "visit",
        "result": result,
    },
    ULIDS,
    USERS,
    st.sampled_from(["met", "nobody_home", "come_back"]),
)
VOIDS = st.builds(
    lambda key, by, target: {
        "id": key,
        "at": "2026-03-01T02:03:04Z",
        "by": by,
        "kind": "voided",
        "target": target,
    },
    ULIDS,
    USERS,
    ULIDS,
)


def stamped(type_: str, doc_id: str, optional: set[str], **fields: st.SearchStrategy[Any]) -> Any:
    """Valid documents of a type, with entries for some fields and some optional ones cleared or never
    written."""

    @st.composite
    def make(draw: st.DrawFn) -> dict[str, Any]:
        body: dict[str, Any] = {"type": type_, "v": 1, "by": draw(USERS), "stamps": {ALL: draw(DEVICES)}}
        for name, values in fields.items():
            there = name not in optional or draw(st.booleans())
            if there:
                body[name] = draw(values)
            if draw(st.booleans()):
                body["stamps"][name] = draw(DEVICES)
        assert schemas.validate({"_id": doc_id, **body}) == []
        return body

    return st.tuples(st.just(doc_id), st.lists(make(), min_size=2, max_size=5))


HOUSEHOLDS = stamped(
    "household",
    "household:01J8ZQ4T6N3VXK2M5R7W9Y0ABC",
    {"place"},
    name=st.sampled_from(["Nông Văn Đức", "Hoàng Thị Ế"]),
    place=st.fixed_dictionaries({}, optional={"house": st.just("7"), "lane": st.just("2")}),
    order=st.integers(0, 9),
    status=st.sampled_from(
        [{"is": "resident", "since": "2026-01-01"},
         {"is": "merged_into", "since": "2026-01-01", "into": "01J8ZQ4T6N3VXK2M5R7W9Y0ABD"}]
    ),
)  # fmt: skip
PLEDGES = stamped(
    "pledge",
    "pledge:antq-2026:01J8ZQ4T6N3VXK2M5R7W9Y0ABC",
    set(),
    acts=st.lists(VISITS | VOIDS, max_size=5),
)
HAMLETS = stamped(
    "hamlet",
    "hamlet:napha",
    set(),
    name=st.sampled_from(["Nà Pha", "Nà Pha 1"]),
    kind=st.sampled_from(["thôn", "bản"]),
    order=st.integers(0, 9),
    state=st.sampled_from(["active", "merged"]),
)


@given(st.one_of(HOUSEHOLDS, PLEDGES, HAMLETS))
def test_a_merge_of_valid_documents_is_valid(case: tuple[str, list[dict[str, Any]]]) -> None:
    doc_id, some = case
    merged = join(some, schemas.rules(some[0]["type"]))
    assert schemas.validate({"_id": doc_id, **merged}) == []


def test_no_schema_bounds_what_a_merge_may_add_up_to() -> None:
    for name in schemas.types():
        for field, rule in schemas.rules(name).items():
            if rule == "set":
                assert "maxItems" not in schemas.schema(name)["properties"][field], (name, field)
