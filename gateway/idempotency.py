"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a repeated POST finds the first one's message."""

import re
from collections.abc import Sequence
from uuid import UUID

from gateway.access import Caller
from gateway.bodies import clean
from gateway.problems import Problem
from gateway.tickets import Tickets
from schemas.http import ChatRequest

MAX_KEY_CHARACTERS = 255

# A string of RFC 9651, or the bare key that most clients send.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_BARE = re.compile(r'[^"\\]+')
_ESCAPED = re.compile(r"\\(.)")


def identified(body: ChatRequest, headers: Sequence[str], caller: Caller, tickets: Tickets) -> ChatRequest:
    """The body with the ids that the `Idempotency-Key` headers stand for; without any as it is.

    A POST that opens a session has no name for it yet, so its key names the session too. Raises `Problem` 422.
    """
    if not headers:
        return body
    key = _key(headers)
    number = _uuid(key)
    if caller.kind == "publishable" and number is None:
        # Whoever names a message of a session is let in: pages that count from 1 would meet in each other's sessions.
        raise Problem(422, "A page's Idempotency-Key must be a UUID, made anew for each question.")
    if body.message_id is not None and number not in (None, body.message_id):
        raise Problem(422, "Idempotency-Key and messageId name two messages: send one of them, or the same in both.")
    client_id = caller.client.client_id
    session_id = body.session_id or str(tickets.name("session", client_id, key))
    message_id = body.message_id or number or tickets.name("message", client_id, session_id, key)
    return body.model_copy(update={"session_id": session_id, "message_id": message_id})


def _key(headers: Sequence[str]) -> str:
    text = clean(headers[0]).strip()
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
