"""One child process: its start, its log, its end."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from chatconnect.embedded import parent_death

POLL_SECONDS = 0.05
PRIVATE_UMASK = 0o077
LAST_LINES = 6
MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+)")
NO_SPACE = "No space left on device"


class PartError(Exception):
    """A part cannot start or has died. The message is one sentence for a person, log lines may follow it."""


class Process:
    """A running child in its own session, so that a terminal's Ctrl-C reaches only us.

    It dies with us (`parent_death.py`). It inherits descriptors such as the data folder's lock, which is so held
    until the last process that uses the folder has ended.
    """

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._child = child

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        folder: Path | None = None,
        stdin_bytes: bytes | None = None,
    ) -> "Process":
        """Only our user may read its log. `death_signal` is sent when we die; `stdin_bytes` is its input, ≤ 64 KiB."""
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _private(log) as output:
            child = await asyncio.create_subprocess_exec(
                *_watched(command, death_signal),
                stdin=asyncio.subprocess.DEVNULL if stdin_bytes is None else asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=folder,
                umask=PRIVATE_UMASK,
                start_new_session=True,
                close_fds=False,
            )
        if child.stdin is not None and stdin_bytes is not None:
            child.stdin.write(stdin_bytes)
            child.stdin.close()
        return cls(name, child, log)

    @property
    def pid(self) -> int:
        """Of the child, and of its session."""
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        """`exit_reason` says why."""
        return self._child.returncode is not None

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        return await self._child.wait()

    async def wait_for_success(self, timeout_seconds: float, what: str) -> None:
        """For a short command: returns when it succeeds. Raises `PartError` when it fails or times out (`what`)."""
        try:
            async with asyncio.timeout(timeout_seconds):
                code = await self.wait()
        except TimeoutError:
            raise PartError(f"{what} within {timeout_seconds:.0f} s.") from None
        finally:
            self.kill()
        if code != 0:
            raise PartError(self.exit_reason())

    async def until(self, is_ready: Callable[[], Awaitable[bool]], timeout_seconds: float) -> None:
        """Polls `is_ready`. Raises `PartError` when the process ends first or time is up."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not await is_ready():
                    if self.has_ended:
                        raise PartError(self.exit_reason())
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            sentence = f"{self.name} was not ready within {timeout_seconds:.0f} s."
            raise PartError(sentence + self._last_lines()) from None

    async def stop(self, ask_with: signal.Signals = signal.SIGTERM, grace_seconds: float = 15) -> None:
        """Asks it to end; kills its session when it has ended, or after `grace_seconds`."""
        self._signal(ask_with)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._child.wait()
        except TimeoutError:
            pass
        finally:
            self.kill()
        await self._child.wait()

    def kill(self) -> None:
        """Kills its whole session at once."""
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def exit_reason(self) -> str:
        """Why it ended, with its last log lines."""
        words = self._tail()
        if missing := MISSING_LIBRARY.search(words):
            return f"{self.name} cannot start: the shared library {missing[1]} is missing; install it and try again."
        if NO_SPACE in words:
            return f"{self.name} ended because the disk is full: free some space under {self.log.parent.parent}."
        return f"{self.name} {_ending(self._child.returncode)}." + self._last_lines()

    def has_logged(self, words: str) -> bool:
        """Whether its log contains `words`, which cannot come from another process at the same port."""
        return words in self.log.read_text(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if not self.has_ended:
            self._child.send_signal(number)

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            return log.read().decode(errors="replace")

    def _last_lines(self) -> str:
        lines = [line for line in self._tail().splitlines() if line.strip()][-LAST_LINES:]
        shown = "".join(f"\n    {line}" for line in lines) or "\n    (nothing)"
        return f" Its last lines in {self.log}:{shown}"


def _watched(command: Sequence[str], death_signal: signal.Signals) -> list[str]:
    return [sys.executable, "-I", "-S", parent_death.__file__, str(int(death_signal)), str(os.getpid()), *command]


def _private(log: Path) -> BinaryIO:
    output = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    os.fchmod(output.fileno(), 0o600)
    return output


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
