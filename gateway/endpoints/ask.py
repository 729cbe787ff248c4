"""From a POST to a question on the log: attach first, then publish, so that no frame of the answer can be missed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from starlette.requests import Request
from uuid_utils.compat import uuid7

from gateway.admission.access import Caller
from gateway.admission.concurrency import ConcurrencyLimit
from gateway.admission.shedding import overloaded
from gateway.endpoints.idempotency import identified
from gateway.replay.subscriptions import NotYetError, Session, StreamStart, TakenError
from gateway.state import Gateway, caller_of
from gateway.web import bodies
from gateway.web.problems import Problem, unavailable
from schemas.events import ChatRequested
from schemas.http import ChatAccepted, ChatRequest
from stores.database import DATABASE_ERRORS
from streams.codec import CLIENT_TIER

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is on the log, or was before. `ticket` is for the caller, when one is due."""

    session: Session
    message_id: UUID
    start: StreamStart
    ticket: str | None
    key_hash: str | None

    def accepted(self) -> ChatAccepted:
        """What the caller is told."""
        return ChatAccepted(message_id=self.message_id, session_id=self.session.session_id, ticket=self.ticket)


async def ask(gateway: Gateway, request: Request, limit: ConcurrencyLimit | None) -> Asked:
    """Accept the question of a request. A known `messageId` is attached to and not asked again. Raises `Problem`.

    `places`: where the request needs one for as long as it lasts; it is taken before anything is asked.
    """
    caller = caller_of(request)
    posted = await bodies.read(request, ChatRequest)
    body = identified(posted, request.headers.getlist("idempotency-key"), caller, gateway.tickets)
    session = gateway.subscriptions.session(caller.client.client_id, body.session_id or str(uuid7()))
    message_id = body.message_id or uuid7()
    await gateway.ownership.open(caller, session, message_id, is_named=posted.session_id is not None)
    last_event_id = request.headers.get("last-event-id")
    known = await _known(gateway, session, message_id, last_event_id) if body.message_id else None
    if limit is not None:
        limit.acquire(request, caller, session.session_id)
    start = known or gateway.subscriptions.now(session)
    if known is None:
        _refuse_unheard(gateway)
        _refuse_hopeless(gateway, caller)
        await _publish(gateway, caller, session, message_id, body)
    return Asked(session, message_id, start, ticket_for(gateway, caller, session), caller.key_hash)


def _refuse_unheard(gateway: Gateway) -> None:
    # Its answer would come when somebody has made the topic anew, or never.
    if gateway.topic_watch.missing_vital:
        raise unavailable("Questions cannot be answered right now: send this again with the same messageId.")


def _refuse_hopeless(gateway: Gateway, caller: Caller) -> None:
    estimate = gateway.questions.refusal(caller.client.tier, caller.client.client_id)
    if estimate is not None:
        raise overloaded(estimate)


def ticket_for(gateway: Gateway, caller: Caller, session: Session) -> str | None:
    """A ticket for a visitor who has none, or whose own is in its second half."""
    if caller.kind == "publishable":
        visitor_id = gateway.ownership.visitor(session)
    elif caller.ticket is not None and caller.ticket.is_due:
        visitor_id = caller.ticket.visitor_id
    else:
        return None
    return gateway.tickets.issue(session.client_id, session.session_id, visitor_id, caller.key_hash)[0]


async def _known(gateway: Gateway, session: Session, message_id: UUID, last_event_id: str | None) -> StreamStart | None:
    if gateway.questions.session_of(session.client_id, str(message_id)) not in (None, session.session_id):
        raise message_taken()
    try:
        return await gateway.subscriptions.to_message(session, message_id, last_event_id)
    except TakenError as error:
        raise message_taken() from error
    except NotYetError as error:
        raise unavailable("This answer cannot be told in full right now: ask again in a moment.") from error
    except DATABASE_ERRORS as error:
        # Asking once more is harmless: a message that is answered again shows one answer and has one row
        # (`handlers.answering.lease`).
        log.warning("asked_without_history", error=repr(error))
        return None


def message_taken() -> Problem:
    """The refusal of a message's id that another session has used."""
    return Problem(
        409, "A message with this id was asked in another session: make a new messageId.", slug="message-id-taken"
    )


async def _publish(gateway: Gateway, caller: Caller, session: Session, message_id: UUID, body: ChatRequest) -> None:
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
    gateway.questions.accept(tier, session.client_id, str(message_id), session.session_id)
    if buffer := gateway.buffers.get(session.key):
        # Its streams shall tell how long the wait is.
        buffer.wake()
    await gateway.publisher.publish(question, headers=[(CLIENT_TIER, tier.encode())])
