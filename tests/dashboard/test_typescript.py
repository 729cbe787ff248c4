"""The TypeScript side alone: its own checks, its tables beside Alembic's, its records on a real Kafka."""

import json
import os
import subprocess
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import DefaultPartitioner

from schemas.events import ChatFeedback

OWN_OF_PYTHON = {"answer_attempts", "sessions", "alembic_version"}
COLUMNS = """
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable, a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum
"""
PRIMARY_KEYS = """
SELECT c.relname AS table, array_agg(a.attname ORDER BY array_position(i.indkey::int2[], a.attnum)) AS key
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) WHERE i.indisprimary GROUP BY 1
"""
KEYS = [str(uuid4()) for _ in range(300)] + [f"größe-数据-{number}" for number in range(200)]


@pytest.mark.parametrize("command", ["lint", "check", "test", "types -- --check"])
def test_its_own_checks_are_green(installed, command):
    ended = subprocess.run(
        ["npm", "run", "--silent", *command.split()], cwd=installed, capture_output=True, text=True, timeout=110
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


async def test_every_column_is_as_alembic_made_it(installed, database_url):
    printed = subprocess.run(
        [installed / "node", "scripts/tables.ts"], cwd=installed, capture_output=True, text=True, timeout=60, check=True
    )
    ours = {table["name"]: table for table in json.loads(printed.stdout)}
    database = await asyncpg.connect(database_url)
    columns, keys = await database.fetch(COLUMNS), await database.fetch(PRIMARY_KEYS)
    await database.close()
    theirs: dict[str, set[tuple]] = {}
    for row in columns:
        theirs.setdefault(row["table"], set()).add((row["name"], row["type"], row["nullable"], row["has_default"]))

    assert theirs.keys() - OWN_OF_PYTHON == ours.keys()
    for name, table in ours.items():
        described = {
            (one["name"], _postgres_type(one["type"]), one["nullable"], one["hasDefault"]) for one in table["columns"]
        }
        assert described == theirs[name], name
    found = {row["table"]: row["key"] for row in keys}
    assert {name: table["key"] for name, table in ours.items()} == {name: found[name] for name in ours}


def _postgres_type(drizzle: str) -> str:
    return {"numeric(14, 8)": "numeric(14,8)"}.get(drizzle, drizzle)


async def test_the_partitions_headers_and_values_are_those_of_the_python_half(installed, settings, services):
    reader = AIOKafkaConsumer(
        "chat.feedback", bootstrap_servers=services.kafka_bootstrap_servers, auto_offset_reset="latest"
    )
    await reader.start()
    try:
        await reader.seek_to_end()
        _produce(installed, services.kafka_bootstrap_servers, KEYS)
        records = [await reader.getone() for _ in KEYS]
        partitions = sorted(reader.partitions_for_topic("chat.feedback"))
    finally:
        await reader.stop()

    assert sorted(record.key.decode() for record in records) == sorted(KEYS)
    partition_of = DefaultPartitioner()
    assert [record.partition for record in records] == [
        partition_of(record.key, partitions, partitions) for record in records
    ]
    for record in records:
        assert dict(record.headers) == {
            "content-type": b"application/json", "event-type": b"ChatFeedback", "client-id": b"acme",
            "client-tier": b"paid", "traceparent": b"00-1-1-01",
        }  # fmt: skip
        assert ChatFeedback.model_validate_json(record.value).session_id == record.key.decode()


def _produce(installed, servers, keys):
    subprocess.run(
        [installed / "node", "scripts/produce.ts"], cwd=installed, input=json.dumps(keys), text=True, timeout=60,
        check=True, env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": servers},
    )  # fmt: skip
