"""A furnished commune of three hamlets, and what the stories of moves ask of it."""

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import select
from sqlmodel import SQLModel

from server.admission import caller_of
from server.auth.grant import Grant, Role
from server.parts import Parts
from server.rows import tables
from server.rows.engine import readers, table
from server.words import words
from sync import revtree
from sync.hooks import Refused, Stored
from sync.store.interface import Edit
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    OTHER,
    QUAN,
    SECOND,
    THIRD,
    THU,
    grant,
    household,
    inspection,
    outreach,
    photo,
    pledge,
    review,
    signature,
    signed,
    unit,
    visit,
)
from tests.server.harness import edit

A, B, C = "hamlet-nasam", "hamlet-bankhu", "hamlet-pomo"
NAMES = {"nasam": "Nà Sầm", "bankhu": "Bản Khu", "pomo": "Pò Mỏ"}
X, PLEDGE = f"household:{HOUSEHOLD}", f"pledge:antq-2026:{HOUSEHOLD}"
STROKES = signature()["_id"]
SIGNED = signed(method="touch", signature=STROKES.partition(":")[2])
ADMIN = caller_of(Grant(QUAN, "Quân", Role.ADMIN, frozenset(NAMES)), words("vi"))
lan, mai = grant(LAN), grant(MAI, hamlets=["bankhu"])


DAY = 86_400_000


class Hands:
    """A clock that the test moves."""

    ms = NOW

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.ms / 1000, UTC)


async def send(parts: Parts, who: Grant, db: str, *edits: Edit) -> list[str]:
    """What the engine does with a batch; the name of each outcome."""
    answers = await parts.intake.admit(caller_of(who, words("vi")), db, edits)
    entering = [answer for answer in answers if isinstance(answer, Edit)]
    await parts.store.graft(db, entering)
    await parts.intake.observe(db, {one.id for one in entering})
    return [one.name if isinstance(one, Refused | Stored) else "received" for one in answers]


async def living(parts: Parts, doc_id: str) -> dict[str, dict[str, Any]]:
    """Where a document lives, and what it says there."""
    found = {}
    for db in await parts.store.names():
        held = (await parts.store.read(db, [doc_id], lambda _id, tree: revtree.live(tree))).get(doc_id)
        if held and held.bodies:
            (body,) = held.bodies.values()
            found[db] = orjson.loads(body.json)
    return found


def rows_of(parts: Parts, model: type[SQLModel], **where: Any) -> list[dict[str, Any]]:
    source = table(model)
    asked = select(source).where(*(source.c[name] == value for name, value in where.items()))
    with readers(parts.rows).begin() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


async def furnish(parts: Parts) -> None:
    """A household with a pledge, strokes and a review; a neighbour; a school with an inspection; a drive."""
    await send(parts, lan, A, edit(household(), "1-h"), edit(household(OTHER), "1-n"))
    await send(parts, lan, A, edit(pledge(visit(), SIGNED), "1-p"), edit(signature(), "1-s"))
    await send(parts, lan, A, edit(unit(THIRD), "1-u"), edit(outreach(), "1-o"))
    checked = inspection(SECOND, subject=f"unit:{THIRD}", photos=[{"id": SHOWN, "item": "picture"}])
    assert await send(parts, lan, A, edit(checked, "1-i")) == ["received"]
    assert await send(parts, lan, "media-nasam", edit(photo(inspection=SECOND) | {"_id": PHOTO}, "1-f")) == [
        "received"
    ]
    await parts.follower.catch_up()
    judged = review(PLEDGE, "d" * 64, THU) | {"stamps": {"*": f"{NOW}-0000-office{THU}"}}
    assert await send(parts, grant(THU, Role.REVIEWER), A, edit(judged, "1-r")) == ["received"]
    await parts.follower.catch_up()


SHOWN = sha256(b"bytes").hexdigest()
INSPECTION, PHOTO = f"inspection:{SECOND}", f"photo:{SHOWN}"
OTHERS = {f"household:{OTHER}", f"unit:{THIRD}", f"outreach:{FIRST}", INSPECTION}
ALL = {X, PLEDGE, STROKES, f"review:{PLEDGE}"} | OTHERS


async def where(parts: Parts, ids: Collection[str] = ALL) -> dict[str, list[str]]:
    return {doc_id: list(await living(parts, doc_id)) for doc_id in ids}


def walk(parts: Parts, db: str) -> list[str]:
    rows = rows_of(parts, tables.HouseholdRow, db=db)
    return [row["name"] for row in sorted(rows, key=lambda row: (row["walk"], row["id"]))]
