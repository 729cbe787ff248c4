"""From a real file to a found passage, with real Postgres, vectors and local model."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from handlers.answering.generation import EVIDENCE_THRESHOLD
from handlers.background_task import background_task
from handlers.ingestion.handler import Ingestion
from handlers.ingestion.stages import Stages
from handlers.models.embedder import open_embedder
from handlers.retrieval.search import Retrieval
from schemas.events import ChatRequested, DocumentDeleted, DocumentUploaded
from schemas.settings import Settings
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from tests.conftest import SHARED_DATA
from tests.support.fakes_knowledge import no_embedding_cache, stream_of

FILES_OF_A_KIND = 4
CORPUS = Path(__file__).parents[2] / "corpus"
POLICY = b"""# Returns

You can send an item back within thirty days of delivery.

# Shipping

Parcels to Austria take four working days.
"""


@pytest.fixture(scope="session")
def models_path(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture
async def knowledge(engine, tmp_path, models_path):
    async with open_embedder(Settings(embeddings="local", models_path=str(models_path))) as embedder:
        path = str(tmp_path / "qdrant")
        vectors = await open_vectors(path, None, space=embedder.name, dimensions=embedder.dimensions)
        yield Knowledge(engine, tmp_path, embedder, vectors)
        await vectors.close()


async def _no_turns():
    return []


class Knowledge:
    """Ingestion and retrieval on the same stores."""

    def __init__(self, engine, folder, embedder, vectors):
        self.documents = Documents(engine)
        self.vectors = vectors
        self.uploads = Uploads((folder / "uploads").as_uri())
        stages = Stages(self.uploads, vectors, embedder, no_embedding_cache())
        self.ingestion = Ingestion(self.documents, self.uploads, vectors, stages, folder / "workspace")
        self.retrieval = Retrieval(embedder, vectors)

    async def ingest(self, filename, content, version=1, client_id="acme"):
        stored = await self.uploads.put(client_id, filename, version, filename, stream_of(content), max_bytes=10**8)
        uploaded = DocumentUploaded(
            client_id=client_id,
            document_id=filename,
            uri=stored.uri,
            sha256=stored.sha256,
            media_type="application/octet-stream",
            size_bytes=stored.size_bytes,
            filename=filename,
            title=filename,
            version=version,
            uploaded_at=datetime.now(UTC),
        )
        events = [event async for event in self.ingestion.handle(uploaded)]
        row = await self.documents.get(client_id, filename)
        assert (row.status, row.progress, row.reason) == (events[-1].status, events[-1].progress, events[-1].reason)
        return events[-1]

    async def ask(self, text, client_id="acme"):
        asked = ChatRequested(
            client_id=client_id, message_id=uuid4(), session_id="s", text=text, requested_at=datetime.now(UTC)
        )
        async with background_task(_no_turns()) as turns:
            return await self.retrieval.search(asked, turns)


async def test_an_uploaded_text_is_found_by_meaning_until_it_is_replaced_or_deleted(knowledge):
    await knowledge.ingest("policy.md", POLICY)
    found = await knowledge.ask("How long do I have to return something I bought?")
    assert found.passages[0].heading == "Returns"
    assert found.confidence > (await knowledge.ask("Who won the football match yesterday?")).confidence + 0.3
    assert (await knowledge.ask("How long do I have to return something?", client_id="rival")).passages == []

    await knowledge.ingest("policy.md", POLICY.replace(b"thirty", b"ninety"), version=2)
    texts = [passage.text for passage in (await knowledge.ask("How long do I have to return something?")).passages]
    assert [text for text in texts if "ninety" in text]
    assert not [text for text in texts if "thirty" in text]

    deleted = DocumentDeleted(client_id="acme", document_id="policy.md")
    assert [event.status async for event in knowledge.ingestion.handle(deleted)] == ["deleted"]
    assert (await knowledge.ask("How long do I have to return something?")).passages == []


def place(found, fact):
    """(document, heading, fact if contained) of the first passage; all None below the evidence threshold."""
    if found.confidence < EVIDENCE_THRESHOLD:
        return None, None, None
    first = found.passages[0]
    return first.title, first.heading and first.heading.rpartition(" > ")[2], fact if str(fact) in first.text else None


async def test_a_question_on_our_corpus_finds_its_passage_and_any_other_finds_no_evidence(knowledge):
    for path in sorted((CORPUS / "documents").iterdir()):
        assert (await knowledge.ingest(path.name, path.read_bytes())).status == "ready"

    for asked in json.loads((CORPUS / "questions.json").read_text()):
        expected = (asked["document"], asked["heading"], asked["fact"])
        assert place(await knowledge.ask(asked["question"]), asked["fact"]) == expected, asked["question"]


@pytest.mark.shared_data
async def test_a_pdf_is_cited_by_page(knowledge):
    manual = next((SHARED_DATA / "files").rglob("llncsdoc.pdf")).read_bytes()

    ready = await knowledge.ingest("llncsdoc.pdf", manual)

    assert (ready.status, ready.progress) == ("ready", 100)
    assert await knowledge.vectors.count("acme", "llncsdoc.pdf") == ready.chunks > 10
    found = await knowledge.ask("How are theorem environments numbered?")
    assert "theorem" in found.passages[0].text.lower()
    assert found.passages[0].page > 1


@pytest.mark.shared_data
async def test_small_real_files_of_each_kind_end_ready_or_failed_with_a_reason(knowledge):
    files = sorted((SHARED_DATA / "files").rglob("*.*"), key=lambda path: path.stat().st_size)
    kinds = {path.suffix for path in files}
    small = [path for kind in kinds for path in [path for path in files if path.suffix == kind][:FILES_OF_A_KIND]]

    ended = [await knowledge.ingest(path.name, path.read_bytes(), version) for version, path in enumerate(small, 1)]

    assert {event.status for event in ended} == {"ready", "failed"}
    assert all(bool(event.reason) == (event.status == "failed") for event in ended)
