"""Stacks of `chatconnect dev`, and the environment that replaces their parts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.chatconnect.started_dev import Stack


@pytest.fixture
def start(tmp_path: Path, services) -> Iterator[Callable[..., Stack]]:
    """Starts stacks and kills them after the test. `services` downloads the jars before any timeout starts."""
    stacks: list[Stack] = []

    def start(*options: str, folder: str = "data", port: int = 0, **environment: str) -> Stack:
        stacks.append(Stack(tmp_path / folder, *options, port=port, **environment))
        return stacks[-1]

    yield start
    for stack in stacks:
        stack.close()


@pytest.fixture
def replaced(services, database_url) -> dict[str, str]:
    """The environment that replaces every embedded part with the session's services."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": services.kafka_bootstrap_servers,
        "DATABASE_URL": database_url,
        "REDIS_URL": services.redis_url,
    }
