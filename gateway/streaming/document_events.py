"""A document's ingestion, told as it happens. A low rate, so sse-starlette writes these streams (design §5)."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import asdict

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

from gateway.streaming.progress_hub import ProgressHub
from gateway.streaming.stream import HEARTBEAT_SECONDS, LIFETIME_SECONDS, RETRY_MS
from gateway.web.drain import Drain
from gateway.web.metrics import OPEN_STREAMS, STREAMS_ENDED
from schemas.events import ENDED_STATUSES
from schemas.http import DocumentProgressView
from stores.database import DATABASE_ERRORS
from stores.documents import Document, Documents

# What the log did not say, Postgres does: a delete that nobody has carried out yet, say.
LOOK_SECONDS = 10.0
SEND_SECONDS = 5.0


class ProgressStream(EventSourceResponse):
    """`progress` until ingestion has ended, the stream's life has, or the drain begins. HEAD gets the headers."""

    def __init__(self, documents: Documents, hub: ProgressHub, drain: Drain, document: Document) -> None:
        super().__init__(
            progress_events(documents, hub, drain, document),
            headers={"cache-control": "no-cache, no-transform"},
            ping=random.uniform(*HEARTBEAT_SECONDS),
            sep="\n",
            send_timeout=SEND_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request; whoever does not read is cut off."""
        with OPEN_STREAMS.track_inprogress():
            try:
                await super().__call__(scope, receive, send)
            except SendTimeoutError:
                STREAMS_ENDED.labels("stalled").inc()


async def progress_events(
    documents: Documents, hub: ProgressHub, drain: Drain, document: Document
) -> AsyncIterator[ServerSentEvent]:
    """Where it stands, then whatever is new. Progress of one version never falls."""
    now = asyncio.get_running_loop().time
    ends_at = now() + random.uniform(*LIFETIME_SECONDS)
    with hub.watch(document.client_id, document.document_id) as watch:
        # Looked at again, for what came between the first look and the watch.
        told = await _look(documents, document) or view(document)
        yield _event(told, retry_ms=random.randint(*RETRY_MS))
        while told.status not in ENDED_STATUSES and not drain.is_on and now() < ends_at:
            progress = await watch.next(min(LOOK_SECONDS, max(0.0, ends_at - now())))
            if progress is None:
                found = await _look(documents, document)
            else:
                found = DocumentProgressView(id=document.document_id, **progress.model_dump(by_alias=False))
            if found is not None and is_news(found, told):
                told = found
                yield _event(told)


def view(document: Document) -> DocumentProgressView:
    """Where ingestion stands, by the row."""
    return DocumentProgressView(id=document.document_id, **asdict(document))


def is_news(found: DocumentProgressView, told: DocumentProgressView) -> bool:
    """Whether it goes on from what was told: nothing older, and no progress that falls when a run begins anew."""
    # The failure to delete what has no row is of version 0.
    if found == told or 0 < found.version < told.version:
        return False
    return found.version > told.version or found.status in ENDED_STATUSES or found.progress >= told.progress


async def _look(documents: Documents, document: Document) -> DocumentProgressView | None:
    try:
        row = await documents.get(document.client_id, document.document_id)
    except DATABASE_ERRORS:
        # The log goes on telling, and the next look may succeed.
        return None
    return view(row) if row else None


def _event(told: DocumentProgressView, retry_ms: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(told.model_dump_json(exclude_none=True), event="progress", retry=retry_ms)
