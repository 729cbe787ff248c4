"""Cancelled answers, by client and message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import UUID

from cachetools import FIFOCache

MAX_REMEMBERED = 10_000
REMEMBERED_SECONDS = 3_600


class Cancellations:
    """Cancels the answers that `watch`. To cancel an ended, unknown or cancelled one is harmless.

    The newest 10,000 cancels are kept for an hour (the retention of their topic), so one may come before its answer
    begins, or between two attempts.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, *, max_remembered: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._at: FIFOCache[tuple[str, UUID], float] = FIFOCache(max_remembered)
        self._watching: dict[tuple[str, UUID], list[Callable[[], None]]] = {}

    def cancel(self, client_id: str, message_id: UUID) -> None:
        """Stops the answer if it runs here, and every later attempt at it."""
        key = client_id, message_id
        self._at[key] = self._clock()
        for stop in tuple(self._watching.get(key, ())):
            stop()

    @contextmanager
    def watch(self, client_id: str, message_id: UUID, stop: Callable[[], None]) -> Iterator[None]:
        """Calls `stop` on a cancel while the block runs, at once if there is one already."""
        key = client_id, message_id
        self._watching.setdefault(key, []).append(stop)
        try:
            if self._clock() - self._at.get(key, -REMEMBERED_SECONDS) < REMEMBERED_SECONDS:
                stop()
            yield
        finally:
            self._watching[key].remove(stop)
            if not self._watching[key]:
                del self._watching[key]
