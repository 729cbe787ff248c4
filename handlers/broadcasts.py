"""Events that every worker reads as soon as they are on the log, whichever worker handles them in their turn."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import structlog

from handlers.answering.cancellations import Cancellations
from handlers.ingestion.handler import Ingestion
from schemas.events import ChatCancelled, DocumentDeleted, Event
from schemas.failures import PermanentError, RetryableError
from schemas.settings import Settings
from streams import topics
from streams.codec import Record, UndecodableError, decode
from streams.consuming.runtime import Runtime
from streams.reading.reader import LogReader
from streams.topics import Topic

log = structlog.get_logger()

CANCELS_SINCE = timedelta(minutes=5)
FROM_NOW = timedelta(0)


async def read_cancels(settings: Settings, cancellations: Cancellations, runtime: Runtime) -> None:
    """Stops an answer that runs here, and ends the wait of one that is to be tried again."""
    async for event in _events(settings, topics.CHAT_CANCELLED, CANCELS_SINCE):
        if isinstance(event, ChatCancelled):
            cancellations.cancel(event.client_id, event.message_id)
            runtime.retry_now(topics.CHAT_REQUESTED, partial(_is_cancelled, event))


async def read_deletes(settings: Settings, ingestion: Ingestion) -> None:
    """Hides a deleted document at once: its delete may have to wait for the documents before it."""
    async for event in _events(settings, topics.DOCUMENT_UPLOADED, FROM_NOW):
        if isinstance(event, DocumentDeleted):
            try:
                await ingestion.hide(event)
            except (RetryableError, PermanentError) as error:
                log.warning("delete_hidden_later", document_id=event.document_id, error=str(error))


async def _events(settings: Settings, topic: Topic, since: timedelta) -> AsyncIterator[Event]:
    async with LogReader(settings, topic) as reader:
        await reader.seek(since)
        async for batch in reader.batches():
            for record in batch:
                try:
                    event = decode(topic, record)
                except UndecodableError as error:
                    log.warning("event_undecodable", topic=topic.name, offset=record.offset, error=str(error))
                    continue
                yield event


def _is_cancelled(cancelled: ChatCancelled, record: Record) -> bool:
    """Whether a record of `chat.requested` may be the cancelled question, by its key and bytes, without decoding."""
    return record.key == cancelled.session_id.encode() and str(cancelled.message_id).encode() in (record.value or b"")
