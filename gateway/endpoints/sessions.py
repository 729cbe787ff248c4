"""A session's live events, as a stream or by long poll, and its history."""

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gateway.admission.access import Caller
from gateway.admission.tickets import LEEWAY
from gateway.replay.subscriptions import NotYetError, Session
from gateway.state import Gateway, caller_of, gateway_of, stream_dependencies
from gateway.streaming.polling import poll
from gateway.streaming.stream import LIFETIME_SECONDS, EventStream
from gateway.web import bodies
from gateway.web.problems import unavailable
from gateway.web.responses import ended_stream, json_reply
from schemas.cursor import PageCursor
from schemas.http import History, HistoryMessage, HistoryPage, TicketIssued
from stores.postgres.chat_logs import ChatLog

MAX_POLL_SECONDS = 60
POLL_SECONDS = 25
NOT_YET_RETRY_MS = 2_000
MAX_PAGE = 100
PAGE = 50


async def events(request: Request) -> Response | EventStream:
    """GET /sessions/{session_id}/events: SSE, or with `Accept: application/json` the long-poll form."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    session = gateway.subscriptions.session(caller.client.client_id, bodies.session_id(request))
    caller.require_session(session.session_id)
    gateway.admission.streams.acquire(request, caller, session.session_id)
    accepted = request.headers.get("accept", "")
    if "application/json" in accepted and "text/event-stream" not in accepted:
        wait_seconds = 0 if request.method == "HEAD" else bodies.number(request, "wait", POLL_SECONDS, MAX_POLL_SECONDS)
        return await _poll(gateway, request, session, wait_seconds)
    last_event_id = request.headers.get("last-event-id", request.query_params.get("last_event_id"))
    try:
        start = await gateway.subscriptions.to_session(session, last_event_id)
    except NotYetError:
        return ended_stream(NOT_YET_RETRY_MS)
    return EventStream(stream_dependencies(gateway, caller.key_hash), session, start, seconds=_seconds(caller))


async def messages(request: Request) -> Response:
    """GET /sessions/{session_id}/messages: a page of what was said, oldest first."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    session = gateway.subscriptions.session(caller.client.client_id, bodies.session_id(request))
    caller.require_session(session.session_id)
    limit = max(1, bodies.number(request, "limit", PAGE, MAX_PAGE))
    before = bodies.parse({key: value for key, value in request.query_params.items() if value}, HistoryPage).before
    if isinstance(before, datetime):
        # What is older than a time is behind every row of that time.
        before = PageCursor(before, str(UUID(int=0)))
    rows = await gateway.chat_logs.page(session.client_id, session.session_id, before=before, limit=limit)
    page = History(
        messages=[_message(row) for row in reversed(rows)],
        next=str(PageCursor(rows[-1].requested_at, str(rows[-1].message_id))) if len(rows) == limit else None,
        ticket=gateway.admission.ownership.ticket_for(caller, session) if caller.ticket else None,
    )
    return json_reply(page)


async def renew_ticket(request: Request) -> Response:
    """POST /sessions/{session_id}/ticket: a new one for one that ends soon, or has ended in the last seven days."""
    gateway = gateway_of(request)
    caller = caller_of(request)
    session = gateway.subscriptions.session(caller.client.client_id, bodies.session_id(request))
    caller.require_session(session.session_id)
    assert caller.ticket is not None, "only a ticket is renewed"
    await gateway.admission.ownership.require_same_visitor(session, caller.ticket.visitor_id)
    encoded, ticket = gateway.admission.tickets.issue(
        session.client_id, session.session_id, caller.ticket.visitor_id, caller.key_hash
    )
    return json_reply(TicketIssued(ticket=encoded, expires_at=ticket.expires_at))


async def _poll(gateway: Gateway, request: Request, session: Session, wait_seconds: float) -> Response:
    try:
        start = await gateway.subscriptions.to_session(session, request.query_params.get("after"))
    except NotYetError as error:
        raise unavailable("An answer cannot be told in full right now: ask again in a moment.") from error
    return await poll(stream_dependencies(gateway, None), request, session, start, wait_seconds)


def _seconds(caller: Caller) -> float:
    """A visitor's stream ends with the ticket that opened it."""
    if caller.ticket is None:
        return LIFETIME_SECONDS[1]
    left_seconds = (caller.ticket.expires_at - datetime.now(UTC)).total_seconds()
    # One that another clock takes for good still is has no more than that.
    return left_seconds if left_seconds > 0 else left_seconds + LEEWAY.total_seconds()


def _message(row: ChatLog) -> HistoryMessage:
    return HistoryMessage(
        message_id=row.message_id,
        question=row.question,
        answer=row.answer,
        state=row.outcome,
        sources=row.sources,
        created_at=row.requested_at,
        rating=row.rating,
    )
