"""People: who has an account, which hamlets they hold, what phones they have; inviting and revoking."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import urlsplit

import segno
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from server import recovery
from server.auth import devices, invitations, users
from server.auth.devices import Phone
from server.auth.errors import PersonExists
from server.auth.grant import Role
from server.auth.users import Person
from server.names import sort_key
from server.office.desk import Desk
from server.office.places import hamlets, names

ROLES = (Role.VOLUNTEER, Role.HAMLET_HEAD, Role.REVIEWER, Role.ADMIN, Role.OBSERVER)
_ONCE = "camket_once"
_LOGIN = re.compile(r"[a-z0-9._-]{3,40}")
_HERE = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104 - addresses that no phone reaches


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in the list."""

    id: str
    name: str
    role: Role
    hamlets: str
    phones: int
    seen_at: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class PhoneShown:
    """A phone on its owner's page. `state` is revoked, send_only, claim.unproven, claim.contested, waiting
    (never heard) or works."""

    id: str
    name: str
    created_at: str
    last_seen_at: str | None
    state: str
    tone: str
    to_confirm: bool = False


@dataclass(frozen=True, slots=True)
class NewPerson:
    """The form of a new person."""

    name: str = ""
    role: str = Role.VOLUNTEER.value
    login: str = ""
    hamlets: frozenset[str] = field(default_factory=frozenset)

    def wrong(self) -> dict[str, str]:
        """What cannot be taken: names of fields, keys of words."""
        errors = {}
        if not 1 <= len(self.name) <= 80:
            errors["name"] = "office.form.name"
        if self.role not in {role.value for role in ROLES}:
            errors["role"] = "office.form.role"
        elif Role(self.role).walks and not self.hamlets:
            errors["hamlets"] = "office.form.hamlets"
        elif not Role(self.role).walks and not _LOGIN.fullmatch(self.login):
            errors["login"] = "office.form.login"
        return errors


class PhoneWork(Protocol):
    """Something done to a phone."""

    def __call__(self, connection: Connection, device: str, *, by: str, now: datetime) -> None:
        """Do it. Raises `DeviceUnknown`."""
        ...


async def show_all(desk: Desk) -> Response:
    """Everybody with an account, by name; and whether phones wait for help."""

    def work(rows: Connection) -> tuple[list[Listed], int]:
        places = hamlets(rows)
        phones = devices.listing(rows)
        found = [_listed(person, phones, names(places, person.hamlets)) for person in users.everyone(rows)]
        found.sort(key=lambda person: (not person.active, sort_key(person.name), person.id))
        return found, len(recovery.waiting(rows))

    people, waiting = await desk.read(work)
    return await desk.render("people.html", "people", people=people, waiting=waiting)


async def show_new(desk: Desk) -> Response:
    """The form of a new person."""
    return await _new_form(desk, NewPerson(), {})


async def add(desk: Desk) -> Response:
    """Add a person; next comes their page, where a phone is invited."""
    form = NewPerson(
        " ".join(desk.text("name", 200).split()),
        desk.text("role"),
        users.normal_login(desk.text("login", 80)),
        frozenset(desk.texts("hamlets")) & frozenset(await desk.read(hamlets)),
    )
    if errors := form.wrong():
        return await _new_form(desk, form, errors)
    role = Role(form.role)
    login, given = (None, form.hamlets) if role.walks else (form.login, frozenset[str]())
    try:
        person = await desk.write(
            lambda rows: users.add(
                rows, form.name, role, by=desk.user, now=desk.now, login=login, hamlets=given
            )
        )
    except PersonExists:
        return await _new_form(desk, form, {"login": "problem.person_exists"})
    return desk.to(f"/office/people/{person.id}", "office.flash.person_added")


async def show(desk: Desk) -> Response:
    """One person, the phones, the invitations that still work."""
    who = desk.path("person")

    def work(rows: Connection) -> dict[str, Any]:
        person = users.find(rows, who)
        pending = [found for found in invitations.pending(rows, desk.now) if found.user == person.id]
        return {
            "person": person,
            "hamlets": list(hamlets(rows).values()),
            "phones": [_phone(phone) for phone in devices.listing(rows, person.id)],
            "invitations": [found for found in pending if found.purpose == "device"],
        }

    return await desk.render("person.html", "people", base=f"/office/people/{who}", **await desk.read(work))


async def invite(desk: Desk) -> Response:
    """A new invitation for a phone; it is shown once, on the next page."""
    who = desk.path("person")
    invited = await desk.write(lambda rows: invitations.invite(rows, who, by=desk.user, now=desk.now))
    link = invited.link(desk.parts.settings.url)
    return _shown_once(desk, who, {"code": invited.code, "link": link, "expires_at": invited.expires_at})


async def link(desk: Desk) -> Response:
    """A new one-time address for setting a password; shown once."""
    who, url = desk.path("person"), desk.parts.settings.url
    made = await desk.write(
        lambda rows: invitations.staff_link(rows, who, by=desk.user, now=desk.now, url=url)
    )
    return _shown_once(desk, who, {"link": made})


