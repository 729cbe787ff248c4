"""Topics that are deleted, recreated, or get more partitions under worker and gateway processes."""

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
from tests.support.visitor import ReceivedAnswer

SESSIONS, WIDER = 12, 12
# Half of a publisher's timeout for a missing topic.
ANSWERED_SECONDS = 5


@pytest.mark.parametrize("name", ["chat.cancelled", "chat.retrieved", "document.progress"])
async def test_answers_flow_while_a_topic_is_away_and_afterwards(site, tmp_path, name):
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
    """The producer learns of the new partitions before the worker does."""
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
    """Publishes a question as a client's own producer does."""
    message = uuid4()
    await publisher.publish(
        ChatRequested(
            client_id=site.client_id, message_id=message, session_id=visitor.session_id,
            text=question(f"n{number}"), requested_at=datetime.now(UTC),
        )
    )  # fmt: skip
    return visitor.received.setdefault(str(message), ReceivedAnswer())


async def all_answered(site, tag):
    """Asks in eight sessions; returns the histories of those with a wrong answer."""
    return [problem for problem in await asyncio.gather(*(ask(site, f"{tag}{n}") for n in range(8))) if problem]


async def ask(site, name):
    """Two questions in one session: the second waits until the first is completely done."""
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
    """The endings of an answer that is cancelled on the recreated log."""
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
