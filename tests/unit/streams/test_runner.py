"""An ending that Kafka refuses is retried until published; a bug in `give_up` does not keep a record forever."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest

from schemas.events import AnswerFailed, ChatRequested
from schemas.failures import PermanentError
from streams.codec import encode
from streams.consuming.lanes import Job
from streams.consuming.runner import MAX_ENDING_DEFECTS, Runner
from streams.consuming.subscription import Subscription
from streams.dead_letters.limit import TooManyDeadLettersError
from streams.publisher import PublishError
from streams.topics import CHAT_REQUESTED


class Kafka:
    """Refuses the first `refused` events, and accepts all dead letters."""

    def __init__(self, refused):
        self.refused = refused
        self.events, self.letters = [], []

    async def send(self, event, *, headers=()):
        if self.refused:
            self.refused -= 1
            raise PublishError("chat.token is away")
        self.events.append(event)
        return done()

    async def send_raw(self, topic, key, value, headers):
        self.letters.append(value)
        return done()


def done():
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


class Handler:
    """`handle` fails; `give_up` yields one event, or raises `defect`."""

    def __init__(self, defect=None):
        self.defect = defect

    async def handle(self, event):
        raise PermanentError("no")
        yield

    async def give_up(self, event, error):
        if self.defect:
            raise self.defect
        yield AnswerFailed(client_id=event.client_id, session_id=event.session_id, message_id=event.message_id,
                           attempt=1, seq=0, code="no", message="No.", retryable=False)  # fmt: skip


async def run_to_the_end(handler, kafka):
    """The number of runs until the record is done."""
    question = encode(
        ChatRequested(client_id="c", message_id=uuid4(), session_id="s", text="?", requested_at=datetime.now(UTC))
    )
    record = SimpleNamespace(topic=CHAT_REQUESTED.name, partition=0, offset=0, timestamp=0, key=question.key,
                             value=question.value, headers=question.headers)  # fmt: skip
    runner = Runner(Subscription("answering", CHAT_REQUESTED, handler, 1, 1, 5), kafka)
    job = Job(lane="s", partition=0, client=b"c", tier="free", record=record)
    for runs in range(1, 100):
        with suppress(TooManyDeadLettersError):
            if await runner.run(job, record) is None:
                return runs
    raise AssertionError("it never ends")


@pytest.mark.parametrize("refused", [0, 1, 4 * MAX_ENDING_DEFECTS])
async def test_an_ending_is_published_however_often_kafka_refused_it(refused):
    kafka = Kafka(refused)
    await run_to_the_end(Handler(), kafka)

    assert [event.code for event in kafka.events] == ["no"]
    assert len(kafka.letters) == 1


async def test_a_defect_in_the_ending_leaves_the_dead_letter():
    kafka = Kafka(0)
    runs = await run_to_the_end(Handler(KeyError("a defect")), kafka)

    assert runs == 1 + MAX_ENDING_DEFECTS + 1
    assert (kafka.events, len(kafka.letters)) == ([], 1)
