"""A gateway in a process of its own."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import httpx

from tests.support.patience import SECONDS

PROGRAM = "from chatconnect.commands.gateway import gateway; gateway()"


@asynccontextmanager
async def process(settings, port, *, more=None, **popen):
    """Started on entry; killed on exit unless it has ended. `more`: additional environment variables."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "INTERNAL_SECRET": settings.internal_secret,
        "UPLOADS_URL": settings.uploads_url,
        "PORT": str(port),
        **(more or {}),
    }
    started = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environment, **popen)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def until_ready(http):
    """Waits until `/health/ready` succeeds."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                if (await http.get("/health/ready")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
