"""OpenAI's Chat Completions API, and compatible services at another base URL."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
from pydantic import BaseModel

from handlers.models.answer_stream import DEADLINES, Request, StreamDeadlines, answer_stream
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from handlers.ports import Finish, Prompt
from handlers.prompts import character_count, question_message
from schemas.events import FinishReason, Usage

_PERMANENT = frozenset({"invalid_request_error", "authentication_error", "permission_error", "insufficient_quota"})
# Reasoning models take another name for the limit, and no temperature.
_REASONING = ("o1", "o3", "o4", "gpt-5")


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _CachedTokens(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _CachedTokens | None = None


class _Failure(BaseModel):
    message: str = ""
    type: str | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Failure | None = None


class OpenAIModel:
    """One model of the service at `base_url` (which ends in `/v1`, as OpenAI's own does)."""

    provider = "openai"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        api_key: str,
        name: str,
        deadlines: StreamDeadlines = DEADLINES,
    ) -> None:
        self.name = name
        self._session = session
        self._deadlines = deadlines
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finish, None]:
        """Pieces of text, then one `Finish`. Raises `ProviderError`."""
        request = Request(
            self.provider, self._url, self._headers, self._body(prompt), character_count(prompt), self._deadlines
        )
        return answer_stream(self._session, request, _OpenAIReading())

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        messages = [{"role": "system", "content": prompt.system}]
        for turn in prompt.turns:
            messages.append({"role": "user", "content": turn.question})
            messages.append({"role": "assistant", "content": turn.answer})
        messages.append({"role": "user", "content": question_message(prompt)})
        limits: dict[str, Any] = {"max_tokens": prompt.max_tokens, "temperature": prompt.temperature}
        if self.name.startswith(_REASONING):
            limits = {"max_completion_tokens": prompt.max_tokens}
        return {
            "model": self.name,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            **limits,
        }


class _OpenAIReading:
    """Ends with a `finish_reason`, then a chunk with the usage, then `[DONE]`."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.is_complete = False

    def read(self, event: bytes) -> str:
        if event == b"[DONE]":
            self.is_complete = True
            return ""
        chunk = _Chunk.model_validate_json(event)
        if chunk.error:
            raise _failure(chunk.error)
        if chunk.usage:
            self.usage = _usage(chunk.usage)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if choice.finish_reason:
            self.reason = "length" if choice.finish_reason == "length" else "stop"
        return (choice.delta.content or "") if choice.delta else ""


def _failure(failure: _Failure) -> ProviderBusyError | ProviderRefusedError:
    message = f"openai sent an error: {failure.message or failure.type}"
    if failure.type in _PERMANENT:
        return ProviderRefusedError(message, code="provider_refused")
    return ProviderBusyError(message)


def _usage(usage: _Usage) -> Usage:
    # Their prompt tokens include the cached ones; ours count those apart, as they cost less.
    cached = (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0
    return Usage(
        input_tokens=usage.prompt_tokens - cached, output_tokens=usage.completion_tokens, cache_read_tokens=cached
    )
