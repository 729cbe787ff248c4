"""The command `chatconnect`: one small module per command, imported only when called."""

import logging
import sys
from importlib import import_module

import typer
from pydantic import ValidationError

COMMANDS = (
    "dev",
    "ask",
    "ingest",
    "documents",
    "worker",
    "gateway",
    "migrate",
    "topics",
    "dead-letters",
    "replay",
    "schema",
)
GROUPS = ("dead-letters", "documents")


def create_cli(arguments: list[str]) -> typer.Typer:
    """The command line. Imports only the command named in `arguments`, or all of them for the help."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    # Without a callback typer drops the name of a single command.
    @cli.callback()
    def chatconnect() -> None:
        """The AI backend of an embeddable chat widget, built on an event log."""

    named = [name for name in COMMANDS if name in arguments[:1]]
    for name in named or COMMANDS:
        module = import_module(f"chatconnect.commands.{name.replace('-', '_')}")
        if name in GROUPS:
            cli.add_typer(module.app, name=name)
        else:
            cli.command(name)(getattr(module, name))
    return cli


def main() -> None:
    """The console script. Prints one sentence for each invalid environment variable."""
    # Commands report failures themselves; where logging is configured, the root handler still prints these lines.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        create_cli(sys.argv[1:])()
    except ValidationError as error:
        sentences = [f"{detail['loc'][0]!s}".upper() + f": {detail['msg']}." for detail in error.errors()]
        sys.exit("\n".join(["The environment cannot be used.", *sentences]))
