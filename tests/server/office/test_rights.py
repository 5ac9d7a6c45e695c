"""What is held about a household, at the office: given out, and erased once the word is typed."""

from tests.server.office.village import SIGNED_ULID, Village

RIGHTS = f"/office/households/nasam/{SIGNED_ULID}/rights"


async def test_all_of_it_is_given_out_as_a_file(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = (await browser.get(RIGHTS)).text
        assert "20 ngày" in page
        answer = await browser.post(f"{RIGHTS}/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert {one["id"].partition(":")[0] for one in answer.json()["revisions"]} == {
        "household",
        "pledge",
        "signature",
    }
    assert "Vi Thị Dũng" in str(answer.json())


async def test_a_household_is_erased_only_once_the_word_is_typed(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        await browser.get(RIGHTS)
        refused = await browser.post(f"{RIGHTS}/erase", {"word": "xoa"})
        assert refused.status_code == 422
        assert (await browser.get(RIGHTS)).status_code == 200
        page = await browser.send(f"{RIGHTS}/erase", {"word": "xóa"})
        assert "Đã xóa vĩnh viễn một hộ." in page.text
        assert (await browser.get(RIGHTS)).status_code == 404
