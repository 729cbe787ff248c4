"""One client's slow files leave a slot for the next client."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from handlers.readers.fair_slots import FairSlots


async def test_another_clients_file_does_not_wait_for_a_flood():
    slots, end, entered = FairSlots(3, 2), asyncio.Event(), []

    async def read(client, name, wait=True):
        async with slots.held(client):
            entered.append(name)
            if wait:
                await end.wait()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(read("flood", f"a{number}"))
        await asyncio.sleep(0)
        await asyncio.create_task(read("small", "b", wait=False))
        assert entered == ["a0", "a1", "b"]
        end.set()

    assert len(entered) == 21


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30), st.randoms())
def test_slots_are_never_lost_when_waiters_are_cancelled(visits, random):
    async def run():
        slots, running, most = FairSlots(3, 2), [], 0

        async def read(client):
            nonlocal most
            async with slots.held(client):
                running.append(client)
                most = max(most, len(running))
                try:
                    assert running.count(client) <= 2
                    await asyncio.sleep(0)
                finally:
                    running.remove(client)

        tasks = []
        for client, gives_up in visits:
            task = asyncio.create_task(read(client))
            tasks.append(task)
            for _ in range(random.randint(0, 3)):
                await asyncio.sleep(0)
            if gives_up:
                random.choice(tasks).cancel()
        async with asyncio.timeout(5):
            await asyncio.wait(tasks) if tasks else None
        assert most <= 3
        assert not slots.clients

    asyncio.run(run())
