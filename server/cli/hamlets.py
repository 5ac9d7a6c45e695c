"""`camket hamlet`: the commune's hamlets, without a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from server.cli._console import end, in_rows, reader, told, with_parts

if TYPE_CHECKING:
    from server.hamlets import Done
    from server.parts import Parts
    from sync.hooks import Caller

Data = Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA).")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Households = Annotated[
    list[str] | None, typer.Option(help="A household's ULID (or `unit:ULID`); may be given again.")
]
Order = Annotated[str | None, typer.Option(help="Those from one place on the walk to another: 1-20.")]
Lane = Annotated[str | None, typer.Option(help="Those of a lane.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    hamlet = typer.Typer(help="Hamlets: add, list, merge, split, move households.", no_args_is_help=True)
    hamlet.command("add")(add)
    hamlet.command("list")(list_all)
    hamlet.command("merge")(merge)
    hamlet.command("move")(move)
    hamlet.command("split")(split)
    app.add_typer(hamlet, name="hamlet")


def add(
    name: Annotated[str, typer.Argument(help="With its kind: “Thôn Nà Sầm”, “Tổ dân phố 3”.")],
    data: Data = None,
) -> None:
    """Add a hamlet behind the others, and print its id."""
    from server import hamlets

    async def work(parts: "Parts", caller: "Caller") -> str:
        return await hamlets.add(parts, caller, name)

    typer.echo(with_parts(told(data=data), work))


def merge(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The id of the hamlet that ends.")],
    into: Annotated[
        str, typer.Argument(metavar="INTO", help="The id of the hamlet that it becomes part of.")
    ],
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Merge a hamlet into another, with its households, records, pictures and people. Asks first."""
    from server import hamlets

    async def work(parts: "Parts", caller: "Caller") -> None:
        await parts.follower.catch_up()
        _ask(parts, source, into, None, yes)
        _tell(await hamlets.merge(parts, caller, source, into))

    with_parts(told(data=data), work)


def move(  # noqa: PLR0917 - options, which are named
    source: Annotated[str, typer.Argument(metavar="FROM", help="The id of the hamlet that they leave.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The id of the hamlet where they go.")],
    household: Households = None,
    order: Order = None,
    lane: Lane = None,
    came: Annotated[bool, typer.Option(help="What had come from INTO: undoes a move.")] = False,
    people: Annotated[bool, typer.Option(help="Whoever holds FROM holds INTO as well.")] = True,
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Move households to another hamlet, with all that is said of them. Asks first."""
    from server import hamlets

    async def work(parts: "Parts", caller: "Caller") -> None:
        wanted = _Wanted(household, order, lane, into if came else None)
        subjects = await _chosen(parts, source, wanted)
        _ask(parts, source, into, subjects, yes)
        _tell(await hamlets.move(parts, caller, source, into, subjects, people=people))

    with_parts(told(data=data), work)


def split(  # noqa: PLR0917 - options, which are named
    source: Annotated[str, typer.Argument(metavar="FROM", help="The id of the hamlet that is split.")],
    name: Annotated[str, typer.Argument(help="The new hamlet, with its kind: “Thôn Nà Sầm”.")],
    household: Households = None,
    order: Order = None,
    lane: Lane = None,
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Make a new hamlet of some households of another one, and print its id. Asks first."""
    from server import hamlets

    async def work(parts: "Parts", caller: "Caller") -> None:
        subjects = await _chosen(parts, source, _Wanted(household, order, lane))
        _ask(parts, source, name, subjects, yes)
        made = await hamlets.add(parts, caller, name)
        _tell(await hamlets.move(parts, caller, source, made, subjects))
        typer.echo(made)

    with_parts(told(data=data), work)


class _Wanted(NamedTuple):
    household: list[str] | None
    order: str | None
    lane: str | None
    came_from: str | None = None


async def _chosen(parts: "Parts", source: str, wanted: _Wanted) -> list[str]:
    """The ids of the documents that were asked for; none ends the command."""
    from server import hamlets, selection
    from server.rows.engine import readers

    first, _, last = (wanted.order or "").partition("-")
    if wanted.order and not (first.isdecimal() and last.isdecimal()):
        raise typer.BadParameter("1-20", param_hint="--order")
    span = (int(first), int(last)) if wanted.order else None
    ticked = {one if ":" in one else f"household:{one}" for one in wanted.household or ()}
    await parts.follower.catch_up()
    with readers(parts.rows).begin() as rows:
        found = selection.choose(selection.choosable(rows, source), ticked, span, wanted.lane or "")
        if wanted.came_from:
            found = sorted({*found, *hamlets.came(rows, source, wanted.came_from)})
    if not found:
        end("console.nothing_chosen")
    return found


def _ask(parts: "Parts", source: str, into: str, subjects: list[str] | None, yes: bool) -> None:
    """Say what it comes to, and go on if that is wanted."""
    from server import selection
    from server.rows.engine import readers

    with readers(parts.rows).begin() as rows:
        found = selection.preview(rows, source, subjects)
    counts = {**found.documents, "photo": found.pictures, "waiting": found.waiting}
    said = ", ".join(reader().say(f"office.moves.count.{kind}", count=n) for kind, n in counts.items() if n)
    typer.echo(reader().say("console.move", source=source, into=into, counts=said or "0"))
    typer.echo(reader().say("console.move_people", people=found.people, phones=found.phones))
    if not yes:
        typer.confirm(reader().say("console.go_on"), abort=True)


def _tell(done: "Done") -> None:
    typer.echo(reader().say("console.moved", count=sum(done.documents.values()), people=len(done.people)))


def list_all(data: Data = None) -> None:
    """List hamlets in their order: id, name."""
    from server.office import places

    for one in in_rows(data, places.hamlets).values():
        typer.echo(f"{one.id}  {one.name}")
