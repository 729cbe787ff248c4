"""Ask, cancel, rate."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gateway.admission.access import Caller, ticket_needed
from gateway.endpoints.ask import Asked, ask, ticket_for
from gateway.replay.answers import FoldedAnswer
from gateway.replay.subscriptions import Session
from gateway.state import Gateway, caller_of, gateway_of, stream_dependencies
from gateway.streaming.next_frame import next_frame
from gateway.streaming.stream import EventStream
from gateway.web import bodies
from gateway.web.prefer import preference
from gateway.web.problems import Problem
from gateway.web.responses import json_reply
from schemas.events import ChatCancelled, ChatFeedback, Source, Usage
from schemas.http import CancelRequest, ChatAccepted, ChatReply, FeedbackRequest
from schemas.keys import SessionKey

ROW_POLL_SECONDS = 0.5


async def chat(request: Request) -> Response:
    """POST /chat: the whole answer, or 202 when the caller would not wait for it."""
    gateway = gateway_of(request)
    wish = preference(request.headers.getlist("prefer"))
    asked = await ask(gateway, request, gateway.waiting if wish.wait_seconds else None)
    headers = {"preference-applied": wish.applied} if wish.applied else {}
    answer = await _ended(gateway, request, asked, wish.wait_seconds)
    if answer is None:
        events = f"/sessions/{quote(asked.session.session_id, safe='')}/events"
        return json_reply(asked.accepted(), 202, headers | {"location": events})
    return json_reply(_reply(asked, answer), 200, headers)


async def chat_stream(request: Request) -> EventStream:
    """POST /chat/stream: the answer as it is written."""
    gateway = gateway_of(request)
    asked = await ask(gateway, request, gateway.streams)
    return EventStream(
        stream_dependencies(gateway, asked.key_hash),
        asked.session,
        asked.start,
        accepted=asked.accepted().model_dump_json(exclude_none=True).encode(),
        message_id=asked.message_id,
    )


async def cancel(request: Request) -> Response:
    """POST /chat/{message_id}/cancel. A message that has ended stays as it is."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    body = await bodies.read(request, CancelRequest)
    message_id = bodies.message_id(request)
    found = await _session_of(gateway, caller, message_id)
    if found is None and await _is_there(gateway, caller, body.session_id):
        found = body.session_id
    session = _found(gateway, caller, found)
    await gateway.publisher.publish(
        ChatCancelled(
            client_id=session.client_id,
            message_id=message_id,
            session_id=session.session_id,
            cancelled_at=datetime.now(UTC),
        )
    )
    return json_reply(_told(gateway, caller, session, message_id), 202)


async def feedback(request: Request) -> Response:
    """POST /chat/{message_id}/feedback. The last thumb counts."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    body = await bodies.read(request, FeedbackRequest)
    message_id = bodies.message_id(request)
    session = _found(gateway, caller, await _session_of(gateway, caller, message_id))
    await gateway.publisher.publish(
        ChatFeedback(
            client_id=session.client_id,
            message_id=message_id,
            session_id=session.session_id,
            rating=body.rating,
            comment=body.comment,
            rated_at=datetime.now(UTC),
        )
    )
    return json_reply(_told(gateway, caller, session, message_id), 202)


async def _ended(gateway: Gateway, request: Request, asked: Asked, wait_seconds: float) -> FoldedAnswer | None:
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
            # A part of it was unreadable here, or is on a log that is gone: its row tells all, once it is written.
            if (row := await gateway.chat_logs.get(session.client_id, asked.message_id)) is not None:
                return FoldedAnswer.logged(row)
            look_at = asyncio.get_running_loop().time() + ROW_POLL_SECONDS
        if not await next_frame(gateway.buffers, session, request.receive, min(until, look_at)):
            return None
    return None


def _reply(asked: Asked, answer: FoldedAnswer) -> ChatReply:
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


async def _session_of(gateway: Gateway, caller: Caller, message_id: UUID) -> str | None:
    """The session that a message is known to belong to. Raises `Problem` 403, and `DATABASE_ERRORS`."""
    client_id, name = caller.client.client_id, str(message_id)
    if caller.kind == "publishable":
        raise ticket_needed()
    found = gateway.buffers.session_of(client_id, name) or gateway.questions.session_of(client_id, name)
    if found is None and (row := await gateway.chat_logs.get(client_id, message_id)) is not None:
        found = row.session_id
    return found


async def _is_there(gateway: Gateway, caller: Caller, session_id: str | None) -> bool:
    """Whether a question may wait in this session that another gateway accepted."""
    if session_id is None:
        return False
    if caller.ticket is not None:
        return True
    buffer = gateway.buffers.get(SessionKey(caller.client.client_id, session_id))
    return bool(buffer) or await gateway.sessions.find(caller.client.client_id, session_id) is not None


def _found(gateway: Gateway, caller: Caller, session_id: str | None) -> Session:
    if session_id is None:
        raise Problem(404, "There is no such message. If it has not begun to be answered, send its sessionId along.")
    caller.require_session(session_id)
    return gateway.subscriptions.session(caller.client.client_id, session_id)


def _told(gateway: Gateway, caller: Caller, session: Session, message_id: UUID) -> ChatAccepted:
    ticket = ticket_for(gateway, caller, session)
    return ChatAccepted(message_id=message_id, session_id=session.session_id, ticket=ticket)
