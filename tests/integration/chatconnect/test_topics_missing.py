"""A Kafka that is away, or has no topics: each process ends with a sentence that says what to do."""

import asyncio

import pytest

from chatconnect.embedded.kafka import Kafka
from tests.support import processes
from tests.support.services import SHORT_LIVED


@pytest.fixture
async def bare(settings, tmp_path):
    """Settings for a Kafka on which `chatconnect topics` was never run."""
    kafka = await Kafka.start(tmp_path / "kafka", tmp_path / "kafka.log", print, options=SHORT_LIVED)
    yield settings.model_copy(update={"kafka_bootstrap_servers": kafka.url})
    await kafka.stop()


async def test_a_worker_and_a_gateway_without_topics_end_with_a_sentence(bare, tmp_path):
    parts = [make(bare, tmp_path / make.__name__) for make in (processes.worker, processes.gateway)]
    for part in parts:
        await part.start(wait=False)
    try:
        codes = await asyncio.gather(*(part.until_ended() for part in parts))
    finally:
        for part in parts:
            await part.stop()

    assert codes == [1, 1]
    for part, topics in zip(parts, (("chat.cancelled", "document.uploaded"), ("chat.token",)), strict=True):
        output = part.last_lines(1_000)
        assert output.splitlines()[-1] in [
            f"The topic {topic} does not exist: run `chatconnect topics` first." for topic in topics
        ]
        assert "Traceback" not in output


async def test_a_gateway_without_kafka_ends_with_a_sentence(settings, tmp_path):
    away = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    gateway = processes.gateway(away, tmp_path / "gateway")
    await gateway.start(wait=False)
    try:
        code = await gateway.until_ended()
    finally:
        await gateway.stop()

    output = gateway.last_lines(1_000)
    assert code == 1
    assert output.splitlines()[-1].startswith("Kafka cannot be used: ")
    assert output.endswith("Check KAFKA_BOOTSTRAP_SERVERS, and that the broker runs.")
    assert "Traceback" not in output
