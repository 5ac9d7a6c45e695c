"""One request of the office: who asks, in which language, what the form says; and the ways to answer.

A handler is `async def show(desk) -> Response`. `gate` stands before every one of them: it finds the session,
compares the role with the page's, limits and reads the form, and checks its CSRF token.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, select
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive

from server import audit
from server.auth.errors import RoleMissing, SignInNeeded
from server.auth.grant import STAFF, Role
from server.auth.sessions import Session, check_form
from server.clock import milliseconds
from server.parts import Parts, parts_of, read_rows, session_of, write_rows
from server.problems import TooLarge
from server.rows import tables
from server.rows.engine import table
from server.words import LANGUAGES, Words, words_of

T = TypeVar("T")

_HERE = Path(__file__).parent.parent
STATIC = _HERE / "static"

ADMINS = frozenset({Role.ADMIN})
READERS = STAFF | {Role.OBSERVER}
"""Who sees totals."""

FORM_LIMIT = 1
"""MiB of a form without a file."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # not `no-referrer`: with that browsers send `Origin: null`, and the Origin check would refuse our forms
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

FORM_FIELDS = 2000
"""A checklist of sixty items has some twenty fields for each."""

_FLASH = "camket_flash"


class NavItem(NamedTuple):
    """A main page in the navigation; `name` is its word under `office.nav.`."""

    name: str
    href: str
    roles: frozenset[Role]


NAV = (
    NavItem("home", "/office", READERS),
    NavItem("households", "/office/households", STAFF),
    NavItem("review", "/office/review", STAFF),
    NavItem("models", "/office/models", STAFF),
    NavItem("bulletins", "/office/bulletins", STAFF),
    NavItem("campaign", "/office/campaign", READERS),
    NavItem("quarantine", "/office/quarantine", STAFF),
    NavItem("people", "/office/people", ADMINS),
    NavItem("import", "/office/import", ADMINS),
    NavItem("audit", "/office/audit", ADMINS),
)


class Flash(NamedTuple):
    """A message for the next page: ok, warn or bad; a key of the words and what its sentence needs."""

    kind: str
    key: str
    values: Mapping[str, Any]


class Pages(NamedTuple):
    """Where a reader is in a long list; `base` is its address, `keep` what else the query says."""

    number: int
    last: int
    base: str
    keep: Mapping[str, str]

    def href(self, number: int) -> str:
        """The address of another page of the list."""
        return f"{self.base}?{urlencode({**self.keep, 'page': number})}"


