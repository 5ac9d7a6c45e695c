"""Python's side of the tables that both languages must agree on."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateNumbers,
    EllipticCurvePublicNumbers,
)

import schemas
from server import bundle, review, sealing
from server.content import broken
from server.keys import KeyPair
from server.projection import outcome
from sync import canonical, merge
from sync.stamps import Stamp, advance
from sync.store.interface import Edit
from tests.vectors import acts, table, whole


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["story"]) for case in table(name)]


@pytest.mark.parametrize("case", cases("canonical"))
def test_canonical_text(case: dict[str, Any]) -> None:
    if case["text"] is None:
        with pytest.raises(canonical.NotCanonical):
            canonical.encode(case["value"])
    else:
        assert canonical.encode(case["value"]).decode() == case["text"]


@pytest.mark.parametrize("case", cases("stamps"))
def test_the_next_stamp(case: dict[str, Any]) -> None:
    last = Stamp.parse(case["last"]) if case["last"] else None
    assert str(advance(last, case["now"], "phone1")) == case["next"]


@pytest.mark.parametrize("case", cases("writes"))
def test_a_write(case: dict[str, Any]) -> None:
    changes = dict(case["fields"]) | dict.fromkeys(case.get("clear", ()), merge.CLEARED)
    if case["acts"]:
        changes["acts"] = case["acts"]
    before = case["before"] or {"type": case["type"], "v": 1}
    after = merge.write(before, changes, case["stamp"], case["by"], schemas.rules(case["type"]))
    assert after == case["after"]


@pytest.mark.parametrize("case", cases("outcomes"))
def test_what_acts_come_to(case: dict[str, Any]) -> None:
    assert outcome(acts(case["acts"]))["signed"] is case["signed"]


@pytest.mark.parametrize("case", cases("rules"))
def test_a_rule_of_content(case: dict[str, Any]) -> None:
    refused = broken(case["doc"])
    assert (refused and refused.key) == case["key"]


def test_the_digest_of_what_is_reviewed() -> None:
    for case in whole("reviews")["digests"]:
        assert canonical.encode(review.reviewed(case["doc"])).decode() == case["text"], case["story"]
        assert review.digest(case["doc"]) == case["digest"], case["story"]


def test_what_a_review_comes_to() -> None:
    for case in whole("reviews")["states"]:
        assert review.state(case["now"], case["decision"]) == case["is"], case["story"]


def test_what_lies_in_a_sealed_record_and_what_receipts_call_it() -> None:
    told = whole("sealed")
    x, y, d = (int.from_bytes(sealing.from_b64url(told["key"][part]), "big") for part in "xyd")
    public = EllipticCurvePublicNumbers(x, y, SECP256R1())
    pair = KeyPair(told["key_id"], EllipticCurvePrivateNumbers(d, public).private_key())
    for case in told["records"]:
        record = sealing.from_b64url(case["record"])
        send, found = bundle.open_record(record, pair)
        assert (record[0], send, len(found)) == (case["version"], case["send"], len(case["docs"])), case[
            "story"
        ]
        for opened, n in zip(found, case["docs"], strict=True):
            doc = told["documents"][n]
            assert isinstance(opened, bundle.Opened)
            assert isinstance(opened.document, Edit)
            assert (opened.clock, opened.db) == (doc["clock"], doc["db"]), case["story"]
            body = {name: value for name, value in doc["doc"].items() if not name.startswith("_")}
            assert json.loads(opened.document.body) == body
            rev = str(opened.document.rev)
            assert (opened.document.id, rev) == (doc["doc"]["_id"], doc["doc"]["_rev"])
            assert bundle.name_of(opened.db, opened.document.id, rev) == doc["name"]
