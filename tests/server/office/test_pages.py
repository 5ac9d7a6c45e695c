"""Who may see which page; what every page keeps to."""

import re
from datetime import timedelta

import pytest

from server.office import PAGES
from tests.server.office.season import BULLETIN, FAULTY, MODEL, UNIT, furnish, two_answer
from tests.server.office.village import FIVE, SIGNED_ULID, Village

ROLES = ("observer", "reviewer", "admin")
EVERYONE, STAFF, ADMIN = {"observer", "reviewer", "admin"}, {"reviewer", "admin"}, {"admin"}

RECORD = f"/office/households/nasam/{SIGNED_ULID}"
REVIEWED = f"/office/review/nasam/pledge:antq-2026:{SIGNED_ULID}"
UNIT_PAGE = f"/office/units/nasam/{UNIT}"
HISTORY = f"/office/history/nasam/pledge:antq-2026:{SIGNED_ULID}"
CHOICE = f"/office/choose/nasam/inspection:{FAULTY}"
TABLE = {
    "/office": EVERYONE,
    "/office/campaign": EVERYONE,
    "/office/campaign/new": ADMIN,
    "/office/campaign/antq-2026/edit": ADMIN,
    "/office/wordings/clauses": ADMIN,
    "/office/account": EVERYONE,
    "/office/account/second": ADMIN,
    "/office/households": STAFF,
    "/office/hamlets/nasam": STAFF,
    RECORD: STAFF,
    HISTORY: STAFF,
    CHOICE: STAFF,
    f"{RECORD}/edit": STAFF,
    f"{RECORD}/rights": ADMIN,
    "/office/review": STAFF,
    REVIEWED: STAFF,
    "/office/models": STAFF,
    "/office/models/new": STAFF,
    f"/office/models/{MODEL}": STAFF,
    f"/office/models/{MODEL}/edit": STAFF,
    "/office/units": STAFF,
    "/office/units/new": STAFF,
    UNIT_PAGE: STAFF,
    f"{UNIT_PAGE}/edit": STAFF,
    "/office/inspections": STAFF,
    f"/office/inspections/nasam/{FAULTY}": STAFF,
    "/office/checklists": STAFF,
    "/office/checklists/new": ADMIN,
    "/office/checklists/ban-thu": STAFF,
    "/office/checklists/ban-thu/edit": ADMIN,
    "/office/outreach": STAFF,
    "/office/bulletins": STAFF,
    "/office/bulletins/new": STAFF,
    f"/office/bulletins/{BULLETIN}/edit": STAFF,
    "/office/moves": ADMIN,
    "/office/duplicates": STAFF,
    "/office/quarantine": STAFF,
    "/office/bundles": STAFF,
    "/office/people": ADMIN,
    "/office/people/new": ADMIN,
    "/office/people/{volunteer}": ADMIN,
    "/office/recovery": ADMIN,
    "/office/import": ADMIN,
    "/office/audit": ADMIN,
}
POSTS = {
    "/office/audit": ADMIN,
    "/office/logout": EVERYONE,
    "/office/campaign/new": ADMIN,
    "/office/campaign/antq-2026/edit": ADMIN,
    "/office/wordings/clauses": ADMIN,
    "/office/account/password": EVERYONE,
    "/office/clock": ADMIN,
    "/office/restore/end": ADMIN,
    "/office/account/second": ADMIN,
    "/office/search": STAFF,
    "/office/review": STAFF,
    REVIEWED: STAFF,
    "/office/checklists/library": ADMIN,
    "/office/checklists/new": ADMIN,
    "/office/checklists/ban-thu/edit": ADMIN,
    "/office/models/new": STAFF,
    f"/office/models/{MODEL}/edit": STAFF,
    "/office/bulletins/new": STAFF,
    f"/office/bulletins/{BULLETIN}/edit": STAFF,
    "/office/units/new": STAFF,
    f"{UNIT_PAGE}/edit": STAFF,
    f"{UNIT_PAGE}/withdraw": STAFF,
    f"{RECORD}/edit": STAFF,
    f"{RECORD}/withdraw": STAFF,
    f"{RECORD}/rights/export": ADMIN,
    f"{RECORD}/rights/erase": ADMIN,
    f"/office/photos/nasam/{'0' * 64}/erase": ADMIN,
    HISTORY: STAFF,
    CHOICE: STAFF,
    "/office/moves": ADMIN,
    "/office/duplicates": STAFF,
    "/office/quarantine": STAFF,
    "/office/quarantine/nonumber": STAFF,
    "/office/bundles": STAFF,
    "/office/people/new": ADMIN,
    "/office/people/{volunteer}/invite": ADMIN,
    "/office/people/{volunteer}/link": ADMIN,
    "/office/people/{volunteer}/hamlets": ADMIN,
    "/office/people/{volunteer}/void": ADMIN,
    "/office/people/{volunteer}/revoke": ADMIN,
    "/office/people/{volunteer}/return": ADMIN,
    "/office/devices/nophone/revoke": ADMIN,
    "/office/devices/nophone/confirm": ADMIN,
    "/office/recovery/norequest": ADMIN,
    "/office/import": ADMIN,
    "/office/import/noupload": ADMIN,
    "/office/import/noupload/confirm": ADMIN,
    "/office/import/noupload/cancel": ADMIN,
}


