"""Staff: passwords, second factors, sessions, forms."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from server.auth import browsers, first, limits, sessions, totp, users
from server.auth.errors import (
    CodeNeeded,
    FormStale,
    PasswordTooShort,
    PersonExists,
    PersonUnknown,
    SignInNeeded,
    SignInRefused,
    TooManyAttempts,
)
from server.auth.grant import Role
from server.auth.users import Person
from server.keys import Vault
from tests.server.auth.conftest import PASSWORD, Hands

ADDRESS = "192.0.2.7"


@pytest.fixture
def office(engine: Engine, vault: Vault, clock: Hands) -> "Office":
    return Office(engine, vault, clock)


class Office:
    """Whoever sits at the login page."""

    def __init__(self, engine: Engine, vault: Vault, clock: Hands) -> None:
        self.engine, self.vault, self.clock = engine, vault, clock

    def sign_in(
        self,
        login: str = "cuong",
        password: str = PASSWORD,
        code: str = "",
        address: str = ADDRESS,
        browser: str | None = None,
    ) -> str:
        how = {"code": code, "address": address, "browser": browser}
        return sessions.sign_in(self.engine, self.vault, login, password, now=self.clock(), **how)[1]  # type: ignore[arg-type]

    def find(self, cookie: str | None) -> sessions.Session:
        with self.engine.begin() as rows:
            return sessions.find(rows, cookie, self.clock())


def test_signing_in_starts_a_session(office: Office, admin: Person) -> None:
    session = office.find(office.sign_in(" CUONG "))
    assert (session.grant.user, session.role, session.grant.device) == (admin.id, Role.ADMIN, None)


def test_composed_and_decomposed_vietnamese_is_one_password(office: Office, admin: Person) -> None:
    import unicodedata

    office.sign_in(password=unicodedata.normalize("NFD", PASSWORD))


@pytest.mark.parametrize(
    ("login", "password"),
    [("cuong", "wrong"), ("nobody", PASSWORD), ("", ""), ("cuong", ""), ("cuong", PASSWORD + "x" * 5000)],
)
def test_what_does_not_fit_is_refused_in_one_way(
    office: Office, admin: Person, login: str, password: str
) -> None:
    with pytest.raises(SignInRefused):
        office.sign_in(login, password)


def test_an_account_without_a_password_cannot_sign_in(
    office: Office, engine: Engine, volunteer: Person
) -> None:
    for password in ("", "nobody has this password"):
        with pytest.raises(SignInRefused):
            office.sign_in(volunteer.id, password)


def test_ten_wrong_passwords_stop_guessing_at_a_name(office: Office, admin: Person, clock: Hands) -> None:
    for turn in range(limits.LOGIN_BY_NAME.failures):
        with pytest.raises(SignInRefused):
            office.sign_in(password="guess", address=f"192.0.2.{turn}")
    with pytest.raises(TooManyAttempts):
        office.sign_in()
    clock.move(minutes=15)
    office.sign_in()


def test_guessing_from_elsewhere_does_not_keep_a_person_out_of_the_own_browser(
    office: Office, admin: Person, clock: Hands
) -> None:
    kept = browsers.mark(office.vault, " CUONG ", clock())
    for turn in range(limits.LOGIN_BY_NAME.failures):
        with pytest.raises(SignInRefused):
            office.sign_in(password="guess", address=f"192.0.2.{turn}")
    with pytest.raises(TooManyAttempts):
        office.sign_in()
    own = browsers.known(office.vault, kept, "cuong", clock())
    office.sign_in(browser=own)
    for _ in range(limits.LOGIN_BY_BROWSER.failures):
        with pytest.raises(SignInRefused):
            office.sign_in(password="guess", browser=own)
    with pytest.raises(TooManyAttempts):
        office.sign_in(browser=own)


def test_a_browser_is_known_to_one_login_for_half_a_year_and_cannot_be_made_up(
    vault: Vault, clock: Hands
) -> None:
    kept = browsers.mark(vault, "cuong", clock())
    assert browsers.known(vault, kept, "CUONG", clock())
    assert browsers.known(vault, kept, "lan", clock()) is None
    for made_up in (None, "", "x", kept[:-4], f"A{kept[1:]}", "é"):
        assert browsers.known(vault, made_up, "cuong", clock()) is None
    assert browsers.known(vault, kept, "cuong", clock() + browsers.LASTS) is None


def test_thirty_wrong_passwords_stop_an_address(office: Office, admin: Person) -> None:
    for turn in range(limits.LOGIN_BY_ADDRESS.failures):
        with pytest.raises(SignInRefused):
            office.sign_in(f"name{turn}", "guess")
    with pytest.raises(TooManyAttempts):
        office.sign_in()
    office.sign_in(address="192.0.2.8")


@pytest.mark.parametrize(
    ("steps", "works"),
    [
        ([timedelta(minutes=59)], True),
        ([timedelta(minutes=60)], False),
        ([timedelta(minutes=50)] * 14, True),
        ([timedelta(minutes=50)] * 15, False),
    ],
    ids=["used within the hour", "idle for an hour", "a long day", "longer than a day's work"],
)
def test_a_session_ends(
    office: Office, admin: Person, clock: Hands, steps: list[timedelta], works: bool
) -> None:
    cookie = office.sign_in()
    for step in steps[:-1]:
        clock.at += step
        with office.engine.begin() as rows:
            sessions.note(rows, sessions.find(rows, cookie, clock()), clock())
    clock.at += steps[-1]
    if works:
        office.find(cookie)
    else:
        with pytest.raises(SignInNeeded):
            office.find(cookie)


def test_signing_out_a_new_password_and_revoking_end_sessions(office: Office, admin: Person) -> None:
    def end_by_leaving(rows: Connection, cookie: str) -> None:
        sessions.sign_out(rows, sessions.find(rows, cookie, office.clock()))

    def end_by_password(rows: Connection, cookie: str) -> None:
        users.set_password(rows, admin.id, PASSWORD, by=admin.id, now=office.clock())

    def end_by_revoking(rows: Connection, cookie: str) -> None:
        users.revoke(rows, admin.id, by="console", now=office.clock())

    for ending in (end_by_leaving, end_by_password, end_by_revoking):
        cookie = office.sign_in()
        with office.engine.begin() as rows:
            ending(rows, cookie)
        with pytest.raises(SignInNeeded):
            office.find(cookie)
    with pytest.raises(SignInRefused):
        office.sign_in()


@pytest.mark.parametrize("cookie", [None, "", "guess"])
def test_without_a_session_there_is_no_page(office: Office, cookie: str | None) -> None:
    with pytest.raises(SignInNeeded):
        office.find(cookie)


def test_a_form_carries_its_own_sessions_token(office: Office, admin: Person) -> None:
    mine, other = office.find(office.sign_in()), office.find(office.sign_in())
    sessions.check_form(mine, mine.csrf)
    for token in (other.csrf, "", None, mine.csrf + "x", "đ"):
        with pytest.raises(FormStale):
            sessions.check_form(mine, token)


@pytest.mark.parametrize(("https", "secure"), [(True, True), (False, False)])
def test_the_cookie_is_out_of_reach_of_scripts(https: bool, secure: bool) -> None:
    response = Response()
    sessions.set_cookie(response, "value", https=https)
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith("camket_session=value")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert ("secure" in cookie) is secure


def enabled(office: Office, admin: Person) -> tuple[pyotp.TOTP, list[str]]:
    secret = totp.new_secret()
    device = pyotp.TOTP(secret)
    with office.engine.begin() as rows:
        code = device.at(office.clock())
        return device, totp.enable(rows, office.vault, admin.id, secret=secret, code=code, now=office.clock())


def test_a_second_factor_is_asked_for_and_taken_once(office: Office, admin: Person, clock: Hands) -> None:
    device, _ = enabled(office, admin)
    with pytest.raises(SignInRefused):
        office.sign_in(code=device.at(clock()))  # the one that switched it on
    clock.move(seconds=30)
    with pytest.raises(CodeNeeded):
        office.sign_in()
    office.sign_in(code=device.at(clock()))
    with pytest.raises(SignInRefused):
        office.sign_in(code=device.at(clock()))


@pytest.mark.parametrize(("late", "works"), [(30, True), (-30, True), (90, False), (-90, False)])
def test_a_second_factor_forgives_a_clock_that_is_half_a_minute_off(
    office: Office, admin: Person, clock: Hands, late: int, works: bool
) -> None:
    device, _ = enabled(office, admin)
    clock.move(hours=1)
    code = device.at(clock() - timedelta(seconds=late))
    if works:
        office.sign_in(code=code)
    else:
        with pytest.raises(SignInRefused):
            office.sign_in(code=code)


def test_each_recovery_code_works_once(office: Office, admin: Person) -> None:
    _, codes = enabled(office, admin)
    assert len(set(codes)) == 10
    office.sign_in(code=codes[0].lower())
    with pytest.raises(SignInRefused):
        office.sign_in(code=codes[0])
    office.sign_in(code=codes[1])
    with office.engine.begin() as rows:
        fresh = totp.new_recovery_codes(rows, admin.id)
    with pytest.raises(SignInRefused):
        office.sign_in(code=codes[2])
    office.sign_in(code=fresh[0])


def test_a_first_code_that_does_not_fit_switches_nothing_on(office: Office, admin: Person) -> None:
    with office.engine.begin() as rows, pytest.raises(SignInRefused):
        totp.enable(
            rows, office.vault, admin.id, secret=totp.new_secret(), code="000000x", now=office.clock()
        )
    office.sign_in()


def test_the_secret_of_a_second_factor_is_not_readable_in_the_rows(office: Office, admin: Person) -> None:
    device, codes = enabled(office, admin)
    with office.engine.begin() as rows:
        stored = repr(rows.exec_driver_sql("SELECT * FROM users").all())
        stored += repr(rows.exec_driver_sql("SELECT * FROM recovery_code").all())
    assert device.secret not in stored
    assert PASSWORD not in stored
    assert codes[0] not in stored
    assert "$argon2id$" in stored


def test_the_console_lets_a_locked_out_admin_back_in(office: Office, admin: Person) -> None:
    enabled(office, admin)
    with office.engine.begin() as rows:
        assert first.is_open(rows)
        link = first.way_in(rows, "cuong", "https://x.vn", office.clock())
    assert link.startswith("https://x.vn/office/first?token=")
    office.sign_in()  # the second factor is off; the password stands until the link is used


def test_the_first_start_makes_one_admin(rows: Connection, clock: Hands) -> None:
    assert not first.is_open(rows)
    for _ in range(2):
        first.way_in(rows, None, "http://x", clock())
    assert [(one.login, one.role) for one in first.admins(rows)] == [("admin", Role.ADMIN)]


@pytest.mark.parametrize("password", ["", "ngắn", "x" * 11, "x" * 257])
def test_passwords_have_a_least_length(
    rows: Connection, clock: Hands, volunteer: Person, password: str
) -> None:
    with pytest.raises(PasswordTooShort):
        users.set_password(rows, volunteer.id, password, by="console", now=clock())


def test_a_login_name_belongs_to_one(rows: Connection, clock: Hands, admin: Person) -> None:
    with pytest.raises(PersonExists):
        users.add(rows, "Another", Role.REVIEWER, by="console", now=clock(), login="CUONG")


def test_nobody_is_changed_who_is_not_there(rows: Connection, clock: Hands) -> None:
    for change in (users.revoke, users.restore):
        with pytest.raises(PersonUnknown):
            change(rows, "nobody", by="console", now=clock())
    with pytest.raises(PersonUnknown):
        users.change(rows, "nobody", name="x", role=Role.ADMIN, by="console", now=clock())


def test_names_are_composed_and_tidy(rows: Connection, clock: Hands) -> None:
    import unicodedata

    typed = unicodedata.normalize("NFD", "  Nguyễn   Thị\tÁnh ")
    made = users.add(rows, typed, Role.VOLUNTEER, by="console", now=clock())
    assert made.name == "Nguyễn Thị Ánh"
    users.change(rows, made.id, name="Nguyễn Thị Bé", role=Role.HAMLET_HEAD, by="console", now=clock())
    assert users.find(rows, made.id).role is Role.HAMLET_HEAD
    assert [one.name for one in users.everyone(rows)] == ["Nguyễn Thị Bé"]
