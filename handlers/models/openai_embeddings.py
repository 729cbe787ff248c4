"""Embeddings by OpenAI, or any service with its `/embeddings`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
import numpy as np
import structlog
from numpy.typing import NDArray

from handlers.ports import Vectors
from schemas.failures import PermanentError, RetryableError
from schemas.retry_after import retry_after_seconds

log = structlog.get_logger()

BATCH_SIZE = 64
TIMEOUT_SECONDS = 30
QUERY_TIMEOUT_SECONDS = 10
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = range(500, 600)


class OpenAIEmbeddings:
    """An `Embedder` over HTTP. The session is the caller's to close."""

    name = "text-embedding-3-small"
    dimensions = 1536

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/embeddings"
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text. Raises `RetryableError` (429, 5xx, connection, time) and `PermanentError` (other 4xx)."""
        rows = [
            await self._request(list(texts[start : start + BATCH_SIZE]), TIMEOUT_SECONDS)
            for start in range(0, len(texts), BATCH_SIZE)
        ]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """One vector, by a request of its own. Raises as `embed` does."""
        query: NDArray[np.float32] = (await self._request([text], QUERY_TIMEOUT_SECONDS))[0]
        return query

    async def _request(self, texts: list[str], timeout_seconds: float) -> Vectors:
        body = {"model": self.name, "input": texts, "encoding_format": "float"}
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        try:
            async with self._session.post(self._url, json=body, headers=self._headers, timeout=timeout) as response:
                if not response.ok:
                    raise _failure(response, await response.text())
                return _unit_rows(await response.json(), len(texts), self.dimensions)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RetryableError(f"The embedding service did not answer: {error!r}") from error


def _failure(response: aiohttp.ClientResponse, body: str) -> RetryableError | PermanentError:
    # The body may quote the key: it is for our log, not for a document's owner.
    log.warning("embedding_service_refused", status=response.status, body=body[:300])
    if response.status == TOO_MANY_REQUESTS or response.status in SERVER_ERRORS:
        seconds = retry_after_seconds(response.headers, datetime.now(UTC))
        return RetryableError(f"The embedding service answered {response.status}.", retry_after_seconds=seconds)
    return _refused(
        f"The embedding service refused the request ({response.status}): check OPENAI_API_KEY and its model."
    )


def _refused(message: str) -> PermanentError:
    return PermanentError(message, code="embedding_refused")


def _unit_rows(answer: Any, rows: int, dimensions: int) -> Vectors:
    try:
        ordered = sorted(answer["data"], key=lambda entry: entry["index"])
        vectors = np.array([entry["embedding"] for entry in ordered], np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise _refused("The embedding service's answer has no embeddings in it: check OPENAI_BASE_URL.") from error
    if vectors.shape != (rows, dimensions):
        raise _refused(f"The embedding service sent {vectors.shape} numbers instead of {(rows, dimensions)}.")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
