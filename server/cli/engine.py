"""`camket engine`: the bare sync engine as a CouchDB-compatible server."""

import asyncio
import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("engine")(engine)


def engine(
    *,
    data: Annotated[Path | None, typer.Option(help="Directory for the documents.")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.")] = 5984,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    memory: Annotated[bool, typer.Option(help="Keep everything in memory.")] = False,
    admin: Annotated[
        str | None, typer.Option(help="NAME:SECRET; needed for other addresses than loopback.")
    ] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="Host names that clients use for it.")] = None,
    history: Annotated[
        int, typer.Option(min=0, help="Generations before a leaf whose bodies a compaction keeps.")
    ] = 0,
) -> None:
    """Serve the bare sync engine as a CouchDB-compatible server at /, without the product's rules."""
    if (data is None) != memory:
        raise typer.BadParameter("Give either --data DIR or --memory.")
    if not _is_loopback(host) and admin is None:
        raise typer.BadParameter("An address that others can reach needs --admin NAME:SECRET.")
    if admin is not None and not all(admin.partition(":")):
        raise typer.BadParameter("--admin needs a name and a secret: NAME:SECRET.")
    import uvicorn

    os.umask(0o077)  # what is written from here on is nobody else's on this machine
    path = None if data is None else data / "documents.sqlite"
    fast = uvicorn.Config("").get_loop_factory()  # uvloop where there is one
    with asyncio.Runner(loop_factory=fast) as runner, suppress(KeyboardInterrupt):
        runner.run(_serve(path, host, port, admin, allow_host or [], history=history))


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


async def _serve(
    path: Path | None, host: str, port: int, admin: str | None, names: list[str], *, history: int
) -> None:
    import uvicorn

    from sync.http.bare import Administrator, Bare, session_routes
    from sync.http.engine import EVERYTHING, engine_app
    from sync.http.serving import Server, configured
    from sync.store.interface import StoreError
    from sync.store.sqlite import SqliteStore

    name, _, secret = (admin or "").partition(":")
    hosts = frozenset({host.strip("[]"), "localhost", "127.0.0.1", "::1", *names})
    application = Bare(
        Administrator(name, secret) if admin else None, hosts, time.time, secrets.token_bytes(32)
    )
    try:
        store = await SqliteStore.open(path, history=history)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    try:
        app = engine_app(store, application, [*EVERYTHING, *session_routes(application)])
        listening = _listen(host, port)
        typer.echo(f"Camket engine on http://{_authority(host, listening.getsockname()[1])}/")
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        await Server(configured(config), store.close).serve([listening])
    finally:
        await store.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    except OSError as error:
        typer.echo(f"Cannot listen on {_authority(host, port)}: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    # Every connection inherits it. Without it an answer's body waits 40 ms until its header is acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
