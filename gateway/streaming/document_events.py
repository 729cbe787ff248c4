"""The SSE stream of a document's ingestion progress. Its rate is low, so sse-starlette writes it."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import asdict

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

from gateway.streaming.progress_hub import ProgressHub
from gateway.streaming.stream import LIFETIME_SECONDS
from gateway.streaming.timing import StreamTiming
from gateway.web.drain import Drain
from gateway.web.metrics import OPEN_STREAMS, STREAMS_ENDED
from schemas.events import ENDED_STATUSES
from schemas.http import DocumentProgressView
from stores.postgres.database import DATABASE_ERRORS
from stores.postgres.documents import Document, Documents

SEND_SECONDS = 5.0


class ProgressStream(EventSourceResponse):
    """Sends `progress` until ingestion or the stream's lifetime ends, or the drain begins. HEAD gets the headers."""

    def __init__(
        self, documents: Documents, hub: ProgressHub, drain: Drain, timing: StreamTiming, document: Document
    ) -> None:
        super().__init__(
            progress_events(documents, hub, drain, timing, document),
            headers={"cache-control": "no-cache, no-transform"},
            ping=random.uniform(*timing.heartbeat_seconds),
            sep="\n",
            send_timeout=SEND_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request; a client that does not read is disconnected."""
        with OPEN_STREAMS.track_inprogress():
            try:
                await super().__call__(scope, receive, send)
            except SendTimeoutError:
                STREAMS_ENDED.labels("stalled").inc()


async def progress_events(
    documents: Documents, hub: ProgressHub, drain: Drain, timing: StreamTiming, document: Document
) -> AsyncIterator[ServerSentEvent]:
    """The current status, then each later one. Progress of one version never falls."""
    now = asyncio.get_running_loop().time
    ends_at = now() + random.uniform(*LIFETIME_SECONDS)
    with hub.watch(document.client_id, document.document_id) as watch:
        # Read again, for changes between the first read and the watch.
        sent = await _read_view(documents, document) or view(document)
        yield _event(sent, retry_ms=random.randint(*timing.retry_ms))
        while sent.status not in ENDED_STATUSES and not drain.is_on and now() < ends_at:
            progress = await watch.next(min(timing.document_poll_seconds, max(0.0, ends_at - now())))
            if progress is None:
                found = await _read_view(documents, document)
            else:
                found = DocumentProgressView(id=document.document_id, **progress.model_dump(by_alias=False))
            if found is not None and is_progress(found, sent):
                sent = found
                yield _event(sent)


def view(document: Document) -> DocumentProgressView:
    """The ingestion status of the row."""
    return DocumentProgressView(id=document.document_id, **asdict(document))


async def view_in_line(documents: Documents, document: Document) -> DocumentProgressView:
    """The ingestion status of the row, and while it waits its place in line. Raises one of `DATABASE_ERRORS`."""
    if document.status != "pending":
        return view(document)
    ahead = await documents.ahead_of(document.client_id, document.document_id)
    return view(document).model_copy(update={"ahead": ahead})


def is_progress(found: DocumentProgressView, sent: DocumentProgressView) -> bool:
    """Whether `found` may follow `sent`: no older version, and no lower progress, as after a restart of ingestion."""
    # A failed delete of a document without a row has version 0.
    if found == sent or 0 < found.version < sent.version:
        return False
    return found.version > sent.version or found.status in ENDED_STATUSES or found.progress >= sent.progress


async def _read_view(documents: Documents, document: Document) -> DocumentProgressView | None:
    """The status now, None while Postgres is away or when there is no row."""
    try:
        row = await documents.get(document.client_id, document.document_id)
        return await view_in_line(documents, row) if row else None
    except DATABASE_ERRORS:
        # Events on the log still arrive, and the next read may succeed.
        return None


def _event(sent: DocumentProgressView, retry_ms: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(sent.model_dump_json(exclude_none=True), event="progress", retry=retry_ms)
