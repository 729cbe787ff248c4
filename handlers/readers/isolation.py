"""Reads a file in a child process with limits on time, address space and resident memory."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import structlog

from handlers.readers.section import UnreadableError

log = structlog.get_logger()

POLL_SECONDS = 0.05
ROOT = Path(__file__).parents[2]
INHERITED_VARIABLES = ("LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TESSDATA_PREFIX")


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one file may cost before it counts as unreadable. `niceness`: how far its process stands back, 0 to 19."""

    seconds: float = 120
    resident_bytes: int = 400 * 1024**2
    address_space_bytes: int = 1024**3
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class ReadStep:
    """How far the child is: pages, rows or bytes; and what it warned of until now."""

    done: int
    total: int
    warnings: tuple[str, ...] = ()


async def read_isolated(
    format_name: str, source: Path, target: Path, limits: ReaderLimits, ocr_languages: str = ""
) -> AsyncGenerator[ReadStep, None]:
    """Write the sections of `source` to `target`; yields the newest step several times a second, and the last one.

    `ocr_languages`: of scanned pages, as Tesseract names them; empty: such pages are not read.

    Raises `UnreadableError`, also when a limit is hit. The child never outlives the iteration.
    """
    deadline = asyncio.get_running_loop().time() + limits.seconds
    async with _child((format_name, str(source), str(target)), limits, ocr_languages) as child:
        output = _ChildOutput()
        reading = asyncio.create_task(output.read(child))
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=POLL_SECONDS)
                _check(child, deadline, limits)
                if output.step:
                    yield output.step
            await reading
        finally:
            reading.cancel()
        output.raise_for(await child.wait())
        if output.step:
            yield output.step


class _ChildOutput:
    """What the child wrote to stdout: its newest step, or why it gave up."""

    def __init__(self) -> None:
        self.step: ReadStep | None = None
        self._failure: UnreadableError | None = None

    async def read(self, child: Process) -> None:
        """Until the child closes its stdout."""
        assert child.stdout
        async for line in child.stdout:
            message = json.loads(line)
            if "left" in message:
                _warn_once(message["left"])
            elif "reason" in message:
                self._failure = UnreadableError(message["reason"], code=message["code"])
            else:
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        before = self.step or ReadStep(0, 1)
        if "warning" in message:
            self.step = replace(before, warnings=(*before.warnings, message["warning"]))
        else:
            self.step = replace(before, done=message["done"], total=message["total"])

    def raise_for(self, exit_code: int) -> None:
        """A child that dies without a reason has hit a limit: too large, not broken (research: §10)."""
        if self._failure:
            raise self._failure
        if exit_code:
            log.warning("reader_died", exit_code=exit_code)
            raise UnreadableError(
                "The file could not be read: it is damaged or needs too much memory. Export it again or split it.",
                code="too_large",
            )


@cache
def _warn_once(left: str) -> None:
    log.warning("readers_not_locked_down", left=left, consequence="this machine cannot deny these to a hostile file")


@asynccontextmanager
async def _child(arguments: tuple[str, ...], limits: ReaderLimits, ocr_languages: str) -> AsyncIterator[Process]:
    kept = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    # The environment has no secret for a hostile file, and `-P` prevents imports of modules beside it.
    environment = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "ADDRESS_SPACE_BYTES": str(limits.address_space_bytes),
        "NICENESS": str(limits.niceness),
        "OCR_LANGUAGES": ocr_languages,
        # Tesseract's threads mostly wait for one another.
        "OMP_THREAD_LIMIT": "1",
    }
    command = (sys.executable, "-P", "-m", "handlers.readers.child", *arguments)
    child = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environment, cwd=Path(arguments[-1]).parent
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _check(child: Process, deadline: float, limits: ReaderLimits) -> None:
    if asyncio.get_running_loop().time() > deadline:
        raise UnreadableError(
            f"Reading the file took longer than {limits.seconds:.0f} seconds: split it into smaller ones.",
            code="too_slow",
        )
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(child.pid).memory_info().rss > limits.resident_bytes:
            raise UnreadableError("The file needs too much memory: split it into smaller ones.", code="too_large")
