"""Answers from a worker that fails and repeats itself, and a page that keeps switching gateways."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import aiohttp

from chatconnect.client.sse_parser import SseParser
from schemas.events import ENDINGS, AnswerCompleted, AnswerDelta, AnswerSources, AnswerStarted, Usage
from tests.support.gateway_running import SOURCE

ALPHABET = 'ab é漢字🦓👩‍👩‍👧‍👦\r\n\\"\u2028\0d:'
LONG_PIECES, LONG_PIECE = 20, 1_000
PIECES, PIECE = (3, 40), (1, 60)


@dataclass(frozen=True)
class ScriptedAnswer:
    """The events that a worker publishes, and the text that a page must show in the end."""

    message_id: UUID
    events: list
    text: str


def scripted_answer(rng: random.Random, client_id: str, session_id: str) -> ScriptedAnswer:
    """An answer: plain, restarted midway with late events of the first attempt, or with repeated events."""
    name = {"client_id": client_id, "session_id": session_id, "message_id": uuid4()}
    events, text = _attempt(rng, name, 1)
    if rng.random() < 0.4:
        cut = rng.randrange(1, len(events))
        again, text = _attempt(rng, name, 2)
        late = events[cut : cut + rng.randrange(5)]
        turn = rng.randrange(1, len(again))
        events = events[:cut] + again[:turn] + late + again[turn:]
    if rng.random() < 0.3:
        events = [one for event in events for one in [event] * rng.choice((1, 1, 2))]
    if rng.random() < 0.2:
        at = rng.randrange(len(events))
        events = events[:at] + events[: rng.randrange(at + 1)] + events[at:]
    return ScriptedAnswer(name["message_id"], events, text)


def _attempt(rng, name, attempt):
    long = rng.random() < 0.04
    sizes = [LONG_PIECE] * LONG_PIECES if long else [rng.randint(*PIECE) for _ in range(rng.randint(*PIECES))]
    pieces = ["".join(rng.choices(ALPHABET, k=size)) for size in sizes]
    name = {**name, "attempt": attempt}
    events = [
        AnswerStarted(**name, seq=0, model="m", tier="free"),
        AnswerSources(**name, seq=1, sources=[SOURCE]),
        *[AnswerDelta(**name, seq=2 + seq, text=piece) for seq, piece in enumerate(pieces)],
    ]
    ending = {"finish_reason": "stop", "citations": [1], "usage": Usage(), "model": "m"}
    return [*events, AnswerCompleted(**name, seq=len(events), **ending)], "".join(pieces)


@dataclass
class Shown:
    """One answer on the page."""

    attempt: int = 0
    seq: int = -1
    text: str = ""
    state: str = "running"


@dataclass
class Page:
    """Applies `docs/wire.md`: a snapshot replaces the text, a higher attempt restarts it, `seq` has no gap."""

    answers: dict[str, Shown] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    def show(self, event: str, data: dict, where: str) -> None:
        """Raises `AssertionError` on a gap."""
        self.history.append(f"{where} {event} {data['attempt']}/{data['seq']}")
        answer = self.answers.setdefault(data["messageId"], Shown())
        if event == "snapshot":
            answer.attempt, answer.seq = data["attempt"], data["seq"]
            answer.text, answer.state = data["text"], data["state"]
            return
        if (data["attempt"], data["seq"]) <= (answer.attempt, answer.seq) or answer.state != "running":
            return
        if data["attempt"] > answer.attempt:
            answer.attempt, answer.seq, answer.text = data["attempt"], -1, ""
        assert data["seq"] == answer.seq + 1, f"a gap: {self.history[-20:]}"
        answer.seq = data["seq"]
        answer.text += data.get("text", "")
        answer.state = event if event in ENDINGS else "running"

    def ended(self) -> int:
        """The number of answers that have ended."""
        return sum(answer.state != "running" for answer in self.answers.values())


class Hopper:
    """Follows a session through gateways that serve the same log, and drops each connection after a few bytes."""

    def __init__(self, rng: random.Random, http: aiohttp.ClientSession, urls: list[str], secret_key: str) -> None:
        self.page = Page()
        self.ways: Counter[str] = Counter()
        self._rng, self._http, self._urls = rng, http, urls
        self._headers = {"authorization": f"Bearer {secret_key}"}
        self._last_id = ""

    async def follow(self, session_id: str, answers: int) -> None:
        """Returns when this many answers have ended on the page."""
        while self.page.ended() < answers:
            try:
                await self._visit(session_id, answers)
            except (aiohttp.ClientError, ConnectionError):
                self.ways["refused"] += 1
                await asyncio.sleep(0.05)

    async def _visit(self, session_id: str, answers: int) -> None:
        rng = self._rng
        way = rng.choice(("header", "header", "query", "query", "new page")) if self._last_id else "first"
        self.ways[way] += 1
        headers = self._headers | ({"last-event-id": self._last_id} if way == "header" else {})
        query = {"last_event_id": self._last_id} if way == "query" else {}
        budget = rng.randint(1, rng.choice((200, 200, 2_000, 600_000)))
        url = f"{rng.choice(self._urls)}/sessions/{session_id}/events"
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(rng.uniform(0.05, 2)),
                self._http.get(url, headers=headers, params=query) as response,
            ):
                if response.status == 429:
                    # The gateway has not noticed yet that the previous connections are closed.
                    self.ways["too many"] += 1
                    return
                assert response.status == 200, response.status
                await self._read(response.content, budget, answers)
                response.close()

    async def _read(self, content: aiohttp.StreamReader, budget: int, answers: int) -> None:
        parser = SseParser()
        while budget > 0 and self.page.ended() < answers:
            chunk = await content.read(budget)
            if not chunk:
                return
            budget -= len(chunk)
            for frame in parser.feed(chunk):
                self.page.show(frame.event, json.loads(frame.data), frame.id)
            self._last_id = parser.last_id or self._last_id
