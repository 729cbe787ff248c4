"""Answers, tokens and cost per client as a live table: `uv run python examples/analytics_consumer.py`, Ctrl-C ends it.

Nothing is committed: each start reads the log from its beginning, so the sums cover all that Kafka still keeps.
"""

import asyncio
import os
import sys
from collections import Counter, defaultdict

from aiokafka import AIOKafkaConsumer
from rich.live import Live
from rich.table import Table

from chatconnect import last_stack
from schemas.events import ChatCompleted
from schemas.settings import Settings
from streams.kafka.connection import connection


async def main(kafka: str, once: int | None) -> None:
    seen, clients = set[str](), defaultdict[str, Counter[str]](Counter)
    reading = {"group_id": "analytics-example", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    reading |= connection(Settings(kafka_bootstrap_servers=kafka))
    async with AIOKafkaConsumer("chat.completed", **reading) as consumer:
        with Live(Table(title="Waiting for the first answer")) as live:
            while len(seen) != once:
                answer = ChatCompleted.model_validate_json((await consumer.getone()).value)
                if (key := f"{answer.client_id}/{answer.message_id}") not in seen:  # Kafka may deliver a record twice
                    seen.add(key)
                    tokens = answer.usage.input_tokens + answer.usage.output_tokens
                    clients[answer.client_id].update(answers=1, tokens=tokens, nano_usd=round(answer.cost_usd * 1e9))
                    live.update(table := Table("client", "answers", "tokens", "USD"))
                    for name, sums in sorted(clients.items()):
                        table.add_row(name, f"{sums['answers']}", f"{sums['tokens']}", f"{sums['nano_usd'] / 1e9:.6f}")


answers = int(sys.argv[2]) if sys.argv[1:2] == ["--once"] else None  # `--once N`: end after N answers
asyncio.run(main((last_stack.read() | os.environ)["KAFKA_BOOTSTRAP_SERVERS"], answers))
