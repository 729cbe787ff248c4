"""Vectors in a local folder, with Qdrant's engine embedded in this process.

Every read and write takes a `client_id`, and the one function that adds it builds every filter (G6).
A write is in the engine's write-ahead log when its method returns, so it survives a crash of the process. A power
failure may lose what was written after the last flush.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from qdrant_edge import (
    CountRequest,
    EdgeShard,
    FieldCondition,
    Filter,
    MatchAny,
    MatchValue,
    Point,
    Query,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    UpdateOperation,
)

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

# The engine holds the GIL during a call: changing 256 points blocks all other Python code for about 4 ms.
SLICE_POINTS = 256
# A flush takes 10 to 300 ms; unflushed points are replayed at the next start, 40,000 per second.
FLUSH_POINTS = 5_000

T = TypeVar("T")
PointId = int | UUID | str


def edge_vectors(shard: EdgeShard, thread: ThreadPoolExecutor, lock: int) -> VectorStore:
    """The store over an open shard. `close` shuts down the thread and closes the file descriptor `lock`."""
    return _EdgeVectors(shard, thread, lock)


class _EdgeVectors:
    """A `VectorStore` over one `EdgeShard`; changes never run on the event loop."""

    def __init__(self, shard: EdgeShard, thread: ThreadPoolExecutor, lock: int) -> None:
        self._shard = shard
        self._thread = thread
        self._lock = lock
        self._unflushed_points = 0
        self._jobs: set[Future[Any]] = set()

    async def upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        for start in range(0, len(chunks), SLICE_POINTS):
            await self._run_job(partial(self._upsert, client_id, chunks[start : start + SLICE_POINTS]))

    async def search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        # Without a pending job it runs on the event loop, which saves two thread switches; the engine holds the GIL, so
        # the loop is blocked either way.
        if not self._jobs:
            return self._search(client_id, vector, limit)
        return await self._run_job(lambda: self._search(client_id, vector, limit))

    async def vectors_of(
        self, client_id: str, document_id: str, digests: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        return await self._run_job(lambda: self._vectors_of(client_id, document_id, digests))

    async def publish_version(self, client_id: str, document_id: str, version: int) -> None:
        await self._run_job(lambda: self._publish(client_id, document_id, version))

    async def delete(self, client_id: str, document_id: str, *, up_to: int | None = None) -> None:
        versions = [] if up_to is None else [FieldCondition("version", range=RangeFloat(lte=up_to))]
        chosen = _only(client_id, [_equals("document_id", document_id), *versions])
        await self._run_job(lambda: self._change(chosen, UpdateOperation.delete_points))

    async def count(self, client_id: str, document_id: str) -> int:
        chosen = _only(client_id, [_equals("document_id", document_id)])
        return await self._run_job(lambda: self._shard.count(CountRequest(filter=chosen)))

    async def versions(self) -> dict[VersionKey, VersionPoints]:
        return count_versions(await self._run_job(lambda: list(self._payloads())))

    async def close(self) -> None:
        try:
            await self._run_job(self._close)
        finally:
            self._thread.shutdown()
            os.close(self._lock)

    async def _run_job(self, call: Callable[[], T]) -> T:
        job = self._thread.submit(call)
        # A job goes on when the caller that waits for it is cancelled.
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return await asyncio.wrap_future(job)

    def _upsert(self, client_id: str, chunks: Sequence[Chunk]) -> None:
        ids: list[PointId] = [point_id(client_id, chunk) for chunk in chunks]
        # An upsert repeated after `publish_version` must not hide chunks that searches already find.
        visible = {
            record.id: (record.payload or {}).get("visible", 0)
            for record in self._shard.retrieve(ids, with_payload=["visible"], with_vector=False)
        }
        points = [
            Point(key, chunk.vector.tolist(), {**payload(client_id, chunk), "visible": visible.get(key, 0)})
            for key, chunk in zip(ids, chunks, strict=True)
        ]
        self._update(UpdateOperation.upsert_points(points), len(points))

    def _search(self, client_id: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        chosen = _only(client_id, [_equals("visible", 1)])
        nearest = Query.Nearest(vector.tolist())
        found = self._shard.query(QueryRequest(limit=limit, query=nearest, filter=chosen, with_payload=True))
        return newest_passages((point.payload or {}, point.score) for point in found)

    def _vectors_of(self, client_id: str, document_id: str, digests: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        same = FieldCondition("digest", match=MatchAny(list(digests)))
        chosen = _only(client_id, [_equals("document_id", document_id), same])
        found, _ = self._shard.scroll(
            ScrollRequest(None, SLICE_POINTS, chosen, with_payload=["digest"], with_vector=True)
        )
        return {
            (record.payload or {})["digest"]: np.asarray(record.vector, np.float32)
            for record in found
            if isinstance(record.vector, list)
        }

    def _publish(self, client_id: str, document_id: str, version: int) -> None:
        document = _equals("document_id", document_id)
        hidden = _only(client_id, [document, _equals("version", version), _equals("visible", 0)])
        lower = _only(client_id, [document, FieldCondition("version", range=RangeFloat(lt=version))])
        self._change(hidden, lambda ids: UpdateOperation.set_payload(ids, {"visible": 1}))
        self._change(lower, UpdateOperation.delete_points)

    def _change(self, chosen: Filter, operation: Callable[[list[PointId]], UpdateOperation]) -> None:
        offset: PointId | None = None
        while True:
            slice_ = ScrollRequest(offset, SLICE_POINTS, chosen, with_payload=False, with_vector=False)
            records, offset = self._shard.scroll(slice_)
            if records:
                self._update(operation([record.id for record in records]), len(records))
            if offset is None:
                return

    def _update(self, operation: UpdateOperation, points: int) -> None:
        self._shard.update(operation)
        self._unflushed_points += points
        if self._unflushed_points >= FLUSH_POINTS:
            self._shard.flush()
            self._unflushed_points = 0

    def _payloads(self) -> Iterator[dict[str, Any]]:
        offset: PointId | None = None
        while True:
            slice_ = ScrollRequest(offset, SLICE_POINTS, None, with_payload=list(COUNTED), with_vector=False)
            records, offset = self._shard.scroll(slice_)
            yield from (record.payload or {} for record in records)
            if offset is None:
                return

    def _close(self) -> None:
        self._shard.flush()
        self._shard.close()


def _only(client_id: str, must: Sequence[FieldCondition]) -> Filter:
    return Filter(must=[_equals("client_id", client_id), *must])


def _equals(key: str, value: str | int) -> FieldCondition:
    # Never a bool: the engine's Python binding makes it a number, and the filter then matches nothing.
    return FieldCondition(key, match=MatchValue(value))
