"""Hybrid clocks: the next stamp is above everything seen, and one broken clock drags nobody along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.stamps import SKEW, Stamp, advance, clamp, device_of, normal, receive, stamp_of

NOW = 1_764_547_200_000

STAMPS = st.builds(
    Stamp,
    st.integers(0, 10**13 - 1),
    st.integers(0, 0xFFFF),
    st.from_regex(r"[a-z0-9]{4,16}", fullmatch=True),
)


@given(STAMPS, STAMPS)
def test_the_order_of_the_text_is_the_order_of_the_clock(one: Stamp, two: Stamp) -> None:
    assert (str(one) < str(two)) == (one < two)
    assert Stamp.parse(str(one)) == one
    assert device_of(str(one)) == one.device


@given(st.lists(st.integers(NOW - 10**9, NOW + 10**9), min_size=1, max_size=20))
def test_a_device_s_stamps_rise_whatever_its_clock_does(clock: list[int]) -> None:
    last: Stamp | None = None
    for now in clock:
        following = advance(last, now, "dev1")
        assert last is None or str(following) > str(last)
        assert following.ms >= now
        last = following


TABLE = [
    # last, now, the next
    (None, NOW, Stamp(NOW, 0, "dev1")),
    (Stamp(NOW - 1, 7, "dev2"), NOW, Stamp(NOW, 0, "dev1")),
    (Stamp(NOW, 7, "dev2"), NOW, Stamp(NOW, 8, "dev1")),
    (Stamp(NOW + 9, 7, "dev2"), NOW, Stamp(NOW + 9, 8, "dev1")),
    (Stamp(NOW, 0xFFFF, "dev2"), NOW, Stamp(NOW + 1, 0, "dev1")),
]


@pytest.mark.parametrize(("last", "now", "following"), TABLE)
def test_the_next_stamp(last: Stamp | None, now: int, following: Stamp) -> None:
    assert advance(last, now, "dev1") == following


def test_a_write_after_having_seen_another_is_above_it() -> None:
    seen = Stamp(NOW + SKEW, 3, "dev2")
    assert advance(receive(Stamp(NOW, 0, "dev1"), seen, NOW), NOW, "dev1") > seen


def test_a_stamp_from_far_ahead_teaches_nothing() -> None:
    last = Stamp(NOW, 0, "dev1")
    assert receive(last, Stamp(NOW + SKEW + 1, 0, "dev2"), NOW) == last
    assert receive(None, Stamp(NOW + SKEW + 1, 0, "dev2"), NOW) is None
    assert receive(last, Stamp(NOW - 5, 0, "dev2"), NOW) == last


def test_a_stamp_from_far_ahead_is_clamped_to_the_bound_and_others_are_left() -> None:
    assert clamp(Stamp(NOW + SKEW + 1, 5, "dev2"), NOW) == Stamp(NOW + SKEW, 5, "dev2")
    assert clamp(Stamp(NOW + SKEW, 5, "dev2"), NOW) == Stamp(NOW + SKEW, 5, "dev2")


@pytest.mark.parametrize(
    "text",
    ["", "1764547200000", "1764547200000-0000", "176454720000-0000-dev1", "1764547200000-00G0-dev1",
     "1764547200000-0000-Dev1", "1764547200000-0000-dev", "1764547200000-0000-dev1\n"],
)  # fmt: skip
def test_what_is_no_stamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a stamp"):
        Stamp.parse(text)


def test_normal_form_has_entries_only_where_they_say_something() -> None:
    one, two = str(Stamp(NOW, 0, "dev1")), str(Stamp(NOW + 1, 0, "dev1"))
    stamps = normal({"same": (two, True), "older": (one, True), "cleared": (two, False)}, two)
    assert stamps == {"*": two, "older": one, "cleared": two}
    assert stamp_of(stamps, "same", present=True) == two
    assert stamp_of(stamps, "older", present=True) == one
    assert stamp_of(stamps, "cleared", present=False) == two
    assert stamp_of(stamps, "never written", present=False) is None
