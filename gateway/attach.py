"""How a stream begins: what a client that comes with this id has to be sent before the live frames."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.answers import Answer
from gateway.resume import Deltas, decide
from gateway.ring import RingKey
from gateway.rings import Rings
from gateway.tail import Tail
from stores.chat_logs import ChatLog

SNAPSHOT_MESSAGES = 20


class NotYetError(Exception):
    """An answer runs whose beginning this instance never saw: come back in a moment, or to another instance."""


class History(Protocol):
    """What we need of `stores.chat_logs.ChatLogs`."""

    async def get(self, client_id: str, message_id: UUID) -> ChatLog | None:
        """The ended answer, or None."""
        ...

    async def page(self, client_id: str, session_id: str, *, before: datetime | None, limit: int) -> list[ChatLog]:
        """The session's ended answers, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a client, and the partition that its records are in."""

    client_id: str
    session_id: str
    partition: int

    @property
    def key(self) -> RingKey:
        """Its name in the rings."""
        return self.client_id.encode(), self.session_id.encode()


@dataclass(frozen=True, slots=True)
class Attached:
    """Send these answers as snapshots, then every frame after `cursor`."""

    cursor: int
    answers: tuple[Answer, ...] = ()


class Attachments:
    """Joins what the rings hold with what the database remembers. Reads, never waits for an answer."""

    def __init__(self, tail: Tail, rings: Rings, history: History) -> None:
        self._tail = tail
        self._rings = rings
        self._history = history

    def session(self, client_id: str, session_id: str) -> Session:
        """The session; it need not exist."""
        return Session(client_id, session_id, self._tail.partition(session_id))

    def now(self, session: Session) -> Attached:
        """From here on: take it before a question is published, and no frame of its answer can be missed."""
        return Attached(self._tail.position(session.partition))

    async def to_session(self, session: Session, last_event_id: str | None) -> Attached:
        """To everything of a session. Raises `NotYetError`."""
        decision = decide(last_event_id, self._tail.place(session.key, session.partition))
        if isinstance(decision, Deltas):
            return Attached(decision.cursor)
        rows = await self._history.page(session.client_id, session.session_id, before=None, limit=SNAPSHOT_MESSAGES)
        return self._replaced(session, reversed(rows), None)

    async def to_message(self, session: Session, message_id: UUID, last_event_id: str | None) -> Attached | None:
        """To one answer of a session; None: nothing is known of it here. Raises `NotYetError`."""
        name = str(message_id)
        decision = decide(last_event_id, self._tail.place(session.key, session.partition))
        if isinstance(decision, Deltas) and self._has_news(session, name, decision.cursor):
            return Attached(decision.cursor)
        row = await self._history.get(session.client_id, message_id)
        rows = [row] if row is not None and row.session_id == session.session_id else []
        attached = self._replaced(session, rows, name)
        return attached if attached.answers else None

    async def has_messages(self, session: Session) -> bool:
        """Whether anything was said in it."""
        ring = self._rings.get(session.key)
        if ring is not None and ring.progress:
            return True
        return bool(await self._history.page(session.client_id, session.session_id, before=None, limit=1))

    def _replaced(self, session: Session, rows: Iterable[ChatLog], message_id: str | None) -> Attached:
        # No await between reading the rings and taking the cursor: there is no gap and no overlap.
        answers = {str(row.message_id): Answer.logged(row) for row in rows}
        for held in self._rings.answers(session.key):
            if message_id is not None and held.message_id != message_id:
                continue
            if held.is_whole:
                answers[held.message_id] = held
            elif held.message_id not in answers:
                raise NotYetError
        return Attached(self._tail.position(session.partition), tuple(answers.values()))

    def _has_news(self, session: Session, message_id: str, cursor: int) -> bool:
        ring = self._rings.get(session.key)
        progress = ring.progress.get(message_id) if ring else None
        if ring is None or progress is None:
            return False
        return progress.is_running or bool(ring.after(cursor, message_id))
