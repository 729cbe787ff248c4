"""The sequence of events of an answer, and what happens to it when something fails in the middle."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.exc import InterfaceError

from handlers.cancellations import Cancellations
from handlers.generation import NO_ANSWER, Generation
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from schemas.events import (
    AnswerCancelled,
    AnswerCompleted,
    AnswerDelta,
    AnswerFailed,
    AnswerSources,
    AnswerStarted,
    ChatCompleted,
    Usage,
)
from schemas.failures import RetryableError
from stores.chat_logs import ChatLog
from tests.fakes_models import (
    FakeAttempts,
    FakeChatLogs,
    FakeClients,
    FakeModel,
    finish,
    passage,
    retrieved,
)

DOWN = InterfaceError("connection", None, OSError("refused"))


def build(*models, attempts=None, clients=None, chat_logs=None, cancellations=None):
    return Generation(
        attempts or FakeAttempts(),
        clients or FakeClients(),
        chat_logs or FakeChatLogs(),
        lambda widget, tier: list(models),
        cancellations or Cancellations(),
    )


async def run(generation, event):
    return [said async for said in generation.handle(event)]


async def hear(events, heard):
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


async def test_answer_is_started_sources_deltas_completed_and_the_record():
    event = retrieved(passages=[passage(page=3), passage("Elsewhere.", title="Other")])
    events = await run(build(FakeModel("Refunds ", "take 14 days [1].", finish())), event)

    assert names(events)[:3] == ["AnswerStarted", "AnswerSources", "AnswerDelta"]
    assert names(events)[-2:] == ["AnswerCompleted", "ChatCompleted"]
    assert_numbered(events)
    assert text(events) == "Refunds take 14 days [1]."
    assert [(source.n, source.page) for source in of(events, AnswerSources).sources] == [(1, 3), (2, None)]


async def test_record_tells_the_same_story_as_the_events():
    events = await run(
        build(FakeModel("See [1], [9] and [1].", finish(input_tokens=1_000, output_tokens=100))), retrieved()
    )
    record, completed = of(events, ChatCompleted), of(events, AnswerCompleted)

    assert record.answer == "See [1], [9] and [1]."
    assert record.citations == completed.citations == [1]
    assert record.usage == completed.usage == Usage(input_tokens=1_000, output_tokens=100)
    assert record.cost_usd == pytest.approx((1_000 * 0.15 + 100 * 0.60) / 1e6)
    assert (record.provider, record.model, record.tier) == ("openai", "gpt-4o-mini", "free")
    assert 0 <= record.first_token_ms <= record.answer_ms


async def test_metrics_count_an_answer_once():
    labels = {"outcome": "completed", "finish_reason": "stop", "provider": "openai", "model": "counted"}
    generation, event = build(FakeModel("a", finish(), name="counted")), retrieved()
    await run(generation, event)
    await run(generation, event)

    assert REGISTRY.get_sample_value("chatconnect_answers_total", labels) == 1


async def test_first_token_is_told_before_the_second_comes():
    more = asyncio.Event()
    async with aclosing(build(FakeModel("first", more, "second", finish())).handle(retrieved())) as events:
        async for event in events:
            if isinstance(event, AnswerDelta):
                assert event.text in {"first", "second"}
                more.set()


async def test_tokens_after_the_first_are_joined():
    events = await run(build(FakeModel("a", *["b"] * 50, finish())), retrieved())

    assert text(events) == "a" + "b" * 50
    assert names(events).count("AnswerDelta") < 10


async def test_nul_from_a_model_is_replaced():
    events = await run(build(FakeModel("a\0b", finish())), retrieved())

    assert text(events) == of(events, ChatCompleted).answer == "a\ufffdb"


@pytest.mark.parametrize("event", [retrieved(confidence=0.1), retrieved(passages=[], confidence=0)])
async def test_without_evidence_no_model_is_asked(event):
    model = FakeModel("I make things up", finish())
    events = await run(build(model), event)

    assert model.prompts == []
    assert text(events) == NO_ANSWER
    assert of(events, AnswerSources).sources == []
    assert of(events, AnswerCompleted).finish_reason == "no_answer"
    assert of(events, ChatCompleted).usage == Usage()


async def test_no_answer_is_the_clients_own_text():
    clients = FakeClients(no_answer_text="Call us.")

    assert text(await run(build(clients=clients), retrieved(confidence=0))) == "Call us."


async def test_widget_and_conversation_reach_the_model():
    model = FakeModel("a", finish())
    clients = FakeClients(system_prompt="Be merry.", temperature=0.7, max_tokens=55)
    event = retrieved()
    chat_logs = FakeChatLogs(log("newer", "n"), log("failed", "", outcome="failed"), log("older", "o"))
    await run(build(model, clients=clients, chat_logs=chat_logs), event)
    prompt = model.prompts[0]

    assert "Be merry." in prompt.system
    assert (prompt.temperature, prompt.max_tokens) == (0.7, 55)
    assert [turn.question for turn in prompt.turns] == ["older", "newer"]
    assert chat_logs.asked == [("acme", "s1", event.request.requested_at, 6)]


def log(question, answer, outcome="completed"):
    now = datetime.now(UTC)
    return ChatLog(
        client_id="acme", message_id=uuid4(), session_id="s1", attempt=1, outcome=outcome, question=question,
        answer=answer, sources=[], citations=[], finish_reason="stop", failure_code=None, provider="openai",
        model="m", tier="free", usage=Usage(), requested_at=now, completed_at=now, rating=None, rating_comment=None,
    )  # fmt: skip


async def test_failure_before_the_first_token_goes_to_the_other_provider():
    second = FakeModel("Hello", finish(), provider="anthropic", name="claude-sonnet-4-5")
    events = await run(build(FakeModel(ProviderBusyError("429")), second), retrieved())

    assert names(events) == [
        "AnswerStarted", "AnswerSources", "AnswerStarted", "AnswerDelta", "AnswerCompleted", "ChatCompleted",
    ]  # fmt: skip
    assert [event.model for event in events if isinstance(event, AnswerStarted)] == ["gpt-4o-mini", "claude-sonnet-4-5"]
    assert of(events, ChatCompleted).provider == "anthropic"
    assert_numbered(events)


async def test_when_all_fail_it_is_retryable_if_one_is_busy():
    generation = build(
        FakeModel(ProviderBusyError("529", retry_after_seconds=3)), FakeModel(ProviderRefusedError("401"))
    )
    with pytest.raises(ProviderBusyError) as caught:
        await run(generation, retrieved())

    assert caught.value.retry_after_seconds == 3


async def test_failure_in_mid_answer_is_no_job_for_the_other_provider():
    first, second = FakeModel("Half", ProviderBusyError("cut")), FakeModel("Other", finish())
    events = []
    with pytest.raises(ProviderBusyError):
        await hear(build(first, second).handle(retrieved()), events)

    assert text(events) == "Half"
    assert second.prompts == []


async def test_next_attempt_has_a_higher_number_and_starts_anew():
    model = FakeModel("Half", ProviderBusyError("cut"))
    generation, event = build(model), retrieved()
    with pytest.raises(ProviderBusyError):
        await run(generation, event)
    model.script = ("Whole", finish())
    events = await run(generation, event)

    assert text(events) == "Whole"
    assert_numbered(events, attempt=2)


async def test_redelivered_answer_is_told_again_word_for_word():
    generation, event = build(FakeModel("a", *["bc"] * 900, " [1]", finish())), retrieved()
    first, second = await run(generation, event), await run(generation, event)

    assert second == first
    assert len(first) > 5


async def test_ending_is_told_over_an_attempt_that_was_begun_without_postgres():
    """Found by the soak: stored and not told, then Postgres was too slow for the next worker's beginning."""
    attempts, event = FakeAttempts(), retrieved()
    stored = await run(build(FakeModel("first", finish()), attempts=attempts), event)
    attempts.failure = DOWN
    later, shown = build(FakeModel("second", finish()), attempts=attempts), []
    async for said in later.handle(asked_before(event, seconds=20)):
        shown.append(said)
        attempts.failure = None

    retold = [said for said in shown if said.attempt == shown[-1].attempt]
    assert shown[0].attempt > stored[0].attempt
    assert retold[0].attempt > shown[0].attempt
    assert_numbered(retold, retold[0].attempt)
    assert names(retold) == names(stored)
    assert text(retold) == "first"


