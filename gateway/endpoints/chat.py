"""Ask: POST /chat and POST /chat/stream. Subscribe first, then publish, so that no frame of the answer is missed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid7

from gateway.admission.access import Caller
from gateway.admission.concurrency import ConcurrencyLimit
from gateway.admission.shedding import overloaded
from gateway.endpoints.idempotency import read_question
from gateway.replay.answers import FoldedAnswer
from gateway.replay.subscriptions import NotYetError, Session, StreamStart, TakenError, WaitTooLongError
from gateway.state import Gateway, caller_of, gateway_of, stream_dependencies
from gateway.streaming.next_frame import next_frame
from gateway.streaming.stream import EventStream
from gateway.web.prefer import preference
from gateway.web.problems import Problem, unavailable
from gateway.web.responses import json_reply
from schemas.events import ChatRequested, Usage
from schemas.http import ChatAccepted, ChatReply, ChatRequest
from schemas.passages import Source
from stores.postgres.database import DATABASE_ERRORS
from streams.codec import CLIENT_TIER

ROW_POLL_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AcceptedQuestion:
    """A question that is on the log, or was before. `ticket` is for the caller, when one is due."""

    session: Session
    message_id: UUID
    start: StreamStart
    ticket: str | None
    key_hash: str | None

    def accepted(self) -> ChatAccepted:
        """The `accepted` body."""
        return ChatAccepted(message_id=self.message_id, session_id=self.session.session_id, ticket=self.ticket)


async def chat(request: Request) -> Response:
    """POST /chat: the whole answer, or 202 when the caller would not wait for it."""
    gateway = gateway_of(request)
    preferred = preference(request.headers.getlist("prefer"))
    asked = await _ask(gateway, request, gateway.admission.waiting if preferred.wait_seconds else None)
    headers = {"preference-applied": preferred.applied} if preferred.applied else {}
    answer = await _ended(gateway, request, asked, preferred.wait_seconds)
    if answer is None:
        events = f"/sessions/{quote(asked.session.session_id, safe='')}/events"
        return json_reply(asked.accepted(), 202, headers | {"location": events})
    return json_reply(_reply(asked, answer), 200, headers)


async def chat_stream(request: Request) -> EventStream:
    """POST /chat/stream: the answer as it is written."""
    gateway = gateway_of(request)
    asked = await _ask(gateway, request, gateway.admission.streams)
    return EventStream(
        stream_dependencies(gateway, asked.key_hash),
        asked.session,
        asked.start,
        accepted=asked.accepted().model_dump_json(exclude_none=True).encode(),
        message_id=asked.message_id,
    )


async def _ask(gateway: Gateway, request: Request, limit: ConcurrencyLimit | None) -> AcceptedQuestion:
    """Accept the question of a request; one with a known `messageId` is not published again. Raises `Problem`.

    `limit` is acquired for as long as the request lasts, before anything is published.
    """
    caller = caller_of(request)
    question = await read_question(request, caller, gateway.admission.tickets)
    body = question.body
    session = gateway.subscriptions.session(caller.client.client_id, body.session_id or str(uuid7()))
    message_id = body.message_id or uuid7()
    await gateway.admission.ownership.open(caller, session, message_id, is_named=question.names_session)
    last_event_id = request.headers.get("last-event-id")
    known = await _known(gateway, session, message_id, last_event_id) if body.message_id else None
    if limit is not None:
        limit.acquire(request, caller, session.session_id)
    start = known or await _publish(gateway, caller, session, message_id, body)
    return AcceptedQuestion(
        session, message_id, start, gateway.admission.ownership.ticket_for(caller, session), caller.key_hash
    )


async def _known(gateway: Gateway, session: Session, message_id: UUID, last_event_id: str | None) -> StreamStart | None:
    try:
        return await gateway.subscriptions.to_message(session, message_id, last_event_id)
    except TakenError as error:
        raise _message_taken() from error
    except NotYetError as error:
        raise unavailable("This answer cannot be sent in full right now: ask again in a moment.") from error
    except DATABASE_ERRORS as error:
        # Asking once more is harmless: a message that is answered again shows one answer and has one row
        # (`handlers.answering.lease`).
        log.warning("asked_without_history", error=repr(error))
        return None


def _message_taken() -> Problem:
    """The refusal of a message's id that another session has used."""
    return Problem(
        409, "A message with this id was asked in another session: make a new messageId.", slug="message-id-taken"
    )


async def _publish(
    gateway: Gateway, caller: Caller, session: Session, message_id: UUID, body: ChatRequest
) -> StreamStart:
    if gateway.topic_watch.missing_vital:
        # Without the topic no answer comes.
        raise unavailable("Questions cannot be answered right now: send this again with the same messageId.")
    question = ChatRequested(
        client_id=session.client_id,
        message_id=message_id,
        session_id=session.session_id,
        widget_id=body.widget_id,
        text=body.message,
        locale=body.locale,
        page_url=body.context.url if body.context else None,
        requested_at=datetime.now(UTC),
    )
    tier = caller.client.tier
    try:
        start = gateway.subscriptions.to_question(session, message_id, tier)
    except WaitTooLongError as error:
        raise overloaded(error.estimate) from error
    await gateway.publisher.publish(question, headers=[(CLIENT_TIER, tier.encode())])
    return start


async def _ended(
    gateway: Gateway, request: Request, asked: AcceptedQuestion, wait_seconds: float
) -> FoldedAnswer | None:
    """The answer once it has ended; None when the time is up, the caller gone, or the process about to go."""
    session, name = asked.session, str(asked.message_id)
    until = asyncio.get_running_loop().time() + wait_seconds
    for answer in asked.start.answers:
        if answer.state != "running":
            return answer
    while asyncio.get_running_loop().time() < until and not gateway.drain.is_on:
        session = gateway.subscriptions.session(session.client_id, session.session_id)
        buffer = gateway.buffers.get(session.key)
        progress = buffer.progress.get(name) if buffer else None
        look_at = until
        is_ended = buffer is not None and progress is not None and not progress.is_running
        if buffer is not None and progress is not None and is_ended and progress.is_whole:
            return buffer.answer(name)
        if is_ended or session.incarnation != asked.session.incarnation:
            # A part of it was unreadable here, or was on a deleted topic: read its row, once that is written.
            if (row := await gateway.chat_logs.get(session.client_id, asked.message_id)) is not None:
                return FoldedAnswer.logged(row)
            look_at = asyncio.get_running_loop().time() + ROW_POLL_SECONDS
        if not await next_frame(gateway.buffers, session, request.receive, min(until, look_at)):
            return None
    return None


def _reply(asked: AcceptedQuestion, answer: FoldedAnswer) -> ChatReply:
    if answer.state == "failed":
        raise Problem(502, answer.ending.get("message", "The answer failed: ask again."))
    return ChatReply(
        **asked.accepted().model_dump(by_alias=False),
        reply=answer.text,
        sources=[Source.model_validate(source) for source in answer.sources],
        usage=Usage.model_validate(answer.ending.get("usage", {})),
        model=answer.model,
        finish_reason=answer.ending.get("finishReason", "cancelled"),
    )
