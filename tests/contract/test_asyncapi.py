"""`faststream docs gen` lists every topic and event without opening a connection."""

import subprocess
import sys

import yaml

from handlers.worker import WIRING
from streams.topics import TOPICS


def test_the_workers_app_yields_a_whole_asyncapi_document(tmp_path):
    target = tmp_path / "asyncapi.yaml"
    command = [sys.executable, "-m", "faststream", "docs", "gen", "--factory", "handlers.worker:app", "--yaml", "--out"]
    subprocess.run([*command, target], check=True, capture_output=True, timeout=60)
    document = yaml.safe_load(target.read_text())

    assert document["asyncapi"] == "3.0.0"
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {topic.name for topic in TOPICS}
    text = target.read_text()
    for topic in TOPICS:
        for event in topic.events:
            assert event.__name__ in text, event
    received = [name for name, operation in document["operations"].items() if operation["action"] == "receive"]
    assert sorted(received) == sorted(f"{line.topic.name} → {line.name}" for line in WIRING)
