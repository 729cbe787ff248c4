"""`chatconnect worker`: the consumers, all or one."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from chatconnect import logs
from schemas.settings import Settings


def worker(
    only: Annotated[str | None, typer.Option(help="Run this one alone, e.g. `generation`.")] = None,
) -> None:
    """Run the event handlers against the parts that the environment names."""
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    from handlers.worker import UnknownHandlerError

    try:
        asyncio.run(_run(settings, only))
    except UnknownHandlerError as error:
        sys.exit(str(error))


async def _run(settings: Settings, only: str | None) -> None:
    from handlers.worker import run

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run(settings, only, stop)
