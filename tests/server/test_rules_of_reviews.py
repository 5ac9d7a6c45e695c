"""Who may write models, checklists, bulletins, units, inspections, outreach, reviews and photographs."""

from typing import NamedTuple

import pytest

from server.auth.grant import Grant, Role
from server.rules import Asked, refusal
from server.words import words
from sync import canonical
from tests.server.documents import (
    FIRST,
    HOUSEHOLD,
    MAI,
    NOW,
    QUAN,
    SECOND,
    THU,
    Doc,
    bulletin,
    by_staff,
    checklist,
    clauses,
    grant,
    inspection,
    model,
    outreach,
    photo,
    review,
    unit,
)
from tests.server.harness import Product, edit, later

ADMIN, REVIEWER = grant(QUAN, Role.ADMIN), grant(THU, Role.REVIEWER)
PICTURE = {"id": "a" * 64, "item": "picture"}


class Case(NamedTuple):
    story: str
    doc: Doc
    key: str | None
    caller: Grant = grant()
    db: str = "hamlet-nasam"
    known: tuple[Doc, ...] = ()


def answers(version: int = 1, **values: object) -> Doc:
    return {"checklist": "ban-thu", "version": version, "values": values}


def sections(**fields: object) -> list[Doc]:
    (one,) = checklist()["sections"]
    first, *others = one["items"]
    return [{**one, "items": [{**first, **fields}, *others]}]


SOMEBODYS = review(f"unit:{HOUSEHOLD}", "a" * 64)
CASES = [
    Case("a model by a reviewer", by_staff(model(), THU), None, REVIEWER, "commune"),
    Case("a model by a volunteer", model(by="lan01"), "staff_only", db="commune"),
    Case("a model in a hamlet", by_staff(model(), THU), "wrong_database", REVIEWER),
    Case(
        "a model since no day",
        by_staff(model(state={"is": "active", "since": "2026-02-30"}), THU),
        "schema.form",
        REVIEWER,
        "commune",
    ),
    Case("a bulletin by a reviewer", by_staff(bulletin(), THU), None, REVIEWER, "commune"),
    Case(
        "a bulletin by a head of hamlet",
        bulletin(by="lan01"),
        "staff_only",
        grant(role=Role.HAMLET_HEAD),
        "commune",
    ),
    Case(
        "a bulletin that ends before it begins",
        by_staff(bulletin(until="2026-02-28"), THU),
        "bulletin_days",
        REVIEWER,
        "commune",
    ),
    Case("a checklist by an admin", by_staff(checklist(), QUAN), None, ADMIN, "commune"),
    Case("a checklist by a reviewer", by_staff(checklist(), THU), "admin_only", REVIEWER, "commune"),
    Case(
        "a checklist that looks ahead",
        by_staff(checklist(sections=sections(when={"item": "fault", "equals": "x"})), QUAN),
        "checklist.looks_ahead",
        ADMIN,
        "commune",
    ),
    Case(
        "a version of a checklist, altered",
        by_staff(checklist(title="Khác"), QUAN),
        "version_altered",
        ADMIN,
        "commune",
        (by_staff(checklist(), QUAN, at=NOW - 2),),
    ),
    Case(
        "clauses that people have signed, altered",
        by_staff(clauses(items=["Khác."]), QUAN),
        "version_altered",
        ADMIN,
        "commune",
        (by_staff(clauses(), QUAN, at=NOW - 2),),
    ),
    Case("the next clauses", by_staff(clauses(), QUAN), None, ADMIN, "commune"),
    Case(
        "a version that two servers wrote apart, settled",
        by_staff(checklist(title="Khác"), QUAN),
        None,
        ADMIN,
        "commune",
        (
            by_staff(checklist(), QUAN, at=NOW - 2)
            | {"asks": {"title": {"others": [{"stamp": f"{NOW - 1}-0000-officexy", "value": "Khác"}]}}},
        ),
    ),
    Case("a unit by a volunteer", unit(), None),
    Case("a unit in the commune", unit(), "wrong_database", db="commune"),
    Case("a unit by an observer", unit(by=MAI), "reads_only", grant(MAI, Role.OBSERVER)),
    Case("an outreach by a volunteer", outreach(), None),
    Case("a review by a reviewer", by_staff(SOMEBODYS, THU), None, REVIEWER),
    Case("a review by a volunteer", review(f"unit:{HOUSEHOLD}", "a" * 64, by="lan01"), "staff_only"),
    Case("a review by an observer", by_staff(SOMEBODYS, MAI), "staff_only", grant(MAI, Role.OBSERVER)),
    Case("a photo beside the pictures", photo(), None, db="media-nasam"),
    Case("a photo among the texts", photo(), "wrong_database"),
    Case(
        "a photo whose inspection is said anew",
        photo(inspection=SECOND),
        None,
        db="media-nasam",
        known=(photo(at=NOW - 1),),
    ),
    Case(
        "a photo that somebody else took",
        photo(inspection=SECOND),
        "photo_of_other",
        db="media-nasam",
        known=(photo(by=MAI),),
    ),
    Case(
        "a photo that a volunteer took, by staff",
        by_staff(photo(inspection=SECOND), THU),
        None,
        REVIEWER,
        "media-nasam",
        (photo(at=NOW - 1),),
    ),
    Case(
        "a photo with other bytes",
        photo(width=641),
        "photo_of_other",
        db="media-nasam",
        known=(photo(at=NOW - 1),),
    ),
    Case("an inspection among the pictures", inspection(), "wrong_database", db="media-nasam"),
    Case("an inspection", inspection(), None),
    Case("an inspection that leaves out what is required", inspection(answers=answers()), "answer.required"),
    Case("a condition makes an item required", inspection(answers=answers(bell=False)), "answer.required"),
    Case("an answer of another kind", inspection(answers=answers(bell=3)), "answer.not_yes_no"),
    Case("an answer to nothing", inspection(answers=answers(bell=True, siren=True)), "answer.unknown_item"),
    Case(
        "a photograph among the values",
        inspection(answers=answers(bell=True, picture=["a"])),
        "answer.not_a_photo",
    ),
    Case("a photograph", inspection(photos=[PICTURE]), None),
    Case(
        "more photographs than asked for",
        inspection(photos=[{"id": digit * 64, "item": "picture"} for digit in "abc"]),
        "answer.not_a_photo",
    ),
    Case("a version that is not held here", inspection(answers=answers(9, siren=1)), None),
    Case(
        "a follow-up to answers that were taken once",
        inspection(answers=answers(), follow_up={"what": "Thay chuông", "due": "2026-04-01"}),
        None,
        known=(inspection(answers=answers()),),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.story for case in CASES])
