"""Detects a provider that stalls in the middle of an answer."""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp


class ProviderStallDetector:
    """Ends the wait for a chunk after `stalled_seconds`, as a `TimeoutError`; closes the response after the block.

    One timer for the whole answer: `asyncio.timeout` around each chunk takes a sixth of a delta's CPU. Time that
    the reader needs for its own work does not count as a stall.
    """

    def __init__(self, response: aiohttp.ClientResponse, stalled_seconds: float) -> None:
        self._response = response
        self._stalled_seconds = stalled_seconds
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._stalled_seconds, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._response.close()
        if self._is_over and isinstance(error, aiohttp.ClientError):
            raise TimeoutError from error

    def waits(self) -> None:
        """The reader waits for the provider."""
        self._waits_since = self._loop.time()

    def received(self) -> None:
        """Bytes came."""
        self._waits_since = None

    def _look(self) -> None:
        now = self._loop.time()
        stalled = 0.0 if self._waits_since is None else now - self._waits_since
        if stalled >= self._stalled_seconds:
            self._is_over = True
            self._response.close()
        else:
            self._timer = self._loop.call_at(now + self._stalled_seconds - stalled, self._look)
