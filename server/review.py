"""What staff review, and what a review comes to: pure.

A review holds the digest of what was looked at and stands while the document still has it: approved or
returned. When a volunteer corrects the record, the digest changes and the review is open again, by itself; no
second document has to be written in step. The phone derives the same (`pwa/src/core/review.ts`,
`tests/vectors/reviews.json`).
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import schemas
from sync import canonical, merge
from sync.merge import ENVELOPE, Body
from sync.stamps import ALL, Stamp, advance, order

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


class Digests(NamedTuple):
    """Of two pledges that become one: that of the one which goes, None where that is not one thing yet; that
    of the one which is kept, None where there is none; and that of what the two come to."""

    gone: str | None
    kept: str | None
    joined: str


def sent_back(gone: Body, kept: Body, digests: Digests) -> Body | None:
    """The review of a pledge that another one comes into, which may have been sent back; None where what
    there is holds. `gone` and `kept` are the reviews of the two, empty where there is none.

    What was returned stays returned in the one that is kept, with the words it was returned with. Corrected
    meanwhile, it is corrected there, so that somebody looks. A decision upon the kept one that came later has
    seen both, unless it stands upon what that one said alone. Derived from these alone: again is the same.
    """
    if gone.get("decision", {}).get("is") != "returned":
        return None
    decision, stamp = gone["decision"], gone["stamps"][ALL]
    stands = decision["digest"] == digests.gone
    if kept and order(kept["stamps"][ALL]) >= order(stamp):
        alone = kept["decision"]["digest"] == digests.kept != digests.joined
        if not (stands and alone):
            return None
        if kept["decision"]["is"] == "returned":
            decision = kept["decision"]
        stamp = str(advance(Stamp.parse(kept["stamps"][ALL]), 0, Stamp.parse(stamp).device))
    said = {**decision, "digest": digests.joined} if stands else decision
    begun = kept or {"type": "review", "v": schemas.version("review")}
    return merge.write(begun, {"decision": said}, stamp, gone["by"], schemas.rules("review"))


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
