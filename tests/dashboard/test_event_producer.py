"""Records of the dashboard on a real Kafka, read by aiokafka."""

import json
import os
import subprocess
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import DefaultPartitioner

from schemas.events import ChatFeedback

KEYS = [str(uuid4()) for _ in range(300)] + [f"größe-数据-{number}" for number in range(200)]


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
