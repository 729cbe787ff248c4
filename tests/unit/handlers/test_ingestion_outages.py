"""A document while Postgres, Qdrant or a model is away: it waits, and its row says how it ends."""

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from handlers.worker import WIRING, ingestion
from schemas.events import DocumentDeleted
from schemas.failures import RetryableError
from tests.support.knowledge import Knowledge

AWAY = OperationalError("", None, Exception("connection refused"))
# Connection errors that SQLAlchemy does not wrap.
UNCONNECTED = (asyncpg.TooManyConnectionsError("sorry"), asyncpg.InterfaceError("closed"), ConnectionRefusedError())


@pytest.fixture
def knowledge(tmp_path):
    return Knowledge(tmp_path)


@pytest.mark.parametrize("error", [AWAY, TimeoutError(), *UNCONNECTED], ids=repr)
async def test_an_unavailable_dependency_is_retryable(knowledge, error):
    knowledge.documents.failures = [error]

    with pytest.raises(RetryableError):
        await knowledge.handle(await knowledge.uploaded())


@pytest.mark.parametrize("failures", [[], [AWAY], *([error] for error in UNCONNECTED)], ids=repr)
async def test_giving_up_waits_for_postgres_so_that_the_row_says_failed(knowledge, failures):
    uploaded = await knowledge.uploaded()
    await knowledge.documents.register(uploaded)
    knowledge.documents.failures = list(failures)

    for _ in failures:
        with pytest.raises(RetryableError):
            await anext(knowledge.ingestion.give_up(uploaded, RetryableError("Qdrant is away")))
    ending = [event async for event in knowledge.ingestion.give_up(uploaded, RetryableError("Qdrant is away"))]

    assert [(event.status, event.retryable) for event in ending] == [("failed", True)]
    assert "try again" in ending[0].reason
    assert knowledge.documents.saved == ending


async def test_a_failure_that_postgres_refuses_is_published_all_the_same(knowledge):
    uploaded = await knowledge.uploaded()
    knowledge.documents.failures = [asyncpg.NumericValueOutOfRangeError("version")]

    ending = [event async for event in knowledge.ingestion.give_up(uploaded, RetryableError("Qdrant is away"))]

    assert [event.status for event in ending] == ["failed"]


async def test_a_document_says_that_it_waits_for_a_part_that_is_away(knowledge):
    handling = knowledge.ingestion.handle(await knowledge.uploaded())
    await anext(handling)
    knowledge.documents.failures = [AWAY]

    waiting = await anext(handling)

    assert waiting.current_step == "Waiting for a part of the system that is unavailable"
    assert knowledge.documents.saved[-1] == waiting
    with pytest.raises(RetryableError):
        await anext(handling)


async def test_a_row_that_postgres_refuses_ends_as_failed_and_is_not_tried_again(knowledge):
    knowledge.documents.failures = [asyncpg.NumericValueOutOfRangeError("version")]

    events = await knowledge.handle(await knowledge.uploaded())

    assert [(event.status, event.retryable) for event in events] == [("failed", False)]


async def test_giving_up_a_delete_reports_the_stage(knowledge):
    deleted = DocumentDeleted(client_id="acme", document_id="doc_1")

    ending = [event async for event in knowledge.ingestion.give_up(deleted, RetryableError("Qdrant is away"))]

    assert [(event.status, event.stage, event.retryable) for event in ending] == [("failed", "deleting", True)]


def test_a_dependency_that_is_away_is_waited_for_much_longer_than_a_defect():
    [policy] = [spec.retry for spec in WIRING if spec.handler is ingestion]

    assert policy.decide(RetryableError("away"), 2_000) is not None, "with pauses of 5 s on average, nearly three hours"
    assert policy.decide(ValueError("a defect"), 5, 5) is None
