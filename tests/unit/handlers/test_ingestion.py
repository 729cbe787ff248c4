"""A document from upload to ready or failed, with real readers and files and in-memory stores."""

import hashlib

import pypdfium2
import pytest

from schemas.events import DocumentDeleted
from schemas.failures import PermanentError, RetryableError
from tests.support.knowledge import Knowledge


@pytest.fixture
def knowledge(tmp_path):
    return Knowledge(tmp_path)


async def test_a_document_becomes_ready_and_is_found_with_its_heading(knowledge):
    events = await knowledge.handle(await knowledge.uploaded())

    assert [event.status for event in events if event.status != events[0].status][-1] == "ready"
    statuses = dict.fromkeys(event.status for event in events)
    assert list(statuses) == ["parsing", "chunking", "embedding", "indexing", "ready"]
    assert [event.progress for event in events] == sorted(event.progress for event in events)
    assert (events[0].progress, events[-1].progress, events[-1].chunks) == (0, 100, 40)
    assert knowledge.documents.saved == events
    assert (await knowledge.search("Refunds of part 7"))[0].heading == "Part 7"
    assert list(knowledge.workspace.iterdir()) == []


async def test_a_passage_names_its_document_and_heading_briefly_however_long_they_are(knowledge):
    """Six passages go into one record of the log."""
    content = f"# Prices {'of boats ' * 50_000}end\n\nRefunds take 3 days.\n".encode()
    uploaded = (await knowledge.uploaded(content)).model_copy(update={"title": "Guide " * 100_000})
    await knowledge.handle(uploaded)

    [found] = await knowledge.search("Refunds take 3 days.")

    assert found.heading.endswith("of boats end")
    assert len(found.model_dump_json()) < 2_000


async def test_a_ready_version_is_not_ingested_again(knowledge):
    uploaded = await knowledge.uploaded()
    await knowledge.handle(uploaded)
    embedded = len(knowledge.embedder.texts)
    again = await knowledge.handle(uploaded)

    assert [(event.status, event.progress, event.chunks) for event in again] == [("ready", 100, 40)]
    assert len(knowledge.embedder.texts) == embedded


async def test_a_replay_after_a_crash_doubles_no_chunk(knowledge):
    uploaded = await knowledge.uploaded()
    knowledge.vectors.failures = [RetryableError("away")]
    with pytest.raises(RetryableError):
        await knowledge.handle(uploaded)

    await knowledge.handle(uploaded)
    knowledge.documents.rows["acme", "doc_1"].status = "embedding"
    events = await knowledge.handle(uploaded)

    assert events[-1].status == "ready"
    assert await knowledge.vectors.count("acme", "doc_1") == 40


async def test_a_newer_version_replaces_an_older_one_and_an_older_one_comes_too_late(knowledge):
    old, new = await knowledge.uploaded(), await knowledge.uploaded(b"# New\n\nNo refunds.", version=2)
    await knowledge.handle(old)
    await knowledge.handle(new)

    assert await knowledge.handle(old) == []
    assert [passage.text for passage in await knowledge.search("refunds")] == ["No refunds."]


async def test_an_overtaken_run_stops_without_an_event(knowledge):
    uploaded = await knowledge.uploaded()
    newer = await knowledge.uploaded(version=2)
    events = []
    async for event in knowledge.ingestion.handle(uploaded):
        events.append(event)
        await knowledge.documents.register(newer)

    assert [event.status for event in events] == ["parsing"]
    assert await knowledge.search("refunds") == []


async def test_a_run_that_publishes_after_a_delete_takes_it_back(knowledge):
    """Another worker ran the delete before this run wrote its last vectors."""
    events = []
    async for event in knowledge.ingestion.handle(await knowledge.uploaded()):
        events.append(event)
        if event.status == "indexing":
            await knowledge.documents.delete("acme", "doc_1")

    assert events[-1].status == "indexing"
    assert await knowledge.search("refunds") == []


async def test_a_run_that_publishes_over_a_newer_version_gives_way(knowledge):
    old, new = await knowledge.uploaded(), await knowledge.uploaded(b"# New\n\nNo refunds.", version=2)
    events = []
    async for event in knowledge.ingestion.handle(old):
        events.append(event)
        if event.status == "indexing":
            late = dict(knowledge.vectors.points)
            await knowledge.handle(new)
            knowledge.vectors.points |= late

    assert events[-1].status == "indexing"
    assert [passage.text for passage in await knowledge.search("refunds")] == ["No refunds."]
    assert await knowledge.vectors.count("acme", "doc_1") == 1


async def test_a_deleted_document_answers_nothing_and_its_files_are_gone(knowledge, tmp_path):
    first, second = await knowledge.uploaded(), await knowledge.uploaded(version=2)
    await knowledge.handle(first)
    await knowledge.handle(second)

    events = await knowledge.handle(DocumentDeleted(client_id="acme", document_id="doc_1"))

    assert [(event.status, event.version) for event in events] == [("deleted", 2)]
    assert await knowledge.search("refunds") == []
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]
    assert await knowledge.handle(second) == []
    again = await knowledge.handle(DocumentDeleted(client_id="acme", document_id="doc_1"))
    assert [event.status for event in again] == ["deleted"]


def scanned_pdf(tmp_path):
    document = pypdfium2.PdfDocument.new()
    document.new_page(200, 200)
    document.save(tmp_path / "scan.pdf")
    return (tmp_path / "scan.pdf").read_bytes()


@pytest.mark.parametrize(
    ("filename", "content", "reason"),
    [
        ("a.rar", b"Rar!", "PDF (.pdf), Word (.docx)"),
        ("a.docx", b"PK\x03\x04", "named as Word"),
        ("a.pdf", b"%PDF-1.7 nothing", "damaged"),
        ("a.txt", b" \n \n", "no text"),
        ("scan.pdf", None, "scanned images"),
    ],
)
async def test_a_bad_file_ends_failed_with_a_reason(knowledge, tmp_path, filename, content, reason):
    events = await knowledge.handle(await knowledge.uploaded(content or scanned_pdf(tmp_path), filename))

    assert (events[-1].status, events[-1].retryable) == ("failed", False)
    assert reason in events[-1].reason
    assert knowledge.documents.saved[-1] == events[-1]


async def test_a_file_that_changed_is_gone_or_is_anothers_fails(knowledge, tmp_path):
    (tmp_path / "elsewhere.txt").write_text("secret")
    uploaded = await knowledge.uploaded()
    theirs = await knowledge.uploaded(client_id="other")
    changes = [
        {"sha256": hashlib.sha256(b"other").hexdigest()},
        {"uri": uploaded.uri + "x"},
        {"uri": (tmp_path / "elsewhere.txt").as_uri()},
        {"uri": theirs.uri},
    ]
    for version, change in enumerate(changes, 2):
        events = await knowledge.handle(uploaded.model_copy(update={**change, "version": version}))

        assert (events[-1].status, events[-1].stage) == ("failed", "parsing")
        assert "upload it" in events[-1].reason


async def test_a_refusing_embedder_fails_the_document_but_it_may_be_tried_again(knowledge):
    knowledge.embedder.failures = [PermanentError("The embedding service refused.", code="embedding_refused")]

    events = await knowledge.handle(await knowledge.uploaded())

    assert (events[-1].status, events[-1].stage, events[-1].retryable) == ("failed", "embedding", True)


async def test_stopping_in_the_middle_leaves_no_folder(knowledge):
    handling = knowledge.ingestion.handle(await knowledge.uploaded())
    await anext(handling)
    await handling.aclose()

    assert list(knowledge.workspace.iterdir()) == []
