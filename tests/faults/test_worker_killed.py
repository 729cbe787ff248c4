"""G2, G3: after `kill -9` of the worker in mid-answer the visitor gets the whole text exactly once."""

import asyncio
from uuid import uuid4

from sqlalchemy import text

from stores.postgres.database import create_engine
from tests.faults.conftest import question
from tests.support.model_server import expected
from tests.support.patience import SECONDS


async def test_the_answer_ends_exactly_once_after_the_worker_was_killed(site):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    site.model.pieces, site.model.pieces_per_second = 60, 20
    visitor, message = site.visitor("s-killed"), str(uuid4())
    async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(visitor.follow())
        told = await visitor.ask(message, question("k1"))
        while len(told.text) < 100:
            await asyncio.sleep(0.02)
        await worker.kill()
        await worker.start()
        await told.ended.wait()
        following.cancel()

    assert told.text == expected("k1", 60)
    assert (told.endings, told.problems) == (["completed"], [])
    assert told.attempt > 1
    await _has_one_row(site, message)


async def _has_one_row(site, message):
    engine = create_engine(site.settings.database_url)
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                async with engine.connect() as connection:
                    rows = await connection.execute(
                        text("SELECT answer FROM chat_logs WHERE message_id = :m"), {"m": message}
                    )
                    answers = rows.scalars().all()
                    usage = await connection.execute(
                        text("SELECT answers, output_tokens FROM usage_stats WHERE client_id = :c"),
                        {"c": site.client_id},
                    )
                    counted = usage.all()
                if answers and counted:
                    break
                await asyncio.sleep(0.05)
    finally:
        await engine.dispose()
    assert answers == [expected("k1", 60)]
    assert counted == [(1, 60)]
