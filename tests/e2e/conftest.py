"""The stack as a user starts it: `chatconnect dev` in its own process, once per test session."""

import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 180
STOP_SECONDS = 60
PROVIDER_VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The contents of `dev.env` of a ready stack."""

    url: str
    publishable_key: str
    secret_key: str
    environment: dict[str, str]
    output: list[str]
    seconds_to_ready: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, *options: str, environment: dict[str, str] | None = None) -> tuple[subprocess.Popen, int]:
    """`chatconnect dev`, not yet ready; and its port."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if name not in PROVIDER_VARIABLES}
    command = [
        sys.executable, "-m", "chatconnect", "dev", "--data", str(folder), "--port", str(port), "--dashboard-port", "0",
        *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean | (environment or {}),
        start_new_session=True,
    )  # fmt: skip
    return process, port


def until_ready(process: subprocess.Popen, folder: Path) -> RunningStack:
    """Reads the output until the line `ready <url>`; raises `AssertionError` with the output if it ends first."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
    began, output = time.monotonic(), []
    while True:
        try:
            line = lines.get(timeout=max(0.1, began + START_SECONDS - time.monotonic()))
        except queue.Empty:
            raise AssertionError("not ready in time:\n" + "".join(output)) from None
        output.append(line)
        if line == "":
            raise AssertionError("ended before it was ready:\n" + "".join(output))
        if line.startswith("ready "):
            break
    values = dict(part.split("=", 1) for part in (folder / "dev.env").read_text().splitlines() if "=" in part)
    return RunningStack(
        line.split()[1], values["CLIENT_API_KEY"], values["CLIENT_SECRET_KEY"], values, output,
        time.monotonic() - began,
    )  # fmt: skip


def _pump(process: subprocess.Popen, lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError):
        for line in process.stdout:
            lines.put(line)
    lines.put("")


def stop(process: subprocess.Popen) -> int:
    """Sends SIGTERM and returns the exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    code = process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()
    return code


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Seeded with this project's docs, without model keys."""
    folder = tmp_path_factory.mktemp("stack") / "data"
    process, _ = start(folder)
    try:
        yield until_ready(process, folder)
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)
