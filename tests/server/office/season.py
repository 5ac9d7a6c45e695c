"""What a village's phones and office add to it beside households: models, inspections, outreach, units."""

from collections.abc import Mapping
from typing import Any

import orjson

import schemas
from server.scribe import Change
from server.ulids import text
from sync.merge import write
from tests.server.documents import NOW
from tests.server.harness import edit
from tests.server.office.village import Village

DAY = 86_400_000


def number(count: int) -> str:
    """A ULID of the village."""
    return text((NOW << 80) + count)


MODEL, UNIT, INSPECTED, FAULTY, OUTREACH, BULLETIN = (number(count) for count in range(1, 7))
ITEMS: list[dict[str, Any]] = [
    {
        "id": "bell",
        "kind": "yes_no",
        "label": "Chuông kêu",
        "source": "thử",
        "required": True,
        "good": {"equals": True},
        "points": 2,
    },
    {
        "id": "fault",
        "kind": "text",
        "label": "Hỏng gì",
        "source": "thử",
        "when": {"item": "bell", "equals": False},
    },
]
CHECKLIST: dict[str, Any] = {
    "title": "Bản thử",
    "model": "to_lien_gia",
    "source": "thử",
    "sections": [{"id": "one", "title": "Một", "items": ITEMS}],
}


def record(doc_id: str, by: str, at: int = NOW, **fields: Any) -> dict[str, Any]:
    """A document as a volunteer's phone writes it."""
    return {
        "_id": doc_id,
        "type": doc_id.partition(":")[0],
        "v": 1,
        "by": by,
        "stamps": {"*": f"{at:013d}-0000-phone{by}"},
        **fields,
    }


def inspection(ulid: str, by: str, date: str, **fields: Any) -> dict[str, Any]:
    """An inspection of the village's model."""
    answers = {"checklist": "ban-thu", "version": 1, "values": {"bell": True}}
    kept = {"subject": f"model:{MODEL}", "date": date, "answers": answers, "photos": []}
    return record(f"inspection:{ulid}", by, **{**kept, **fields})


async def furnish(made: Village) -> None:
    """A checklist, a model, a bulletin; a unit, two inspections and a launch by a volunteer."""
    model = {
        "kind": "to_lien_gia",
        "name": "Tổ liên gia Nà Sầm",
        "hamlets": ["nasam"],
        "points": 2,
        "groups": 5,
        "state": {"is": "active", "since": "2026-01-15"},
    }
    told = {
        "title": "Phát động",
        "text": "Sáng thứ bảy.",
        "from": "2026-02-20",
        "until": "2026-03-20",
        "hamlets": [],
    }
    await made.office(
        {
            "commune": [
                Change("checklist:ban-thu:1", CHECKLIST),
                Change(f"model:{MODEL}", model),
                Change(f"bulletin:{BULLETIN}", told),
            ]
        }
    )
    by = made.people["volunteer"]
    answers = {"checklist": "ban-thu", "version": 1, "values": {"bell": False, "fault": "Hết pin"}}
    status = {"is": "active", "since": "2026-01-01"}
    docs = [
        record(f"unit:{UNIT}", by, name="Trường THCS Nà Sầm", kind="school", in_scope=True, status=status),
        inspection(INSPECTED, by, "2026-01-20"),
        inspection(
            FAULTY,
            by,
            "2026-02-25",
            answers=answers,
            findings="Một chuông hết pin.",
            follow_up={"what": "Thay pin", "due": "2026-02-28"},
        ),
        record(
            f"outreach:{OUTREACH}",
            by,
            kind="launch",
            date="2026-02-10",
            place="Nhà văn hóa Nà Sầm",
            present=64,
            topics=["pccc", "atgt"],
        ),
    ]
    for place, doc in enumerate(docs):
        await made.phone("volunteer", "nasam", edit(doc, f"1-{place:032x}"))
    await made.parts.follower.catch_up()


def phoned(base: Mapping[str, Any], by: str, ms: int, **fields: Any) -> dict[str, Any]:
    """A document after somebody's change on a phone: stamped, and saying what it replaces."""
    body = {name: value for name, value in base.items() if name != "_id"}
    new = write(body, fields, f"{ms:013d}-0000-phone{by}", by, schemas.rules(body["type"]))
    return {"_id": base["_id"], **new}


async def two_answer(made: Village) -> None:
    """Two phones correct one inspection without having heard of each other."""
    doc_id = f"inspection:{FAULTY}"
    found = await made.parts.store.read("hamlet-nasam", [doc_id], lambda _id, tree: tree)
    ((rev, held),) = found[doc_id].bodies.items()
    base = {"_id": doc_id, **orjson.loads(held.json)}
    for who, ms, digit, values in (
        ("volunteer", NOW + 1000, "3", {"bell": True}),
        ("volunteer2", NOW + 2000, "4", {"bell": False, "fault": "Đứt dây"}),
    ):
        answers = {"checklist": "ban-thu", "version": 1, "values": values}
        changed = phoned(base, made.people[who], ms, answers=answers)
        await made.phone(who, "nasam", edit(changed, f"2-{digit * 32}", str(rev)))
    await made.parts.follower.catch_up()
