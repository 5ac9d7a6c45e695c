"""`camket replicate`: one-shot replication between two CouchDB-compatible databases."""

import asyncio
import uuid
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replicate")(replicate)


def replicate(
    source: Annotated[str, typer.Argument(help="URL of the database to read, credentials inside it or not.")],
    target: Annotated[str, typer.Argument(help="URL of the database to write.")],
    *,
    create: Annotated[bool, typer.Option("--create", help="Create the target where it is missing.")] = False,
) -> None:
    """Bring TARGET up to date with SOURCE; a run that was cut goes on where it stopped."""
    asyncio.run(_run(source, target, create=create))


async def _run(source: str, target: str, *, create: bool) -> None:
    import httpx
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from sync.replicate import ReplicationFailed, Report
    from sync.replicate import replicate as run

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with httpx.AsyncClient(timeout=60) as client:
        with Progress(*columns, transient=True) as bars:
            bar = bars.add_task("changes", total=None)
            done = 0

            def show(report: Report, pending: int) -> None:
                nonlocal done
                done = report.missing_checked
                bars.update(bar, completed=done, total=done + pending)

            try:
                report = await run(
                    client, source, target, session=uuid.uuid4().hex, create=create, progress=show
                )
            except ReplicationFailed as error:
                typer.echo(str(error), err=True)
                raise typer.Exit(1) from error
    gone = f", gone from the source {len(report.gone)}" if report.gone else ""
    typer.echo(f"read {report.read}, written {report.written}, refused {len(report.refused)}{gone}")
    for doc_id, rev in report.gone:
        typer.echo(f"the source no longer has {doc_id} {rev}", err=True)
    for row in report.refused:
        typer.echo(f"refused {row.get('id')} {row.get('rev')}: {row.get('reason', row['error'])}", err=True)
    if report.refused:
        raise typer.Exit(2)
