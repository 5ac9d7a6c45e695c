"""`camket`: the command line."""

import pkgutil
from importlib import import_module

import typer

import server.cli


def command_line() -> typer.Typer:
    """`camket` with the commands of every module in `server/cli/`."""
    app = typer.Typer(
        name="camket",
        help="Household pledges and model inspections for communes, offline first.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # their traces show local variables: names, codes, secrets
    )
    for module in pkgutil.iter_modules(server.cli.__path__):
        if not module.name.startswith("_"):
            import_module(f"server.cli.{module.name}").register(app)
    return app


def main() -> None:
    """Run the command line."""
    command_line()()


if __name__ == "__main__":
    main()
