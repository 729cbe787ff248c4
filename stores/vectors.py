"""The vectors of every knowledge base, in Qdrant: a server, or its engine in a folder of ours.

No method can be called without a `client_id`, and every filter is made by the one function that puts it in (G6).
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from schemas.events import Passage
from schemas.failures import RetryableError

POINTS = UUID("6f0a7c3e-9d6b-5a52-8a51-0a3c6d1f4b27")
SERVER_THREADS = 8
SERVER_TIMEOUT_SECONDS = 10

T = TypeVar("T")


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
    """The folder of the embedded engine belongs to another process."""


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


async def open_vectors(url: str, api_key: str | None, *, space: str, dimensions: int) -> VectorStore:
    """The store at a server's URL or in a folder. `space` names the collection: spaces never mix.

    Raises `FolderInUseError`, and `RetryableError` when the server does not answer.
    """
    is_server = url.startswith(("http://", "https://"))
    # Local mode is sqlite plus Python lists: safe on one thread only.
    threads = ThreadPoolExecutor(SERVER_THREADS if is_server else 1, "vectors")
    try:
        client = await _on(threads, lambda: _connect(url, api_key) if is_server else _open_folder(url))
        await _on(threads, lambda: _create_collection(client, space, dimensions, is_server=is_server))
    except BaseException:
        threads.shutdown(wait=False)
        raise
    return _QdrantVectors(client, threads, space)


class _QdrantVectors:
    """A `VectorStore` over `QdrantClient`, never on the event loop."""

    def __init__(self, client: QdrantClient, threads: ThreadPoolExecutor, space: str) -> None:
        self._client = client
        self._threads = threads
        self._space = space

    async def upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        if chunks:
            await _on(self._threads, lambda: self._upsert(client_id, chunks))

    async def search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        return await _on(self._threads, lambda: self._search(client_id, vector, limit))

    async def publish_version(self, client_id: str, document_id: str, version: int) -> None:
        document = [_equals("document_id", document_id)]
        same = _only(client_id, [*document, _equals("version", version)])
        lower = models.FieldCondition(key="version", range=models.Range(lt=version))
        # One request on one thread: between the two steps `_search` keeps the newest version of a document.
        operations: list[models.UpdateOperation] = [
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"visible": True}, filter=same)),
            models.DeleteOperation(delete=models.FilterSelector(filter=_only(client_id, [*document, lower]))),
        ]
        await _on(self._threads, lambda: self._client.batch_update_points(self._space, operations))

    async def delete(self, client_id: str, document_id: str) -> None:
        selector = models.FilterSelector(filter=_only(client_id, [_equals("document_id", document_id)]))
        await _on(self._threads, lambda: self._client.delete(self._space, selector))

    async def count(self, client_id: str, document_id: str) -> int:
        chosen = _only(client_id, [_equals("document_id", document_id)])
        return await _on(self._threads, lambda: self._client.count(self._space, chosen).count)

    async def close(self) -> None:
        await _on(self._threads, self._client.close)
        self._threads.shutdown()

    def _upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        ids = [str(point_id(client_id, chunk)) for chunk in chunks]
        # A replay after `publish_version` must not hide what visitors are answered from meanwhile.
        visible = {
            str(record.id)
            for record in self._client.retrieve(self._space, ids, with_payload=["visible"])
            if (record.payload or {}).get("visible")
        }
        points = [
            models.PointStruct(id=key, vector=chunk.vector.tolist(), payload=_payload(client_id, chunk, key in visible))
            for key, chunk in zip(ids, chunks, strict=True)
        ]
        self._client.upsert(self._space, points)

    def _search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        chosen = _only(client_id, [_equals("visible", value=True)])
        found = self._client.query_points(self._space, query=vector.tolist(), query_filter=chosen, limit=limit)
        hits = [(point.payload or {}, point.score) for point in found.points]
        newest: dict[str, int] = {}
        for payload, _ in hits:
            newest[payload["document_id"]] = max(payload["version"], newest.get(payload["document_id"], 0))
        return [
            Passage.model_validate({**payload, "score": score})
            for payload, score in hits
            if payload["version"] == newest[payload["document_id"]]
        ]


def point_id(client_id: str, chunk: Chunk) -> UUID:
    """The same for the same chunk, so that a replay replaces instead of adding (G12)."""
    parts = (client_id, chunk.document_id, str(chunk.version), str(chunk.index))
    return uuid5(POINTS, "\0".join(parts))


def _payload(client_id: str, chunk: Chunk, visible: bool) -> dict[str, Any]:  # noqa: FBT001
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
        "visible": visible,
    }


def _only(client_id: str, must: Sequence[models.Condition]) -> models.Filter:
    return models.Filter(must=[_equals("client_id", client_id), *must])


def _equals(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _connect(url: str, api_key: str | None) -> QdrantClient:
    return QdrantClient(url=url, api_key=api_key, timeout=SERVER_TIMEOUT_SECONDS, check_compatibility=False)


def _open_folder(path: str) -> QdrantClient:
    folder = Path(path).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return QdrantClient(path=str(folder))
    except RuntimeError as error:
        raise FolderInUseError(
            f"The vectors in {folder} are open in another process: stop it, or use a Qdrant server (QDRANT_URL)."
        ) from error


def _create_collection(client: QdrantClient, space: str, dimensions: int, *, is_server: bool) -> None:
    if not client.collection_exists(space):
        client.create_collection(
            space,
            vectors_config=models.VectorParams(size=dimensions, distance=models.Distance.COSINE),
            # One graph per tenant and none over all: every search names its tenant.
            hnsw_config=models.HnswConfigDiff(m=0, payload_m=16) if is_server else None,
        )
    if not is_server:
        _quicken(client, space)
    else:
        tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        client.create_payload_index(space, "client_id", tenant)
        client.create_payload_index(space, "document_id", models.PayloadSchemaType.KEYWORD)
        client.create_payload_index(space, "visible", models.PayloadSchemaType.BOOL)


def _quicken(client: QdrantClient, space: str) -> None:
    # Local mode commits every point alone: 5,000 published chunks would keep searches waiting for six seconds.
    # Write-ahead without a sync per commit loses nothing when the process is killed. There is no public way to it.
    local: Any = client._client  # noqa: SLF001
    database = local.collections[space].storage.storage
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")


async def _on(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, call)
    except (ResponseHandlingException, UnexpectedResponse) as error:
        raise RetryableError(f"Qdrant did not do what was asked: {error}") from error
