"""Generation on a real Postgres: two workers, one answer."""

import asyncio

import pytest
from sqlalchemy import text

from handlers.answering.cancellations import Cancellations
from handlers.answering.generation import Generation
from handlers.answering.lease import Leases
from handlers.conversation_log import ConversationLog
from handlers.models.errors import ProviderBusyError
from schemas.events import AnswerDelta, ChatCompleted
from schemas.failures import RetryableError
from stores.postgres.attempts import Attempts
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Client, Clients, Keys
from tests.support.answering import answer, run
from tests.support.fakes_models import FakeModel, finish, retrieved


def worker(engine, name, *models, lease_seconds=15):
    return Generation(
        Leases(Attempts(engine, name, lease_seconds)),
        Clients(engine),
        ChatLogs(engine),
        lambda widget, tier: list(models),
        Cancellations(),
    )


async def test_second_worker_waits_and_then_publishes_the_same_answer(engine):
    event, go_on = retrieved(), asyncio.Event()
    first = worker(engine, "a", FakeModel("One", go_on, " answer [1].", finish()))
    second = worker(engine, "b", FakeModel("Another", finish()))
    published = []
    async for one in answer(first, event):
        published.append(one)
        if isinstance(one, AnswerDelta) and not go_on.is_set():
            with pytest.raises(RetryableError):
                await run(second, event)
            go_on.set()

    repeated = await run(second, event)
    again = repeated[len(published) :]

    assert repeated[: len(published)] == published
    assert "".join(one.text for one in again if isinstance(one, AnswerDelta)) == "One answer [1]."
    assert not any(isinstance(one, ChatCompleted) for one in again)
    assert min(one.attempt for one in again) > published[0].attempt
    assert "".join(one.text for one in published if isinstance(one, AnswerDelta)) == "One answer [1]."


async def test_dead_workers_answer_is_generated_again(engine):
    event = retrieved()
    dead = worker(engine, "a", FakeModel("Half", ProviderBusyError("cut")))
    with pytest.raises(ProviderBusyError):
        await run(dead, event)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE answer_attempts SET lease_until = now()"))
    published = await run(worker(engine, "b", FakeModel("Whole", finish())), event)

    assert {one.attempt for one in published} == {2}


async def test_tier_and_history_come_from_the_tables(engine):
    await Clients(engine).ensure(Client("acme", "Acme", "paid", ()), Keys("pk", "sk"))
    log, model = ConversationLog(ChatLogs(engine)), FakeModel("First answer", finish())
    generation = worker(engine, "a", model)
    record = (await run(generation, retrieved("First question")))[-1]
    assert isinstance(record, ChatCompleted)
    assert [event async for event in log.handle(record)] == []
    second = (await run(generation, retrieved("Second question")))[-1]

    assert (record.tier, second.tier) == ("paid", "paid")
    assert [(turn.question, turn.answer) for turn in model.prompts[1].turns] == [("First question", "First answer")]
