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


def by_staff(doc: Doc, user: str, *, at: int = NOW) -> Doc:
    """The document as that person of the office writes it."""
    return doc | {"by": user, "stamps": {"*": f"{at}-0000-office{user}"}}


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


def model(ulid: str = OTHER, by: str = THU, **fields: Any) -> Doc:
    kept: Doc = {
        "kind": "to_lien_gia",
        "name": "Tổ liên gia số 1",
        "hamlets": ["nasam"],
        "points": 2,
        "groups": 3,
        "state": {"is": "active", "since": "2026-01-15"},
    }
    return document(f"model:{ulid}", by, **kept | fields)


def bulletin(by: str = THU, **fields: Any) -> Doc:
    kept: Doc = {"title": "Phát động", "text": "Sáng thứ bảy.", "hamlets": []}
    days = {"from": "2026-03-01", "until": "2026-03-08"}
    return document(f"bulletin:{OTHER}", by, **kept | days | fields)


def checklist(version: int = 1, by: str = QUAN, **fields: Any) -> Doc:
    """A checklist of three items: a yes or no, a text where it is no, a photograph."""
    said = {"label": "Chuông kêu", "source": "test", "required": True, "good": {"equals": True}, "points": 2}
    fault = {"label": "Hỏng gì", "source": "test", "when": {"item": "bell", "equals": False}}
    asked: list[Doc] = [
        {"id": "bell", "kind": "yes_no", **said},
        {"id": "fault", "kind": "text", "required": True, **fault},
        {"id": "picture", "kind": "photo", "label": "Ảnh", "source": "test", "max": 2},
    ]
    sections = [{"id": "one", "title": "Một", "items": asked}]
    kept: Doc = {"title": "Bản thử", "model": "to_lien_gia", "source": "test", "sections": sections}
    return document(f"checklist:ban-thu:{version}", by, **kept | fields)


def clauses(version: int = 1, by: str = QUAN, **fields: Any) -> Doc:
    kept: Doc = {"title": "Bản cam kết", "items": ["Không đốt pháo."]}
    return document(f"clauses:{version}", by, **kept | fields)


def unit(ulid: str = HOUSEHOLD, by: str = LAN, **fields: Any) -> Doc:
    status = {"is": "active", "since": "2026-01-01"}
    kept: Doc = {"name": "Trường THCS Nà Sầm", "kind": "school", "in_scope": True, "status": status}
    return document(f"unit:{ulid}", by, **kept | fields)


def inspection(ulid: str = FIRST, by: str = LAN, *, at: int = NOW, **fields: Any) -> Doc:
    answers = {"checklist": "ban-thu", "version": 1, "values": {"bell": True}}
    kept: Doc = {"subject": f"model:{OTHER}", "date": "2026-03-01", "answers": answers, "photos": []}
    return document(f"inspection:{ulid}", by, at=at, **kept | fields)


def outreach(ulid: str = FIRST, by: str = LAN, **fields: Any) -> Doc:
    kept: Doc = {
        "kind": "launch",
        "date": "2026-03-01",
        "place": "Nhà văn hóa",
        "present": 60,
        "topics": ["pccc"],
    }
    return document(f"outreach:{ulid}", by, **kept | fields)


def review(of: str, digest: str, by: str = THU, **decision: Any) -> Doc:
    return document(f"review:{of}", by, decision={"is": "approved", "digest": digest} | decision)


def photo(by: str = LAN, **fields: Any) -> Doc:
    kept: Doc = {"mime": "image/webp", "bytes": 9000, "width": 640, "height": 480, "item": "picture"}
    return document(f"photo:{'a' * 64}", by, **kept | {"inspection": FIRST} | fields)
