"""A gateway whose log reading has stopped: it resumes where it was, or ends with the reason."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError

from gateway.replay import tail
from gateway.web.drain import Drain
from streams.kafka.connection import open_admin
from streams.publisher import Publisher
from streams.reading import reader
from streams.reading.reader import LogReader
from streams.stall_detector import ConsumerStalledError
from tests.integration.kafka import ask, asked
from tests.support.gateway_running import answer_of, events_of, running_gateway
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS


@pytest.fixture
def quick_to_notice(monkeypatch):
    monkeypatch.setattr(reader, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(reader, "STALLED_SECONDS", 3.0)
    monkeypatch.setattr(tail, "STALLED_SECONDS", 1.5)


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


def end_fetching(log):
    """aiokafka #983, #1007: the fetch task ends silently."""
    log._consumer._fetcher._fetch_task.cancel()


async def until_ready_is(running, status):
    async with asyncio.timeout(SECONDS):
        while (await running.http.get("/health/ready")).status_code != status:
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("quick_to_notice")
async def test_a_tail_whose_fetching_has_ended_reads_on_and_misses_nothing(settings, database_url, publisher):
    own = settings.model_copy(update={"database_url": database_url})
    text = " ".join(f"word{number}" for number in range(40))
    async with running_gateway(own) as running:
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
            end_fetching(running.gateway.tail._log)
            for event in events[20:]:
                await publisher.publish(event)
            await until_ready_is(running, 503)
            await reading
        await until_ready_is(running, 200)

    assert [data["seq"] for _, data in seen] == list(range(len(events)))
    assert "".join(data.get("text", "") for event, data in seen if event == "delta") == text + " "


@pytest.mark.usefixtures("quick_to_notice")
async def test_a_tail_that_cannot_be_rebuilt_ends_the_gateway_with_the_reason(
    settings, database_url, publisher, monkeypatch
):
    monkeypatch.setattr(reader, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(reader, "MAX_RESTARTS", 2)
    own, drain, ended = settings.model_copy(update={"database_url": database_url}), Drain(), asyncio.Event()
    drain.on_begin(ended.set)

    async def fail(_):
        raise KafkaError

    async with running_gateway(own, drain) as running:
        monkeypatch.setattr(reader, "start_consumer", fail)
        end_fetching(running.gateway.tail._log)
        for event in answer_of(SimpleNamespace(client_id="c", session_id="s", message_id=uuid4()), "lost"):
            await publisher.publish(event)
        async with asyncio.timeout(SECONDS):
            await ended.wait()

    assert isinstance(drain.failure, BaseExceptionGroup)
    assert drain.failure.subgroup(ConsumerStalledError)


@pytest.mark.usefixtures("quick_to_notice")
async def test_a_reader_whose_position_is_gone_from_the_log_reports_the_gap(settings, publisher):
    topic = await make_topic(settings)
    await ask(publisher, topic, *(asked("s", str(number)) for number in range(5)))
    async with LogReader(settings, topic) as here:
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


async def test_a_log_that_repeatedly_loses_records_ends_its_reader(settings, publisher, monkeypatch):
    monkeypatch.setattr(reader, "MAX_RESTARTS", 1)
    topic = await make_topic(settings)
    async with LogReader(settings, topic) as here:
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
                    here._consumer.seek(TopicPartition(topic.name, 0), 0)
                    while await anext(batches):
                        pass
