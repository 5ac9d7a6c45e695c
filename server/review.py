"""What staff review, and what a review comes to: pure.

A review holds the digest of what was looked at and stands while the document still has it: approved or
returned. When a volunteer corrects the record, the digest changes and the review is open again, by itself; no
second document has to be written in step. The phone derives the same (`pwa/src/core/review.ts`,
`tests/vectors/reviews.json`).
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

from sync import canonical
from sync.merge import ENVELOPE

REVIEWED = ("household", "pledge", "unit", "inspection", "outreach")
"""The types that staff review, in the order in which the queue names them."""

UNREVIEWED: Mapping[str, frozenset[str]] = {"household": frozenset({"order"})}
"""Fields that say nothing to review: a new list renumbers the walk, and that must reopen nothing."""

State = Literal["received", "approved", "returned", "corrected"]
STATES: tuple[State, ...] = ("received", "corrected", "returned", "approved")
"""What waits for the office comes first."""


def reviewed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document that a review is about: all but envelope and what is left out above."""
    out = UNREVIEWED.get(body["type"], frozenset()) | ENVELOPE
    return {name: value for name, value in body.items() if name not in out and not name.startswith("_")}


def digest(body: Mapping[str, Any]) -> str:
    """sha256 hex of the canonical bytes of the reviewed fields."""
    return sha256(canonical.encode(reviewed(body))).hexdigest()


def state(now: str, decision: Mapping[str, Any] | None) -> State:
    """What a document's digest `now` and the decision of its review (if there is one) come to."""
    if decision is None:
        return "received"
    if decision["digest"] != now:
        return "corrected"
    return "approved" if decision["is"] == "approved" else "returned"


def subject(review_id: str) -> str:
    """The id of the document that a review is about."""
    return review_id.removeprefix("review:")


def ordinary(body: Mapping[str, Any]) -> bool:
    """Whether a record may be approved in bulk, without opening it: nothing was taken back, nothing is wrong.

    A pledge signed at most once, of which nothing was voided; an inspection without findings and without
    anything to do (its answers and pictures: `server.office.records.remarkable`); an outreach without a note.
    Households and units are always looked at.
    """
    match body["type"]:
        case "pledge":
            acts = body["acts"]
            plain = all(act["kind"] in {"visit", "signed"} for act in acts)
            return plain and sum(act["kind"] == "signed" for act in acts) <= 1
        case "inspection":
            return not body.get("findings") and "follow_up" not in body
        case "outreach":
            return not body.get("note")
    return False
