"""How a stream starts: what a client with a given `Last-Event-ID` must be sent before the live frames."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog

from gateway.replay.answers import FoldedAnswer
from gateway.replay.buffer import ReplayBuffer
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.resume import SendDeltas, SendSnapshots, decide
from gateway.replay.tail import Tail
from gateway.replay.waiting_lines import WaitEstimate
from schemas.cursor import PageCursor
from schemas.events import Tier
from schemas.keys import SessionKey
from stores.postgres.chat_logs import ChatLog
from stores.postgres.database import DATABASE_ERRORS

SNAPSHOT_MESSAGES = 20
HISTORY_SECONDS = 2.0

log = structlog.get_logger()


class NotYetError(Exception):
    """An answer is incomplete here, and Postgres does not have it or is unavailable: the client should retry, here or
    on another instance.
    """


class TakenError(Exception):
    """The message belongs to another session of the client."""


class WaitTooLongError(Exception):
    """The answer would come too late: the client should ask again after the estimated wait."""

    def __init__(self, estimate: WaitEstimate) -> None:
        super().__init__(f"the wait is {estimate.wait_seconds:.0f} s")
        self.estimate = estimate


class AnswerHistory(Protocol):
    """What `Subscriptions` needs of `stores.postgres.chat_logs.ChatLogs`."""

    async def get(self, client_id: str, message_id: UUID) -> ChatLog | None:
        """The ended answer, or None."""
        ...

    async def page(self, client_id: str, session_id: str, *, before: PageCursor | None, limit: int) -> list[ChatLog]:
        """The session's ended answers, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a client, and the partition of its records in one incarnation of the log (`Tail`)."""

    client_id: str
    session_id: str
    partition: int
    incarnation: int

    @property
    def key(self) -> SessionKey:
        """Its key in `ReplayBuffers`."""
        return SessionKey(self.client_id, self.session_id)


@dataclass(frozen=True, slots=True)
class StreamStart:
    """Send these answers as snapshots, then every frame after `cursor`."""

    cursor: int
    answers: tuple[FoldedAnswer, ...] = ()


