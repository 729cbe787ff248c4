"""What retrieval searches for, what it finds, and how it fails."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from handlers.background_task import background_task
from handlers.ports import Turn
from handlers.retrieval.search import MAX_PASSAGES, Retrieval, confidence
from schemas.events import ChatRequested, ChatRetrieved
from schemas.failures import RetryableError
from schemas.passages import Passage
from stores.vectors.store import Chunk
from tests.support.fakes_knowledge import FakeEmbedder, FakeVectors


def asked(text, client_id="acme"):
    return ChatRequested(
        client_id=client_id, message_id=uuid4(), session_id="s", text=text, requested_at=datetime.now(UTC)
    )


@pytest.fixture
async def knowledge():
    vectors, embedder = FakeVectors(), FakeEmbedder()
    texts = ["Refunds take five working days.", *(f"Unrelated passage {n}." for n in range(9))]
    rows = await embedder.embed(texts)
    chunks = [Chunk("doc", 1, n, "Terms", text, row) for n, (text, row) in enumerate(zip(texts, rows, strict=True))]
    await vectors.upsert("acme", chunks)
    await vectors.publish_version("acme", "doc", 1)
    return embedder, vectors


async def turns_of(*questions) -> list[Turn]:
    return [Turn(question, "An answer.") for question in questions]


async def retrieved(knowledge, request, turns=None, **limits) -> ChatRetrieved:
    async with background_task(turns or turns_of()) as reading:
        return await Retrieval(*knowledge, **limits).search(request, reading)


async def test_the_best_passage_comes_first_with_a_confidence(knowledge):
    request = asked("How many working days do refunds take?")

    found = await retrieved(knowledge, request)

    assert found.request == request
    assert found.query == request.text
    assert len(found.passages) == MAX_PASSAGES
    assert found.passages[0].text == "Refunds take five working days."
    assert found.confidence > 1.2


async def test_another_client_finds_nothing_with_zero_confidence(knowledge):
    found = await retrieved(knowledge, asked("How many working days do refunds take?", client_id="other"))

    assert (found.passages, found.confidence) == ([], 0.0)


async def test_a_message_that_leans_on_the_conversation_is_searched_with_the_last_question(knowledge):
    found = await retrieved(knowledge, asked("and in Austria?"), turns_of("What is this?", "How long do refunds take?"))

    assert found.query == "How long do refunds take?\nand in Austria?"


async def test_a_history_that_takes_too_long_is_not_waited_for(knowledge):
    found = await retrieved(knowledge, asked("and in Austria?"), asyncio.Event().wait(), history_seconds=0.01)

    assert found.query == "and in Austria?"


async def test_an_unavailable_store_is_retryable(knowledge):
    knowledge[1].failures.append(RetryableError("away"))

    with pytest.raises(RetryableError):
        await retrieved(knowledge, asked("How long?"))


def test_confidence_is_cosine_plus_share_and_never_negative():
    passages = [Passage(document_id="d", title="t", text="Refunds", score=score) for score in (-0.5, -0.6)]

    assert confidence("refunds", passages) == 1.0
    assert confidence("weather", passages) == 0.0
