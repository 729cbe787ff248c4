"""G3: a question that is sent, delivered or taken over many times has one answer, one row, one count."""

import asyncio
import json
import shutil
import signal
from itertools import islice
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from handlers.answering.answer_events import replay_ending
from streams.publisher import Publisher
from tests.faults.conftest import question
from tests.faults.questions import asked, retrieved
from tests.faults.rows import counted, fetch, logged, records
from tests.support import processes
from tests.support.model_server import expected
from tests.support.visitor import ReceivedAnswer


async def test_a_question_sent_and_delivered_many_times_is_answered_once(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    visitor, message, last_message = site.visitor("s"), str(uuid4()), str(uuid4())
    event = asked(site, "s", "x1", message)
    async with asyncio.timeout(60), Publisher(site.settings) as publisher, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        await asyncio.gather(*(visitor.ask(message, question("x1")) for _ in range(5)))
        for _ in range(5):
            await publisher.publish(event)
        told = visitor.received[message]
        await told.ended.wait()
        for _ in range(5):
            await publisher.publish(event)
        # The redeliveries precede this one in the same lanes: once it is logged, all of them were handled.
        last = await visitor.ask(last_message, question("x2"))
        await last.ended.wait()
        rows = await logged(site, message, last_message)
        following.cancel()

    assert (told.endings, told.problems, told.text) == (["completed"], [], expected("x1", 20))
    assert [row["answer"] for row in rows[message]] == [expected("x1", 20)]
    assert await counted(site) == (2, 0, 40)
    assert [served.name for served in site.model.journal] == ["x1", "x2"]


async def test_a_stored_but_unpublished_ending_is_published_in_full_without_asking_again(site):
    """As if the worker had died between storing and publishing; the second message was published in part."""
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    visitor, first, unpublished, half_published = site.visitor("s"), *(str(uuid4()) for _ in range(3))
    async with asyncio.timeout(60), Publisher(site.settings) as publisher, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        await (await visitor.ask(first, question("e1"))).ended.wait()
        for message in (unpublished, half_published):
            await _store_ending_of(site, first, message)
        event = asked(site, "s", "e1", half_published)
        for stored in islice(replay_ending(await _ending(site, half_published), retrieved(event)), 4):
            await publisher.publish(stored)
        await publisher.publish(event)
        await (await visitor.ask(unpublished, question("e1"))).ended.wait()
        await visitor.received.setdefault(half_published, ReceivedAnswer()).ended.wait()
        rows = await logged(site, first, unpublished, half_published)
        following.cancel()

    for message in (first, unpublished, half_published):
        told = visitor.received[message]
        assert (told.endings, told.problems, told.text) == (["completed"], [], expected("e1", 20))
        assert [row["answer"] for row in rows[message]] == [expected("e1", 20)]
    assert await counted(site) == (3, 0, 60)
    assert [served.name for served in site.model.journal] == ["e1"]


async def _ending(site, message):
    (row,) = await fetch(site, "SELECT ending FROM answer_attempts WHERE message_id = $1", UUID(message))
    return json.loads(row["ending"])


async def _store_ending_of(site, first, message):
    ending = json.dumps(await _ending(site, first)).replace(first, message)
    connection = await asyncpg.connect(site.settings.database_url, ssl=False)
    try:
        await connection.execute(
            "INSERT INTO answer_attempts (client_id, message_id, attempt, holder, lease_until, ending, updated_at)"
            " VALUES ($1, $2, 1, 'dead', now(), $3, now())",
            site.client_id, UUID(message), ending,
        )  # fmt: skip
    finally:
        await connection.close()


@pytest.mark.parametrize("successor", ["of the same name", "of another name"])
async def test_a_zombie_that_wakes_up_after_its_answers_were_taken_over_says_nothing(site, successor):
    """With the same name Kafka fences it at once while its leases still run; with another name the successor
    starts after session and leases have expired.
    """
    zombie, gateway = site.part("worker"), site.part("gateway")
    name = "faults" if successor == "of the same name" else ""
    vectors = site.folder / "second"
    second = processes.worker(
        site.settings, site.folder / "second.log", only="answering", INSTANCE_ID=name, QDRANT_URL=str(vectors)
    )
    site.parts["worker2"] = second
    await asyncio.gather(zombie.start(), gateway.start())
    await site.learn()
    site.model.pieces, site.model.pieces_per_second = 45, 15
    visitors = [site.visitor(f"z{number}") for number in range(4)]
    async with asyncio.timeout(110), asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(visitor.follow()) for visitor in visitors]
        answers = [await visitor.ask(str(uuid4()), question(f"z{number}")) for number, visitor in enumerate(visitors)]
        while not all(len(told.text) > 20 for told in answers):
            await asyncio.sleep(0.02)
        zombie.signal(signal.SIGSTOP)
        try:
            # The frozen worker still locks its own vectors folder.
            await asyncio.to_thread(shutil.copytree, site.settings.qdrant_url, vectors)
            await second.start()
            await asyncio.gather(*(told.ended.wait() for told in answers))
        finally:
            zombie.signal(signal.SIGCONT)
        await _is_idle(zombie)
        rows = await logged(site, *(message for visitor in visitors for message in visitor.received))
        for task in following:
            task.cancel()

    for number, told in enumerate(answers):
        assert (told.endings, told.problems, told.text) == (["completed"], [], expected(f"z{number}", 45))
        assert told.attempt > 1
    assert [len(found) for found in rows.values()] == [1] * 4
    assert await counted(site) == (4, 0, 180)
    told_attempts = {message: told.attempt for visitor in visitors for message, told in visitor.received.items()}
    ended = [json.loads(record.value) for record in await records(site, "chat.completed", 24)]
    attempts = {(end["messageId"], end["attempt"]) for end in ended if end["messageId"] in told_attempts}
    assert attempts == set(told_attempts.items()), "the zombie published an ending of its own"


async def _is_idle(worker):
    """Waits until no record is being handled."""
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as http:
        while 'chatconnect_running_records{handler="answering"} 0.0' not in (await http.get(worker.url)).text:
            await asyncio.sleep(0.1)
