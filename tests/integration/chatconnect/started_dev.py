"""Starts `chatconnect dev` with stand-ins for the worker and the gateway, and observes its processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from chatconnect.embedded.ports import free_port

READY_SECONDS = 100
END_SECONDS = 40
NAMES = [
    "KAFKA_BOOTSTRAP_SERVERS",
    "DATABASE_URL",
    "REDIS_URL",
    "QDRANT_URL",
    "UPLOADS_URL",
    "GATEWAY_URL",
    "CLIENT_API_KEY",
    "CLIENT_SECRET_KEY",
    "INTERNAL_SECRET",
]
# Part → a substring that identifies its command line.
PARTS = {
    "Kafka": "kafka.Kafka",
    "Postgres": "bin/postgres",
    "Redis": "bin/redis-server",
    "The worker": "tests.support.standin_stack worker",
    "The gateway": "tests.support.standin_stack gateway",
}


class Stack:
    """A running `dev` with stand-ins for the worker and the gateway; `output` is what it has printed."""

    def __init__(self, folder: Path, *options: str, port: int = 0, **environment: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._output = folder.with_name(f"{folder.name}.{time.monotonic_ns()}.out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.standin_stack", str(folder), str(self.port), *options],
                stdout=output,
                stderr=output,
                env={**_bare_environment(folder), **environment},
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def until_ready(self) -> "Stack":
        until(
            lambda: f"ready http://127.0.0.1:{self.port}" in self.output.splitlines(),
            READY_SECONDS,
            lambda: self.output,
        )
        return self

    def family(self) -> list[psutil.Process]:
        """All descendants of `dev`, while it runs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if PARTS[name] in " ".join(child.cmdline()))

    def close(self) -> None:
        """Kills `dev` and waits until its descendants have ended too."""
        family = self.family() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait(END_SECONDS)
        psutil.wait_procs(family, timeout=END_SECONDS)

    def exit_code(self) -> int:
        return self.process.wait(END_SECONDS)


def _bare_environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    private = folder.parent / "cache"
    # The jars and Kafka's ahead-of-time cache are shared; the file that `ask` reads is not.
    (private / "chatconnect").mkdir(parents=True, exist_ok=True)
    for made in Path(cache, "chatconnect").glob("*.aot"):
        if not (shared := private / "chatconnect" / made.name).exists():
            shared.symlink_to(made)
    for remembered in Path(cache, "chatconnect").glob("*.classpath"):
        (private / "chatconnect" / remembered.name).write_bytes(remembered.read_bytes())
    # Each start imports many modules; with cached bytecode, as on a user's machine, that takes a second.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "XDG_CACHE_HOME": str(private), "PYTHONPYCACHEPREFIX": str(folder.parents[1] / "bytecode")}


def until(is_so: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {why()}")
        time.sleep(0.05)


def until_gone(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=END_SECONDS)

    assert alive == []
