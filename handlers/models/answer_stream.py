"""One streamed answer over HTTP: what OpenAI and Anthropic have in common.

The vendors' SDKs are not used: they raise nothing when a stream ends too early, raise `JSONDecodeError` on a cut
event, and cost several times the CPU per delta (`docs/performance.md`).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import orjson

from handlers.models.errors import ProviderBusyError, ProviderError, refusal
from handlers.models.sse import EventParser
from handlers.models.stall_detector import ProviderStallDetector
from handlers.models.token_counts import estimated_usage
from handlers.ports import Finish
from schemas.events import FinishReason, Usage

CONNECT_SECONDS = 10
MAX_REFUSAL_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class StreamDeadlines:
    """How long a provider may be silent. Only tests choose others."""

    # Until the first bytes of the answer.
    first_seconds: float = 30
    between_seconds: float = 20


DEADLINES = StreamDeadlines()


@dataclass(frozen=True, slots=True)
class Request:
    """A POST that is answered by a stream of events."""

    provider: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    prompt_characters: int
    deadlines: StreamDeadlines


class Reading(Protocol):
    """Parses one provider's events, in order."""

    reason: FinishReason | None
    usage: Usage | None
    is_complete: bool

    def read(self, event: bytes) -> str:
        """The text in the event, often none. Raises `ProviderError`, and `ValueError` for an invalid event."""
        ...


async def answer_stream(
    session: aiohttp.ClientSession, request: Request, reading: Reading
) -> AsyncGenerator[str | Finish, None]:
    """Pieces of text, then one `Finish`. Raises `ProviderError`; closing it closes the connection at once."""
    characters = 0
    async with aclosing(_batches(session, request)) as batches:
        async for text in _texts(request, reading, batches):
            characters += len(text)
            yield text
        if reading.reason is None:
            raise ProviderBusyError(f"{request.provider} ended its stream in mid-answer")
        yield Finish(reading.reason, _usage(request, reading, characters))
        # Read to the end, so that the next question can reuse the connection.
        with suppress(ProviderError):
            async for _ in batches:
                pass


def _usage(request: Request, reading: Reading, characters: int) -> Usage:
    # Some services send zeros instead of no usage.
    if reading.usage and (reading.usage.output_tokens or not characters):
        return reading.usage
    return estimated_usage(request.prompt_characters, characters)


async def _texts(request: Request, reading: Reading, batches: AsyncIterator[list[bytes]]) -> AsyncIterator[str]:
    try:
        async for events in batches:
            for event in events:
                if text := _read(request, reading, event):
                    yield text
            if reading.is_complete:
                return
    except ProviderError:
        # After the finish reason only the usage is missing, and a retry would pay for the answer twice.
        if reading.reason is None:
            raise


def _read(request: Request, reading: Reading, event: bytes) -> str:
    try:
        return reading.read(event)
    except ValueError as error:
        raise ProviderBusyError(f"{request.provider} sent an event that cannot be read") from error


async def _batches(session: aiohttp.ClientSession, request: Request) -> AsyncGenerator[list[bytes], None]:
    """The events of each network read."""
    parser = EventParser()
    try:
        async with asyncio.timeout(request.deadlines.first_seconds) as first:
            response = await _post(session, request)
        with ProviderStallDetector(response, request.deadlines.between_seconds) as watch:
            async with asyncio.timeout_at(first.when()):
                chunk = await response.content.readany()
            while chunk:
                yield parser.feed(chunk)
                watch.waits()
                chunk = await response.content.readany()
                watch.received()
    except TimeoutError as error:
        raise ProviderBusyError(f"{request.provider} stalled") from error
    except ValueError as error:
        raise ProviderBusyError(f"{request.provider} sent {error}") from error
    except aiohttp.ClientError as error:
        raise ProviderBusyError(f"the connection to {request.provider} failed: {error!r}") from error


async def _post(session: aiohttp.ClientSession, request: Request) -> aiohttp.ClientResponse:
    try:
        response = await _send(session, request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        # The provider closed an idle connection just as we used it; aiohttp itself retries only idempotent methods.
        response = await _send(session, request)
    if response.status == 200:
        return response
    async with response:
        body = await response.content.read(MAX_REFUSAL_BYTES)
    raise refusal(request.provider, response.status, response.headers, body.decode(errors="replace"))


async def _send(session: aiohttp.ClientSession, request: Request) -> aiohttp.ClientResponse:
    return await session.post(
        request.url,
        data=orjson.dumps(request.body),
        headers={"Content-Type": "application/json", **request.headers},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        allow_redirects=False,
    )
