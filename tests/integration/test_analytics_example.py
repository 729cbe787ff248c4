import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from schemas.events import ChatCompleted, Usage
from schemas.settings import Settings
from streams.publisher import Publisher

EXAMPLE = Path(__file__).parents[2] / "examples" / "analytics_consumer.py"
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
    """Other tests may have left answers on the topic, so the example runs until it has seen them and ours."""
    one, two = f"client-{uuid4()}", f"client-{uuid4()}"
    answers = [completed(one, 0.25), completed(one, 0.5), completed(two, 0.125)]
    async with Publisher(settings) as publisher:
        for answer in [*answers, answers[0]]:
            await publisher.publish(answer)

    async with asyncio.timeout(DEADLINE_SECONDS):
        table = await run_example(settings, stop_at=(one, two))

    assert rows(table, one)[-1] == ["2", "222", "0.750000"]
    assert rows(table, two)[-1] == ["1", "111", "0.125000"]


async def run_example(settings: Settings, stop_at: tuple[str, str]) -> str:
    once = 3
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            EXAMPLE,
            "--once",
            str(once),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers, "COLUMNS": "120"},
        )
        try:
            table = (await process.communicate())[0].decode()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, table
        if sum(int(rows(table, client)[-1][0]) for client in stop_at if rows(table, client)) == 3:
            return table
        once += 1


def rows(table: str, client_id: str) -> list[list[str]]:
    """The cells after the client's name, of each time it was drawn."""
    lines = [line for line in table.splitlines() if client_id in line]
    return [[cell.strip() for cell in line.strip("│ ").split("│")][1:] for line in lines]
