"""How a failed command exits."""

from typing import NoReturn

import typer


def fail(sentence: str) -> NoReturn:
    """One sentence on stderr and exit code 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
