"""`camket hamlet`: the commune's hamlets, without a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli._console import in_rows, told, with_parts

if TYPE_CHECKING:
    from server.parts import Parts
    from sync.hooks import Caller

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    hamlet = typer.Typer(help="Hamlets: add, list.", no_args_is_help=True)
    hamlet.command("add")(add)
    hamlet.command("list")(list_all)
    app.add_typer(hamlet, name="hamlet")


def add(
    name: Annotated[str, typer.Argument(help="With its kind: “Thôn Nà Sầm”, “Tổ dân phố 3”.")],
    data: Data = None,
) -> None:
    """Add a hamlet behind the others, and print its id."""
    from server import audit
    from server.auth import users
    from server.auth.grant import COMMUNE, Role
    from server.lists.hamlets import named, new_id
    from server.rows.engine import readers
    from server.scribe import Change

    async def work(parts: "Parts", caller: "Caller") -> str:
        await parts.follower.catch_up([COMMUNE])
        with readers(parts.rows).begin() as rows:
            taken = users.reach(rows, audit.CONSOLE, Role.ADMIN)
        kind, own = named(name)
        made = new_id(own, kind, taken)
        fields = {"name": own, "kind": kind, "order": len(taken) + 1, "state": "active"}
        await parts.scribe.write(caller, {COMMUNE: [Change(f"hamlet:{made}", fields)]})
        with parts.rows.begin() as rows:
            audit.append(rows, audit.CONSOLE, "hamlet.added", made, parts.clock())
        return made

    typer.echo(with_parts(told(data=data), work))


def list_all(data: Data = None) -> None:
    """List hamlets in their order: id, name."""
    from server.office import places

    for one in in_rows(data, places.hamlets).values():
        typer.echo(f"{one.id}  {one.name}")
