"""Waiting for a session's next frame, in the request's own task: no task and no queue per client."""

import asyncio

from starlette.types import Receive

from gateway.attach import Session
from gateway.rings import Rings


async def next_frame(rings: Rings, session: Session, receive: Receive, until: float) -> bool:
    """Returns at the session's next frame, when woken, or at `until` (loop time). False: the client is gone.

    While it waits for the client's disconnect, the ring sets the timer of that wait to now: one coroutine for both.
    """
    try:
        async with asyncio.timeout_at(until) as timer:
            rings.wait(session.key, session.partition, timer)
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                rings.leave(session.key, timer)
    except TimeoutError:
        return True
    return False
