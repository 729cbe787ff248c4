"""Ingestion over stores in memory, with real readers and files."""

from datetime import UTC, datetime

from handlers.ingestion.handler import Ingestion
from handlers.ingestion.stages import Stages
from schemas.events import DocumentUploaded
from stores.uploads import Uploads
from tests.support.fakes_knowledge import FakeDocuments, FakeEmbedder, FakeVectors, no_embedding_cache, stream_of

GUIDE = "\n\n".join(f"# Part {n}\n\nRefunds of part {n} take {n} days." for n in range(1, 41)).encode()


class Knowledge:
    """Ingestion on fakes, with real uploads in a folder."""

    def __init__(self, folder, cache=None):
        self.workspace = folder / "workspace"
        self.uploads = Uploads((folder / "uploads").as_uri())
        self.documents, self.vectors, self.embedder = FakeDocuments(), FakeVectors(), FakeEmbedder()
        self.cache = cache or no_embedding_cache()
        stages = Stages(self.uploads, self.vectors, self.embedder, self.cache)
        self.ingestion = Ingestion(self.documents, self.uploads, self.vectors, stages, self.workspace)

    async def uploaded(self, content=GUIDE, filename="guide.md", version=1, client_id="acme"):
        stored = await self.uploads.put(client_id, "doc_1", version, filename, stream_of(content), max_bytes=50_000_000)
        return DocumentUploaded(
            client_id=client_id,
            document_id="doc_1",
            uri=stored.uri,
            sha256=stored.sha256,
            media_type="",
            size_bytes=stored.size_bytes,
            filename=filename,
            title="Guide",
            version=version,
            uploaded_at=datetime.now(UTC),
        )

    async def handle(self, event):
        return [progress async for progress in self.ingestion.handle(event)]

    async def search(self, text, client_id="acme"):
        return await self.vectors.search(client_id, await self.embedder.embed_query(text), 6)
