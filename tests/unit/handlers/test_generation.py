"""The event sequence of an answer, and failures in its middle."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from handlers.answering.generation import NO_ANSWER
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from schemas.events import (
    AnswerCompleted,
    AnswerDelta,
    AnswerSources,
    AnswerStarted,
    ChatCompleted,
    Usage,
)
from stores.postgres.chat_logs import ChatLog
from tests.support.answering import answer, assert_numbered, build, names, observe, of, run, text
from tests.support.fakes_models import FakeChatLogs, FakeClients, FakeModel, finish, passage, retrieved


async def test_answer_is_started_sources_deltas_completed_and_the_record():
    event = retrieved(passages=[passage(page=3, page_end=4), passage("Elsewhere.", title="Other")])
    events = await run(build(FakeModel("Refunds ", "take 14 days [1].", finish())), event)

    assert names(events)[:3] == ["AnswerStarted", "AnswerSources", "AnswerDelta"]
    assert names(events)[-2:] == ["AnswerCompleted", "ChatCompleted"]
    assert_numbered(events)
    assert text(events) == "Refunds take 14 days [1]."
    sources = of(events, AnswerSources).sources
    assert [(source.n, source.page, source.page_end) for source in sources] == [(1, 3, 4), (2, None, None)]


async def test_record_agrees_with_the_events():
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
    searches = REGISTRY.get_sample_value("chatconnect_retrieval_seconds_count")
    await run(generation, event)
    await run(generation, event)

    assert REGISTRY.get_sample_value("chatconnect_answers_total", labels) == 1
    assert REGISTRY.get_sample_value("chatconnect_retrieval_seconds_count") == searches + 1


async def test_first_token_is_sent_before_the_second_comes():
    more = asyncio.Event()
    async with aclosing(answer(build(FakeModel("first", more, "second", finish())), retrieved())) as events:
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
    chat_logs = FakeChatLogs(log("newer", "n"), log("older", "o"))
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


async def test_failure_in_mid_answer_does_not_go_to_the_other_provider():
    first, second = FakeModel("Half", ProviderBusyError("cut")), FakeModel("Other", finish())
    events = []
    with pytest.raises(ProviderBusyError):
        await observe(answer(build(first, second), retrieved()), events)

    assert text(events) == "Half"
    assert second.prompts == []