@pytest.fixture
async def made(made: Village) -> Village:
    await furnish(made)
    await two_answer(made)
    return made


@pytest.mark.parametrize("role", ROLES)
async def test_each_page_opens_for_its_roles_and_for_no_other(made: Village, role: str) -> None:
    async with made.signed_in(role) as browser:
        found = {}
        for path in TABLE:
            answer = await browser.get(path.format(**made.people))
            found[path] = answer.status_code
    assert found == {path: 200 if role in roles else 403 for path, roles in TABLE.items()}


@pytest.mark.parametrize("role", ROLES)
async def test_each_form_is_refused_to_other_roles(made: Village, role: str) -> None:
    async with made.signed_in(role) as browser:
        for path, roles in POSTS.items():
            if role not in roles:
                assert (await browser.post(path.format(**made.people))).status_code == 403, path


async def test_the_tables_above_leave_no_page_out(made: Village) -> None:
    listed = {("GET", _pattern(path)) for path in TABLE} | {("POST", _pattern(path)) for path in POSTS}
    named = {(page.method, _pattern(page.path)) for page in PAGES if page.roles is not None} - {
        ("GET", "/office/people/*/invitation"),
        ("GET", "/office/import/*"),
        ("GET", "/office/quarantine/*"),
        ("GET", "/office/bundles/*"),  # of who handed in alone; see test_bundles.py
        ("GET", "/office/bundles/*/receipts"),
        ("GET", "/office/photos/*/*"),  # no page; see test_photos.py
    }
    assert named == listed


def _pattern(path: str) -> str:
    """An address with its names taken out: `/office/people/*`."""
    path = re.sub(r"\{\w+\}", "*", path)
    for name, kind in (
        (f"nasam/{SIGNED_ULID}", "*/*"),
        (f"nasam/{FAULTY}", "*/*"),
        (f"nasam/inspection:{FAULTY}", "*/*"),
        (f"nasam/{UNIT}", "*/*"),
        (f"nasam/{'0' * 64}", "*/*"),
        ("antq-2026/edit", "*/edit"),
        ("wordings/clauses", "wordings/*"),
        (MODEL, "*"),
        ("ban-thu", "*"),
        (BULLETIN, "*"),
        (f"nasam/pledge:antq-2026:{SIGNED_ULID}", "*/*"),
        ("hamlets/nasam", "hamlets/*"),
        ("nophone", "*"),
        ("norequest", "*"),
        ("nonumber", "*"),
        ("noupload", "*"),
    ):
        path = path.replace(name, kind)
    return path


async def test_who_is_not_signed_in_is_sent_to_the_login(made: Village) -> None:
    async with made.browser() as client:
        for path in TABLE:
            answer = await client.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/office/login"), path
        for path in POSTS:
            assert (await client.post(path)).status_code == 401, path


