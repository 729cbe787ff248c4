"""One client for the model itself and for the gateway: asks, reads to the end, times the first text."""

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import cycle, product

import aiohttp

from chatconnect.dev_stack.seed import PROJECT
from handlers.retrieval.query import is_follow_up

PAUSE_SECONDS = 1.0
TIMEOUT = aiohttp.ClientTimeout(total=30)

AskFunction = Callable[[str], Awaitable[tuple[float, str]]]
"""Session id → seconds to the first text, and the whole text."""

# The demo knowledge base is these files, and their headings are questions. Questions that
# retrieval combines with the one before are left out, because their sources depend on it.
QUESTIONS = [
    heading
    for path in sorted(PROJECT.glob("docs/*.md"))
    for heading in re.findall(r"^#+ (.+\?)$", path.read_text(), re.MULTILINE)
    if not is_follow_up(heading)
]
# Questions differ by words that need no evidence: with a number instead, a few questions were refused.
MODALS = ("Can", "Could", "Will", "Would", "May", "Might", "Shall", "Must")
COURTESIES = [" ".join(words) for words in product(MODALS, ("you", "I", "we"), ("tell", "give", "get"), ("me", "us"))]


def _questions() -> Callable[[], str]:
    """Cycles through about 9,000 different questions."""
    asked = cycle(f"{courtesy}: {question}" for courtesy in COURTESIES for question in QUESTIONS)
    return lambda: next(asked)


def ask_directly(http: aiohttp.ClientSession, url: str) -> AskFunction:
    """Asks an OpenAI-compatible service."""
    question = _questions()

    async def ask(_: str) -> tuple[float, str]:
        body = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": question()}]}
        started = time.perf_counter()
        async with http.post(f"{url}/chat/completions", json=body, timeout=TIMEOUT) as response:
            response.raise_for_status()
            texts = (
                chunk["choices"][0]["delta"].get("content") or ""
                async for chunk in _data(response)
                if chunk.get("choices")
            )
            return await _timed(texts, started)

    return ask


def ask_gateway(http: aiohttp.ClientSession, url: str, secret_key: str) -> AskFunction:
    """Asks the gateway, as a client's own server."""
    question = _questions()
    headers = {"authorization": f"Bearer {secret_key}"}

    async def ask(session_id: str) -> tuple[float, str]:
        body = {"message": question(), "sessionId": session_id}
        started = time.perf_counter()
        async with http.post(f"{url}/chat/stream", json=body, headers=headers, timeout=TIMEOUT) as response:
            response.raise_for_status()
            return await _timed((event.get("text", "") async for event in _data(response)), started)

    return ask


async def ask_in_sessions(ask: AskFunction, sessions: int, seconds: float) -> list[tuple[float, str]]:
    """Each session asks, reads to the end and pauses 0–1 s, over and over."""
    answers = []
    until = time.monotonic() + seconds

    async def session(number: int) -> None:
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))
        while time.monotonic() < until:
            answers.append(await ask(f"session-{number}"))
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))

    async with asyncio.TaskGroup() as tasks:
        for number in range(sessions):
            tasks.create_task(session(number))
    return answers


async def _timed(texts: AsyncIterator[str], started: float) -> tuple[float, str]:
    first, whole = 0.0, ""
    async for text in texts:
        if text and not first:
            first = time.perf_counter() - started
        whole += text
    return first, whole


async def _data(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, object]]:
    async for line in response.content:
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])
