"""The documents of every client and their ingestion status. An older version never replaces a newer one."""

import builtins
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Integer, Row, func, literal, literal_column, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.cursor import PageCursor
from schemas.events import ENDED_STATUSES, DocumentProgress, DocumentStatus, DocumentUploaded
from schemas.failures import PermanentError
from schemas.tables import DocumentRow, DocumentVersionRow
from stores.postgres.database import single_statements

COLUMNS = DocumentRow.__table__.c
VERSIONS = DocumentVersionRow.__table__.c
# Refers to the row in conflict; SQLAlchemy would select from `document_versions` again.
REGISTERED = literal_column(
    "(SELECT coalesce(max(d.version), 0) FROM documents AS d "
    "WHERE d.client_id = document_versions.client_id AND d.document_id = document_versions.document_id)",
    Integer,
)


@dataclass(frozen=True, slots=True)
class Document:
    """A row of `documents`."""

    client_id: str
    document_id: str
    external_id: str | None
    version: int
    filename: str
    title: str
    description: str | None
    tags: list[str]
    uri: str
    sha256: str
    media_type: str
    size_bytes: int
    status: DocumentStatus
    stage: str
    progress: int
    current_step: str
    reason: str | None
    retryable: bool | None
    chunks: int | None
    warnings: list[str]
    created_at: datetime
    updated_at: datetime


