"""Key-ordered lanes against plain FastStream, and the runtime's cost against a bare loop (`--quick` does half)."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from bench.questions import CLIENT_SLOTS, DEADLINE_SECONDS, SLOTS, Finished, Scripted, ask
from bench.record_cost import overhead
from bench.report import emit, percentile, rounded_median, say
from schemas.events import ChatRequested
from schemas.settings import Settings
from streams.consuming.runtime import Runtime
from streams.consuming.subscription import Subscription
from streams.publisher import Publisher
from streams.topics import Topic
from tests.support.kafka_topics import kafka, make_topic

SESSIONS, ANSWER_SECONDS = 100, 0.3


@asynccontextmanager
async def runtime(settings: Settings, publisher: Publisher, topic: Topic, handler: Scripted) -> AsyncIterator[None]:
    """Our consumer, assigned and idle."""
    line = Subscription(topic.name, topic, handler, SLOTS, CLIENT_SLOTS, DEADLINE_SECONDS)
    runs, stop = Runtime(settings, [line], publisher), asyncio.Event()
    task = asyncio.create_task(runs.run(stop))
    await warm_up(publisher, topic, handler)
    yield
    stop.set()
    await task


async def warm_up(publisher: Publisher, topic: Topic, handler: Scripted) -> None:
    """Returns when a first question has come through."""
    script, came = handler._script, asyncio.Event()  # noqa: SLF001 - this bench's own class

    async def note(_: ChatRequested) -> None:
        came.set()

    handler._script = note  # noqa: SLF001
    await ask(publisher, topic, ["warm"])
    await asyncio.wait_for(came.wait(), 30)
    handler._script = script  # noqa: SLF001


async def lanes_seconds(settings: Settings, publisher: Publisher, partitions: int) -> float:
    """100 sessions × 0.3 s, from the first send to the last answer."""
    topic, finished = await make_topic(settings, partitions), Finished(SESSIONS)

    async def answer(_: ChatRequested) -> None:
        await asyncio.sleep(ANSWER_SECONDS)
        finished.one()

    async with runtime(settings, publisher, topic, Scripted(answer)):
        began = time.perf_counter()
        await ask(publisher, topic, [f"s{number}" for number in range(SESSIONS)])
        await finished.all.wait()
        return time.perf_counter() - began


async def faststream_seconds(settings: Settings, publisher: Publisher) -> float:
    """The same on 12 partitions with a plain subscriber of `max_workers=12`."""
    topic, finished, warm = await make_topic(settings, 12), Finished(SESSIONS), asyncio.Event()
    broker = KafkaBroker(settings.kafka_bootstrap_servers, logger=None, allow_auto_create_topics=False)

    @broker.subscriber(
        topic.name, group_id=topic.name, max_workers=12, ack_policy=AckPolicy.ACK, auto_offset_reset="earliest"
    )
    async def answer(event: dict[str, Any]) -> None:
        if event["sessionId"] == "warm":
            warm.set()
            return
        await asyncio.sleep(ANSWER_SECONDS)
        finished.one()

    async with broker:
        await broker.start()
        await ask(publisher, topic, ["warm"])
        await asyncio.wait_for(warm.wait(), 60)
        began = time.perf_counter()
        await ask(publisher, topic, [f"s{number}" for number in range(SESSIONS)])
        await finished.all.wait()
        return time.perf_counter() - began


async def others_p99_ms(settings: Settings, publisher: Publisher, *, slow: bool) -> float:
    """Publish-to-answer p99 of 50 sessions on one partition, with or without a 30 s answer among them."""
    topic = await make_topic(settings, 1)
    asked: dict[str, list[float]] = {}
    took: list[float] = []
    finished = Finished(1_000)

    async def answer(event: ChatRequested) -> None:
        if event.session_id == "slow":
            await asyncio.sleep(30)
            return
        took.append((time.perf_counter() - asked[event.session_id].pop(0)) * 1000)
        finished.one()

    async with runtime(settings, publisher, topic, Scripted(answer)):
        if slow:
            await ask(publisher, topic, ["slow"])
        for _ in range(20):
            for session in (f"s{number}" for number in range(50)):
                asked.setdefault(session, []).append(time.perf_counter())
                await ask(publisher, topic, [session])
        await finished.all.wait()
        return percentile(took, 0.99)


async def other_client_first_ms(settings: Settings, publisher: Publisher) -> float:
    """From publishing one client's first question to its start, behind another's 10,000 of 0.3 s each."""
    topic, started = await make_topic(settings, 12), asyncio.Event()

    async def answer(event: ChatRequested) -> None:
        if event.client_id == "modest":
            started.set()
            return
        await asyncio.sleep(ANSWER_SECONDS)

    async with runtime(settings, publisher, topic, Scripted(answer)):
        await ask(publisher, topic, [f"s{number % 2_000}" for number in range(10_000)], "greedy")
        began = time.perf_counter()
        await ask(publisher, topic, ["first"], "modest")
        await asyncio.wait_for(started.wait(), 30)
        return (time.perf_counter() - began) * 1000


async def measure(rounds: int, number: int) -> dict[str, object]:
    """Every figure, the median of the rounds."""
    async with kafka() as settings, Publisher(settings) as publisher:
        say("lanes and FastStream, alternating …")
        one, twelve, plain = [], [], []
        for _ in range(rounds):
            one.append(await lanes_seconds(settings, publisher, 1))
            plain.append(await faststream_seconds(settings, publisher))
            twelve.append(await lanes_seconds(settings, publisher, 12))
        say("a slow session among 50 …")
        quiet = [await others_p99_ms(settings, publisher, slow=False) for _ in range(rounds)]
        slowed = [await others_p99_ms(settings, publisher, slow=True) for _ in range(rounds)]
        say("10,000 questions of another client …")
        first = [await other_client_first_ms(settings, publisher) for _ in range(rounds)]
        say("cost per record …")
        costs = await overhead(settings, publisher, rounds, number)
    return {
        "lanes_1p_s": rounded_median(one),
        "lanes_12p_s": rounded_median(twelve),
        "faststream_12_workers_s": rounded_median(plain),
        "times_faster": round(rounded_median(plain) / max(rounded_median(one), rounded_median(twelve)), 1),
        "others_p99_ms": rounded_median(quiet, 1),
        "others_p99_with_slow_ms": rounded_median(slowed, 1),
        "slow_session_others_p99_ms": round(rounded_median(slowed, 1) - rounded_median(quiet, 1), 1),
        "other_client_first_ms": rounded_median(first, 1),
        **costs,
    }


def main() -> None:
    """`python -m bench.lanes [--quick]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    emit(asyncio.run(measure(rounds=2 if quick else 3, number=10_000 if quick else 20_000)))


if __name__ == "__main__":
    main()
