"""`chatconnect dev`: everything, for real, in one command."""

import asyncio
import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from chatconnect.data_folder import opened
from chatconnect.embedded.ports import is_free
from chatconnect.embedded.process import PartError
from chatconnect.stack import Options, Stack
from chatconnect.supervisor import Supervisor


def dev(
    data: Annotated[Path, typer.Option(help="The folder all state lives in.")] = Path(".data"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 8080,
    seed: Annotated[bool, typer.Option("--seed/--no-seed", help="Give the demo client our own docs to answer from.")] = True,
) -> None:
    """Start Kafka, Postgres, Redis, the workers and the gateway; Ctrl-C stops them all."""
    try:
        _check_port(port)
        with opened(data) as folder:
            asyncio.run(_run(Stack(folder, Options(port=port, has_seed=seed), _say)))
    except PartError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fail(f"The disk is full: free some space under {data}.")


async def _run(stack: Stack) -> None:
    supervisor = Supervisor()
    try:
        await supervisor.run(stack.run(supervisor))
    finally:
        _say("stopping")
        await supervisor.stop()


def _check_port(port: int) -> None:
    if not is_free(port):
        raise PartError(f"Port {port} is in use: stop what listens there or choose another one with --port.")


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
    raise typer.Exit(1)
