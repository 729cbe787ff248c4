"""Two workers with one instance id, and rebuilds of a fenced consumer (`docs/faults.md`)."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from streams import restart_budget
from streams.consuming import poll, runtime, watchdog
from streams.consuming.runtime import Runtime
from streams.consuming.watchdog import ReplacedError
from streams.stall_detector import ConsumerStalledError
from tests.faults.rebalancing import are, eventually, is_committed
from tests.integration.kafka import ask, asked, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

pytestmark = pytest.mark.usefixtures("quick_to_notice")


async def test_a_second_worker_under_the_same_name_ends_one_of_them_with_the_reason(settings, publisher, monkeypatch):
    """They take the group membership from each other until exactly one ends; the other consumes and commits."""
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 2.0)
    topic, handlers = await make_topic(settings), [RecordingHandler(), RecordingHandler()]
    named, lines = settings.model_copy(update={"instance_id": "twin"}), [subscription(topic, one) for one in handlers]
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
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 2.0)
    monkeypatch.setattr(poll, "ASK_AGAIN_SECONDS", 0.5)
    topic, handler = await make_topic(settings), RecordingHandler()
    async with running(settings, publisher, subscription(topic, handler)) as run:
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
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 2.0)
    monkeypatch.setattr(runtime, "START_SECONDS", 5.0)
    monkeypatch.setattr(runtime, "PAUSE_SECONDS", 0.1)
    return ends


@pytest.mark.parametrize("within_seconds", [3_600.0, 0.0], ids=["few", "many, but long apart"])
async def test_a_rebuild_whose_start_fails_or_hangs_is_tried_again(
    settings, publisher, monkeypatch, kafkas, starts, within_seconds
):
    monkeypatch.setattr(restart_budget, "WITHIN_SECONDS", within_seconds)
    monkeypatch.setattr(restart_budget, "MAX_RESTARTS", 3 if within_seconds else 1)
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler)
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
    monkeypatch.setattr(restart_budget, "MAX_RESTARTS", 2)
    topic, handler = await make_topic(settings), RecordingHandler()
    with pytest.raises(ExceptionGroup) as caught:
        async with running(settings, publisher, subscription(topic, handler)) as run:
            await ask(publisher, topic, asked("s", "before"))
            await handler.until(lambda h: h.finished)
            starts.extend(["fail"] * 9)
            fence(kafkas[0], monkeypatch)
            await asyncio.wait([run], timeout=SECONDS)

    assert caught.group_contains(ConsumerStalledError, match="2 times in vain: KafkaError", depth=2)
    assert len(starts) == 7
