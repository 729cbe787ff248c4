"""Random, mostly malformed HTTP requests. Every choice comes from the seeded `rng`."""

import asyncio
import contextlib
import json
import random
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Ending = Literal["read", "half-close", "reset", "silence"]

READ_SECONDS = 5.0
SILENCE_SECONDS = 3.0
MAX_READ_BYTES = 65_536
METHODS = ("GET", "POST", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "get", "G\0T", "X" * 300)
PATHS = (
    "/", "/chat", "/chat/stream", "/chat/{id}/cancel", "/chat/{id}/feedback", "/sessions/{id}/events?wait=0",
    "/sessions/{id}/messages?limit=2&before=x", "/sessions/{id}/ticket", "/process-document", "/documents?limit=-1",
    "/documents/{id}", "/documents/{id}/status", "/documents/{id}/events", "/documents/{id}/retry",
    "/internal/validate-client", "/internal/tickets", "/openapi.json", "/health", "/health/live", "/metrics",
    "/sessions/../events", "/sessions/%00/events", "/sessions/%ff%fe/messages", "//", "/%2e%2e/%2e%2e/etc/passwd",
    "*", "http://other.example/chat", "/chat?" + "a=b&" * 3_000,
)  # fmt: skip
HEADERS = (
    "Content-Type: application/json", "Content-Type: text/plain; charset=utf-16", "Content-Encoding: gzip",
    "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 5, 6",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding : chunked",
    "Expect: 100-continue", "Upgrade: websocket", "Connection: upgrade", "Connection: close", "Range: bytes=0-1,5-",
    "Last-Event-ID: abc.3.-1", "Last-Event-ID: 99999999.99999.999999999999999999999", "Last-Event-ID: \x01",
    "Authorization: Bearer", "Authorization: Basic eDp5", "Authorization: Bearer a.b.c", "X-Internal-Secret: x",
    "Prefer: respond-async, wait=-1", "Prefer: wait=1", 'Idempotency-Key: "x"',
    "Accept: application/json", "Host: a:b:c",
    "X-Forwarded-For: 1.2.3.4, ::1, unknown", "Origin: null", "Origin: http://[", "traceparent: 00-zz",
    "Cookie: " + "a" * 9_000,
    "X: " + "y" * 60_000, ": nameless", "no colon at all", " folded: line", "Ünïcode: ä", "NUL: \0", "TE: trailers",
)  # fmt: skip
VALUES = (None, True, 0, -1, 10**400, "", "\0", "\ud800", "x" * 9_000, [], {}, "😀" * 3_000, "../..", "2026-02-30")


@dataclass(frozen=True, slots=True)
class Script:
    """The bytes to write, piece by piece, and how the connection ends."""

    pieces: list[bytes]
    pause_seconds: float
    ending: Ending


class BadRequests:
    """About half of them have a valid key of the fuzzer's own client, which reaches more code."""

    def __init__(self, rng: random.Random, publishable: str, secret: str) -> None:
        self._rng = rng
        self._keys = (f"X-API-Key: {publishable}", f"Authorization: Bearer {secret}", "X-API-Key: pk_unknown")
        self._sessions = [self._uuid() for _ in range(50)]

    def next(self) -> Script:
        """The next script."""
        rng = self._rng
        request = b"".join(self._request() for _ in range(rng.choice((1, 1, 1, 2, 5))))
        if rng.random() < 0.1:
            request = rng.choice((
                rng.randbytes(200),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(80),
                b"\r\n" * 1_000,
                b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000,
                b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2_000 + b"\r\n",
            ))  # fmt: skip
        ending: Ending = rng.choice(("read", "read", "read", "half-close", "reset", "silence"))
        return Script(list(self._pieces(request)), rng.choice((0, 0, 0, 0.02)), ending)

    def _pieces(self, request: bytes) -> Iterator[bytes]:
        size = self._rng.choice((len(request) or 1, len(request) or 1, 1_000, max(1, len(request) // 20)))
        for start in range(0, len(request), size):
            yield request[start : start + size]

    def _request(self) -> bytes:
        rng = self._rng
        path = rng.choice(PATHS).replace("{id}", rng.choice(self._sessions))
        body = self._body()
        headers = ["Host: 127.0.0.1", *rng.sample(HEADERS, rng.randrange(4))]
        if rng.random() < 0.7:
            headers.append(rng.choice(self._keys))
        if rng.random() < 0.7:
            headers += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        line = f"{rng.choice(METHODS[:3] if rng.random() < 0.7 else METHODS)} {path} HTTP/1.1"
        if rng.random() < 0.05:
            line = rng.choice(("GET", f"GET {path}", f"GET {path} HTTP/9.9", f"GET {path} HTTP/1.1 HTTP/1.1"))
        end = "\n" if rng.random() < 0.05 else "\r\n"
        return (end.join([line, *headers]) + end + end).encode("utf-8", "surrogatepass") + body

    def _body(self) -> bytes:
        rng = self._rng
        if rng.random() < 0.15:
            return rng.choice((b"", rng.randbytes(300), b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffff\r\n", b"[" * 9_000))
        body: dict[str, object] = {
            "message": "What does a fuzzer ask?", "sessionId": rng.choice(self._sessions), "messageId": self._uuid(),
            "context": {"url": "https://example.org/"}, "locale": "de", "rating": "up", "visitorId": "v",
        }  # fmt: skip
        for _ in range(rng.randrange(3)):
            field = rng.choice(list(body))
            if rng.random() < 0.3:
                del body[field]
            else:
                body[field] = rng.choice(VALUES)
        return json.dumps(body).encode()

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


async def play(script: Script, host: str, port: int, source: str) -> bytes:
    """The response, as far as it was read; `source` is the loopback address to send from."""
    loop, answer = asyncio.get_running_loop(), b""
    with socket.socket() as own:
        own.setblocking(False)  # noqa: FBT003 - its only form
        own.bind((source, 0))
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await loop.sock_connect(own, (host, port))
                for piece in script.pieces:
                    await loop.sock_sendall(own, piece)
                    await asyncio.sleep(script.pause_seconds)
                if script.ending == "silence":
                    await asyncio.sleep(SILENCE_SECONDS)
                elif script.ending == "half-close":
                    own.shutdown(socket.SHUT_WR)
                elif script.ending == "reset":
                    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return answer
                while len(answer) < MAX_READ_BYTES and (got := await loop.sock_recv(own, MAX_READ_BYTES)):
                    answer += got
    return answer
