"""A model's stream, read ahead, cut into deltas: the first at once, then at most one each 40 ms or 1,000 characters."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Self, cast

from handlers.interruption import Interruption
from handlers.ports import Finish, Model, Prompt

PAUSE_SECONDS = 0.04
FULL_CHARACTERS = 1_000
MAX_WAITING_CHARACTERS = 100_000


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
        self._arrived = asyncio.Event()
        self._urgent = interruption.reached
        self._taken = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._ended)
        self._interruption.reading = self._reading
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def __aiter__(self) -> AsyncIterator[str | Finish]:
        while self._interruption.reason is None:
            await self._arrived.wait()
            if text := self._take():
                yield text
            if self._reading.done() and not self._waiting:
                break
            await self._pause()
        if self._interruption.reason is None:
            self._reading.result()
            yield cast("Finish", self._finish)

    async def _read(self) -> None:
        async with aclosing(self._stream) as stream:
            async for piece in stream:
                if isinstance(piece, Finish):
                    self._finish = piece
                    return
                self._waiting.append(piece)
                self._characters += len(piece)
                self._arrived.set()
                if self._characters >= FULL_CHARACTERS:
                    self._urgent.set()
