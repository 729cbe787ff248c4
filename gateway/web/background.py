"""Background work that ends with the block that started it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from gateway.web.drain import Drain

log = structlog.get_logger()


@asynccontextmanager
async def background(name: str, work: Coroutine[Any, Any, None], drain: Drain) -> AsyncIterator[None]:
    """Runs while the block does. A failure is logged, and ends the process through a drain."""

    def report_failure(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("background_failed", component=name, exc_info=failure)
            drain.fail(failure)

    task = asyncio.create_task(work)
    task.add_done_callback(report_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
