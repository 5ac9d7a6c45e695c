"""`camket import households`: the commune's own list."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from server.cli._console import in_rows, reader, told

if TYPE_CHECKING:
    from server.lists import Choices, Plan, Refused
    from server.lists.plan import Progress
    from server.settings import Settings
    from server.words import Words

SHOWN = 20
"""Lines of one kind that are printed; the rest is counted."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    imports = typer.Typer(help="Bring in lists: households.", no_args_is_help=True)
    imports.command("households")(households)
    imports.callback()(lambda: None)
    app.add_typer(imports, name="import")


def households(
    file: Annotated[Path, typer.Argument(help="The list: .xlsx, .xls or .csv.", exists=True, dir_okay=False)],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    hamlet: Annotated[str | None, typer.Option(help="The hamlet of a list that names none.")] = None,
    hamlet_map: Annotated[
        list[str] | None, typer.Option("--map", help="“Name in the file=hamlet id”, or =+ for a new hamlet.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="“Header in the file=role”, remembered for the next list. Roles: name, family, given, "
            "hamlet, house, lane, address, relation, number; - for none."
        ),
    ] = None,
    answer: Annotated[list[str] | None, typer.Option(help="“question=same” or “question=new”.")] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option(help="Import the good rows of a list with bad ones.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="The data directory (CAMKET_DATA).")] = None,
) -> None:
    """Import the commune's list of households. All of it goes in, or nothing."""
    from server.lists import Refused, commune, preview

    words = reader()
    settings = told(data=data)
    known, columns = in_rows(data, lambda rows: (commune.known(rows), commune.remembered(rows)))
    choices = _choices(words, hamlet, hamlet_map or [], answer or [], columns, skip_bad_rows=skip_bad_rows)
    try:
        with _bar(words) as progress:
            plan = preview(file.read_bytes(), file.name, known, choices, progress)
            if renamed := _renamed(words, plan, column or []):
                choices = replace(choices, columns=columns | renamed)
                plan = preview(file.read_bytes(), file.name, known, choices, progress)
    except Refused as error:
        _end(_refusal(words, error))
    for line in describe(plan, words):
        typer.echo(line)
    if plan.blocked:
        _end(words.say("lists.not_written"))
    if dry_run or not plan.changes:
        if dry_run and plan.changes:
            typer.echo(words.say("lists.dry_run"))
        _last(words, plan, "" if plan.changes else words.say("lists.nothing"))
        return
    written = asyncio.run(_write(settings, plan, len(known.hamlets), renamed, words))
    done = {"new": words.number(written), "filled": words.number(len(plan.filled))}
    typer.echo(words.say("lists.written_filled" if plan.filled else "lists.written", **done))
    _last(words, plan, "")


def _last(words: "Words", plan: "Plan", otherwise: str) -> None:
    """The last line: rows that were taken for known households of another name, so that nobody loses one."""
    line = words.say("lists.taken", taken=words.number(plan.taken)) if plan.taken else otherwise
    if line:
        typer.echo(line)


def describe(plan: "Plan", words: "Words") -> Iterator[str]:
    """A plan, as lines to read."""
    whole = words.say("lists.sheet.whole")
    for sheet in plan.sheets:
        yield words.say(f"lists.sheet.{sheet.state}", name=sheet.name or whole, row=sheet.header_row)
        for role, header in sheet.roles.items():
            yield f"  {words.say(f'lists.role.{role}')}: {header}"
        for kind, count in sheet.skipped.items():
            if count:
                yield f"  {words.say(f'lists.skipped.{kind}')}: {words.number(count)}"
        for remark in sheet.remarks:
            yield f"  {words.say(f'lists.remark.{remark}')}"
    for remark in plan.remarks:
        yield words.say(f"lists.remark.{remark}")
    yield from _part(words, "lists.left_out.title", _left_out(plan, words))
    yield from _part(words, "lists.hamlet.title", _hamlets(plan, words))
    yield from _part(words, "lists.notes.title", _notes(plan, words, whole))
    yield from _part(words, "lists.doubt.title", _questions(plan, words))
    yield from _part(words, "lists.filled.title", _filled(plan))
    yield from _part(words, "lists.bad.title", _bad(plan, words, whole))
    for reason in plan.blocked:
        yield words.say(f"lists.blocked.{reason}")
    yield words.say(
        "lists.summary",
        new=words.number(len(plan.new)),
        unchanged=words.number(plan.unchanged),
        questions=words.number(len(plan.questions)),
        bad=words.number(len(plan.bad)),
    )


def _part(words: "Words", title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{words.say(title)}:"
        yield from (f"  {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  {words.say('lists.more', more=words.number(len(lines) - SHOWN))}"


def _left_out(plan: "Plan", words: "Words") -> list[str]:
    return list(
        dict.fromkeys(f"{one.header}: {words.say(f'lists.left_out.{one.why}')}" for one in plan.left_out)
    )


def _hamlets(plan: "Plan", words: "Words") -> list[str]:
    lines = []
    for one in plan.hamlets:
        state = "like" if one.undecided else "new" if one.new else "known"
        lines.append(
            words.say(
                f"lists.hamlet.{state}",
                written=one.written,
                kind=one.kind,
                name=one.name,
                rows=words.number(one.rows),
                like=", ".join(f"{known.name} ({known.id})" for known in one.like),
            )
        )
    return lines


def _notes(plan: "Plan", words: "Words", whole: str) -> list[str]:
    return [
        words.say(
            "lists.notes.row", sheet=one.where.sheet or whole, row=one.where.row, name=one.name, text=one.text
        )
        for one in plan.notes
    ]


def _questions(plan: "Plan", words: "Words") -> list[str]:
    nowhere = words.say("lists.doubt.no_place")
    lines = []
    for one in plan.questions:
        doubt = words.say(
            f"lists.doubt.{one.doubt.value}",
            name=one.name,
            place=one.place or nowhere,
            other=one.other,
            other_place=one.other_place or nowhere,
        )
        adds = f" {words.say('lists.adds')}" if one.adds else ""
        lines.append(f"[{one.id}] {doubt}{adds} → {words.say(f'lists.answer.{one.answer}')}")
    return lines


def _filled(plan: "Plan") -> list[str]:
    return [f"{one.name}: {', '.join(filter(None, (one.house, one.lane)))}" for one in plan.filled]


def _bad(plan: "Plan", words: "Words", whole: str) -> list[str]:
    lines = []
    for one in plan.bad:
        reason = words.say(f"lists.bad.{one.reason}")
        line = words.say("lists.bad.row", sheet=one.where.sheet or whole, row=one.where.row, reason=reason)
        lines.append(f"{line} [{one.shown}]" if one.shown else line)
    return lines


def _choices(
    words: "Words",
    hamlet: str | None,
    maps: Sequence[str],
    answers: Sequence[str],
    columns: dict[str, dict[int, str]],
    *,
    skip_bad_rows: bool,
) -> "Choices":
    from server.lists import Choices

    pairs = [text.rpartition("=") for text in maps]
    if any(not name or not value for name, _, value in pairs):
        raise typer.BadParameter(words.say("lists.mapping_wrong"), param_hint="--map")
    given = [text.rpartition("=") for text in answers]
    if any(value not in ("same", "new") for _, _, value in given):
        raise typer.BadParameter("same, new", param_hint="--answer")
    return Choices(
        hamlet=hamlet,
        hamlets={name: value for name, _, value in pairs},
        answers={name: "same" if value == "same" else "new" for name, _, value in given},
        columns=columns,
        leave_bad_rows=skip_bad_rows,
    )


def _renamed(words: "Words", plan: "Plan", columns: Sequence[str]) -> dict[str, dict[int, str]]:
    """What the columns of each header are where a person says so of some: roles by column, by fingerprint."""
    from server.lists.headers import ROLES
    from server.names import fold

    found: dict[str, dict[int, str]] = {}
    sheets = [sheet for sheet in plan.sheets if sheet.headers]
    for text in columns:
        header, _, role = text.rpartition("=")
        named = [
            (sheet, place)
            for sheet in sheets
            for place, one in enumerate(sheet.headers)
            if header.strip() and fold(one) == fold(header)
        ]
        if role not in (*ROLES, "-") or not named:
            there = ", ".join(dict.fromkeys(one for sheet in sheets for one in sheet.headers if one))
            wrong = words.say("lists.column_wrong", roles=", ".join((*ROLES, "-")), headers=there)
            raise typer.BadParameter(wrong, param_hint="--column")
        for sheet, place in named:
            roles = found.setdefault(sheet.fingerprint, dict(sheet.columns))
            roles.pop(place, None)
            if role != "-":
                roles[place] = role
    return found


@contextmanager
def _bar(words: "Words") -> "Iterator[Progress]":
    """A progress bar with the stage's name, gone when it is done."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(stage: str, done: int, of: int) -> None:
            bar.update(task, description=words.say(f"lists.stage.{stage}"), completed=done, total=of)

        yield progress


async def _write(
    settings: "Settings",
    plan: "Plan",
    hamlets: int,
    renamed: Mapping[str, Mapping[int, str]],
    words: "Words",
) -> int:
    from server.admission import caller_of
    from server.app import build
    from server.audit import CONSOLE
    from server.auth.grant import Grant, Role
    from server.clock import system
    from server.lists import apply, commune
    from server.parts import Parts

    parts = (await build(settings)).state.parts
    assert isinstance(parts, Parts)
    caller = caller_of(Grant(CONSOLE, CONSOLE, Role.ADMIN, frozenset()), words)
    try:
        with _bar(words) as progress:
            progress("write", 0, len(plan.new))
            made = await apply(plan, parts.scribe, caller, system(), secrets.token_bytes, hamlets=hamlets)
        with parts.rows.begin() as rows:
            for header, roles in renamed.items():
                commune.remember(rows, header, roles)
        return made
    finally:
        await parts.store.close()
        parts.rows.dispose()


def _refusal(words: "Words", error: "Refused") -> str:
    return words.say(f"lists.refused.{error.code}", **error.facts)


def _end(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
