"""Finds passages for a question, and how likely they answer it."""

import asyncio
import time
from collections.abc import Awaitable, Sequence

import structlog

from handlers.ports import Embedder, Turn
from handlers.retrieval.query import covered_share, is_follow_up
from schemas.events import ChatRequested, ChatRetrieved
from schemas.passages import Passage
from stores.vectors.store import VectorStore

log = structlog.get_logger()

MAX_PASSAGES = 6
HISTORY_SECONDS = 0.3


class Retrieval:
    """Dense search, with the last question put in front of a follow-up."""

    def __init__(self, embedder: Embedder, vectors: VectorStore, *, history_seconds: float = HISTORY_SECONDS) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._history_seconds = history_seconds

    async def search(self, event: ChatRequested, turns: Awaitable[Sequence[Turn]]) -> ChatRetrieved:
        """The passages, best first; `turns` are the session's earlier turns.

        Raises `RetryableError` when the embedder or the vectors are unavailable.
        """
        started_at = time.perf_counter()
        query = await _query(event, turns, self._history_seconds)
        vector = await self._embedder.embed_query(query)
        passages = await self._vectors.search(event.client_id, vector, MAX_PASSAGES)
        return ChatRetrieved(
            client_id=event.client_id,
            session_id=event.session_id,
            request=event,
            query=query,
            passages=passages,
            confidence=confidence(query, passages),
            retrieval_ms=(time.perf_counter() - started_at) * 1000,
        )


async def _query(event: ChatRequested, turns: Awaitable[Sequence[Turn]], history_seconds: float) -> str:
    if not is_follow_up(event.text):
        return event.text
    try:
        async with asyncio.timeout(history_seconds):
            # The answer needs them too, and may wait longer.
            history = await asyncio.shield(asyncio.ensure_future(turns))
    except TimeoutError:
        # A worse query is better than no answer while Postgres is unavailable.
        log.warning("searching_without_history")
        return event.text
    return f"{history[-1].question}\n{event.text}" if history else event.text


def confidence(query: str, passages: Sequence[Passage]) -> float:
    """Top cosine + share of the query's content words found in the top three passages: 0 to 2, 0 without passages.

    A cosine alone separates worst of the measured gates: 0.83 AUC against 0.94 for this sum with IDF weights. Here all
    words count alike, since no corpus statistic is kept.
    """
    if not passages:
        return 0.0
    return max(0.0, passages[0].score) + covered_share(query, passages)
