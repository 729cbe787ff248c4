"""What ingestion costs: throughput beside the bare embedding's, memory for large files, waiting, deletes.

The whole pipeline runs: upload over HTTP, Kafka, the child that reads, chunks, local embeddings, the embedded vector
engine. `embedding_only_chunks_per_s` is the same model on the same texts alone, in this process, in turns with it.
The large files are watched until they are read, split and embedding has run for 20 s; embedding all of 50 MB takes
half an hour of two cores and no more memory.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from textwrap import wrap

from bench.knowledge_site import Site, is_ready, site
from bench.report import emit, rounded_median, say
from handlers.ingestion.chunks import Splitter
from handlers.models.embedder import open_embedder
from handlers.models.minilm import weights_folder
from handlers.ports import Embedder
from handlers.readers.section import Section
from schemas.settings import Settings
from tests.support.pdf_writer import lines, pdf

ROUNDS = 3
CHUNKS = 320
BATCH_SIZE = 32
QUEUED = 1_000
EMBEDDING_SECONDS = 20.0
LARGE_BYTES = 50_000_000
LARGE_PAGES = 5_000
WORDS = ("kiln", "boat", "deposit", "summer", "adult", "ticket", "refund", "lamp", "battery", "garden", "night", "bus")


def prose(characters: int, seed: int) -> str:
    """Sentences of which no two are alike."""
    rng, lines, length = random.Random(seed), list[str](), 0
    while length < characters:
        words = " ".join(rng.choices(WORDS, k=12))
        lines.append(
            f"{words.capitalize()} costs {rng.randrange(10**6)} euros." + ("\n\n" if len(lines) % 6 == 5 else " ")
        )
        length += len(lines[-1])
    return "".join(lines)


def text_pdf(pages: list[str]) -> bytes:
    """A page of lines for each text."""
    return pdf(*(lines(60, 780, *wrap(page, 80), size=10) for page in pages))


async def throughput(place: Site, embedder: Embedder, seed: int) -> tuple[float, float]:
    """Chunks per second: the whole pipeline, and the embedding alone of equally many."""
    splitter = await asyncio.to_thread(Splitter, weights_folder() / "tokenizer.json")
    text = prose(CHUNKS * 700, seed)
    texts = [piece.text for piece in splitter.split([Section(text)])]
    begun = time.monotonic()
    for start in range(0, len(texts), BATCH_SIZE):
        await embedder.embed(texts[start : start + BATCH_SIZE])
    alone = len(texts) / (time.monotonic() - begun)
    document = await place.upload("a", f"{seed}.txt", text.encode())
    whole = len(texts) / await place.until("a", document, is_ready)
    await place.delete("a", document)
    return whole, alone


async def peak(place: Site, name: str, content: bytes) -> float:
    """Megabytes above idle until a large file is embedding."""
    async with place.peak_mb() as found:
        document = await place.upload("a", name, content)
        await place.until("a", document, lambda row: row.status in ("embedding", "ready"))
        await asyncio.sleep(EMBEDDING_SECONDS)
    await place.delete("a", document)
    say(f"{name}: {found[0]:.0f} MB idle, {found[1]:.0f} MB at most")
    return round(found[1] - found[0], 1)


async def deletion(place: Site) -> float:
    """Seconds from a delete, behind other documents of the client, until no answer uses the document any more."""
    text = "The orange submarine leaves the harbour at a quarter past nine."
    document = await place.upload("a", "submarine.txt", text.encode())
    await place.until("a", document, is_ready)
    for number in range(10):
        await place.produce("a", f"behind-{number}.txt", prose(20_000, number).encode())
    question = "When does the orange submarine leave the harbour?"
    assert document in await place.sources("a", question)
    begun = time.monotonic()
    await place.delete("a", document)
    while document in await place.sources("a", question):
        await asyncio.sleep(0)
    return time.monotonic() - begun


async def waiting(place: Site, queued: int) -> tuple[float, float]:
    """Seconds until a document of another client is ready: alone, and behind `queued` documents."""

    async def one(seed: int) -> float:
        document = await place.upload("b", f"{seed}.txt", prose(8_000, seed).encode())
        return await place.until("b", document, is_ready)

    alone = rounded_median([await one(number) for number in range(ROUNDS)])
    for number in range(queued):
        await place.produce("a", f"queued-{number}.txt", prose(4_000, number).encode())
    return alone, rounded_median([await one(100 + number) for number in range(ROUNDS)])


async def measure(*, is_quick: bool) -> dict[str, object]:
    """All figures; the rounds of the throughput by turns."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        async with site(Path(name), ("a", "b")) as place, open_embedder(Settings(embeddings="local")) as embedder:
            await throughput(place, embedder, 0)
            rounds = [await throughput(place, embedder, 1 + turn) for turn in range(1 if is_quick else ROUNDS)]
            say(f"throughput {rounds}")
            pages = await place.upload("a", "ten.pdf", text_pdf([prose(2_000, page) for page in range(10)]))
            pdf_seconds = await place.until("a", pages, is_ready)
            size = LARGE_BYTES // 10 if is_quick else LARGE_BYTES
            text_mb = await peak(place, "large.txt", prose(size, 7).encode())
            many = LARGE_PAGES // 10 if is_quick else LARGE_PAGES
            pdf_mb = await peak(place, "large.pdf", text_pdf([prose(1_200, page) for page in range(many)]))
            alone, behind = await waiting(place, QUEUED // 10 if is_quick else QUEUED)
            hidden_seconds = await deletion(place)
    return {
        "pipeline_chunks_per_s": rounded_median([whole for whole, _ in rounds], 1),
        "embedding_only_chunks_per_s": rounded_median([bare for _, bare in rounds], 1),
        "ratio": rounded_median([whole / bare for whole, bare in rounds]),
        "peak_mb_text_50mb": text_mb,
        "peak_mb_pdf_5000_pages": pdf_mb,
        "delete_hidden_s": round(hidden_seconds, 3),
        "pdf_10_pages_ready_s": round(pdf_seconds, 2),
        "other_client_alone_s": alone,
        "other_client_behind_s": behind,
        "other_client_wait_ratio": round(behind / alone, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    emit(asyncio.run(measure(is_quick=parser.parse_args().quick)))
