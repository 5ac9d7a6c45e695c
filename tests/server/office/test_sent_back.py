"""A pledge that staff sent back, of a household that is merged then: it stays sent back where it goes."""

import re

from server.review import Digests, digest, sent_back
from tests.server.documents import (
    FIRST,
    NOW,
    SECOND,
    THIRD,
    THU,
    Doc,
    by_staff,
    pledge,
    review,
    signed,
    visit,
)
from tests.server.harness import edit
from tests.server.office.test_duplicates import TWIN, merge, part, twin
from tests.server.office.test_edits import document
from tests.server.office.test_review import QUEUE, listed
from tests.server.office.village import SIGNED_ULID, Browser, Village

GONE, KEPT = f"pledge:antq-2026:{SIGNED_ULID}", f"pledge:antq-2026:{TWIN}"
COMMENT = "Ghi lại người ký."


async def decided(browser: Browser, pledge_id: str, what: str) -> None:
    """Staff open a record and decide."""
    path = f"{QUEUE}/nasam/{pledge_id}"
    shown = dict(re.findall(r'name="(digest|review)" value="([^"]*)"', (await browser.get(path)).text))
    said = {"decision": what, "template": "other", "comment-other": COMMENT}
    assert (await browser.post(path, {**shown, **said})).status_code == 303


async def standing(made: Village, pledge_id: str) -> tuple[str, bool]:
    """What was decided of a pledge, and whether that stands."""
    _, said = await document(made, f"review:{pledge_id}")
    _, body = await document(made, pledge_id)
    return said["decision"]["is"], said["decision"]["digest"] == digest(body)


async def test_what_was_sent_back_is_sent_back_where_it_goes_and_nobody_approves_it_in_bulk(
    made: Village,
) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        await decided(browser, GONE, "returned")
        await merge(made, SIGNED_ULID, TWIN)
        assert await standing(made, KEPT) == ("returned", True)
        page = (await browser.get(f"{QUEUE}?state=returned")).text
        assert listed(page) == [f"nasam/{KEPT}"]
        assert f"nasam/{KEPT}" not in listed((await browser.get(QUEUE)).text)
        assert f"<q>{COMMENT}</q>" in (await browser.get(f"{QUEUE}/nasam/{KEPT}")).text
        page = (await browser.get(f"/office/history/nasam/{KEPT}")).text
        assert page.count("Chuyển sang từ hộ") == 2, "the acts, and what was decided of them"
        assert COMMENT in page

        await decided(browser, KEPT, "approved")
        await made.parts.follower.rebuild()
        assert await standing(made, KEPT) == ("approved", True), "staff have the last word"
        await part(made, SIGNED_ULID)
        assert await standing(made, GONE) == ("returned", True), "as it stood before the two were one"
        assert (await standing(made, KEPT))[1] is False, "and of the other somebody looks again"


async def test_what_was_corrected_before_its_household_was_merged_is_looked_at(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        await decided(browser, GONE, "returned")
        by, (rev, body) = made.people["volunteer"], await document(made, GONE)
        again = pledge(*body["acts"], visit(THIRD, by=by), by=by, ulid=SIGNED_ULID)
        await made.phone("volunteer", "nasam", edit(again, f"2-{'c' * 32}", rev))
        await merge(made, SIGNED_ULID, TWIN)
        assert await standing(made, KEPT) == ("returned", False)
        page = (await browser.get(f"{QUEUE}?state=corrected")).text
        assert listed(page) == [f"nasam/{KEPT}"]
        assert f'name="record" value="nasam/{KEPT}' not in page


OLD, OTHERS = pledge(signed(SECOND)), pledge(visit(FIRST))
BOTH = Digests(digest(OLD), digest(OTHERS), digest(pledge(visit(FIRST), signed(SECOND))))
BACK = {"is": "returned", "comment": COMMENT}


def said(body: Doc, at: int, **decision: str) -> Doc:
    """A review of this body, so many milliseconds after the first."""
    held = by_staff(review("x", digest(body), **decision), THU, at=NOW + at)
    return {name: value for name, value in held.items() if name != "_id"}


def test_a_return_comes_along_unless_staff_have_seen_both_since() -> None:
    gone, whole = said(OLD, 5, **BACK), pledge(visit(FIRST), signed(SECOND))
    cases = {
        "nobody decided of the other": ({}, True),
        "the other was approved before": (said(OTHERS, 4), True),
        "the other was approved since, for what it said alone": (said(OTHERS, 6), True),
        "both were approved together since": (said(whole, 6), False),
        "what was decided since stands no more": (said(pledge(visit(THIRD)), 6), False),
        "it has come along before": (said(whole, 5, **BACK), False),
    }
    for story, (kept, comes) in cases.items():
        made = sent_back(gone, kept, BOTH)
        assert (made is not None) is comes, story
        if made:
            assert made["decision"] == {**BACK, "digest": BOTH.joined}, story
            assert made == sent_back(gone, kept, BOTH), story
            assert sent_back(gone, made, BOTH._replace(kept=BOTH.joined)) is None, story
    assert sent_back(said(OLD, 5), {}, BOTH) is None, "an approval does not"
    assert sent_back({}, {}, BOTH) is None
    mine = {**BACK, "comment": "Ghi ngày."}
    both = sent_back(gone, said(OTHERS, 6, **mine), BOTH)
    assert both
    assert both["decision"]["comment"] == "Ghi ngày.", "of two the later words"
