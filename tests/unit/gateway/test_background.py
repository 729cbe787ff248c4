"""Work beside a block must not die in silence."""

import asyncio

import pytest

from gateway.web.background import background
from gateway.web.drain import Drain


async def dies():
    raise KeyError("a defect of ours")


async def test_what_work_dies_of_ends_the_process_and_is_kept():
    drain, ended = Drain(), asyncio.Event()
    drain.on_begin(ended.set)
    async with background("work", dies(), drain), asyncio.timeout(5):
        await ended.wait()

    assert isinstance(drain.failure, KeyError)


async def test_work_ends_with_its_block_and_nothing_else_does():
    drain, task = Drain(), None

    async def works():
        nonlocal task
        task = asyncio.current_task()
        await asyncio.Event().wait()

    async with background("work", works(), drain):
        await asyncio.sleep(0)

    assert task.cancelled()
    assert not drain.is_on


async def test_an_error_of_the_block_is_the_blocks_own():
    with pytest.raises(ZeroDivisionError):
        async with background("work", asyncio.Event().wait(), Drain()):
            raise ZeroDivisionError
