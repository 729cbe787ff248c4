"""Runs generation on test doubles and inspects its events."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import InterfaceError

from handlers.answering.cancellations import Cancellations
from handlers.answering.generation import Generation
from handlers.answering.lease import Leases
from handlers.background_task import background_task
from schemas.events import (
    AnswerDelta,
    ChatCompleted,
)
from tests.support.fakes_models import FakeAttempts, FakeChatLogs, FakeClients

DOWN = InterfaceError("connection", None, OSError("refused"))


def build(*models, attempts=None, leases=None, clients=None, chat_logs=None, cancellations=None):
    """`leases` replaces those of `attempts`."""
    return Generation(
        leases or Leases(attempts or FakeAttempts()),
        clients or FakeClients(),
        chat_logs or FakeChatLogs(),
        lambda widget, tier: list(models),
        cancellations or Cancellations(),
    )


async def answer(generation, event):
    async with background_task(generation.turns(event.request)) as turns:
        prepared = await generation.prepare(event.request, turns)
    async with aclosing(generation.answer(event, prepared)) as events:
        async for sent in events:
            yield sent


async def run(generation, event):
    return [sent async for sent in answer(generation, event)]


async def observe(events, heard):
    async for event in events:
        heard.append(event)


def asked_before(event, *, seconds):
    asked_at = datetime.now(UTC) - timedelta(seconds=seconds)
    return event.model_copy(update={"request": event.request.model_copy(update={"requested_at": asked_at})})


def names(events):
    return [type(event).__name__ for event in events]


def text(events):
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))


def of(events, kind):
    return next(event for event in events if isinstance(event, kind))


def assert_numbered(events, attempt=1):
    answer = [event for event in events if not isinstance(event, ChatCompleted)]
    assert [event.seq for event in answer] == list(range(len(answer)))
    assert {event.attempt for event in answer} == {attempt}
