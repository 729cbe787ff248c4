"""The runtime on a real broker: order, isolation, commits, dead letters, rebalances."""

import asyncio
import itertools
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from schemas.events import AnswerFailed
from schemas.failures import PermanentError, RetryableError
from streams.publisher import Publisher
from tests.integration.kafka import ask, asked, committed, read_all, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


async def test_sessions_run_side_by_side_and_each_in_order(settings, publisher):
    """G1, G11: 40 sessions × 3 questions × 0.1 s on one partition take about 0.3 s, not 12."""
    topic = await make_topic(settings)

    async def wait(_):
        await asyncio.sleep(0.1)

    handler = RecordingHandler(wait)
    async with running(settings, publisher, subscription(topic, handler)):
        questions = [asked(f"s{session}", str(number)) for number in range(3) for session in range(40)]
        await ask(publisher, topic, *questions)
        began = time.monotonic()
        await handler.until(lambda h: len(h.finished) == 120)

    assert all(texts == ["0", "1", "2"] for texts in handler.by_session.values())
    assert time.monotonic() - began < 3


async def test_a_failing_session_delays_only_itself_and_is_kept_byte_for_byte(settings, publisher):
    """G10: the dead letter has the record's exact bytes and origin, and the asker gets a failure."""
    topic = await make_topic(settings)

    async def fail_one(event):
        if event.session_id == "bad":
            raise RetryableError("the provider is away")

    async def tell(event, error):
        return [
            AnswerFailed(
                client_id=event.client_id, session_id=event.session_id, message_id=event.message_id,
                attempt=1, seq=0, code="x", message=str(error), retryable=True,
            )
        ]  # fmt: skip

    handler = RecordingHandler(fail_one, tell)
    bad = asked("bad", "poison")
    async with running(settings, publisher, subscription(topic, handler)):
        await ask(publisher, topic, bad, asked("good", "1"), asked("good", "2"), headers=[("x-odd", b"\xff\xfe")])
        await handler.until(lambda h: h.by_session["good"] == ["1", "2"] and h.given_up)
        (letter,) = await read_all(settings, topic.dead, 1)

    headers = dict(letter.headers)
    assert letter.value == bad.model_dump_json().encode()
    assert letter.key == b"bad"
    assert headers["x-odd"] == b"\xff\xfe"
    assert headers["dead-letter-topic"] == topic.name.encode()
    assert (headers["dead-letter-partition"], headers["dead-letter-offset"]) == (b"0", b"0")
    assert headers["dead-letter-attempts"] == b"3"
    assert [event.session_id for event in handler.started].count("bad") == 3


@pytest.mark.parametrize("value", [b"", b"{", b"\x00\xff", b"x" * 1_000_000, None])
async def test_an_undecodable_record_blocks_nothing(settings, publisher, value):
    topic = await make_topic(settings)
    handler = RecordingHandler()
    async with running(settings, publisher, subscription(topic, handler)):
        await (await publisher.send_raw(topic.name, b"s", value, [("client-id", b"\xff"), ("event-type", b"\xfe")]))
        await ask(publisher, topic, asked("s", "after"))
        await handler.until(lambda h: h.by_session["s"] == ["after"])
        (letter,) = await read_all(settings, topic.dead, 1)

    assert letter.value == value
    # It can be read before its acknowledgement, after which it is counted: draining waits for that.
    assert REGISTRY.get_sample_value("chatconnect_dead_letters_total", {"handler": topic.name}) == 1


async def test_a_permanent_failure_is_not_tried_again(settings, publisher):
    topic = await make_topic(settings)

    async def refuse(_):
        raise PermanentError("no such model", code="model")

    handler = RecordingHandler(refuse)
    async with running(settings, publisher, subscription(topic, handler)):
        await ask(publisher, topic, asked("s", "x"))
        await handler.until(lambda h: h.given_up)

    assert len(handler.started) == 1


