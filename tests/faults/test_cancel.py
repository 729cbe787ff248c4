"""G8: a cancel stops the spending, keeps what was said, and is harmless at any other time."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from bench.model_server import expected
from stores.clients import Client, Clients, Keys
from stores.database import create_engine
from tests.faults.conftest import question


@pytest.fixture
async def ready(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    site.model.pieces, site.model.pieces_per_second = 60, 20
    return site


async def logged(site, message):
    engine = create_engine(site.settings.database_url)
    try:
        async with asyncio.timeout(10):
            while True:
                async with engine.connect() as connection:
                    found = await connection.execute(
                        text("SELECT outcome, answer, usage FROM chat_logs WHERE message_id = :m"), {"m": message}
                    )
                    rows = found.all()
                if rows:
                    return rows
                await asyncio.sleep(0.05)
    finally:
        await engine.dispose()


async def test_a_cancel_closes_the_providers_stream_and_keeps_the_partial_answer(ready, record_property):
    visitor, message = ready.visitor("s"), str(uuid4())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("c1"))
        while len(told.text) < 50:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        assert await visitor.cancel(message) == 202
        await told.ended.wait()
        while ready.model.journal[-1].ended is None:
            await asyncio.sleep(0.01)
        following.cancel()
    closed_ms = (ready.model.journal[-1].ended - began) * 1000
    record_property("closed_ms", round(closed_ms))
    ((outcome, answer, usage),) = await logged(ready, message)

    assert ready.model.journal[-1].was_cut
    assert closed_ms <= 500
    assert (told.endings, told.problems, outcome) == (["cancelled"], [], "cancelled")
    assert answer == told.text
    assert expected("c1", 60).startswith(answer)
    assert usage["outputTokens" if "outputTokens" in usage else "output_tokens"] > 0


async def test_a_cancel_after_the_end_twice_or_of_anothers_message_changes_nothing(ready):
    ready.model.pieces = 20
    other = Keys("pk_intruder", "sk_intruder")
    engine = create_engine(ready.settings.database_url)
    await Clients(engine).ensure(Client("intruder", "Intruder", "free", ("*",)), other)
    await engine.dispose()
    visitor, message = ready.visitor("s"), str(uuid4())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("c2"))
        while not told.text:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=ready.urls[0], trust_env=False) as http:
            headers = {"authorization": f"Bearer {other.secret}"}
            await http.post(f"/chat/{message}/cancel", headers=headers, json={"sessionId": "s"})
        await told.ended.wait()
        for _ in range(2):
            assert await visitor.cancel(message) == 202
        again = await visitor.ask(str(uuid4()), question("c3"))
        await again.ended.wait()
        following.cancel()

    assert (told.endings, told.problems, told.text) == (["completed"], [], expected("c2", 20))
    assert (again.endings, again.problems, again.text) == (["completed"], [], expected("c3", 20))
    assert [row.outcome for row in await logged(ready, message)] == ["completed"]


async def test_a_cancel_before_the_start_ends_the_answer_without_asking_the_model(ready):
    visitor, first, second = ready.visitor("s"), str(uuid4()), str(uuid4())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        running = await visitor.ask(first, question("c4"))
        waiting = await visitor.ask(second, question("c5"))
        await visitor.cancel(second)
        await running.ended.wait()
        await waiting.ended.wait()
        following.cancel()

    assert running.endings == ["completed"]
    assert waiting.endings == ["cancelled"]
    assert [served.name for served in ready.model.journal] == ["c4"]
