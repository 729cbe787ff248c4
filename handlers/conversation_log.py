"""ChatCompleted and ChatFeedback → rows. Yields nothing; reading the topics again changes nothing."""

from collections.abc import AsyncGenerator
from typing import Protocol

import structlog

from schemas.events import ChatCompleted, ChatFeedback, Event
from schemas.failures import PermanentError, RetryableError
from stores.postgres.database import DATABASE_ERRORS, REFUSALS

log = structlog.get_logger()


class AnswerLog(Protocol):
    """`stores.postgres.chat_logs.ChatLogs`."""

    async def record(self, completed: ChatCompleted) -> bool:
        """Adds the row; False: it was already there."""
        ...

    async def rate(self, feedback: ChatFeedback) -> bool:
        """Adds the rating; False: no such row."""
        ...


class ConversationLog:
    """Writes answers and visitors' feedback to Postgres; catches up after Postgres was unavailable."""

    def __init__(self, chat_logs: AnswerLog) -> None:
        self._chat_logs = chat_logs

    async def handle(self, event: ChatCompleted | ChatFeedback) -> AsyncGenerator[Event, None]:
        """Raises `RetryableError` while Postgres is unavailable and for feedback that comes before its answer's record,
        and `PermanentError` for a row that Postgres refuses.
        """
        try:
            await self._write(event)
        except REFUSALS as error:
            raise PermanentError(f"the row is refused: {error!r}", code="row_refused") from error
        except DATABASE_ERRORS as error:
            raise RetryableError(f"Postgres did not answer: {error!r}") from error
        return
        yield  # makes this a generator, as every handler is

    async def give_up(self, event: ChatCompleted | ChatFeedback, error: Exception) -> AsyncGenerator[Event, None]:
        """Publishes nothing: no client waits for a row, and the dead letter keeps the record."""
        log.error("not_recorded", message_id=str(event.message_id), kind=type(event).__name__, error=repr(error))
        return
        yield

    async def _write(self, event: ChatCompleted | ChatFeedback) -> None:
        if isinstance(event, ChatCompleted):
            if event.trial:
                return
            if not await self._chat_logs.record(event):
                log.debug("already_recorded", message_id=str(event.message_id))
        elif not await self._chat_logs.rate(event):
            raise RetryableError("the answer that this feedback is about is not recorded yet")