async def test_a_form_without_its_token_changes_nothing(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        for path in POSTS:
            for token in ({}, {"csrf": ""}, {"csrf": "guessed"}):
                answer = await browser.client.post(path.format(**made.people), data=token)
                assert answer.status_code == 403, path
        assert (await browser.get("/office")).status_code == 200, "still signed in"


async def test_a_form_from_another_site_is_refused(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        answer = await browser.post("/office/logout", headers={"Origin": "https://elsewhere.test"})
    assert answer.status_code == 403


async def test_no_page_has_a_script_or_a_style_of_its_own_and_the_policy_allows_none(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        for path in TABLE:
            answer = await browser.get(path.format(**made.people))
            assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.text), path
            policy = answer.headers["content-security-policy"]
            assert "script-src" not in policy, path
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert answer.headers["cache-control"] == "no-store", path


async def test_every_page_has_its_language_one_heading_and_its_landmarks(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        for lang in ("vi", "en"):
            await browser.post("/office/language", {"lang": lang, "back": "/office"})
            for path in TABLE:
                text = (await browser.get(path.format(**made.people))).text
                assert f'<html lang="{lang}">' in text, path
                assert text.count("<h1") == 1, path
                assert '<a class="skip" href="#main">' in text, path
                assert text.count("<main ") == text.count("<header ") == 1, path


async def test_the_language_goes_back_to_the_page_but_never_to_another_site(made: Village) -> None:
    async with made.signed_in("reviewer") as browser:
        for back, goes in (
            ("/office/households?show=open&page=2", "/office/households?show=open&page=2"),
            ("//elsewhere.test/office", "/office"),
            ("https://elsewhere.test/office", "/office"),
            ("/office/../join", "/office"),
            ("/office\r\nX: y", "/office"),
            ("/officeelse", "/office"),
        ):
            answer = await browser.post("/office/language", {"lang": "en", "back": back})
            assert answer.headers["location"] == goes
        answer = await browser.post("/office/language", {"lang": "xx", "back": "/office"})
        assert "camket_lang" not in answer.headers.get("set-cookie", "")


async def test_demo_stands_on_every_page_of_a_demo(
    made: Village, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.server.office.village import village

    async with made.signed_in("admin") as browser:
        assert 'class="demo"' not in (await browser.get("/office")).text
    async with village(tmp_path_factory.mktemp("demo"), demo=True) as demo:
        await furnish(demo)
        await two_answer(demo)
        async with demo.browser() as client:
            assert 'class="demo"' in (await client.get("/office/login")).text
        async with demo.signed_in("admin") as browser:
            for path in TABLE:
                assert 'class="demo"' in (await browser.get(path.format(**demo.people))).text, path


async def test_a_wrong_password_says_so_and_keeps_the_name(made: Village) -> None:
    async with made.browser() as client:
        answer = await client.post("/office/login", data={"login": "admin", "password": "not this one"})
    assert answer.status_code == 401
    assert 'value="admin"' in answer.text
    assert "không đúng" in answer.text
    assert "not this one" not in answer.text


async def test_signing_out_ends_the_session(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        after = await browser.send("/office/logout")
        assert "Đã đăng xuất." in after.text
        assert (await browser.client.get("/office")).status_code == 303


async def test_a_body_over_the_limit_is_refused(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        answer = await browser.post("/office/search", {"q": "x" * 2**21})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["units", "models", "campaign", "bulletins"])
async def test_a_form_that_is_opened_at_five_in_the_morning_offers_that_day(made: Village, path: str) -> None:
    made.now = FIVE
    async with made.signed_in("admin") as browser:
        assert 'value="02/03/2026"' in (await browser.get(f"/office/{path}/new")).text


async def test_a_wrong_clock_is_said_to_admins_on_every_page_and_to_whoever_watches(made: Village) -> None:
    async with made.signed_in("admin") as admin, made.signed_in("reviewer") as reviewer:
        assert (await made.browser().get("/healthz")).json() == {"status": "ok"}
        made.now -= timedelta(days=3)  # the battery is empty: earlier than what is stored
        assert (await made.browser().get("/healthz")).json() == {"status": "degraded", "reason": "clock"}
        assert "Đồng hồ máy chủ đang chỉ 26/02/2026" in (await admin.get("/office/people")).text
        assert "Đồng hồ máy chủ" not in (await reviewer.get("/office/review")).text
        page = (await admin.get("/office/people")).text
        assert "Giờ này đúng" in page
        assert (await reviewer.post("/office/clock", {})).status_code == 403
        asked = (await admin.send("/office/clock", {})).text
        assert "Chưa ghi nhận" in asked, "asked once more before it is done"
        assert "Giờ này đúng" in asked
        assert (await admin.post("/office/clock", {"sure": "1"})).status_code == 303
        assert "Đồng hồ máy chủ" not in (await admin.get("/office/people")).text
        assert (await made.browser().get("/healthz")).json() == {"status": "ok"}
        assert "Xác nhận đồng hồ của máy chủ đúng" in (await admin.get("/office/audit")).text
        made.now -= timedelta(days=1)  # it is empty again
        assert (await made.browser().get("/healthz")).json() == {"status": "degraded", "reason": "clock"}
