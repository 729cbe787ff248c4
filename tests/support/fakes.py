"""Scripted test doubles of the ports."""

import asyncio
from collections import defaultdict

from tests.support.patience import SECONDS


class RecordingHandler:
    """Records the events it was given. `script(event)` may wait, raise, or return events to yield."""

    def __init__(self, script=None, ending=None):
        self._script, self._ending = script, ending
        self.started, self.finished, self.given_up = [], [], []
        self.by_session = defaultdict(list)
        self._changed = asyncio.Condition()

    async def handle(self, event):
        self.started.append(event)
        events = await self._script(event) if self._script else ()
        for one in events or ():
            yield one
        self.finished.append(event)
        self.by_session[event.session_id].append(event.text)
        await self._notify()

    async def give_up(self, event, error):
        for one in await self._ending(event, error) if self._ending else ():
            yield one
        self.given_up.append((event, error))
        await self._notify()

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition, timeout_seconds=SECONDS):
        """Wait until `condition(self)` holds; it is checked after each handled event."""
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: condition(self))