async def test_another_worker_tells_an_ending_also_above_what_may_have_been_shown_since():
    """A gateway that knows the end drops the second; one that was shown a higher attempt heeds it alone."""
    attempts, event = FakeAttempts(), retrieved()
    stored = await run(build(FakeModel("first", finish()), attempts=attempts), event)
    told = await run(build(FakeModel("unasked"), attempts=attempts), asked_before(event, seconds=20))

    assert told[: len(stored)] == [said.model_copy(update={}) for said in stored]
    assert names(told[len(stored) :]) == names(stored)[:-1]
    assert_numbered(told[len(stored) :], 161)


async def test_record_is_not_told_before_it_is_stored():
    attempts = FakeAttempts()
    async for event in build(FakeModel("a", finish()), attempts=attempts).handle(retrieved()):
        assert bool(attempts.endings) == isinstance(event, AnswerCompleted | ChatCompleted)


async def test_held_message_is_retried_when_its_lease_ends():
    attempts = FakeAttempts()
    attempts.held = 4.5
    with pytest.raises(RetryableError) as caught:
        await run(build(attempts=attempts), retrieved())

    assert caught.value.retry_after_seconds == 4.5


async def test_overtaken_answer_ends_in_silence():
    attempts, event = FakeAttempts(), retrieved()
    model = FakeModel("a", finish())
    events = []
    async for said in build(model, attempts=attempts).handle(event):
        events.append(said)
        attempts.rows["acme", event.request.message_id] = 2

    assert names(events) == ["AnswerStarted", "AnswerSources", "AnswerDelta"]


