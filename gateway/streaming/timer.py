"""What wakes one stream, and what cuts it off: no task, no queue and no timer per frame."""

import asyncio
from collections.abc import Callable

LOOK_SECONDS = 5.0


class StreamTimer:
    """Waits for a session's next frame, a moment, or the end of the connection.

    A client that does not read blocks the write, so a deadline checked between writes never comes (pyth #3782): the
    timer here looks from outside, and calls `abort` when it sees the same write twice, `LOOK_SECONDS` apart.
    `is_due`: the time had come when the future of `arm` was done.
    """

    __slots__ = (
        "_abort",
        "_due",
        "_loop",
        "_seen",
        "_timer",
        "_waiter",
        "is_due",
        "is_stalled",
        "is_writing",
        "writes",
    )

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._due = 0.0
        self._seen = -1
        self.writes = 0
        self.is_writing = self.is_stalled = False
        self.is_due = True
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def wake(self) -> None:
        """There is something to look at."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def arm(self, until: float) -> asyncio.Future[None]:
        """Done when woken, or at `until` (loop time). A future, for a coroutine more would be paid for each frame."""
        self.is_due = False
        self._due = until
        if self._timer.when() > until:
            self._rearm(until)
        self._waiter = self._loop.create_future()
        return self._waiter

    def close(self) -> None:
        """The stream has ended."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self.is_writing and self._seen == self.writes:
            self.is_stalled = True
            self._abort()
            return
        self._seen = self.writes if self.is_writing else -1
        at = now + LOOK_SECONDS
        if now >= self._due:
            self.is_due = True
            self.wake()
        else:
            # A timer may fire a little before its time: look again then.
            at = min(at, self._due)
        self._rearm(at)

    def _rearm(self, at: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(at, self._look)
