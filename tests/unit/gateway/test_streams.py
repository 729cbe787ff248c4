"""Event streams on an in-memory socket."""

import asyncio
import re

import pytest
from prometheus_client import REGISTRY

from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import Tail
from gateway.streaming.stream import EventStream, StreamDependencies
from gateway.streaming.timing import StreamTiming
from gateway.web.drain import Drain
from gateway.web.handoff import StreamHandoff
from tests.support.fakes_tail import (
    EPOCH,
    KEYS,
    FakeHistory,
    FakeLog,
    FakeSocket,
    answer_frames,
    frame,
    message_id,
    reading,
)


class Stage:
    """A tail that reads an in-memory log, and streams that it feeds."""

    def __init__(self):
        self.log = FakeLog()
        self.buffers = ReplayBuffers()
        self.drain = Drain()
        self.questions = PendingQuestions()
        self.tail = Tail(self.log, self.buffers, self.questions)
        self.subscriptions = Subscriptions(self.tail, self.buffers, self.questions, FakeHistory())
        self.session = self.subscriptions.session("acme", "s")
        self.socket = FakeSocket()
        self.drain.on_begin(self.buffers.wake_all)

    async def open(self, group, *, method="GET", timing=None, **options):
        start = await self.subscriptions.to_session(self.session, options.pop("last_event_id", None))
        made = EventStream(
            StreamDependencies(
                self.buffers, self.tail, self.drain, self.questions, KEYS, timing=timing or StreamTiming()
            ),
            self.session,
            start,
            **options,
        )
        scope = self.socket.scope(method)
        return group.create_task(StreamHandoff(made)(scope, self.socket.receive, self.socket.send))

    async def seen(self, text):
        await self.socket.until(lambda socket: text in socket.text)


@pytest.fixture
async def stage():
    stage = Stage()
    async with reading(stage.tail):
        yield stage


async def test_frames_go_out_as_they_come_until_the_client_leaves(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        serving = await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("hi"))
        await stage.seen("event: completed")
        assert f"id: {EPOCH}.0.2\nevent: delta\n" in stage.socket.text
        assert not serving.done(), "a session's stream ended with an answer"
        stage.socket.disconnect()

    assert not stage.socket.is_ended
    assert stage.socket.headers["cache-control"] == "no-cache, no-transform"


async def test_frames_of_one_batch_go_out_as_one_body(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x" * 100))
        await stage.seen("event: completed")
        stage.socket.disconnect()

    assert len(stage.socket.bodies) == 2


async def test_the_stream_of_one_answer_ends_with_it_and_carries_no_other(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group, message_id=message_id(2), accepted=b"{}")
        await stage.seen("event: accepted")
        stage.log.write(*answer_frames("other", message=1), *answer_frames("mine", message=2, start=50))

    assert stage.socket.is_ended
    assert message_id(1) not in stage.socket.text
    assert stage.socket.text.count("event: completed") == 1


async def test_a_running_answer_begins_with_a_snapshot_that_carries_the_id(stage):
    frames = answer_frames("hello")
    stage.log.write(*frames[:4])
    await asyncio.sleep(0)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("event: snapshot")
        stage.log.write(*frames[4:])
        await stage.seen("event: completed")
        stage.socket.disconnect()

    first, snapshot, *rest = stage.socket.text.strip().split("\n\n")
    assert first.endswith(f"id: {EPOCH}.0.-1"), "a reconnect before the snapshot would miss it"
    assert snapshot.startswith(f"id: {EPOCH}.0.3\nevent: snapshot")
    assert '"text":"he"' in snapshot
    assert [line.partition("\n")[0] for line in rest] == [f"id: {EPOCH}.0.{offset}" for offset in range(4, 8)]


async def test_only_the_last_snapshot_carries_the_id(stage):
    """After a break between two snapshots the next connection must send both again."""
    stage.log.write(*answer_frames("one", message=1), *answer_frames("two", message=2, start=50))
    await asyncio.sleep(0)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen('"text":"two"')
        stage.socket.disconnect()

    _, one, two = stage.socket.text.strip().split("\n\n")
    assert one.startswith("event: snapshot")
    assert two.startswith(f"id: {EPOCH}.0.55\nevent: snapshot")


async def test_head_gets_the_headers_and_an_end(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group, method="HEAD")

    assert (stage.socket.status, stage.socket.text, stage.socket.is_ended) == (200, "", True)


async def test_heartbeats_carry_the_position_in_the_partition(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group, timing=StreamTiming(heartbeat_seconds=(0.01, 0.02)))
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x"), session="another session of the partition")
        await stage.seen(f"\nid: {EPOCH}.0.3\n\n")
        stage.socket.disconnect()

    assert "event:" not in stage.socket.text


async def test_a_client_that_does_not_read_is_cut_off(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group, timing=StreamTiming(stall_check_seconds=0.02))
        await stage.seen("retry: ")
        stage.socket.stalls.clear()
        stage.log.write(*answer_frames("x"))

    assert stage.socket.is_aborted
    assert not stage.socket.is_ended


async def test_a_stream_behind_the_ring_ends_so_that_its_client_reconnects(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.buffers.append(stage.session.key, 0, frame(5, "started", model="m", tier="free"))
        buffer = stage.buffers.get(stage.session.key)
        buffer.shed_frames()

    assert stage.socket.is_ended
    assert "event:" not in stage.socket.text


async def test_a_drain_ends_streams_at_whole_events(stage, monkeypatch):
    monkeypatch.setattr(Drain, "share", staticmethod(lambda: 0.01))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x"))
        await stage.seen("event: completed")
        stage.drain.begin()

    assert stage.socket.is_ended
    assert stage.socket.text.rstrip("\n").rsplit("\n\n", 1)[1].startswith("retry: ")


async def test_a_stream_ends_when_its_time_is_up(stage):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group, seconds=0.02)

    assert stage.socket.is_ended


@pytest.mark.parametrize("change", [{"headers": ()}, {"headers": (("client-id", b"acme"),)}, {"key": None}], ids=str)
async def test_a_record_without_its_key_or_headers_is_skipped(stage, change):
    """The frames before and after it are sent, and it is counted."""
    passed_over = unreadable()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x", message=1), frame(4, message=2), *answer_frames("y", message=3, start=5))
        stage.log.records[4].__dict__.update(change)
        await stage.seen(f"id: {EPOCH}.0.8\nevent: completed")
        stage.socket.disconnect()

    sent = re.findall(r"^id: (.+)\nevent: ", stage.socket.text, re.MULTILINE)
    assert sent == [f"{EPOCH}.0.{offset}" for offset in (0, 1, 2, 3, 5, 6, 7, 8)]
    assert unreadable() == passed_over + 1


def unreadable():
    return REGISTRY.get_sample_value("chatconnect_gateway_unreadable_records_total")


async def test_the_tail_dies_with_its_log(stage):
    async with asyncio.timeout(5):
        stage.log.fail(ConnectionError("gone"))
        tail = Tail(stage.log, stage.buffers, PendingQuestions())
        with pytest.raises(ExceptionGroup, match="unhandled"):
            await tail.run()
