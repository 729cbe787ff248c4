"""DocumentUploaded → DocumentProgress … ready or failed; DocumentDeleted → out of every answer at once."""

import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from handlers.document_stages import Stages, Step
from handlers.models.minilm import weights_folder
from handlers.ports import Embedder
from handlers.readers.section import UnreadableError
from schemas.events import DocumentDeleted, DocumentProgress, DocumentUploaded, Event
from schemas.failures import PermanentError, RetryableError
from stores.documents import Document, Documents
from stores.uploads import ForeignUriError, Uploads
from stores.vectors import VectorStore

log = structlog.get_logger()

# A stage's part of the whole, in percent.
SPANS = {"parsing": (0, 20), "chunking": (20, 25), "embedding": (25, 95), "indexing": (95, 99)}
TELL_SECONDS = 0.5
HEARTBEAT_SECONDS = 5


class Ingestion:
    """The knowledge base's writer. A file that cannot be read ends as `failed`; a dependency's failure is tried again."""

    def __init__(
        self, documents: Documents, uploads: Uploads, vectors: VectorStore, embedder: Embedder, workspace: Path
    ) -> None:
        self._documents = documents
        self._uploads = uploads
        self._vectors = vectors
        self._workspace = workspace
        self._stages = Stages(uploads, vectors, embedder, weights_folder() / "tokenizer.json")

    async def handle(self, event: DocumentUploaded | DocumentDeleted) -> AsyncIterator[Event]:
        """Yields each step, already saved; ends silently when a newer version or a delete took over.

        Raises `RetryableError`.
        """
        if isinstance(event, DocumentDeleted):
            yield await self._delete(event)
            return
        with _dependencies():
            document = await self._documents.register(event)
        if document.version != event.version or document.status == "deleted":
            return
        if document.status == "ready":
            yield _ready(event, document.chunks)
            return
        async with aclosing(self._ingest(event)) as steps:
            async for progress in steps:
                yield progress

    async def give_up(self, event: DocumentUploaded | DocumentDeleted, error: Exception) -> AsyncIterator[Event]:
        """The owner is told that it failed and may be tried again; saved when Postgres is there."""
        if isinstance(event, DocumentDeleted):
            yield _deletion_failed(event)
            return
        log.warning("ingestion_given_up", document_id=event.document_id, error=repr(error))
        reason = (
            str(error)
            if isinstance(error, PermanentError)
            else "A part of the system was away for too long. The file is fine: try again later."
        )
        failed = _failed(event, "queued", reason, retryable=True)
        try:
            await self._documents.advance(failed)
        except (OSError, SQLAlchemyError) as unsaved:
            log.warning("failure_not_saved", document_id=event.document_id, error=repr(unsaved))
        yield failed

    async def _ingest(self, uploaded: DocumentUploaded) -> AsyncIterator[DocumentProgress]:
        self._workspace.mkdir(parents=True, exist_ok=True)
        telling = _Telling(uploaded)
        try:
            with tempfile.TemporaryDirectory(dir=self._workspace, prefix="document-") as folder:
                async with aclosing(self._stages.run(uploaded, Path(folder))) as steps:
                    while step := await _next(steps):
                        if progress := telling.due(step):
                            if not await self._save(progress):
                                return
                            yield progress
        except PermanentError as error:
            failed = _failed(uploaded, telling.stage, str(error), retryable=not isinstance(error, UnreadableError))
            if await self._save(failed):
                yield failed
            return
        ready = _ready(uploaded, telling.chunks)
        if await self._save(ready) or await self._is_ready(uploaded):
            yield ready

    async def _save(self, progress: DocumentProgress) -> bool:
        with _dependencies():
            return await self._documents.advance(progress)

    async def _is_ready(self, uploaded: DocumentUploaded) -> bool:
        """After a refused `ready`: undo what we published over a delete or a newer version (we were a zombie)."""
        key = (uploaded.client_id, uploaded.document_id)
        with _dependencies():
            document = await self._documents.get(*key)
        if document is None or document.status == "deleted":
            await self._vectors.delete(*key)
            return False
        if document.version != uploaded.version:
            if document.status == "ready":
                await self._vectors.publish_version(*key, document.version)
            return False
        return document.status == "ready"

    async def _delete(self, deleted: DocumentDeleted) -> DocumentProgress:
        key = (deleted.client_id, deleted.document_id)
        await self._vectors.delete(*key)
        with _dependencies():
            document = await self._documents.get(*key)
            await self._documents.delete(*key)
        # A run that published between the two steps can do so no more.
        await self._vectors.delete(*key)
        with _dependencies():
            await self._remove_files(deleted, document)
        return _progress(deleted, document.version if document else 0, "deleted", 100, "Deleted")

    async def _remove_files(self, deleted: DocumentDeleted, document: Document | None) -> None:
        await self._uploads.delete_document(deleted.client_id, deleted.document_id)
        if document and self._uploads.belongs_to(deleted.client_id, document.uri):
            await self._uploads.delete(document.uri)
