"""Memory of a worker whose every handler fails, under a steady inflow: `--minutes 10`; target: flat within ±10 %.

The runtime has its own process; this one feeds and watches it. Start and end are medians of a minute each,
the first after the buffers are full.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from statistics import median
from uuid import uuid4

import psutil

from bench.report import emit, say
from schemas.events import ChatRequested, Event
from schemas.failures import RetryableError
from schemas.settings import Settings
from streams.consuming.limits import ConsumerLimits
from streams.consuming.retry import RetryPolicy
from streams.consuming.runtime import Runtime
from streams.consuming.subscription import Subscription
from streams.publisher import Publisher
from streams.topics import CHAT_REQUESTED, Topic
from tests.support.kafka_topics import kafka, make_topic

HIGH_WATER_RECORDS = 2_000
RECORDS_PER_SECOND = 400
PARTITIONS = 4
WARM_UP_SECONDS = 45.0
MEASURE_SECONDS = 60.0
OUTAGE = RetryPolicy(attempts=1_000_000, first_seconds=0.5, longest_seconds=5.0)


class Failing:
    """A handler during a provider outage that never ends."""

    async def handle(self, _event: ChatRequested) -> AsyncIterator[Event]:
        """Always raises."""
        for nothing in tuple[Event, ...]():
            yield nothing
        raise RetryableError("away")

    async def give_up(self, _event: ChatRequested, _error: Exception) -> AsyncIterator[Event]:
        """Never reached: the attempts do not run out."""
        for nothing in tuple[Event, ...]():
            yield nothing


def _topic(name: str) -> Topic:
    return Topic(name, "session_id", CHAT_REQUESTED.events, PARTITIONS)


async def fail_forever(name: str) -> None:
    """What the watched process does; Kafka's address is in its environment."""
    settings = Settings()
    async with Publisher(settings) as publisher:
        limits = ConsumerLimits(high_water_records=HIGH_WATER_RECORDS)
        line = Subscription(name, _topic(name), Failing(), 256, 192, 10.0, OUTAGE, limits)
        await Runtime(settings, [line], publisher).run(asyncio.Event())


async def feed(settings: Settings, topic: Topic) -> None:
    """A steady inflow of different sessions."""
    async with Publisher(settings) as publisher:
        for number in count():
            event = ChatRequested(
                client_id=f"c{number % 50}", message_id=uuid4(), session_id=f"s{number % 5_000}", text="x" * 200,
                requested_at=datetime.now(UTC),
            )  # fmt: skip
            headers = [("client-id", event.client_id.encode())]
            await publisher.send_raw(topic.name, event.session_id.encode(), event.model_dump_json().encode(), headers)
            await asyncio.sleep(1 / RECORDS_PER_SECOND)


async def watch(pid: int, seconds: float) -> list[float]:
    """Resident megabytes, once a second."""
    process, found, until = psutil.Process(pid), [], time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(process.memory_info().rss / 1e6)
        await asyncio.sleep(1)
    return found


async def measure(minutes: float) -> dict[str, object]:
    """Start, end and peak."""
    async with kafka() as settings:
        topic = await make_topic(settings, PARTITIONS)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.memory", "--fail-on", topic.name,
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        feeding = asyncio.create_task(feed(settings, topic))
        try:
            await asyncio.sleep(WARM_UP_SECONDS)
            say("warm: measuring")
            found = await watch(child.pid, minutes * 60)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            child.kill()
            await child.wait()
    edge = int(MEASURE_SECONDS)
    start, end = median(found[:edge]), median(found[-edge:])
    return {
        "minutes": minutes,
        "rss_mb_start": round(start, 1),
        "rss_mb_end": round(end, 1),
        "peak_mb": round(max(found), 1),
        "change_percent": round((end / start - 1) * 100, 1),
    }


def main() -> None:
    """`python -m bench.memory [--minutes 10] [--quick]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fail-on", metavar="TOPIC", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fail_on:
        asyncio.run(fail_forever(given.fail_on))
    else:
        emit(asyncio.run(measure(2 if given.quick else given.minutes)))


if __name__ == "__main__":
    main()
