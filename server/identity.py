"""The phones' own addresses outside of `/db`: joining, and getting back in after a forgotten PIN."""

from typing import Any

from anyio import to_thread
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server import keys, recovery
from server.auth import invitations, users
from server.auth.devices import LONGEST_NAME, Before, Issued
from server.auth.grant import Grant
from server.auth.users import Person
from server.body import read_object, text_field
from server.clock import milliseconds
from server.parts import Parts, client_of, parts_of, read_rows, write_rows
from server.problems import BadRequest
from server.rows import tables
from server.rows.engine import table
from server.sealing import NotOpened, b64url, from_b64url
from server.words import words_of
from sync.errors import Unauthorized

MOST_ACCOUNTS = 20
"""Of one phone."""

_meta = table(tables.Meta)


async def join(request: Request) -> Response:
    """Redeem an invitation. The code travels in the body: bodies are in no log."""
    asked = await read_object(request)
    code, name = text_field(asked, "code", 40), text_field(asked, "device_name", LONGEST_NAME)
    parts, before = parts_of(request), _before(asked)
    person, issued = await to_thread.run_sync(
        lambda: invitations.redeem(parts.rows, code, name, client_of(request), parts.clock(), before)
    )
    # A clock that is wrong gives no offset: a phone that took it for the time would date all its work by it.
    now = milliseconds(parts.clock())
    clock = {"clock": now} if await parts.intake.clock_is_sane(now) else {}
    told = await write_rows(request, lambda rows: _joined(rows, parts, person, issued))
    return JSONResponse(told | clock)


async def ask_recovery(request: Request) -> Response:
    """A phone asks for its data key back."""
    grant, asked = await _phone(request), await read_object(request)
    wrapped, reply_key = (_bytes_field(asked, name) for name in ("wrapped", "reply_key"))
    now = parts_of(request).clock()

    def work(rows: Connection) -> str:
        return recovery.ask(rows, grant.device or "", wrapped=wrapped, reply_key=reply_key, now=now)

    try:
        return JSONResponse({"id": await write_rows(request, work)})
    except ValueError as error:
        raise BadRequest("problem.bad_field", field="reply_key") from error


async def tell_recovery(request: Request) -> Response:
    """What became of it."""
    grant, wanted = await _phone(request), request.path_params["id"]
    state, answer = await read_rows(request, lambda rows: recovery.state(rows, grant.device or "", wanted))
    return JSONResponse({"state": state} | ({"wrapped": b64url(answer)} if answer else {}))


ROUTES = [
    Route("/join", join, methods=["POST"]),
    Route("/recovery", ask_recovery, methods=["POST"]),
    Route("/recovery/{id}", tell_recovery, methods=["GET"]),
]


def commune_name(connection: Connection) -> str:
    """The commune's name, empty until somebody set it."""
    return connection.execute(select(_meta.c.value).where(_meta.c.key == "commune")).scalar() or ""


def _joined(rows: Connection, parts: Parts, person: Person, issued: Issued) -> dict[str, Any]:
    now = parts.clock()
    grant = Grant(person.id, person.name, person.role, users.reach(rows, person.id, person.role))
    return {
        "device": issued.device,
        "user": {"id": person.id, "name": person.name, "role": person.role},
        "credential": issued.credential,
        "send": issued.send,
        "seal_key": keys.current(rows, parts.vault, "seal", now).tell(),
        "recovery_key": keys.current(rows, parts.vault, "recovery", now).tell(),
        "dbs": grant.databases,
        "commune": commune_name(rows),
        "demo": parts.settings.demo,
    }


def _before(asked: dict[str, Any]) -> list[Before]:
    """The accounts that the phone has, and of which this server knew nothing when it was asked."""
    said = asked.get("before", [])
    accounts = isinstance(said, list) and all(isinstance(one, dict) for one in said)
    if not accounts or len(said) > MOST_ACCOUNTS:
        raise BadRequest("problem.bad_field", field="before")
    return [Before(*(text_field(one, name, 200) for name in ("send", "user", "name"))) for one in said]


async def _phone(request: Request) -> Grant:
    grant = await parts_of(request).bearer.hear(request)
    if not grant.live:
        raise Unauthorized(words_of(request).say("problem.unauthorized"))
    return grant


def _bytes_field(asked: dict[str, Any], name: str) -> bytes:
    try:
        return from_b64url(text_field(asked, name, recovery.LONGEST))
    except NotOpened as error:
        raise BadRequest("problem.bad_field", field=name) from error
