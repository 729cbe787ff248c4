"""A background task's failure must not go unnoticed."""

import asyncio

import pytest

from gateway.web.background import background
from gateway.web.drain import Drain


async def dies():
    raise KeyError("a bug")


async def test_a_failure_of_the_work_starts_the_drain_and_is_kept():
    drain, ended = Drain(), asyncio.Event()
    drain.on_begin(ended.set)
    async with background("work", dies(), drain), asyncio.timeout(5):
        await ended.wait()

    assert isinstance(drain.failure, KeyError)


async def test_work_is_cancelled_at_the_end_of_its_block_without_a_drain():
    drain, task = Drain(), None

    async def works():
        nonlocal task
        task = asyncio.current_task()
        await asyncio.Event().wait()

    async with background("work", works(), drain):
        await asyncio.sleep(0)

    assert task.cancelled()
    assert not drain.is_on


async def test_an_error_of_the_block_is_raised_unchanged():
    with pytest.raises(ZeroDivisionError):
        async with background("work", asyncio.Event().wait(), Drain()):
            raise ZeroDivisionError
