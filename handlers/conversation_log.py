"""ChatCompleted and ChatFeedback → rows. Yields nothing; reading the topics again changes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from random import random
from typing import Protocol

import structlog
from sqlalchemy.exc import IntegrityError, ProgrammingError

from schemas.events import ChatCompleted, ChatFeedback, Event
from schemas.failures import RetryableError
from stores.database import DATABASE_ERRORS

# The runtime gives a record up after five runs. Nobody waits for a row, so each run outlasts a restart of Postgres and
# all of them three minutes without it; shorter than the runtime's deadline for a run.
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 1.0
RETRY_AFTER_SECONDS = 20.0
_REFUSALS = (IntegrityError, ProgrammingError)

log = structlog.get_logger()


class AnswerLog(Protocol):
    """`stores.chat_logs.ChatLogs`."""

    async def record(self, completed: ChatCompleted) -> bool:
        """Adds the row; False: it was there."""
        ...

    async def rate(self, feedback: ChatFeedback) -> bool:
        """Adds the verdict; False: no such row."""
        ...


class ConversationLog:
    """Keeps the log of answers and of what visitors thought of them; catches up after Postgres was away."""

    def __init__(self, chat_logs: AnswerLog, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._chat_logs = chat_logs
        self._patience_seconds = patience_seconds

    async def handle(self, event: ChatCompleted | ChatFeedback) -> AsyncGenerator[Event, None]:
        """Waits for Postgres for `patience_seconds`. Raises `RetryableError` then, for a row that Postgres refuses,
        and for feedback that overtook its answer's record.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                while not await self._is_written(event):
                    await asyncio.sleep(random() * PAUSE_SECONDS)
        except TimeoutError as error:
            raise RetryableError("the log is away", retry_after_seconds=RETRY_AFTER_SECONDS) from error
        return
        yield  # makes this a generator, as every handler is

    async def give_up(self, event: ChatCompleted | ChatFeedback, error: Exception) -> AsyncGenerator[Event, None]:
        """Nobody waits for a row: the dead letter is the whole story."""
        log.error("not_recorded", message_id=str(event.message_id), kind=type(event).__name__, error=repr(error))
        return
        yield

    async def _is_written(self, event: ChatCompleted | ChatFeedback) -> bool:
        try:
            await self._write(event)
        except _REFUSALS as error:
            raise RetryableError(f"the log cannot be written: {error!r}") from error
        except DATABASE_ERRORS as error:
            log.warning("log_away", message_id=str(event.message_id), error=repr(error))
            return False
        return True

    async def _write(self, event: ChatCompleted | ChatFeedback) -> None:
        if isinstance(event, ChatCompleted):
            if not await self._chat_logs.record(event):
                log.debug("already_recorded", message_id=str(event.message_id))
        elif not await self._chat_logs.rate(event):
            raise RetryableError("the answer that this feedback is about is not recorded yet")
