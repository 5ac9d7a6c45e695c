"""What the server merges, it must be able to take: a join of what the rules let in keeps to the rules."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from server.content import broken
from server.settle import POLICY
from sync import merge
from tests.server.documents import HOUSEHOLD, NOW, Doc, signed, taken_back, visit

PEOPLE = ("lan01", "mai02", "thu03")
ULIDS = [f"01J8ZQ5A0000000000000000{n:02d}" for n in range(12)]

names = st.sampled_from(["Hoàng Thị Mỷ", "Hoàng Văn Tú", "Lý Thị Cúc"])
statuses = st.sampled_from(
    [
        {"is": "resident", "since": "2026-01-01"},
        {"is": "moved", "since": "2026-02-01"},
        {"is": "merged_into", "since": "2026-02-01", "into": HOUSEHOLD},
    ]
)
households = st.fixed_dictionaries(
    {},
    optional={
        "name": names,
        "order": st.integers(0, 9),
        "status": statuses,
        "place": st.sampled_from([merge.CLEARED, {"house": "1"}, {"lane": "Ngõ Đá"}]),
    },
).filter(bool)
hamlets = st.fixed_dictionaries(
    {}, optional={"name": names, "order": st.integers(0, 9), "state": st.sampled_from(["active", "merged"])}
).filter(bool)

# (who, what, with whom they synced just before, if with anybody)
scripts = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.integers(0, 2), st.sampled_from((None, *PEOPLE))), max_size=8
)


def play(start: Doc, kind: str, script: Sequence[tuple[str, Doc, str | None]]) -> Doc:
    """Three copies of a document, written by three people who sometimes meet; all joined in the end."""
    rules = POLICY[kind, 1]
    first = merge.write({"type": kind, "v": 1}, start, f"{NOW}-0000-phonelan01", "lan01", rules)
    copies = dict.fromkeys(PEOPLE, first)
    for step, (who, fields, met) in enumerate(script):
        if met:
            copies[who] = merge.join((copies[who], copies[met]), rules)
        copies[who] = merge.write(copies[who], fields, f"{NOW + 1 + step}-0000-phone{who}", who, rules)
    return merge.join(copies.values(), rules)


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), households, st.sampled_from((None, *PEOPLE))), max_size=8))
def test_merged_households_keep_to_the_rules(script: list[tuple[str, Doc, str | None]]) -> None:
    start = {"name": "Hoàng Thị Mỷ", "order": 1, "status": {"is": "resident", "since": "2026-01-01"}}
    assert broken({"_id": f"household:{HOUSEHOLD}", **play(start, "household", script)}) is None


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), hamlets, st.sampled_from((None, *PEOPLE))), max_size=8))
def test_merged_hamlets_keep_to_the_rules_with_what_waits_to_be_settled(
    script: list[tuple[str, Doc, str | None]],
) -> None:
    start = {"name": "Nà Sầm", "kind": "thôn", "order": 1, "state": "active"}
    assert broken({"_id": "hamlet:nasam", **play(start, "hamlet", script)}) is None


@given(scripts)
def test_merged_pledges_keep_to_the_rules(script: list[tuple[str, int, str | None]]) -> None:
    ids = iter(ULIDS)
    last: dict[str, str] = {}
    acts: list[tuple[str, Doc, str | None]] = []
    for who, what, met in script:
        act_id = next(ids)
        if what == 2 and who in last:
            act = taken_back("voided", last.pop(who), act_id, who)
        else:
            act = signed(act_id, who) if what else visit(act_id, who)
            last[who] = act_id
        acts.append((who, {"acts": [act]}, met))
    merged = play({"acts": []}, "pledge", acts)
    assert broken({"_id": f"pledge:antq-2026:{HOUSEHOLD}", **merged}) is None
    assert len(merged["acts"]) == len(script)
