"""Who may write what: each rule with a document that keeps it and one that breaks it."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from server.auth.grant import Grant, Role
from server.content import broken
from server.rules import Asked, refusal
from server.words import words
from sync.stamps import LATEST
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
    Doc,
    campaign,
    document,
    grant,
    hamlet,
    household,
    inspection,
    pledge,
    signature,
    signed,
    stamp,
    taken_back,
    visit,
)

ADMIN = grant(QUAN, Role.ADMIN)
REVIEWER = grant(THU, Role.REVIEWER)
HOUR = 3_600_000
MERGED = {"is": "merged_into", "since": "2026-03-01", "into": OTHER}


class Case(NamedTuple):
    story: str
    doc: Doc
    key: str | None
    known: tuple[Doc, ...] = ()
    caller: Grant = grant()
    db: str = "hamlet-nasam"


def by_staff(doc: Doc, user: str) -> Doc:
    return doc | {"by": user, "stamps": {"*": f"{NOW}-0000-office{user}"}}


FAULTY = {"checklist": "ban-thu", "version": 1, "values": {"bell": False, "fault": "Pin"}}
LONG = signature([[999] * 200])
CASES = [
    Case("a volunteer adds a household", household(), None),
    Case("a reviewer corrects a household", by_staff(household(), THU), None, caller=REVIEWER),
    Case("a household without a name", household(name=""), "schema.form"),
    Case("a household with a phone number", household(phone="1"), "schema.additionalProperties"),
    Case("a document of no known type", document(f"person:{HOUSEHOLD}"), "schema.unknown_type"),
    Case("a name in NFD", household(name="My\u0309"), "nfc"),
    Case(
        "a stamp for a field that there is not",
        household(stamps={"*": stamp(), "nick": stamp()}),
        "schema.additionalProperties",
    ),
    Case(
        "a date that is in no calendar",
        household(status={"is": "moved", "since": "2026-02-30"}),
        "schema.form",
    ),
    # authors
    Case("a document in another's name", household(by=MAI), "forged_author"),
    Case("another's stamp on an own document", household() | {"stamps": {"*": stamp(MAI)}}, "foreign_stamp"),
    Case(
        "another's stamp on a field that they wrote",
        household(stamps={"*": stamp(), "name": stamp(MAI)}),
        None,
        known=(household(by=MAI),),
    ),
    Case(
        "another value by the stamp of somebody else's",
        household(stamps={"*": stamp(), "name": stamp(MAI)}),
        "foreign_stamp",
        known=(household(by=MAI, name="Lý Mỷ"),),
    ),
    Case(
        "a clearing by the stamp of somebody else's value",
        household(stamps={"*": stamp(), "place": stamp(MAI)}),
        "foreign_stamp",
        known=(household(by=MAI, place={"lane": "Ngõ 2"}),),
    ),
    Case(
        "a value of somebody else's that waits beside the own one, as it is held",
        inspection(at=NOW + 1, asks={"answers": {"others": [{"stamp": stamp(MAI), "value": FAULTY}]}}),
        None,
        known=(inspection(by=MAI, answers=FAULTY),),
    ),
    Case(
        "a value that somebody else is said to have written",
        inspection(at=NOW + 1, asks={"answers": {"others": [{"stamp": stamp(MAI), "value": FAULTY}]}}),
        "foreign_stamp",
        known=(inspection(by=MAI),),
    ),
    Case(
        "somebody else's value is replaced",
        inspection(at=NOW + 1, asks={"answers": {"seen": [stamp(MAI)]}}),
        None,
        known=(inspection(by=MAI),),
    ),
    Case(
        "all that somebody else may ever write is replaced",
        inspection(asks={"answers": {"seen": [f"9999999999999-ffff-phone{MAI}"]}}),
        "foreign_stamp",
        known=(inspection(by=MAI),),
    ),
    Case("a stamp an hour ahead", household(at=NOW + HOUR), "future"),
    Case(
        "a stamp that must be after one from years ahead, which was accepted by a wrong clock",
        household(at=NOW + 90_000 * HOUR),
        None,
        known=(household(by=MAI, at=NOW + 90_000 * HOUR),),
    ),
    Case(
        "another's stamp that nobody has seen",
        household(stamps={"*": stamp(), "name": stamp(MAI, NOW - 1)}),
        "foreign_stamp",
    ),
    Case("a stamp six minutes ahead", household(at=NOW + 360_000), "future"),
    Case("a stamp four minutes ahead", household(at=NOW + 240_000), None),
    Case("a stamp of last year", household(at=NOW - 300 * 24 * HOUR), None),
    # places
    Case("a household in the shared database", household(), "wrong_database", db="commune"),
    Case("a household among the pictures", household(), "wrong_database", db="media-nasam"),
    Case("a hamlet by a volunteer", hamlet(by=LAN), "admin_only", db="commune"),
    Case("a hamlet by a reviewer", by_staff(hamlet(), THU), "admin_only", caller=REVIEWER, db="commune"),
    Case("a hamlet by an admin", by_staff(hamlet(), QUAN), None, caller=ADMIN, db="commune"),
    Case(
        "a campaign that ends on no day",
        by_staff(campaign(ends="2026-11-31"), QUAN),
        "schema.form",
        caller=ADMIN,
        db="commune",
    ),
    Case("a hamlet in a hamlet's database", by_staff(hamlet(), QUAN), "wrong_database", caller=ADMIN),
    Case("an observer writes", household(by=MAI), "reads_only", caller=grant(MAI, Role.OBSERVER)),
    Case(
        "a volunteer merges two households",
        household(status={"is": "merged_into", "since": "2026-03-01", "into": OTHER}),
        "merge_by_staff",
    ),
    Case(
        "a volunteer renames a household that staff merged",
        household(name="Lý Mỷ", status=MERGED) | {"stamps": {"*": stamp(), "status": stamp(THU, NOW - HOUR)}},
        None,
        known=(household(by=THU, at=NOW - HOUR, status=MERGED),),
    ),
    Case(
        "a merge that staff have made, said anew by a volunteer",
        household(status=MERGED),
        "merge_by_staff",
        known=(household(by=THU, at=NOW - HOUR, status=MERGED),),
    ),
    # signatures
    Case("a signature", signature(), None),
    Case(
        "a signature under another's digest",
        signature([[1, 2]]) | {"_id": signature()["_id"]},
        "signature_id",
    ),
    Case("a signature of 800 bytes", LONG, "signature_too_long"),
    # acts
    Case("a visit and a signing", pledge(visit(), signed()), None),
    Case("acts out of order", pledge(signed(), visit()), "acts_order"),
    Case("an act twice", pledge(visit(), visit()), "acts_order"),
    Case("an act in another's name", pledge(visit(by=MAI)), "forged_act"),
    Case(
        "another's act that is held already",
        pledge(visit(by=MAI), signed()),
        None,
        known=(pledge(visit(by=MAI)),),
    ),
    Case(
        "another's act, altered",
        pledge(visit(by=MAI, result="come_back")),
        "act_altered",
        known=(pledge(visit(by=MAI)),),
    ),
    Case("an own act, altered", pledge(visit(result="come_back")), "act_altered", known=(pledge(visit()),)),
    Case("an act an hour ahead", pledge(visit(at="2026-03-01T03:03:04Z")), "future"),
    Case("an act six minutes ahead", pledge(visit(at="2026-03-01T02:09:04Z")), "future"),
    Case("an act four minutes ahead", pledge(visit(at="2026-03-01T02:07:04Z")), None),
    Case("an act on no day", pledge(visit(at="2026-02-30T03:03:04Z")), "schema.form"),
    Case("a volunteer voids an own signing", pledge(signed(), taken_back("voided", SECOND)), None),
    Case(
        "a volunteer voids another's",
        pledge(signed(by=MAI), taken_back("voided", SECOND)),
        "void_own_only",
        known=(pledge(signed(by=MAI)),),
    ),
    Case(
        "a head of hamlet voids another's",
        pledge(signed(by=MAI), taken_back("voided", SECOND)),
        "void_own_only",
        known=(pledge(signed(by=MAI)),),
        caller=grant(LAN, Role.HAMLET_HEAD),
    ),
    Case(
        "staff void a volunteer's",
        by_staff(pledge(signed(by=MAI), taken_back("voided", SECOND, by=THU)), THU),
        None,
        known=(pledge(signed(by=MAI)),),
        caller=REVIEWER,
    ),
    Case(
        "a volunteer confirms a withdrawal",
        pledge(signed(), taken_back("withdrawn", SECOND)),
        "withdrawn_by_staff",
    ),
    Case(
        "staff confirm a withdrawal",
        by_staff(pledge(signed(), taken_back("withdrawn", SECOND, by=THU)), THU),
        None,
        known=(pledge(signed()),),
        caller=REVIEWER,
    ),
    Case("a void of nothing", pledge(taken_back("voided", SECOND)), "act_target"),
    Case(
        "a void of a void",
        pledge(visit(), taken_back("voided", FIRST, SECOND), taken_back("voided", SECOND, THIRD)),
        "act_target",
    ),
    Case(
        "a withdrawal of a visit",
        by_staff(pledge(visit(), taken_back("withdrawn", FIRST, by=THU)), THU),
        "act_target",
        known=(pledge(visit()),),
        caller=REVIEWER,
    ),
    # versions
    Case("a newer program's document", household(added=1) | {"v": 2}, None),
    Case("a newer program's document in another's name", household(by=MAI) | {"v": 2}, "forged_author"),
    Case(
        "an own act beside a newer program's document",
        pledge(visit()),
        None,
        known=(pledge() | {"v": 2, "acts": 7},),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.story for case in CASES])
def test_a_document_enters_or_is_told_why_not(case: Case) -> None:
    own = case.caller.device or f"office{case.caller.user}"
    found = refusal(case.doc, case.known, Asked(case.caller, case.db, {own}, NOW))
    assert (found and found.key) == case.key
    if found:
        assert found.name == ("clock" if case.key == "future" else "forbidden")
        for lang in ("vi", "en"):
            assert "{" not in found.say(words(lang))


def test_time_is_not_judged_where_the_servers_own_clock_is_wrong() -> None:
    asked = Asked(grant(), "hamlet-nasam", {"phonelan01"}, None)
    assert refusal(pledge(visit(at="2030-01-01T00:00:00Z"), at=NOW + HOUR), (), asked) is None


@pytest.mark.parametrize("now", [None, NOW, LATEST * 2], ids=["wrong", "right", "far ahead"])
def test_whatever_the_clock_nothing_is_stamped_after_which_nobody_could_write(now: int | None) -> None:
    asked = Asked(grant(), "hamlet-nasam", {"phonelan01"}, now)
    for doc in (household(at=LATEST + 1), pledge(visit(at="2100-01-01T00:00:01Z"))):
        found = refusal(doc, (), asked)
        assert found
        assert found.name == "clock"
        assert refusal(doc, (), replace(asked, held=True)) is None  # a person decides when it was
    held = household(by=MAI, at=LATEST)
    assert refusal(household(at=LATEST + 1), (held,), asked) is None  # nobody is closed out by the last stamp
    lie = household(by=MAI, at=9_999_999_999_999)
    assert refusal(household(at=LATEST + 1), (lie,), asked) is not None


def test_the_follower_asks_only_what_a_document_says_of_itself() -> None:
    assert broken(household(by=MAI)) is None
    assert broken(household(name="")) is not None
    assert broken(pledge(signed(), visit())) is not None
