"""The vectors of every knowledge base: what is asked of an engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from schemas.events import Passage

POINTS = UUID("6f0a7c3e-9d6b-5a52-8a51-0a3c6d1f4b27")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one version of a document. `index` counts from 0; `page` and `row` from 1. `vector`: unit length."""

    document_id: str
    version: int
    index: int
    title: str
    text: str
    vector: NDArray[np.float32]
    page: int | None = None
    row: int | None = None
    heading: str | None = None


class FolderInUseError(Exception):
    """The folder of the embedded engine belongs to another process, or to an engine we no longer have."""


class VectorStore(Protocol):
    """What we ask of a vector engine. Each method raises `RetryableError` when the engine is away."""

    async def upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        """Write chunks, hidden until their version is published. The same chunk again replaces itself."""
        ...

    async def search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        """The nearest visible passages of this client, best first; `score` is the cosine."""
        ...

    async def publish_version(self, client_id: str, document_id: str, version: int) -> None:
        """Make this version visible and remove every lower one; a higher one stays and wins."""
        ...

    async def delete(self, client_id: str, document_id: str) -> None:
        """No passage of the document is found from now on."""
        ...

    async def count(self, client_id: str, document_id: str) -> int:
        """Chunks of all versions, visible or not."""
        ...

    async def close(self) -> None:
        """Release the folder or the connections."""
        ...


def point_id(client_id: str, chunk: Chunk) -> UUID:
    """The same for the same chunk, so that a replay replaces instead of adding (G12)."""
    parts = (client_id, chunk.document_id, str(chunk.version), str(chunk.index))
    return uuid5(POINTS, "\0".join(parts))


def payload(client_id: str, chunk: Chunk) -> dict[str, Any]:
    """What is kept beside a vector; each engine adds `visible` in its own way."""
    return {
        "client_id": client_id,
        "document_id": chunk.document_id,
        "version": chunk.version,
        "index": chunk.index,
        "title": chunk.title,
        "text": chunk.text,
        "page": chunk.page,
        "row": chunk.row,
        "heading": chunk.heading,
    }


def newest_passages(hits: Iterable[tuple[dict[str, Any], float]]) -> list[Passage]:
    """Payloads and scores as passages, in their order; of two versions of a document only the newer one."""
    hits = list(hits)
    newest: dict[str, int] = {}
    for found, _ in hits:
        newest[found["document_id"]] = max(found["version"], newest.get(found["document_id"], 0))
    return [
        Passage.model_validate({**found, "score": score})
        for found, score in hits
        if found["version"] == newest[found["document_id"]]
    ]
