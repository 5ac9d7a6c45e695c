"""What commands share: settings, the reader's language, errors as a sentence, QR codes in a terminal."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.auth.invitations import Invited
    from server.settings import Settings
    from server.words import Words

T = TypeVar("T")


def told(**flags: object) -> "Settings":
    """Settings from these flags, the environment and the defaults; what is wrong ends the command."""
    from server.settings import SettingsWrong, read

    try:
        return read(flags, os.environ)
    except SettingsWrong as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def reader() -> "Words":
    """The words for whoever sits at the terminal, by `LANG`."""
    from server.words import choose, words

    return words(choose(None, os.environ.get("LANG", "").replace("_", "-")))


@contextmanager
def said() -> Iterator[None]:
    """Ends the command with a sentence where something of the table of problems is raised."""
    from server import problems

    try:
        yield
    except tuple(problems.TABLE) as error:
        problem, values = problems.said(error)
        typer.echo(problem.reason(reader(), **values), err=True)
        raise typer.Exit(1) from error


def in_rows(data: Path | None, work: "Callable[[Connection], T]") -> T:
    """Do `work` in one transaction of the rows."""
    from server.rows.engine import open_rows

    settings = told(data=data)
    rows = open_rows(settings.data, settings.database_url)
    try:
        with said(), rows.begin() as connection:
            return work(connection)
    finally:
        rows.dispose()


def print_join_link(invited: "Invited", url: str) -> None:
    """The link, the code and a QR code, and for how long they work."""
    words, link = reader(), invited.link(url)
    typer.echo(qr(link))
    typer.echo(words.say("console.join", link=link, code=invited.code))
    typer.echo(words.say("console.expires", until=words.time(invited.expires_at)))
    if not url.startswith("https://"):
        typer.echo(words.say("console.no_https"))


def qr(text: str) -> str:
    """A QR code in half blocks: light on dark, and said so to terminals whose own colours differ."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="m").terminal(drawn, compact=True)
    if not sys.stdout.isatty():
        return drawn.getvalue()
    return "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in drawn.getvalue().splitlines())
