"""A model's stream, read ahead, cut into deltas: the first at once, then one at each beat of 40 ms or 1,000 characters.

All answers of a process share the beat, so that their deltas go to Kafka and come from it together (`bench.latency`:
a gateway's part of an answer costs 1 ms less of 6).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Self, cast

from handlers.interruption import Interruption
from handlers.ports import Finish, Model, Prompt

PAUSE_SECONDS = 0.04
EARLY_BEATS = 0.1
FULL_CHARACTERS = 1_000
MAX_WAITING_CHARACTERS = 100_000
# For a connection to be kept, its stream has to be read to the end; nobody waits longer than this for it.
END_SECONDS = 0.05


class Deltas:
    """Reads the model in a task of its own between `async with` and its end, so its words never wait for Kafka.

    Iterating gives texts and then the `Finish`, raises what the model raised (after the texts before it), and just
    ends when interrupted.
    """

    def __init__(self, model: Model, prompt: Prompt, interruption: Interruption) -> None:
        self._stream = cast("AsyncGenerator[str | Finish, None]", model.stream(prompt))
        self._interruption = interruption
        self._waiting: list[str] = []
        self._characters = 0
        self._finish: Finish | None = None
        self._over = False
        self._arrived = asyncio.Event()
        self._urgent = asyncio.Event()
        self._room = asyncio.Event()

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

    async def __aiter__(self) -> AsyncIterator[str | Finish]:
        while True:
            await self._arrived.wait()
            if self._interruption.reason:
                return
            if text := self._take():
                yield text
            elif self._over:
                yield self._finish or self._failure()
                return
            await self._pause()

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
        self._arrived.set()
        if self._characters >= FULL_CHARACTERS:
            self._urgent.set()
        if self._characters >= MAX_WAITING_CHARACTERS:
            self._room.clear()
            await self._room.wait()

    def _take(self) -> str:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._characters = 0
        self._room.set()
        if not self._over:
            self._arrived.clear()
            self._urgent.clear()
        return text

    async def _pause(self) -> None:
        # A timer may fire a little before its time: that was the beat, and the next one is wanted.
        beat = int(asyncio.get_running_loop().time() / PAUSE_SECONDS + EARLY_BEATS) + 1
        with suppress(TimeoutError):
            async with asyncio.timeout_at(beat * PAUSE_SECONDS):
                await self._urgent.wait()

    def _end(self) -> None:
        self._over = True
        self._arrived.set()
        self._urgent.set()

    def _failure(self) -> Finish:
        self._reading.result()
        raise AssertionError("a model's stream ends with a Finish")
