"""Partitions that move while work is under way, on the real broker (I7, I9, I14; `docs/faults.md`)."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaConsumer

from schemas.failures import PermanentError, RetryableError
from streams.consuming.retry import RetryPolicy
from tests.faults.rebalancing import are, eventually, guest, is_committed
from tests.integration.kafka import ask, asked, committed, read_all, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

LATER = RetryPolicy(attempts=9, first_seconds=1_000, longest_seconds=1_000)


async def test_work_that_runs_is_finished_and_committed_before_the_partition_goes(settings, publisher, revocations):
    """Two rebalances during one drain, and the partition comes back: nothing is processed twice."""
    topic, release = await make_topic(settings), asyncio.Event()

    async def hold(_):
        await release.wait()

    handler = RecordingHandler(hold)
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, *(asked(f"s{number}", "x") for number in range(20)))
        await eventually(lambda: are(len(handler.started) == 20))
        async with guest(settings, line), guest(settings, line):
            await eventually(lambda: are(revocations))
            release.set()
        await eventually(lambda: is_committed(settings, line, 20))
        await ask(publisher, topic, asked("s0", "after"))
        await handler.until(lambda h: h.by_session["s0"] == ["x", "after"])

    assert len(handler.started) == 21


async def test_a_record_that_waits_for_its_next_try_is_tried_by_the_next_owner(settings, publisher):
    topic = await make_topic(settings)
    failures = iter([RetryableError("the provider is away")])

    async def fail_once(_):
        for failure in failures:
            raise failure

    handler = RecordingHandler(fail_once)
    line = subscription(topic, handler, retry=LATER)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "0"), asked("s", "1"))
        await eventually(lambda: are(handler.started))
        async with guest(settings, line):
            pass
        await handler.until(lambda h: h.by_session["s"] == ["0", "1"], SECONDS)


async def test_a_dead_letter_that_is_being_written_is_written_by_the_next_owner(settings, publisher, monkeypatch):
    topic, writing, released = await make_topic(settings), asyncio.Event(), asyncio.Event()
    send = publisher.send_raw

    async def slow(name, *record):
        if name.endswith(".dead"):
            writing.set()
            await released.wait()
        return await send(name, *record)

    async def refuse(_):
        raise PermanentError("no such model", code="model")

    monkeypatch.setattr(publisher, "send_raw", slow)
    line = subscription(topic, RecordingHandler(refuse), limits={"revoke_budget_seconds": 0.5})
    question = asked("s", "x")
    async with running(settings, publisher, line):
        await ask(publisher, topic, question)
        await asyncio.wait_for(writing.wait(), SECONDS)
        async with guest(settings, line) as joined:
            await asyncio.wait([joined], timeout=SECONDS)
            assert (await committed(settings, line.group, topic))[0] in (None, 0)
            released.set()
        (letter,) = await read_all(settings, topic.dead, 1)
        await eventually(lambda: is_committed(settings, line, 1))

    assert letter.value == question.model_dump_json().encode()


async def test_a_commit_in_flight_while_the_partition_goes_loses_nothing(settings, publisher, monkeypatch):
    topic, commit = await make_topic(settings), AIOKafkaConsumer.commit

    async def slow(self, offsets):
        await asyncio.sleep(0.5)
        await commit(self, offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", slow)
    handler = RecordingHandler()
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        for turn in range(3):
            await ask(publisher, topic, *(asked(f"s{number}", str(turn)) for number in range(50)))
            async with guest(settings, line):
                pass
        await handler.until(lambda h: all(sorted({*texts}) == ["0", "1", "2"] for texts in h.by_session.values()))
        await eventually(lambda: is_committed(settings, line, 150))

    assert len(handler.by_session) == 50


async def test_rebalances_while_records_pour_in_lose_and_reorder_nothing(settings, publisher):
    """Batches are fetched but not yet started when their partition is revoked."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, slots=4, client_slots=4)
    questions = [asked(f"s{number % 20}", str(number // 20)) for number in range(3_000)]
    async with running(settings, publisher, line):
        feed = asyncio.create_task(ask(publisher, topic, *questions))
        while not feed.done():
            async with guest(settings, line):
                pass
        await feed
        await eventually(lambda: is_committed(settings, line, 3_000))

    for texts in handler.by_session.values():
        assert list(dict.fromkeys(texts)) == [str(number) for number in range(150)]


@pytest.mark.parametrize("ignores_cancel", [False, True], ids=["cancelled", "ignores the cancel"])
async def test_work_that_outlives_its_partition_moves_no_offset(settings, publisher, ignores_cancel):
    """I14: it is cancelled after the budget. If it ignores that, only its key waits for it, and then runs again."""
    topic, first, second = await make_topic(settings), asyncio.Event(), asyncio.Event()

    async def hold(event):
        if event.session_id == "other":
            return
        release = first if len(handler.started) == 1 else second
        try:
            await release.wait()
        except asyncio.CancelledError:
            if not ignores_cancel:
                raise
            await release.wait()

    handler = RecordingHandler(hold)
    line = subscription(topic, handler, limits={"revoke_budget_seconds": 0.3})
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "x"))
        await eventually(lambda: are(handler.started))
        async with guest(settings, line):
            pass
        await ask(publisher, topic, asked("other", "x"))
        await handler.until(lambda h: h.by_session["other"], 9)
        assert [event.session_id for event in handler.started].count("s") == (1 if ignores_cancel else 2)
        first.set()
        await eventually(lambda: are([event.session_id for event in handler.started].count("s") == 2))
        await asyncio.sleep(3 * line.limits.commit_interval_seconds)
        assert (await committed(settings, line.group, topic))[0] in (None, 0)
        second.set()
        await eventually(lambda: is_committed(settings, line, 2))


@pytest.mark.parametrize("lost", ["member_id", "generation"])
async def test_a_commit_refused_by_the_group_is_repeated_after_the_rejoin(settings, publisher, kafkas, lost):
    """UnknownMemberId, IllegalGeneration: the consumer rejoins; work may be repeated, nothing is lost."""
    # The group waits for the old member until its session times out.
    limits = {"session_timeout_ms": 6_000}
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits=limits)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "0"))
        await eventually(lambda: is_committed(settings, line, 1))
        setattr(kafkas[0]._coordinator, lost, {"member_id": "nobody", "generation": 999}[lost])
        await ask(publisher, topic, asked("s", "1"), asked("s", "2"))
        await eventually(lambda: is_committed(settings, line, 3))

    assert list(dict.fromkeys(handler.by_session["s"])) == ["0", "1", "2"]