async def test_lost_lease_stops_the_model():
    attempts, event = FakeAttempts(lease_seconds=0.03), retrieved()
    model = FakeModel("a", asyncio.Event(), finish())
    events = []
    async with asyncio.timeout(5):
        async for said in build(model, attempts=attempts).handle(event):
            events.append(said)
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
            await hear(generation.handle(event), seen)
    attempts_seen = [said.attempt for said in seen]

    assert attempts_seen == sorted(attempts_seen)
    assert len(set(attempts_seen)) == 5


async def test_answer_begun_without_postgres_is_stored_when_it_is_back():
    attempts, event = FakeAttempts(), retrieved()
    attempts.failure = DOWN
    generation = build(FakeModel("a", finish()), attempts=attempts)
    async for said in generation.handle(event):
        if isinstance(said, AnswerDelta):
            attempts.failure = None
    again = await run(generation, event)

    assert again[-1].attempt == said.attempt


async def test_hung_postgres_does_not_hold_the_answer(monkeypatch):
    class Hung(FakeAttempts):
        async def begin(self, client_id, message_id, *, above=0):
            await asyncio.Event().wait()

    monkeypatch.setattr("handlers.lease.DEADLINE_SECONDS", 0.05)
    async with asyncio.timeout(5):
        events = await run(build(FakeModel("a", finish()), attempts=Hung()), retrieved())

    assert text(events) == "a"


async def test_cancel_in_mid_answer_keeps_and_bills_what_was_said():
    cancellations, event = Cancellations(), retrieved()
    model = FakeModel("Half an answer", asyncio.Event(), finish())
    events = []
    async with asyncio.timeout(0.5):
        async for said in build(model, cancellations=cancellations).handle(event):
            events.append(said)
            if isinstance(said, AnswerDelta):
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
    async with aclosing(build(model, cancellations=cancellations).handle(event)) as events:
        async for said in events:
            if isinstance(said, AnswerDelta):
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
        await hear(generation.handle(event), shown)
    ending = [said async for said in generation.give_up(event, caught.value)]

    assert names(ending) == ["AnswerFailed", "ChatCompleted"]
    assert_numbered(shown + ending)
    assert ending[0].retryable
    assert "cut" not in ending[0].message
    assert (ending[1].outcome, ending[1].answer, ending[1].failure_code) == ("failed", "Half", "unavailable")


async def test_giving_up_twice_tells_the_same_ending():
    generation, event = build(FakeModel(ProviderRefusedError("401", code="provider_refused"))), retrieved()
    with pytest.raises(ProviderRefusedError) as caught:
        await run(generation, event)
    first = [said async for said in generation.give_up(event, caught.value)]
    second = [said async for said in generation.give_up(event, caught.value)]

    assert (first[0].code, first[0].retryable) == ("provider_refused", False)
    assert second[-2:] == first


async def test_giving_up_needs_no_postgres():
    attempts, clients = FakeAttempts(), FakeClients()
    attempts.failure = clients.failure = DOWN
    ending = [said async for said in build(attempts=attempts, clients=clients).give_up(retrieved(), DOWN)]

    assert isinstance(ending[0], AnswerFailed)
    assert ending[0].attempt >= 1


async def test_overtaken_attempt_does_not_give_up():
    attempts, event = FakeAttempts(), retrieved()
    generation = build(FakeModel(ProviderBusyError("429")), attempts=attempts)
    with pytest.raises(ProviderBusyError) as caught:
        await run(generation, event)
    attempts.rows["acme", event.request.message_id] = 2

    assert [said async for said in generation.give_up(event, caught.value)] == []
