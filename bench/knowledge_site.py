"""A worker and a gateway over real servers, and a client's server that uploads into them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import psutil

from bench.servers import keys_of, servers
from schemas.events import DocumentUploaded
from stores.postgres.database import create_engine
from stores.postgres.documents import Document, Documents
from stores.uploads import Uploads
from streams.publisher import Publisher
from tests.support import processes

POLL_SECONDS = 0.02
WATCH_SECONDS = 0.05
DEADLINE_SECONDS = 1_200
MAX_BYTES = 1_000_000


@dataclass(slots=True)
class Site:
    """`worker` is the process whose memory counts, with its children. Statuses are read from the table, since polling
    the gateway as often would meet its rate limit.
    """

    http: httpx.AsyncClient
    worker: psutil.Process
    documents: Documents
    uploads: Uploads
    publisher: Publisher

    async def upload(self, client: str, name: str, content: bytes) -> str:
        """The id of the new document."""
        files = {"file": (name, content)}
        response = await self.http.post("/process-document", headers=_headers(client), files=files)
        response.raise_for_status()
        return str(response.json()["id"])

    async def produce(self, client: str, name: str, content: bytes) -> None:
        """Store a file and announce it on the log, as a bulk import does."""

        async def source() -> AsyncIterator[bytes]:
            yield content

        stored = await self.uploads.put(client, name, 1, name, source(), max_bytes=MAX_BYTES)
        event = DocumentUploaded(
            client_id=client, document_id=name, uri=stored.uri, sha256=stored.sha256, media_type="text/plain",
            size_bytes=stored.size_bytes, filename=name, title=name, uploaded_at=datetime.now(UTC),
        )  # fmt: skip
        await self.publisher.publish(event)

    async def until(self, client: str, document_id: str, is_reached: Callable[[Document], bool]) -> float:
        """Seconds until the status of a document `is_reached`. Raises `RuntimeError` when it failed instead."""
        begun = time.monotonic()
        while time.monotonic() - begun < DEADLINE_SECONDS:
            document = await self.documents.get(client, document_id)
            if document and is_reached(document):
                return time.monotonic() - begun
            if document and document.status == "failed":
                raise RuntimeError(f"{document_id}: {document.reason}")
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(document_id)

    async def delete(self, client: str, document_id: str) -> None:
        """Deleted by the client's server."""
        (await self.http.delete(f"/documents/{document_id}", headers=_headers(client))).raise_for_status()

    async def sources(self, client: str, question: str) -> set[str]:
        """The ids of the documents that an answer was drawn from."""
        asked = {"message": question, "sessionId": uuid4().hex}
        response = await self.http.post("/chat", headers=_headers(client), json=asked)
        return {str(source["documentId"]) for source in response.raise_for_status().json()["sources"]}

    def memory_mb(self) -> float:
        """Resident memory of the worker and its children."""
        total = 0
        for process in (self.worker, *self.worker.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total / 1e6

    @asynccontextmanager
    async def peak_mb(self) -> AsyncIterator[list[float]]:
        """During the block: `[idle, peak]`, the peak rising."""
        found = [self.memory_mb(), 0.0]

        async def watch() -> None:
            while True:
                found[1] = max(found[1], self.memory_mb())
                await asyncio.sleep(WATCH_SECONDS)

        watching = asyncio.create_task(watch())
        try:
            yield found
        finally:
            watching.cancel()
            await asyncio.wait([watching])


@asynccontextmanager
async def site(folder: Path, clients: tuple[str, ...]) -> AsyncIterator[Site]:
    """Everything, started; stopped at the end."""
    async with servers(folder, clients, embeddings="local", instance_id="bench") as running:
        worker = processes.worker(running.settings, folder / "worker.log")
        gateway = processes.gateway(running.settings, folder / "gateway.log")
        url = gateway.url.removesuffix("/health/ready")
        try:
            await asyncio.gather(worker.start(), gateway.start())
            engine = create_engine(running.settings.database_url)
            async with (
                httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http,
                Publisher(running.settings) as publisher,
            ):
                uploads = Uploads(running.settings.uploads_url)
                yield Site(http, psutil.Process(worker.pid), Documents(engine), uploads, publisher)
            await engine.dispose()
        finally:
            await asyncio.gather(worker.stop(), gateway.stop(), return_exceptions=True)


def is_ready(document: Document) -> bool:
    """The document answers questions."""
    return document.status == "ready"


def _headers(client: str) -> dict[str, str]:
    return {"authorization": f"Bearer {keys_of(client).secret}"}
