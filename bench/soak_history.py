"""All that is known of one message after a soak: from the visitor, Kafka, the tables, the processes' logs."""

import json
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.soak_account import AskedQuestion
from bench.soak_site import SoakSite
from streams.codec import ANSWER, EVENT_TYPE, header
from streams.reading.reader import LogReader
from streams.topics import CHAT_CANCELLED, CHAT_COMPLETED, CHAT_REQUESTED, CHAT_RETRIEVED, CHAT_TOKEN, Topic

SINCE = timedelta(hours=1)
TOPICS = (CHAT_REQUESTED, CHAT_RETRIEVED, CHAT_TOKEN, CHAT_COMPLETED, CHAT_CANCELLED)
TABLES = ("answer_attempts", "chat_logs")
MAX_LINE = 500


async def history(site: SoakSite, engine: AsyncEngine, asked: AskedQuestion) -> list[str]:
    """Lines, the visitor's first."""
    lines = [
        f"received {asked.received.endings} {asked.received.problems} {asked.received.code} {asked.received.text!r}"
    ]
    lines += [f"visitor: {line}" for line in asked.received.history]
    for topic in TOPICS:
        lines += await _records(site, topic, asked.message_id)
    for table in TABLES:
        lines += await _rows(engine, table, asked.message_id)
    for log in sorted(site.folder.glob("*.log")):
        with log.open(errors="replace") as file:
            lines += [f"{log.name}: {line.strip()}" for line in file if asked.message_id in line]
    return [line[:MAX_LINE] for line in lines]


async def _records(site: SoakSite, topic: Topic, message_id: str) -> list[str]:
    found = []
    async with LogReader(site.settings, topic) as reader:
        await reader.seek(SINCE)
        if reader.is_caught_up:
            return []
        async for batch in reader.batches():
            found += [
                f"{one.topic}.{one.partition}.{one.offset} at {one.timestamp}"
                f" {(header(one, EVENT_TYPE) or b'').decode()} {(header(one, ANSWER) or b'').decode()[37:]}"
                for one in batch
                if message_id.encode() in (one.value or b"")
            ]
            if reader.is_caught_up:
                break
    return found


async def _rows(engine: AsyncEngine, table: str, message_id: str) -> list[str]:
    async with engine.connect() as connection:
        statement = text(f"SELECT to_jsonb({table}) AS it FROM {table} WHERE message_id = :message")
        rows = (await connection.execute(statement, {"message": UUID(message_id)})).scalars()
        return [f"{table}: {json.dumps(row, ensure_ascii=False)}" for row in rows]