class Documents:
    """Reads and writes `documents` and `document_versions`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._statements = single_statements(engine)

    async def register(self, uploaded: DocumentUploaded) -> Document:
        """The row after this call: a lower or equal version changes nothing, a higher one resets the status.

        Raises `PermanentError` when another document of the client has this external id.
        """
        values = _values(uploaded)
        is_same = _is(uploaded.client_id, uploaded.document_id)
        # The gateway and the worker register the same upload at once. A conflict target would leave the other unique
        # constraint to raise for the slower one, so all conflicts are skipped here and the update decides.
        inserted = insert(DocumentRow).values(values).on_conflict_do_nothing()
        renewed = update(DocumentRow).where(*is_same, COLUMNS.version < uploaded.version)
        try:
            async with self._engine.begin() as connection:
                if not (await connection.execute(inserted)).rowcount:
                    await connection.execute(renewed.values({**values, "updated_at": func.now()}))
                row = (await connection.execute(select(*COLUMNS).where(*is_same))).one_or_none()
        except IntegrityError as error:
            raise _external_id_taken(uploaded) from error
        if row is None:
            raise _external_id_taken(uploaded)
        return _document(row)

    async def take_version(self, client_id: str, document_id: str, external_id: str | None) -> tuple[str, int]:
        """The document id and the next version for an upload; concurrent uploads get different versions.

        A known `external_id` selects its document; `document_id` is then ignored.
        """
        row = insert(DocumentVersionRow).values(
            client_id=client_id,
            document_id=document_id,
            external_id=external_id,
            version=_registered(client_id, document_id) + 1,
        )
        # Producers that write to Kafka directly number the versions themselves.
        highest = func.greatest(VERSIONS.version, REGISTERED)
        named = [VERSIONS.client_id, VERSIONS.external_id if external_id else VERSIONS.document_id]
        taken = row.on_conflict_do_update(index_elements=named, set_={"version": highest + 1})
        async with self._statements.connect() as connection:
            found = (await connection.execute(taken.returning(VERSIONS.document_id, VERSIONS.version))).one()
        return str(found.document_id), int(found.version)

    async def by_external_id(self, client_id: str, external_id: str) -> Document | None:
        """The client's document with this external id, deleted or not."""
        return await self._one(COLUMNS.client_id == client_id, COLUMNS.external_id == external_id)

    async def get(self, client_id: str, document_id: str) -> Document | None:
        """The client's document, deleted or not."""
        return await self._one(*_is(client_id, document_id))

    async def ahead_of(self, client_id: str, document_id: str) -> int:
        """How many of the client's documents come before one that waits: those that are read now or waited first."""
        since = select(COLUMNS.updated_at).where(*_is(client_id, document_id)).scalar_subquery()
        is_before = tuple_(COLUMNS.updated_at, COLUMNS.document_id) < tuple_(since, literal(document_id))
        statement = select(func.count()).where(
            COLUMNS.client_id == client_id,
            COLUMNS.document_id != document_id,
            COLUMNS.status.not_in(ENDED_STATUSES),
            or_(COLUMNS.status != "pending", is_before),
        )
        async with self._statements.connect() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def list(self, client_id: str, limit: int = 100, *, before: PageCursor | None = None) -> list[Document]:
        """The client's documents that are not deleted, newest first, starting after `before`."""
        statement = (
            select(*COLUMNS)
            .where(COLUMNS.client_id == client_id, COLUMNS.status != "deleted")
            .order_by(COLUMNS.created_at.desc(), COLUMNS.document_id.desc())
            .limit(limit)
        )
        if before is not None:
            at = literal(before.at, DateTime(timezone=True))
            statement = statement.where(tuple_(COLUMNS.created_at, COLUMNS.document_id) < tuple_(at, before.id))
        async with self._statements.connect() as connection:
            return [_document(row) for row in await connection.execute(statement)]

    async def every(self) -> builtins.list[Document]:
        """The documents of all clients, also the deleted ones: for audits."""
        async with self._statements.connect() as connection:
            return [_document(row) for row in await connection.execute(select(*COLUMNS))]

    async def advance(self, progress: DocumentProgress) -> bool:
        """Store the ingestion progress. False: the document has another version, is ready or is deleted; stop."""
        statement = (
            update(DocumentRow)
            .where(
                *_is(progress.client_id, progress.document_id),
                COLUMNS.version == progress.version,
                COLUMNS.status.not_in(["ready", "deleted"]),
            )
            .values(
                **progress.model_dump(
                    include={
                        "status",
                        "stage",
                        "progress",
                        "current_step",
                        "reason",
                        "retryable",
                        "chunks",
                        "warnings",
                    },
                    by_alias=False,
                ),
                updated_at=func.now(),
            )
        )
        return await self._changes(statement)

    async def delete(self, client_id: str, document_id: str) -> bool:
        """Mark as deleted, so that nothing advances it. False: there is nothing to delete."""
        gone = {"status": "deleted", "stage": "deleted", "current_step": "Deleted", "updated_at": func.now()}
        statement = update(DocumentRow).where(*_is(client_id, document_id), COLUMNS.status != "deleted").values(**gone)
        return await self._changes(statement)

    async def _one(self, *conditions: Any) -> Document | None:
        async with self._statements.connect() as connection:
            row = (await connection.execute(select(*COLUMNS).where(*conditions))).one_or_none()
        return _document(row) if row else None

    async def _changes(self, statement: Any) -> bool:
        async with self._statements.connect() as connection:
            return bool((await connection.execute(statement)).rowcount)


def _registered(client_id: str, document_id: str) -> Any:
    """The document's version, 0 without a row."""
    row = select(COLUMNS.version).where(COLUMNS.client_id == client_id, COLUMNS.document_id == document_id)
    return func.coalesce(row.scalar_subquery(), 0)


def _is(client_id: str, document_id: str) -> tuple[Any, Any]:
    return COLUMNS.client_id == client_id, COLUMNS.document_id == document_id


def _values(uploaded: DocumentUploaded) -> dict[str, Any]:
    named = uploaded.model_dump(exclude={"uploaded_at"}, by_alias=False)
    waiting = {"status": "pending", "stage": "queued", "progress": 0, "current_step": "Waiting in line"}
    return {**named, **waiting, "reason": None, "retryable": None, "chunks": None, "warnings": []}


def _external_id_taken(uploaded: DocumentUploaded) -> PermanentError:
    return PermanentError(
        f"Another document has the external id {uploaded.external_id}: upload a new version of that one.",
        code="external_id_taken",
    )


def _document(row: Row[Any]) -> Document:
    return Document(**row._asdict())
