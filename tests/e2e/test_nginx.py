"""Streams through Debian's nginx with only `proxy_pass` set: it buffers unless the response forbids it."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from chatconnect.client.sse_parser import SseParser
from tests.e2e.conftest import free_port
from tests.support.gateway_running import ScriptedWorker, answer_of, running_gateway

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
START_SECONDS = 10
# Far longer than an event takes, and shorter than a heartbeat interval (12 s), which could flush a buffer.
ARRIVAL_SECONDS = 8
# By default nginx passes on each chunk of a chunked body; its gzip filter holds them unless X-Accel-Buffering is no.
DEFAULT, GZIP = "", "gzip on; gzip_types *;"
TEXT = "one two three 四 five 👋🏽 seven eight"

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    {options}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {upstream}; }}
    }}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine: apt-get install nginx-light")


@asynccontextmanager
async def nginx(folder, upstream, options):
    """Yields its URL once it listens."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream, options=options))
    process = await asyncio.create_subprocess_exec(
        NGINX, "-c", str(configuration), "-e", str(folder / "error.log"), stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await is_open(port):
                assert process.returncode is None, (await process.stderr.read()).decode()
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def is_open(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


class Gated:
    """A worker script that publishes one event for each `next()`."""

    def __init__(self):
        self._allowed = asyncio.Semaphore(0)

    def next(self):
        self._allowed.release()

    async def __call__(self, question):
        for event in answer_of(question, TEXT):
            await self._allowed.acquire()
            yield event


async def one_by_one(response, gate):
    """Publishes each event when the previous one has arrived; returns the events."""
    parser, found = SseParser(), []
    chunks = response.aiter_bytes()
    gate.next()
    while not found or found[-1][0] != "completed":
        try:
            async with asyncio.timeout(ARRIVAL_SECONDS):
                chunk = await anext(chunks)
        except TimeoutError:
            raise AssertionError(f"an event was held back: received only {found}") from None
        arrived = [(frame.event, json.loads(frame.data)) for frame in parser.feed(chunk) if frame.event != "accepted"]
        assert len(arrived) <= 1, "two events at once, though the second was published after the first had arrived"
        if arrived:
            found += arrived
            gate.next()
    return found


@pytest.fixture
def own(settings, database_url):
    return settings.model_copy(update={"database_url": database_url})


@pytest.mark.parametrize("options", [DEFAULT, GZIP], ids=["default", "gzip"])
@pytest.mark.parametrize("route", ["POST /chat/stream", "GET /sessions/{session_id}/events"])
async def test_an_answer_arrives_token_by_token(route, options, own, tmp_path):
    gate, session_id = Gated(), uuid4().hex
    method, path = route.format(session_id=session_id).split()
    body = {"message": "?", "sessionId": session_id, "messageId": str(uuid4())}
    async with (
        running_gateway(own) as running,
        nginx(tmp_path, running.url, options) as url,
        ScriptedWorker(own, gate),
        httpx.AsyncClient(base_url=url, timeout=ARRIVAL_SECONDS, trust_env=False) as http,
    ):
        keys = await running.seed(f"c-{uuid4().hex}")
        http.headers["authorization"] = f"Bearer {keys.secret}"
        async with http.stream(method, path, json=body if method == "POST" else None) as response:
            if method == "GET":
                accepted = await http.post("/chat", json=body, headers={"prefer": "respond-async"})
                assert accepted.status_code == 202
            found = await one_by_one(response, gate)

    assert response.headers["server"].startswith("nginx")
    assert "x-accel-buffering" not in response.headers, "nginx did not consume the header"
    assert ("content-encoding" in response.headers) is (options == GZIP)
    assert "".join(data["text"] for event, data in found if event == "delta") == TEXT + " "
    assert [data["seq"] for _, data in found] == list(range(len(found)))
