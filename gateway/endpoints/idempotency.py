"""Reads a question and its ids. A repeated POST finds the message of the first one by its `Idempotency-Key`
(draft-ietf-httpapi-idempotency-key-header).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.tickets import Tickets
from gateway.web import bodies
from gateway.web.problems import Problem
from schemas.http import ChatRequest

MAX_KEY_CHARACTERS = 255

# A string of RFC 9651, or the bare key that most clients send.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_BARE = re.compile(r'[^"\\]+')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class PostedQuestion:
    """The body of a question with its ids; `names_session`: the request itself named the session."""

    body: ChatRequest
    names_session: bool


async def read_question(request: Request, caller: Caller, tickets: Tickets) -> PostedQuestion:
    """Raises `Problem`, as `bodies.read` and `identified` do."""
    posted = await bodies.read(request, ChatRequest)
    body = identified(posted, request.headers.getlist("idempotency-key"), caller, tickets)
    return PostedQuestion(body, names_session=posted.session_id is not None)


def identified(body: ChatRequest, headers: Sequence[str], caller: Caller, tickets: Tickets) -> ChatRequest:
    """The body with the ids that the `Idempotency-Key` headers, the ticket and the message's id stand for.

    A POST that opens a session and is repeated finds it again by its message's id alone, at every gateway: the
    session's id follows from it, differently for pages and for servers, and others cannot guess it. Raises `Problem`
    422.
    """
    client_id, message_id = caller.client.client_id, body.message_id
    session_id = body.session_id or (caller.ticket.session_id if caller.ticket else None)
    if headers:
        key = idempotency_key(headers)
        number = _uuid(key)
        if caller.kind == "publishable" and number is None:
            # A first message id opens its session: pages that count from 1 would share one.
            raise Problem(422, "A page's Idempotency-Key must be a UUID, made anew for each question.")
        if message_id is not None and number not in (None, message_id):
            raise Problem(
                422, "Idempotency-Key and messageId name two messages: send one of them, or the same in both."
            )
        message_id = message_id or number or tickets.name("message", client_id, session_id or "", key)
    if session_id is None and message_id is not None:
        kind = "visitor" if caller.is_visitor else "server"
        session_id = str(tickets.name("session", client_id, kind, str(message_id)))
    return body.model_copy(update={"session_id": session_id, "message_id": message_id})


def idempotency_key(headers: Sequence[str]) -> str:
    """The key in the header, without quotes. Raises `Problem` 422."""
    text = bodies.clean(headers[0]).strip()
    if quoted := _QUOTED.fullmatch(text):
        text = _ESCAPED.sub(r"\1", quoted[1])
    elif not _BARE.fullmatch(text):
        text = ""
    if len(headers) > 1 or not 0 < len(text) <= MAX_KEY_CHARACTERS:
        raise Problem(422, f"Send one Idempotency-Key of 1 to {MAX_KEY_CHARACTERS} characters, plain or in quotes.")
    return text


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