class Subscriptions:
    """Combines buffered answers with stored ones. Never waits for an answer's progress, and for the database at most
    `history_seconds` a query.
    """

    def __init__(
        self,
        tail: Tail,
        buffers: ReplayBuffers,
        questions: PendingQuestions,
        history: AnswerHistory,
        *,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        self._tail = tail
        self._buffers = buffers
        self._questions = questions
        self._history = history
        self._history_seconds = history_seconds

    def session(self, client_id: str, session_id: str) -> Session:
        """The session; it need not exist."""
        return Session(client_id, session_id, self._tail.partition(session_id), self._tail.incarnation)

    def to_question(self, session: Session, message_id: UUID, tier: Tier) -> StreamStart:
        """The start of a stream of a new question's answer. Call it before the question is published: then no frame of
        the answer is missed. Adds the question to the pending ones. Raises `WaitTooLongError`.
        """
        estimate = self._questions.refusal(tier, session.client_id)
        if estimate is not None:
            raise WaitTooLongError(estimate)
        self._questions.accept(tier, session.client_id, str(message_id), session.session_id)
        if buffer := self._buffers.get(session.key):
            # The session's open streams must send the estimated wait.
            buffer.wake()
        return StreamStart(self._tail.position(session.partition))

    async def to_session(self, session: Session, last_event_id: str | None) -> StreamStart:
        """The start of a stream of all answers of a session. Raises `NotYetError`.

        While Postgres is unavailable, a client without an id gets what is buffered; answers that ended earlier are in
        the session's history, once that can be read again.
        """
        decision = decide(last_event_id, self._tail.stream_position(session.key, session.partition))
        if isinstance(decision, SendDeltas):
            return StreamStart(decision.cursor)
        try:
            rows = await self._page(session, SNAPSHOT_MESSAGES)
            rows += await self._older(session, rows)
        except DATABASE_ERRORS as error:
            log.warning("history_unavailable", error=repr(error))
            if last_event_id:
                # The client may have part of an answer whose rest only Postgres has: a newer id would skip it.
                raise NotYetError from error
            rows = []
        return self._with_snapshots(session, reversed(rows), None)

    async def to_message(self, session: Session, message_id: UUID, last_event_id: str | None) -> StreamStart | None:
        """The start of a stream of one answer; None: the message is unknown. Raises `NotYetError`; `DATABASE_ERRORS`
        when only Postgres could know the message; `TakenError` for a message of another session.
        """
        name = str(message_id)
        for known in (self._questions, self._buffers):
            if known.session_of(session.client_id, name) not in (None, session.session_id):
                raise TakenError
        decision = decide(last_event_id, self._tail.stream_position(session.key, session.partition))
        if isinstance(decision, SendDeltas) and self._has_more(session, name, decision.cursor):
            return StreamStart(decision.cursor)
        buffer = self._buffers.get(session.key)
        try:
            rows = [] if _is_whole(buffer, name) else await self._row(session, message_id)
        except DATABASE_ERRORS as error:
            has_part = bool(last_event_id) and isinstance(decision, SendSnapshots)
            if has_part or (buffer is not None and buffer.knows(name)):
                raise NotYetError from error
            raise
        start = self._with_snapshots(session, rows, name)
        return start if start.answers else None

    def has_answers(self, session: Session) -> bool:
        """Whether any answer of this session is buffered."""
        buffer = self._buffers.get(session.key)
        return buffer is not None and bool(buffer.progress)

    def holds(self, session: Session, message_id: UUID) -> bool:
        """Whether the answer to this message of this session is buffered."""
        return self._buffers.session_of(session.client_id, str(message_id)) == session.session_id

    async def _page(self, session: Session, limit: int) -> list[ChatLog]:
        async with asyncio.timeout(self._history_seconds):
            return await self._history.page(session.client_id, session.session_id, before=None, limit=limit)

    async def _older(self, session: Session, page: list[ChatLog]) -> list[ChatLog]:
        """The stored answers that are incomplete in the buffer and older than the page."""
        known = {str(row.message_id) for row in page}
        wanted = [buffered.message_id for buffered in self._buffers.answers(session.key) if not buffered.is_whole]
        found = []
        for message_id in [name for name in wanted if name not in known][:SNAPSHOT_MESSAGES]:
            found += await self._row(session, UUID(message_id))
        return found

    async def _row(self, session: Session, message_id: UUID) -> list[ChatLog]:
        async with asyncio.timeout(self._history_seconds):
            row = await self._history.get(session.client_id, message_id)
        if row is not None and row.session_id != session.session_id:
            raise TakenError
        return [row] if row is not None else []

    def _with_snapshots(self, session: Session, rows: Iterable[ChatLog], message_id: str | None) -> StreamStart:
        # No await between reading the buffers and taking the cursor: there is no gap and no overlap.
        answers = {str(row.message_id): FoldedAnswer.logged(row) for row in rows}
        for buffered in self._buffers.answers(session.key):
            if message_id is not None and buffered.message_id != message_id:
                continue
            if buffered.is_whole:
                answers[buffered.message_id] = buffered
            elif buffered.message_id not in answers:
                raise NotYetError
        return StreamStart(self._tail.position(session.partition), tuple(answers.values()))

    def _has_more(self, session: Session, message_id: str, cursor: int) -> bool:
        buffer = self._buffers.get(session.key)
        progress = buffer.progress.get(message_id) if buffer else None
        if buffer is None or progress is None:
            return False
        return progress.is_running or bool(buffer.after(cursor, message_id))


def _is_whole(buffer: ReplayBuffer | None, message_id: str) -> bool:
    progress = buffer.progress.get(message_id) if buffer else None
    return progress is not None and progress.is_whole
