"""Topics that are deleted, made anew, or get more partitions under a worker and a gateway in processes of their own."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from schemas.events import ChatRequested
from streams.kafka.partitioner import partition_for
from streams.publisher import Publisher
from tests.faults.conftest import question
from tests.faults.topic_changes import PARTITIONS, create, delete, own_log, widen
from tests.support.model_server import expected
from tests.support.patience import SECONDS
from tests.support.visitor import Told

SESSIONS, WIDER = 12, 12
# Half of what a publisher waits for a topic that is not there.
ANSWERED_SECONDS = 5


@pytest.mark.parametrize("name", ["chat.cancelled", "chat.retrieved", "document.progress"])
async def test_whatever_topic_is_away_answers_flow_meanwhile_and_afterwards(site, tmp_path, name):
    async with own_log(site.settings, tmp_path) as site.settings:
        worker, gateway = site.part("worker"), site.part("gateway")
        await asyncio.gather(worker.start(), gateway.start())
        await site.learn()
        site.model.pieces, site.model.pieces_per_second = 10, 100
        try:
            before = await all_answered(site, "before")
            await delete(site.settings, name)
            meanwhile = await all_answered(site, "meanwhile")
            await create(site.settings, name)
            afterwards = await all_answered(site, "afterwards")
            cancelled = await is_cancelled(site)
        finally:
            await asyncio.gather(worker.stop(), gateway.stop())

    assert before == meanwhile == afterwards == []
    assert cancelled == ["cancelled"]
    assert (worker.exit_code, gateway.exit_code) == (0, 0)


async def test_questions_of_new_partitions_are_answered_without_a_restart(site, tmp_path):
    """By a producer that hears of them before the worker does."""
    async with own_log(site.settings, tmp_path) as site.settings:
        worker, gateway = site.part("worker"), site.part("gateway")
        await asyncio.gather(worker.start(), gateway.start())
        await site.learn()
        site.model.pieces, site.model.pieces_per_second = 10, 100
        try:
            for name in ("chat.requested", "chat.completed", "document.progress", "chat.feedback"):
                await widen(site.settings, name, WIDER)
            visitors = [site.visitor(uuid4().hex) for _ in range(SESSIONS)]
            async with (
                Publisher(site.settings) as publisher, asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks
            ):  # fmt: skip
                following = [tasks.create_task(visitor.follow()) for visitor in visitors]
                told = [await ask_the_log(publisher, site, visitor, n) for n, visitor in enumerate(visitors)]
                for one in told:
                    await one.ended.wait()
                for task in following:
                    task.cancel()
        finally:
            await asyncio.gather(worker.stop(), gateway.stop())

    assert [one.text for one in told] == [expected(f"n{number}", 10) for number in range(SESSIONS)]
    assert len({partition_for(visitor.session_id.encode(), WIDER) for visitor in visitors}) > PARTITIONS / 2


async def ask_the_log(publisher, site, visitor, number):
    """As a client's own producer does."""
    message = uuid4()
    await publisher.publish(
        ChatRequested(
            client_id=site.client_id, message_id=message, session_id=visitor.session_id,
            text=question(f"n{number}"), requested_at=datetime.now(UTC),
        )
    )  # fmt: skip
    return visitor.told.setdefault(str(message), Told())


async def all_answered(site, tag):
    """What was told wrong of some questions in sessions of their own."""
    return [problem for problem in await asyncio.gather(*(ask(site, f"{tag}{n}") for n in range(8))) if problem]


async def ask(site, name):
    """Two questions of one session: the second waits until all of the first is done."""
    visitor = site.visitor(uuid4().hex)
    async with asyncio.timeout(ANSWERED_SECONDS), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        for part in ("a", "b"):
            told = await visitor.ask(str(uuid4()), question(name + part))
            await told.ended.wait()
            is_exact = (told.text, told.endings, told.problems) == (expected(name + part, 10), ["completed"], [])
            if not is_exact:
                return told.history
        following.cancel()
    return None


async def is_cancelled(site):
    """How an answer ends whose cancel is said to the log of now."""
    site.model.pieces, site.model.pieces_per_second = 200, 10
    visitor, message = site.visitor(uuid4().hex), str(uuid4())
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("cancelled"))
        while not told.text:
            await asyncio.sleep(0.02)
        assert await visitor.cancel(message) == 202
        await told.ended.wait()
        following.cancel()
    return told.endings
