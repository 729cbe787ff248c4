"""Compares the three places that know a document: its row, its passages in the vector engine, its files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from schemas.events import ENDED_STATUSES
from stores.postgres.documents import Document
from stores.uploads import StoredFile
from stores.vectors.store import VersionKey, VersionPoints

# Ingestion saves a step every five seconds; an upload that is not registered yet takes minutes at most.
STALE = timedelta(hours=1)

Kind = Literal["stuck", "missing_passages", "missing_file", "orphan_passages", "orphan_file"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. `version` is of the passages or the file; `uri` of an orphan file."""

    kind: Kind
    client_id: str
    document_id: str
    version: int
    detail: str
    uri: str | None = None


def audit(
    rows: Iterable[Document],
    points: Mapping[VersionKey, VersionPoints],
    files: Iterable[StoredFile],
    now: datetime | None = None,
) -> list[Finding]:
    """Every disagreement; what is younger than an hour may still be on its way and is left alone."""
    now = now or datetime.now(UTC)
    by_document = {(row.client_id, row.document_id): row for row in rows}
    stored = list(files)
    uris = {file.uri for file in stored}
    return [
        *(finding for row in by_document.values() for finding in _of_row(row, points, uris, now)),
        *_orphan_passages(by_document, points, now),
        *_orphan_files(by_document, stored, now),
    ]


def _of_row(
    row: Document, points: Mapping[VersionKey, VersionPoints], uris: set[str], now: datetime
) -> Iterator[Finding]:
    def finding(kind: Kind, detail: str) -> Finding:
        return Finding(kind, row.client_id, row.document_id, row.version, detail)

    if row.status not in ENDED_STATUSES:
        if now - row.updated_at > STALE:
            yield finding("stuck", f"{row.status} since {row.updated_at:%Y-%m-%d %H:%M}Z")
        return
    if row.status != "ready":
        return
    visible = points.get((row.client_id, row.document_id, row.version), VersionPoints(0, 0)).visible
    if visible != row.chunks:
        yield finding("missing_passages", f"{visible} of {row.chunks} passages are there")
    if row.uri not in uris:
        yield finding("missing_file", f"there is no file at {row.uri}")


def _orphan_passages(
    rows: Mapping[tuple[str, str], Document], points: Mapping[VersionKey, VersionPoints], now: datetime
) -> Iterator[Finding]:
    for (client_id, document_id, version), found in points.items():
        row = rows.get((client_id, document_id))
        # A higher version than the row's is being written by a run that registers later.
        is_wanted = row is not None and row.status != "deleted" and (version >= row.version or row.status != "ready")
        if not is_wanted and (row is None or now - row.updated_at > STALE):
            detail = f"{found.points} passages of a document that is {row.status if row else 'unknown'}"
            yield Finding("orphan_passages", client_id, document_id, version, detail)


def _orphan_files(
    rows: Mapping[tuple[str, str], Document], files: Iterable[StoredFile], now: datetime
) -> Iterator[Finding]:
    for file in files:
        row = rows.get((file.client_id, file.document_id))
        if (row is None or row.status == "deleted") and now - file.modified_at > STALE:
            detail = f"a file of a document that is {row.status if row else 'unknown'}"
            yield Finding("orphan_file", file.client_id, file.document_id, file.version, detail, file.uri)
