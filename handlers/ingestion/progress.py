"""Ingestion's progress events: percentages that never fall, at most twice a second."""

import time
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram

from handlers.ingestion.stages import Step
from schemas.events import DocumentProgress, DocumentUploaded
from stores.postgres.documents import Document

# A stage's part of the whole, in percent.
SPANS = {"parsing": (0, 20), "chunking": (20, 25), "embedding": (25, 95), "indexing": (95, 99)}
PROGRESS_INTERVAL_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0

STAGE_SECONDS = Histogram(
    "chatconnect_ingestion_stage_seconds",
    "How long a document was in a stage.",
    ["stage"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
DOCUMENTS = Counter("chatconnect_documents_total", "Documents whose ingestion ended.", ["outcome"])


class ProgressReporter:
    """Decides which steps of one run become events, and how it ends. A run after one that died goes on at its
    percentage, which the row has.
    """

    def __init__(self, uploaded: DocumentUploaded, document: Document | None = None) -> None:
        self._latest = DocumentProgress(
            client_id=uploaded.client_id,
            document_id=uploaded.document_id,
            version=uploaded.version,
            status="pending",
            stage="queued",
            progress=document.progress if document else 0,
            current_step="Waiting in line",
            chunks=document.chunks if document else None,
            warnings=document.warnings if document else [],
            at=datetime.now(UTC),
        )
        self._sent_at = 0.0
        self._stage_began_at = time.monotonic()

    def due(self, step: Step) -> DocumentProgress | None:
        """The event of a step: at a new stage, twice a second when something changed, else every five seconds."""
        waited = time.monotonic() - self._sent_at
        if step.warnings:
            self._latest = self._latest.model_copy(update={"warnings": list(step.warnings)})
        is_changed = step.text != self._latest.current_step and waited >= PROGRESS_INTERVAL_SECONDS
        if step.stage == self._latest.stage and not is_changed and waited < HEARTBEAT_SECONDS:
            return None
        first, last = SPANS[step.stage]
        percent = max(self._latest.progress, int(first + (last - first) * min(step.fraction, 1.0)))
        self._sent_at = time.monotonic()
        if step.stage != self._latest.stage:
            self._end_stage()
        return self._next(
            status=step.stage,
            stage=step.stage,
            progress=percent,
            current_step=step.text,
            chunks=step.chunks or self._latest.chunks,
        )

    def waiting(self) -> DocumentProgress:
        """A part of the system is unavailable: this run ends, another follows."""
        return self._next(current_step="Waiting for a part of the system that is unavailable")

    def ready(self) -> DocumentProgress:
        """The document answers questions."""
        chunks = self._latest.chunks
        text = "Ready" if chunks is None else f"Ready, {chunks:,} passages"
        self._end("ready")
        return self._next(status="ready", stage="ready", progress=100, current_step=text)

    def failed(self, reason: str, *, retryable: bool) -> DocumentProgress:
        """The failure; stage and progress stay as they were when it happened."""
        self._end("failed")
        return self._next(status="failed", current_step="Failed", reason=reason, retryable=retryable)

    def _end(self, outcome: str) -> None:
        # A version that is already ready is reported again, but not counted again.
        if self._latest.stage != "queued":
            self._end_stage()
            DOCUMENTS.labels(outcome).inc()

    def _end_stage(self) -> None:
        now = time.monotonic()
        STAGE_SECONDS.labels(self._latest.stage).observe(now - self._stage_began_at)
        self._stage_began_at = now

    def _next(self, **changes: object) -> DocumentProgress:
        self._latest = self._latest.model_copy(update={**changes, "at": datetime.now(UTC)})
        return self._latest
