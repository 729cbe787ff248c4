"""Vectors of texts in Redis, for a day: a file that is deleted and uploaded again is not embedded again."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

if TYPE_CHECKING:
    from redis.asyncio import Redis

RETENTION_SECONDS = 86_400
# A batch that waits longer than it takes to embed gains nothing.
DEADLINE_SECONDS = 0.25
# Without Redis, each batch would wait for the deadline.
PAUSE_SECONDS = 30.0

log = structlog.get_logger()


class EmbeddingCache:
    """By client, vector space and digest of the text. While Redis is away nothing is found and nothing is kept."""

    def __init__(self, redis_url: str, *, space: str, dimensions: int) -> None:
        self._redis_url = redis_url
        self._space = space
        self._bytes = dimensions * np.dtype(np.float32).itemsize
        self._redis: Redis | None = None
        self._paused_until = 0.0

    async def get(self, client_id: str, digests: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors that are known, by digest."""
        wanted = list(digests)
        if not wanted or time.monotonic() < self._paused_until:
            return {}
        try:
            values = await self._open().mget([self._key(client_id, digest) for digest in wanted])
        except _errors() as error:
            self._pause(error)
            return {}
        found = zip(wanted, values, strict=True)
        return {
            digest: np.frombuffer(value, np.float32)
            for digest, value in found
            if isinstance(value, bytes) and len(value) == self._bytes
        }

    async def put(self, client_id: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep these for a day."""
        if not vectors or time.monotonic() < self._paused_until:
            return
        try:
            async with self._open().pipeline(transaction=False) as pipeline:
                for digest, vector in vectors.items():
                    value = np.asarray(vector, np.float32).tobytes()
                    pipeline.set(self._key(client_id, digest), value, ex=RETENTION_SECONDS)
                await pipeline.execute()
        except _errors() as error:
            self._pause(error)

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.aclose()

    def _open(self) -> "Redis":
        if self._redis is None:
            # Takes 6 MB, which a worker without documents does without.
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            self._redis = Redis.from_url(
                self._redis_url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=DEADLINE_SECONDS,
                socket_connect_timeout=DEADLINE_SECONDS,
            )
        return self._redis

    def _key(self, client_id: str, digest: str) -> str:
        return f"embedding:{self._space}:{client_id}:{digest}"

    def _pause(self, error: Exception) -> None:
        log.warning("embedding_cache_paused", seconds=PAUSE_SECONDS, error=repr(error))
        self._paused_until = time.monotonic() + PAUSE_SECONDS


def _errors() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return RedisError, OSError
