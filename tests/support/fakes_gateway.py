"""A gateway that follows a script, on a real loopback socket: faults that a client must survive."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

START_SECONDS = 10
MESSAGE_ID = "<message>"


class Cut:
    """In a script: the connection breaks here."""


class Stall:
    """In a script: nothing more is sent until the client disconnects."""


def frame(event: str, position: int | None = None, **data: Any) -> bytes:
    """One SSE event as the gateway writes it; `MESSAGE_ID` is replaced by the question's message id."""
    line = "" if position is None else f"id: e.0.{position}\n"
    return f"{line}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def step(event: str, seq: int, attempt: int = 1, **data: Any) -> bytes:
    """An event of the answer; its id encodes attempt and seq."""
    return frame(event, attempt * 100 + seq, messageId=MESSAGE_ID, attempt=attempt, seq=seq, **data)


class ScriptedGateway:
    """Each connection plays the next script: a list of frames, `Cut` and `Stall`, or a whole `Response`.

    `requests` records method, path, headers and body of each request.
    """

    def __init__(self, *scripts: list[Any] | Response) -> None:
        self.scripts = list(scripts)
        self.requests: list[dict[str, Any]] = []
        self.url = ""
        self._message_id = ""

    async def stream(self, request: Request) -> Response:
        """Serves every chat route."""
        body = await request.body()
        self._remember(request, json.loads(body) if body else {})
        script = self.scripts.pop(0)
        if isinstance(script, Response):
            return script
        return StreamingResponse(self._play(script), media_type="text/event-stream")

    def _remember(self, request: Request, body: dict[str, Any]) -> None:
        self._message_id = body.get("messageId", self._message_id)
        self.requests.append(
            {"method": request.method, "path": request.url.path, "headers": dict(request.headers), "body": body}
        )

    async def _play(self, script: list[Any]) -> AsyncIterator[bytes]:
        yield b"retry: 1\nid: e.0.0\n\n"
        for part in script:
            if part is Cut:
                raise ConnectionAbortedError
            if part is Stall:
                await asyncio.Event().wait()
            yield part.replace(MESSAGE_ID.encode(), self._message_id.encode())


class ScriptedKnowledgeBase:
    """Accepts files; `statuses(filename)` lists the answers of `GET …/status` in order (the last one repeats)."""

    def __init__(self, statuses: Callable[[str], list[dict[str, Any]]]) -> None:
        self.uploads: list[dict[str, Any]] = []
        self._statuses = statuses
        self._left: dict[str, list[dict[str, Any]]] = {}

    async def process(self, request: Request) -> Response:
        """POST /process-document."""
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            external_id = str(form["externalId"])
            upload = {
                "filename": file.filename,
                "content": await file.read(),
                "externalId": external_id,
                "authorization": request.headers.get("authorization"),
            }
        self.uploads.append(upload)
        version = sum(earlier["externalId"] == external_id for earlier in self.uploads)
        document_id = f"doc_{file.filename}"
        self._left[document_id] = [status | {"version": version} for status in self._statuses(str(file.filename))]
        body = {"id": document_id, "status": "pending", "filename": file.filename, "version": version}
        return JSONResponse(body, status_code=202)

    async def status(self, request: Request) -> Response:
        """GET /documents/{id}/status."""
        left = self._left[request.path_params["id"]]
        status = left.pop(0) if len(left) > 1 else left[0]
        return JSONResponse({"id": request.path_params["id"], "stage": "queued", "currentStep": "…"} | status)


@contextmanager
def serve(*routes: Route) -> Iterator[str]:
    """The URL of an app with these routes, served by a thread until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=list(routes)), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


@contextmanager
def scripted_gateway(*scripts: list[Any] | Response) -> Iterator[ScriptedGateway]:
    """A chat gateway that plays these scripts, one per connection."""
    gateway = ScriptedGateway(*scripts)
    routes = (
        Route("/chat/stream", gateway.stream, methods=["POST"]),
        Route("/chat", gateway.stream, methods=["POST"]),
        Route("/chat/{message_id}/cancel", gateway.stream, methods=["POST"]),
        Route("/sessions/{id}/events", gateway.stream, methods=["GET"]),
    )
    with serve(*routes) as gateway.url:
        yield gateway


@contextmanager
def scripted_knowledge_base(
    statuses: Callable[[str], list[dict[str, Any]]],
) -> Iterator[tuple[str, ScriptedKnowledgeBase]]:
    """Yields its URL and itself."""
    knowledge_base = ScriptedKnowledgeBase(statuses)
    routes = (
        Route("/process-document", knowledge_base.process, methods=["POST"]),
        Route("/documents/{id}/status", knowledge_base.status),
        Route("/health/live", lambda request: JSONResponse({"status": "ok"})),
    )
    with serve(*routes) as url:
        yield url, knowledge_base
