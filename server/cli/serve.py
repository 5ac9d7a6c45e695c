"""`camket serve` and `camket demo`: the whole product in one process."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli._console import console, end, in_rows, print_join_link, reader, said, told

if TYPE_CHECKING:
    from server.parts import Parts
    from server.settings import Settings

DEMO = Path("data/demo")

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA; default: data).")]
Host = Annotated[str | None, typer.Option(help="The address to listen on (CAMKET_HOST; default: 127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="The port, 0 for any free one (CAMKET_PORT; default: 8000).")]
PublicUrl = Annotated[
    str | None, typer.Option(help="https://… as phones open it (CAMKET_PUBLIC_URL). It is for good.")
]
TlsCert = Annotated[Path | None, typer.Option(help="Certificate chain, PEM, to speak https here.")]
TlsKey = Annotated[Path | None, typer.Option(help="Its private key, PEM.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("demo")(demo)


def serve(
    *,
    data: Data = None,
    host: Host = None,
    port: Port = None,
    public_url: PublicUrl = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Serve the commune. The first start prints a one-time link for the first administrator."""
    settings = told(
        data=data, host=host, port=port, public_url=public_url, tls_cert=tls_cert, tls_key=tls_key
    )
    run(settings, begin, announce)


def demo(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Where the demo commune is kept (default: data/demo).")
    ] = None,
    host: Host = None,
    port: Port = None,
    public_url: PublicUrl = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Serve a made-up commune: 17 hamlets, about 2,400 households, some weeks of history."""
    if data is None and "CAMKET_DATA" not in os.environ:
        data = DEMO
    settings = told(
        data=data, host=host, port=port, public_url=public_url, tls_cert=tls_cert, tls_key=tls_key
    )
    run(replace(settings, demo=True), make_up, announce_demo)


async def begin(parts: "Parts") -> None:
    """Before a commune is served for the first time."""
    from server.starter import furnish

    await furnish(parts, console())


async def make_up(parts: "Parts") -> None:
    """Fill the demo commune; a directory with real people in it is left alone."""
    from server.auth import users
    from server.demo import fill
    from server.parts import is_demo
    from server.rows.engine import readers

    with readers(parts.rows).begin() as rows:
        if not is_demo(rows) and users.everyone(rows):
            end("console.not_demo", data=parts.settings.data)
    typer.echo(reader().say("console.filling"))
    await fill(parts)


def announce_demo(settings: "Settings") -> None:
    """Print the addresses, a login for each role, and a volunteer's way in."""
    from server.audit import CONSOLE
    from server.auth import invitations
    from server.clock import system
    from server.demo import VOLUNTEER, accounts

    words = reader()
    typer.echo(words.say("console.demo"))
    announce_addresses(settings)
    for one in in_rows(settings.data, accounts):
        role = words.say(f"console.role.{one.role}")
        typer.echo(words.say("console.login", role=role, login=one.login, password=one.password))
    typer.echo(words.say("console.volunteer"))
    print_join_link(
        in_rows(settings.data, lambda rows: invitations.invite(rows, VOLUNTEER, by=CONSOLE, now=system())),
        settings.url,
    )
    typer.echo(words.say("console.stop"))


def announce(settings: "Settings") -> None:
    """Print the addresses, and the way in while there is no administrator."""
    from server.auth import first
    from server.clock import system

    words = reader()
    announce_addresses(settings)
    link = in_rows(
        settings.data,
        lambda rows: None if first.is_open(rows) else first.way_in(rows, None, settings.url, system()),
    )
    if link:
        typer.echo(words.say("console.first_link", link=link))
    typer.echo(words.say("console.stop"))


def announce_addresses(settings: "Settings") -> None:
    """Print where the app and the office are, and why phones cannot join where that is so."""
    words = reader()
    typer.echo(words.say("console.app", url=f"{settings.url}/"))
    typer.echo(words.say("console.office", url=f"{settings.url}/office"))
    if not settings.https:
        typer.echo(words.say("console.no_https"))


def run(
    settings: "Settings",
    prepare: "Callable[[Parts], Awaitable[None]]",
    tell: "Callable[[Settings], None]",
) -> None:
    """Listen, prepare the data, tell, and serve until the process is asked to stop."""
    listening = _listen(settings)
    settings = replace(settings, port=listening.getsockname()[1])
    with said(), listening, suppress(KeyboardInterrupt):  # asked to stop, and uvicorn has stopped
        asyncio.run(_serve(settings, listening, prepare, tell))


async def _serve(
    settings: "Settings",
    listening: socket.socket,
    prepare: "Callable[[Parts], Awaitable[None]]",
    tell: "Callable[[Settings], None]",
) -> None:
    import uvicorn

    from server.app import build, close
    from sync.http.serving import configured

    _check_certificate(settings)
    app = await build(settings)
    try:
        await prepare(app.state.parts)
        await asyncio.to_thread(tell, settings)
    except BaseException:
        await close(app.state.parts)  # from here on the server does it when it stops
        raise
    config = uvicorn.Config(
        app,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        lifespan="on",
        access_log=False,  # addresses, and the token of a staff link, have no place in a log
        log_level="warning",
        proxy_headers=False,  # CAMKET_TRUSTED_PROXIES decides, in server/auth/limits.py
        server_header=False,
        date_header=False,  # a phone on a weak link pays for each byte, and asks the exchange for the time
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    await uvicorn.Server(configured(config)).serve(sockets=[listening])


def _check_certificate(settings: "Settings") -> None:
    """See that certificate and key fit one another, before anything else is opened."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.tls_cert, settings.tls_key
        )
    except (OSError, ssl.SSLError) as error:
        end("console.tls_wrong", error)


def _listen(settings: "Settings") -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        key = "port_taken" if error.errno == errno.EADDRINUSE else "cannot_listen"
        end(f"console.{key}", error, host=settings.host, port=settings.port)
    # Every connection inherits it. Without it an answer's body waits 40 ms until its header is acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
