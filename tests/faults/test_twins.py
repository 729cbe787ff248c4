"""Two workers with one instance id, and rebuilds of a fenced consumer (`docs/faults.md`)."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from streams.consuming import watchdog
from streams.consuming.runtime import Runtime
from streams.consuming.watchdog import ReplacedError
from streams.stall_detector import ConsumerStalledError
from tests.faults.rebalancing import are, eventually, is_committed
from tests.integration.kafka import ask, asked, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

SOON = {"stalled_seconds": 2.0, "start_seconds": 5.0, "restart_pause_seconds": 0.1}


async def test_a_second_worker_under_the_same_name_ends_one_of_them_with_the_reason(settings, publisher):
    """They take the group membership from each other until exactly one ends; the other consumes and commits."""
    topic, handlers = await make_topic(settings), [RecordingHandler(), RecordingHandler()]
    named = settings.model_copy(update={"instance_id": "twin"})
    lines = [subscription(topic, one, limits={"stalled_seconds": 2.0}) for one in handlers]
    runs = []
    try:
        for handler, line in zip(handlers, lines, strict=True):
            runs.append(asyncio.create_task(Runtime(named, [line], publisher).run(asyncio.Event())))
            if len(runs) == 1:
                await ask(publisher, topic, asked("s", "before"))
                await handler.until(lambda h: h.finished, SECONDS)
        (ended,), (other,) = await asyncio.wait(runs, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await ask(publisher, topic, asked("s", "after"))
        await handlers[runs.index(other)].until(lambda h: "after" in h.by_session["s"], SECONDS)
        await eventually(lambda: is_committed(settings, lines[0], 2))
        # If the last act of the ended one had replaced it, it would end within this time.
        assert not (await asyncio.wait([other], timeout=4 * watchdog.YIELD_SECONDS))[0]
    finally:
        for run in runs:
            run.cancel()
        await asyncio.wait(runs)

    with pytest.raises(ExceptionGroup) as caught:
        ended.result()
    assert caught.group_contains(ReplacedError, match="INSTANCE_ID", depth=2)


@pytest.mark.parametrize("poll_sees_it", [True, False], ids=["the poll sees it", "the poll keeps waiting"])
async def test_a_consumer_that_is_fenced_in_a_join_is_rebuilt(settings, publisher, monkeypatch, kafkas, poll_sees_it):
    """It has no partition and so no lag: only its polls show the failure."""
    limits = {"stalled_seconds": 2.0, "assignment_wait_seconds": 0.5}
    topic, handler = await make_topic(settings), RecordingHandler()
    async with running(settings, publisher, subscription(topic, handler, limits=limits)) as run:
        await ask(publisher, topic, asked("s", "before"))
        await handler.until(lambda h: h.finished)
        if not poll_sees_it:
            monkeypatch.setattr(kafkas[0]._subscription, "abort_waiters", lambda _: None)
        fence(kafkas[0], monkeypatch)
        await ask(publisher, topic, asked("s", "after"))
        await handler.until(lambda h: "after" in h.by_session["s"], SECONDS)
        assert not run.done()

    assert len(kafkas) == 2


def fence(kafka, monkeypatch):
    """Fences it in an immediate rejoin, while a poll waits for the partitions."""

    async def fenced(_):
        waiters = kafka._subscription._assignment_waiters
        await eventually(lambda: are(kafka._closed or not all(one.done() for one in waiters)))
        raise KafkaError("UnknownError()")

    monkeypatch.setattr(kafka._coordinator, "_do_rejoin_group", fenced)
    kafka._coordinator.request_rejoin()


@pytest.fixture
def starts(monkeypatch):
    """Outcomes (`fail`, `hang`) of the next consumer starts, after the join; once used up, starts succeed."""
    ends, start = [], AIOKafkaConsumer.start

    async def scripted(self):
        await start(self)
        end = ends.pop(0) if ends else None
        if end == "fail":
            raise KafkaError("UnknownError()")
        if end == "hang":
            await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "start", scripted)
    return ends


@pytest.mark.parametrize("within_seconds", [3_600.0, 0.0], ids=["few", "many, but long apart"])
async def test_a_rebuild_whose_start_fails_or_hangs_is_tried_again(
    settings, publisher, monkeypatch, kafkas, starts, within_seconds
):
    budget = {"restarts_within_seconds": within_seconds, "max_restarts": 3 if within_seconds else 1}
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits=SOON | budget)
    async with running(settings, publisher, line) as run:
        await ask(publisher, topic, asked("s", "before"))
        await handler.until(lambda h: h.finished)
        starts.extend(["fail", "hang"])
        fence(kafkas[0], monkeypatch)
        await ask(publisher, topic, asked("s", "after"))
        await handler.until(lambda h: "after" in h.by_session["s"], SECONDS)
        await eventually(lambda: is_committed(settings, line, 2))
        assert not run.done()

    assert (starts, len(kafkas)) == ([], 2)


async def test_rebuilds_that_never_succeed_end_the_process_with_the_reason(
    settings, publisher, monkeypatch, kafkas, starts
):
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits=SOON | {"max_restarts": 2})
    with pytest.raises(ExceptionGroup) as caught:
        async with running(settings, publisher, line) as run:
            await ask(publisher, topic, asked("s", "before"))
            await handler.until(lambda h: h.finished)
            starts.extend(["fail"] * 9)
            fence(kafkas[0], monkeypatch)
            await asyncio.wait([run], timeout=SECONDS)

    assert caught.group_contains(ConsumerStalledError, match="2 times in vain: KafkaError", depth=2)
    assert len(starts) == 7
