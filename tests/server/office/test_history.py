"""The history of a document, told from its revisions; and the acts of a pledge in words."""

from dataclasses import replace
from typing import Any

from server.office.acts import lines, outcome, short
from server.office.history import Change, Kept, brought_back, instant_of, merge, tell
from server.office.ink import draw
from server.words import words

VI = words("vi")


def stamp(second: int, device: str = "phonea") -> str:
    return f"{1_772_330_400_000 + 1000 * second:013d}-0000-{device}"


def kept(rev: str, parent: str | None, at: int, source: str = "sent", **fields: tuple[int, Any]) -> Kept:
    """A revision whose fields are (second of its stamp, value); a value of None was cleared."""
    greatest = max(second for second, _ in fields.values())
    body = {
        "stamps": {"*": stamp(greatest), **{name: stamp(second) for name, (second, _) in fields.items()}},
        **{name: value for name, (_, value) in fields.items() if value is not None},
    }
    return Kept(rev, parent, body, False, "lan01", stamp(greatest), instant_of(stamp(at)), source)


def told(*revisions: Kept, current: str) -> dict[str, list[tuple[str, Any, Any, bool]]]:
    return {
        entry.rev: [(change.field, change.before, change.after, change.lost) for change in entry.changes]
        for entry in tell("household:x", revisions, current)
    }


FIRST = kept("1-a", None, 1, name=(1, "A"), order=(1, 5))


def test_a_change_in_line_is_what_differs_and_nothing_is_lost() -> None:
    second = kept("2-b", "1-a", 2, name=(2, "B"), order=(1, 5))
    assert told(FIRST, second, current="2-b") == {
        "1-a": [("name", None, "A", False), ("order", None, 5, False)],
        "2-b": [("name", "A", "B", False)],
    }


def test_two_values_of_one_stamp_are_both_told() -> None:
    typed: dict[str, Any] = {"type": "household", "v": 1}
    first = replace(FIRST, body={**FIRST.body, **typed})
    forged = kept("2-b", "1-a", 2, name=(1, "B"), order=(1, 5))
    forged = replace(forged, body={**forged.body, **typed})
    assert told(first, forged, current="2-b")["2-b"] == [("name", "A", "B", False)]


def test_of_two_at_the_same_time_the_later_stands_and_the_other_is_lost() -> None:
    one, other = (
        kept("2-b", "1-a", 4, name=(2, "B"), order=(1, 5)),
        kept("2-c", "1-a", 5, name=(3, "C"), order=(1, 5)),
    )
    merged = kept("3-m", "2-c", 6, "merged", name=(3, "C"), order=(1, 5))
    for current, revisions in (("2-c", (FIRST, one, other)), ("3-m", (merged, other, one, FIRST))):
        found = told(*revisions, current=current)
        assert found["2-b"] == [("name", "A", "B", True)]
        assert found["2-c"] == [("name", "A", "C", False)]
        assert found["1-a"][0] == ("name", None, "A", False), "overwritten by people who had seen it"


def test_fields_of_both_branches_live_on_together_and_none_is_lost() -> None:
    one, other = (
        kept("2-b", "1-a", 4, name=(2, "B"), order=(1, 5)),
        kept("2-c", "1-a", 5, name=(1, "A"), order=(3, 9)),
    )
    merged = kept("3-m", "2-c", 6, "merged", name=(2, "B"), order=(3, 9))
    found = told(FIRST, one, other, merged, current="3-m")
    assert not any(change[3] for changes in found.values() for change in changes)
    assert found["3-m"] == [], "a merge writes nothing of its own"


def test_a_branch_that_went_on_loses_only_its_last_word() -> None:
    one, next_one = kept("2-b", "1-a", 4, name=(2, "B")), kept("3-b", "2-b", 4, name=(3, "BB"))
    other = kept("2-c", "1-a", 5, name=(4, "C"))
    found = told(FIRST, one, next_one, other, current="2-c")
    assert found["2-b"] == [("name", "A", "B", False)]
    assert found["3-b"] == [("name", "B", "BB", True)]


def test_a_stale_value_sent_in_line_is_lost_to_what_stood() -> None:
    second = kept("2-b", "1-a", 2, name=(5, "B"), order=(1, 5))
    stale = kept("3-c", "2-b", 6, name=(3, "C"), order=(6, 7))
    derived = kept("4-d", "3-c", 6, "derived", name=(5, "B"), order=(6, 7))
    found = told(FIRST, second, stale, derived, current="4-d")
    assert found["3-c"] == [("name", "B", "C", True), ("order", 5, 7, False)]
    assert found["2-b"] == [("name", "A", "B", False)]


