"""Owns the processes of a stack: when one dies all are stopped, and none outlives the stack."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chatconnect.embedded.process import PartError, Process

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A dead part shows first as broken connections in the parts that use it.
EXIT_DETECTION_SECONDS = 0.5

Stop = Callable[[], Awaitable[None]]


class Supervisor:
    """The first of `SIGNALS` ends `run` and leads to `stop`; a second one kills everything and this process."""

    def __init__(self) -> None:
        self._layers: list[list[tuple[Process, Stop]]] = [[]]
        self._watches: list[asyncio.Task[None]] = []
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, process: Process, stop: Stop) -> None:
        """Watches for the process's death."""
        self._layers[-1].append((process, stop))
        self._watches.append(asyncio.create_task(self._watch(process)))

    def begin_layer(self) -> None:
        """Processes added after this use the earlier ones, and are stopped before them."""
        self._layers.append([])

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` until it returns, a signal comes, or a part dies, which raises `PartError`."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        task = asyncio.create_task(work)
        await asyncio.wait({task, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and task.exception():
            await asyncio.wait({self._ended}, timeout=EXIT_DETECTION_SECONDS)
        task.cancel()
        await asyncio.wait({task})
        if self._ended.done():
            self._ended.result()
        elif not task.cancelled():
            task.result()

    async def stop(self) -> None:
        """Stops all, the newest layer first; returns when none is left."""
        for watch in self._watches:
            watch.cancel()
        for layer in reversed(self._layers):
            await asyncio.gather(*(stop() for _, stop in layer))

    async def _watch(self, process: Process) -> None:
        await process.wait()
        if not self._ended.done():
            self._ended.set_exception(PartError(process.exit_reason()))

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
            return
        for layer in self._layers:
            for process, _ in layer:
                process.kill()
        os._exit(128 + number)
