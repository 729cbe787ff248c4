"""What a visitor does with an answer: stop it, rate it."""

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gateway.admission.access import Caller, ticket_needed
from gateway.replay.subscriptions import Session
from gateway.state import Gateway, caller_of, gateway_of
from gateway.web import bodies
from gateway.web.problems import Problem
from gateway.web.responses import json_reply
from schemas.events import ChatCancelled, ChatFeedback
from schemas.http import CancelRequest, ChatAccepted, FeedbackRequest
from schemas.keys import SessionKey


async def cancel(request: Request) -> Response:
    """POST /chat/{message_id}/cancel. A message that has ended stays as it is."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    body = await bodies.read(request, CancelRequest)
    message_id = bodies.message_id(request)
    found = await _session_of(gateway, caller, message_id)
    if found is None and await _session_exists(gateway, caller, body.session_id):
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
    return json_reply(_accepted(gateway, caller, session, message_id), 202)


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
    return json_reply(_accepted(gateway, caller, session, message_id), 202)


async def _session_of(gateway: Gateway, caller: Caller, message_id: UUID) -> str | None:
    """The session that a message is known to belong to. Raises `Problem` 403, and `DATABASE_ERRORS`."""
    client_id, name = caller.client.client_id, str(message_id)
    if caller.kind == "publishable":
        raise ticket_needed()
    found = gateway.buffers.session_of(client_id, name) or gateway.questions.session_of(client_id, name)
    if found is None and (row := await gateway.chat_logs.get(client_id, message_id)) is not None:
        found = row.session_id
    return found


async def _session_exists(gateway: Gateway, caller: Caller, session_id: str | None) -> bool:
    """Whether a question may wait in this session that another gateway accepted."""
    if session_id is None:
        return False
    if caller.ticket is not None:
        return True
    buffer = gateway.buffers.get(SessionKey(caller.client.client_id, session_id))
    return bool(buffer) or await gateway.admission.ownership.is_known(caller.client.client_id, session_id)


def _found(gateway: Gateway, caller: Caller, session_id: str | None) -> Session:
    if session_id is None:
        raise Problem(404, "There is no such message. If it has not begun to be answered, send its sessionId along.")
    caller.require_session(session_id)
    return gateway.subscriptions.session(caller.client.client_id, session_id)


def _accepted(gateway: Gateway, caller: Caller, session: Session, message_id: UUID) -> ChatAccepted:
    ticket = gateway.admission.ownership.ticket_for(caller, session)
    return ChatAccepted(message_id=message_id, session_id=session.session_id, ticket=ticket)
