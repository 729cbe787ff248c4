"""Vectors in a local folder, with Qdrant's engine embedded in this process.

Every read and write takes a `client_id`, and the one function that adds it builds every filter (G6).
A write is in the engine's write-ahead log when its method returns, so it survives a crash of the process. A power
failure may lose what was written after the last flush.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    HnswIndexConfig,
    KeywordIndexParams,
    MatchAny,
    MatchValue,
    PayloadSchemaType,
    Point,
    Query,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    UpdateOperation,
)

from schemas.events import Passage
from stores.vectors.store import Chunk, FolderInUseError, VectorStore, newest_passages, payload, point_id

# The engine holds the GIL during a call: changing 256 points blocks all other Python code for about 4 ms.
SLICE_POINTS = 256
# A flush takes 10 to 300 ms; unflushed points are replayed at the next start, 40,000 per second.
FLUSH_POINTS = 5_000
# No HNSW graph: a search compares all of a client's points, 0.1 ms for a few hundred and 7 ms for 50,000.
NO_GRAPH = HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=10_000, payload_m=0)
# No graph to build either: `optimize` only removes deleted points, once they are a fifth of all.
NO_BUILDING = EdgeOptimizersConfig(indexing_threshold=0, deleted_threshold=0.2)

T = TypeVar("T")
PointId = int | UUID | str


async def open_folder(path: str, *, space: str, dimensions: int) -> VectorStore:
    """The space in this folder, created if needed; the folder is locked until `close`. Raises `FolderInUseError`.

    Deleted points are purged only here, because that blocks the whole process: about a second at 20,000 points.
    """
    # One thread: a search never runs between the steps of a publish or a delete.
    thread = ThreadPoolExecutor(1, "vectors")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, _open, path, space, dimensions, thread)
    except BaseException:
        thread.shutdown(wait=False)
        raise


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

    def _close(self) -> None:
        self._shard.flush()
        self._shard.close()


def _only(client_id: str, must: Sequence[FieldCondition]) -> Filter:
    return Filter(must=[_equals("client_id", client_id), *must])


def _equals(key: str, value: str | int) -> FieldCondition:
    # Never a bool: the engine's Python binding makes it a number, and the filter then matches nothing.
    return FieldCondition(key, match=MatchValue(value))


def _open(path: str, space: str, dimensions: int, thread: ThreadPoolExecutor) -> VectorStore:
    folder = Path(path).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    # The same lock file as in older versions, so that their processes are noticed too.
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(lock, folder)
        return _EdgeVectors(_load(folder, space, dimensions), thread, lock)
    except BaseException:
        os.close(lock)
        raise


def _acquire(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FolderInUseError(
            f"The vectors in {folder} are open in another process: stop it, or use a Qdrant server (QDRANT_URL)."
        ) from error
    if (folder / "meta.json").exists():
        raise FolderInUseError(
            f"The vectors in {folder} were written by an older version: delete the folder and upload the documents "
            "again, or start with a new data folder."
        )


def _load(folder: Path, space: str, dimensions: int) -> EdgeShard:
    shard_folder = folder / quote(space, safe="")
    shard_folder.mkdir(exist_ok=True)
    config = EdgeConfig(
        vectors=EdgeVectorParams(size=dimensions, distance=Distance.Cosine),
        hnsw_config=NO_GRAPH,
        optimizers=NO_BUILDING,
        max_search_threads=1,
    )
    # An empty folder loads as an empty shard, so a process killed here leaves nothing to repair.
    shard = EdgeShard.load(str(shard_folder), config)
    shard.update(UpdateOperation.create_field_index("client_id", KeywordIndexParams(is_tenant=True)))
    shard.update(UpdateOperation.create_field_index("document_id", PayloadSchemaType.Keyword))
    shard.update(UpdateOperation.create_field_index("digest", PayloadSchemaType.Keyword))
    shard.update(UpdateOperation.create_field_index("visible", PayloadSchemaType.Integer))
    shard.optimize()
    shard.flush()
    return shard
