"""How the conversation log handles records and feedback."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from handlers.conversation_log import ConversationLog
from schemas.events import ChatFeedback
from schemas.failures import PermanentError, RetryableError
from tests.support.fakes_models import completed


class FakeLog:
    def __init__(self):
        self.recorded, self.rated = {}, []
        self.failure = None

    async def record(self, record):
        if self.failure:
            raise self.failure
        return self.recorded.setdefault(record.message_id, record) is record

    async def rate(self, feedback):
        self.rated.append(feedback)
        return feedback.message_id in self.recorded


def feedback(message_id):
    return ChatFeedback(
        client_id="acme", message_id=message_id, session_id="s1", rating="up", rated_at=datetime.now(UTC)
    )


async def run(log, event):
    return [sent async for sent in ConversationLog(log).handle(event)]


async def test_record_is_stored_and_no_event_published():
    log, record = FakeLog(), completed()

    assert await run(log, record) == []
    assert await run(log, record) == []
    assert list(log.recorded.values()) == [record]


async def test_feedback_that_overtakes_its_record_is_tried_again():
    log, record = FakeLog(), completed()
    with pytest.raises(RetryableError):
        await run(log, feedback(record.message_id))
    await run(log, record)

    assert await run(log, feedback(record.message_id)) == []


async def test_an_unavailable_database_is_retryable():
    log = FakeLog()
    log.failure = ConnectionRefusedError()
    with pytest.raises(RetryableError):
        await run(log, completed())


async def test_a_row_that_the_database_refuses_is_a_permanent_failure():
    log = FakeLog()
    log.failure = IntegrityError("insert", None, Exception())
    with pytest.raises(PermanentError):
        await run(log, completed())


async def test_giving_up_publishes_nothing():
    assert [sent async for sent in ConversationLog(FakeLog()).give_up(feedback(uuid4()), RuntimeError())] == []
