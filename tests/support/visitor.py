"""A visitor who never gives up: asks, follows the session's stream, resumes at any gateway, and checks every event.

It records every event that it receives, so that a violation can be shown with its history.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chatconnect.client.sse_parser import SseParser
from schemas.events import ENDINGS

PAUSE_SECONDS = 0.3
REQUEST_SECONDS = 10.0


@dataclass(slots=True)
class ReceivedAnswer:
    """What the visitor has received about one message."""

    text: str = ""
    attempt: int = 0
    seq: int = -1
    endings: list[str] = field(default_factory=list)
    code: str = ""
    problems: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    attempts: set[int] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: str, data: dict[str, Any]) -> None:
        """Apply `docs/wire.md`: a higher attempt restarts the text, `seq` has no gaps, a snapshot replaces the text."""
        if event not in {*ENDINGS, "started", "sources", "delta", "snapshot"}:
            return
        attempt, seq = data["attempt"], data["seq"]
        self.attempts.add(attempt)
        if event == "snapshot":
            if (attempt, seq) >= (self.attempt, self.seq):
                self.text, self.attempt, self.seq = data["text"], attempt, seq
                self._end(data["state"] if data["state"] in ENDINGS else "")
            return
        if attempt < self.attempt or (attempt == self.attempt and seq <= self.seq):
            return
        if attempt > self.attempt:
            self.text, self.attempt, self.seq = "", attempt, -1
        if seq != self.seq + 1:
            self.problems.append(f"gap: {event} {attempt}/{seq} after {self.seq}")
        if self.endings:
            self.problems.append(f"{event} {attempt}/{seq} after the ending {self.endings}")
        self.seq = seq
        self.text += data.get("text", "")
        self.code = data.get("code", self.code)
        self._end(event if event in ENDINGS else "")

    def _end(self, ending: str) -> None:
        if ending and ending not in self.endings:
            self.endings.append(ending)
            self.ended.set()


class Visitor:
    """One session of one client. `urls` are gateways that serve the same log; each connection picks one at random.

    `text_times`: (monotonic seconds, message id) of each new text; `endings`: the message ids in the order they ended.
    """

    def __init__(self, http: aiohttp.ClientSession, urls: Sequence[str], secret_key: str, session_id: str) -> None:
        self.session_id = session_id
        self.received: dict[str, ReceivedAnswer] = {}
        self.connections = 0
        self.text_times: list[tuple[float, str]] = []
        self._http = http
        self._urls = urls
        self._headers = {"authorization": f"Bearer {secret_key}"}
        self.last_id = ""
        self.endings: list[str] = []

    async def ask(self, message_id: str, text: str) -> ReceivedAnswer:
        """POST until it is accepted; repeating an id repeats the same question."""
        received = self.received.setdefault(message_id, ReceivedAnswer())
        body = {"message": text, "sessionId": self.session_id, "messageId": message_id}
        headers = {**self._headers, "prefer": "respond-async"}
        while True:
            status = await self._post("/chat", body, headers)
            if status == 202:
                return received
            if status is not None and 400 <= status < 500 and status != 429:
                raise AssertionError(f"POST /chat answered {status}")
            await asyncio.sleep(PAUSE_SECONDS * random.random())

    async def cancel(self, message_id: str) -> int | None:
        """POST the cancel once; None if no answer came."""
        return await self._post(f"/chat/{message_id}/cancel", {"sessionId": self.session_id}, self._headers)

    async def follow(self) -> None:
        """Read the session's stream forever."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                await self.read_stream()
            await asyncio.sleep(PAUSE_SECONDS * random.random())

    async def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> int | None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                async with self._http.post(random.choice(self._urls) + path, json=body, headers=headers) as response:
                    await response.read()
                    return response.status
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return None

    async def read_stream(self) -> None:
        headers = {**self._headers, **({"last-event-id": self.last_id} if self.last_id else {})}
        url = f"{random.choice(self._urls)}/sessions/{self.session_id}/events"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS, sock_read=40)
        async with self._http.get(url, headers=headers, timeout=timeout) as response:
            response.raise_for_status()
            self.connections += 1
            parser = SseParser()
            async for chunk in response.content.iter_any():
                for frame in parser.feed(chunk):
                    if frame.data:
                        self._note(frame.event, json.loads(frame.data), frame.id)
                self.last_id = parser.last_id or self.last_id

    def _note(self, event: str, data: dict[str, Any], event_id: str) -> None:
        received = self.received.setdefault(data["messageId"], ReceivedAnswer())
        received.history.append(
            f"{event_id} {event} {data.get('attempt')}/{data.get('seq')} {data.get('text', '')[:40]!r}"
        )
        had_ended, place = bool(received.endings), (received.attempt, received.seq)
        received.take(event, data)
        if event == "delta" and (received.attempt, received.seq) > place:
            self.text_times.append((time.monotonic(), data["messageId"]))
        if received.endings and not had_ended:
            self.endings.append(data["messageId"])
