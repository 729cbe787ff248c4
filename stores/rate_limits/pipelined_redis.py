"""A Redis client that pipelines concurrent commands on one connection."""

import asyncio
from contextlib import suppress
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

# Short, because a question waits for other things too.
DEADLINE_SECONDS = 0.1
# Per round trip, so that in a burst the first command does not wait for the last.
MAX_COMMANDS = 64

REDIS_ERRORS = (RedisError, OSError, TimeoutError)

Command = tuple[tuple[Any, ...], dict[str, Any], "asyncio.Future[Any]"]


class PipelinedRedis(Redis):
    """Commands issued during a round trip go with the next one, in order.

    A pool would open a connection for each waiting command, a hundred at most (then it raises), and costs a third more
    CPU. A command returns or raises one of `REDIS_ERRORS` within `deadline_seconds` of the start of its round trip.
    """

    def __init__(self, url: str, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        # Connects at the first command; callers retry themselves.
        super().__init__(connection_pool=ConnectionPool.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0)))
        self._deadline_seconds = deadline_seconds
        self._waiting: list[Command] = []
        self._sender: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Raises one of `REDIS_ERRORS`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((args, options, answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_batches())
        return await answer

    async def close(self) -> None:
        """Waiting commands raise one of `REDIS_ERRORS`."""
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        await self.aclose(close_connection_pool=True)

    async def _send_batches(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_COMMANDS], self._waiting[MAX_COMMANDS:]
            try:
                async with asyncio.timeout(self._deadline_seconds):
                    answers = await self._send_batch(batch)
            except REDIS_ERRORS as error:
                # Commands queued meanwhile would run into the same timeout.
                batch, self._waiting = batch + self._waiting, []
                answers = [error] * len(batch)
            except asyncio.CancelledError:
                _settle(batch + self._waiting, [ConnectionError("closed")] * (len(batch) + len(self._waiting)))
                raise
            _settle(batch, answers)

    async def _send_batch(self, batch: list[Command]) -> list[Any]:
        async with self.pipeline(transaction=False) as pipeline:
            for args, options, _ in batch:
                pipeline.execute_command(*args, **options)
            return await pipeline.execute(raise_on_error=False)


def _settle(batch: list[Command], answers: list[Any]) -> None:
    for (_, _, waiting), answer in zip(batch, answers, strict=True):
        if waiting.done():
            continue
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)
