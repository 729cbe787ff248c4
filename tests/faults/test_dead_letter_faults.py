"""Faults of the dead letters: the write fails, or a mass of records dies, on the real broker (`docs/faults.md`)."""

import asyncio

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaConnectionError

from schemas.failures import PermanentError
from tests.faults.log_records import administer, send_many, until_committed
from tests.integration.kafka import ask, asked, committed, read_all, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS


async def test_a_dead_letter_that_cannot_be_written_is_kept_on_the_log_until_it_can(settings, publisher):
    """Its topic is missing: the record stays uncommitted, others go on; once the topic exists, it is written."""
    topic = await make_topic(settings)
    await administer(settings, lambda admin: admin.delete_topics([topic.dead]))

    async def refuse_bad(event):
        if event.session_id == "bad":
            raise PermanentError("no such model", code="model")

    handler = RecordingHandler(refuse_bad)
    line = subscription(topic, handler)
    bad = asked("bad", "poison")
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("good", "0"))
        await handler.until(lambda h: h.finished, SECONDS)
        await ask(publisher, topic, bad, asked("good", "1"), asked("good", "2"))
        await handler.until(lambda h: len(h.finished) == 3 and len(h.given_up) >= 2, SECONDS)
        await until_committed(settings, line, 1)
        await administer(settings, lambda admin: admin.create_topics([NewTopic(topic.dead, 1, 1)]))
        await until_committed(settings, line, 4)
        (letter,) = await read_all(settings, topic.dead, 1)

    assert (letter.key, letter.value) == (b"bad", bad.model_dump_json().encode())


async def test_a_record_without_its_dead_letter_is_taken_up_by_the_next_worker(settings, publisher, monkeypatch):
    """The worker ends while the write fails: nothing is lost."""
    topic = await make_topic(settings)

    async def refuse(_):
        raise PermanentError("no such model", code="model")

    send, failing = publisher.send_raw, True

    async def fail(name, *record):
        if failing and name == topic.dead:
            lost = asyncio.get_running_loop().create_future()
            lost.set_exception(KafkaConnectionError("gone before it acknowledged"))
            return lost
        return await send(name, *record)

    monkeypatch.setattr(publisher, "send_raw", fail)
    question, handler = asked("s", "x"), RecordingHandler(refuse)
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, question)
        await handler.until(lambda h: len(h.given_up) >= 2, SECONDS)
    assert (await committed(settings, line.group, topic))[0] in (None, 0)
    failing = False
    async with running(settings, publisher, line):
        (letter,) = await read_all(settings, topic.dead, 1, SECONDS)
        await until_committed(settings, line, 1)

    assert letter.value == question.model_dump_json().encode()


async def test_a_mass_of_records_that_all_die_is_stopped_and_none_is_lost(settings, publisher):
    """The limit ends the worker; each record below the commit has a dead letter, the rest is still on the log."""
    topic = await make_topic(settings)

    async def break_down(_):
        raise ValueError("a bug")

    limits = {"max_dead_letters_in_a_row": 20}
    line = subscription(topic, RecordingHandler(break_down), slots=4, client_slots=4, limits=limits)
    await send_many(publisher, topic, (asked(f"s{number}", str(number)) for number in range(100)))
    with pytest.raises(ExceptionGroup):
        async with running(settings, publisher, line) as run:
            await asyncio.wait([run], timeout=SECONDS)
    after = (await committed(settings, line.group, topic))[0] or 0
    letters = await read_all(settings, topic.dead, 20)
    buried = {int(dict(letter.headers)["dead-letter-offset"]) for letter in letters}

    assert set(range(after)) <= buried
    assert len(letters) < 30
