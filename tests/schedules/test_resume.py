"""After any drops, evictions, restarts and switches of the gateway a client has exactly the produced text."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatconnect.client.sse_parser import SseParser
from gateway.replay.buffer import ReplayBuffer
from gateway.replay.buffers import RETENTION_SECONDS, ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import NotYetError, Subscriptions
from gateway.replay.tail import Tail
from gateway.streaming.stream import EventStream, StreamDependencies
from gateway.web.drain import Drain
from gateway.web.handoff import StreamHandoff
from schemas.events import Usage
from stores.postgres.chat_logs import ChatLog
from tests.support.fakes_tail import (
    CLIENT,
    EPOCH,
    KEYS,
    FakeHistory,
    FakeSocket,
    answer_frames,
    frame,
    message_id,
    record,
)


class SharedLog:
    """The log of one session; `fed` is how far one instance has read it."""

    epoch, partitions, last_alive_at, is_caught_up = EPOCH, 1, 0.0, True

    def __init__(self, records, fed):
        self.records, self.fed = records, fed

    def position(self, partition):
        return self.fed

    end_offset = position


class Instance:
    """A gateway process: its rings hold the log from the position at its start to the last record read."""

    def __init__(self, records, history, booted_at):
        self.now = 0.0
        self.log = SharedLog(records, booted_at)
        self.buffers = ReplayBuffers(lambda: self.now)
        self.buffers.begin({0: booted_at})
        self.history = history
        questions = PendingQuestions()
        self.tail = Tail(self.log, self.buffers, questions)
        self.subscriptions = Subscriptions(self.tail, self.buffers, questions, history)
        self.dependencies = StreamDependencies(self.buffers, self.tail, Drain(), questions, KEYS)

    def feed(self, count):
        for made in self.log.records[self.log.fed : self.log.fed + count]:
            self.log.fed += 1
            self.tail.take(made)

    def relieve(self, stages):
        """Evict as `ReplayBuffers` does when memory is short, up to this many stages."""
        for shed in (ReplayBuffer.shed_ended, ReplayBuffer.shed_frames, ReplayBuffer.shed_texts)[:stages]:
            for buffer in self.buffers:
                self.buffers.shrink(buffer, shed)

    def age(self):
        self.now += RETENTION_SECONDS + 1
        self.buffers.sweep()


class CutError(Exception):
    """The connection broke."""


class Visitor:
    """A client that follows `docs/wire.md`."""

    def __init__(self):
        self.last_id, self.answers = None, {}
        self.began_blind = False

    async def connect(self, instance, budget_bytes, feeds):
        session = instance.subscriptions.session(CLIENT, "s")
        try:
            start = await instance.subscriptions.to_session(session, self.last_id)
        except NotYetError:
            return
        self.began_blind |= not self.last_id and instance.history.is_away
        parser, left, ids = SseParser(), budget_bytes, []

        async def send(message):
            nonlocal left
            body = message.get("body", b"")[: max(left, 0)]
            left -= len(message.get("body", b""))
            for made in parser.feed(body):
                self.apply(made.event, json.loads(made.data))
                ids.append(made.id)
                self.last_id = made.id
            self.last_id = parser.last_id or self.last_id
            if left <= 0:
                raise CutError

        socket = FakeSocket()
        stream = StreamHandoff(EventStream(instance.dependencies, session, start))
        serving = asyncio.create_task(stream(socket.scope("GET"), socket.receive, send))
        await _turns()
        while feeds and not serving.done():
            instance.feed(feeds.pop())
            await _turns()
        socket.disconnect()
        with suppress(CutError):
            await serving
        live = [int(name.rsplit(".", 1)[1]) for name in ids if not name.endswith("-1")]
        assert live == sorted(live), "an id went back within a connection"

    def apply(self, event, data):
        fresh = SimpleNamespace(attempt=0, seq=-1, text="", state="running")
        answer = self.answers.setdefault(data["messageId"], fresh)
        if event == "snapshot":
            answer.attempt, answer.seq, answer.text, answer.state = (
                data["attempt"],
                data["seq"],
                data["text"],
                data["state"],
            )
            return
        if answer.state != "running" or (data["attempt"], data["seq"]) <= (answer.attempt, answer.seq):
            return
        if data["attempt"] > answer.attempt:
            answer.attempt, answer.seq, answer.text = data["attempt"], -1, ""
        assert data["seq"] == answer.seq + 1, "a delta got lost"
        answer.seq = data["seq"]
        answer.text += data.get("text", "")
        answer.state = event if event == "completed" else "running"


def produced():
    """Three answers in a row: one plain, one with two attempts and a late delta, one with every record twice."""
    frames = answer_frames("The first answer.", message=1)
    frames += answer_frames("A draft that is", message=2, is_ended=False)
    frames += [frame(0, "started", 2, 2, 0, model="m", tier="free"), frame(0, "delta", 2, 1, 99, text="straggler")]
    frames += answer_frames("The second, final.", message=2, attempt=2)[1:]
    third = answer_frames("The third.", message=3)
    frames += [again for made in third for again in (made, made)]
    return [record(msgspec.structs.replace(made, offset=offset)) for offset, made in enumerate(frames)]


TEXTS = {message_id(1): "The first answer.", message_id(2): "The second, final.", message_id(3): "The third."}
RECORDS = produced()


def logged(name, text):
    now = datetime.now(UTC)
    return ChatLog(
        client_id=CLIENT, message_id=UUID(name), session_id="s", attempt=1, outcome="completed", question="?",
        answer=text, sources=[], citations=[], finish_reason="stop", failure_code=None, provider="p", model="m",
        tier="free", usage=Usage(), requested_at=now, completed_at=now, rating=None, rating_comment=None,
    )  # fmt: skip


STEP = st.one_of(
    st.tuples(st.just("connect"), st.integers(0, 1), st.integers(1, 900), st.lists(st.integers(1, 8), max_size=4)),
    st.tuples(st.just("connect"), st.integers(0, 1), st.just(10**9), st.lists(st.integers(1, 8), max_size=4)),
    st.tuples(st.just("feed"), st.integers(0, 1), st.integers(1, 20)),
    st.tuples(st.just("relieve"), st.integers(0, 1), st.integers(1, 3)),
    st.tuples(st.just("age"), st.integers(0, 1)),
    st.tuples(st.just("reboot"), st.integers(0, 1), st.integers(1, 40)),
    st.tuples(st.just("postgres"), st.integers(0, 1)),
)


async def played(steps):
    history = FakeHistory()
    instances = [Instance(RECORDS, history, 0), Instance(RECORDS, history, 0)]
    visitor = Visitor()

    def remember():
        """Adds the ended answers to `chat_logs`."""
        read = max(instance.log.fed for instance in instances)
        ended = {message_id(number) for number in (1, 2, 3) if read > ends_at(number)}
        history.rows = [logged(name, TEXTS[name]) for name in TEXTS if name in ended]

    for step, number, *rest in [*steps, ("feed", 0, 10**6), ("feed", 1, 10**6)]:
        instance = instances[number]
        match step:
            case "connect":
                await visitor.connect(instance, rest[0], list(rest[1]))
            case "feed":
                instance.feed(rest[0])
            case "reboot":
                instances[number] = Instance(RECORDS, history, max(0, instance.log.fed - rest[0]))
                instances[number].feed(rest[0])
            case "relieve":
                instance.relieve(rest[0])
            case "age":
                instance.age()
            case "postgres":
                history.is_away = not number
        remember()
    history.is_away = False
    await visitor.connect(instances[0], 10**9, [])
    return visitor


def ends_at(number):
    return max(made.offset for made in RECORDS if made.headers[2][1].decode().startswith(message_id(number)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=25))
def test_any_schedule_leaves_the_client_with_exactly_the_produced_text(steps):
    visitor = asyncio.run(played(steps))

    texts = {name: answer.text for name, answer in visitor.answers.items()}
    # A client that first connects while Postgres is away misses the answers that ended before, and no others.
    assert texts == ({name: TEXTS[name] for name in texts} if visitor.began_blind else TEXTS)
    assert {answer.state for answer in visitor.answers.values()} <= {"completed"}


async def _turns():
    """Let woken tasks run."""
    for _ in range(5):
        await asyncio.sleep(0)
