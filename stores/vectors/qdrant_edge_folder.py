"""Opens the folder of the embedded engine, for one process at a time."""

import asyncio
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeVectorParams,
    HnswIndexConfig,
    KeywordIndexParams,
    PayloadSchemaType,
    UpdateOperation,
)

from stores.vectors.qdrant_edge import edge_vectors
from stores.vectors.store import FolderInUseError, VectorStore

# No HNSW graph: a search compares all of a client's points, 0.1 ms for a few hundred and 7 ms for 50,000.
NO_GRAPH = HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=10_000, payload_m=0)
# No graph to build either: `optimize` only removes deleted points, once they are a fifth of all.
NO_BUILDING = EdgeOptimizersConfig(indexing_threshold=0, deleted_threshold=0.2)


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


def _open(path: str, space: str, dimensions: int, thread: ThreadPoolExecutor) -> VectorStore:
    folder = Path(path).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    # The same lock file as in older versions, so that their processes are noticed too.
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(lock, folder)
        return edge_vectors(_load(folder, space, dimensions), thread, lock)
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
