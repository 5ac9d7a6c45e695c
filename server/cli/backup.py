"""`camket backup`, `camket restore`, `camket check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli._console import end, reader, said, told, with_parts

if TYPE_CHECKING:
    from server.parts import Parts
    from sync.hooks import Caller

LEAST = 12
"""Characters of a passphrase."""

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA).")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the passphrase; otherwise it is asked for.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("check")(check)


def backup(
    directory: Annotated[Path, typer.Argument(help="Where backups are kept; best on another disk.")],
    *,
    data: Data = None,
    passphrase_file: PassphraseFile = None,
    plain: Annotated[bool, typer.Option(help="Without encryption: the keys lie open in it.")] = False,
) -> None:
    """Back everything up into one encrypted file, keys included, while the server runs."""
    from server import backup as backups
    from server.clock import system

    settings = told(data=data)
    passphrase = None if plain else _passphrase(passphrase_file, new=True)
    now = system()
    with said():
        try:
            made = backups.make(settings.data, settings.database_url, directory, passphrase, now)
        except backups.NoBackup as error:
            end("console.nothing_to_back_up", error, data=settings.data)
        except OSError as error:
            end("console.data_unusable", error, data=directory)
    typer.echo(made)
    if not backups.is_named_by(made, now):
        typer.echo(reader().say("console.backup_named"), err=True)


def restore(
    source: Annotated[
        Path | None, typer.Argument(help="A backup, or a directory: the newest in it.", show_default=False)
    ] = None,
    *,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="The files were put back already: begin anew with them.")
    ] = False,
    without_ledger: Annotated[
        bool,
        typer.Option(help="Go on though it cannot be read what was erased and revoked: some may be back."),
    ] = False,
    data: Data = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a backup in place of the data; what was there is set aside. The server must be stopped."""
    from server import backup as backups
    from server import outlasting, vessel
    from server.clock import system

    if (source is None) is not by_hand:
        raise typer.BadParameter("SOURCE / --by-hand")
    settings = told(data=data)
    with said():
        try:
            if source is None:
                source = settings.data
                backups.begin_by_hand(settings.data, settings.database_url, system())
            else:
                with backups.newest(source).open("rb") as file:
                    sealed = vessel.is_sealed(file)
                passphrase = _passphrase(passphrase_file, new=False) if sealed else None
                backups.restore(
                    source,
                    settings.data,
                    settings.database_url,
                    passphrase,
                    system(),
                    without_ledger=without_ledger,
                )
        except backups.NoBackup as error:
            end("console.no_backup", error, source=source)
        except outlasting.LedgerUnread as error:
            end("console.ledger_unread", error, file=error.file)
        except vessel.NotOpened as error:
            end("console.backup_not_opened", error)
        except backups.InUse as error:
            end("console.in_use", error, data=settings.data)
    with_parts(settings, _follow)
    typer.echo(reader().say("console.restored"))
    if without_ledger:
        typer.echo(reader().say("console.ledger_lost"), err=True)


def check(data: Data = None) -> None:
    """Check that everything that is kept fits together; ends with 1 and says what does not."""
    from server import checking

    async def work(parts: "Parts", _caller: "Caller") -> list[str]:
        return await checking.problems(parts)

    found = with_parts(told(data=data), work)
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
    typer.echo(reader().say("console.checked"))


async def _follow(parts: "Parts", _caller: "Caller") -> None:
    """Bury what was erased before anybody can read it, and write the rows again."""
    await parts.follower.rebuild()


def _passphrase(file: Path | None, *, new: bool) -> str:
    words = reader()
    if file is None:
        text = typer.prompt(words.say("console.passphrase"), hide_input=True, confirmation_prompt=new)
    else:
        try:
            text = (file.read_text("utf-8").splitlines() or [""])[0]
        except (OSError, UnicodeDecodeError) as error:
            end("console.no_passphrase", error, file=file)
    if new and len(text) < LEAST:
        end("console.passphrase_short", least=LEAST)
    return str(text)
