"""The requests to OpenAI and Anthropic, and their connections."""

import asyncio

import aiohttp
import pytest

from handlers.models.errors import ProviderBusyError
from handlers.models.openai import OpenAIModel
from handlers.ports import Finish, Turn
from tests.support.fakes_models import prompt
from tests.support.fakes_provider import (
    CUT,
    HANG,
    ScriptedProvider,
    anthropic_delta,
    anthropic_end,
    anthropic_start,
    openai_chunk,
    openai_end,
    stream,
)
from tests.support.provider_kinds import KINDS, ask


async def test_closed_port_is_retryable(kind, unused_port):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ProviderBusyError):
            async for _ in kind.make(session, f"http://127.0.0.1:{unused_port}").stream(prompt()):
                pass


@pytest.fixture
async def unused_port():
    async with ScriptedProvider(stream()).running() as url:
        return int(url.rsplit(":", 1)[1])


async def test_closing_the_iterator_closes_the_connection(kind):
    provider = ScriptedProvider(stream(kind.start, kind.delta("a"), HANG))
    async with provider.running() as url, aiohttp.ClientSession() as session:
        answer = kind.make(session, url).stream(prompt())
        assert await anext(answer) == "a"
        await asyncio.wait_for(provider.hanging.wait(), 5)
        await answer.aclose()

        await asyncio.wait_for(provider.gone.wait(), 0.5)


async def test_connection_of_a_whole_answer_is_used_again(kind):
    """Even when the response ends some time after the last word, as with a real provider."""
    was_read = asyncio.Event()
    provider = ScriptedProvider(stream(kind.start, kind.delta("a"), kind.end(), was_read))
    async with provider.running() as url, aiohttp.ClientSession() as session:
        for _ in range(3):
            was_read.clear()
            async for piece in kind.make(session, url).stream(prompt()):
                if isinstance(piece, Finish):
                    was_read.set()

    assert len(provider.requests) == 3
    assert len(provider.transports) == 1


async def test_kept_connection_that_the_provider_closed_is_replaced(kind):
    provider = ScriptedProvider(CUT, stream(kind.start, kind.delta("a"), kind.end()))

    assert (await ask(kind, provider))[0] == "a"
    assert len(provider.requests) == 2


async def test_connection_that_is_always_closed_is_given_up(kind):
    provider = ScriptedProvider(CUT)
    with pytest.raises(ProviderBusyError):
        await ask(kind, provider)

    assert len(provider.requests) == 2


async def test_openai_request_is_as_documented():
    provider = ScriptedProvider(stream(openai_chunk("a"), openai_end()))
    await ask(KINDS["openai"], provider, prompt(turns=[Turn("Hi?", "Hello.")]))
    path, headers, body = provider.requests[0]

    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-test"
    assert body["stream_options"] == {"include_usage": True}
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert (body["max_tokens"], body["temperature"]) == (100, 0.2)


async def test_reasoning_models_get_the_limit_under_its_new_name():
    provider = ScriptedProvider(stream(openai_chunk("a"), openai_end()))
    async with provider.running() as url, aiohttp.ClientSession() as session:
        async for _ in OpenAIModel(session, url, "k", "gpt-5-mini").stream(prompt()):
            pass
    body = provider.requests[0][2]

    assert body["max_completion_tokens"] == 100
    assert not {"max_tokens", "temperature"} & set(body)


async def test_anthropic_request_caches_the_stable_prefix():
    provider = ScriptedProvider(stream(anthropic_start(), anthropic_delta("a"), anthropic_end()))
    await ask(KINDS["anthropic"], provider)
    path, headers, body = provider.requests[0]

    assert path == "/v1/messages"
    assert headers["x-api-key"] == "sk-ant-test"
    assert headers["anthropic-version"] == "2023-06-01"
    assert body["system"] == [{"type": "text", "text": "Answer.", "cache_control": {"type": "ephemeral"}}]
