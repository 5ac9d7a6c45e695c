"""Held records that their own author has written upon: they need no person's decision any more.

The descendant says what they said, or says otherwise knowingly; nobody but the author can tell. So somebody
else's descendant closes nothing, nor does one that leaves out what only grows (acts, photographs): and what
is closed goes to the archive, so that history shows it. What was held because it may not be from whom it says
is left to staff.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import orjson
from sqlalchemy import Connection

import schemas
from server import archive, correcting, naming, quarantine
from server.aside import timeless
from server.clock import instant, milliseconds
from server.settle import POLICY
from sync import canonical
from sync.merge import Body
from sync.rev import Rev, derive
from sync.stamps import ALL, SKEW, device_of, order, stamp_of
from sync.store.interface import Edit

_DOUBTED = frozenset({"revoked", "stranger"})
"""Whoever holds the phone, or has its name, may be somebody else than its owner."""


def close(
    connection: Connection,
    db: str,
    places: Collection[str],
    edits: Sequence[Edit],
    author: str,
    *,
    now: datetime,
    by: str | None = None,
    device: str | None = None,
) -> None:
    """These enter in `db`, written by `author`: entries of that person's that they supersede wait no more in
    these places. `by` are staff who let them in, with what else they doubted of that `device`."""
    at, ids = instant(now), {edit.id for edit in edits if len(edit.path) > 1}
    for place in places:
        for entry in quarantine.waiting_of(connection, place, ids, author):
            if entry.why == "recovered" or (entry.why in _DOUBTED and entry.device != device):
                continue
            above = (one for one in edits if one.id == entry.edit.id and entry.edit.rev in one.path[1:])
            for edit in above:
                if (kept := superseded(db, entry, edit, milliseconds(now))) is not None:
                    names = naming.free(connection, db, {(kept.id, kept.rev): kept.body}, {})
                    _, entries = naming.renamed(edit, [kept], names)
                    archive.keep(connection, entries, at, author, whole=True)
                    quarantine.decide(connection, entry, edit.rev, by or author, at)
                    break


def superseded(db: str, entry: quarantine.Entry, edit: Edit, now_ms: int) -> archive.Entry | None:
    """What history is to keep of an entry that its author has written upon, its clock set right; None where
    that cannot be done, or not all of it has come in with the descendant. Pure."""
    body: Body = orjson.loads(entry.edit.body)
    new: Body = orjson.loads(edit.body)
    if (body["type"], body["v"]) not in POLICY or schemas.newer(new) or lacking(body, [new]):
        return None
    came = quarantine.came(entry, now_ms)
    right = correcting.corrected(body, entry.offset_ms, [new], received_ms=came)
    if correcting.ahead(right, now_ms + SKEW, [new]):
        return None  # nobody could measure its clock yet
    rev, raw = entry.edit.rev, canonical.encode(right)
    if raw != canonical.encode(body):
        rev = Rev(rev.generation, derive(rev, False, raw).digest)
    return archive.Entry.of(db, Edit(edit.id, (rev, *entry.edit.path[1:]), raw), "sent")


def adds(body: Body, said: Sequence[Body], before: Body | None) -> bool:
    """Whether a body says what those that were written upon its name do not know: an act or a photograph, or
    a value that is later than theirs. `before` is what it was written upon itself.

    No value is later by its stamp alone than another one of the same device that it was not written upon:
    that clock was set right between the two. Pure.
    """
    known = set() if before is None or schemas.newer(before) else correcting.stamps_in(before)
    for name, rule in schemas.rules(body["type"]).items():
        mine = stamp_of(body["stamps"], name, name in body) if rule != "set" else None
        shown = [stamp_of(one["stamps"], name, name in one) for one in said]
        if mine is None or mine in {*shown, *_seen(said, name)}:
            continue
        later = [one for one in shown if one and rule != "ask" and order(mine) < order(one)]
        own = [one for one in shown if one and device_of(one) == device_of(mine) and one not in known]
        if not later and not own:
            return True
    return lacking(body, said)


def _seen(said: Sequence[Body], name: str) -> Iterator[str]:
    """The stamps of values that wait in a field, or were replaced there."""
    for ask in (one.get("asks", {}).get(name, {}) for one in said):
        yield from ask.get("seen", ())
        yield from (other["stamp"] for other in ask.get("others", ()))


def covers(new: Body, held: Body) -> bool:
    """Whether nothing in `held` is of anybody else than its author but what `new` says as well: others' acts
    and photographs, and values by other devices than that which wrote `held` last. Pure."""
    device, said = device_of(held["stamps"][ALL]), {*new["stamps"].values()}
    if any(device_of(stamp) != device and stamp not in said for stamp in held["stamps"].values()):
        return False
    others = {**held}
    for name, rule in schemas.rules(held["type"]).items():
        if rule == "set":
            others[name] = [one for one in held.get(name, ()) if one.get("by") != held["by"]]
    return not lacking(others, [new])


def lacking(body: Body, said: Sequence[Body]) -> bool:
    """Whether a body names an element of a grow-only set that none of these has, be it at another time."""
    for name, rule in schemas.rules(body["type"]).items():
        if rule == "set":
            held = {element["id"]: element for one in said for element in one.get(name, ())}
            if any(timeless(one) != timeless(held.get(one["id"], {})) for one in body.get(name, ())):
                return True
    return False
