"""Signing in and out, the first password, the language."""

from functools import partial

from anyio import to_thread
from starlette.responses import Response

from server.auth import browsers, invitations, sessions, users
from server.auth.errors import CodeNeeded, PasswordTooShort, SignInRefused, TooManyAttempts
from server.office.desk import Desk, own_address
from server.parts import client_of
from server.problems import problem_of
from server.words import COOKIE, LANGUAGES

A_YEAR = 365 * 24 * 3600


async def show(desk: Desk) -> Response:
    """The form; whoever is signed in already is sent on."""
    if desk.session:
        return desk.to("/office")
    return await desk.render("login.html", login="", wrong="")


async def enter(desk: Desk) -> Response:
    """Sign in, with the code of the second factor where the account has one."""
    login, password, code = desk.text("login", 80), str(desk.form.get("password", "")), desk.text("code", 40)
    sign_in = partial(
        sessions.sign_in,
        desk.parts.rows,
        desk.parts.vault,
        login,
        password,
        code=code,
        address=client_of(desk.request),
        now=desk.now,
        browser=browsers.known(desk.parts.vault, desk.request.cookies.get(browsers.COOKIE), login, desk.now),
    )
    try:
        _person, cookie = await to_thread.run_sync(sign_in)
    except TooManyAttempts as error:
        wrong = desk.words.say("problem.too_many_requests", retry_after=error.retry_after)
        return await desk.render("login.html", status=429, login=login, wrong=wrong)
    except (SignInRefused, CodeNeeded) as error:
        wrong = problem_of(error).reason(desk.words)
        return await desk.render("login.html", status=401, login=login, wrong=wrong)
    response = desk.to("/office")
    sessions.set_cookie(response, cookie, https=desk.parts.settings.https)
    _remember(desk, response, login)
    return response


async def leave(desk: Desk) -> Response:
    """Sign out."""
    await desk.write(lambda rows: sessions.sign_out(rows, desk.signed_in))
    response = desk.to("/office/login", "office.flash.signed_out")
    sessions.drop_cookie(response, https=desk.parts.settings.https)
    return response


async def show_first(desk: Desk) -> Response:
    """The one-time link at which a member of staff sets a password."""
    return await _first_form(desk, desk.request.query_params.get("token", ""), {})


async def set_first(desk: Desk) -> Response:
    """Spend the link: set the password, and go on to sign in with it."""
    token, password = desk.text("token", 200), str(desk.form.get("password", ""))
    if password != desk.form.get("again"):
        return await _first_form(desk, token, {"again": "office.first.differ"})
    try:
        person = await desk.write(lambda rows: invitations.first_password(rows, token, password, desk.now))
    except PasswordTooShort:
        return await _first_form(desk, token, {"password": "office.first.short"})
    response = desk.to("/office/login", "office.flash.password_set")
    _remember(desk, response, person.login or "")
    return response


async def choose_language(desk: Desk) -> Response:
    """From now on this browser's pages are in the other language."""
    lang = desk.text("lang")
    response = desk.to(own_address(desk.text("back")))
    if lang in LANGUAGES:
        response.set_cookie(COOKIE, lang, A_YEAR, samesite="lax", secure=desk.parts.settings.https)
    return response


def _remember(desk: Desk, response: Response, login: str) -> None:
    """From now on this browser is one of this login's own."""
    kept = browsers.mark(desk.parts.vault, login, desk.now)
    browsers.set_cookie(response, kept, https=desk.parts.settings.https)


async def _first_form(desk: Desk, token: str, errors: dict[str, str]) -> Response:
    person = await desk.read(lambda rows: invitations.holder(rows, token, desk.now))
    status = 422 if errors else 200
    least = users.LEAST_PASSWORD
    return await desk.render(
        "first.html", status=status, person=person, token=token, least=least, errors=errors
    )
