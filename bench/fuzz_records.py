"""Malformed records for every topic that we read. Every choice comes from the seeded `rng`."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from streams import topics
from streams.topics import Topic

READ = (
    topics.CHAT_REQUESTED,
    topics.CHAT_TOKEN,
    topics.CHAT_TOKEN,
    topics.CHAT_COMPLETED,
    topics.CHAT_CANCELLED,
    topics.CHAT_FEEDBACK,
    topics.DOCUMENT_UPLOADED,
    topics.DOCUMENT_PROGRESS,
)
TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00", "0", "2026-02-30T00:00:00Z", "now")
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, "", " ", "\0", "\ud800", "x" * 9_000, "🦓" * 500, [], {},
    [[]], {"a": {"b": {}}}, "NaN", "../../etc/passwd", "%00", *TIMES,
)  # fmt: skip
LARGE_BYTES = 900_000
DEEP = 5_000


@dataclass(frozen=True, slots=True)
class Honest:
    """Ids of an honest session; only unreadable records may have them."""

    client_id: str
    session_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Bad:
    """One record."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int | None
    partition: int | None = None


class BadRecords:
    """Readable records claim to be from `client_id`, so that they never affect honest clients."""

    def __init__(self, rng: random.Random, client_id: str, honest: Sequence[Honest]) -> None:
        self._rng = rng
        self._client_id = client_id
        self._honest = honest

    def next(self) -> Bad:
        """The next record."""
        rng = self._rng
        topic = rng.choice(READ)
        timestamp_ms = rng.choice((None, None, None, 0, 1, 2**40))
        if self._honest and rng.random() < 0.3:
            # Also in a wrong partition: its offsets must not count in the session's own.
            partition = rng.choice((None, None, 0))
            return replace(self._in_an_honest_name(topic, timestamp_ms), partition=partition)
        event = rng.choice(topic.events).__name__
        name = self._uuid()
        key = rng.choice((None, b"", name.encode(), rng.randbytes(20), b"k" * 3_000, b"\xff\xfe"))
        return Bad(topic.name, key, self._value(topic, event, name), self._headers(event, name), timestamp_ms)

    def _in_an_honest_name(self, topic: Topic, timestamp_ms: int | None) -> Bad:
        one = self._rng.choice(self._honest)
        event = self._rng.choice(topic.events).__name__
        message_id = self._uuid() if self._rng.random() < 0.25 else one.message_id
        position = f"{message_id}/{self._rng.choice((1, 1, 2, 9))}/{self._rng.randrange(30)}"
        headers = [("event-type", event.encode()), ("client-id", one.client_id.encode()), ("answer", position.encode())]
        # Always unreadable: a readable question, cancel or token counts as real, because producers are trusted.
        value = self._rng.choice((b"", b"{", b"null", self._rng.randbytes(50), b'{"text":1}', b"[" * DEEP))
        key = one.session_id if topic.key == "session_id" else self._uuid()
        if topic is topics.CHAT_REQUESTED:
            headers.pop()
        return Bad(topic.name, key.encode(), value, headers, timestamp_ms)

    def _headers(self, event: str, name: str) -> list[tuple[str, bytes]]:
        rng = self._rng
        headers = [
            ("event-type", event.encode()),
            ("client-id", self._client_id.encode()),
            ("answer", f"{name}/{rng.choice((0, 1, 2**40))}/{rng.choice((0, 1, -1))}".encode()),
            ("content-type", b"application/json"),
        ]
        for _ in range(rng.randrange(3)):
            where = rng.randrange(len(headers))
            spoilt = rng.choice((b"", b"\xff\xfe", b"x" * 2_000, b"1e999", b"nobody", b"a/b/c"))
            change = rng.choice(("drop", "twice", "spoil"))
            if change == "drop" and len(headers) > 1:
                headers.pop(where)
            elif change == "twice":
                headers.append((headers[where][0], spoilt))
            else:
                headers[where] = headers[where][0], spoilt
        if rng.random() < 0.05:
            headers += [(f"more-{number}", b"x" * 100) for number in range(200)]
        return headers

    def _value(self, topic: Topic, event: str, name: str) -> bytes | None:
        rng = self._rng
        shapes: tuple[Callable[[], bytes | None], ...] = (
            lambda: None,
            lambda: rng.randbytes(rng.randrange(300)),
            lambda: b"[" * DEEP,
            lambda: b'{"text":"' + b"x" * LARGE_BYTES + b'"}',
        )
        if rng.random() < 0.15:
            return rng.choice(shapes)()
        body = self._body(topic, event, name)
        for _ in range(rng.randrange(4)):
            field = rng.choice(list(body) or ["x"])
            if rng.random() < 0.3:
                body.pop(field, None)
            else:
                body[field] = rng.choice(ODD)
        value = json.dumps(body).encode()
        return self._corrupted(value) if rng.random() < 0.2 else value

    def _corrupted(self, value: bytes) -> bytes:
        rng, corrupted = self._rng, bytearray(value)
        for _ in range(rng.randrange(1, 5)):
            corrupted[rng.randrange(len(corrupted))] = rng.randrange(256)
        return bytes(corrupted[: rng.randrange(1, len(corrupted) + 1)])

    def _body(self, topic: Topic, event: str, name: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        common: dict[str, Any] = {"messageId": name, "sessionId": self._uuid(), "clientId": self._client_id}
        usage = {"inputTokens": 1, "outputTokens": 1, "cacheReadTokens": 0, "cacheWriteTokens": 0, "estimated": False}
        if topic is topics.CHAT_TOKEN:
            return common | {
                "attempt": 1, "seq": 0, "text": "a word", "model": "m", "tier": "free", "sources": [], "citations": [1],
                "finishReason": "stop", "usage": usage, "code": "x", "message": "y", "retryable": True,
                "question": "?", "askedAt": now,
            }  # fmt: skip
        if topic.key == "document_id":
            return {
                "documentId": name, "clientId": self._client_id, "uri": "file:///etc/passwd", "sha256": "0" * 64,
                "mediaType": "text/plain", "sizeBytes": 5, "filename": "a.txt", "title": "A", "uploadedAt": now,
                "version": 1, "status": "parsing", "stage": "parsing", "progress": 10, "currentStep": "x", "at": now,
            }  # fmt: skip
        return common | {
            "text": "Fuzz?", "requestedAt": now, "cancelledAt": now, "ratedAt": now, "completedAt": now, "rating": "up",
            "attempt": 1, "outcome": "completed", "question": "?", "answer": event, "sources": [], "citations": [],
            "finishReason": "stop", "provider": "local", "model": "m", "tier": "free", "usage": usage, "costUsd": 0,
            "retrievalMs": 1, "answerMs": 1, "locale": "de", "pageUrl": "https://example.org/",
        }  # fmt: skip

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))
