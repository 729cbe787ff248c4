"""An answer that survives dropped connections: POST /chat/stream, then the session's stream from the last id."""

import json
import random
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from uuid_utils import uuid7

from chatconnect.client.answer import Answer, GapError
from chatconnect.client.api import MAX_PAUSE_SECONDS, ApiError, BusyError, GatewayAccess, check, unreachable
from chatconnect.client.sse_parser import SseEvent, SseParser, WireError

ANSWER_SECONDS = 300
RECONNECTS_WITHOUT_PROGRESS = 8
DEFAULT_RETRY_MS = 1000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. We choose the ids, so the POST may be sent again without a second answer."""

    text: str
    session_id: str = field(default_factory=lambda: str(uuid7()))
    message_id: str = field(default_factory=lambda: str(uuid7()))


class AnswerStream:
    """Iterate to follow `answer` to its end; each step is a change. `position` is the place in the queue, if known.

    Raises `ApiError` when the gateway refuses or cannot be reached, or the answer takes over `ANSWER_SECONDS`.
    """

    def __init__(self, http: httpx.Client, access: GatewayAccess, question: Question) -> None:
        self.answer = Answer(question.message_id)
        self.position: int | None = None
        self._http = http
        self._access = access
        self._question = question
        self._ticket: str | None = None
        self._is_accepted = False
        self._changes = 0
        self._last_id = ""
        self._retry_ms = DEFAULT_RETRY_MS
        self._deadline = time.monotonic() + ANSWER_SECONDS

    def __iter__(self) -> Iterator[Answer]:
        reconnects = 0
        while not self.answer.is_ended:
            changes_before = self._changes
            busy = yield from self._connection()
            if not self.answer.is_ended:
                reconnects = 1 if self._changes > changes_before else reconnects + 1
                self._pause(reconnects, busy)

    def cancel(self) -> None:
        """Stop the answer and its costs; it may have ended already."""
        question = self._question
        body = {"sessionId": question.session_id}
        self._http.post(f"/chat/{question.message_id}/cancel", headers=self._headers(), json=body)

    def complete(self) -> None:
        """Fetch what a snapshot leaves out of an ended answer: usage, model, finish reason."""
        response = self._http.post("/chat", headers=self._headers(), json=self._body())
        check(response)
        facts = response.json()
        self.answer.usage, self.answer.model = facts["usage"], facts["model"]
        self.answer.finish_reason = facts["finishReason"]

    def _connection(self) -> Generator[Answer, None, BusyError | None]:
        """Yields the changes of one connection; returns the server's request to come back later, if any."""
        try:
            for _ in self._events():
                self._changes += 1
                yield self.answer
        except BusyError as busy:
            return busy
        except httpx.ConnectError as error:
            if not self._is_accepted:
                raise unreachable(self._access.url) from error
        except (httpx.TransportError, GapError):
            return None
        return None

    def _events(self) -> Iterator[SseEvent]:
        parser = SseParser()
        with self._connect() as response:
            for chunk in response.iter_bytes():
                for frame in parser.feed(chunk):
                    if self._take(frame):
                        yield frame
                    self._last_id = frame.id or self._last_id
                    if self.answer.is_ended:
                        return
                self._last_id = parser.last_id or self._last_id
                self._retry_ms = parser.retry_ms if parser.retry_ms is not None else self._retry_ms
                self._check_deadline()

    def _take(self, frame: SseEvent) -> bool:
        data = _parse(frame)
        if frame.event == "accepted":
            self._is_accepted = True
            self._ticket = data.get("ticket", self._ticket)
            return False
        if frame.event == "queued":
            self.position = data.get("position")
            return True
        return self.answer.apply(frame.event, data)

    @contextmanager
    def _connect(self) -> Iterator[httpx.Response]:
        with self._http.stream(**self._request()) as response:
            if not response.is_success:
                response.read()
                check(response)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise ApiError(f"{self._access.url} did not answer with an event stream: is it a ChatConnect gateway?")
            yield response

    def _request(self) -> dict[str, Any]:
        if not self._is_accepted:
            return {"method": "POST", "url": "/chat/stream", "headers": self._headers(), "json": self._body()}
        headers = self._headers() | ({"Last-Event-ID": self._last_id} if self._last_id else {})
        return {"method": "GET", "url": f"/sessions/{self._question.session_id}/events", "headers": headers}

    def _body(self) -> dict[str, str]:
        question = self._question
        return {"message": question.text, "sessionId": question.session_id, "messageId": question.message_id}

    def _headers(self) -> dict[str, str]:
        caller = {"Authorization": f"Bearer {self._ticket}"} if self._ticket else self._access.headers
        return {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity", **caller}

    def _pause(self, reconnects: int, busy: BusyError | None) -> None:
        self._check_deadline()
        if reconnects > RECONNECTS_WITHOUT_PROGRESS:
            broken = f"The connection to {self._access.url} keeps breaking; the answer may still be on its way."
            raise busy or ApiError(broken)
        seconds = busy.retry_after_seconds if busy else self._retry_ms / 1000 * 2 ** (reconnects - 1)
        # Jitter, so that clients disconnected together do not reconnect together.
        time.sleep(min(seconds, MAX_PAUSE_SECONDS) * random.uniform(0.75, 1))

    def _check_deadline(self) -> None:
        if time.monotonic() > self._deadline:
            raise ApiError(f"The answer did not end within {ANSWER_SECONDS} seconds: is a worker running?")


def _parse(frame: SseEvent) -> dict[str, Any]:
    try:
        data = json.loads(frame.data)
    except ValueError as error:
        raise WireError(f"The server sent a {frame.event!r} event that is not JSON.") from error
    if not isinstance(data, dict):
        raise WireError(f"The server sent a {frame.event!r} event that is not a JSON object.")
    return data