@dataclass(frozen=True, slots=True)
class Desk:
    """One request that passed the gate."""

    request: Request
    parts: Parts
    words: Words
    session: Session | None
    now: datetime
    form: FormData = field(default_factory=FormData)

    @property
    def signed_in(self) -> Session:
        """The session of a page that has roles: the gate made sure of it."""
        assert self.session is not None
        return self.session

    @property
    def user(self) -> str:
        """The id of whoever is signed in."""
        return self.signed_in.grant.user

    def text(self, name: str, most: int = 2000) -> str:
        """A form's field as text, trimmed and cut; empty where it is missing or a file."""
        value = self.form.get(name, "")
        return value.strip()[:most] if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All values of a field that may be there more than once."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file, if one was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def files(self, name: str) -> list[UploadFile]:
        """The files that were chosen in a field which takes several."""
        return [one for one in self.form.getlist(name) if isinstance(one, UploadFile) and one.filename]

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def page_number(self) -> int:
        """`?page=`, from 1; anything else than a number is 1."""
        asked = self.request.query_params.get("page", "1")
        return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1

    def pages(self, number: int, count: int, size: int, base: str, **keep: str) -> Pages:
        """The pager of a list of `count` rows."""
        last = max(1, -(-count // size))
        return Pages(min(number, last), last, base, keep)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do `work`, which only reads, in one transaction of the rows."""
        return await read_rows(self.request, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction of the rows; an exception undoes all of it."""
        return await write_rows(self.request, work)

    def note(self, rows: Connection, action: str, subject: str) -> None:
        """An entry in the audit log: ids only."""
        audit.append(rows, self.user, action, subject, self.now)

    async def noted(self, action: str, subject: str) -> None:
        """An entry in the audit log by itself, for what was only looked at."""
        await self.write(lambda rows: self.note(rows, action, subject))

    async def render(self, template: str, section: str = "", status: int = 200, **context: Any) -> Response:
        """A page. `section` is the name of its place in the navigation."""
        frame = {**await self._frame(section), **context}
        html = TEMPLATES.get_template(f"office/{template}").render(frame)
        response = HTMLResponse(html, status, HEADERS)
        if frame["flashes"]:
            response.delete_cookie(_FLASH, path="/office")
        return response

    def to(self, href: str, key: str = "", kind: str = "ok", **values: Any) -> Response:
        """Post/Redirect/Get: on to another page, with a message for it. No personal data in `values`."""
        response = RedirectResponse(href, 303, {"Cache-Control": "no-store"})
        if key:
            self.keep(response, _FLASH, json.dumps([kind, key, values]))
        return response

    def keep(self, response: Response, name: str, value: str, path: str = "/office") -> None:
        """Leave something with the browser until it closes: out of addresses, out of logs."""
        coded = urlsafe_b64encode(value.encode()).decode()
        https = self.parts.settings.https
        response.set_cookie(name, coded, httponly=True, samesite="lax", secure=https, path=path)

    def kept(self, name: str) -> str:
        """What `keep` left; empty where nothing is, or not of our making."""
        try:
            return urlsafe_b64decode(self.request.cookies.get(name, "").encode()).decode()
        except ValueError:
            return ""

    def _flashes(self) -> list[Flash]:
        try:
            kind, key, values = json.loads(self.kept(_FLASH))
            self.words.say(key, **values)
        except (ValueError, TypeError, KeyError, IndexError):
            return []
        return [Flash("ok" if kind not in {"warn", "bad"} else kind, key, values)]

    async def _clock_is_sane(self) -> bool:
        return await self.parts.intake.clock_is_sane(milliseconds(self.now))

    async def _frame(self, section: str) -> dict[str, Any]:
        session = self.session
        return {
            "words": self.words,
            "t": self.words.say,
            "other_lang": next(lang for lang in LANGUAGES if lang != self.words.lang),
            "demo": self.parts.settings.demo,
            "now": self.now,
            "wrong_clock": bool(session and session.role in ADMINS) and not await self._clock_is_sane(),
            "commune": await self.read(commune_name),
            "user": session.grant if session else None,
            "csrf_token": session.csrf if session else "",
            "nav": [item for item in NAV if session and session.role in item.roles],
            "section": section,
            "path": here(self.request),
            "flashes": self._flashes(),
            "stylesheets": _STYLESHEETS,
        }


Handler = Callable[[Desk], Awaitable[Response]]


def gate(
    handler: Handler, roles: frozenset[Role] | None, limit: int = FORM_LIMIT, files: int = 1
) -> Callable[[Request], Awaitable[Response]]:
    """A handler as an endpoint. `roles` None: nobody need be signed in. `limit` in MiB, of so many `files`.

    Raises `SignInNeeded`, `RoleMissing`, `FormStale`, `TooLarge`.
    """

    async def endpoint(request: Request) -> Response:
        session = await _session(request, needed=roles is not None)
        if session and roles is not None and session.role not in roles:
            raise RoleMissing
        parts = parts_of(request)
        desk = Desk(request, parts, words_of(request), session, parts.clock())
        if request.method != "POST":
            return await handler(desk)
        limited = Request(request.scope, _limited(request.receive, limit))
        async with limited.form(max_files=files, max_fields=FORM_FIELDS, max_part_size=2**16) as form:
            if session:
                check_form(session, form.get("csrf"))
            return await handler(Desk(limited, parts, desk.words, session, desk.now, form))

    return endpoint


async def _session(request: Request, *, needed: bool) -> Session | None:
    try:
        return await session_of(request)
    except SignInNeeded:
        if needed:
            raise
        return None


def here(request: Request) -> str:
    """The address of this page, to come back to; after a POST that of the first page."""
    if request.method != "GET" or request.url.path in {"/office/login", "/office/first"}:
        return "/office"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def own_address(text: str) -> str:
    """An address of ours to go back to; anything else is the first page."""
    path = text.split("?", maxsplit=1)[0]
    plain = quote(unquote(text), safe="/?=&-_.~:") == text and "//" not in path and ".." not in path
    return text if plain and (path == "/office" or path.startswith("/office/")) else "/office"


def commune_name(rows: Connection) -> str:
    """The commune's name, where it was given."""
    meta = table(tables.Meta)
    return rows.execute(select(meta.c.value).where(meta.c.key == "commune")).scalar() or ""


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit * 2**20:
            raise TooLarge(limit)
        return message

    return counted


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


TEMPLATES = _environment()


def _addressed(part: str) -> str:
    """The address of a style sheet, which changes with its content."""
    digest = sha256((STATIC / "office" / f"{part}.css").read_bytes()).hexdigest()
    return f"/office/static/office/{part}.css?{digest[:12]}"


# In the order in which they overrule each other.
_STYLESHEETS = [_addressed(part) for part in ("frame", "tables", "forms", "record", "narrow", "paper")]
