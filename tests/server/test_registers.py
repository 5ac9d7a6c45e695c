"""What registers and reviews come to in the rows."""

from pathlib import Path

import pytest

from server import review
from server.auth.grant import Role
from server.rows import registers, tables
from server.rows.engine import open_rows, table
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    LAN,
    NOW,
    OTHER,
    QUAN,
    THU,
    Doc,
    bulletin,
    by_staff,
    checklist,
    grant,
    household,
    inspection,
    model,
    outreach,
    pledge,
    signed,
    taken_back,
    unit,
    visit,
)
from tests.server.documents import review as reviewed
from tests.server.harness import Product, edit, later

ADMIN, REVIEWER = grant(QUAN, Role.ADMIN), grant(THU, Role.REVIEWER)


async def test_each_register_has_its_row(camket: Product) -> None:
    decided = model(decision={"number": "12/QĐ-UBND", "date": "2026-02-01"}, note="Tốt")
    for doc, who in ((decided, THU), (bulletin(), THU), (checklist(), QUAN)):
        caller = ADMIN if who == QUAN else REVIEWER
        assert await camket.send(caller, "commune", edit(by_staff(doc, who), "1-a")) == ["received"]
    follow_up = {"what": "Thay chuông", "due": "2026-04-01"}
    docs = (unit(place={"lane": "Khu 2"}), inspection(follow_up=follow_up), outreach())
    assert await camket.send(grant(), "hamlet-nasam", *(edit(doc, "1-a") for doc in docs)) == ["received"] * 3
    await camket.follower.catch_up()
    (row,) = camket.all(registers.ModelRow)
    assert (row["ulid"], row["points"], row["groups"], row["state"]) == (OTHER, 2, 3, "active")
    assert (row["decision_number"], row["note"]) == ("12/QĐ-UBND", "Tốt")
    (row,) = camket.all(registers.ChecklistRow)
    assert (row["slug"], row["version"], len(row["sections"][0]["items"])) == ("ban-thu", 1, 3)
    (row,) = camket.all(registers.BulletinRow)
    assert (row["starts"], row["until"], row["hamlets"]) == ("2026-03-01", "2026-03-08", [])
    (row,) = camket.all(registers.UnitRow)
    assert (row["name"], row["lane"], row["in_scope"]) == ("Trường THCS Nà Sầm", "Khu 2", True)
    (row,) = camket.all(registers.InspectionRow)
    assert (row["subject"], row["due"], row["done"], row["answers"]) == (
        f"model:{OTHER}",
        "2026-04-01",
        None,
        {"bell": True},
    )
    (row,) = camket.all(registers.OutreachRow)
    assert (row["present"], row["topics"]) == (60, ["pccc"])


async def test_a_review_stands_while_the_record_says_what_was_reviewed(
    camket: Product,
) -> None:
    before = unit()
    assert await camket.send(grant(), "hamlet-nasam", edit(before, "1-a")) == ["received"]
    said = reviewed(before["_id"], review.digest(before), **{"is": "returned", "comment": "Sửa tên."})
    assert await camket.send(REVIEWER, "hamlet-nasam", edit(by_staff(said, THU), "1-b")) == ["received"]
    assert await states(camket) == ["returned"]
    after = later(before, LAN, NOW + 1000, name="Trường THCS xã")
    assert await camket.send(grant(), "hamlet-nasam", edit(after, "2-a", "1-a")) == ["received"]
    assert await states(camket) == ["corrected"]
    back = later(after, LAN, NOW + 2000, name=before["name"])
    assert await camket.send(grant(), "hamlet-nasam", edit(back, "3-a", "2-a", "1-a")) == ["received"]
    assert await states(camket) == ["returned"]


async def states(camket: Product) -> list[str]:
    await camket.follower.catch_up()
    decided = {row["subject"]: row for row in camket.all(registers.ReviewRow)}
    found: list[str] = []
    for row in camket.all(registers.RecordRow):
        one = decided.get(row["id"])
        found.append(review.state(row["digest"], one and {"is": one["decided"], "digest": one["digest"]}))
    return found


@pytest.mark.parametrize(
    ("doc", "ordinary"),
    [
        (pledge(visit(), signed()), True),
        (pledge(visit()), True),
        (pledge(signed(), taken_back("voided", "01J8ZQ5A0000000000000000A2")), False),
        (pledge(signed(FIRST), signed()), False),
        (inspection(), True),
        (inspection(findings="Chuông ẩm."), False),
        (inspection(follow_up={"what": "x", "due": "2026-04-01"}), False),
        (outreach(), True),
        (outreach(note="Mưa."), False),
        (household(HOUSEHOLD), False),
        (unit(), False),
    ],
)
def test_what_may_be_approved_without_opening_it(doc: Doc, ordinary: bool) -> None:
    assert review.ordinary(doc) is ordinary


async def test_rows_of_an_older_program_are_projected_again(
    camket: Product, tmp_path: Path, rows_url: str | None
) -> None:
    assert await camket.send(grant(), "hamlet-nasam", edit(unit(), "1-a")) == ["received"]
    await camket.follower.catch_up()
    with camket.rows.begin() as rows:
        rows.execute(table(registers.RecordRow).delete())
        rows.execute(
            table(tables.Meta).update().where(table(tables.Meta).c.key == "schema").values(value="1")
        )
    open_rows(tmp_path, rows_url).dispose()
    await camket.follower.catch_up()
    assert len(camket.all(registers.RecordRow)) == 1
