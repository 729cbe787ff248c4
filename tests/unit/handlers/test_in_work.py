"""A single upload goes before a bulk one."""

import asyncio
import os
from contextlib import ExitStack, suppress

import psutil
import pytest

from handlers.ingestion.in_work import DocumentsInWork
from tests.support.knowledge import GUIDE, Knowledge

LONG_SECONDS, SHORT_SECONDS = 60.0, 0.05


def holding(work, *clients):
    stack = ExitStack()
    for client in clients:
        stack.enter_context(work.held(client))
    return stack


async def is_waiting(task):
    """Whether it still waits once all that can run has run."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_a_client_with_several_documents_waits_for_anothers_only_one():
    work = DocumentsInWork(LONG_SECONDS)
    with holding(work, "bulk", "bulk"):
        single = holding(work, "single")
        waiting = asyncio.create_task(work.give_way("bulk"))

        assert await is_waiting(waiting)
        single.close()
        assert not await is_waiting(waiting)


@pytest.mark.parametrize("others", [(), ("bulk",), ("bulk", "second", "second")])
async def test_nobody_waits_where_no_other_client_has_just_one_document(others):
    work = DocumentsInWork(LONG_SECONDS)
    with holding(work, "bulk", *others):
        async with asyncio.timeout(10):
            await work.give_way("bulk")


async def test_clients_with_one_document_each_do_not_wait_for_each_other():
    work = DocumentsInWork(LONG_SECONDS)
    with holding(work, "one", "two"):
        async with asyncio.timeout(10):
            await asyncio.gather(work.give_way("one"), work.give_way("two"))


async def test_a_wait_ends_although_the_other_document_goes_on_or_new_ones_come():
    work = DocumentsInWork(SHORT_SECONDS)

    async def new_ones():
        while True:
            with work.held("single"):
                await asyncio.sleep(SHORT_SECONDS / 5)

    with holding(work, "bulk", "bulk", "slow"):
        coming = asyncio.create_task(new_ones())
        async with asyncio.timeout(10):
            await work.give_way("bulk")
        coming.cancel()


async def test_the_readers_of_a_client_with_several_documents_give_way_to_those_of_others(tmp_path):
    knowledge = Knowledge(tmp_path)
    first = await knowledge.uploaded(GUIDE * 10)
    second, third = (first.model_copy(update={"document_id": name}) for name in ("doc_2", "doc_3"))

    assert await highest_niceness(knowledge.handle(first)) == os.nice(0)
    assert await highest_niceness(knowledge.handle(second), knowledge.handle(third)) > os.nice(0)


async def highest_niceness(*runs):
    """Of the child processes that read."""
    found = {os.nice(0)}
    tasks = [asyncio.create_task(run) for run in runs]
    while not all(task.done() for task in tasks):
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):
                found.add(child.nice())
        await asyncio.sleep(0.005)
    return max(found)
