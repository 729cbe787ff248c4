"""Starts the embedded parts that the environment does not replace."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Protocol

from chatconnect.dev_stack.data_folder import DataFolder
from chatconnect.dev_stack.supervisor import Supervisor
from chatconnect.embedded.kafka import Kafka
from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.process import PartError, Process
from chatconnect.embedded.redis import Redis

Say = Callable[[str], None]


class Part(Protocol):
    """An embedded part that runs and answers at `url`."""

    process: Process
    url: str

    async def stop(self) -> None:
        """Returns when it has ended."""
        ...


async def start_parts(folder: DataFolder, supervisor: Supervisor, say: Say) -> dict[str, str]:
    """Starts all in parallel. Returns each part's environment variable; raises the first `PartError`."""

    async def ensure(name: str, start: Callable[[], Awaitable[Part]]) -> tuple[str, str]:
        if given := os.environ.get(name):
            return name, given
        part = await start()
        supervisor.add(part.process, part.stop)
        return name, part.url

    path, logs = folder.path, folder.logs
    try:
        async with asyncio.TaskGroup() as tasks:
            started = [
                tasks.create_task(ensure(name, start))
                for name, start in (
                    ("KAFKA_BOOTSTRAP_SERVERS", lambda: Kafka.start(path / "kafka", logs / "kafka.log", say)),
                    ("DATABASE_URL", lambda: Postgres.start(path / "postgres", logs / "postgres.log")),
                    ("REDIS_URL", lambda: Redis.start(path / "redis", logs / "redis.log")),
                )
            ]
    except* PartError as failures:
        raise failures.exceptions[0] from None
    return dict(task.result() for task in started)
