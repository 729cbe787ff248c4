"""One connection to Redis for everything that is asked at the same time."""

import asyncio
from contextlib import suppress
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

# Beside this a question has other things to wait for.
DEADLINE_SECONDS = 0.1
# A trip: in a burst the first need not wait for the last.
MAX_COMMANDS = 64

DOWN = (RedisError, OSError, TimeoutError)

Command = tuple[tuple[Any, ...], dict[str, Any], "asyncio.Future[Any]"]


class PipelinedRedis(Redis):
    """What is asked while a round trip is on its way goes with the next one, in the order asked.

    A pool would open a connection for each command that waits, a hundred at most (then it raises), and costs a third
    more CPU. A command is answered or raises one of `DOWN` within `DEADLINE_SECONDS` of the trip it waits for.
    """

    def __init__(self, url: str) -> None:
        # Nothing is opened before the first command; who comes late tries again itself.
        super().__init__(connection_pool=ConnectionPool.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0)))
        self._waiting: list[Command] = []
        self._trips: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Raises one of `DOWN`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((args, options, answer))
        if self._trips is None or self._trips.done():
            self._trips = asyncio.create_task(self._travel())
        return await answer

    async def close(self) -> None:
        """Whoever still waits is told that it is down."""
        if self._trips is not None:
            self._trips.cancel()
            with suppress(asyncio.CancelledError):
                await self._trips
        await self.aclose(close_connection_pool=True)

    async def _travel(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_COMMANDS], self._waiting[MAX_COMMANDS:]
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    answers = await self._trip(batch)
            except DOWN as error:
                # Commands that were queued meanwhile would wait for the same timeout.
                batch, self._waiting = batch + self._waiting, []
                answers = [error] * len(batch)
            except asyncio.CancelledError:
                _settle(batch + self._waiting, [ConnectionError("closed")] * (len(batch) + len(self._waiting)))
                raise
            _settle(batch, answers)

    async def _trip(self, batch: list[Command]) -> list[Any]:
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
