"""What retrieval searches for, what it finds, and what a visitor gets when it cannot."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from handlers.retrieval.search import MAX_PASSAGES, Retrieval, confidence
from schemas.events import ChatRequested, ChatRetrieved, Passage
from schemas.failures import PermanentError, RetryableError
from stores.vectors import Chunk
from tests.support.fakes_knowledge import FakeChatLogs, FakeEmbedder, FakeVectors


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


async def retrieved(knowledge, request, chat_logs=None) -> ChatRetrieved:
    return await Retrieval(*knowledge, chat_logs or FakeChatLogs()).search(request)


async def test_the_best_passage_comes_first_with_a_confidence(knowledge):
    request = asked("How many working days do refunds take?")

    found = await retrieved(knowledge, request)

    assert found.request == request
    assert found.query == request.text
    assert len(found.passages) == MAX_PASSAGES
    assert found.passages[0].text == "Refunds take five working days."
    assert found.confidence > 1.2


async def test_another_client_finds_nothing_and_is_sure_of_nothing(knowledge):
    found = await retrieved(knowledge, asked("How many working days do refunds take?", client_id="other"))

    assert (found.passages, found.confidence) == ([], 0.0)


async def test_a_message_that_leans_on_the_conversation_takes_the_last_question_along(knowledge):
    found = await retrieved(knowledge, asked("and in Austria?"), FakeChatLogs("How long do refunds take?"))

    assert found.query == "How long do refunds take?\nand in Austria?"


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionRefusedError(), OperationalError("", None, Exception())])
async def test_without_history_the_message_itself_is_searched_for(knowledge, error):
    found = await retrieved(knowledge, asked("and in Austria?"), FakeChatLogs(error=error))

    assert found.query == "and in Austria?"


async def test_a_store_that_is_away_is_the_runtimes_business(knowledge):
    knowledge[1].failures.append(RetryableError("away"))

    with pytest.raises(RetryableError):
        await retrieved(knowledge, asked("How long?"))


async def test_a_search_that_failed_for_good_is_handed_on_to_be_told(knowledge):
    request = asked("How long?")
    retrieval = Retrieval(*knowledge, FakeChatLogs())

    for error, is_retryable in ((RetryableError("x"), True), (PermanentError("y"), False)):
        found = retrieval.failed(request, error)

        assert (found.request, found.session_id, found.client_id) == (request, request.session_id, request.client_id)
        assert (found.passages, found.confidence) == ([], 0.0)
        assert (found.failure.code, found.failure.retryable) == ("retrieval_failed", is_retryable)
        assert found.failure.message.endswith(".")


def test_confidence_is_cosine_plus_share_and_never_negative():
    passages = [Passage(document_id="d", title="t", text="Refunds", score=score) for score in (-0.5, -0.6)]

    assert confidence("refunds", passages) == 1.0
    assert confidence("weather", passages) == 0.0
