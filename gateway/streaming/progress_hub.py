"""Passes records of `document.progress` to the streams that watch a document. One reader for the whole process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta

import structlog

from gateway.web.background import background
from gateway.web.drain import Drain
from schemas.events import DocumentProgress
from schemas.settings import Settings
from streams.codec import Record, UndecodableError, decode
from streams.reading.reader import LogReader
from streams.topics import DOCUMENT_PROGRESS

log = structlog.get_logger()


class ProgressWatch:
    """One stream's view of one document. Keeps the latest record only: each holds the complete status."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._latest: DocumentProgress | None = None
        self._woken = asyncio.Event()

    def notify(self, progress: DocumentProgress | None) -> None:
        """Wake the stream, with a new record or without."""
        self._latest = progress or self._latest
        self._woken.set()

    async def next(self, seconds: float) -> DocumentProgress | None:
        """The new record. None when woken without one, or after this many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
        latest, self._latest = self._latest, None
        return latest


class ProgressHub:
    """Passes each record to the watches of its document that belong to its client."""

    def __init__(self) -> None:
        self._watches: dict[str, set[ProgressWatch]] = {}

    def __len__(self) -> int:
        """How many documents are watched."""
        return len(self._watches)

    @contextmanager
    def watch(self, client_id: str, document_id: str) -> Iterator[ProgressWatch]:
        """A watch that receives every record of the document from now on."""
        watch = ProgressWatch(client_id)
        watches = self._watches.setdefault(document_id, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches and self._watches.get(document_id) is watches:
                del self._watches[document_id]

    def dispatch(self, record: Record) -> None:
        """Pass a record to its watches; an unreadable one is logged and skipped."""
        watches = self._watches.get((record.key or b"").decode(errors="replace"))
        if not watches:
            return
        try:
            progress = decode(DOCUMENT_PROGRESS, record)
        except UndecodableError as error:
            log.warning("progress_unreadable", partition=record.partition, offset=record.offset, error=str(error))
            return
        assert isinstance(progress, DocumentProgress)
        for watch in watches:
            if watch.client_id == progress.client_id:
                watch.notify(progress)

    def wake_all(self) -> None:
        """Wake every stream, so that it checks whether it must end."""
        for watches in self._watches.values():
            for watch in watches:
                watch.notify(None)


@asynccontextmanager
async def open_progress_hub(settings: Settings, drain: Drain) -> AsyncIterator[ProgressHub]:
    """A hub that reads new records while open. When reading fails for good, that is logged and the process drains."""
    hub = ProgressHub()
    drain.on_begin(hub.wake_all)
    async with LogReader(settings, DOCUMENT_PROGRESS) as reader:
        await reader.seek(timedelta(0))
        async with background("progress_hub", _dispatch_all(reader, hub), drain):
            yield hub


async def _dispatch_all(reader: LogReader, hub: ProgressHub) -> None:
    async for batch in reader.batches():
        for record in batch:
            hub.dispatch(record)