def test_a_document_enters_or_is_told_why_not(case: Case) -> None:
    own = case.caller.device or f"office{case.caller.user}"
    held = {one["_id"]: one for one in (checklist(),)}
    found = refusal(case.doc, case.known, Asked(case.caller, case.db, {own}, NOW, held))
    assert (found and found.key) == case.key
    if found:
        for lang in ("vi", "en"):
            assert "{" not in found.say(words(lang))


async def test_an_inspection_is_held_to_the_version_that_it_names_though_a_later_one_is_out(
    camket: Product,
) -> None:
    stricter = sections(kind="number", unit="cái", min=0, max=9, good={"at_least": 1})
    for number, doc in enumerate((checklist(), checklist(2, sections=stricter))):
        sent = edit(by_staff(doc, QUAN), f"1-{number}")
        assert await camket.send(ADMIN, "commune", sent) == ["received"]
    outcomes = await camket.send(
        grant(),
        "hamlet-nasam",
        edit(inspection(FIRST), "1-a"),
        edit(inspection("01J8ZQ5A0000000000000000A7", answers=answers(2, bell=True)), "1-b"),
        edit(inspection("01J8ZQ5A0000000000000000A8", answers=answers(2, bell=3)), "1-c"),
    )
    assert outcomes == ["received", "forbidden", "received"]


async def test_answers_given_twice_at_once_wait_for_a_person(camket: Product) -> None:
    first = inspection()
    assert await camket.send(grant(), "hamlet-nasam", edit(first, "1-a")) == ["received"]
    said = [answers(bell=False, fault="dây đứt"), answers(bell=False, fault="hết pin")]
    for number, (who, what) in enumerate(zip(("lan01", MAI), said, strict=True)):
        doc = later(first, who, NOW + 1000 + number, answers=what)
        assert await camket.send(grant(who), "hamlet-nasam", edit(doc, f"2-{number}", "1-a")) == ["received"]
    _, body = await camket.shown("hamlet-nasam", first["_id"])
    assert canonical.encode(body["answers"]) == canonical.encode(said[1])
    assert [other["value"] for other in body["asks"]["answers"]["others"]][:1] == said[:1]
