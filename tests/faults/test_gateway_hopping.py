"""G4, I1, I6: a page that switches between two gateways, one of which is killed, shows exactly the published text."""

import asyncio
import os
import random
from collections import Counter
from uuid import uuid4

from streams.publisher import Publisher
from tests.faults.hopping import Hopper, scripted_answer

SESSIONS, ANSWERS = 500, 2
AT_ONCE = 30
DEADLINE_SECONDS = 80
PACE_SECONDS = (0.0, 0.016)


async def test_a_page_that_hops_at_random_shows_exactly_the_told_text_a_thousand_times(site, record_property):
    """`HOPPING_SEED` repeats a run."""
    seed = int(os.environ.get("HOPPING_SEED", random.randrange(2**32)))
    record_property("seed", seed)
    stays, falls = site.part("gateway-a"), site.part("gateway-b")
    await asyncio.gather(stays.start(), falls.start())
    ways: Counter[str] = Counter()
    turns, done = asyncio.Semaphore(AT_ONCE), asyncio.Queue()

    async def one(number):
        rng, session_id = random.Random(f"{seed}/{number}"), uuid4().hex
        answers = [scripted_answer(rng, site.client_id, session_id) for _ in range(ANSWERS)]
        hopper = Hopper(rng, site.http, site.urls, site.keys.secret)
        async with turns, asyncio.TaskGroup() as both:
            both.create_task(publish(publisher, random.Random(f"{seed}/{number}/pace"), answers))
            both.create_task(hopper.follow(session_id, ANSWERS))
        shown = {name: (answer.text, answer.state) for name, answer in hopper.page.answers.items()}
        assert shown == {str(answer.message_id): (answer.text, "completed") for answer in answers}, f"seed {seed}"
        ways.update(hopper.ways)
        done.put_nowait(number)

    async def kill_one():
        for _ in range(SESSIONS // 3):
            await done.get()
        await falls.kill()
        await falls.start()

    async with asyncio.timeout(DEADLINE_SECONDS), Publisher(site.settings) as publisher, asyncio.TaskGroup() as tasks:
        tasks.create_task(kill_one())
        for number in range(SESSIONS):
            tasks.create_task(one(number), name=f"seed {seed}, session {number}")

    record_property("connections", dict(ways))
    assert ways["header"] > SESSIONS
    assert ways["query"] > SESSIONS
    assert ways["refused"], "no connection was refused while a gateway was down"


async def publish(publisher, rng, answers):
    waiting = []
    for answer in answers:
        for event in answer.events:
            waiting.append(await publisher.send(event))
            await asyncio.sleep(rng.uniform(*PACE_SECONDS))
    await asyncio.gather(*waiting)
