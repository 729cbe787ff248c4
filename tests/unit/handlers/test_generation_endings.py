"""Answers that end early: cancelled, given up, never searched for."""

import asyncio
from contextlib import aclosing

import pytest

from handlers.answering.cancellations import Cancellations
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from schemas.events import (
    AnswerCancelled,
    AnswerDelta,
    AnswerFailed,
    ChatCompleted,
    Usage,
)
from schemas.failures import PermanentError, RefusedError, RetryableError
from tests.support.answering import DOWN, answer, assert_numbered, build, names, observe, of, run
from tests.support.fakes_models import FakeAttempts, FakeClients, FakeModel, finish, retrieved


async def test_cancel_in_mid_answer_keeps_and_bills_the_partial_answer():
    cancellations, event = Cancellations(), retrieved()
    model = FakeModel("Half an answer", asyncio.Event(), finish())
    events = []
    async with asyncio.timeout(0.5):
        async for sent in answer(build(model, cancellations=cancellations), event):
            events.append(sent)
            if isinstance(sent, AnswerDelta):
                cancellations.cancel("acme", event.request.message_id)
                cancellations.cancel("acme", event.request.message_id)

    record = of(events, ChatCompleted)
    assert names(events)[-2:] == ["AnswerCancelled", "ChatCompleted"]
    assert (record.outcome, record.finish_reason, record.answer) == ("cancelled", "cancelled", "Half an answer")
    assert record.usage == of(events, AnswerCancelled).usage
    assert record.usage.estimated
    assert record.usage.output_tokens == 4
    assert model.is_closed


async def test_cancel_closes_the_stream_even_while_kafka_is_slow():
    cancellations, event = Cancellations(), retrieved()
    model = FakeModel("Half", asyncio.Event(), finish())
    async with aclosing(answer(build(model, cancellations=cancellations), event)) as events:
        async for sent in events:
            if isinstance(sent, AnswerDelta):
                break
        cancellations.cancel("acme", event.request.message_id)
        for _ in range(5):
            await asyncio.sleep(0)

        assert model.is_closed


async def test_cancel_before_the_start_asks_no_model():
    cancellations, event = Cancellations(), retrieved()
    cancellations.cancel("acme", event.request.message_id)
    model = FakeModel("a", finish())
    events = await run(build(model, cancellations=cancellations), event)

    assert names(events) == ["AnswerCancelled", "ChatCompleted"]
    assert model.prompts == []
    assert of(events, ChatCompleted).usage == Usage()


async def test_cancel_of_another_clients_message_is_harmless():
    cancellations, event = Cancellations(), retrieved()
    cancellations.cancel("rival", event.request.message_id)

    assert (
        names(await run(build(FakeModel("a", finish()), cancellations=cancellations), event))[-2] == "AnswerCompleted"
    )


async def test_giving_up_ends_the_attempt_that_was_shown():
    generation, event = build(FakeModel("Half", ProviderBusyError("cut"))), retrieved()
    shown = []
    with pytest.raises(ProviderBusyError) as caught:
        await observe(answer(generation, event), shown)
    ending = await generation.give_up(event.request, caught.value, event)

    assert names(ending) == ["AnswerFailed", "ChatCompleted"]
    assert_numbered(shown + ending)
    assert ending[0].retryable
    assert "cut" not in ending[0].message
    assert (ending[1].outcome, ending[1].answer, ending[1].failure_code) == ("failed", "Half", "unavailable")


async def test_giving_up_twice_publishes_the_same_ending():
    generation, event = build(FakeModel(ProviderRefusedError("401", code="provider_refused"))), retrieved()
    with pytest.raises(ProviderRefusedError) as caught:
        await run(generation, event)
    first = await generation.give_up(event.request, caught.value, event)
    second = await generation.give_up(event.request, caught.value, event)

    assert (first[0].code, first[0].retryable) == ("provider_refused", False)
    assert second[-2:] == first


async def test_giving_up_needs_no_postgres():
    attempts, clients = FakeAttempts(), FakeClients()
    attempts.failure = clients.failure = DOWN
    event = retrieved()
    ending = await build(attempts=attempts, clients=clients).give_up(event.request, DOWN, event)

    assert isinstance(ending[0], AnswerFailed)
    assert ending[0].attempt >= 1


async def test_overtaken_attempt_does_not_give_up():
    attempts, event = FakeAttempts(), retrieved()
    generation = build(FakeModel(ProviderBusyError("429")), attempts=attempts)
    with pytest.raises(ProviderBusyError) as caught:
        await run(generation, event)
    attempts.rows["acme", event.request.message_id] = 2

    assert await generation.give_up(event.request, caught.value, event) == []


async def test_a_question_that_could_not_be_searched_for_ends_as_failed_and_stays_so():
    for error, expected in (
        (RetryableError("away"), ("retrieval_failed", True)),
        (PermanentError("broken"), ("retrieval_failed", False)),
        (RefusedError("no", code="invalid_request"), ("invalid_request", False)),
    ):
        generation, event = build(FakeModel("never", finish())), retrieved(passages=[])
        ending, record = await generation.give_up(event.request, error, None)

        assert (ending.code, ending.retryable) == expected
        assert ending.message.endswith(".")
        assert (record.outcome, record.failure_code) == ("failed", expected[0])
        assert await run(generation, event) == [ending, record]


async def test_a_repeated_question_that_cannot_be_searched_for_keeps_its_answer():
    generation, event = build(FakeModel("Done.", finish())), retrieved()
    answered = await run(generation, event)

    assert await generation.give_up(event.request, RetryableError("away"), None) == answered
