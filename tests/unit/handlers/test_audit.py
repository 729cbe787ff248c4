"""Rows, passages and files side by side."""

from datetime import UTC, datetime, timedelta

from handlers.ingestion.audit import audit
from stores.postgres.documents import Document
from stores.uploads import StoredFile
from stores.vectors.store import VersionPoints

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=2)


def row(document_id="doc", status="ready", version=1, chunks=3, updated_at=OLD):
    return Document(
        client_id="acme", document_id=document_id, external_id=None, version=version, filename="a.txt", title="a",
        description=None, tags=[], uri=f"file:///u/acme/{document_id}/{version}/a.txt", sha256="", media_type="",
        size_bytes=1, status=status, stage=status, progress=100, current_step="", reason=None, retryable=None,
        chunks=chunks, warnings=[], created_at=OLD, updated_at=updated_at,
    )  # fmt: skip


def file(document_id="doc", version=1, modified_at=OLD):
    return StoredFile("acme", document_id, version, f"file:///u/acme/{document_id}/{version}/a.txt", modified_at)


def points(*found):
    return {("acme", name, version): VersionPoints(number, visible) for name, version, number, visible in found}


def kinds(rows, stored, files):
    return [(one.kind, one.document_id, one.version) for one in audit(rows, stored, files, NOW)]


def test_what_agrees_is_not_mentioned():
    assert kinds([row()], points(("doc", 1, 3, 3)), [file()]) == []


def test_a_ready_document_without_its_passages_or_its_file_is_found():
    assert kinds([row()], points(("doc", 1, 3, 2)), []) == [("missing_passages", "doc", 1), ("missing_file", "doc", 1)]


def test_a_document_that_does_not_move_is_stuck_after_an_hour():
    young = row("young", "embedding", updated_at=NOW - timedelta(minutes=59))

    assert kinds([row("old", "pending"), young], {}, []) == [("stuck", "old", 1)]


def test_what_belongs_to_no_document_is_found():
    rows = [row("gone", "deleted"), row("new", version=2)]
    stored = points(("gone", 1, 3, 3), ("unknown", 1, 2, 0), ("new", 1, 1, 1), ("new", 2, 3, 3), ("new", 3, 1, 0))
    files = [file("gone"), file("unknown"), file("new", 2), file("fresh", modified_at=NOW)]

    assert kinds(rows, stored, files) == [
        ("orphan_passages", "gone", 1),
        ("orphan_passages", "unknown", 1),
        ("orphan_passages", "new", 1),
        ("orphan_file", "gone", 1),
        ("orphan_file", "unknown", 1),
    ]


def test_an_older_version_answers_until_the_new_one_is_ready():
    assert kinds([row("new", "failed", version=2)], points(("new", 1, 3, 3)), [file("new", 2)]) == []