async def show_once(desk: Desk) -> Response:
    """What was just made: the code or link that is written nowhere else; this page forgets it."""
    who = desk.path("person")
    try:
        made = json.loads(desk.kept(_ONCE))
    except ValueError:
        return desk.to(f"/office/people/{who}", "office.flash.shown_already", kind="warn")

    def work(rows: Connection) -> tuple[Person, str]:
        person = users.find(rows, who)
        return person, names(hamlets(rows), person.hamlets)

    person, places = await desk.read(work)
    context = {"person": person, "hamlets": places, **made}
    if "code" in made:
        context |= {
            "qr": qr(made["link"], desk.words.say("office.invitation.qr")),
            "reachable": _reachable(made["link"]),
        }
    response = await desk.render(
        "invitation.html" if "code" in made else "staff_link.html", "people", **context
    )
    response.delete_cookie(_ONCE, path=f"/office/people/{who}")
    return response


async def give_hamlets(desk: Desk) -> Response:
    """From now on these hamlets are the person's."""
    who, chosen = desk.path("person"), frozenset(desk.texts("hamlets"))

    def work(rows: Connection) -> None:
        person = users.find(rows, who)
        known = frozenset(hamlets(rows))
        users.give_hamlets(rows, person.id, chosen & known, by=desk.user, now=desk.now)

    await desk.write(work)
    return desk.to(f"/office/people/{who}", "office.flash.saved")


async def void(desk: Desk) -> Response:
    """Withdraw an invitation that was not used."""
    invitation = desk.text("invitation")
    await desk.write(lambda rows: invitations.void(rows, invitation, by=desk.user, now=desk.now))
    return desk.to(f"/office/people/{desk.path('person')}", "office.flash.invitation_void")


async def revoke(desk: Desk) -> Response:
    """Shut a person out, with every phone; nobody shuts out oneself."""
    who = desk.path("person")
    if who == desk.user:
        return desk.to(f"/office/people/{who}", "office.flash.not_yourself", kind="bad")
    await desk.write(lambda rows: users.revoke(rows, who, by=desk.user, now=desk.now))
    return desk.to(f"/office/people/{who}", "office.flash.person_revoked")


async def let_return(desk: Desk) -> Response:
    """Let a revoked person back in; phones are invited anew."""
    who = desk.path("person")
    await desk.write(lambda rows: users.restore(rows, who, by=desk.user, now=desk.now))
    return desk.to(f"/office/people/{who}", "office.flash.person_returned")


async def revoke_phone(desk: Desk) -> Response:
    """Shut one phone out, for good."""
    return await _phone_changed(desk, devices.revoke, "office.flash.phone_revoked")


async def confirm_phone(desk: Desk) -> Response:
    """After a restore: the phone was in hand, and is a full one again."""
    return await _phone_changed(desk, devices.confirm, "office.flash.phone_confirmed")


def qr(text: str, title: str) -> Markup:
    """A QR code as SVG, without script or style."""
    out = BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=2,
        title=title,
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - of our own making, its title escaped by segno


def _listed(person: Person, phones: list[Phone], places: str) -> Listed:
    own = [phone for phone in phones if phone.user == person.id and phone.revoked_at is None]
    seen = max((phone.last_seen_at for phone in own if phone.last_seen_at), default=None)
    return Listed(person.id, person.name, person.role, places, len(own), seen, person.active)


def _phone(phone: Phone) -> PhoneShown:
    if phone.revoked_at:
        state, tone = "revoked", "state-bad"
    elif phone.claim:
        state, tone = f"claim.{phone.claim}", "state-bad" if phone.claim == "contested" else "state-warn"
    elif phone.send_only_at:
        state, tone = "send_only", "state-warn"
    elif phone.last_seen_at is None:
        state, tone = "waiting", "state-warn"
    else:
        state, tone = "works", "state-good"
    confirms = bool(phone.send_only_at or phone.claim) and not phone.revoked_at
    return PhoneShown(
        phone.id, phone.name, phone.created_at, phone.last_seen_at, state, tone, to_confirm=confirms
    )


def _reachable(link: str) -> bool:
    return urlsplit(link).hostname not in _HERE


def _shown_once(desk: Desk, who: str, made: dict[str, str]) -> Response:
    response = desk.to(f"/office/people/{who}/invitation")
    desk.keep(response, _ONCE, json.dumps(made), path=f"/office/people/{who}")
    return response


async def _phone_changed(desk: Desk, work: PhoneWork, flash: str) -> Response:
    device = desk.path("device")

    def run(rows: Connection) -> str:
        owner = devices.find(rows, device).user
        work(rows, device, by=desk.user, now=desk.now)
        return owner

    return desk.to(f"/office/people/{await desk.write(run)}", flash)


async def _new_form(desk: Desk, form: NewPerson, errors: dict[str, str]) -> Response:
    places = await desk.read(lambda rows: list(hamlets(rows).values()))
    return await desk.render(
        "person_new.html",
        "people",
        422 if errors else 200,
        form=form,
        errors=errors,
        hamlets=places,
        roles=[(role.value, desk.words.say(f"office.role.{role}")) for role in ROLES],
    )
