"""Everything that can go wrong in sight of a person or a phone: THE one table.

Code below raises where it knows; this table alone says which status, which error name and which sentence
(a key of `server/words/`) that is. Addresses under `/office` answer with a page, all others with CouchDB's
`{"error": …, "reason": …}`. The engine renders its own errors under `/db` (`sync/errors.py`).
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import blobs, moving, pictures
from server.auth import errors as auth
from server.scribe import NotTaken
from server.words import Words, words_of
from sync import errors as peer
from sync.store import interface as store

log = logging.getLogger("camket")


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the table. `error` is the name on the wire, `problem.<error>` or `key` the sentence's key."""

    status: int
    error: str
    key: str = ""

    def reason(self, words: Words, **values: object) -> str:
        """The sentence: what happened, and what to do."""
        return words.say(self.key or f"problem.{self.error}", **values)


class BadRequest(Exception):
    """A request that cannot be read. `key` names the sentence."""

    def __init__(self, key: str = "problem.bad_request", **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class TooLarge(Exception):
    """A body over the limit, as sent or once unpacked. `limit` in MiB."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class WrongType(Exception):
    """A body of a kind that this address does not take."""


TABLE: dict[type[Exception], Problem] = {
    BadRequest: Problem(400, "bad_request"),
    peer.Unauthorized: Problem(401, "unauthorized"),
    peer.Forbidden: Problem(403, "forbidden", "problem.send_only"),
    auth.SignInNeeded: Problem(401, "sign_in"),
    auth.SignInRefused: Problem(401, "sign_in_refused"),
    auth.CodeNeeded: Problem(401, "code_needed"),
    auth.FormStale: Problem(403, "form_stale"),
    auth.RoleMissing: Problem(403, "forbidden", "problem.role_missing"),
    auth.PersonUnknown: Problem(404, "not_found", "problem.person_unknown"),
    auth.PersonExists: Problem(409, "conflict", "problem.person_exists"),
    auth.PasswordTooShort: Problem(400, "bad_request", "problem.password_short"),
    auth.DeviceUnknown: Problem(404, "not_found", "problem.device_unknown"),
    auth.RecoveryUnknown: Problem(404, "not_found", "problem.recovery_unknown"),
    auth.InvitationUnknown: Problem(404, "not_found", "problem.invitation_unknown"),
    auth.InvitationGone: Problem(410, "gone", "problem.invitation_gone"),
    TooLarge: Problem(413, "too_large"),
    WrongType: Problem(415, "bad_content_type"),
    auth.TooManyAttempts: Problem(429, "too_many_requests"),
    peer.TooManyRequests: Problem(429, "too_many_requests", "problem.too_fast"),
    NotTaken: Problem(422, "not_taken"),
    pictures.NotAPicture: Problem(422, "not_a_picture", "problem.photo_unreadable"),
    pictures.TellsMore: Problem(422, "has_metadata", "problem.photo_tells_more"),
    pictures.WrongSize: Problem(422, "wrong_size", "problem.photo_wrong_size"),
    blobs.WrongDigest: Problem(422, "wrong_digest", "problem.photo_wrong_digest"),
    blobs.OffsetAhead: Problem(409, "conflict", "problem.photo_gap"),
    moving.NoMove: Problem(409, "conflict", "problem.no_move"),
    blobs.PhotoUnknown: Problem(404, "not_found", "problem.photo_unknown"),
    blobs.PhotoTooLarge: Problem(413, "too_large", "problem.photo_too_large"),
    blobs.HamletNotHeld: Problem(403, "forbidden", "rule.wrong_hamlet"),
    store.DatabaseMissing: Problem(404, "not_found"),
    store.StoreFull: Problem(507, "insufficient_storage", "problem.disk_full"),
}

HTTP = {
    400: Problem(400, "bad_request"),
    404: Problem(404, "not_found"),
    405: Problem(405, "method_not_allowed"),
}
"""What Starlette's router and form parser raise."""

FORM_FROM_ELSEWHERE = Problem(403, "forbidden", "problem.form_elsewhere")
UNEXPECTED = Problem(500, "internal_error")

Handler = Callable[[Request, Exception], Response]


def handlers() -> dict[int | type[Exception], Handler]:
    """The table as Starlette wants it."""
    found: dict[int | type[Exception], Handler] = {HTTPException: _http}
    found.update(dict.fromkeys(TABLE, _known))
    return found


def problem_of(error: Exception) -> Problem:
    """The row for an exception, its base classes' included; unknown ones are unexpected."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), UNEXPECTED)


def render(request: Request, problem: Problem, **values: object) -> Response:
    """A problem as its reader can take it: a page in the office, JSON elsewhere."""
    words = words_of(request)
    reason = problem.reason(words, **values)
    headers = {"Retry-After": str(values["retry_after"])} if "retry_after" in values else None
    if not request.url.path.startswith("/office"):
        body = {"error": problem.error, "reason": reason}
        return JSONResponse(body, problem.status, headers)
    return HTMLResponse(_page(words, reason), problem.status, headers)


def said(error: Exception) -> tuple[Problem, dict[str, object]]:
    """The row for an exception, and what its sentence fills in: the exception's own attributes."""
    if isinstance(error, BadRequest):
        return Problem(400, "bad_request", error.key), error.values
    if isinstance(error, NotTaken):
        return TABLE[NotTaken], {"reason": error.refused[0].reason}
    return problem_of(error), vars(error)


def _known(request: Request, error: Exception) -> Response:
    page = request.url.path.startswith("/office")
    if isinstance(error, auth.SignInNeeded) and page and request.method == "GET":
        return RedirectResponse("/office/login", 303)
    problem, values = said(error)
    return render(request, problem, **values)


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = render(request, HTTP.get(status, UNEXPECTED if status >= 500 else HTTP[400]), number="")
    response.status_code = status
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


class Cut(Exception):
    """An answer that broke off after its first bytes; what happened is in the log under this number."""


class Caught:
    """The last net: whatever no row of the table knows becomes a 500 with a number, and a line in the log.

    Starlette's own net hands the exception on to uvicorn, which would log its text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            # A weak link broke the request off: nothing went wrong here, and nobody is there to read more.
            if not started:
                await Response(status_code=400)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the last net
            number = note(error)
            if started or scope["type"] != "http":
                raise Cut(number) from None
            await render(Request(scope), UNEXPECTED, number=number)(scope, receive, send)


def note(error: BaseException) -> str:
    """Log an unexpected error and give the number under which it is found.

    Frames and type only: an exception's own text may quote what somebody wrote.
    """
    number = secrets.token_hex(4)
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("unexpected %s, number %s\n%s", type(error).__name__, number, frames)
    return number


def _page(words: Words, reason: str) -> str:
    # Plain, and without the office's templates: it must appear when those are what failed.
    title, back = words.say("problem.title"), words.say("problem.back")
    return (
        f'<!doctype html><html lang="{words.lang}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title} · Camket</title><main><h1>{title}</h1><p>{escape(reason)}</p>"
        f'<p><a href="/office">{back}</a></p></main></html>'
    )
