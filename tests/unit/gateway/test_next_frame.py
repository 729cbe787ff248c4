"""Waiting for a frame must never disturb the tail that delivers it."""

import asyncio

import pytest

from gateway.replay.buffers import ReplayBuffers
from gateway.replay.subscriptions import Session
from gateway.streaming.next_frame import next_frame
from tests.support.fakes_tail import CLIENT, frame

SESSION = Session(CLIENT, "s", 0, 0)


async def silent():
    await asyncio.Event().wait()


@pytest.mark.parametrize("is_late", [False, True], ids=["woken", "the time is up"])
async def test_frames_that_arrive_while_a_waiter_is_leaving_disturb_nobody(is_late):
    buffers, loop = ReplayBuffers(), asyncio.get_running_loop()
    until = loop.time() + (0 if is_late else 60)
    waiting = asyncio.create_task(next_frame(buffers, SESSION, silent, until))
    await asyncio.sleep(0)
    for seq, event in enumerate(("started", "delta", "delta", "delta")):
        buffers.append(SESSION.key, 0, frame(seq, event, seq=seq))
        await asyncio.sleep(0)

    assert await asyncio.wait_for(waiting, 5)
