"""What a record says once the clock that stamped it is set right. Pure.

Only what this record itself brought is moved: the stamps of its own device, and its own acts, that nothing
held here knows already. The order of its writes stays, and each stays above whatever it was written upon.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from server.clock import instant, milliseconds
from server.rules import as_held
from server.settle import POLICY
from sync import merge
from sync.merge import Body
from sync.stamps import ALL, SKEW, Stamp, advance, bound, device_of, plausible, stamp_of

SECOND = 1000
_LAST_MS = milliseconds(datetime(9999, 12, 31, tzinfo=UTC))


def corrected(
    body: Body,
    offset_ms: int,
    held: Sequence[Body],
    before: Mapping[str, str] | None = None,
    *,
    received_ms: int | None = None,
) -> dict[str, Any]:
    """The body with its own stamps and times moved by `offset_ms` milliseconds, and its writer's acts that
    are held already as they are held.

    `received_ms` is when the record came: nothing in it was written later. What would come to lie after that
    was not told by the clock that was measured, but by one that this had been before: it stays where it is
    right as it is, and else moves to just before what was written after it.

    `held` are bodies of the same document that entered already: their stamps and acts stand. `before` maps
    stamps of this record that a release of its ancestor has corrected already to what they became. Raises
    KeyError where the type or version is unknown here.
    """
    rules = POLICY[body["type"], body["v"]]
    new = dict(as_held(body, held))
    late = received_ms is not None and ahead(new, received_ms + SKEW, held)
    if not offset_ms and not before and not late:
        return new
    known_stamps = {stamp for one in held for stamp in stamps_in(one)}
    new = _restamped(new, _moved(body, offset_ms, received_ms, known_stamps, before or {}))
    if "acts" in new:
        known = {act["id"] for one in held for act in one.get("acts", ())}
        times = _act_times(new, known, offset_ms, received_ms)
        new["acts"] = [{**act, "at": times.get(act["id"], act["at"])} for act in new["acts"]]
    return merge.join((new,), rules)


def stamps_in(body: Body) -> set[str]:
    """Every stamp that a body carries, of values that wait under `asks` too."""
    asks = body.get("asks", {}).values()
    seen = {stamp for ask in asks for stamp in ask.get("seen", ())}
    return {
        *body["stamps"].values(),
        *seen,
        *(other["stamp"] for ask in asks for other in ask.get("others", ())),
    }


def became(original: Body, released: Body) -> dict[str, str]:
    """What the stamps of a record turned into when it was released, for those who built upon it."""
    fields = {*original, *original["stamps"]} - merge.ENVELOPE - {ALL}
    pairs = {original["stamps"][ALL]: released["stamps"][ALL]}
    for field in sorted(fields):
        old = stamp_of(original["stamps"], field, field in original)
        new = stamp_of(released["stamps"], field, field in released)
        if old and new:
            pairs[old] = new
    return {old: new for old, new in pairs.items() if device_of(old) == device_of(new)}


def times(body: Body) -> list[str]:
    """When a record says that it was written, and each of its acts: instants, in order."""
    at = datetime.fromtimestamp(Stamp.parse(body["stamps"][ALL]).ms / 1000, UTC)
    return [instant(at), *(act["at"] for act in body.get("acts", ()))]


def ahead(body: Body, now_ms: int, held: Sequence[Body] = ()) -> bool:
    """Whether a body brings a time that has not come yet (`now_ms`: milliseconds). What is held was accepted,
    and what was written upon it must be above it."""
    told = {stamp for one in held for stamp in stamps_in(one)}
    acts = {act["id"] for one in held for act in one.get("acts", ())}
    fresh = [act for act in body.get("acts", ()) if act["id"] not in acts]
    latest, of_acts = bound(now_ms - SKEW, told), bound(now_ms - SKEW, ())
    return _latest(set(body["stamps"].values()) - told, ()) > latest or _latest((), fresh) > of_acts


def own_latest(body: Body) -> int:
    """The latest time that a body gives to what its last writer wrote (milliseconds)."""
    device = device_of(body["stamps"][ALL])
    stamps = [stamp for stamp in body["stamps"].values() if device_of(stamp) == device]
    return _latest(stamps, [act for act in body.get("acts", ()) if act["by"] == body["by"]])


def _latest(stamps: Iterable[str], acts: Iterable[Mapping[str, Any]]) -> int:
    return max([0, *(Stamp.parse(stamp).ms for stamp in stamps), *map(_told, acts)])


def _told(act: Mapping[str, Any]) -> int:
    """When an act says that it was recorded (milliseconds)."""
    return milliseconds(datetime.fromisoformat(act["at"]))


def _moved(
    body: Body, offset_ms: int, received_ms: int | None, known: Collection[str], before: Mapping[str, str]
) -> dict[str, str]:
    device = device_of(body["stamps"][ALL])
    there = stamps_in(body)
    own = sorted(s for s in there if device_of(s) == device and s not in known and s not in before)
    moved = {old: new for old, new in before.items() if old in there}
    below = [Stamp.parse(moved.get(stamp, stamp)) for stamp in there - set(own)]
    last = max(filter(plausible, below), default=None)
    for old in own:
        was = Stamp.parse(old)
        new = was._replace(ms=max(0, was.ms + offset_ms))
        if received_ms is not None and new.ms > received_ms + SKEW:
            new = was if was.ms <= received_ms + SKEW else was._replace(ms=received_ms)
        last = new if last is None or new > last else advance(last, last.ms, device)
        moved[old] = str(last)
    return moved


def _restamped(body: Body, moved: Mapping[str, str]) -> dict[str, Any]:
    def new(stamp: str) -> str:
        return moved.get(stamp, stamp)

    found = {**body, "stamps": {field: new(stamp) for field, stamp in body["stamps"].items()}}
    if "asks" in body:
        found["asks"] = {
            field: {
                part: [new(one) if part == "seen" else {**one, "stamp": new(one["stamp"])} for one in values]
                for part, values in ask.items()
            }
            for field, ask in body["asks"].items()
        }
    return found


def _act_times(body: Body, known: Collection[str], offset_ms: int, received_ms: int | None) -> dict[str, str]:
    """When the acts that this record brought were recorded, by their ids."""
    own = [act for act in body["acts"] if act["by"] == body["by"]]
    fresh = {act["id"]: _told(act) for act in own if act["id"] not in known}
    if received_ms is None:
        return {name: _instant(was + offset_ms) for name, was in fresh.items()}
    bound = received_ms + SKEW
    moved = {name: was + offset_ms for name, was in fresh.items() if was + offset_ms <= bound}
    right = {name: was for name, was in fresh.items() if name not in moved and was <= bound}
    # from a clock further ahead: that was before it fell back, and after what was right
    lost = sorted((was, name) for name, was in fresh.items() if name not in moved and name not in right)
    end = min([received_ms, *moved.values()])
    placed = {name: end - back * SECOND for back, (_, name) in enumerate(reversed(lost), start=1)}
    order = [_ordered(right), _ordered(placed), _ordered(moved)]
    last = max(((_told(act), str(act["id"])) for act in own if act["id"] in known), default=(0, ""))
    found: dict[str, str] = {}
    for said, name in (one for group in order for one in group):
        # the writer's own acts stay in the order in which they were recorded
        at = said if (said, name) >= last else last[0] + SECOND
        last = (min(at, bound), name)
        found[name] = _instant(last[0])
    return found


def _ordered(times: Mapping[str, int]) -> list[tuple[int, str]]:
    return sorted((at, name) for name, at in times.items())


def _instant(ms: int) -> str:
    return instant(datetime.fromtimestamp(min(max(0, ms), _LAST_MS) / 1000, UTC))
