"""`chatconnect documents audit`: compares rows, passages and files of every client, and repairs what it is told to."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chatconnect.commands.failure import fail
from handlers.ingestion.audit import Finding
from handlers.ingestion.audit import audit as compare
from handlers.models.embedder import open_embedder
from schemas.events import DocumentUploaded
from schemas.failures import RetryableError
from schemas.settings import Settings
from stores.postgres.database import DATABASE_ERRORS, create_engine
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from stores.vectors.store import FolderInUseError, VectorStore
from streams.kafka.connection import KAFKA_ERRORS
from streams.publisher import Publisher, PublishError

READ_AGAIN = ("stuck", "missing_passages")


def audit(
    repair: Annotated[bool, typer.Option("--repair", help="Read again what is stuck or has passages missing, and "
                                         "remove passages and files that belong to no document.")] = False,
) -> None:  # fmt: skip
    """Rows, passages and files side by side. With the embedded vector engine the worker must be stopped."""
    try:
        findings = asyncio.run(_audit(Settings(), repair=repair))
    except FolderInUseError as error:
        fail(str(error))
    except (*DATABASE_ERRORS, *KAFKA_ERRORS, RetryableError, PublishError, TimeoutError) as error:
        fail(f"The audit needs Postgres and the vector engine, and a repair needs Kafka: {error!r}")
    table = Table("finding", "client", "document", "version", "detail", expand=False)
    for one in findings:
        table.add_row(one.kind, one.client_id, one.document_id, str(one.version), one.detail)
    Console().print(table)
    counts = Counter(one.kind for one in findings)
    typer.echo(", ".join(f"{number} {kind}" for kind, number in counts.items()) or "Everything agrees.")
    if findings and not repair:
        raise typer.Exit(1)


async def _audit(settings: Settings, *, repair: bool) -> list[Finding]:
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        documents, uploads = Documents(engine), Uploads(settings.uploads_url)
        embedder = await stack.enter_async_context(open_embedder(settings))
        vectors = await open_vectors(
            settings.qdrant_url, settings.qdrant_api_key, space=embedder.name, dimensions=embedder.dimensions
        )
        stack.push_async_callback(vectors.close)
        findings = compare(await documents.every(), await vectors.versions(), await uploads.files())
        if repair and findings:
            publisher = await stack.enter_async_context(Publisher(settings))
            for finding in findings:
                await _repair(finding, documents, uploads, vectors, publisher)
        return findings


async def _repair(
    finding: Finding, documents: Documents, uploads: Uploads, vectors: VectorStore, publisher: Publisher
) -> None:
    if finding.kind in READ_AGAIN:
        await _read_again(finding, documents, publisher)
    elif finding.kind == "orphan_passages":
        await vectors.delete(finding.client_id, finding.document_id, up_to=finding.version)
    elif finding.kind == "orphan_file" and finding.uri:
        await uploads.delete(finding.uri)


async def _read_again(finding: Finding, documents: Documents, publisher: Publisher) -> None:
    document = await documents.get(finding.client_id, finding.document_id)
    if document is None or document.version != finding.version:
        return
    _, version = await documents.take_version(document.client_id, document.document_id, document.external_id)
    event = DocumentUploaded.model_validate(asdict(document) | {"version": version, "uploaded_at": datetime.now(UTC)})
    await publisher.publish(event)
    await documents.register(event)
