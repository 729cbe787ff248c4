"""Simulated time: an event loop whose clock jumps to the next timer."""

import asyncio


class JumpingLoop(asyncio.BaseEventLoop):
    """An event loop that never waits: when nothing is ready its clock jumps to the next timer."""

    def __init__(self):
        super().__init__()
        self._now = 0.0
        self._selector = self

    def time(self):
        return self._now

    def select(self, timeout):
        assert timeout is not None, "everything waits and no timer will ever wake it"
        self._now += timeout
        return []

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def simulate(work):
    """Run a coroutine on a clock of its own."""
    loop = JumpingLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
