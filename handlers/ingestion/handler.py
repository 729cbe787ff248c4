"""DocumentUploaded → DocumentProgress … ready or failed; DocumentDeleted → out of every answer at once."""

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from handlers.ingestion.progress import ProgressReporter
from handlers.ingestion.stages import Stages, Step
from handlers.readers.section import UnreadableError
from schemas.events import DocumentDeleted, DocumentProgress, DocumentStatus, DocumentUploaded, Event
from schemas.failures import PermanentError, RetryableError
from stores.postgres.database import DATABASE_ERRORS, REFUSALS
from stores.postgres.documents import Document, Documents
from stores.uploads import Uploads
from stores.vectors.store import VectorStore

UNAVAILABLE = "A part of the system was unavailable for too long. The file is fine: try again later."

log = structlog.get_logger()


class Ingestion:
    """The writer of knowledge bases. A file that cannot be read ends as `failed`; a dependency's failure is retried."""

    def __init__(
        self, documents: Documents, uploads: Uploads, vectors: VectorStore, stages: Stages, workspace: Path
    ) -> None:
        self._documents = documents
        self._uploads = uploads
        self._vectors = vectors
        self._stages = stages
        self._workspace = workspace

    async def handle(self, event: DocumentUploaded | DocumentDeleted) -> AsyncIterator[Event]:
        """Yields each step, already saved; ends silently when a newer version or a delete took over.

        Raises `RetryableError`.
        """
        if isinstance(event, DocumentDeleted):
            yield await self._delete(event)
            return
        try:
            with _dependencies():
                document = await self._documents.register(event)
        except PermanentError as error:
            yield ProgressReporter(event).failed(str(error), retryable=False)
            return
        if document.version != event.version or document.status == "deleted":
            return
        if document.status == "ready":
            yield ProgressReporter(event, document).ready()
            return
        async with aclosing(self._ingest(event, document)) as steps:
            async for progress in steps:
                yield progress

    async def hide(self, deleted: DocumentDeleted) -> None:
        """Take a document out of every answer at once, before its delete has its turn in `handle`.

        Only what was deleted through the gateway, whose row says so, and only up to the deleted version: an upload
        that came later stays. Raises `RetryableError`.
        """
        with _dependencies():
            document = await self._documents.get(deleted.client_id, deleted.document_id)
        if document and document.status == "deleted":
            await self._vectors.delete(deleted.client_id, deleted.document_id, up_to=document.version)

    async def give_up(self, event: DocumentUploaded | DocumentDeleted, error: Exception) -> AsyncIterator[Event]:
        """Saves and publishes the failure. Raises `RetryableError` until Postgres answers: a document whose row says
        that it is being read, and that nothing reads, would wait for ever.
        """
        log.warning("ingestion_given_up", document_id=event.document_id, error=repr(error))
        if isinstance(event, DocumentDeleted):
            yield _deletion(event, "failed", reason="The document could not be deleted: delete it again in a minute.")
            return
        is_final = isinstance(error, PermanentError)
        reason = f"The upload event is not valid: {error}" if is_final else UNAVAILABLE
        with _dependencies():
            document = await self._documents.get(event.client_id, event.document_id)
        reporter = ProgressReporter(event, document if document and document.version == event.version else None)
        failed = reporter.failed(reason, retryable=not is_final)
        try:
            await self._save(failed)
        except PermanentError as refused:
            log.warning("failure_not_saved", document_id=event.document_id, error=repr(refused))
        yield failed

    async def _ingest(self, uploaded: DocumentUploaded, document: Document) -> AsyncGenerator[DocumentProgress, None]:
        reporter = ProgressReporter(uploaded, document)
        try:
            async with aclosing(self._steps(uploaded)) as steps:
                async for step in steps:
                    progress = reporter.due(step)
                    if progress and not await self._save(progress):
                        return
                    if progress:
                        yield progress
        except PermanentError as error:
            failed = reporter.failed(str(error), retryable=not isinstance(error, UnreadableError))
            if await self._save(failed):
                yield failed
            return
        except RetryableError:
            waiting = reporter.waiting()
            with suppress(RetryableError):
                await self._save(waiting)
            yield waiting
            raise
        ready = reporter.ready()
        if await self._save(ready) or await self._is_ours(uploaded):
            await self._delete_older_files(uploaded)
            yield ready

    async def _delete_older_files(self, uploaded: DocumentUploaded) -> None:
        """Deletes the files of older versions; a failure is only logged."""
        try:
            await self._uploads.delete_older(
                uploaded.client_id, uploaded.document_id, uploaded.version, keep=uploaded.uri
            )
        except OSError as error:
            log.warning("older_files_kept", document_id=uploaded.document_id, error=repr(error))

    async def _steps(self, uploaded: DocumentUploaded) -> AsyncGenerator[Step, None]:
        with _dependencies():
            self._workspace.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._workspace, prefix="document-") as folder:
                async with aclosing(self._stages.run(uploaded, Path(folder))) as steps:
                    async for step in steps:
                        yield step

    async def _save(self, progress: DocumentProgress) -> bool:
        with _dependencies():
            return await self._documents.advance(progress)

    async def _is_ours(self, uploaded: DocumentUploaded) -> bool:
        """After a refused `ready`: whether it was saved before. If not, this run published over a delete or a newer
        version, and that is undone here.
        """
        key = (uploaded.client_id, uploaded.document_id)
        with _dependencies():
            document = await self._documents.get(*key)
        if document is None or document.status == "deleted":
            await self._vectors.delete(*key)
            return False
        if document.version != uploaded.version and document.status == "ready":
            await self._vectors.publish_version(*key, document.version)
        return document.version == uploaded.version and document.status == "ready"

    async def _delete(self, deleted: DocumentDeleted) -> DocumentProgress:
        key = (deleted.client_id, deleted.document_id)
        await self._vectors.delete(*key)
        with _dependencies():
            document = await self._documents.get(*key)
            await self._documents.delete(*key)
        # Once more, for a run that published after the first delete.
        await self._vectors.delete(*key)
        with _dependencies():
            await self._uploads.delete_document(*key)
            if document and self._uploads.belongs_to(deleted.client_id, document.uri):
                await self._uploads.delete(document.uri)
        return _deletion(deleted, "deleted", version=document.version if document else 0)


def _deletion(
    deleted: DocumentDeleted, status: DocumentStatus, *, version: int = 0, reason: str | None = None
) -> DocumentProgress:
    return DocumentProgress(
        client_id=deleted.client_id,
        document_id=deleted.document_id,
        version=version,
        status=status,
        stage="deleting",
        progress=100,
        current_step="Deletion failed" if reason else "Deleted",
        reason=reason,
        retryable=True if reason else None,
        at=datetime.now(UTC),
    )


@contextmanager
def _dependencies() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise PermanentError(f"What is known of the document cannot be stored: {error}", code="row_refused") from error
    except DATABASE_ERRORS as error:
        raise RetryableError(f"A dependency of ingestion is unavailable: {error!r}") from error
