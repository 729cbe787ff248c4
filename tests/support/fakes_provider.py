"""A scripted model provider on loopback, and the stream events of OpenAI and Anthropic."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web

HANG = object()
CUT = object()


class ScriptedProvider:
    """An HTTP server that answers each request with the next reply; the last one repeats.

    A reply is `CUT` or `(status, headers, steps)`; steps are bytes to write, events to wait for, `CUT` (the
    connection breaks) and `HANG` (silence until the client disconnects, which sets `gone`).
    """

    def __init__(self, *replies):
        self.replies = list(replies)
        self.requests = []
        self.transports = set()
        self.gone = asyncio.Event()
        self.hanging = asyncio.Event()

    @asynccontextmanager
    async def running(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    async def _answer(self, request):
        self.requests.append((request.path, dict(request.headers), json.loads(await request.read())))
        self.transports.add(request.transport)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply is CUT:
            request.transport.abort()
            return web.Response()
        status, headers, steps = reply
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        for step in steps:
            if step is CUT:
                request.transport.abort()
                return response
            if step is HANG:
                await self._hang()
            elif isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await response.write(step)
                await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _hang(self):
        self.hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.gone.set()


def stream(*steps):
    return 200, {"Content-Type": "text/event-stream"}, steps


def openai_chunk(text=None, reason=None, **extra):
    delta = {} if text is None else {"content": text}
    body = {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return sse(body | extra)


OPENAI_USAGE = {"prompt_tokens": 120, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}


def openai_end(reason="stop"):
    return openai_chunk(reason=reason) + sse({"choices": [], "usage": OPENAI_USAGE}) + b"data: [DONE]\n\n"


def anthropic_start():
    usage = {"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 5}
    return sse({"type": "message_start", "message": {"id": "m", "usage": usage}}, "message_start") + sse(
        {"type": "ping"}, "ping"
    )


def anthropic_delta(text):
    return sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        "content_block_delta",
    )


def anthropic_end(reason="end_turn"):
    delta = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}
    return sse(delta, "message_delta") + sse({"type": "message_stop"}, "message_stop")


def sse(body, event=None):
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
