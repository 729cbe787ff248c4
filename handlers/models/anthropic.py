"""Anthropic's Messages API."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
from pydantic import BaseModel

from handlers.models.answer_stream import DEADLINES, Request, StreamDeadlines, answer_stream
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from handlers.ports import Finish, Prompt
from handlers.prompts import character_count, question_message
from schemas.events import FinishReason, Usage

API_VERSION = "2023-06-01"
_RETRYABLE = frozenset({"overloaded_error", "api_error", "rate_limit_error", "timeout_error"})
_CUT_SHORT = frozenset({"max_tokens", "model_context_window_exceeded"})


class _Usage(BaseModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(BaseModel):
    usage: _Usage | None = None


class _Delta(BaseModel):
    text: str | None = None
    stop_reason: str | None = None


class _Failure(BaseModel):
    type: str
    message: str = ""


class _Event(BaseModel):
    type: str
    message: _Message | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: _Failure | None = None


class AnthropicModel:
    """One model of the service at `base_url`."""

    provider = "anthropic"

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
        self._url = f"{base_url.rstrip('/').removesuffix('/v1')}/v1/messages"
        self._headers = {"x-api-key": api_key, "anthropic-version": API_VERSION}

    def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finish, None]:
        """Pieces of text, then one `Finish`. Raises `ProviderError`."""
        request = Request(
            self.provider, self._url, self._headers, self._body(prompt), character_count(prompt), self._deadlines
        )
        return answer_stream(self._session, request, _AnthropicReading())

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        messages = []
        for turn in prompt.turns:
            messages.append({"role": "user", "content": turn.question})
            messages.append({"role": "assistant", "content": turn.answer})
        messages.append({"role": "user", "content": question_message(prompt)})
        return {
            "model": self.name,
            "max_tokens": prompt.max_tokens,
            "temperature": min(prompt.temperature, 1.0),
            # The stable prefix of every question to this widget: read from their cache at a tenth of the price.
            "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
            "messages": messages,
            "stream": True,
        }


class _AnthropicReading:
    """Usage comes in two parts (`message_start`, `message_delta`); `message_stop` is the last event."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.is_complete = False
        self._stop_reason: str | None = None

    def read(self, event: bytes) -> str:
        parsed = _Event.model_validate_json(event)
        match parsed.type:
            case "content_block_delta":
                return (parsed.delta and parsed.delta.text) or ""
            case "message_start":
                self._count(parsed.message.usage if parsed.message else None)
            case "message_delta":
                self._stop_reason = parsed.delta.stop_reason if parsed.delta else None
                self._count(parsed.usage)
            case "message_stop":
                self.reason = "length" if self._stop_reason in _CUT_SHORT else "stop"
                self.is_complete = True
            case "error":
                raise _failure(parsed.error)
        return ""

    def _count(self, part: _Usage | None) -> None:
        """Figures are totals so far: a later one replaces an earlier one."""
        if part is None:
            return
        before = self.usage or Usage()
        self.usage = Usage(
            input_tokens=_newer(part.input_tokens, before.input_tokens),
            output_tokens=_newer(part.output_tokens, before.output_tokens),
            cache_read_tokens=_newer(part.cache_read_input_tokens, before.cache_read_tokens),
            cache_write_tokens=_newer(part.cache_creation_input_tokens, before.cache_write_tokens),
        )


def _newer(value: int | None, before: int) -> int:
    return before if value is None else value


def _failure(failure: _Failure | None) -> ProviderBusyError | ProviderRefusedError:
    if failure is None:
        return ProviderBusyError("anthropic sent an error without a reason")
    message = f"anthropic sent an error: {failure.type}: {failure.message}"
    if failure.type in _RETRYABLE:
        return ProviderBusyError(message)
    return ProviderRefusedError(message, code="provider_refused")
