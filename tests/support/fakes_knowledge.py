"""Test doubles of the knowledge base's ports."""

import hashlib
import re
from uuid import UUID

import numpy as np

from schemas.passages import Passage
from stores.embedding_cache import EmbeddingCache
from stores.vectors.store import count_versions, point_id

DIMENSIONS = 64


class FakeVectors:
    """A `VectorStore` in memory; `integration/stores/test_vectors.py` runs the same suite over it and the real one."""

    def __init__(self):
        self.points: dict[UUID, tuple[str, object]] = {}
        self.visible: dict[tuple[str, str], int] = {}
        self.failures: list[Exception] = []

    async def upsert(self, client_id, chunks):
        self._fail()
        for chunk in chunks:
            self.points[point_id(client_id, chunk)] = (client_id, chunk)

    async def search(self, client_id, vector, limit):
        self._fail()
        hits = [
            (float(chunk.vector @ vector), chunk)
            for owner, chunk in self.points.values()
            if owner == client_id and self.visible.get((owner, chunk.document_id)) == chunk.version
        ]
        hits.sort(key=lambda hit: -hit[0])
        return [
            Passage(
                document_id=chunk.document_id,
                title=chunk.title,
                text=chunk.text,
                score=score,
                page=chunk.page,
                page_end=chunk.page_end,
                row=chunk.row,
                heading=chunk.heading,
            )
            for score, chunk in hits[:limit]
        ]

    async def vectors_of(self, client_id, document_id, digests):
        self._fail()
        return {
            chunk.digest: chunk.vector
            for owner, chunk in self.points.values()
            if (owner, chunk.document_id) == (client_id, document_id) and chunk.digest in digests
        }

    async def publish_version(self, client_id, document_id, version):
        self._fail()
        self._drop(client_id, document_id, below=version)
        self.visible[client_id, document_id] = max(version, self.visible.get((client_id, document_id), 0))

    async def delete(self, client_id, document_id, *, up_to=None):
        self._fail()
        self._drop(client_id, document_id, below=float("inf") if up_to is None else up_to + 1)
        if up_to is None or self.visible.get((client_id, document_id), 0) <= up_to:
            self.visible.pop((client_id, document_id), None)

    async def count(self, client_id, document_id):
        return len(
            [1 for owner, chunk in self.points.values() if (owner, chunk.document_id) == (client_id, document_id)]
        )

    async def versions(self):
        return count_versions(
            {
                "client_id": owner,
                "document_id": chunk.document_id,
                "version": chunk.version,
                "visible": self.visible.get((owner, chunk.document_id)) == chunk.version,
            }
            for owner, chunk in self.points.values()
        )

    async def close(self):
        pass

    def _drop(self, client_id, document_id, below=float("inf")):
        self.points = {
            key: (owner, chunk)
            for key, (owner, chunk) in self.points.items()
            if (owner, chunk.document_id) != (client_id, document_id) or chunk.version >= below
        }

    def _fail(self):
        if self.failures:
            raise self.failures.pop(0)


class FakeEmbedder:
    """Bags of words hashed into a few dimensions: texts that share words have similar vectors."""

    name = "bag-of-words"
    dimensions = DIMENSIONS

    def __init__(self):
        self.texts: list[str] = []
        self.failures: list[Exception] = []

    async def embed(self, texts):
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        self.texts += texts
        return np.array([_bag(text) for text in texts], np.float32)

    async def embed_query(self, text):
        return (await self.embed([text]))[0]


class FakeDocuments:
    """`Documents` in memory, with the same version rules."""

    def __init__(self):
        self.rows: dict[tuple[str, str], object] = {}
        self.saved: list[object] = []
        self.failures: list[Exception] = []

    async def register(self, uploaded):
        self._fail()
        row = self.rows.get((uploaded.client_id, uploaded.document_id))
        if row is None or row.version < uploaded.version:
            row = FakeDocument(uploaded)
            self.rows[uploaded.client_id, uploaded.document_id] = row
        return row

    async def get(self, client_id, document_id):
        return self.rows.get((client_id, document_id))

    async def advance(self, progress):
        self._fail()
        row = self.rows.get((progress.client_id, progress.document_id))
        if row is None or row.version != progress.version or row.status in {"ready", "deleted"}:
            return False
        row.status, row.progress = progress.status, progress.progress
        row.chunks, row.warnings = progress.chunks, progress.warnings
        self.saved.append(progress)
        return True

    async def delete(self, client_id, document_id):
        row = self.rows.get((client_id, document_id))
        if row is None or row.status == "deleted":
            return False
        row.status = "deleted"
        return True

    def _fail(self):
        if self.failures:
            raise self.failures.pop(0)


class FakeDocument:
    """The fields of a row that ingestion reads."""

    def __init__(self, uploaded):
        self.version, self.uri = uploaded.version, uploaded.uri
        self.status, self.progress, self.chunks = "pending", 0, None
        self.warnings = []


async def stream_of(*pieces: bytes):
    """The body of an upload."""
    for piece in pieces:
        yield piece


def unit(*values: float):
    """A unit vector in the fake embedder's space, starting with these values."""
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def _bag(text):
    vector = np.full(DIMENSIONS, 1e-6)
    for word in re.findall(r"\w+", text.lower()):
        vector[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1
    return vector / np.linalg.norm(vector)


def no_embedding_cache() -> EmbeddingCache:
    """A cache whose Redis is away: nothing listens on port 1."""
    return EmbeddingCache("redis://127.0.0.1:1/0", space="none", dimensions=DIMENSIONS)
