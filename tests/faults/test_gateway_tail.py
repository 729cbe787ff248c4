"""A gateway whose log reading has stopped: it resumes where it was, or ends with the reason."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError

from gateway.app import GatewayTiming
from gateway.web.drain import Drain
from streams.kafka.connection import open_admin
from streams.reading import reader
from streams.reading.limits import ReaderLimits
from streams.reading.reader import LogReader
from streams.stall_detector import ConsumerStalledError
from tests.integration.kafka import ask, asked
from tests.support.aiokafka_parts import consumer_of, end_fetching, reader_of
from tests.support.gateway_running import answer_of, events_of, running_gateway
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

QUICK_TO_NOTICE = ReaderLimits(look_seconds=0.3, stalled_seconds=3.0)
TAIL_STALLED_SECONDS = 1.5


async def until_ready_is(running, status):
    async with asyncio.timeout(SECONDS):
        while (await running.http.get("/health/ready")).status_code != status:
            await asyncio.sleep(0.05)


async def test_a_tail_whose_fetching_has_ended_reads_on_and_misses_nothing(settings, database_url, publisher):
    own = settings.model_copy(update={"database_url": database_url})
    text = " ".join(f"word{number}" for number in range(40))
    timing = GatewayTiming(reader=QUICK_TO_NOTICE, tail_stalled_seconds=TAIL_STALLED_SECONDS)
    async with running_gateway(own, timing=timing) as running:
        keys = await running.seed(f"c-{uuid4().hex}")
        asked_here = SimpleNamespace(
            client_id=keys.secret.removeprefix("sk_"), session_id=uuid4().hex, message_id=uuid4()
        )
        events = answer_of(asked_here, text)
        seen, half = [], asyncio.Event()

        def note(event, data):
            seen.append((event, data))
            if len(seen) == 20:
                half.set()
            return event == "completed"

        path, headers = f"/sessions/{asked_here.session_id}/events", {"authorization": f"Bearer {keys.secret}"}
        async with running.http.stream("GET", path, headers=headers) as stream, asyncio.timeout(SECONDS):
            reading = asyncio.create_task(events_of(stream, note))
            for event in events[:20]:
                await publisher.publish(event)
            await half.wait()
            end_fetching(reader_of(running.gateway))
            for event in events[20:]:
                await publisher.publish(event)
            await until_ready_is(running, 503)
            await reading
        await until_ready_is(running, 200)

    assert [data["seq"] for _, data in seen] == list(range(len(events)))
    assert "".join(data.get("text", "") for event, data in seen if event == "delta") == text + " "


async def test_a_tail_that_cannot_be_rebuilt_ends_the_gateway_with_the_reason(
    settings, database_url, publisher, monkeypatch
):
    limits = replace(QUICK_TO_NOTICE, stalled_seconds=0.5, max_restarts=2)
    timing = GatewayTiming(reader=limits, tail_stalled_seconds=TAIL_STALLED_SECONDS)
    own, drain, ended = settings.model_copy(update={"database_url": database_url}), Drain(), asyncio.Event()
    drain.on_begin(ended.set)

    async def fail(_):
        raise KafkaError

    async with running_gateway(own, drain, timing) as running:
        monkeypatch.setattr(reader, "start_consumer", fail)
        end_fetching(reader_of(running.gateway))
        for event in answer_of(SimpleNamespace(client_id="c", session_id="s", message_id=uuid4()), "lost"):
            await publisher.publish(event)
        async with asyncio.timeout(SECONDS):
            await ended.wait()

    assert isinstance(drain.failure, BaseExceptionGroup)
    assert drain.failure.subgroup(ConsumerStalledError)


async def test_a_reader_whose_position_is_gone_from_the_log_reports_the_gap(settings, publisher):
    topic = await make_topic(settings)
    await ask(publisher, topic, *(asked("s", str(number)) for number in range(5)))
    async with LogReader(settings, topic, QUICK_TO_NOTICE) as here:
        await here.seek(timedelta(hours=1))
        end_fetching(here)
        async with open_admin(settings) as admin:
            await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(before_offset=4)})
        batches = here.batches()
        async with asyncio.timeout(SECONDS):
            gap_report, batch = await anext(batches), await anext(batches)
        await batches.aclose()

    assert gap_report == []
    assert [record.offset for record in batch] == [4]


async def test_a_log_that_repeatedly_loses_records_ends_its_reader(settings, publisher):
    topic = await make_topic(settings)
    async with LogReader(settings, topic, ReaderLimits(max_restarts=1)) as here:
        await ask(publisher, topic, *(asked("s", str(number)) for number in range(5)))
        batches = here.batches()
        await here.seek(timedelta(hours=1))
        with pytest.raises(ConsumerStalledError):
            async with asyncio.timeout(SECONDS):
                for before in (2, 4):
                    async with open_admin(settings) as admin:
                        await admin.delete_records(
                            {TopicPartition(topic.name, 0): RecordsToDelete(before_offset=before)}
                        )
                    consumer_of(here).seek(TopicPartition(topic.name, 0), 0)
                    while await anext(batches):
                        pass
