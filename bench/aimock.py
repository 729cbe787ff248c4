"""A third-party mock of a model provider: aimock, an npm package."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.support.processes import free_port

PACKAGE = "@copilotkit/aimock@1.43.0"
START_SECONDS = 120.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1


@asynccontextmanager
async def aimock(folder: Path, text: str, *, first_ms: int, pieces_per_second: int, piece: int) -> AsyncIterator[str]:
    """Yields the base URL (`…/v1`); every question is answered with `text`, `piece` characters at a time."""
    pace = {"ttft": first_ms, "tps": pieces_per_second, "jitter": 0}
    fixture = {"match": {}, "chunkSize": piece, "streamingProfile": pace, "response": {"content": text}}
    file = folder / "fixture.json"
    file.write_text(json.dumps({"fixtures": [fixture]}))
    port = free_port()
    command = ["npm", "exec", "--yes", f"--package={PACKAGE}", "--", "llmock"]
    # Its own process group, because npm leaves its child running when it is stopped alone.
    process = await asyncio.create_subprocess_exec(
        *command, "-p", str(port), "-f", str(file), "--log-level", "silent", "--journal-max", "10",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        await _until_ready(process, f"http://127.0.0.1:{port}/v1/models")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(url)
            except httpx.TransportError:
                assert process.returncode is None, "aimock ended: is npm there, and can it install packages?"
                await asyncio.sleep(POLL_SECONDS)
            else:
                return
