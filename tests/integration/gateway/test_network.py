"""Raw connections: endless headers, silence, half-closed connections, bodies that nobody reads."""

import asyncio
import json
import resource
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.connections.protocol import ConnectionLimits
from gateway.server import KEEP_ALIVE_SECONDS
from tests.support.gateway_process import process, until_ready
from tests.support.gateway_running import ScriptedWorker, running_gateway
from tests.support.patience import SECONDS

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def running(settings):
    async with running_gateway(settings) as running:
        yield running


class Raw:
    """A TCP connection whose bytes the test writes itself."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    async def send(self, data):
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            pass

    def end(self):
        self._writer.write_eof()

    async def read(self):
        """Everything received until the connection ends; a reset counts as the end."""
        found = b""
        async with asyncio.timeout(SECONDS):
            try:
                while data := await self._reader.read(65_536):
                    found += data
            except ConnectionError:
                found += b"<reset>"
        return found


@asynccontextmanager
async def connected(running):
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()


def posted(path, body, **headers):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5_000_000, 431, id="a header without an end"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200_000, 431, id="headers without an end"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431, id="a header too many"),
        pytest.param(b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a long address"),
        pytest.param(b"GET /" + b"a" * 5_000_000, 431, id="an address without an end"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="TLS"),
        pytest.param(b"A" * 100_000, 400, id="no HTTP"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="an address that is not ASCII"),
        pytest.param(b"CONNECT example:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="CONNECT"),
        pytest.param(
            b"POST /chat HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nabcde", 400, id="two lengths"
        ),
        pytest.param(b"POST /chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, id="no chunk"),
    ],
)
async def test_an_invalid_request_is_refused_and_the_connection_closed(running, data, status):
    async with connected(running) as raw:
        began = time.monotonic()
        sending = asyncio.create_task(raw.send(data))
        alive = await running.http.get("/health/live")
        answer = await raw.read()
        sending.cancel()

    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == status
    assert alive.status_code == 200
    assert time.monotonic() - began < 5


@pytest.fixture
async def impatient(settings):
    limits = ConnectionLimits(head_seconds=0.3, body_seconds=0.3)
    async with running_gateway(settings, limits=limits) as running:
        yield running


async def test_a_head_and_a_body_have_a_deadline(impatient):
    keys = await impatient.seed("slow", "*")
    head = posted("/chat", b"x" * 1_000, x_api_key=keys.publishable)[:-1_000]
    for sent, status in ((b"", 408), (b"GET / HT", 408), (head + b"{", 408), (head, 408)):
        async with connected(impatient) as raw:
            await raw.send(sent)
            assert (await raw.read()).startswith(f"HTTP/1.1 {status} ".encode()), sent


async def test_a_body_that_trickles_has_a_deadline(impatient):
    keys = await impatient.seed("slow", "*")
    async with connected(impatient) as raw:
        await raw.send(posted("/chat", b"x" * 1_000, x_api_key=keys.publishable)[:-1_000])

        async def trickle():
            while True:
                await raw.send(b"{")
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        answer = await raw.read()
        trickling.cancel()

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
async def test_a_client_that_half_closes_after_its_request_is_answered(running, settings, path):
    keys = await running.seed("half", "*")
    body = json.dumps({"message": "is it so?"}).encode()
    async with ScriptedWorker(settings), connected(running) as raw:
        await raw.send(posted(path, body, x_api_key=keys.publishable, content_type="application/json"))
        raw.end()
        answer = await raw.read()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"completed" in answer or b"finishReason" in answer


async def test_a_stream_reader_that_half_closes_has_left(running):
    keys = await running.seed("reader", "*")
    async with connected(running) as raw:
        await raw.send(f"GET /sessions/s/events HTTP/1.1\r\nauthorization: Bearer {keys.secret}\r\n\r\n".encode())
        raw.end()
        await raw.read()

    async with asyncio.timeout(5):
        while len(running.gateway.admission.streams):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("size", [10_000_000, 60_000_000])
async def test_a_refusal_arrives_while_the_body_is_being_sent(running, size):
    keys = await running.seed("large", "*")
    script = (
        "const [url, key, size] = process.argv.slice(1);"
        "const r = await fetch(url, {method: 'POST', headers: {'x-api-key': key}, body: 'x'.repeat(Number(size))});"
        "console.log(r.status, (await r.json()).title)"
    )
    for path, status in (("/chat", 413), ("/nothing", 404)):
        node = ["node", "--input-type=module", "-e", script, f"{running.url}{path}", keys.publishable, str(size)]
        ended = await asyncio.to_thread(subprocess.run, node, capture_output=True, text=True, timeout=30, check=False)

        assert ended.stdout.startswith(f"{status} "), ended


def test_a_connection_is_kept_longer_than_proxies_do():
    assert KEEP_ALIVE_SECONDS > 60


async def test_requests_on_one_connection_are_all_answered(running):
    async with connected(running) as raw:
        await raw.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + b"GET /health/live HTTP/1.0\r\n\r\n")
        answer = await raw.read()

    assert answer.count(b"200 OK") == 51


async def test_with_few_descriptors_visitors_are_served_or_get_503(settings, tmp_path, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    idle = []
    with (tmp_path / "log").open("wb") as log:
        started = process(
            settings, unused_tcp_port, more={"LOG_FORMAT": "json"}, stdout=log, stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)),
        )  # fmt: skip
        async with started as gateway, httpx.AsyncClient(base_url=url, trust_env=False, timeout=5) as http:
            await until_ready(http)
            try:
                idle.extend([await asyncio.open_connection("127.0.0.1", unused_tcp_port) for _ in range(300)])
                refusal = (await asyncio.wait_for(idle[-1][0].read(), 5)).decode()
                assert (await http.get("/health/live")).status_code == 200, "an open connection was closed"
                assert gateway.returncode is None
            finally:
                for _, writer in idle:
                    writer.close()

    assert refusal.startswith("HTTP/1.1 503 ")
    assert "retry-after: 2" in refusal
    assert '"few_descriptors"' in (tmp_path / "log").read_text()
