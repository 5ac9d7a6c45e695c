"""What a record says once the clock that stamped it is set right. Pure.

Only what this record itself brought is moved: the stamps of its own device, and its own acts, that nothing
held here knows already. The order of its writes stays, and each stays above whatever it was written upon.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from server.clock import instant
from server.settle import POLICY
from sync import merge
from sync.merge import Body
from sync.stamps import ALL, Stamp, advance, device_of, stamp_of


def corrected(
    body: Body,
    offset_ms: int,
    held: Sequence[Body],
    before: Mapping[str, str] | None = None,
    *,
    latest_ms: int | None = None,
) -> dict[str, Any]:
    """The body with its own stamps and times moved by `offset_ms` milliseconds.

    A stamp that would come to lie after `latest_ms` stays where it is, unless it lies there already: the
    phone's clock was behind, but the stamp followed one that the phone had seen, and is right as it is.

    `held` are bodies of the same document that entered already: their stamps and acts stand. `before` maps
    stamps of this record that a release of its ancestor has corrected already to what they became. Raises
    KeyError where the type or version is unknown here.
    """
    rules = POLICY[body["type"], body["v"]]
    if not offset_ms and not before:
        return dict(body)
    known_stamps = {stamp for one in held for stamp in stamps_in(one)}
    moved = _moved(body, offset_ms, latest_ms, known_stamps, before or {})
    new = _restamped(body, moved)
    if "acts" in new:
        known = {act["id"]: act for one in held for act in one.get("acts", ())}
        new["acts"] = [known.get(act["id"]) or _later(act, body["by"], offset_ms) for act in body["acts"]]
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


def ahead(body: Body, now_ms: int) -> bool:
    """Whether a body carries a time that has not come yet (`now_ms`: milliseconds)."""
    return _latest(body["stamps"].values(), body.get("acts", ())) > now_ms


def own_latest(body: Body) -> int:
    """The latest time that a body gives to what its last writer wrote (milliseconds)."""
    device = device_of(body["stamps"][ALL])
    stamps = [stamp for stamp in body["stamps"].values() if device_of(stamp) == device]
    return _latest(stamps, [act for act in body.get("acts", ()) if act["by"] == body["by"]])


def _latest(stamps: Iterable[str], acts: Iterable[Mapping[str, Any]]) -> int:
    at = (int(datetime.fromisoformat(act["at"]).timestamp() * 1000) for act in acts)
    return max([*(Stamp.parse(stamp).ms for stamp in stamps), *at])


def _moved(
    body: Body, offset_ms: int, latest_ms: int | None, known: Collection[str], before: Mapping[str, str]
) -> dict[str, str]:
    device = device_of(body["stamps"][ALL])
    there = stamps_in(body)
    own = sorted(s for s in there if device_of(s) == device and s not in known and s not in before)
    moved = {old: new for old, new in before.items() if old in there}
    below = [Stamp.parse(moved.get(stamp, stamp)) for stamp in there - set(own)]
    last = max(below, default=None)
    for old in own:
        was = Stamp.parse(old)
        stays = latest_ms is not None and was.ms <= latest_ms < was.ms + offset_ms
        new = was if stays else was._replace(ms=max(0, was.ms + offset_ms))
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


def _later(act: Mapping[str, Any], author: str, offset_ms: int) -> dict[str, Any]:
    if act["by"] != author:
        return dict(act)
    return {**act, "at": instant(datetime.fromisoformat(act["at"]) + timedelta(milliseconds=offset_ms))}
