"""Kafka's JVM with an ahead-of-time cache."""

import shutil
from pathlib import Path

import pytest

from chatconnect.embedded.aot_cache import aot_cache
from chatconnect.embedded.aot_training import make_aot_cache, prepare_next_start
from chatconnect.embedded.cache import cache_folder
from chatconnect.embedded.folders import installed
from chatconnect.embedded.jars import kafka_class_path
from chatconnect.embedded.kafka import JAVA, Kafka

pytestmark = pytest.mark.usefixtures("services")


async def place():
    return aot_cache(installed(*JAVA), await kafka_class_path(print))


async def started(tmp_path):
    return await Kafka.start(tmp_path / "kafka", tmp_path / "kafka.log", print)


async def test_the_cache_is_made_once_and_used(tmp_path):
    made = await place()
    before = made.stat()
    await make_aot_cache()
    kafka = await started(tmp_path)
    mapped = Path(f"/proc/{kafka.process.pid}/maps").read_text()
    await kafka.stop()

    assert made.stat() == before
    assert str(made) in mapped


async def test_a_cache_that_is_damaged_is_ignored(tmp_path, monkeypatch):
    own = tmp_path / "cache"
    shutil.copytree(cache_folder(), own / "chatconnect", ignore=shutil.ignore_patterns("*.aot", "*.onnx"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(own))
    (await place()).write_bytes(b"no cache" * 1_000)

    kafka = await started(tmp_path)

    await kafka.stop()


async def test_a_training_that_fails_is_only_said(tmp_path, monkeypatch):
    own = tmp_path / "cache"
    shutil.copytree(cache_folder(), own / "chatconnect", ignore=shutil.ignore_patterns("*.aot", "*.onnx"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(own))
    monkeypatch.setattr("chatconnect.embedded.aot_training.Kafka.start", refuse)
    said = []

    await prepare_next_start(said.append, delay_seconds=0)

    assert said == ["Kafka's next start will not be faster: no room"]


async def refuse(*_, **__):
    raise OSError("no room")
