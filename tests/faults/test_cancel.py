"""G8: a cancel stops the spending, keeps the partial answer, and is harmless at any other time."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest

from schemas.events import ChatCancelled
from stores.postgres.clients import Client, Clients, Keys
from stores.postgres.database import create_engine
from streams.publisher import Publisher
from tests.faults.conftest import question
from tests.faults.rows import counted, logged
from tests.support.model_server import expected

CLOSED_MS = 500


@pytest.fixture
async def ready(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    site.model.pieces, site.model.pieces_per_second = 60, 20
    return site


async def test_a_cancel_closes_the_providers_stream_and_keeps_the_partial_answer(ready, record_property):
    visitor, message = ready.visitor("s"), str(uuid4())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("c1"))
        while len(told.text) < 50:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        assert await visitor.cancel(message) == 202
        assert await visitor.cancel(message) == 202
        await told.ended.wait()
        while ready.model.journal[-1].ended is None:
            await asyncio.sleep(0.01)
        rows = await logged(ready, message)
        following.cancel()
    closed_ms = (ready.model.journal[-1].ended - began) * 1000
    sys.stdout.write(f"the provider's stream was closed {closed_ms:.0f} ms after the POST\n")
    record_property("closed_ms", round(closed_ms))
    (row,) = rows[message]
    answers, _, output_tokens = await counted(ready)

    assert ready.model.journal[-1].was_cut
    assert closed_ms <= CLOSED_MS
    assert (told.endings, told.problems, row["outcome"]) == (["cancelled"], [], "cancelled")
    assert row["answer"] == told.text
    assert expected("c1", 60).startswith(told.text)
    assert answers == 1
    assert output_tokens == json.loads(row["usage"])["outputTokens"] > 0


async def test_a_cancel_ends_an_answer_that_waits_for_a_busy_provider(ready):
    """The provider asks for a retry in ten minutes; the cancel ends the answer at once."""
    visitor, message = ready.visitor("s"), str(uuid4())
    ready.model.refuse = [(429, {"retry-after": "600"})]
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("c6"))
        while ready.model.refuse:
            await asyncio.sleep(0.01)
        assert await visitor.cancel(message) == 202
        await told.ended.wait()
        following.cancel()

    assert (told.endings, told.problems, told.text) == (["cancelled"], [], "")
    assert "c6" not in [served.name for served in ready.model.journal if served.ended is not None]


async def test_a_cancel_before_the_start_after_the_end_or_of_anothers_message(ready):
    ready.model.pieces = 20
    visitor = ready.visitor("s")
    running, waiting, not_asked_yet, last = (str(uuid4()) for _ in range(4))
    async with asyncio.timeout(60), Publisher(ready.settings) as publisher, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        await publisher.publish(
            ChatCancelled(
                client_id=ready.client_id,
                message_id=UUID(not_asked_yet),
                session_id="s",
                cancelled_at=datetime.now(UTC),
            )
        )
        told = await visitor.ask(running, question("c2"))
        queued = await visitor.ask(waiting, question("c3"))
        early = await visitor.ask(not_asked_yet, question("c4"))
        while not told.text:
            await asyncio.sleep(0.01)
        assert await _cancel_by_intruder(ready, running) == 404
        assert await visitor.cancel(waiting) == 202
        await asyncio.gather(*(one.ended.wait() for one in (told, queued, early)))
        for _ in range(2):
            assert await visitor.cancel(running) == 202
        next_one = await visitor.ask(last, question("c5"))
        await next_one.ended.wait()
        rows = await logged(ready, running, waiting, not_asked_yet, last)
        following.cancel()

    assert (told.endings, told.problems, told.text) == (["completed"], [], expected("c2", 20))
    assert (queued.endings, queued.problems, queued.text) == (["cancelled"], [], "")
    assert (early.endings, early.problems, early.text) == (["cancelled"], [], "")
    assert (next_one.endings, next_one.problems, next_one.text) == (["completed"], [], expected("c5", 20))
    assert visitor.endings == [running, waiting, not_asked_yet, last]
    assert [served.name for served in ready.model.journal] == ["c2", "c5"], "a cancelled question was sent"
    outcomes = [[row["outcome"] for row in found] for found in rows.values()]
    assert outcomes == [["completed"], ["cancelled"], ["cancelled"], ["completed"]]
    assert (await counted(ready))[2] == 40


async def _cancel_by_intruder(site, message):
    """Another client cancels with the ids of this message and session, which are not its own."""
    keys = Keys("pk_intruder", "sk_intruder")
    engine = create_engine(site.settings.database_url)
    try:
        await Clients(engine).ensure(Client("intruder", "Intruder", "free", ("*",)), keys)
    finally:
        await engine.dispose()
    headers = {"authorization": f"Bearer {keys.secret}"}
    async with httpx.AsyncClient(base_url=site.urls[0], trust_env=False, headers=headers) as http:
        return (await http.post(f"/chat/{message}/cancel", json={"sessionId": "s"})).status_code
