"""Wakes one stream, and aborts it when its client does not read: no task, no queue and no timer per frame."""

import asyncio
from collections.abc import Callable


class StreamTimer:
    """Waits for a session's next frame, a time, or the end of the connection.

    A client that does not read blocks the write, so a deadline checked between writes is never reached: this timer
    checks from outside, and calls `abort` when it finds the same write twice, `check_seconds` apart.
    `is_due`: whether that time had passed when the future of `arm` completed.
    """

    __slots__ = (
        "_abort",
        "_check_seconds",
        "_due",
        "_loop",
        "_timer",
        "_waiter",
        "_writes_at_check",
        "is_due",
        "is_stalled",
        "is_writing",
        "writes",
    )

    def __init__(self, abort: Callable[[], None], check_seconds: float) -> None:
        self._abort = abort
        self._check_seconds = check_seconds
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._due = 0.0
        self._writes_at_check = -1
        self.writes = 0
        self.is_writing = self.is_stalled = False
        self.is_due = True
        self._timer = self._loop.call_later(check_seconds, self._check)

    def wake(self) -> None:
        """Complete the future of `arm`."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def arm(self, until: float) -> asyncio.Future[None]:
        """Completes when woken, or at `until` (loop time). A future, because a coroutine costs more, for each frame."""
        self.is_due = False
        self._due = until
        if self._timer.when() > until:
            self._rearm(until)
        self._waiter = self._loop.create_future()
        return self._waiter

    def close(self) -> None:
        """Cancel the timer: the stream has ended."""
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        if self.is_writing and self._writes_at_check == self.writes:
            self.is_stalled = True
            self._abort()
            return
        self._writes_at_check = self.writes if self.is_writing else -1
        at = now + self._check_seconds
        if now >= self._due:
            self.is_due = True
            self.wake()
        else:
            # A timer may fire slightly early: check again at `_due`.
            at = min(at, self._due)
        self._rearm(at)

    def _rearm(self, at: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(at, self._check)
