"""The merge policy, readable as one table: ours and theirs on the left, what both become on the right."""

from itertools import permutations
from typing import Any

import pytest

from sync.merge import CLEARED, Rules, Unmergeable, join, questions, write

RULES: Rules = {"name": "latest", "place": "latest", "acts": "set", "photos": "set", "state": "ask"}


def at(ms: int, device: str = "dev1") -> str:
    return f"{ms:013d}-0000-{device}"


def doc(stamps: dict[str, str], **fields: Any) -> dict[str, Any]:
    """A body whose greatest stamp is `all`, by a user named after the device of that stamp."""
    entries = {("*" if name == "all" else name): stamp for name, stamp in stamps.items()}
    return {"type": "thing", "v": 1, "by": "user" + entries["*"][-1], "stamps": entries, **fields}


A1, B1, A2, B2, A3, C3, C4 = at(1), at(1, "dev2"), at(2), at(2, "dev2"), at(3), at(3, "dev3"), at(4, "dev3")


def seen(*stamps: str) -> dict[str, Any]:
    return {"seen": list(stamps)}


TABLE = [
    # what it shows, ours, theirs, the join
    (
        "latest: the greater stamp wins, and `by` goes with the document's greatest",
        doc({"all": A2}, name="Ông Bốn"),
        doc({"all": B1}, name="Ông Năm"),
        doc({"all": A2}, name="Ông Bốn"),
    ),
    (
        "latest: each field has its own winner; the older one keeps its own stamp",
        doc({"all": A2, "place": A1}, name="Ông Bốn", place={"lane": "1"}),
        doc({"all": B2, "name": B1}, name="Ông Năm", place={"lane": "2"}),
        doc({"all": B2, "name": A2}, name="Ông Bốn", place={"lane": "2"}),
    ),
    (
        "latest: an object is one value and moves whole",
        doc({"all": A2}, place={"lane": "1"}),
        doc({"all": B1}, place={"lane": "2", "house": "7"}),
        doc({"all": A2}, place={"lane": "1"}),
    ),
    (
        "latest: equal stamps go by bytes",
        doc({"all": A1}, name="a"),
        doc({"all": A1}, name="b"),
        doc({"all": A1}, name="b"),
    ),
    (
        "latest: a cleared field stays cleared against an older value, by its entry",
        doc({"all": A3, "place": A2, "name": A1}, name="a"),
        doc({"all": A1}, name="a", place={"lane": "1"}),
        doc({"all": A3, "place": A2, "name": A1}, name="a"),
    ),
    (
        "latest: a later value beats the clearing",
        doc({"all": A2, "place": A2, "name": A1}, name="a"),
        doc({"all": C3, "name": A1}, name="a", place={"lane": "1"}),
        doc({"all": C3, "name": A1}, name="a", place={"lane": "1"}),
    ),
    (
        "latest: a field that is neither there nor among the entries was never written, so it clears nothing",
        doc({"all": A2}, name="a"),
        doc({"all": B1}, name="b", place={"lane": "1"}),
        doc({"all": A2, "place": B1}, name="a", place={"lane": "1"}),
    ),
    (
        "set: both sides' elements stay, sorted by id, whatever their order was",
        doc({"all": A1}, acts=[{"id": "C"}, {"id": "A"}]),
        doc({"all": B1}, acts=[{"id": "B"}, {"id": "A"}]),
        doc({"all": B1}, acts=[{"id": "A"}, {"id": "B"}, {"id": "C"}]),
    ),
    (
        "set: an element that is a text is its own id",
        doc({"all": A1}, photos=["f", "a"]),
        doc({"all": B1}, photos=["b"]),
        doc({"all": B1}, photos=["a", "b", "f"]),
    ),
    (
        "set: two elements of one id: the greater bytes stay",
        doc({"all": A1}, acts=[{"id": "A", "is": 2}]),
        doc({"all": B1}, acts=[{"id": "A", "is": 1}]),
        doc({"all": B1}, acts=[{"id": "A", "is": 2}]),
    ),
    (
        "set: one side without the field takes nothing away",
        doc({"all": A2}, name="a"),
        doc({"all": B1}, name="a", acts=[{"id": "A"}]),
        doc({"all": A2, "acts": B1}, name="a", acts=[{"id": "A"}]),
    ),
    (
        "ask: values written without having seen each other both stay; the latest is shown",
        doc({"all": A2}, state="active"),
        doc({"all": B1}, state="ended"),
        doc({"all": A2}, state="active", asks={"state": {"others": [{"stamp": B1, "value": "ended"}]}}),
    ),
    (
        "ask: a value that had seen the other replaces it",
        doc({"all": A2}, state="active", asks={"state": seen(B1)}),
        doc({"all": B1}, state="ended"),
        doc({"all": A2}, state="active", asks={"state": seen(B1)}),
    ),
    (
        "ask: what was seen stays replaced, while a value that nobody saw joins the others",
        doc({"all": A2}, state="active", asks={"state": seen(B1)}),
        doc({"all": B2}, state="weak"),
        doc(
            {"all": B2},
            state="weak",
            asks={"state": {"seen": [B1], "others": [{"stamp": A2, "value": "active"}]}},
        ),
    ),
    (
        "ask: settling against the open question leaves nothing open",
        doc({"all": A2}, state="active", asks={"state": {"others": [{"stamp": B1, "value": "ended"}]}}),
        doc({"all": C3}, state="ended", asks={"state": seen(B1, A2)}),
        doc({"all": C3}, state="ended", asks={"state": seen(B1, A2)}),
    ),
    (
        "ask: clearing is a value too",
        doc({"all": A2, "state": A2}),
        doc({"all": B1}, state="ended"),
        doc({"all": A2, "state": A2}, asks={"state": {"others": [{"stamp": B1, "value": "ended"}]}}),
    ),
    (
        "unknown fields are kept, by `latest`",
        doc({"all": A2, "hue": A1}, hue=3),
        doc({"all": B2}, hue=4),
        doc({"all": B2}, hue=4),
    ),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "both"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_policy(ours: dict[str, Any], theirs: dict[str, Any], both: dict[str, Any]) -> None:
    for pair in ([ours, theirs], [theirs, ours], [ours, theirs, both], [both, ours, both]):
        assert join(pair, RULES) == both
    assert join([both], RULES) == both


def test_a_settled_question_stays_settled_when_an_old_branch_comes_back() -> None:
    ours = doc({"all": A2}, state="active")
    theirs = doc({"all": B1}, state="ended")
    open_ = join([ours, theirs], RULES)
    assert [value.value for value in questions(open_)["state"]] == ["active", "ended"]
    settled = write(open_, {"state": "ended"}, C3, "staff", RULES)
    assert settled["state"] == "ended"
    assert questions(settled) == {}
    for stale in (ours, theirs, open_):
        assert join([stale, settled], RULES) == settled


def test_a_value_that_had_not_seen_the_settling_opens_the_question_again() -> None:
    settled = write(join([doc({"all": A2}, state="active"), doc({"all": B1}, state="ended")], RULES),
                    {"state": "ended"}, C3, "staff", RULES)  # fmt: skip
    late = write(doc({"all": B1}, state="ended"), {"state": "weak"}, B2, "user2", RULES)
    again = join([settled, late], RULES)
    assert [value.value for value in questions(again)["state"]] == ["ended", "weak"]
    assert questions(write(again, {"state": "weak"}, C4, "staff", RULES)) == {}


def test_two_devices_that_wrote_the_same_have_asked_nothing() -> None:
    both = join([doc({"all": A2}, state="ended"), doc({"all": B1}, state="ended")], RULES)
    assert questions(both) == {}


def test_a_write_keeps_what_it_does_not_name() -> None:
    before = doc({"all": A1}, name="Ông Bốn", place={"lane": "1"}, hue=3, acts=[{"id": "B"}])
    after = write(before, {"name": "Bà Sáu", "acts": [{"id": "A"}]}, B2, "user2", RULES)
    assert after == doc({"all": B2, "place": A1, "hue": A1}, name="Bà Sáu", place={"lane": "1"}, hue=3,
                        acts=[{"id": "A"}, {"id": "B"}])  # fmt: skip
    assert join([before, after], RULES) == after


def test_a_clearing_write_sticks_against_what_it_cleared() -> None:
    before = doc({"all": A1}, name="Ông Bốn", place={"lane": "1"})
    after = write(before, {"place": CLEARED}, B2, "user2", RULES)
    assert "place" not in after
    assert join([after, before], RULES) == after


def test_a_first_write_needs_type_and_version_alone() -> None:
    body = write({"type": "thing", "v": 1}, {"name": "a", "state": "active"}, A1, "user1", RULES)
    assert body == doc({"all": A1}, name="a", state="active")


@pytest.mark.parametrize("stamp", [A1, B1, "yesterday", ""])
def test_a_write_that_is_not_above_what_it_saw_is_refused(stamp: str) -> None:
    with pytest.raises(ValueError, match="stamped above"):
        write(doc({"all": B1}, name="a"), {"name": "b"}, stamp, "user1", RULES)


@pytest.mark.parametrize("name", ["type", "stamps", "asks", "by", "_id"])
def test_a_write_to_the_envelope_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no field"):
        write(doc({"all": A1}), {name: "x"}, A2, "user1", RULES)


BAD = [
    ({"type": "thing", "v": 1}, "no stamps"),
    ({"type": "thing", "v": 1, "stamps": {}}, "no stamps"),
    ({"type": "thing", "v": 1, "stamps": {"*": 5}}, "no stamps"),
    ({"type": "thing", "v": 1, "stamps": {"*": A1, "name": "soon"}}, "no stamps"),
    ({"type": 1, "v": 1, "stamps": {"*": A1}}, "no type"),
    ({"type": "thing", "v": True, "stamps": {"*": A1}}, "no type"),
    (doc({"all": A1}, acts={"id": "A"}), "no list"),
    (doc({"all": A1}, acts=[{"name": "A"}]), "without an id"),
    (doc({"all": A1}, acts=[7]), "without an id"),
    (doc({"all": A1}, asks=[]), "asks"),
    (doc({"all": A1}, asks={"state": 1}), "asks"),
    (doc({"all": A1}, asks={"state": {"more": 1}}), "asks"),
    (doc({"all": A1}, asks={"state": {"seen": ["x"]}}), "asks"),
    (doc({"all": A1}, asks={"state": {"others": [{"value": 1}]}}), "asks"),
]


@pytest.mark.parametrize(("body", "why"), BAD)
def test_what_is_not_of_a_mergeable_shape_says_so(body: dict[str, Any], why: str) -> None:
    with pytest.raises(Unmergeable, match=why):
        join([doc({"all": A1}), body], RULES)


def test_different_types_or_versions_are_never_joined() -> None:
    for other in ({"v": 2}, {"type": "other"}):
        with pytest.raises(Unmergeable, match="different"):
            join([doc({"all": A1}), doc({"all": B1}) | other], RULES)


def test_three_phones_merge_to_one_result_in_every_order() -> None:
    bodies = [doc({"all": A2}, state="a", name="x"), doc({"all": B1}, state="b", name="y"),
              doc({"all": C3}, state="c", asks={"state": seen(B1)})]  # fmt: skip
    results = [join(order, RULES) for order in permutations(bodies)]
    assert all(result == results[0] for result in results)
    assert [value.value for value in questions(results[0])["state"]] == ["c", "a"]