async def test_only_finished_records_below_the_lowest_unfinished_are_committed(settings, publisher):
    """I8, I9: the next worker processes what a killed one left, and nothing below its commit."""
    topic, release = await make_topic(settings), asyncio.Event()

    async def hold_second(event):
        if event.text == "1":
            await release.wait()

    handler = RecordingHandler(hold_second)
    line = subscription(topic, handler)
    async with running(settings, publisher, line) as run:
        await ask(publisher, topic, *(asked(f"s{number}", str(number)) for number in range(4)))
        await handler.until(lambda h: len(h.finished) == 3)
        async with asyncio.timeout(SECONDS):
            while (await committed(settings, line.group, topic))[0] != 1:
                await asyncio.sleep(0.05)
        run.cancel()
        await asyncio.wait([run])
    again = RecordingHandler()
    async with running(settings, publisher, subscription(topic, again)):
        await again.until(lambda h: {event.text for event in h.finished} == {"1", "2", "3"})


async def test_a_drain_finishes_what_runs_and_commits_it(settings, publisher):
    topic = await make_topic(settings)
    began = asyncio.Event()

    async def slow(_):
        began.set()
        await asyncio.sleep(0.5)

    handler = RecordingHandler(slow)
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "0"))
        await asyncio.wait_for(began.wait(), SECONDS)

    assert len(handler.finished) == 1
    assert await committed(settings, line.group, topic) == {0: 1}


async def test_intake_stops_at_high_water_and_goes_on_at_half(settings, publisher):
    """I11, I12."""
    topic, release = await make_topic(settings), asyncio.Event()

    async def hold(_):
        await release.wait()

    handler = RecordingHandler(hold)
    line = subscription(topic, handler, slots=1000, client_slots=1000, limits={"high_water_records": 100})
    async with running(settings, publisher, line):
        await ask(publisher, topic, *(asked(f"s{number}", "x") for number in range(1500)))
        async with asyncio.timeout(SECONDS):
            while not handler.started:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        held = len(handler.started)
        release.set()
        await handler.until(lambda h: len(h.finished) == 1500)

    assert 100 <= held < 100 + 500


async def test_a_second_worker_takes_over_without_losing_or_reordering(settings, publisher):
    """I7, I9 across a rebalance in each direction under a steady flow of questions."""
    topic = await make_topic(settings, partitions=6)
    first, second = RecordingHandler(_pause), RecordingHandler(_pause)
    questions, is_enough = {f"s{session}": [] for session in range(12)}, asyncio.Event()
    async with running(settings, publisher, subscription(topic, first)):
        feed = asyncio.create_task(_feed(publisher, topic, questions, is_enough))
        async with running(settings, publisher, subscription(topic, second)):
            await second.until(lambda h: len(h.finished) >= 20)
        alone_from = len(first.finished)
        await first.until(lambda h: len(h.finished) >= alone_from + 20)
        is_enough.set()
        await feed
        await first.until(lambda _: _all_done(questions, first, second))

    for session in questions:
        for handler in (first, second):
            seen = [int(text) for text in handler.by_session[session]]
            assert seen == sorted(seen)


async def _pause(_):
    await asyncio.sleep(0.01)


async def _feed(publisher, topic, questions, is_enough):
    """Publishes one question per session, ten times a second."""
    for number in itertools.count():
        for session, line in questions.items():
            line.append(asked(session, str(number)))
            await ask(publisher, topic, line[-1])
        with suppress(TimeoutError):
            await asyncio.wait_for(is_enough.wait(), 0.1)
            return


def _all_done(questions, *handlers):
    done = {event.message_id for handler in handlers for event in handler.finished}
    return done >= {event.message_id for line in questions.values() for event in line}


async def test_records_without_a_key_are_not_ordered(settings, publisher):
    topic, release = await make_topic(settings), asyncio.Event()

    async def hold_first(event):
        if event.text == "0":
            await release.wait()

    handler = RecordingHandler(hold_first)
    async with running(settings, publisher, subscription(topic, handler)):
        for number in range(2):
            value = asked(str(uuid4()), str(number)).model_dump_json().encode()
            await (await publisher.send_raw(topic.name, None, value, []))
        await handler.until(lambda h: [event.text for event in h.finished] == ["1"])
        release.set()
        await handler.until(lambda h: len(h.finished) == 2)
