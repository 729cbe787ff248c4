"""I15: a consumer that stalls is rebuilt, and a process whose loop is blocked ends with the reason."""

import asyncio
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from streams.consuming import watchdog
from streams.dead_letters.limit import TooManyDeadLettersError
from streams.publisher import Publisher
from tests.faults.rebalancing import guest
from tests.integration.kafka import ask, asked, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

QUICK_TO_NOTICE = {"stalled_seconds": 3.0, "watch_interval_seconds": 0.5}


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


@pytest.fixture
def logs():
    with capture_logs() as logs:
        yield logs


def rebuilt(logs):
    """The reasons why our watchdog rebuilt the consumer; recoveries by aiokafka itself are not included."""
    return [line["reason"] for line in logs if line["event"] == "consumer_rebuilt"]


async def test_a_consumer_goes_on_after_its_loop_was_blocked_for_longer_than_its_session(settings, publisher, logs):
    """aiokafka #847, #1037: after the rejoin its fetching sometimes does not resume; here it never does."""
    limits = {"session_timeout_ms": 6_000, "stalled_seconds": 4.0, "watch_interval_seconds": 0.5}
    topic = await make_topic(settings)

    async def block(event):
        if event.text == "block":
            time.sleep(10)
            _end_fetching()

    handler = RecordingHandler(block)
    async with running(settings, publisher, subscription(topic, handler, limits=limits)):
        await ask(publisher, topic, asked("a", "block"))
        await handler.until(lambda h: h.by_session["a"])
        await ask(publisher, topic, asked("b", "after"))
        await handler.until(lambda h: h.by_session["b"])

    assert rebuilt(logs), "it went on by itself"


async def test_a_consumer_whose_fetching_has_ended_is_rebuilt(settings, publisher, logs):
    """aiokafka #983, #1007: the fetch task ends silently; only the lag behind the end offset shows it."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits=QUICK_TO_NOTICE)
    async with running(settings, publisher, line) as run:
        await ask(publisher, topic, asked("a", "before"))
        await handler.until(lambda h: h.by_session["a"])
        _end_fetching()
        await ask(publisher, topic, asked("b", "after"))
        await handler.until(lambda h: h.by_session["b"])
        assert not run.done()

    assert rebuilt(logs), "it went on by itself"


async def test_a_consumer_that_joins_again_and_looks_up_no_position_is_rebuilt(settings, publisher, logs):
    """The fetch task also looks up start positions: without it no position is known and no lag is visible."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits=QUICK_TO_NOTICE)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("a", "before"))
        await handler.until(lambda h: h.by_session["a"])
        _end_fetching()
        async with guest(settings, line):
            pass
        await ask(publisher, topic, asked("b", "after"))
        await handler.until(lambda h: h.by_session["b"])

    assert rebuilt(logs), "it went on by itself"


def _end_fetching():
    ended = [task for task in asyncio.all_tasks() if "Fetcher._" in repr(task.get_coro())]
    assert ended
    for task in ended:
        task.cancel()


async def test_a_mass_of_dead_letters_stops_the_consumer_loudly(settings, publisher):
    topic = await make_topic(settings)

    async def refuse(_):
        raise ValueError("nothing works")

    handler = RecordingHandler(refuse)
    with pytest.raises(ExceptionGroup) as caught:
        line = subscription(topic, handler, limits={"max_dead_letters_in_a_row": 5})
        async with running(settings, publisher, line) as run:
            await ask(publisher, topic, *(asked(f"s{number}", "x") for number in range(10)))
            await asyncio.wait_for(asyncio.shield(run), SECONDS)

    assert caught.group_contains(TooManyDeadLettersError)


def test_a_process_whose_loop_is_blocked_ends_with_the_reason():
    script = """
import asyncio, time
from streams.consuming import watchdog
watchdog.BLOCKED_SECONDS, watchdog.HEARTBEAT_SECONDS = 1.0, 0.1
async def main():
    with watchdog.blocked_loop_ends_process():
        await asyncio.sleep(0.5)
        time.sleep(20)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == watchdog.EX_SOFTWARE
    assert "event loop has been blocked" in ended.stderr
