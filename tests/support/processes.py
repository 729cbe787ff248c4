"""Workers and gateways as separate processes that tests stop, kill and restart."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from schemas.settings import Settings

READY_SECONDS = 110.0
STOP_SECONDS = 45.0
POLL_SECONDS = 0.05
CHATCONNECT = (sys.executable, "-m", "chatconnect")
VARIABLES = (
    "kafka_bootstrap_servers", "database_url", "redis_url", "qdrant_url", "uploads_url", "internal_secret",
    "openai_api_key", "openai_base_url", "embeddings", "instance_id",
)  # fmt: skip


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment variables of a worker or gateway with these settings."""
    given = {name.upper(): str(value) for name in VARIABLES if (value := getattr(settings, name)) is not None}
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    return {**kept, **given, "LOG_FORMAT": "json", "PYTHONFAULTHANDLER": "1", **more}


class Part:
    """A process; `url` answers with 200 when it is ready."""

    def __init__(self, command: list[str], variables: dict[str, str], url: str, log: Path) -> None:
        self.url = url
        self._command = command
        self._variables = variables
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    async def start(self, *, wait: bool = True) -> None:
        """Start it and, if asked, wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._variables, stdout=log, stderr=log)
        if wait:
            await self.until_ready()

    async def until_ready(self) -> None:
        """Raises `TimeoutError`, or `AssertionError` with the last log lines if the process has ended."""
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(self.url)).is_success:
                        return
                assert self.exit_code is None, self.last_lines()
                await asyncio.sleep(POLL_SECONDS)

    async def until_ended(self) -> int:
        """Wait for the exit code."""
        async with asyncio.timeout(STOP_SECONDS):
            while (code := self.exit_code) is None:
                await asyncio.sleep(POLL_SECONDS)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process only, not to its children."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """`kill -9`."""
        if self._process is None:
            return
        self.signal(signal.SIGKILL)
        await self.until_ended()

    async def stop(self) -> int | None:
        """Send SIGTERM and return the exit code; send SIGKILL and raise `TimeoutError` if it takes too long."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            return await self.until_ended()
        except TimeoutError:
            await self.kill()
            raise

    def last_lines(self, number: int = 30) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-number:])


def worker(settings: Settings, log: Path, *, only: str | None = None, **more: str) -> Part:
    """A worker with its metrics on a free port."""
    port = free_port()
    command = [*CHATCONNECT, "worker", *(["--only", only] if only else [])]
    return Part(command, environment(settings, METRICS_PORT=str(port), **more), f"http://127.0.0.1:{port}/metrics", log)


def gateway(settings: Settings, log: Path, **more: str) -> Part:
    """A gateway on a free port; its address is `url` without `/health/ready`."""
    port = free_port()
    return Part(
        [*CHATCONNECT, "gateway"],
        environment(settings, PORT=str(port), **more),
        f"http://127.0.0.1:{port}/health/ready",
        log,
    )
