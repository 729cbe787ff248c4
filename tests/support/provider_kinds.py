"""The providers whose streams are tested, each with its events, and how to ask one."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp
import pytest

from handlers.models.anthropic import AnthropicModel
from handlers.models.errors import ProviderError
from handlers.models.openai import OpenAIModel
from schemas.events import Usage
from tests.support.fakes_models import prompt
from tests.support.fakes_provider import (
    ScriptedProvider,
    anthropic_delta,
    anthropic_end,
    anthropic_start,
    openai_chunk,
    openai_end,
)


@dataclass
class Kind:
    make: object
    start: bytes
    delta: object
    end: object
    usage: Usage


KINDS = {
    "openai": Kind(
        lambda session, url, **options: OpenAIModel(session, f"{url}/v1", "sk-test", "gpt-4o-mini", **options),
        b"",
        openai_chunk,
        openai_end,
        Usage(input_tokens=100, output_tokens=7, cache_read_tokens=20),
    ),
    "anthropic": Kind(
        lambda session, url, **options: AnthropicModel(session, url, "sk-ant-test", "claude-sonnet-4-5", **options),
        anthropic_start(),
        anthropic_delta,
        anthropic_end,
        Usage(input_tokens=100, output_tokens=7, cache_read_tokens=20, cache_write_tokens=5),
    ),
}


async def ask(kind, provider, question=None, **options):
    async with provider.running() as url, aiohttp.ClientSession() as session:
        async with aclosing(kind.make(session, url, **options).stream(question or prompt())) as answer:
            return [piece async for piece in answer]


async def failure(kind, *replies, **options):
    with pytest.raises(ProviderError) as caught:
        await asyncio.wait_for(ask(kind, ScriptedProvider(*replies), **options), 5)
    return caught.value
