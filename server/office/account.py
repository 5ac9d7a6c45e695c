"""One's own account: another password, and for admins the second factor."""

import hmac
import re
from typing import Any

from anyio import to_thread
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.auth import limits, sessions, totp, users
from server.auth.errors import PasswordTooShort, SignInRefused
from server.auth.grant import Role
from server.office.desk import Desk, commune_name
from server.office.people import qr

_SECRET = re.compile(r"[A-Z2-7]{32}")


async def show(desk: Desk) -> Response:
    """The account, and what can be done with it."""
    return await _page(desk, {})


async def change_password(desk: Desk) -> Response:
    """A new password, proved by the old one; every session ends and this one begins anew."""
    new, again = str(desk.form.get("password", "")), str(desk.form.get("again", ""))
    if not hmac.compare_digest(new.encode(), again.encode()):
        return await _page(desk, {"again": "office.first.differ"})
    try:
        await _prove(desk)
        cookie = await desk.write(lambda rows: _new_password(rows, desk, new))
    except SignInRefused:
        return await _page(desk, {"old": "office.account.wrong_password"})
    except PasswordTooShort:
        return await _page(desk, {"password": "office.first.short"})
    response = desk.to("/office/account", "office.flash.password_changed")
    sessions.set_cookie(response, cookie, https=desk.parts.settings.https)
    return response


async def begin_second(desk: Desk) -> Response:
    """A secret to scan; it counts once a code from it is typed back."""
    return await _secret_page(desk, totp.new_secret(), {})


async def enable_second(desk: Desk) -> Response:
    """Switch the second factor on; the recovery codes are on this answer and nowhere else.

    No redirect here: what is shown once must not lie in a cookie or a row in between.
    """
    secret, code = desk.text("secret", 64), desk.text("code", 12)
    if not _SECRET.fullmatch(secret):
        return await _secret_page(desk, totp.new_secret(), {"code": "office.account.wrong_code"})

    def work(rows: Connection) -> list[str]:
        return totp.enable(rows, desk.parts.vault, desk.user, secret=secret, code=code, now=desk.now)

    try:
        await _prove(desk)
    except SignInRefused:
        return await _secret_page(desk, secret, {"old": "office.account.wrong_password"})
    try:
        codes = await desk.write(work)
    except SignInRefused:
        return await _secret_page(desk, secret, {"code": "office.account.wrong_code"})
    return await desk.render("recovery_codes.html", codes=codes)


def _new_password(rows: Connection, desk: Desk, new: str) -> str:
    users.set_password(rows, desk.user, new, by=desk.user, now=desk.now)
    return sessions.start(rows, desk.user, desk.now)


async def _prove(desk: Desk) -> None:
    """Whoever found an open browser must not take the account over. Raises `SignInRefused`."""
    password = str(desk.form.get("old", ""))
    person = await desk.read(lambda rows: users.find(rows, desk.user))

    def work() -> None:
        keys = {limits.PASSWORD_BY_USER: person.id}
        with (
            limits.counted(desk.parts.rows, keys, desk.now, (SignInRefused,)),
            desk.parts.rows.begin() as rows,
        ):
            users.by_password(rows, person.login or "", password)

    await to_thread.run_sync(work)


async def _page(desk: Desk, errors: dict[str, str]) -> Response:
    person = await desk.read(lambda rows: users.find(rows, desk.user))
    return await desk.render(
        "account.html",
        "",
        422 if errors else 200,
        person=person,
        may_second=person.role is Role.ADMIN,
        least=users.LEAST_PASSWORD,
        errors=errors,
    )


async def _secret_page(desk: Desk, secret: str, errors: dict[str, str]) -> Response:
    def work(rows: Connection) -> dict[str, Any]:
        person = users.find(rows, desk.user)
        if person.has_second_factor:  # switching it off takes the machine: `camket user admin-link`
            raise HTTPException(404)
        address = totp.address(secret, person.login or "", commune_name(rows) or "Camket")
        return {"login": person.login, "qr": qr(address, desk.words.say("office.account.qr"))}

    status = 422 if errors else 200
    return await desk.render("second.html", "", status, secret=secret, errors=errors, **await desk.read(work))
