"""What `document.progress` says of the documents that somebody watches. One reader for the whole process."""

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
    """One stream's view of one document: the latest news only, for each piece says everything."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._latest: DocumentProgress | None = None
        self._rung = asyncio.Event()

    def tell(self, progress: DocumentProgress | None) -> None:
        """Wake the stream, with news or without."""
        self._latest = progress or self._latest
        self._rung.set()

    async def next(self, seconds: float) -> DocumentProgress | None:
        """What is new. None when woken without news, or after this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
        latest, self._latest = self._latest, None
        return latest


class ProgressHub:
    """Hands each record to the watches of its document, if they are its client's."""

    def __init__(self) -> None:
        self._watches: dict[str, set[ProgressWatch]] = {}

    @contextmanager
    def watch(self, client_id: str, document_id: str) -> Iterator[ProgressWatch]:
        """Everything that the log says from now on reaches the watch."""
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
        """A record of the topic; what cannot be read is logged and passed over."""
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
                watch.tell(progress)

    def wake_all(self) -> None:
        """Let every stream look whether it must end."""
        for watches in self._watches.values():
            for watch in watches:
                watch.tell(None)


@asynccontextmanager
async def open_progress_hub(settings: Settings, drain: Drain) -> AsyncIterator[ProgressHub]:
    """Reads the log's live end while open. When the log cannot be read any more the process drains, and says so."""
    news = ProgressHub()
    drain.on_begin(news.wake_all)
    async with LogReader(settings, DOCUMENT_PROGRESS) as reader:
        await reader.seek(timedelta(0))
        async with background("progress_hub", _dispatch_all(reader, news), drain):
            yield news


async def _dispatch_all(reader: LogReader, news: ProgressHub) -> None:
    async for batch in reader.batches():
        for record in batch:
            news.dispatch(record)
