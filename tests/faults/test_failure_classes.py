"""A provider's failure leads to a retry, or to an ending, a row and a dead letter."""

import asyncio
import json
import time
from uuid import uuid4

import pytest

from streams.topics import CHAT_REQUESTED
from tests.faults.conftest import question
from tests.faults.rows import counted, logged, records
from tests.support.model_server import expected

RETRY_AFTER_SECONDS = 2
# The default of `streams.consuming.retry.RetryPolicy`.
ATTEMPTS = 5


@pytest.fixture
async def ready(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    return site


async def answered(site, name):
    """What the visitor received, the row, and the seconds from the question to the ending."""
    visitor, message, began = site.visitor(f"s-{name}"), str(uuid4()), time.monotonic()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question(name))
        await told.ended.wait()
        seconds = time.monotonic() - began
        (row,) = (await logged(site, message))[message]
        following.cancel()
    return told, row, seconds


async def test_a_provider_that_is_busy_is_asked_again_when_it_says(ready):
    for status in (429, 500, 529):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 429 else {}
        ready.model.refuse = [(status, headers)]
        name = f"busy{status}"

        told, row, seconds = await answered(ready, name)

        assert (told.endings, told.problems, told.text) == (["completed"], [], expected(name, 20))
        assert (row["attempt"], row["outcome"]) == (told.attempt, "completed")
        assert told.attempt > 1
        assert status != 429 or seconds >= RETRY_AFTER_SECONDS
    assert [served.name for served in ready.model.journal] == ["busy429", "busy500", "busy529"]
    assert await counted(ready) == (3, 0, 60)


async def test_questions_refused_or_failing_too_often_end_as_failed_with_a_dead_letter(ready):
    before = len(await records(ready, CHAT_REQUESTED.dead, 1))
    for name, refusals in (("never", [(400, {})]), ("worn", [(503, {})] * ATTEMPTS)):
        ready.model.refuse = list(refusals)

        told, row, _ = await answered(ready, name)

        assert (told.endings, told.problems) == (["failed"], [])
        assert told.code == ("provider_refused" if name == "never" else "unavailable")
        assert (row["outcome"], row["failure_code"], row["answer"]) == ("failed", told.code, "")
        assert ready.model.refuse == []
    letters = (await records(ready, CHAT_REQUESTED.dead, 1))[before:]
    originals = {
        (record.key, record.value) for record in await records(ready, CHAT_REQUESTED.name, CHAT_REQUESTED.partitions)
    }

    assert [json.loads(letter.value)["text"] for letter in letters] == [question("never"), question("worn")]
    assert all((letter.key, letter.value) in originals for letter in letters), "a dead letter differs from its record"
    assert [dict(letter.headers)["dead-letter-attempts"] for letter in letters] == [b"1", str(ATTEMPTS).encode()]
    assert await counted(ready) == (0, 2, 0)
