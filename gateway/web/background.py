"""Work that runs beside a block, and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from gateway.web.drain import Drain

log = structlog.get_logger()


@asynccontextmanager
async def background(name: str, work: Coroutine[Any, Any, None], drain: Drain) -> AsyncIterator[None]:
    """Runs while the block does. What it dies of is logged, and ends the process by a drain."""

    def note(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("background_died", part=name, exc_info=failure)
            drain.fail(failure)

    task = asyncio.create_task(work)
    task.add_done_callback(note)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
