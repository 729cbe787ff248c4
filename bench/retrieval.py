"""A search among 50,000 points of 100 clients in the embedded engine, alone and with the question's embedding."""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from bench.report import emit, percentile, rounded_median, say
from handlers.models.embedder import open_embedder
from schemas.settings import Settings
from stores.vectors.engine import open_vectors
from stores.vectors.store import Chunk, VectorStore

POINTS = 50_000
CLIENTS = 100
QUERIES = 500
ROUNDS = 3
LIMIT = 6
TEXT = "A passage of a thousand characters. " * 28


async def fill(vectors: VectorStore, points: int, dimensions: int) -> None:
    """Random unit vectors, a document a client, visible."""
    rng, each = np.random.default_rng(1), points // CLIENTS
    for client in range(CLIENTS):
        found = rng.normal(size=(each, dimensions)).astype(np.float32)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        chunks = [Chunk("doc", 1, number, "Title", TEXT, found[number], str(number)) for number in range(each)]
        await vectors.upsert(f"c{client}", chunks)
        await vectors.publish_version(f"c{client}", "doc", 1)


async def timed(search: Callable[[int], Awaitable[object]], queries: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    found = []
    for number in range(queries):
        begun = time.perf_counter()
        await search(number)
        found.append((time.perf_counter() - begun) * 1000)
    return percentile(found, 0.5), percentile(found, 0.95)


async def measure(points: int) -> dict[str, object]:
    """Medians of three rounds by turns."""
    with tempfile.TemporaryDirectory() as name:
        async with open_embedder(Settings(embeddings="local")) as embedder:
            vectors = await open_vectors(
                str(Path(name) / "qdrant"), None, space=embedder.name, dimensions=embedder.dimensions
            )
            await fill(vectors, points, embedder.dimensions)
            say("filled")
            query, rng = await embedder.embed_query("How long is the refund period?"), random.Random(1)

            async def search(_: int) -> object:
                return await vectors.search(f"c{rng.randrange(CLIENTS)}", query, LIMIT)

            async def embed_and_search(number: int) -> object:
                vector = await embedder.embed_query(f"How long is the refund period of lamp {number}?")
                return await vectors.search(f"c{rng.randrange(CLIENTS)}", vector, LIMIT)

            rounds = [(await timed(search, QUERIES), await timed(embed_and_search, QUERIES)) for _ in range(ROUNDS)]
            await vectors.close()
    return {
        "engine": "embedded",
        "points": points,
        "clients": CLIENTS,
        "p50_ms": rounded_median([bare[0] for bare, _ in rounds]),
        "p95_ms": rounded_median([bare[1] for bare, _ in rounds]),
        "p50_with_embedding_ms": rounded_median([whole[0] for _, whole in rounds]),
        "p95_with_embedding_ms": rounded_median([whole[1] for _, whole in rounds]),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    emit(asyncio.run(measure(POINTS // 2 if parser.parse_args().quick else POINTS)))
