"""SSE frames as bytes, and event streams on an in-memory socket."""

import asyncio
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.client.sse_parser import SseParser
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import Tail
from gateway.streaming import stream, timer
from gateway.streaming.stream import EventStream, StreamDependencies
from gateway.web import sse
from gateway.web.drain import Drain
from gateway.web.handoff import StreamHandoff
from gateway.web.metrics import UNREADABLE
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

GET = {"type": "http", "method": "GET"}


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 7))
def test_any_data_arrives_unchanged(text, cut):
    body = sse.event("delta", json.dumps({"text": text}, ensure_ascii=False).encode(), "e.0.1")
    parser = SseParser()
    found = [made for start in range(0, len(body), cut) for made in parser.feed(body[start : start + cut])]

    [made] = found
    assert (made.event, made.id, json.loads(made.data)) == ("delta", "e.0.1", {"text": text})


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
def test_line_ends_in_data_do_not_end_the_event(line_end):
    body = sse.event("delta", b'{"text":' + line_end + b'"x"}')

    assert body == b'event: delta\ndata: {"text":\ndata: "x"}\n\n'


def test_the_first_frame_and_heartbeats_move_the_cursor_and_fire_no_event():
    parser = SseParser()

    assert list(parser.feed(sse.first(700, "e.0.4"))) == []
    assert (parser.retry_ms, parser.last_id) == (700, "e.0.4")
    assert list(parser.feed(sse.heartbeat("e.0.9"))) == []
    assert parser.last_id == "e.0.9"


def test_bodies_are_joined_up_to_the_limit_and_never_split():
    events = [sse.event("delta", b"x" * size) for size in (10, 20_000, 20_000, 50_000, 5)]
    bodies = list(sse.joined(events))

    assert b"".join(bodies) == b"".join(events)
    assert all(body.endswith(b"\n\n") for body in bodies)
    assert [len(body) > sse.MAX_SEND_BYTES for body in bodies] == [False, False, True, False]


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

    async def open(self, group, *, method="GET", **options):
        start = await self.subscriptions.to_session(self.session, options.pop("last_event_id", None))
        made = EventStream(
            StreamDependencies(self.buffers, self.tail, self.drain, self.questions, KEYS),
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


async def test_heartbeats_carry_the_position_in_the_partition(stage, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", (0.01, 0.02))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x"), session="another session of the partition")
        await stage.seen(f"\nid: {EPOCH}.0.3\n\n")
        stage.socket.disconnect()

    assert "event:" not in stage.socket.text


async def test_a_client_that_does_not_read_is_cut_off(stage, monkeypatch):
    monkeypatch.setattr(timer, "CHECK_SECONDS", 0.02)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
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
    passed_over = UNREADABLE._value.get()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        await stage.open(group)
        await stage.seen("retry: ")
        stage.log.write(*answer_frames("x", message=1), frame(4, message=2), *answer_frames("y", message=3, start=5))
        stage.log.records[4].__dict__.update(change)
        await stage.seen(f"id: {EPOCH}.0.8\nevent: completed")
        stage.socket.disconnect()

    sent = re.findall(r"^id: (.+)\nevent: ", stage.socket.text, re.MULTILINE)
    assert sent == [f"{EPOCH}.0.{offset}" for offset in (0, 1, 2, 3, 5, 6, 7, 8)]
    assert UNREADABLE._value.get() == passed_over + 1


async def test_the_tail_dies_with_its_log(stage):
    async with asyncio.timeout(5):
        stage.log.fail(ConnectionError("gone"))
        tail = Tail(stage.log, stage.buffers, PendingQuestions())
        with pytest.raises(ExceptionGroup, match="unhandled"):
            await tail.run()
