"""Recovers the client and the message or document of an unreadable record."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from schemas.bounds import MAX_QUESTION_CHARACTERS
from schemas.events import ChatRequested, DocumentUploaded, Event
from streams.codec import CLIENT_ID, Record, header
from streams.topics import Topic

UNREADABLE = "(unreadable)"


def salvage(topic: Topic, record: Record) -> Event | None:
    """An event with the record's ids and placeholders, so that its ending can be published.

    None when no client waits, an id is missing, or key, header and value differ: a forger must not write to another
    session.
    """
    fill = _FILLERS.get(topic.events[0])
    if fill is None or record.key is None or record.value is None:
        return None
    try:
        value = _object(record.value)
        key, client_id = record.key.decode(), (header(record, CLIENT_ID) or b"").decode()
        for name, known in (("clientId", client_id), (to_camel(topic.key), key)):
            if not known or value.get(name, known) != known:
                return None
        return fill(client_id, key, value)
    except (ValidationError, ValueError, RecursionError, TypeError):
        return None


def _object(value: bytes) -> dict[str, Any]:
    found = json.loads(value) if value.lstrip()[:1] == b"{" else {}
    return found if isinstance(found, dict) else {}


def _question(client_id: str, session_id: str, value: dict[str, Any]) -> Event:
    text = value.get("text")
    return ChatRequested(
        client_id=client_id,
        message_id=value.get("messageId"),
        session_id=session_id,
        text=text[:MAX_QUESTION_CHARACTERS] if isinstance(text, str) and text else UNREADABLE,
        requested_at=datetime.now(UTC),
    )


def _document(client_id: str, document_id: str, value: dict[str, Any]) -> Event:
    version = value.get("version")
    return DocumentUploaded(
        client_id=client_id,
        document_id=document_id,
        uri="",
        sha256="",
        media_type="",
        size_bytes=0,
        filename=UNREADABLE,
        title=UNREADABLE,
        version=version if isinstance(version, int) else 1,
        uploaded_at=datetime.now(UTC),
    )


_FILLERS: dict[type[Event], Callable[[str, str, dict[str, Any]], Event]] = {
    ChatRequested: _question,
    DocumentUploaded: _document,
}
