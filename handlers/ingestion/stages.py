"""From an uploaded file to published vectors, stage by stage, in memory that does not grow with the file."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from handlers.background_task import background_task
from handlers.ingestion.chunks import Splitter, embedded_text, shown_heading
from handlers.ingestion.in_work import DocumentsInWork
from handlers.models.minilm import weights_folder
from handlers.ports import Embedder
from handlers.readers.detection import format_of
from handlers.readers.fair_slots import FairSlots
from handlers.readers.isolation import ReaderLimits, read_isolated
from handlers.readers.section import Section, UnreadableError, load_sections
from schemas.events import DocumentUploaded
from schemas.formats import Format, format_by_name
from stores.embedding_cache import EmbeddingCache
from stores.uploads import Uploads
from stores.vectors.store import Chunk, VectorStore

FETCH_SECONDS = 120
CHUNK_SECONDS = 900
# Batches of many documents take turns, so one may wait for the others'.
BATCH_SECONDS = 300
PUBLISH_SECONDS = 120
BATCH_SIZE = 32
# Every source of an answer names its document, and a record of the log holds a megabyte.
MAX_TITLE_CHARACTERS = 300
SLICE_SECONDS = 0.5
# One client cannot have all of them. Each uses at most 400 MB.
MAX_CHILDREN = 3
MAX_CLIENT_CHILDREN = 2
WAIT_SECONDS = 5
OCR_SECONDS = 1_800.0
# A client with several documents in work lets the readers of others go first.
BULK_NICENESS = 10
PAGED = ("pdf", "pptx")

Stage = Literal["parsing", "chunking", "embedding", "indexing"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far one stage is, 0 to 1; `chunks` once they are counted, `warnings` as far as the reader is."""

    stage: Stage
    fraction: float
    text: str
    chunks: int | None = None
    warnings: tuple[str, ...] = ()


