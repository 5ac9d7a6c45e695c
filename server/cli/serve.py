"""`camket serve`: the whole product in one process."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli._console import console, end, in_rows, reader, said, told

if TYPE_CHECKING:
    from server.settings import Settings

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA; default: data).")]
Host = Annotated[str | None, typer.Option(help="The address to listen on (CAMKET_HOST; default: 127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="The port, 0 for any free one (CAMKET_PORT; default: 8000).")]
PublicUrl = Annotated[
    str | None, typer.Option(help="https://… as phones open it (CAMKET_PUBLIC_URL). It is for good.")
]
TlsCert = Annotated[Path | None, typer.Option(help="Certificate chain, PEM, to speak https here.")]
TlsKey = Annotated[Path | None, typer.Option(help="Its private key, PEM.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


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
    run(settings, announce_serve)


def announce_serve(settings: "Settings") -> None:
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


def run(settings: "Settings", announce: "Callable[[Settings], None]") -> None:
    """Listen, tell, and serve until the process is asked to stop."""
    os.umask(0o077)  # what is written from here on is names and keys: nobody else's on this machine
    listening = _listen(settings)
    settings = replace(settings, port=listening.getsockname()[1])
    with said(), listening, suppress(KeyboardInterrupt):  # asked to stop, and uvicorn has stopped
        asyncio.run(_serve(settings, listening, announce))


async def _serve(
    settings: "Settings", listening: socket.socket, announce: "Callable[[Settings], None]"
) -> None:
    import uvicorn

    from server.app import build
    from server.starter import furnish

    app = await build(settings)
    await furnish(app.state.parts, console())
    await asyncio.to_thread(announce, settings)
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
    await uvicorn.Server(config).serve(sockets=[listening])


def _listen(settings: "Settings") -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        end("console.port_taken", error, port=settings.port)
