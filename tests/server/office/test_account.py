"""One's own password, and the second factor of an admin."""

import re

import pyotp

from tests.server.office.village import PASSWORD, Browser, Village

NEW = "một câu khác dễ nhớ hơn"


async def secret_of(browser: Browser) -> str:
    page = await browser.get("/office/account/second")
    found = re.search(r'name="secret" value="(\w+)"', page.text)
    assert found
    return found[1]


async def test_a_new_password_ends_other_sessions_and_keeps_this_one(made: Village) -> None:
    async with made.signed_in("reviewer") as browser, made.signed_in("reviewer") as elsewhere:
        page = await browser.send(
            "/office/account/password", {"old": PASSWORD, "password": NEW, "again": NEW}
        )
        assert "Đã đổi mật khẩu." in page.text
        assert (await elsewhere.client.get("/office")).status_code == 303
    async with made.browser() as client:
        for password, status in ((PASSWORD, 401), (NEW, 303)):
            answer = await client.post("/office/login", data={"login": "reviewer", "password": password})
            assert answer.status_code == status


async def test_a_password_is_not_changed_without_the_old_one(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        for form, field in (
            ({"old": "x", "password": NEW, "again": NEW}, "old"),
            ({"old": PASSWORD, "password": NEW, "again": NEW + "x"}, "again"),
            ({"old": PASSWORD, "password": "short", "again": "short"}, "password"),
        ):
            answer = await browser.post("/office/account/password", form)
            assert answer.status_code == 422
            assert f'id="e-{field}"' in answer.text
            assert NEW not in answer.text
    async with made.signed_in("reviewer"):
        pass


async def test_an_admin_switches_the_second_factor_on_and_signs_in_with_it(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        secret = await secret_of(browser)
        code = pyotp.TOTP(secret).at(made.now)
        for form, field in (
            ({"code": "000000" if code != "000000" else "111111", "old": PASSWORD}, "code"),
            ({"code": code, "old": "x"}, "old"),
        ):
            answer = await browser.post("/office/account/second", {"secret": secret, **form})
            assert answer.status_code == 422
            assert f'id="e-{field}"' in answer.text
        answer = await browser.post("/office/account/second", {"secret": "!", "code": code, "old": PASSWORD})
        assert answer.status_code == 422
        done = await browser.post("/office/account/second", {"secret": secret, "code": code, "old": PASSWORD})
        codes = re.findall(r'<span class="code">([0-9A-Z]{5}-[0-9A-Z]{5})<', done.text)
        assert (done.status_code, len(codes)) == (200, 10)
        assert (await browser.get("/office/account/second")).status_code == 404, "it is on"
    async with made.browser() as client:
        asked = await client.post("/office/login", data={"login": "admin", "password": PASSWORD})
        assert asked.status_code == 401
        assert "Hãy nhập mã xác thực" in asked.text
        form = {"login": "admin", "password": PASSWORD, "code": codes[0]}
        assert (await client.post("/office/login", data=form)).status_code == 303
    async with made.browser() as client:
        assert (await client.post("/office/login", data=form)).status_code == 401, "a code works once"


async def test_guesses_from_elsewhere_do_not_shut_out_a_browser_that_signed_in_before(
    made: Village,
) -> None:
    right = {"login": "reviewer", "password": PASSWORD}
    async with made.signed_in("reviewer") as own, made.browser() as other:
        for _ in range(10):
            assert (await other.post("/office/login", data={**right, "password": "guess"})).status_code == 401
        assert (await other.post("/office/login", data=right)).status_code == 429
        await own.send("/office/logout")
        assert (await own.client.post("/office/login", data=right)).status_code == 303
