"""What a provider's failures become: another try, or an ending and a dead letter."""

import asyncio
from uuid import uuid4

import pytest

from bench.model_server import expected
from tests.faults.conftest import question
from tests.integration.kafka import read_all


@pytest.fixture
async def ready(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    return site


async def answered(site, name, timeout_seconds=60):
    visitor = site.visitor(f"s-{name}")
    async with asyncio.timeout(timeout_seconds), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(str(uuid4()), question(name))
        await told.ended.wait()
        following.cancel()
    return told


@pytest.mark.parametrize("status", [429, 500, 529])
async def test_a_provider_that_is_busy_is_asked_again(ready, status):
    ready.model.refuse = [(status, {})]

    told = await answered(ready, f"busy{status}")

    assert (told.endings, told.problems, told.text) == (["completed"], [], expected(f"busy{status}", 20))


async def test_retry_after_is_obeyed(ready):
    loop = asyncio.get_running_loop()
    ready.model.refuse = [(429, {"retry-after": "3"})]
    began = loop.time()

    told = await answered(ready, "later")

    assert told.text == expected("later", 20)
    assert loop.time() - began >= 3


async def test_what_cannot_succeed_ends_as_failed_and_is_kept(ready):
    before = len(await read_all(ready.settings, "chat.retrieved.dead", 0))
    ready.model.refuse = [(400, {})] * 3

    told = await answered(ready, "never")
    letters = await read_all(ready.settings, "chat.retrieved.dead", before + 1)

    assert (told.endings, told.problems) == (["failed"], [])
    assert told.code
    assert b"ask-never" in letters[-1].value
