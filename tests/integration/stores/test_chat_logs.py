"""The log of answers on a real Postgres: each stored once, counted once, visible to its client only."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text

from handlers.conversation_log import ConversationLog
from schemas.cursor import PageCursor
from schemas.events import ChatFeedback, Usage
from schemas.failures import PermanentError
from schemas.passages import Source
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.usage import UsageDay, UsageStats
from tests.support.fakes_models import completed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = date(2026, 11, 24)


@pytest.fixture
def logs(engine):
    return ChatLogs(engine)


def feedback(record, rating="up", **fields):
    values = {
        "client_id": record.client_id,
        "message_id": record.message_id,
        "session_id": record.session_id,
        "rating": rating,
        "rated_at": NOON,
    }
    return ChatFeedback(**{**values, **fields})


async def test_row_reads_back_as_it_was_recorded(logs):
    record = completed(completed_at=NOON)
    await logs.record(record)
    row = await logs.get("acme", record.message_id)

    assert row.model_dump(exclude={"rating", "rating_comment"}) == record.model_dump(
        include=set(type(row).model_fields) - {"rating", "rating_comment"}
    )
    assert (row.rating, row.rating_comment) == (None, None)


async def test_replay_changes_no_figure(logs, engine):
    records = [completed(completed_at=NOON) for _ in range(5)]
    for _ in range(3):
        await asyncio.gather(*(logs.record(record) for record in records))
    days = await UsageStats(engine).days("acme", DAY, DAY)

    assert [(day.answers, day.input_tokens, day.cost_usd) for day in days] == [(5, 500, Decimal("0.000105"))]


async def test_record_says_whether_it_was_new(logs):
    record = completed()

    assert await logs.record(record)
    assert not await logs.record(record)


async def test_usage_is_summed_by_day_and_model(logs, engine):
    for record in (
        completed(completed_at=NOON),
        completed(completed_at=NOON, outcome="failed", usage=Usage(input_tokens=1), cost_usd=0),
        completed(completed_at=NOON, outcome="cancelled", model="other"),
        completed(completed_at=NOON + timedelta(days=1)),
        completed(completed_at=NOON, client_id="rival"),
    ):
        await logs.record(record)

    assert await UsageStats(engine).days("acme", DAY, DAY) == [
        UsageDay("acme", DAY, "gpt-4o-mini", 1, 1, 101, 10, 5, 2, Decimal("0.000021")),
        UsageDay("acme", DAY, "other", 1, 0, 100, 10, 5, 2, Decimal("0.000021")),
    ]


async def test_count_and_row_are_one_transaction(logs, engine):
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE usage_stats ADD CONSTRAINT no CHECK (answers = 0)"))
    record = completed()
    with pytest.raises(Exception, match="no"):
        await logs.record(record)

    assert await logs.get("acme", record.message_id) is None


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({"tier": "enterprise"}, id="by a constraint"),
        pytest.param({"cost_usd": 1e9}, id="by the server's type"),
        pytest.param({"attempt": 2**31}, id="by the driver"),
        pytest.param({"answer": "\ud83d"}, id="for half a character"),
        pytest.param({"sources": [Source.model_construct(snippet="\ud83d")]}, id="for half a character in JSON"),
    ],
)
async def test_refused_row_is_given_up_at_once_and_the_next_is_recorded(logs, engine, refused):
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE chat_logs ADD CONSTRAINT no CHECK (tier <> 'enterprise')"))
    handler, record = ConversationLog(logs), completed()
    with pytest.raises(PermanentError) as raised:
        await anext(handler.handle(record.model_copy(update=refused)), None)
    await anext(handler.handle(record), None)

    assert raised.value.code == "row_refused"
    assert (await logs.get("acme", record.message_id)).tier == "free"


async def test_page_is_newest_first_and_goes_back_in_time(logs):
    records = [completed(requested_at=NOON + timedelta(minutes=i), question=str(i)) for i in range(5)]
    for record in records:
        await logs.record(record)
    newest = await logs.page("acme", "s1", before=None, limit=2)
    older = await logs.page(
        "acme", "s1", before=PageCursor(newest[-1].requested_at, str(newest[-1].message_id)), limit=10
    )

    assert [row.question for row in newest] == ["4", "3"]
    assert [row.question for row in older] == ["2", "1", "0"]


async def test_turns_are_the_last_completed_answers_oldest_first(logs):
    for minute, more in enumerate(({}, {}, {"outcome": "failed"}, {"answer": ""}, {"client_id": "rival"}, {})):
        await logs.record(completed(requested_at=NOON + timedelta(minutes=minute), question=str(minute), **more))

    turns = await logs.turns("acme", "s1", before=NOON + timedelta(minutes=5), limit=9)
    assert [question for question, _ in turns] == ["0", "1"]
    assert [question for question, _ in await logs.turns("acme", "s1", before=NOON + timedelta(hours=1), limit=2)] == [
        "1",
        "5",
    ]
    assert await logs.turns("acme", "other", before=NOON + timedelta(hours=1), limit=2) == []


async def test_other_clients_see_nothing_and_rate_nothing(logs):
    record = completed()
    await logs.record(record)

    assert await logs.get("rival", record.message_id) is None
    assert await logs.page("rival", "s1", before=None, limit=10) == []
    assert not await logs.rate(feedback(record, client_id="rival"))
    assert not await logs.rate(feedback(record, session_id="another session"))


async def test_last_rating_counts(logs):
    record = completed()

    assert not await logs.rate(feedback(record))
    await logs.record(record)
    assert await logs.rate(feedback(record))
    assert await logs.rate(feedback(record, "down", comment="wrong\0"))
    row = await logs.get("acme", record.message_id)
    assert (row.rating, row.rating_comment) == ("down", "wrong\ufffd")


async def test_nul_from_a_visitor_does_not_poison_the_log(logs):
    source = Source(n=1, document_id="doc_1", title="T", snippet="c\0d", score=0.5)
    record = completed(question="a\0b", session_id="s\0", message_id=uuid4(), sources=[source])
    await logs.record(record)

    [row] = await logs.page("acme", "s\0", before=None, limit=1)
    assert (row.question, row.sources) == ("a\ufffdb", [source.model_copy(update={"snippet": "c\ufffdd"})])
    assert await logs.page("acme", "s", before=None, limit=1) == []
