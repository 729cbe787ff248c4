"""A document whatever is killed while it is read: in the end its row, its passages and its file agree."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from handlers.ingestion.audit import audit
from handlers.models.minilm import MiniLM
from schemas.events import DocumentUploaded
from stores.postgres.database import DATABASE_ERRORS, create_engine
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from streams.publisher import Publisher
from tests.faults.callers import connect, server
from tests.support.patience import SECONDS

pytestmark = pytest.mark.timeout(300)

PARTS = 260
GUIDE = "\n\n".join(f"# Part {n}\n\nRefunds of part {n} take {n} days." for n in range(PARTS))
STAGES = ["parsing", "chunking", "embedding", "indexing"]


async def upload(http, site, name="guide.md", content=GUIDE):
    files = {"file": (name, content.encode())}
    return (await http.post("/process-document", headers=server(site), files=files)).json()["id"]


async def until(documents, site, document_id, statuses):
    """The row once its status is one of these."""
    row = None
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                with suppress(*DATABASE_ERRORS):
                    row = await documents.get(site.client_id, document_id)
                if row and row.status in statuses:
                    return row
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"not {statuses}: {row}")


async def disagreements(site, documents):
    """What an audit finds once nothing runs any more."""
    for part in site.parts.values():
        await part.stop()
    vectors = await open_vectors(site.settings.qdrant_url, None, space=MiniLM.name, dimensions=MiniLM.dimensions)
    try:
        rows = [row for row in await documents.every() if row.client_id == site.client_id]
        return audit(rows, await vectors.versions(), await Uploads(site.settings.uploads_url).files())
    finally:
        await vectors.close()


@pytest.fixture
async def documents(site):
    engine = create_engine(site.settings.database_url)
    yield Documents(engine)
    await engine.dispose()


async def strike_at_every_stage(site, documents, strike):
    """Uploads a document and calls `strike`, which kills something and starts it again, at each stage: the document is
    whole in the end.
    """
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    async with connect(site) as http:
        document_id = await upload(http, site)
        for number in range(len(STAGES)):
            await until(documents, site, document_id, [*STAGES[number:], "ready"])
            await strike()
        row = await until(documents, site, document_id, ["ready", "failed"])

    assert (row.status, row.chunks) == ("ready", PARTS)
    assert await disagreements(site, documents) == []


async def test_a_worker_that_is_killed_at_every_stage_leaves_a_whole_document(site, documents):
    async def strike():
        await site.parts["worker"].kill()
        await site.parts["worker"].start()

    await strike_at_every_stage(site, documents, strike)


async def test_an_upload_that_is_delivered_three_times_is_one_document(site, documents):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    async with connect(site) as http, Publisher(site.settings) as publisher:
        document_id = await upload(http, site)
        event = await _event(documents, site, document_id)
        for _ in range(2):
            await publisher.publish(event)
        await until(documents, site, document_id, ["ready"])
        other = await upload(http, site, "behind.md")
        await until(documents, site, other, ["ready"])

    assert await disagreements(site, documents) == []


async def test_a_broker_that_is_killed_at_every_stage_delays_a_document_only(site, documents, broker):
    async def strike():
        await broker.kill()
        await broker.start(broker.port)

    await strike_at_every_stage(site, documents, strike)


async def test_a_postgres_that_is_killed_at_every_stage_delays_a_document_only(site, postgres):
    engine = create_engine(site.settings.database_url)

    async def strike():
        await postgres.kill()
        await postgres.start(port=int(postgres.url.rpartition(":")[2].partition("/")[0]))

    await strike_at_every_stage(site, Documents(engine), strike)
    await engine.dispose()


async def test_a_delete_overtakes_the_documents_that_wait_before_it(site, documents):
    worker, gateway = site.part("worker"), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    async with connect(site) as http:
        document_id = await upload(http, site, "first.md", "The orange submarine leaves at nine.")
        await until(documents, site, document_id, ["ready"])
        waiting = [await upload(http, site, f"{number}.md") for number in range(6)]
        asked = {"message": "When does the orange submarine leave?", "sessionId": "s"}
        before = (await http.post("/chat", headers=server(site), json=asked)).json()
        await http.delete(f"/documents/{document_id}", headers=server(site))
        async with asyncio.timeout(5):
            while True:
                found = (await http.post("/chat", headers=server(site), json=asked)).json()
                if document_id not in {source["documentId"] for source in found["sources"]}:
                    break
        still = [row.status for one in waiting if (row := await documents.get(site.client_id, one)) is not None]

    assert document_id in {source["documentId"] for source in before["sources"]}
    assert "ready" not in still[2:], "the queue was too short to show anything"


async def _event(documents, site, document_id):
    row = await documents.get(site.client_id, document_id)
    return DocumentUploaded.model_validate(asdict(row) | {"uploaded_at": datetime.now(UTC)})
