"""`camket user`, `camket device`: people and their phones, without a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli._console import in_rows, print_join_link, reader, told

if TYPE_CHECKING:
    from sqlalchemy import Connection

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA).")]
Who = Annotated[str, typer.Argument(help="Id or login name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(help="People: add, list, invite, password, admin-link, revoke.", no_args_is_help=True)
    user.command("add")(add_user)
    user.command("list")(list_users)
    user.command("invite")(invite_user)
    user.command("password")(set_password)
    user.command("admin-link")(admin_link)
    user.command("revoke")(revoke_user)
    app.add_typer(user, name="user")
    device = typer.Typer(help="Phones: list, revoke.", no_args_is_help=True)
    device.command("list")(list_devices)
    device.command("revoke")(revoke_device)
    app.add_typer(device, name="device")


def add_user(
    name: Annotated[str, typer.Argument(help="Full name.")],
    role: Annotated[str, typer.Option(help="volunteer, hamlet_head, reviewer, admin or observer.")],
    login: Annotated[str | None, typer.Option(help="Login name, for the office.")] = None,
    hamlet: Annotated[list[str] | None, typer.Option(help="A hamlet's id; may be given again.")] = None,
    data: Data = None,
) -> None:
    """Add a person. Staff then get a link (`user admin-link`), volunteers an invitation (`user invite`)."""
    from server.audit import CONSOLE
    from server.auth import users
    from server.auth.grant import Role
    from server.clock import system

    if role not in set(Role):
        raise typer.BadParameter(", ".join(Role), param_hint="--role")

    def work(rows: "Connection") -> str:
        now, hamlets = system(), hamlet or []
        if unknown := set(hamlets) - users.reach(rows, CONSOLE, Role.ADMIN):
            raise typer.BadParameter(", ".join(sorted(unknown)), param_hint="--hamlet")
        return users.add(rows, name, Role(role), by=CONSOLE, now=now, login=login, hamlets=hamlets).id

    typer.echo(in_rows(data, work))


def list_users(data: Data = None) -> None:
    """List people: id, role, login, hamlets, name."""
    from server.auth import users

    for person in in_rows(data, users.everyone):
        state = "" if person.active else "  (revoked)"
        hamlets = ",".join(sorted(person.hamlets)) or "-"
        typer.echo(f"{person.id}  {person.role:<11}  {person.login or '-'}  {hamlets}  {person.name}{state}")


def invite_user(
    who: Who,
    data: Data = None,
    public_url: Annotated[str | None, typer.Option(help="The address that phones open.")] = None,
) -> None:
    """Print a link and a QR code with which the person joins with a phone, once, within 72 hours."""
    from server.audit import CONSOLE
    from server.auth import invitations, users
    from server.clock import system

    def work(rows: "Connection") -> invitations.Invited:
        return invitations.invite(rows, users.find(rows, who).id, by=CONSOLE, now=system())

    settings = told(data=data, public_url=public_url)
    print_join_link(in_rows(data, work), settings.url)
    if not settings.https:
        typer.echo(reader().say("console.no_https"))


def set_password(who: Who, data: Data = None) -> None:
    """Set a password, typed twice."""
    from server.audit import CONSOLE
    from server.auth import users
    from server.clock import system

    password = typer.prompt("Mật khẩu mới / New password", hide_input=True, confirmation_prompt=True)

    def work(rows: "Connection") -> None:
        users.set_password(rows, users.find(rows, who).id, password, by=CONSOLE, now=system())

    in_rows(data, work)


def admin_link(
    who: Annotated[str | None, typer.Argument(help="Id or login name; without it, the first admin.")] = None,
    data: Data = None,
    public_url: Annotated[str | None, typer.Option(help="The address that the office opens.")] = None,
) -> None:
    """Print a one-time link at which a member of staff sets a new password: the way back in.

    The second factor of the account is switched off by it.
    """
    from server.auth.first import way_in
    from server.clock import system

    url = told(data=data, public_url=public_url).url
    typer.echo(in_rows(data, lambda rows: way_in(rows, who, url, system())))


def revoke_user(who: Who, data: Data = None) -> None:
    """Shut a person out: the account, the sessions and every phone."""
    from server.audit import CONSOLE
    from server.auth import users
    from server.clock import system

    in_rows(data, lambda rows: users.revoke(rows, users.find(rows, who).id, by=CONSOLE, now=system()))


def list_devices(data: Data = None) -> None:
    """List phones: id, owner, last seen, state, name."""
    from server.auth import devices

    for phone in in_rows(data, devices.listing):
        state = "revoked" if phone.revoked_at else "send-only" if phone.send_only_at else "in use"
        typer.echo(f"{phone.id}  {phone.user}  {phone.last_seen_at or '-'}  {state}  {phone.name}")


def revoke_device(
    device: Annotated[str, typer.Argument(help="The phone's id (`device list`).")], data: Data = None
) -> None:
    """Shut one phone out, for good."""
    from server.audit import CONSOLE
    from server.auth import devices
    from server.clock import system

    in_rows(data, lambda rows: devices.revoke(rows, device, by=CONSOLE, now=system()))
