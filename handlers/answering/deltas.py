"""A model's stream, read ahead, cut into deltas: the first at once, then one at each flush tick or 1,000 characters."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Self, cast

from handlers.answering.flush import FLUSH_SECONDS, next_flush_tick
from handlers.answering.interruption import Interruption
from handlers.ports import Finish, Model, Prompt

FULL_CHARACTERS = 1_000
OPENING_TICKS = 4
MAX_WAITING_CHARACTERS = 100_000
# A connection can be reused only when its stream was read to the end: wait this long for that.
END_SECONDS = 0.05


class Deltas:
    """Reads the model in its own task during the `async with` block, so that the model does not wait for Kafka.

    Iterating yields texts, and then raises what the model raised. `finish` is set after the last text; it stays None
    when interrupted.
    """

    def __init__(
        self,
        model: Model,
        prompt: Prompt,
        interruption: Interruption,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        max_waiting_characters: int = MAX_WAITING_CHARACTERS,
    ) -> None:
        self._stream = cast("AsyncGenerator[str | Finish, None]", model.stream(prompt))
        self._interruption = interruption
        self._flush_seconds = flush_seconds
        self._max_waiting_characters = max_waiting_characters
        self._waiting: list[str] = []
        self._characters = 0
        self.finish: Finish | None = None
        self._finish: Finish | None = None
        self._over = False
        self._room = asyncio.Event()
        # The iteration waits for this many characters, or until a time.
        self._wanted = 1
        self._waiter: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._end())
        self._interruption.guard(self._reading)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.wait([self._reading], timeout=END_SECONDS if self._finish else 0)
        finally:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            if not self._reading.cancelled():
                self._reading.exception()  # raised by the iteration already, unless the answer ended before it

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            await self._until(1, until=None)
            if self._interruption.reason:
                return
            if text := self._take():
                yield text
            elif self._over:
                self.finish = self._finish or self._failure()
                return
            await self._until(FULL_CHARACTERS, until=next_flush_tick(self._flush_seconds))

    async def opening(self) -> None:
        """Returns when there is text, or at the fourth flush tick: nobody notices a start that is so much later."""
        ticks_after_next = OPENING_TICKS - 1
        await self._until(1, until=next_flush_tick(self._flush_seconds) + ticks_after_next * self._flush_seconds)

    async def _read(self) -> None:
        async with aclosing(self._stream) as stream:
            async for piece in stream:
                if isinstance(piece, Finish):
                    self._finish = piece
                    self._end()
                else:
                    await self._keep(piece)

    async def _keep(self, piece: str) -> None:
        self._waiting.append(piece)
        self._characters += len(piece)
        if self._characters >= self._wanted:
            self._wake()
        if self._characters >= self._max_waiting_characters:
            self._room.clear()
            await self._room.wait()

    def _take(self) -> str:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._characters = 0
        self._room.set()
        return text

    async def _until(self, characters: int, *, until: float | None) -> None:
        """Returns when so many characters are waiting, at the end of the stream, or at `until` (loop time)."""
        if self._over or self._characters >= characters:
            return
        loop = asyncio.get_running_loop()
        self._wanted, self._waiter = characters, loop.create_future()
        timer = loop.call_at(until, self._wake) if until is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end(self) -> None:
        self._over = True
        self._wake()

    def _failure(self) -> Finish:
        self._reading.result()
        raise AssertionError("a model's stream ends with a Finish")
