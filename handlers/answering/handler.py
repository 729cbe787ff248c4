"""ChatRequested → the streamed answer, and ChatRetrieved."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from uuid import UUID

from cachetools import FIFOCache

from handlers.answering.generation import Generation
from handlers.answering.lease import MessageTakenError
from handlers.background_task import background_task
from handlers.ports import Turn
from handlers.retrieval.search import Retrieval
from schemas.events import AnswerFailed, ChatRequested, ChatRetrieved, Event, QuestionAsked

SEARCH_SECONDS = 20
MAX_REMEMBERED = 1_000


class Answering:
    """Retrieval and generation in one consumer; the lease is taken while the search runs.

    With two consumers and `chat.retrieved` between them, the first token comes 3 ms later with 50 sessions, and 45 ms
    later with 50 questions at once (`docs/performance.md`). The search result is published after the answer.
    """

    def __init__(
        self,
        retrieval: Retrieval,
        generation: Generation,
        *,
        search_seconds: float = SEARCH_SECONDS,
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._retrieval = retrieval
        self._generation = generation
        self._search_seconds = search_seconds
        self._found: FIFOCache[tuple[str, UUID, str], ChatRetrieved] = FIFOCache(max_remembered)

    async def handle(self, event: ChatRequested) -> AsyncGenerator[Event, None]:
        """Yields the question, all of `Generation.answer`, and then the search result.

        Raises `RetryableError` when the embedder or the vectors fail or another worker holds the message,
        `TimeoutError` when the search takes longer than 20 s, and what `Generation.answer` raises.
        """
        async with (
            background_task(self._generation.turns(event)) as turns,
            background_task(self._generation.prepare(event, turns)) as preparing,
        ):
            found = self._found.get(_key(event)) or await self._search(event, turns)
            prepared = await preparing
        is_first = True
        async with aclosing(self._generation.answer(found, prepared)) as answer:
            async for item in answer:
                if is_first:
                    # With the first event of its answer, so that both go to Kafka in one request.
                    yield _asked(event)
                    is_first = False
                yield item
        yield self._found.pop(_key(event), found)

    async def give_up(self, event: ChatRequested, error: Exception) -> AsyncGenerator[Event, None]:
        """Ends the message as failed, or as it ended before. Raises `RetryableError` while another worker holds it."""
        found = self._found.get(_key(event))
        if isinstance(error, MessageTakenError):
            # The attempt and its row are the other session's: touch neither.
            self._found.pop(_key(event), None)
            yield _refused(event, error)
            return
        ending = await self._generation.give_up(event, error, found)
        if ending:
            yield _asked(event)
        for item in ending:
            yield item
        if found is not None:
            yield self._found.pop(_key(event), found)

    async def _search(self, event: ChatRequested, turns: asyncio.Task[Sequence[Turn]]) -> ChatRetrieved:
        """Kept until the message has ended, so that a retry after a provider's failure does not search again."""
        async with asyncio.timeout(self._search_seconds):
            found = await self._retrieval.search(event, turns)
        self._found[_key(event)] = found
        return found


def _asked(event: ChatRequested) -> QuestionAsked:
    return QuestionAsked(
        client_id=event.client_id,
        session_id=event.session_id,
        message_id=event.message_id,
        question=event.text,
        asked_at=event.requested_at,
    )


def _refused(event: ChatRequested, error: MessageTakenError) -> AnswerFailed:
    """The ending for a session that used the message id of another session."""
    return AnswerFailed(
        client_id=event.client_id,
        session_id=event.session_id,
        message_id=event.message_id,
        attempt=1,
        seq=0,
        code=error.code,
        message="This question was sent with the id of another one. Please ask it again.",
        retryable=False,
    )


def _key(event: ChatRequested) -> tuple[str, UUID, str]:
    return event.client_id, event.message_id, event.session_id
