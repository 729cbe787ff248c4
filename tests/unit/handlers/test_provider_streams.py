"""Complete and broken streams of OpenAI and Anthropic, over real sockets."""

import asyncio

import aiohttp
import pytest

from handlers.models.answer_stream import StreamDeadlines
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from handlers.ports import Finish
from tests.support.fakes_models import prompt
from tests.support.fakes_provider import CUT, HANG, ScriptedProvider, openai_chunk, sse, stream
from tests.support.provider_kinds import KINDS, ask, failure


async def test_whole_answer_is_text_and_one_finish(kind):
    steps = (kind.start, kind.delta("Hello"), kind.delta(" wörld 🌍"), kind.end())
    pieces = await ask(kind, ScriptedProvider(stream(*steps)))

    assert pieces == ["Hello", " wörld 🌍", Finish("stop", kind.usage)]


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_bytes_may_be_cut_anywhere(kind, size):
    whole = kind.start + kind.delta("naïve 🌍 “quotes”") + kind.delta("x") + kind.end()
    pieces = await ask(kind, ScriptedProvider(stream(*(whole[i : i + size] for i in range(0, len(whole), size)))))

    assert "".join(pieces[:-1]) == "naïve 🌍 “quotes”x"
    assert pieces[-1].usage == kind.usage


async def test_crlf_line_ends_are_read(kind):
    whole = (kind.start + kind.delta("a") + kind.end()).replace(b"\n", b"\r\n")

    assert (await ask(kind, ScriptedProvider(stream(whole))))[0] == "a"


@pytest.mark.parametrize(("kind_name", "reason"), [("openai", "length"), ("anthropic", "max_tokens")])
async def test_answer_cut_by_the_limit_says_so(kind_name, reason):
    kind = KINDS[kind_name]
    pieces = await ask(kind, ScriptedProvider(stream(kind.start, kind.delta("a"), kind.end(reason))))

    assert pieces[-1].reason == "length"


async def test_silent_truncation_is_retryable(kind):
    """The HTTP response is complete but the model's finish event is missing: SDKs raise nothing here."""
    error = await failure(kind, stream(kind.start, kind.delta("Half an ans")))

    assert isinstance(error, ProviderBusyError)


async def test_cut_connection_is_retryable(kind):
    assert isinstance(await failure(kind, stream(kind.start, kind.delta("Half"), CUT)), ProviderBusyError)


@pytest.mark.parametrize("garbage", [b"data: {nope\n\n", b"data: []\n\n", b'data: {"choices": "x", "type": 3}\n\n'])
async def test_malformed_event_is_retryable(kind, garbage):
    assert isinstance(await failure(kind, stream(kind.start, kind.delta("a"), garbage)), ProviderBusyError)


@pytest.mark.parametrize("body", [b"", b"<html>proxy says hello</html>", b'{"choices": []}', b"\xff\xfe\x00" * 999])
async def test_garbage_with_status_200_is_retryable(kind, body):
    assert isinstance(await failure(kind, stream(body)), ProviderBusyError)


async def test_endless_event_is_given_up(kind):
    assert isinstance(await failure(kind, stream(*[b"x" * 100_000] * 20, HANG)), ProviderBusyError)


async def test_stall_is_given_up_and_the_connection_closed(kind):
    provider = ScriptedProvider(stream(kind.start, kind.delta("a"), HANG))
    with pytest.raises(ProviderBusyError, match="stalled"):
        await asyncio.wait_for(ask(kind, provider, deadlines=StreamDeadlines(between_seconds=0.05)), 5)

    await asyncio.wait_for(provider.gone.wait(), 5)


async def test_silence_before_the_first_byte_has_its_own_deadline(kind):
    error = await failure(kind, stream(HANG), deadlines=StreamDeadlines(first_seconds=0.05))

    assert isinstance(error, ProviderBusyError)


async def test_slow_reader_is_not_taken_for_a_silent_provider(kind):
    go_on, deadlines = asyncio.Event(), StreamDeadlines(between_seconds=0.1)
    provider = ScriptedProvider(stream(kind.start, kind.delta("a"), kind.delta("b"), go_on, kind.end()))
    async with provider.running() as url, aiohttp.ClientSession() as session:
        pieces = []
        async for piece in kind.make(session, url, deadlines=deadlines).stream(prompt()):
            pieces.append(piece)
            await asyncio.sleep(0.25)
            go_on.set()

    assert pieces[:-1] == ["a", "b"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_refusals_are_permanent(kind, status):
    error = await failure(kind, (status, {}, [b'{"error": {"message": "no such key"}}']))

    assert isinstance(error, ProviderRefusedError)
    assert str(status) in str(error)
    assert "no such key" in str(error)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_overload_is_retryable(kind, status):
    assert isinstance(await failure(kind, (status, {}, [b"busy"])), ProviderBusyError)


async def test_retry_after_is_handed_on(kind):
    error = await failure(kind, (429, {"Retry-After": "7"}, [b"slow down"]))

    assert error.retry_after_seconds == 7


async def test_used_up_quota_is_permanent(kind):
    assert isinstance(await failure(kind, (429, {}, [b'{"code": "insufficient_quota"}'])), ProviderRefusedError)


async def test_redirects_are_not_followed_with_our_key(kind):
    assert isinstance(await failure(kind, (307, {"Location": "/elsewhere"}, [])), ProviderBusyError)


async def test_anthropic_error_events_keep_their_meaning():
    kind = KINDS["anthropic"]

    def error(name):
        return sse({"type": "error", "error": {"type": name, "message": "m"}}, "error")

    busy = await failure(kind, stream(kind.start, kind.delta("a"), error("overloaded_error")))
    refused = await failure(kind, stream(kind.start, error("invalid_request_error")))

    assert isinstance(busy, ProviderBusyError)
    assert isinstance(refused, ProviderRefusedError)


async def test_openai_error_in_the_stream_is_raised():
    error = await failure(KINDS["openai"], stream(sse({"error": {"message": "boom", "type": "server_error"}})))

    assert isinstance(error, ProviderBusyError)
    assert "boom" in str(error)


async def test_unknown_events_are_skipped():
    kind = KINDS["anthropic"]
    new = sse({"type": "brand_new", "delta": {"shape": 1}}, "brand_new")
    pieces = await ask(kind, ScriptedProvider(stream(kind.start, new, kind.delta("a"), kind.end())))

    assert pieces[0] == "a"


async def test_server_without_usage_is_estimated():
    pieces = await ask(KINDS["openai"], ScriptedProvider(stream(openai_chunk("12345678"), openai_chunk(reason="stop"))))

    assert pieces[-1].usage.estimated
    assert pieces[-1].usage.output_tokens == 2


async def test_usage_of_zeros_is_estimated():
    end = openai_chunk(reason="stop") + sse({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}})
    pieces = await ask(KINDS["openai"], ScriptedProvider(stream(openai_chunk("12345678"), end)))

    assert pieces[-1].usage.output_tokens == 2


async def test_cut_after_the_last_word_is_an_answer():
    steps = (openai_chunk("Whole."), openai_chunk(reason="stop"), CUT)
    pieces = await ask(KINDS["openai"], ScriptedProvider(stream(*steps)))

    assert pieces[0] == "Whole."
    assert pieces[-1].reason == "stop"
