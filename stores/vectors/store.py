"""The interface of a vector engine, and what all engines share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from schemas.passages import Passage

POINTS = UUID("6f0a7c3e-9d6b-5a52-8a51-0a3c6d1f4b27")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one version of a document. `index` counts from 0; `page` and `row` from 1; `page_end` is the last of
    several pages. `vector`: unit length; `digest` is of the text that it was made from.
    """

    document_id: str
    version: int
    index: int
    title: str
    text: str
    vector: NDArray[np.float32]
    digest: str = ""
    page: int | None = None
    page_end: int | None = None
    row: int | None = None
    heading: str | None = None


COUNTED = ("client_id", "document_id", "version", "visible")
VersionKey = tuple[str, str, int]
"""Client, document, version."""


class VersionPoints(NamedTuple):
    """How many chunks of a version there are, and how many of them a search finds."""

    points: int
    visible: int


class FolderInUseError(Exception):
    """The folder of the embedded engine is open in another process, or an older version wrote it."""


class VectorStore(Protocol):
    """A vector engine. Each method raises `RetryableError` when the engine is unavailable."""

    async def upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        """Write chunks, hidden until their version is published. Writing a chunk again replaces it."""
        ...

    async def search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        """The nearest visible passages of this client, best first; `score` is the cosine similarity."""
        ...

    async def vectors_of(
        self, client_id: str, document_id: str, digests: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """By digest, the vectors that chunks of any version of the document have; at most a batch of digests."""
        ...

    async def publish_version(self, client_id: str, document_id: str, version: int) -> None:
        """Make this version visible and remove every lower one; a higher one stays and wins."""
        ...

    async def delete(self, client_id: str, document_id: str, *, up_to: int | None = None) -> None:
        """Delete the document's chunks: of every version, or of the versions `up_to` and below."""
        ...

    async def count(self, client_id: str, document_id: str) -> int:
        """Chunks of all versions, visible or not."""
        ...

    async def versions(self) -> dict[VersionKey, VersionPoints]:
        """Everything that is stored, of every client. Reads all payloads: for audits."""
        ...

    async def close(self) -> None:
        """Release the folder or the connections."""
        ...


def point_id(client_id: str, chunk: Chunk) -> UUID:
    """Deterministic, so that writing a chunk again replaces it (G12)."""
    parts = (client_id, chunk.document_id, str(chunk.version), str(chunk.index))
    return uuid5(POINTS, "\0".join(parts))


def payload(client_id: str, chunk: Chunk) -> dict[str, Any]:
    """What is stored with a vector; each engine adds `visible` as a type of its own."""
    return {
        "client_id": client_id,
        "document_id": chunk.document_id,
        "version": chunk.version,
        "index": chunk.index,
        "title": chunk.title,
        "text": chunk.text,
        "digest": chunk.digest,
        "page": chunk.page,
        "page_end": chunk.page_end,
        "row": chunk.row,
        "heading": chunk.heading,
    }


def count_versions(payloads: Iterable[dict[str, Any]]) -> dict[VersionKey, VersionPoints]:
    """The versions in these payloads."""
    found: dict[VersionKey, VersionPoints] = {}
    for one in payloads:
        key = one["client_id"], one["document_id"], int(one["version"])
        points, visible = found.get(key, VersionPoints(0, 0))
        found[key] = VersionPoints(points + 1, visible + bool(one["visible"]))
    return found


def newest_passages(hits: Iterable[tuple[dict[str, Any], float]]) -> list[Passage]:
    """Payloads and scores as passages, in their order; of each document only the newest version found."""
    hits = list(hits)
    newest: dict[str, int] = {}
    for found, _ in hits:
        newest[found["document_id"]] = max(found["version"], newest.get(found["document_id"], 0))
    return [
        Passage.model_validate({**found, "score": score})
        for found, score in hits
        if found["version"] == newest[found["document_id"]]
    ]
