"""In-memory log, database and socket for the gateway."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import UUID, uuid5

import orjson

from gateway.admission.key_revocation import KeyRevocations
from gateway.connections.connection import EXTENSION
from gateway.replay.answers import Frame
from schemas.sse import ANSWER_EVENTS

EPOCH = "epoch123"


class NoKeys:
    """`stores.postgres.clients.Clients` where no key is ever revoked."""

    async def revoked(self, key_hashes):
        return set()


KEYS = KeyRevocations(NoKeys(), lambda: None)
CLIENT = "acme"
NAMESPACE = UUID("11111111-2222-4333-8444-555555555555")


def message_id(number):
    return str(uuid5(NAMESPACE, str(number)))


def frame(offset, event="delta", message=1, attempt=1, seq=0, **data):
    """A frame as the tail builds it from a record."""
    name = message_id(message)
    body = orjson.dumps({"messageId": name, "attempt": attempt, "seq": seq, **data})
    return Frame(offset, name, attempt, seq, event, body, 0)


def answer_frames(text, message=1, attempt=1, start=0, is_ended=True):
    """A whole answer, one delta per character."""
    steps = [("started", {"model": "m", "tier": "free"}), ("sources", {"sources": []})]
    steps += [("delta", {"text": character}) for character in text]
    if is_ended:
        usage = {"inputTokens": 1, "outputTokens": 2, "cacheReadTokens": 0, "cacheWriteTokens": 0, "estimated": False}
        steps.append(("completed", {"finishReason": "stop", "citations": [], "usage": usage, "model": "m"}))
    return [frame(start + seq, event, message, attempt, seq, **data) for seq, (event, data) in enumerate(steps)]


EVENT_TYPES = {name: model.__name__.encode() for name, model in ANSWER_EVENTS.items()}


def record(made, session="s", client=CLIENT, partition=0):
    """A frame as a record of `chat.token`."""
    return SimpleNamespace(
        topic="chat.token",
        partition=partition,
        offset=made.offset,
        timestamp=made.timestamp_ms,
        key=session.encode(),
        value=made.data,
        headers=(
            ("event-type", EVENT_TYPES[made.event]),
            ("client-id", client.encode()),
            ("answer", f"{made.message_id}/{made.attempt}/{made.seq}".encode()),
        ),
    )


class FakeLog:
    """`gateway.replay.tail.FrameLog` on a list; `write` appends records, `fail` makes reading raise."""

    epoch = EPOCH
    partitions = 1

    def __init__(self):
        self.records = []
        self.last_alive_at = 0.0
        self._read = 0
        self._written = asyncio.Event()
        self.failure = None

    @property
    def is_caught_up(self):
        return self._read == len(self.records)

    async def seek(self, since):
        self._read = 0

    async def batches(self):
        while True:
            if self.failure:
                raise self.failure
            if self._read < len(self.records):
                batch, self._read = self.records[self._read :], len(self.records)
                yield batch
            self._written.clear()
            await self._written.wait()

    def position(self, partition):
        return self.records[self._read - 1].offset + 1 if self._read else 0

    def end_offset(self, partition):
        return self.records[-1].offset + 1 if self.records else 0

    def write(self, *frames, session="s", client=CLIENT):
        self.records.extend(record(made, session, client) for made in frames)
        self._written.set()

    def fail(self, failure):
        self.failure = failure
        self._written.set()


class FakeHistory:
    """`chat_logs` as a list. `is_away`: Postgres refuses; `is_silent`: it never answers."""

    def __init__(self, *rows):
        self.rows = list(rows)
        self.is_away = self.is_silent = False

    async def get(self, client_id, message_id):
        await self._reach()
        return next((row for row in self.rows if (row.client_id, row.message_id) == (client_id, message_id)), None)

    async def page(self, client_id, session_id, *, before, limit):
        await self._reach()
        found = [row for row in self.rows if (row.client_id, row.session_id) == (client_id, session_id)]
        return [row for row in reversed(found) if before is None or row.requested_at < before][:limit]

    async def _reach(self):
        if self.is_away:
            raise ConnectionRefusedError
        if self.is_silent:
            await asyncio.Event().wait()


class FakeSocket:
    """An ASGI connection seen from both ends: records what was sent, and lets the client disconnect."""

    def __init__(self):
        self.status = None
        self.headers = {}
        self.bodies = []
        self.is_ended = False
        self.stalls = asyncio.Event()
        self.stalls.set()
        self._gone = asyncio.Event()
        self._asked = False
        self.is_lost = self.is_aborted = self.is_half_closed = False
        self.on_lost = None
        self._changed = asyncio.Condition()

    @property
    def text(self):
        return b"".join(self.bodies).decode()

    def disconnect(self):
        self._gone.set()
        self.is_lost = True
        if self.on_lost is not None:
            self.on_lost()

    def abort(self):
        self.is_aborted = True
        self.stalls.set()
        self.disconnect()

    def scope(self, method):
        """A request scope with this socket as its `gateway.connections.connection.Connection`."""
        return {"type": "http", "method": method, "extensions": {EXTENSION: {"connection": self}}}

    async def receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.stalls.wait()
        if self.is_lost:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {key.decode(): value.decode() for key, value in message["headers"]}
        else:
            self.bodies.append(message.get("body", b""))
            self.is_ended = not message.get("more_body", False)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition, timeout_seconds=5):
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: condition(self))


@asynccontextmanager
async def reading(tail):
    """The tail has caught up when the block begins, and reads until it ends."""
    task = asyncio.create_task(tail.run())
    await tail.caught_up.wait()
    yield
    task.cancel()
    await asyncio.wait([task])
