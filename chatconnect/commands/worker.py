"""`chatconnect worker`: runs the consumers, all or some."""

import asyncio
import signal
import sys
from typing import Annotated

import typer
import uvloop

from chatconnect import logs
from handlers.worker import NAMES, UnknownHandlerError, run
from schemas.settings import Settings


def worker(
    only: Annotated[str | None, typer.Option(help=f"Run only these, separated by commas: {', '.join(NAMES)}.")] = None,
) -> None:
    """Run the event handlers against the parts that the environment names."""
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    exit_message = ""
    try:
        # uvloop's sockets cost half of what the standard loop's do, and a chat is about fifty writes.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, only))
    except* _explained_errors() as group:
        exit_message = str(_first(group))
    if exit_message:
        sys.exit(exit_message)


def _explained_errors() -> tuple[type[Exception], ...]:
    """Errors that one sentence explains better than a traceback."""
    from handlers.models.embedder import NoKeyError
    from handlers.models.minilm_graph import WrongWeightsError
    from handlers.readers.pdf.languages import CannotRecognizeError
    from schemas.failures import RetryableError
    from stores.vectors.store import FolderInUseError
    from streams.consuming.runtime import ConsumerEndedError
    from streams.consuming.watchdog import ReplacedError
    from streams.dead_letters.limit import TooManyDeadLettersError
    from streams.kafka.connection import KAFKA_ERRORS
    from streams.reading.reader import TopicMissingError
    from streams.stall_detector import ConsumerStalledError

    ours = (ConsumerEndedError, ReplacedError, ConsumerStalledError, TooManyDeadLettersError, UnknownHandlerError)
    return (
        *ours,
        CannotRecognizeError,
        FolderInUseError,
        *KAFKA_ERRORS,
        NoKeyError,
        RetryableError,
        TopicMissingError,
        WrongWeightsError,
    )


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _run(settings: Settings, only: str | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run(settings, only, stop)