def test_a_lost_value_that_was_brought_back_is_lost_no_more() -> None:
    one, other = kept("2-b", "1-a", 4, name=(2, "B")), kept("2-c", "1-a", 5, name=(3, "C"))
    back = kept("3-r", "2-c", 9, name=(9, "B"))
    entries = tell("household:x", (FIRST, one, other, back), "3-r")
    assert brought_back(entries, "2-b", "name") is None
    before = tell("household:x", (FIRST, one, other), "2-c")
    assert brought_back(before, "2-b", "name") == Change("name", "A", "B", "lost")
    assert brought_back(before, "1-a", "name") == Change("name", None, "A", "replaced")
    assert brought_back(before, "2-c", "name") is None, "it stands"


def test_a_field_that_was_cleared_is_told() -> None:
    assert told(FIRST, kept("2-b", "1-a", 2, name=(1, "A"), order=(2, None)), current="2-b")["2-b"] == [
        ("order", 5, None, False)
    ]


def test_an_absorbed_leaf_is_no_deletion_and_a_deletion_is() -> None:
    absorbed = Kept("3-x", "2-c", {"absorbed": True}, True, None, None, "2026-03-01T02:00:09Z", "merged")
    deleted = Kept("3-y", "2-c", {}, True, "lan01", None, "2026-03-01T02:00:09Z", "sent")
    entries = {entry.rev: entry for entry in tell("household:x", (FIRST, absorbed, deleted), "1-a")}
    assert entries["3-y"].deleted
    assert not entries["3-x"].deleted


def test_acts_are_told_once_though_two_branches_bring_them() -> None:
    visit = {"id": "1", "kind": "visit", "result": "met", "at": "2026-03-01T02:00:00Z", "by": "lan01"}
    signed = {**visit, "id": "2", "kind": "signed"}
    pledge = kept("1-a", None, 1, acts=(1, [visit]))
    again = kept("2-b", "1-a", 2, acts=(2, [visit, signed]))
    merged = kept("3-m", "2-b", 3, "merged", acts=(2, [visit, signed]))
    entries = tell("pledge:c:x", (pledge, again, merged), "3-m")
    assert [[act["id"] for act in entry.acts] for entry in entries] == [["1"], ["2"], []]
    assert [entry.rev for entry in merge([entries])] == ["3-m", "2-b", "1-a"]
    assert not any(entry.changes for entry in entries)


# ---- acts -----------------------------------------------------------------------------------------------


def act(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "at": f"2026-03-01T02:00:{number:02d}Z", "by": "lan01", "kind": kind, **fields}


def signing(number: int, **fields: Any) -> dict[str, Any]:
    kept = {"signer": "Nông Thị Bích", "role": "head", "method": "paper_thumbprint", "assisted": True}
    more = {"witness": "women", "clauses": 1, "notice": 2, "read_aloud": False}
    return act(number, "signed", **kept, **more, **fields)


def who(user: str | None) -> str:
    return {"lan01": "Lan"}.get(user or "", "không rõ")


def test_the_outcome_is_derived_from_the_acts_that_stand() -> None:
    visit, signed = act(1, "visit", result="met"), signing(2)
    for acts, expected in (
        ((), "open"),
        ((visit,), "visited"),
        ((visit, signed), "signed"),
        ((visit, act(3, "voided", target="1")), "open"),
        ((visit, signed, act(3, "withdrawn", target="2")), "visited"),
        ((signed, act(3, "voided", target="2")), "open"),
        ((signed, act(3, "withdrawn", target="2"), signing(4)), "signed"),
    ):
        assert outcome(acts) == expected


def test_a_signing_says_who_how_and_before_whom() -> None:
    line = lines([signing(2, meeting={"date": "2026-03-08", "sheet": 7})], who, VI, {}, may_withdraw=True)[0]
    assert line.text == "Nông Thị Bích (chủ hộ) đã ký bản cam kết: điểm chỉ trên giấy"
    assert line.details == (
        "Bản cam kết số 1, thông báo số 2",
        "Người ký tự đọc các điều cam kết",
        "Có người giúp đọc hoặc ký",
        "Người chứng kiến: Hội Phụ nữ",
        "Ký tại cuộc họp ngày 08/03/2026, tờ số 7",
    )
    assert line.may_withdraw


def test_what_was_taken_back_says_by_whom_and_cannot_be_taken_back_again() -> None:
    first, second = lines(
        [signing(1), act(2, "voided", target="1"), act(3, "visit", result="come_back")],
        who,
        VI,
        {},
        may_withdraw=True,
    )
    assert (first.text, second.undone) == ("Hẹn quay lại", ("Lan đã hủy vì ghi nhầm, 01/03/2026 09:00",))
    assert not second.may_withdraw
    assert short(act(2, "voided", target="9"), who, VI) == "Hủy lượt ghi nhầm: một lượt ghi chưa nhận được"


def test_a_signature_is_framed_by_its_strokes() -> None:
    assert draw([[100, 200, 300, 260]]) == ("80 180 240 160", "M100 200L300 260")
    assert draw([[5, 5]]).path == "M5 5L5 5"
