"""What commands share: settings, the reader's language, errors as a sentence, QR codes in a terminal."""

import asyncio
import io
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.auth.invitations import Invited
    from server.parts import Parts
    from server.settings import Settings
    from server.words import Words
    from sync.hooks import Caller

T = TypeVar("T")


def told(**flags: object) -> "Settings":
    """Settings from these flags, the environment and the defaults, and the data directory made.

    What is wrong ends the command.
    """
    from server.settings import SettingsWrong, read

    try:
        settings = read(flags, os.environ)
    except SettingsWrong as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    os.umask(0o077)  # what is written from here on is names and keys: nobody else's on this machine
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        end("console.data_unusable", error, data=settings.data)
    if not os.access(settings.data, os.R_OK | os.W_OK | os.X_OK):
        end("console.data_unusable", data=settings.data)
    return settings


def reader() -> "Words":
    """The words for whoever sits at the terminal, by `LANG`."""
    from server.words import choose, words

    return words(choose(None, os.environ.get("LANG", "").replace("_", "-")))


@contextmanager
def said() -> Iterator[None]:
    """Ends the command with a sentence where something that we have words for is raised."""
    from server import problems
    from server.keys import SecretWrong
    from server.rows.engine import RowsTooNew, RowsUnreachable
    from sync.store.interface import StoreError

    unusable = {
        SecretWrong: "console.secret_wrong",
        RowsTooNew: "console.rows_too_new",
        RowsUnreachable: "console.rows_unreachable",
    }
    try:
        yield
    except tuple(unusable) as error:
        end(unusable[type(error)], error, reason=error)
    except tuple(problems.TABLE) as error:
        problem, values = problems.said(error)
        typer.echo(problem.reason(reader(), **values), err=True)
        raise typer.Exit(1) from error
    except StoreError as error:
        end("console.store_unusable", error, reason=str(error).rstrip("."))


def end(key: str, error: Exception | None = None, **values: object) -> NoReturn:
    """End the command with a sentence."""
    typer.echo(reader().say(key, **values), err=True)
    raise typer.Exit(1) from error


def in_rows(data: Path | None, work: "Callable[[Connection], T]") -> T:
    """Do `work` in one transaction of the rows."""
    from server.rows.engine import open_rows

    settings = told(data=data)
    with said():
        rows = open_rows(settings.data, settings.database_url)
        try:
            with rows.begin() as connection:
                return work(connection)
        finally:
            rows.dispose()


def console() -> "Caller":
    """The command line as the author of documents: whoever has the machine may what an admin may."""
    from server.admission import caller_of
    from server.audit import CONSOLE
    from server.auth.grant import Grant, Role

    return caller_of(Grant(CONSOLE, CONSOLE, Role.ADMIN, frozenset()), reader())


def with_parts(settings: "Settings", work: "Callable[[Parts, Caller], Coroutine[object, object, T]]") -> T:
    """Do `work` with a server's parts, as the caller that the command line is."""

    async def run() -> T:
        from server.app import opened

        async with opened(settings) as parts:
            return await work(parts, console())

    with said():
        return asyncio.run(run())


def print_join_link(invited: "Invited", url: str) -> None:
    """The link, the code and a QR code, and for how long they work."""
    words, link = reader(), invited.link(url)
    typer.echo(qr(link))
    typer.echo(words.say("console.join", link=link, code=invited.code))
    typer.echo(words.say("console.expires", until=words.time(invited.expires_at)))


def qr(text: str) -> str:
    """A QR code in half blocks: light on dark, and said so to terminals whose own colours differ."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="m").terminal(drawn, compact=True)
    if not sys.stdout.isatty():
        return drawn.getvalue()
    return "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in drawn.getvalue().splitlines())
