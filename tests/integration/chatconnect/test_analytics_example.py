import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from schemas.events import ChatCompleted, Usage
from schemas.settings import Settings
from streams.kafka.connection import connection
from streams.publisher import Publisher

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 60


def completed(client_id: str, cost_usd: float) -> ChatCompleted:
    now = datetime.now(UTC)
    return ChatCompleted(
        client_id=client_id,
        message_id=uuid4(),
        session_id=f"s-{uuid4()}",
        attempt=1,
        outcome="completed",
        question="Why?",
        answer="Because.",
        sources=[],
        citations=[],
        finish_reason="stop",
        provider="openai",
        model="gpt-4o-mini",
        tier="free",
        usage=Usage(input_tokens=100, output_tokens=11),
        cost_usd=cost_usd,
        retrieval_ms=1,
        first_token_ms=2,
        answer_ms=3,
        requested_at=now,
        completed_at=now,
    )


async def test_the_example_sums_each_answer_once_per_client(settings: Settings) -> None:
    one, two = f"client-{uuid4()}", f"client-{uuid4()}"
    answers = [completed(one, 0.25), completed(one, 0.5), completed(two, 0.125)]
    async with Publisher(settings) as publisher:
        for answer in [*answers, answers[0]]:
            await publisher.publish(answer)

    async with asyncio.timeout(DEADLINE_SECONDS):
        table = await run_example(settings, once=await count_answers(settings))

    assert row(table, one) == ["2", "222", "0.750000"]
    assert row(table, two) == ["1", "111", "0.125000"]


async def count_answers(settings: Settings) -> int:
    """The number of distinct answers on the topic, including those of other tests."""
    consumer = AIOKafkaConsumer("chat.completed", auto_offset_reset="earliest", **connection(settings))
    answers: set[tuple[str, str]] = set()
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                facts = (json.loads(record.value) for record in records)
                answers |= {(fact["clientId"], fact["messageId"]) for fact in facts}
    return len(answers)


async def run_example(settings: Settings, once: int) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "examples.analytics_consumer",
        "--once",
        str(once),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers, "COLUMNS": "120"},
    )
    try:
        table = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, table
    return table


def row(table: str, client_id: str) -> list[str]:
    """The cells after the client's name in the last drawn table."""
    line = [line for line in table.splitlines() if client_id in line][-1]
    return [cell.strip() for cell in line.strip("│ ").split("│")][1:]
