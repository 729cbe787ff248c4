"""Vectors in a Qdrant server.

Every read and write takes a `client_id`, and the one function that adds it builds every filter (G6).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from schemas.failures import RetryableError
from schemas.passages import Passage
from stores.vectors.store import (
    COUNTED,
    Chunk,
    VectorStore,
    VersionKey,
    VersionPoints,
    count_versions,
    newest_passages,
    payload,
    point_id,
)

THREADS = 8
# A batch of texts, in a few versions of their document.
MAX_KNOWN = 256
MAX_LISTED = 10_000
TIMEOUT_SECONDS = 10

T = TypeVar("T")


async def open_server(url: str, api_key: str | None, *, space: str, dimensions: int) -> VectorStore:
    """The collection `space`, created if need be. Raises `RetryableError` when the server does not answer."""
    threads = ThreadPoolExecutor(THREADS, "vectors")
    try:
        client = await _run_in(threads, lambda: _connect(url, api_key))
        await _run_in(threads, lambda: _create_collection(client, space, dimensions))
    except BaseException:
        threads.shutdown(wait=False)
        raise
    return _ServerVectors(client, threads, space)


class _ServerVectors:
    """A `VectorStore` over `QdrantClient`; calls never run on the event loop."""

    def __init__(self, client: QdrantClient, threads: ThreadPoolExecutor, space: str) -> None:
        self._client = client
        self._threads = threads
        self._space = space

    async def upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        if chunks:
            await _run_in(self._threads, lambda: self._upsert(client_id, chunks))

    async def search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        return await _run_in(self._threads, lambda: self._search(client_id, vector, limit))

    async def vectors_of(
        self, client_id: str, document_id: str, digests: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        return await _run_in(self._threads, lambda: self._vectors_of(client_id, document_id, digests))

    async def publish_version(self, client_id: str, document_id: str, version: int) -> None:
        document = [_equals("document_id", document_id)]
        same = _only(client_id, [*document, _equals("version", version)])
        lower = models.FieldCondition(key="version", range=models.Range(lt=version))
        # One request; a `_search` between its two operations keeps only a document's newest version.
        operations: list[models.UpdateOperation] = [
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"visible": True}, filter=same)),
            models.DeleteOperation(delete=models.FilterSelector(filter=_only(client_id, [*document, lower]))),
        ]
        await _run_in(self._threads, lambda: self._client.batch_update_points(self._space, operations))

    async def delete(self, client_id: str, document_id: str, *, up_to: int | None = None) -> None:
        versions = [] if up_to is None else [models.FieldCondition(key="version", range=models.Range(lte=up_to))]
        selector = models.FilterSelector(filter=_only(client_id, [_equals("document_id", document_id), *versions]))
        await _run_in(self._threads, lambda: self._client.delete(self._space, selector))

    async def count(self, client_id: str, document_id: str) -> int:
        chosen = _only(client_id, [_equals("document_id", document_id)])
        return await _run_in(self._threads, lambda: self._client.count(self._space, chosen).count)

    async def versions(self) -> dict[VersionKey, VersionPoints]:
        return count_versions(await _run_in(self._threads, lambda: list(self._payloads())))

    async def close(self) -> None:
        await _run_in(self._threads, self._client.close)
        self._threads.shutdown()

    def _upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        ids = [str(point_id(client_id, chunk)) for chunk in chunks]
        # An upsert repeated after `publish_version` must not hide chunks that searches already find.
        visible = {
            str(record.id)
            for record in self._client.retrieve(self._space, ids, with_payload=["visible"])
            if (record.payload or {}).get("visible")
        }
        points = [
            models.PointStruct(
                id=key, vector=chunk.vector.tolist(), payload={**payload(client_id, chunk), "visible": key in visible}
            )
            for key, chunk in zip(ids, chunks, strict=True)
        ]
        self._client.upsert(self._space, points)

    def _vectors_of(self, client_id: str, document_id: str, digests: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        same = models.FieldCondition(key="digest", match=models.MatchAny(any=list(digests)))
        chosen = _only(client_id, [_equals("document_id", document_id), same])
        found, _ = self._client.scroll(self._space, chosen, limit=MAX_KNOWN, with_payload=["digest"], with_vectors=True)
        return {(record.payload or {})["digest"]: np.asarray(record.vector, np.float32) for record in found}

    def _payloads(self) -> Iterator[dict[str, Any]]:
        offset = None
        while True:
            found, offset = self._client.scroll(
                self._space, limit=MAX_LISTED, offset=offset, with_payload=list(COUNTED), with_vectors=False
            )
            yield from (record.payload or {} for record in found)
            if offset is None:
                return

    def _search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        chosen = _only(client_id, [_equals("visible", value=True)])
        found = self._client.query_points(self._space, query=vector.tolist(), query_filter=chosen, limit=limit)
        return newest_passages((point.payload or {}, point.score) for point in found.points)


def _only(client_id: str, must: Sequence[models.Condition]) -> models.Filter:
    return models.Filter(must=[_equals("client_id", client_id), *must])


def _equals(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _connect(url: str, api_key: str | None) -> QdrantClient:
    return QdrantClient(url=url, api_key=api_key, timeout=TIMEOUT_SECONDS, check_compatibility=False)


def _create_collection(client: QdrantClient, space: str, dimensions: int) -> None:
    if not client.collection_exists(space):
        client.create_collection(
            space,
            vectors_config=models.VectorParams(size=dimensions, distance=models.Distance.COSINE),
            # One HNSW graph per tenant and no global one: every search names its tenant.
            hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
        )
    tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    client.create_payload_index(space, "client_id", tenant)
    client.create_payload_index(space, "document_id", models.PayloadSchemaType.KEYWORD)
    client.create_payload_index(space, "digest", models.PayloadSchemaType.KEYWORD)
    client.create_payload_index(space, "visible", models.PayloadSchemaType.BOOL)


async def _run_in(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, call)
    except (ResponseHandlingException, UnexpectedResponse) as error:
        raise RetryableError(f"Qdrant refused the request or did not answer: {error}") from error