async def test_a_rolling_restart_with_static_ids_revokes_nothing_from_the_others(settings, publisher, revocations):
    topic = await make_topic(settings, partitions=4)
    handlers = {name: RecordingHandler() for name in ("a", "b")}
    texts = [asked(f"s{number}", "x") for number in range(40)]

    def member(name):
        line = subscription(topic, handlers[name])
        return running(settings.model_copy(update={"instance_id": name}), publisher, line)

    def done():
        return len({event.message_id for handler in handlers.values() for event in handler.finished})

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        await first.enter_async_context(member("a"))
        await ask(publisher, topic, texts[0])
        await handlers["a"].until(lambda h: h.finished, SECONDS)
        await stack.enter_async_context(member("b"))
        await eventually(lambda: are(revocations))
        await ask(publisher, topic, *texts[1:20])
        await eventually(lambda: are(done() == 20 and handlers["b"].finished))
        revocations.clear()
        await first.aclose()
        await ask(publisher, topic, *texts[20:])
        await first.enter_async_context(member("a"))
        await eventually(lambda: are(done() == 40))

    assert revocations == []
    assert len(handlers["a"].finished) + len(handlers["b"].finished) == 40


async def test_one_worker_five_and_one_again_lose_and_reorder_nothing(settings, publisher):
    topic = await make_topic(settings, partitions=6)
    handlers = [RecordingHandler(_pause) for _ in range(5)]
    questions = [asked(f"s{number % 30}", str(number // 30)) for number in range(1_800)]

    async def feed():
        for question in questions:
            await ask(publisher, topic, question)
            await asyncio.sleep(0.002)

    def done():
        return {event.message_id for handler in handlers for event in handler.finished}

    async with running(settings, publisher, subscription(topic, handlers[0])):
        feeding = asyncio.create_task(feed())
        async with AsyncExitStack() as stack:
            for handler in handlers[1:]:
                await stack.enter_async_context(running(settings, publisher, subscription(topic, handler)))
            await handlers[4].until(lambda h: h.finished, SECONDS)
        await feeding
        await eventually(lambda: are(len(done()) == len(questions)))

    for handler in handlers:
        for texts in handler.by_session.values():
            assert [int(text) for text in texts] == sorted(map(int, texts))


async def _pause(_):
    await asyncio.sleep(0.01)
