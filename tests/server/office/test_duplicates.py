"""Pairs of households at the office: one merge for each, or told apart for good."""

from server.scribe import Change
from tests.server.office.test_edits import document
from tests.server.office.village import SIGNED_ULID, Village, ulid

TWIN = ulid(9, 1)


async def twin(made: Village) -> None:
    """Somebody enters the signed household once more, without marks."""
    _, body = await document(made, f"household:{SIGNED_ULID}")
    fields = {"name": "vi thi dung", "order": body["order"], "status": body["status"]}
    fields |= {"place": body["place"]} if "place" in body else {}
    await made.office({"hamlet-nasam": [Change(f"household:{TWIN}", fields)]})


FORM = {"hamlet": "nasam", "one": SIGNED_ULID, "other": TWIN}


async def test_a_pair_is_offered_once_and_merged_with_one_click(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.get("/office/duplicates")).text
        assert f'value="{SIGNED_ULID}" checked' in page, "the one that has signed is kept by default"
        page = (await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})).text
        assert "Đã gộp." in page
        assert f'value="{TWIN}"' not in page
    _, body = await document(made, f"household:{TWIN}")
    assert body["status"]["into"] == SIGNED_ULID


async def test_a_pair_told_apart_does_not_come_again(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        page = (await browser.send("/office/duplicates", {**FORM, "do": "apart"})).text
        assert f'name="one" value="{SIGNED_ULID}"><input' not in page
        assert f'name="other" value="{TWIN}"' not in page
        assert (await document(made, f"household:{TWIN}"))[1]["status"]["is"] == "resident"


async def test_what_is_settled_is_not_settled_again(made: Village) -> None:
    await twin(made)
    async with made.signed_in("reviewer") as browser:
        await browser.send("/office/duplicates", {**FORM, "keep": SIGNED_ULID, "do": "merge"})
        for form in ({"keep": TWIN, "do": "merge"}, {"do": "apart"}, {"other": SIGNED_ULID, "do": "apart"}):
            page = await browser.send("/office/duplicates", {**FORM, **form})
            assert "Cặp này đã được xử lý." in page.text
    assert (await document(made, f"household:{SIGNED_ULID}"))[1]["status"]["is"] == "resident"
