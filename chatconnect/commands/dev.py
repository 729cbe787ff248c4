"""`chatconnect dev`: starts the whole real stack with one command."""

import asyncio
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from chatconnect.dev_stack.dashboard import Dashboard
from chatconnect.dev_stack.data_folder import opened
from chatconnect.dev_stack.stack import OURS, Stack
from chatconnect.dev_stack.supervisor import Supervisor
from chatconnect.embedded.ports import is_free
from chatconnect.embedded.process import PartError


def dev(
    data: Annotated[Path, typer.Option(help="The folder for all state.")] = Path(".data"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 8080,
    dashboard_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the dashboard; 0 leaves it out.")
    ] = 5000,
    no_seed: Annotated[bool, typer.Option("--no-seed", help="Leave the demo client without documents.")] = False,
) -> None:
    """Start Kafka, Postgres, Redis, the workers, the gateway and the dashboard; Ctrl-C stops them all."""
    run(data, port, dashboard_port, has_seed=not no_seed, commands=OURS)


def run(data: Path, port: int, dashboard_port: int, *, has_seed: bool, commands: Mapping[str, Sequence[str]]) -> None:
    """`commands` start the worker and the gateway. Exits with 1 after a sentence on stderr when something is wrong."""
    try:
        _check_port(port)
        with opened(data) as folder:
            asyncio.run(_run(Stack(folder, port, has_seed, Dashboard(folder, dashboard_port, _say), _say, commands)))
    except PartError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fail(f"The disk is full: free some space where {data} is.")


async def _run(stack: Stack) -> None:
    supervisor = Supervisor()
    try:
        await supervisor.run(stack.run(supervisor))
    finally:
        _say("stopping")
        await supervisor.stop()


def _check_port(port: int) -> None:
    if not os.environ.get("GATEWAY_URL") and not is_free(port):
        raise PartError(f"Port {port} is in use: stop what listens there, or choose another one with --port.")


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(1)
