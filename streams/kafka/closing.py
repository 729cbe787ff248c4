"""Closes aiokafka objects, which may hang or raise while they close."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

from streams.kafka.internals import background_components

CLOSE_SECONDS = 10.0

log = structlog.get_logger()


async def close_rest(kafka: AIOKafkaConsumer) -> None:
    """Close what a failed `stop` left open: it would keep connecting."""
    for part in background_components(kafka):
        await is_stopped(part.close())


async def is_stopped(stopping: Coroutine[Any, Any, None]) -> bool:
    """Whether it stopped without an error within `CLOSE_SECONDS`."""
    reason = await failure(stopping, CLOSE_SECONDS)
    if reason is not None:
        log.warning("kafka_close_failed", error=reason)
    return reason is None


async def failure(work: Coroutine[Any, Any, None], budget_seconds: float) -> str | None:
    """What went wrong, in words, or None.

    aiokafka can hang on a heartbeat (#773), and can raise the `CancelledError` of its own task: within a task with a
    deadline, neither reaches the caller.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=budget_seconds)
        if not task.done():
            return f"not done within {budget_seconds:.0f} s"
        if task.cancelled():
            return "cancelled"
        return repr(error) if (error := task.exception()) is not None else None
    finally:
        task.cancel()