class Stages:
    """The stages of every document. One instance per process: it bounds the child processes.

    `ocr_languages`: of scanned pages, as Tesseract names them; empty: such pages are not read.
    """

    def __init__(
        self, uploads: Uploads, vectors: VectorStore, embedder: Embedder, cache: EmbeddingCache, ocr_languages: str = ""
    ) -> None:
        self._uploads = uploads
        self._vectors = vectors
        self._embedder = embedder
        self._cache = cache
        self._ocr_languages = ocr_languages
        self._children = FairSlots(MAX_CHILDREN, MAX_CLIENT_CHILDREN)
        # The model takes one batch at a time: clients with batches to embed take turns.
        self._turns = FairSlots(1, 1)
        self._in_work = DocumentsInWork()

    async def run(self, uploaded: DocumentUploaded, folder: Path) -> AsyncGenerator[Step, None]:
        """Ends when the version is published. Raises `UnreadableError` and `RetryableError`."""
        source, sections, pieces = folder / "source", folder / "sections.jsonl", folder / "pieces.jsonl"
        yield Step("parsing", 0, "Fetching the file")
        with self._in_work.held(uploaded.client_id):
            await self._fetch(uploaded, source)
            async with aclosing(self._parse(uploaded, source, sections)) as steps:
                async for step in steps:
                    yield step
            async for step in self._index(uploaded, sections, pieces):
                yield step

    async def _index(self, uploaded: DocumentUploaded, sections: Path, pieces: Path) -> AsyncIterator[Step]:
        chunks = 0
        async for step in self._chunk(sections, pieces):
            chunks = step.chunks or 0
            yield step
        if not chunks:
            raise no_text(uploaded)
        async for step in self._embed(uploaded, pieces, chunks):
            yield step
        yield Step("indexing", 0, "Publishing", chunks)
        async with asyncio.timeout(PUBLISH_SECONDS):
            await self._vectors.publish_version(uploaded.client_id, uploaded.document_id, uploaded.version)

    async def _fetch(self, uploaded: DocumentUploaded, target: Path) -> None:
        if not self._uploads.belongs_to(uploaded.client_id, uploaded.uri):
            raise UnreadableError("The file is not among this client's uploads: upload it first.", code="foreign_uri")
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                await self._uploads.fetch(uploaded.uri, target)
                digest = await asyncio.to_thread(_sha256, target)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise UnreadableError("The uploaded file is no longer there: upload it again.", code="gone") from error
        if uploaded.sha256 and digest != uploaded.sha256:
            raise UnreadableError("The file changed after it was uploaded: upload it again.", code="changed")

    async def _parse(self, uploaded: DocumentUploaded, source: Path, target: Path) -> AsyncGenerator[Step, None]:
        await self._in_work.give_way(uploaded.client_id)
        found = await asyncio.to_thread(format_of, source, uploaded.filename, uploaded.media_type)
        async with AsyncExitStack() as stack:
            async with background_task(stack.enter_async_context(self._children.held(uploaded.client_id))) as entering:
                while not (await asyncio.wait([entering], timeout=WAIT_SECONDS))[0]:
                    yield Step("parsing", 0, "Waiting for its turn to be read")
            limits = self._limits(uploaded.client_id, found)
            async with aclosing(read_isolated(found.name, source, target, limits, self._ocr_languages)) as steps:
                async for read in steps:
                    fraction = read.done / max(read.total, 1)
                    pages = f"Reading page {read.done} of {read.total}"
                    text = pages if found.name in PAGED else f"Read {fraction:.0%}"
                    yield Step("parsing", fraction, text, warnings=read.warnings)

    def _limits(self, client_id: str, found: Format) -> ReaderLimits:
        niceness = BULK_NICENESS if self._in_work.has_several(client_id) else 0
        if self._ocr_languages and found.name == "pdf":
            return ReaderLimits(OCR_SECONDS, niceness=niceness)
        return ReaderLimits(niceness=niceness)

    async def _chunk(self, sections: Path, target: Path) -> AsyncIterator[Step]:
        yield Step("chunking", 0, "Splitting into passages")
        deadline = time.monotonic() + CHUNK_SECONDS
        splitter = await asyncio.to_thread(Splitter, weights_folder() / "tokenizer.json")
        pieces = splitter.split(load_sections(sections))
        total = 0
        with target.open("w", encoding="utf-8") as out:
            while made := await asyncio.to_thread(_write_for, SLICE_SECONDS, pieces, out.write):
                total += made
                yield Step("chunking", 0.5, f"Splitting into passages: {total:,} so far", total)
                if time.monotonic() > deadline:
                    raise UnreadableError("Splitting the text took too long: split the file.", code="too_slow")

    async def _embed(self, uploaded: DocumentUploaded, pieces: Path, total: int) -> AsyncIterator[Step]:
        yield Step("embedding", 0, f"Embedding {total:,} passages", total)
        started_at, done = time.monotonic(), 0
        waiting = load_sections(pieces)
        while batch := list(islice(waiting, BATCH_SIZE)):
            async with asyncio.timeout(BATCH_SECONDS):
                await self._vectors.upsert(uploaded.client_id, await self._chunks(uploaded, done, batch))
            done += len(batch)
            left = (time.monotonic() - started_at) / done * (total - done)
            yield Step("embedding", done / total, f"Embedded {done:,} of {total:,} passages{_left(left)}", total)

    async def _chunks(self, uploaded: DocumentUploaded, first: int, batch: list[Section]) -> list[Chunk]:
        """The batch with its vectors. A text that an earlier version, or a run that died, embedded keeps its vector."""
        texts = {_digest(text): text for text in map(embedded_text, batch)}
        vectors = await self._vectors.vectors_of(uploaded.client_id, uploaded.document_id, list(texts))
        vectors |= await self._cache.get(uploaded.client_id, texts.keys() - vectors.keys())
        new = {digest: text for digest, text in texts.items() if digest not in vectors}
        if new:
            await self._in_work.give_way(uploaded.client_id)
            async with self._turns.held(uploaded.client_id):
                embedded = dict(zip(new, await self._embedder.embed(list(new.values())), strict=True))
            await self._cache.put(uploaded.client_id, embedded)
            vectors |= embedded
        digests = [_digest(embedded_text(piece)) for piece in batch]
        return [
            _chunk_of(uploaded, first + at, piece, digest, vectors[digest])
            for at, (piece, digest) in enumerate(zip(batch, digests, strict=True))
        ]


def no_text(uploaded: DocumentUploaded) -> UnreadableError:
    """The failure of a file without text."""
    found = format_by_name(uploaded.filename, uploaded.media_type)
    hint = found.no_text_hint if found else "Check that it has content"
    return UnreadableError(f"There is no text in the file. {hint} and upload it again.", code="no_text")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _chunk_of(
    uploaded: DocumentUploaded, index: int, piece: Section, digest: str, vector: NDArray[np.float32]
) -> Chunk:
    return Chunk(
        document_id=uploaded.document_id,
        version=uploaded.version,
        index=index,
        title=uploaded.title[:MAX_TITLE_CHARACTERS],
        text=piece.text,
        vector=vector,
        digest=digest,
        page=piece.page,
        page_end=piece.page_end,
        row=piece.row,
        heading=shown_heading(piece.heading) if piece.heading else None,
    )


def _write_for(seconds: float, pieces: Iterator[Section], write: Callable[[str], int]) -> int:
    until, made = time.monotonic() + seconds, 0
    for piece in pieces:
        write(piece.to_json() + "\n")
        made += 1
        if time.monotonic() > until:
            break
    return made


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _left(seconds: float) -> str:
    if seconds < 5:
        return ""
    if seconds < 90:
        return f", about {seconds:.0f} seconds left"
    return f", about {seconds / 60:.0f} minutes left"
