"""Which worker may answer, and how a stored answer is published again (G3)."""

import asyncio

import pytest

from handlers.answering.lease import Leases
from handlers.models.errors import ProviderBusyError
from schemas.events import (
    AnswerCompleted,
    AnswerDelta,
    ChatCompleted,
)
from schemas.failures import RetryableError
from tests.support.answering import DOWN, answer, asked_before, assert_numbered, build, names, observe, run, text
from tests.support.fakes_models import FakeAttempts, FakeChatLogs, FakeClients, FakeModel, finish, retrieved


async def test_next_attempt_has_a_higher_number_and_starts_over():
    model = FakeModel("Half", ProviderBusyError("cut"))
    generation, event = build(model), retrieved()
    with pytest.raises(ProviderBusyError):
        await run(generation, event)
    model.script = ("Whole", finish())
    events = await run(generation, event)

    assert text(events) == "Whole"
    assert_numbered(events, attempt=2)


async def test_redelivered_answer_is_published_again_word_for_word():
    generation, event = build(FakeModel("a", *["bc"] * 900, " [1]", finish())), retrieved()
    first, second = await run(generation, event), await run(generation, event)

    assert second == first
    assert len(first) > 5


async def test_ending_replaces_an_attempt_that_was_begun_without_postgres():
    """An ending was stored but not published, and the next worker began without Postgres."""
    attempts, event = FakeAttempts(), retrieved()
    stored = await run(build(FakeModel("first", finish()), attempts=attempts), event)
    attempts.failure = DOWN
    later, shown = build(FakeModel("second", finish()), attempts=attempts), []
    async for sent in answer(later, asked_before(event, seconds=20)):
        shown.append(sent)
        attempts.failure = None

    repeated = [sent for sent in shown if sent.attempt == shown[-1].attempt]
    assert shown[0].attempt > stored[0].attempt
    assert repeated[0].attempt > shown[0].attempt
    assert_numbered(repeated, repeated[0].attempt)
    assert names(repeated) == names(stored)
    assert text(repeated) == "first"


async def test_another_worker_publishes_an_ending_also_above_any_later_attempt():
    """A gateway that has the ending drops the second copy; one that saw a higher attempt uses only that copy."""
    attempts, event = FakeAttempts(), retrieved()
    stored = await run(build(FakeModel("first", finish()), attempts=attempts), event)
    published = await run(build(FakeModel("unasked"), attempts=attempts), asked_before(event, seconds=20))

    assert published[: len(stored)] == [sent.model_copy(update={}) for sent in stored]
    assert names(published[len(stored) :]) == names(stored)[:-1]
    assert_numbered(published[len(stored) :], 161)


async def test_record_is_not_published_before_it_is_stored():
    attempts = FakeAttempts()
    async for event in answer(build(FakeModel("a", finish()), attempts=attempts), retrieved()):
        assert bool(attempts.endings) == isinstance(event, AnswerCompleted | ChatCompleted)


async def test_held_message_is_retried_when_its_lease_ends():
    attempts = FakeAttempts()
    attempts.held = 4.5
    with pytest.raises(RetryableError) as caught:
        await run(build(attempts=attempts), retrieved())

    assert caught.value.retry_after_seconds == 4.5


async def test_overtaken_answer_ends_without_an_event():
    attempts, event = FakeAttempts(), retrieved()
    model = FakeModel("a", finish())
    events = []
    async for sent in answer(build(model, attempts=attempts), event):
        events.append(sent)
        attempts.rows["acme", event.request.message_id] = 2

    assert names(events) == ["AnswerStarted", "AnswerSources", "AnswerDelta"]


async def test_lost_lease_stops_the_model():
    attempts, event = FakeAttempts(lease_seconds=0.03), retrieved()
    model = FakeModel("a", asyncio.Event(), finish())
    events = []
    async with asyncio.timeout(5):
        async for sent in answer(build(model, attempts=attempts), event):
            events.append(sent)
            attempts.rows["acme", event.request.message_id] = 2

    assert names(events) == ["AnswerStarted", "AnswerSources", "AnswerDelta"]
    assert model.is_closed


async def test_lease_is_renewed_and_outlives_a_missed_renewal():
    attempts, go_on = FakeAttempts(lease_seconds=0.03), asyncio.Event()
    model = FakeModel("a", go_on, "b", finish())
    reading = asyncio.create_task(run(build(model, attempts=attempts), retrieved()))
    async with asyncio.timeout(5):
        await attempts.renewed.wait()
        attempts.failure = DOWN
        attempts.renewed.clear()
        await attempts.renewed.wait()
        attempts.failure = None
        go_on.set()

        assert names(await reading)[-1] == "ChatCompleted"


async def test_answers_go_on_without_postgres():
    attempts, clients, chat_logs = FakeAttempts(), FakeClients(), FakeChatLogs()
    attempts.failure = clients.failure = chat_logs.failure = DOWN
    generation = build(FakeModel("a", finish()), attempts=attempts, clients=clients, chat_logs=chat_logs)
    events = await run(generation, retrieved())

    assert names(events)[-2:] == ["AnswerCompleted", "ChatCompleted"]


async def test_attempts_rise_through_an_outage_of_postgres():
    attempts, event = FakeAttempts(), retrieved()
    model = FakeModel("a", ProviderBusyError("cut"))
    generation = build(model, attempts=attempts)
    seen = []
    for failure in (None, DOWN, DOWN, None, None):
        attempts.failure = failure
        with pytest.raises(ProviderBusyError):
            await observe(answer(generation, event), seen)
    attempts_seen = [sent.attempt for sent in seen]

    assert attempts_seen == sorted(attempts_seen)
    assert len(set(attempts_seen)) == 5


async def test_answer_begun_without_postgres_is_stored_when_it_is_back():
    attempts, event = FakeAttempts(), retrieved()
    attempts.failure = DOWN
    generation = build(FakeModel("a", finish()), attempts=attempts)
    async for sent in answer(generation, event):
        if isinstance(sent, AnswerDelta):
            attempts.failure = None
    again = await run(generation, event)

    assert again[-1].attempt == sent.attempt


async def test_hung_postgres_does_not_hold_the_answer():
    class Hung(FakeAttempts):
        async def begin(self, client_id, message_id, session_id, *, above=0):
            await asyncio.Event().wait()

    leases = Leases(Hung(), deadline_seconds=0.05)
    async with asyncio.timeout(5):
        events = await run(build(FakeModel("a", finish()), leases=leases), retrieved())

    assert text(events) == "a"
