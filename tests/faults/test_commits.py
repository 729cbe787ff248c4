"""Late commits and recreated topics, on the real broker (I8, I14; `docs/faults.md`)."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import RequestTimedOutError, TopicAlreadyExistsError

from streams.kafka.connection import open_admin
from tests.faults.rebalancing import eventually, is_committed
from tests.integration.kafka import ask, asked, committed, running, subscription
from tests.support.aiokafka_parts import client_of
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

FIRST_OF_ALL = "0"


class StuckCommit:
    """Makes the first commit of a process fail, so that aiokafka retries it, until it is released."""

    def __init__(self, monkeypatch):
        self.tried, self.released, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._offsets = None
        self._send, self._commit = GroupCoordinator._do_commit_offsets, GroupCoordinator.commit_offsets
        monkeypatch.setattr(GroupCoordinator, "_do_commit_offsets", lambda *call: self._try(*call))
        monkeypatch.setattr(GroupCoordinator, "commit_offsets", lambda *call: self._watch(*call))

    async def _try(self, coordinator, assignment, offsets):
        self._offsets = self._offsets or offsets
        if offsets is self._offsets and not self.released.is_set():
            self.tried.set()
            raise RequestTimedOutError
        await self._send(coordinator, assignment, offsets)

    async def _watch(self, coordinator, assignment, offsets):
        try:
            await self._commit(coordinator, assignment, offsets)
        finally:
            if offsets is self._offsets:
                self.ended.set()


async def test_a_commit_that_is_tried_again_after_a_rejoin_cannot_put_back_the_next_owners(
    settings, publisher, monkeypatch
):
    """aiokafka retries with the current generation, and the group does not check a committer's partitions."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, limits={"commit_timeout_seconds": 3.0})
    stuck = StuckCommit(monkeypatch)
    partition = TopicPartition(topic.name, 0)
    # The group assigns its one partition to the first member by name.
    owner = AIOKafkaConsumer(
        topic.name, client_id=FIRST_OF_ALL, group_id=line.group, enable_auto_commit=False, heartbeat_interval_ms=200,
        bootstrap_servers=settings.kafka_bootstrap_servers, rebalance_timeout_ms=60_000,
    )  # fmt: skip
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "0"))
        await asyncio.wait_for(stuck.tried.wait(), SECONDS)
        await ask(publisher, topic, *(asked("s", str(number)) for number in range(1, 5)))
        await handler.until(lambda h: len(h.finished) == 5, SECONDS)
        try:
            async with asyncio.timeout(SECONDS):
                await owner.start()
            assert owner.assignment() == {partition}
            await owner.commit({partition: OffsetAndMetadata(5, "")})
            stuck.released.set()
            await asyncio.wait_for(stuck.ended.wait(), SECONDS)
            assert await committed(settings, line.group, topic) == {0: 5}
        finally:
            await owner.stop()


@pytest.mark.parametrize("is_noticed", [True, False], ids=["the group notices", "only the offsets tell"])
async def test_questions_of_a_topic_recreated_under_a_running_worker_are_all_answered(
    settings, publisher, kafkas, monkeypatch, is_noticed
):
    """Its offsets restart below the position read in the old topic, yet its records are new."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, *(asked("s", f"old {number}") for number in range(20)))
        await handler.until(lambda h: len(h.finished) == 20, SECONDS)
        await eventually(lambda: is_committed(settings, line, 20))
        (kafka,) = kafkas
        if not is_noticed:
            monkeypatch.setattr(client_of(kafka), "force_metadata_update", lambda: None)
        async with open_admin(settings) as admin:
            await admin.delete_topics([topic.name])
            if is_noticed:
                await eventually(lambda: is_without(kafka))
            await create_again(admin, topic)
        if is_noticed:
            await eventually(lambda: refreshed_assignment(kafka))
        await ask(publisher, topic, *(asked("s", f"new {number}") for number in range(5)))
        await handler.until(lambda h: len(h.finished) == 25, SECONDS)
        await eventually(lambda: is_committed(settings, line, 5))

    assert handler.by_session["s"][20:] == [f"new {number}" for number in range(5)]


async def create_again(admin, topic):
    """Retries: a deleted topic disappears only after a moment."""
    async with asyncio.timeout(SECONDS):
        while True:
            (answer,) = (await admin.create_topics([NewTopic(topic.name, topic.partitions, 1)])).topic_errors
            if answer[1] != TopicAlreadyExistsError.errno:
                return
            await asyncio.sleep(0.05)


async def refreshed_assignment(kafka):
    """Its assignment after a metadata refresh, which it would do by itself only every five minutes."""
    await client_of(kafka).force_metadata_update()
    return kafka.assignment()


async def is_without(kafka):
    return not kafka.assignment()
