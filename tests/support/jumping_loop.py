"""Simulated time: an event loop whose clock jumps to the next timer."""

import asyncio


class JumpingLoop(asyncio.BaseEventLoop):
    """An event loop that never waits: when nothing is ready its clock jumps to the next timer, which may fire early."""

    def __init__(self, early_seconds):
        super().__init__()
        self._now = 0.0
        self._early_seconds = early_seconds
        self._clock_resolution = max(self._clock_resolution, early_seconds)
        self._selector = self

    def time(self):
        return self._now

    def select(self, timeout):
        assert timeout is not None, "every task waits and no timer is set"
        self._now += max(0.0, timeout - self._early_seconds * 0.9)
        return []

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def simulate(work, early_seconds=0.0):
    """Run a coroutine on a clock of its own."""
    loop = JumpingLoop(early_seconds)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
