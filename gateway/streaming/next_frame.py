"""Waiting for a session's next frame, in the request's own task: no task and no queue per client."""

import asyncio

from starlette.types import Receive

from gateway.replay.buffers import ReplayBuffers
from gateway.replay.subscriptions import Session


async def next_frame(buffers: ReplayBuffers, session: Session, receive: Receive, until: float) -> bool:
    """Returns at the session's next frame, when woken, or at `until` (loop time). False: the client disconnected.

    It waits for the disconnect with a timeout, which a frame reschedules to now: one coroutine waits for both.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(until) as timer:

            def wake() -> None:
                # An expired timeout raises when it is rescheduled, and has ended the wait already.
                if not timer.expired():
                    timer.reschedule(loop.time())

            buffer = buffers.join(session.key, session.partition, wake)
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                buffers.leave(buffer, wake)
    except TimeoutError:
        return True
    return False
