"""Test doubles for answering: a scripted model, and in-memory attempts, clients and chat logs."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

from handlers.ports import Finish, Prompt
from schemas.events import ChatCompleted, ChatRequested, ChatRetrieved, Usage
from schemas.passages import Passage, Source
from stores.postgres.attempts import Ended, Held, Lease, Taken
from stores.postgres.clients import Client, Widget


class FakeModel:
    """Plays its script: it yields texts and a `Finish`, raises exceptions and waits for events."""

    def __init__(self, *script, provider="openai", name="gpt-4o-mini"):
        self.script, self.provider, self.name = script, provider, name
        self.prompts = []
        self.is_closed = False

    async def stream(self, prompt):
        self.prompts.append(prompt)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
                    await asyncio.sleep(0)
        finally:
            self.is_closed = True


def finish(reason="stop", **tokens):
    return Finish(reason, Usage(**(tokens or {"input_tokens": 100, "output_tokens": 10})))


class FakeAttempts:
    """`Attempts` for one process; leases never expire. While `failure` is set, every call raises it."""

    def __init__(self, lease_seconds=15):
        self.lease_seconds = lease_seconds
        self.rows, self.endings = {}, {}
        self.failure = None
        self.held = None
        self.is_taken = False
        self.renewed = asyncio.Event()

    async def begin(self, client_id, message_id, session_id, *, above=0):
        self._fail()
        if self.is_taken:
            return Taken()
        if self.held is not None:
            return Held(self.held)
        key = client_id, message_id
        if key in self.endings:
            return Ended(json.loads(json.dumps(self.endings[key])))
        self.rows[key] = max(self.rows.get(key, 0), above) + 1
        return Lease(self.rows[key])

    async def renew(self, client_id, message_id, attempt):
        self.renewed.set()
        self._fail()
        return self.rows.get((client_id, message_id)) == attempt

    async def finish(self, client_id, message_id, session_id, attempt, ending):
        self._fail()
        key = client_id, message_id
        if key in self.endings or self.rows.get(key, 0) > attempt:
            return False
        self.rows[key] = attempt
        self.endings[key] = ending
        return True

    async def ending(self, client_id, message_id, session_id):
        self._fail()
        return self.endings.get((client_id, message_id))

    def _fail(self):
        if self.failure:
            raise self.failure


class FakeClients:
    def __init__(self, tier="free", **widget):
        self.client = Client("acme", "Acme", tier, ())
        self.settings = widget
        self.failure = None

    async def get(self, client_id):
        if self.failure:
            raise self.failure
        return self.client

    async def widget(self, client_id, widget_id):
        if self.failure:
            raise self.failure
        return Widget(client_id, widget_id or "default", **self.settings)


class FakeChatLogs:
    def __init__(self, *logs):
        self.logs = logs
        self.failure = None
        self.asked = []

    async def turns(self, client_id, session_id, *, before, limit):
        if self.failure:
            raise self.failure
        self.asked.append((client_id, session_id, before, limit))
        return [(log.question, log.answer) for log in reversed(self.logs[:limit])]


def passage(text="Refunds take 14 days.", title="Terms", **fields):
    return Passage(document_id="doc_1", title=title, text=text, score=0.8, **fields)


def retrieved(question="How long do refunds take?", *, passages=None, confidence=1.5, client_id="acme", session="s1"):
    request = ChatRequested(
        client_id=client_id,
        message_id=uuid4(),
        session_id=session,
        text=question,
        requested_at=datetime.now(UTC),
    )
    return ChatRetrieved(
        client_id=client_id,
        session_id=session,
        request=request,
        query=question,
        passages=[passage()] if passages is None else passages,
        confidence=confidence,
        retrieval_ms=5,
    )


def prompt(question="How long do refunds take?", **fields):
    defaults = {"system": "Answer.", "turns": (), "passages": [passage()], "temperature": 0.2, "max_tokens": 100}
    return Prompt(question=question, **{**defaults, **fields})


def completed(**fields):
    """A record of an answer that ended now."""
    now = datetime.now(UTC)
    defaults = {
        "client_id": "acme",
        "message_id": uuid4(),
        "session_id": "s1",
        "attempt": 1,
        "outcome": "completed",
        "question": "How long do refunds take?",
        "answer": "14 days [1].",
        "sources": [Source(n=1, document_id="doc_1", title="Terms", page=3, snippet="Refunds take", score=0.8)],
        "citations": [1],
        "finish_reason": "stop",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "tier": "free",
        "usage": Usage(input_tokens=100, output_tokens=10, cache_read_tokens=5, cache_write_tokens=2),
        "cost_usd": 0.000021,
        "retrieval_ms": 5,
        "first_token_ms": 210,
        "answer_ms": 900,
        "requested_at": now,
        "completed_at": now,
    }
    return ChatCompleted(**{**defaults, **fields})
