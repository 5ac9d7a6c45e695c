"""Documents as phones and the office make them, for tests."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from server.auth.grant import Grant, Role
from sync import canonical

NOW = 1_772_330_584_000
"""1 March 2026, 02:03:04 UTC, in milliseconds."""

HOUSEHOLD = "01J8ZQ4T6N3VXK2M5R7W9Y0ABC"
OTHER = "01J8ZQ4T6N3VXK2M5R7W9Y0ABD"
FIRST, SECOND, THIRD = (f"01J8ZQ5A0000000000000000A{n}" for n in (1, 2, 3))
LAN, MAI, THU, QUAN = "lan01", "mai02", "thu03", "quan04"

Doc = dict[str, Any]


def grant(user: str = LAN, role: Role = Role.VOLUNTEER, *, hamlets: Sequence[str] = ("nasam",)) -> Grant:
    """A volunteer of Nà Sầm with one phone, unless said otherwise; staff have no phone."""
    device = f"phone{user}" if role.walks else None
    return Grant(user, user.title(), role, frozenset(hamlets), device=device)


def stamp(user: str = LAN, ms: int = NOW, counter: int = 0) -> str:
    return f"{ms:013d}-{counter:04x}-phone{user}"


def document(doc_id: str, by: str = LAN, *, at: int = NOW, **fields: Any) -> Doc:
    return {
        "_id": doc_id,
        "type": doc_id.partition(":")[0],
        "v": 1,
        "by": by,
        "stamps": {"*": stamp(by, at)},
        **fields,
    }


def household(ulid: str = HOUSEHOLD, by: str = LAN, *, at: int = NOW, **fields: Any) -> Doc:
    kept: Doc = {"name": "Hoàng Thị Mỷ", "order": 10, "status": {"is": "resident", "since": "2026-01-01"}}
    return document(f"household:{ulid}", by, at=at, **kept | fields)


def pledge(*acts: Mapping[str, Any], by: str = LAN, at: int = NOW, ulid: str = HOUSEHOLD) -> Doc:
    return document(f"pledge:antq-2026:{ulid}", by, at=at, acts=[dict(act) for act in acts])


def visit(act_id: str = FIRST, by: str = LAN, **fields: Any) -> Doc:
    kept = {"at": "2026-03-01T02:03:04Z", "kind": "visit", "result": "met"}
    return {"id": act_id, "by": by, **kept, **fields}


def signed(act_id: str = SECOND, by: str = LAN, **fields: Any) -> Doc:
    return {
        "id": act_id,
        "at": "2026-03-01T02:03:04Z",
        "by": by,
        "kind": "signed",
        "signer": "Hoàng Thị Mỷ",
        "role": "head",
        "method": "paper_signed",
        "assisted": False,
        "clauses": 1,
        "notice": 1,
        "read_aloud": True,
        **fields,
    }


def taken_back(kind: str, target: str, act_id: str = THIRD, by: str = LAN) -> Doc:
    return {"id": act_id, "at": "2026-03-01T02:03:04Z", "by": by, "kind": kind, "target": target}


def signature(strokes: Sequence[Sequence[int]] = ((1, 2, 3, 4),), by: str = LAN) -> Doc:
    drawn = [list(stroke) for stroke in strokes]
    return document(f"signature:{sha256(canonical.encode(drawn)).hexdigest()}", by, strokes=drawn)


def hamlet(hid: str = "nasam", by: str = QUAN, **fields: Any) -> Doc:
    kept: Doc = {"name": "Nà Sầm", "kind": "thôn", "order": 1, "state": "active"}
    return document(f"hamlet:{hid}", by, **kept | fields)


def campaign(by: str = QUAN, **fields: Any) -> Doc:
    kept: Doc = {
        "name": "Cam kết 2026",
        "starts": "2026-01-15",
        "ends": "2026-12-10",
        "target": 90,
        "counts": ["resident", "seasonal_away"],
        "touch_counts": True,
        "clauses": 1,
        "notice": 1,
        "state": "open",
    }
    return document("campaign:antq-2026", by, **kept | fields)
