"""A paced stand-in for an OpenAI-compatible provider, whose every answer is known in advance.

A question names its answer: `ask-<id>` is answered with `expected(<id>)`. The journal records each request and how
its stream ended. Run alone: `python -m tests.support.model_server --port N [--first-ms 200] [--pieces-per-second 50]`.
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass, field

from aiohttp import web

MARK = re.compile(r"ask-([0-9a-z]+)")
WORDS = ("ränder", "zebra", "文字", "savanna", "🦓", "stripe", "herd", "grass", "line\nbreak", "dusk")


def expected(name: str, pieces: int) -> str:
    """The whole answer to `ask-<name>`: so many pieces, each with its number."""
    return "".join(_pieces(name, pieces))


def _pieces(name: str, pieces: int) -> list[str]:
    return [f"{name}.{number} {WORDS[(number + len(name)) % len(WORDS)]} " for number in range(pieces)]


@dataclass(slots=True)
class Served:
    """One request: when it arrived (monotonic seconds), when its stream ended, and whether the client closed it."""

    name: str
    began: float
    ended: float | None = None
    was_cut: bool = False


@dataclass(slots=True)
class ModelServer:
    """Pace and faults can be changed while it runs."""

    pieces: int = 20
    first_seconds: float = 0.2
    pieces_per_second: float = 50.0
    journal: list[Served] = field(default_factory=list)
    refuse: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        """For `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0 chooses a port."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and all open connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = [mark for message in body["messages"] for mark in MARK.findall(_text(message))]
        if self.refuse:
            status, headers = self.refuse.pop(0)
            return web.json_response({"error": {"message": "refused"}}, status=status, headers=headers)
        served = Served(asked[-1] if asked else "", time.monotonic())
        self.journal.append(served)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        try:
            await response.prepare(request)
            await self._stream(response, served.name)
        except ConnectionError:
            served.was_cut = True
        except asyncio.CancelledError:
            served.was_cut = True
            raise
        finally:
            served.ended = time.monotonic()
        return response

    async def _stream(self, response: web.StreamResponse, name: str) -> None:
        pieces = _pieces(name, self.pieces)
        due = time.monotonic() + self.first_seconds
        for piece in pieces:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += 1 / self.pieces_per_second
            await response.write(_chunk({"delta": {"content": piece}, "index": 0, "finish_reason": None}))
        await response.write(_chunk({"delta": {}, "index": 0, "finish_reason": "stop"}))
        usage = {"prompt_tokens": 100, "completion_tokens": len(pieces), "total_tokens": 100 + len(pieces)}
        await response.write(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")


def _text(message: dict[str, object]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _chunk(choice: dict[str, object]) -> bytes:
    return (
        b"data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    )


async def serve(server: ModelServer, port: int) -> None:
    """Serve until cancelled."""
    await server.start(port)
    print(server.url, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Run it as its own process, for benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first-ms", type=float, default=200)
    parser.add_argument("--pieces-per-second", type=float, default=50)
    parser.add_argument("--pieces", type=int, default=20)
    given = parser.parse_args()
    server = ModelServer(given.pieces, given.first_ms / 1000, given.pieces_per_second)
    asyncio.run(serve(server, given.port))


if __name__ == "__main__":
    main()
