"""A stand-in for Anthropic's Messages API: one streamed sentence, and which model was asked."""

import json
from contextlib import asynccontextmanager

from aiohttp import web

SENTENCE = "The paid model answers this. "


@asynccontextmanager
async def paid_model():
    """Yields its URL and the list of the models that were asked."""
    asked: list[str] = []

    async def messages(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["model"])
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        usage = {"input_tokens": 7, "output_tokens": 1}
        for event in (
            {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [],
             "model": asked[-1], "stop_reason": None, "stop_sequence": None, "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SENTENCE}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
             "usage": {"output_tokens": 6}},
            {"type": "message_stop"},
        ):  # fmt: skip
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        return response

    app = web.Application()
    app.router.add_post("/v1/messages", messages)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()
